package api_test

import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// protojsonText is a message as text, for a test's output.
func protojsonText(m proto.Message) string { return protojson.Format(m) }

package api

import (
	"context"
	"fmt"
	"io"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/connect/v2/connectproto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// strict refuses fields that the schema does not have. The usual codecs leave them out in silence, and a caller that
// misspells `cleared` believes that the answer is gone.
func strict() connecthttp.Option {
	json := connectproto.NewJSONCodec()
	json.UnmarshalOptions.DiscardUnknown = false
	return connecthttp.WithCodecs(strictBinary{connectproto.NewBinaryCodec()}, json)
}

// strictBinary is the binary codec that refuses unknown fields.
type strictBinary struct{ *connectproto.BinaryCodec }

// UnmarshalRead implements [connect.Codec].
func (c strictBinary) UnmarshalRead(ctx context.Context, src io.Reader, message any) error {
	if err := c.BinaryCodec.UnmarshalRead(ctx, src, message); err != nil {
		return err
	}
	if m, ok := message.(proto.Message); ok {
		return unknownField(m.ProtoReflect())
	}
	return nil
}

// unknownField says which message holds a field that its schema does not have; nil if none does.
func unknownField(m protoreflect.Message) error {
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		return fmt.Errorf("%s has an unknown field", m.Descriptor().FullName())
	}
	var err error
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() && field.MapValue().Message() != nil:
			value.Map().Range(func(_ protoreflect.MapKey, element protoreflect.Value) bool {
				err = unknownField(element.Message())
				return err == nil
			})
		case field.IsList() && field.Message() != nil:
			for i := 0; i < value.List().Len() && err == nil; i++ {
				err = unknownField(value.List().Get(i).Message())
			}
		case !field.IsMap() && !field.IsList() && field.Message() != nil:
			err = unknownField(value.Message())
		}
		return err == nil
	})
	return err
}

var _ connect.StableCodec = strictBinary{}

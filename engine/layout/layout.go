// Package layout writes the YAML of bundles in one style. Keys stand in the schema's order; what fits on a line stands in
// brackets on it, unless a comment is in it or it is a list of things with keys of their own; everything else stands in
// lines of its own, two spaces further in for each step. Quotes stand where YAML needs them. What the author decides is kept: the order of
// lists and of names that the schema does not know, comments, and where a blank line is.
//
// No comment is lost and nothing changes its meaning: what cannot be shown to read as before is refused.
package layout

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/diag"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// CodeUnsure is the code of a file whose layout cannot be changed without the risk of changing what it says.
const CodeUnsure = "layout-unsure"

// step is how far a block stands in from the one that it belongs to.
const step = 2

// Width is how many columns a line has at most that stands in brackets; a Chinese character takes two.
const Width = 160

// Format returns the text in the one style. A text that is no YAML of the bundle language's kind is refused with what is
// wrong with it.
func Format(file string, text []byte) ([]byte, diag.List) {
	if _, found := diag.ReadYAML(file, text, &structpb.Struct{}, nil); found.Err() != nil {
		return nil, found
	}
	before, err := parse(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	if err != nil {
		return nil, unsure(file, err.Error())
	}
	formatted := before.print()
	after, err := parse(formatted)
	if err != nil {
		return nil, unsure(file, err.Error())
	}
	if line := differs(before.root.yaml, after.root.yaml); line > 0 {
		return nil, unsure(file, fmt.Sprintf("what stands on line %d would read otherwise", line))
	}
	if !slices.Equal(before.remarks(), after.remarks()) {
		return nil, unsure(file, "a comment would be lost")
	}
	if !bytes.Equal(formatted, after.print()) {
		return nil, unsure(file, "it does not come to rest")
	}
	return formatted, nil
}

func unsure(file, why string) diag.List {
	return diag.List{{Span: diag.Span{File: file, Start: diag.Position{Line: 1, Column: 1}}, Severity: diag.Error, Code: CodeUnsure,
		Message: "the layout cannot be made alike safely: " + why, Hint: "write what is unusual there more plainly"}}
}

// differs returns the line of the first node that reads otherwise in b, 0 if there is none. The order of keys says nothing,
// nor do quotes around a date: the language reads both as the same text.
func differs(a, b *yaml.Node) int {
	line := max(1, a.Line)
	if a.Kind != b.Kind || len(a.Content) != len(b.Content) {
		return line
	}
	switch a.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(a.Content); i += 2 {
			j := 0
			for j < len(b.Content) && b.Content[j].Value != a.Content[i].Value {
				j += 2
			}
			if j >= len(b.Content) || differs(a.Content[i], b.Content[j]) > 0 {
				return max(1, a.Content[i].Line)
			}
			if line := differs(a.Content[i+1], b.Content[j+1]); line > 0 {
				return line
			}
		}
	case yaml.SequenceNode:
		for i := range a.Content {
			if line := differs(a.Content[i], b.Content[i]); line > 0 {
				return line
			}
		}
	default:
		if tag(a) != tag(b) || a.Value != b.Value && tag(a) != "!!null" {
			return line
		}
	}
	return 0
}

// tag is what a scalar reads as. A date is a text to the language.
func tag(n *yaml.Node) string {
	if t := n.ShortTag(); t != "!!timestamp" {
		return t
	}
	return "!!str"
}

// schemaOf is the message that a file holds, by the keys that it begins with; nil if it is none of the language's.
func schemaOf(root *yaml.Node) protoreflect.MessageDescriptor {
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "bundle":
			return (&bundlev1.Bundle{}).ProtoReflect().Descriptor()
		case "library":
			return (&bundlev1.Library{}).ProtoReflect().Descriptor()
		case "tests":
			return (&bundlev1.Tests{}).ProtoReflect().Descriptor()
		case "record":
			return (&bundlev1.Test{}).ProtoReflect().Descriptor()
		case "years":
			return (&bundlev1.Holidays{}).ProtoReflect().Descriptor()
		}
	}
	return nil
}

// below is the message that stands behind a key; nil where the schema leaves the keys to the author. A map is told by its
// field, whose values are behind every key.
func below(in protoreflect.MessageDescriptor, key string) (message protoreflect.MessageDescriptor, keyed protoreflect.FieldDescriptor) {
	if in == nil {
		return nil, nil
	}
	field := in.Fields().ByName(protoreflect.Name(key))
	switch {
	case field == nil || field.Message() == nil:
		return nil, nil
	case field.IsMap():
		return nil, field
	case strings.HasPrefix(string(field.Message().FullName()), "google.protobuf."):
		return nil, nil
	}
	return field.Message(), nil
}

package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"buf.build/go/protoyaml"
	"go.yaml.in/yaml/v3"

	"github.com/siyiban/onething/diag"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Load reads a manifest.yaml, the members of onething.plugin.v1.Manifest by their names in the schema. The file's name
// is used in diagnostics only. What is wrong comes back as a [diag.List], all of it at once.
func Load(file string, source []byte) (*pluginv1.Manifest, error) {
	root, list := parse(file, source)
	if list != nil {
		return nil, list
	}
	m := new(pluginv1.Manifest)
	if err := (protoyaml.UnmarshalOptions{Path: file}).Unmarshal(source, m); err != nil {
		return nil, schemaFaults(file, err)
	}
	var invalid *InvalidError
	if err := Check(m); errors.As(err, &invalid) {
		for _, f := range invalid.Faults {
			list = append(list, fault(file, memberNode(root, f.Field), "plugin-manifest", f.Field, f.Field+" "+f.Message))
		}
		return nil, list.Sorted()
	}
	return m, nil
}

// parse checks what a YAML decoder lets pass or does not survive, and returns the mapping.
func parse(file string, source []byte) (*yaml.Node, diag.List) {
	at := func(line int, message string) diag.List {
		return diag.List{fault(file, &yaml.Node{Line: line, Column: 1}, "plugin-manifest-yaml", "", message)}
	}
	if len(source) > maxBytes {
		return nil, at(1, fmt.Sprintf("the file has %d bytes, at most %d are read", len(source), maxBytes))
	}
	if !utf8.Valid(source) {
		return nil, at(1, "the file is not UTF-8")
	}
	// The decoder panics on a carriage return without a line feed.
	if i := bytes.IndexByte(bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n\n")), '\r'); i >= 0 {
		return nil, at(1+bytes.Count(source[:i], []byte("\n")), "a carriage return stands without a line feed")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, at(1, "the file is empty")
		}
		return nil, at(errorLine(err), "the file is not YAML: "+err.Error())
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, at(max(second.Line, 1), "a second document follows; one manifest is one file")
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, at(root.Line, "the file must hold names and values, for example `id: hrss/pension`")
	}
	return root, checkNodes(file, root, nil)
}

// checkNodes refuses aliases and repeated keys, of which the decoder silently takes the last.
func checkNodes(file string, node *yaml.Node, list diag.List) diag.List {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return append(list, fault(file, node, "plugin-manifest-yaml", "", "anchors and aliases are not read; write the value out"))
	}
	keys := map[string]bool{}
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			if keys[child.Value] {
				list = append(list, fault(file, child, "plugin-manifest-yaml", child.Value, "`"+child.Value+"` is given twice"))
			}
			keys[child.Value] = true
		}
		list = checkNodes(file, child, list)
	}
	return list
}

var (
	positioned = regexp.MustCompile(`^:(\d+):(\d+) (.*)$`)
	yamlLine   = regexp.MustCompile(`line (\d+)`)
)

// schemaFaults turns the reader's errors into diagnostics. Its error type is not exported, so positions come from its
// text; its snippets are left out, because diagnostics bring their own.
func schemaFaults(file string, err error) diag.List {
	var list diag.List
	for line := range strings.Lines(err.Error()) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), file)
		if match := positioned.FindStringSubmatch(rest); ok && match != nil {
			row, _ := strconv.Atoi(match[1])
			column, _ := strconv.Atoi(match[2])
			list = append(list, fault(file, &yaml.Node{Line: row, Column: column}, "plugin-manifest", "", match[3]))
		}
	}
	if list == nil {
		list = diag.List{fault(file, &yaml.Node{Line: 1, Column: 1}, "plugin-manifest", "", err.Error())}
	}
	return list.Sorted()
}

func errorLine(err error) int {
	if match := yamlLine.FindStringSubmatch(err.Error()); match != nil {
		line, _ := strconv.Atoi(match[1])
		return line
	}
	return 1
}

// memberNode returns the value of a member, and the whole mapping if it is not there.
func memberNode(root *yaml.Node, member string) *yaml.Node {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == member {
			return root.Content[i+1]
		}
	}
	return root
}

func fault(file string, node *yaml.Node, code, path, message string) diag.Diagnostic {
	return diag.Diagnostic{
		Span:     diag.Span{File: file, Start: diag.Position{Line: node.Line, Column: node.Column}},
		Severity: diag.Error, Code: code, Path: path, Message: message,
	}
}

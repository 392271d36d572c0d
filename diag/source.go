package diag

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	"buf.build/go/protoyaml"
)

// MaxFile bounds a YAML file, in bytes.
const MaxFile = 1 << 20

// maxDepth bounds how deep YAML may nest; the bundle language needs nine.
const maxDepth = 30

// Source is a YAML file that was read into a message, with the place of everything in it.
type Source struct {
	File string

	lines [][]rune
	root  *yaml.Node
	nodes map[proto.Message]*yaml.Node
}

// Normalise rewrites the node of a message before it is read, for the shorthands of a language: an id alone
// for a message, one value for a list. It reports whether it has filled the message itself.
type Normalise func(node *yaml.Node, message proto.Message) (done bool)

// ReadFile reads a YAML file of a tree. One that is larger than [MaxFile] is not read at all; its error is a [List].
func ReadFile(tree fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(tree, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxFile {
		return nil, tooLarge(name, info.Size())
	}
	return fs.ReadFile(tree, name)
}

func tooLarge(file string, size int64) List {
	return List{{Span: Span{File: file, Start: Position{1, 1}, End: Position{1, 2}}, Severity: Error, Code: "yaml-size",
		Message: fmt.Sprintf("the file has %d bytes; at most %d are read", size, MaxFile)}}
}

// ReadYAML reads YAML strictly into message: one document, no repeated keys, no aliases, no unknown keys. All
// findings are reported at once; the source is nil if the text is no YAML at all.
func ReadYAML(file string, text []byte, message proto.Message, normalise Normalise) (*Source, List) {
	if found := checkText(file, text); found != nil {
		return nil, found
	}
	root, found := parse(file, text)
	if found != nil {
		return nil, found
	}
	s := &Source{File: file, root: root, nodes: map[proto.Message]*yaml.Node{}}
	for line := range strings.SplitSeq(string(text), "\n") {
		s.lines = append(s.lines, []rune(strings.TrimSuffix(line, "\r")))
	}
	s.checkNodes(root, "", 0, &found)
	if found != nil {
		return s, found
	}
	reader := newReader(s, normalise)
	options := protoyaml.UnmarshalOptions{Path: file, CustomUnmarshaler: reader, DiscardUnknown: true}
	if more := lastLine(root) - len(s.lines); more > 0 { // protoyaml fails on a value that begins behind the last line
		text = slices.Concat(text, bytes.Repeat([]byte("\n"), more))
	}
	err := options.Unmarshal(text, message)
	found = append(append(found, reader.found...), s.readErrors(err, message.ProtoReflect().Descriptor())...)
	if len(found) > 0 { // YAML takes much for a text, and then what is wrong there is found elsewhere
		if slipped := slips(file, text); slipped != nil {
			return s, slipped
		}
	}
	return s, found
}

// lastLine is the greatest line on which something begins. What is left out may be said to begin behind the file.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, c := range n.Content {
		last = max(last, lastLine(c))
	}
	return last
}

// checkText refuses what is no text, before a YAML parser sees it: one of the parsers panics on a lone
// carriage return, and YAML counts more characters as line ends than an editor does.
func checkText(file string, text []byte) List {
	at := func(offset int, code, message, hint string) List {
		before := text[:offset]
		line := bytes.Count(before, []byte("\n")) + 1
		column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
		p := Position{Line: line, Column: column}
		return List{{Span: Span{File: file, Start: p, End: Position{line, column + 1}}, Severity: Error, Code: code, Message: message, Hint: hint}}
	}
	if len(text) > MaxFile {
		return tooLarge(file, int64(len(text)))
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return at(0, "yaml-empty", "the file is empty", "")
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return at(i, "yaml-encoding", "the file is not valid UTF-8 from here on", "save it as UTF-8")
		case r == '\r' && (i+1 >= len(text) || text[i+1] != '\n'):
			return at(i, "yaml-line-end", "a carriage return alone is no line end", "end lines with a line feed")
		case r == '\u0085' || r == '\u2028' || r == '\u2029':
			return at(i, "yaml-line-end", fmt.Sprintf("the character U+%04X counts as a line end in YAML only", r), "end lines with a line feed")
		case r == '\uFEFF':
			return at(i, "yaml-encoding", "a byte order mark stands here", "save the file as UTF-8 without a byte order mark")
		case r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f:
			return at(i, "yaml-encoding", fmt.Sprintf("the control character U+%04X stands here", r), "remove it")
		}
		i += size
	}
	return nil
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// parse reads exactly one document.
func parse(file string, text []byte) (*yaml.Node, List) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, List{{Span: Span{File: file, Start: Position{Line: 1, Column: 1}}, Severity: Error, Code: "yaml-empty", Message: "the file holds nothing"}}
	} else if err != nil {
		return nil, syntaxError(file, text, err)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return nil, List{{Span: Span{File: file, Start: Position{Line: max(1, second.Line), Column: max(1, second.Column)}}, Severity: Error,
			Code: "yaml-documents", Message: "a second document begins here; a file holds one", Hint: "remove the line `---` and what follows"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(file, text, err)
	}
	return document.Content[0], nil
}

// syntaxError is what was most likely typed wrong; where nothing is known to be, what the YAML package says at its place.
func syntaxError(file string, text []byte, err error) List {
	if !strings.Contains(err.Error(), "exceeded max depth") {
		if found := slips(file, text); found != nil {
			return found
		}
	}
	line, message := 1, err.Error()
	if m := yamlError.FindStringSubmatch(message); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
			if strings.HasPrefix(m[2], "did not find expected") { // of these, the package counts lines from 0
				line++
			}
		}
		message = m[2]
	}
	const hint = "look at this line and those before it: spaces, colons, quotes and brackets"
	return List{{Span: Span{File: file, Start: Position{Line: line, Column: firstColumn(text, line)}}, Severity: Error, Code: "yaml-syntax", Message: message, Hint: hint}}
}

// firstColumn is where the text of a line begins.
func firstColumn(text []byte, line int) int {
	for range line - 1 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	text, _, _ = bytes.Cut(text, []byte("\n"))
	return len(text) - len(bytes.TrimLeft(text, " \t")) + 1
}

func tagMessage(tag string) string {
	return fmt.Sprintf("`%s` begins with `!`, which means something else to YAML", tag)
}

const tagHint = "put the whole rule in quotes: \"!…\""

// checkNodes refuses what YAML allows and a maintained text should not have.
func (s *Source) checkNodes(n *yaml.Node, path string, depth int, found *List) {
	add := func(at *yaml.Node, code, message, hint string, related ...Related) {
		*found = append(*found, Diagnostic{Span: s.nodeSpan(at), Severity: Error, Code: code, Path: path, Message: message, Hint: hint, Related: related})
	}
	if depth > maxDepth {
		add(n, "yaml-depth", "the file nests too deeply", "")
		return
	}
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		add(n, "yaml-alias", "anchors and aliases are not read", "write the value out; what bundles share belongs into a library")
		return
	}
	if n.Style&yaml.TaggedStyle != 0 {
		add(n, "yaml-tag", tagMessage(n.Tag), tagHint)
	}
	switch n.Kind {
	case yaml.MappingNode:
		first := map[string]*yaml.Node{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode {
				add(key, "yaml-key", "a key is a plain word", "")
				continue
			}
			if key.Value == "<<" {
				add(key, "yaml-alias", "merge keys are not read", "write the keys out")
				continue
			}
			if earlier, ok := first[key.Value]; ok {
				add(key, "yaml-duplicate-key", fmt.Sprintf("the key `%s` stands here twice", key.Value), "keep one of them",
					Related{Span: s.nodeSpan(earlier), Message: "the first one"})
				continue
			}
			first[key.Value] = key
			s.checkNodes(n.Content[i+1], join(path, key.Value), depth+1, found)
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			s.checkNodes(c, fmt.Sprintf("%s[%d]", path, i), depth+1, found)
		}
	default:
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// At returns where the member of a message stands: its value, or the message itself if the member is not
// written. An empty member is the message. Positions after [ReadYAML] only.
func (s *Source) At(message proto.Message, member string) Span {
	node := s.nodes[message]
	if node == nil {
		return Span{File: s.File, Start: Position{1, 1}}
	}
	if member == "" {
		return s.nodeSpan(node)
	}
	if value := lookup(node, member); value != nil {
		return s.nodeSpan(value)
	}
	return s.nodeSpan(node)
}

// Key returns where the key of a member of a message stands: the message itself if it is not written.
func (s *Source) Key(message proto.Message, member string) Span {
	node := s.nodes[message]
	for i := 0; node != nil && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == member {
			return s.nodeSpan(node.Content[i])
		}
	}
	return s.At(message, "")
}

// Text returns what stands in a stretch of one line.
func (s *Source) Text(span Span) string {
	if span.Start.Line < 1 || span.Start.Line > len(s.lines) || span.End.Line != span.Start.Line {
		return ""
	}
	line := s.lines[span.Start.Line-1]
	from := min(span.Start.Column-1, len(line))
	return string(line[from:min(max(from, span.End.Column-1), len(line))])
}

// Element returns where the element i of a message's list stands.
func (s *Source) Element(message proto.Message, member string, i int) Span {
	list := lookup(s.nodes[message], member)
	if list == nil || list.Kind != yaml.SequenceNode || i >= len(list.Content) {
		return s.At(message, member)
	}
	return s.nodeSpan(list.Content[i])
}

// Scalar returns the text of a member with the place of each of its characters. path names it for the reader.
func (s *Source) Scalar(message proto.Message, member, path string) Scalar {
	node := s.nodes[message]
	if member != "" {
		node = lookup(node, member)
	}
	if node == nil || node.Kind != yaml.ScalarNode {
		return Inline(s.File, path, "", s.At(message, member).Start)
	}
	return NewScalar(s.File, path, node.Value, s.positions(node))
}

func lookup(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// nodeSpan returns where a node stands; of a mapping or list, its first line's beginning.
func (s *Source) nodeSpan(n *yaml.Node) Span {
	start := Position{max(1, n.Line), max(1, n.Column)}
	span := Span{File: s.File, Start: start}
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		if at := s.positions(n); len(at) > 1 && at[len(at)-1].Line == start.Line {
			span.End = at[len(at)-1]
			if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
				span.End.Column++
			}
		}
	}
	return span
}

// Path returns where the member of a message stands that protovalidate names, for example
// `steps[2].needs.fields[0]`; the nearest that is written.
func (s *Source) Path(message proto.Message, path string) Span {
	span, _ := s.Find(message, path)
	return span
}

// Find is as [Source.Path], and says whether the member itself is written and has a value.
func (s *Source) Find(message proto.Message, path string) (span Span, written bool) {
	node := s.nodes[message]
	if node == nil {
		return Span{File: s.File, Start: Position{1, 1}}, false
	}
	for _, part := range pathParts.FindAllString(path, -1) {
		next := lookup(node, strings.Trim(part, `[]"`))
		if i, err := strconv.Atoi(strings.Trim(part, "[]")); err == nil && node.Kind == yaml.SequenceNode && i < len(node.Content) {
			next = node.Content[i]
		}
		if next == nil {
			return s.nodeSpan(node), false
		}
		node = next
	}
	return s.nodeSpan(node), node.Kind != yaml.ScalarNode || node.Tag != "!!null"
}

var pathParts = regexp.MustCompile(`[^.\[\]]+|\[[^\]]*\]`)

package diag

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// reader is called by protoyaml for every message before it is read.
type reader struct {
	source    *Source
	normalise Normalise
	found     List

	kinds   map[*yaml.Node]protoreflect.MessageDescriptor // of the mappings that were read
	parents map[*yaml.Node]*yaml.Node                     // the mapping that a mapping stands in
}

func newReader(s *Source, normalise Normalise) *reader {
	return &reader{source: s, normalise: normalise, kinds: map[*yaml.Node]protoreflect.MessageDescriptor{}, parents: map[*yaml.Node]*yaml.Node{}}
}

// note finds out which mappings stand in a node that stands in a mapping.
func (r *reader) note(n, in *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		if r.parents[n] != nil {
			return
		}
		r.parents[n], in = in, n
	}
	for _, c := range n.Content {
		r.note(c, in)
	}
}

// Unmarshal implements protoyaml.CustomUnmarshaler: it notes the node, applies the language's shorthands and
// reports unknown keys with what was probably meant.
func (r *reader) Unmarshal(node *yaml.Node, message proto.Message) (bool, error) {
	r.source.nodes[message] = node
	if r.normalise != nil && r.normalise(node, message) {
		return true, nil
	}
	descriptor := message.ProtoReflect().Descriptor()
	if node.Kind != yaml.MappingNode || strings.HasPrefix(string(descriptor.FullName()), "google.protobuf.") {
		return false, nil
	}
	r.kinds[node] = descriptor
	for _, c := range node.Content {
		r.note(c, node)
	}
	names := fieldNames(descriptor)
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(names, key.Value) {
			r.found = append(r.found, r.unknown(node, i, names))
		}
	}
	return false, nil
}

func fieldNames(descriptor protoreflect.MessageDescriptor) []string {
	var names []string
	for i := range descriptor.Fields().Len() {
		names = append(names, string(descriptor.Fields().Get(i).Name()))
	}
	return names
}

// unknown says what is most likely wrong with the key i of a mapping.
func (r *reader) unknown(node *yaml.Node, i int, names []string) Diagnostic {
	key := node.Content[i]
	d := Diagnostic{Span: r.source.nodeSpan(key), Severity: Error, Code: "yaml-unknown-key", Message: fmt.Sprintf("there is no key `%s` here", key.Value)}
	value := node.Content[i+1]
	switch to, near, lower := r.belongs(node, i), Nearest(key.Value, names), strings.ToLower(key.Value); {
	case slices.Contains(names, lower):
		d.Hint = fmt.Sprintf("write it in small letters: `%s`", lower)
	case to != nil:
		d.Hint = fmt.Sprintf("it belongs to `%s` of line %d: begin this line with %s", to.Content[0].Value, to.Line, count(max(0, to.Column-1)))
	case near != "":
		d.Hint = fmt.Sprintf("did you mean `%s`?", near)
	case strings.ContainsAny(key.Value, "()=<>&|!\"'"):
		d.Hint = "this looks like the rest of a rule: one that stands inside `{ … }` with a comma, bracket or brace is quoted"
	case node.Style&yaml.FlowStyle != 0 && value.Tag == "!!null" && value.Value == "" && i > 0:
		d.Hint = "inside `{ … }` a comma begins the next key: put a text that holds one in quotes"
	default:
		d.Hint = "expected one of " + strings.Join(names, ", ")
	}
	return d
}

// belongs returns the mapping for which the key i of another was meant, if its line only stands in too little or too
// much: the one that ends just before it, or one around it. Nil if there is none.
func (r *reader) belongs(node *yaml.Node, i int) *yaml.Node {
	key := node.Content[i].Value
	if node.Style&yaml.FlowStyle != 0 {
		return nil
	}
	takes := func(n *yaml.Node, kind protoreflect.MessageDescriptor) bool {
		return n.Style&yaml.FlowStyle == 0 && len(n.Content) > 0 && kind.Fields().ByName(protoreflect.Name(key)) != nil && lookup(n, key) == nil
	}
	if i >= 2 {
		if field := r.kinds[node].Fields().ByName(protoreflect.Name(node.Content[i-2].Value)); field != nil {
			for inner, kind := lastMapping(node.Content[i-1]), field.Message(); inner != nil && kind != nil && !field.IsMap(); {
				if takes(inner, kind) {
					return inner
				}
				last := inner.Content[len(inner.Content)-2:]
				if field = kind.Fields().ByName(protoreflect.Name(last[0].Value)); field == nil {
					break
				}
				inner, kind = lastMapping(last[1]), field.Message()
			}
		}
	}
	for outer := r.parents[node]; outer != nil; outer = r.parents[outer] {
		if kind := r.kinds[outer]; kind != nil && takes(outer, kind) {
			return outer
		}
	}
	return nil
}

// lastMapping is a node itself or the last item of its list, if that is a mapping that is not empty.
func lastMapping(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
		n = n.Content[len(n.Content)-1]
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		return nil
	}
	return n
}

var readError = regexp.MustCompile(`^(?s)(.*?):(\d+):(\d+) (.*?)(?:\n|$)`)

// readErrors turns protoyaml's errors, whose type is not exported, into diagnostics by their text.
func (s *Source) readErrors(err error, root protoreflect.MessageDescriptor) List {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	all := []error{err}
	if errors.As(err, &joined) {
		all = joined.Unwrap()
	}
	var found List
	for _, e := range all {
		d := Diagnostic{Span: Span{File: s.File, Start: Position{1, 1}}, Severity: Error, Code: "yaml-kind", Message: e.Error()}
		if m := readError.FindStringSubmatch(e.Error()); m != nil {
			line, _ := strconv.Atoi(m[2])
			column, _ := strconv.Atoi(m[3])
			d.Span.Start = Position{line, column}
			node, field := nodeAt(s.root, root, d.Span.Start)
			if node != nil {
				d.Span = s.nodeSpan(node)
			}
			d.Message, d.Hint = kindFault(m[4], node, field)
		}
		found = append(found, d)
	}
	return found
}

// nodeAt is the outermost value that begins at a place, with the field of the schema that it is for; nil if none is known.
func nodeAt(n *yaml.Node, kind protoreflect.MessageDescriptor, at Position) (*yaml.Node, protoreflect.FieldDescriptor) {
	for i, c := range n.Content {
		var field protoreflect.FieldDescriptor
		below := kind // of a list: that of its items
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue // a key is never of another kind
			}
			if below = nil; kind != nil {
				if field = kind.Fields().ByName(protoreflect.Name(n.Content[i-1].Value)); field != nil && !field.IsMap() {
					below = field.Message()
				}
			}
		}
		if c.Line == at.Line && c.Column == at.Column {
			return c, field
		}
		if found, of := nodeAt(c, below, at); found != nil {
			if of == nil && c.Kind == yaml.SequenceNode {
				of = field // an item of a list of words
			}
			return found, of
		}
	}
	return nil, nil
}

var (
	word        = regexp.MustCompile(`^[a-z][a-z0-9_]*$`) // what may be an id alone
	enumFault   = regexp.MustCompile(`^unknown enum value "(.*)", expected one of \[(.*)\]$`)
	fieldsFault = regexp.MustCompile(`^expected fields for (\S+), got`)
	// unspecified is the first value of an enum, which nobody writes.
	unspecified = regexp.MustCompile(`^[A-Z_]+_UNSPECIFIED `)
)

// kindFault puts what protoyaml says of a value into the words of a configurator. node is the value, field what it is for.
func kindFault(text string, node *yaml.Node, field protoreflect.FieldDescriptor) (message, hint string) {
	value := ""
	if node != nil && node.Kind == yaml.ScalarNode {
		value = node.Value
	}
	switch {
	case strings.HasPrefix(text, "expected sequence"), strings.HasPrefix(text, "expected fields for google.protobuf.ListValue"):
		message, hint = "a list is expected here", "write `[ … ]` with commas between, or a line with `- ` for each"
		r := []rune(value + " ")[0]
		half, wide := fullWidth(r)
		switch {
		case value != "" && field != nil && field.Message() != nil && !word.MatchString(value):
			message, hint = "keys with their values are expected here", group(field.Message(), value)
		case node != nil && node.Kind == yaml.MappingNode:
			hint = "begin each item with `- `"
		case wide:
			hint = fmt.Sprintf("switch the input method to half-width and write `%s`", half)
		case value != "":
			hint = fmt.Sprintf("write `[%s]`, or a line with `- ` for each", value)
		}
	case strings.HasPrefix(text, "expected scalar, got sequence"):
		message, hint = "one value is expected here, and no list", "take the brackets or the `- ` away"
	case strings.HasPrefix(text, "expected scalar"):
		message, hint = "one value is expected here, and no keys", "write the value behind the key"
	case fieldsFault.MatchString(text):
		message, hint = fieldsExpected(fieldsFault.FindStringSubmatch(text)[1], node)
	case enumFault.MatchString(text):
		m := enumFault.FindStringSubmatch(text)
		words := strings.Fields(unspecified.ReplaceAllString(m[2], ""))
		if field != nil && field.Enum() != nil { // the text has the first ones only
			words = nil
			for i := 1; i < field.Enum().Values().Len(); i++ {
				words = append(words, string(field.Enum().Values().Get(i).Name()))
			}
		}
		message, hint = fmt.Sprintf("`%s` is none of the words that may stand here", m[1]), "write one of "+strings.Join(words, ", ")
		upper := strings.ToUpper(strings.Trim(m[1], `“”"' `))
		near := Nearest(upper, words)
		if i := slices.IndexFunc(words, func(w string) bool { return len(upper) > 2 && strings.HasPrefix(w, upper) }); i >= 0 && near == "" {
			near = words[i]
		}
		if known := inChinese(m[1]); slices.Contains(words, known) {
			upper = known
		}
		if slices.Contains(words, upper) {
			hint = fmt.Sprintf("write `%s`", upper)
		} else if near != "" {
			hint = fmt.Sprintf("did you mean `%s`?", near)
		}
	case strings.HasPrefix(text, "invalid integer"), strings.HasPrefix(text, "integer is too"):
		message, hint = "a whole number is expected here", "write digits only, as in 3"
	case strings.HasPrefix(text, "expected bool"):
		message, hint = "yes or no is expected here", "write `true` or `false`"
		if word, ok := Truth(value); ok {
			hint = fmt.Sprintf("write `%s`", word)
		}
	default:
		return text, ""
	}
	return message, hint
}

// Truth is `true` or `false` for a word that somebody may have written for it, in whichever language; ok is false for
// any other.
func Truth(word string) (meant string, ok bool) {
	switch strings.ToLower(strings.Trim(word, `“”"' `)) {
	case "是", "yes", "y", "on", "true", "对", "真", "√", "有", "需要":
		return "true", true
	case "否", "no", "n", "off", "false", "不是", "错", "假", "×", "无", "没有", "不需要":
		return "false", true
	}
	return "", false
}

// inChinese is the word of the language that somebody has written in Chinese.
func inChinese(word string) string {
	return map[string]string{"文字": "TEXT", "文本": "TEXT", "是否": "BOOL", "整数": "INT", "数字": "INT", "小数": "DECIMAL", "金额": "MONEY", "日期": "DATE",
		"单选": "CHOICE", "多选": "CHOICES", "身份证": "CITIZEN_NUMBER", "身份号码": "CITIZEN_NUMBER", "信用代码": "USCC", "电话": "PHONE", "手机": "PHONE", "地址": "ADDRESS",
		"银行账号": "BANK_ACCOUNT", "车牌": "PLATE", "文件": "FILE", "名单": "LIST", "列表": "LIST", "省级": "PROVINCIAL", "市级": "MUNICIPAL", "县级": "COUNTY",
		"主要": "PRIMARY", "次要": "SECONDARY", "电子证照": "E_CERTIFICATE", "数据共享": "SHARED_DATA", "申请人": "APPLICANT"}[word]
}

// group says how a value is written that has keys of its own, with the number in what stands there now.
func group(message protoreflect.MessageDescriptor, value string) string {
	number := strings.TrimRight(value, "天日个工作") // 7, or 7个工作日
	_, err := strconv.Atoi(number)
	names := fieldNames(message)
	switch {
	case err == nil && slices.Contains(names, "working_days"):
		return fmt.Sprintf("write `{ working_days: %s }`", number)
	case slices.Contains(names, "amount"):
		return fmt.Sprintf("write `{ amount: yuan(%s) }`", strings.TrimSuffix(value, "元"))
	}
	return "write `{ key: value }` with some of " + strings.Join(names[:min(8, len(names))], ", ")
}

// fieldsExpected says which keys a message has where something else stands.
func fieldsExpected(message string, node *yaml.Node) (text, hint string) {
	if node != nil && node.Kind == yaml.ScalarNode && message == "onething.forms.v1.Text" {
		return "a text says of which language it is", fmt.Sprintf("write `{ zh: %s }`", node.Value)
	}
	if strings.HasPrefix(message, "google.protobuf.") {
		return "keys with their values are expected here", "write `{ key: value }`"
	}
	found, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(message))
	if err != nil {
		return "keys with their values are expected here", ""
	}
	value := ""
	if node != nil && node.Kind == yaml.ScalarNode {
		value = node.Value
	}
	return "keys with their values are expected here", group(found.Descriptor(), value)
}

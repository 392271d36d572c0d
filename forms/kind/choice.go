package kind

import (
	"fmt"
	"slices"
)

// Choice is the id of the option that was chosen.
type Choice string

// Kind returns KindChoice.
func (Choice) Kind() Kind { return KindChoice }

// Equal reports whether v is the same choice.
func (c Choice) Equal(v Value) bool { return v == c }

func (Choice) isValue() {}

func parseChoice(s string, options []string) (Value, *Fault) {
	if !slices.Contains(options, s) {
		return nil, &Fault{Code: NoSuchOption, Text: "没有这个选项"}
	}
	return Choice(s), nil
}

// Choices are the ids of the options that were chosen, in the order of the options, each once. None
// chosen is an answer, too.
type Choices []string

// Kind returns KindChoices.
func (Choices) Kind() Kind { return KindChoices }

// Equal reports whether v has the same options chosen.
func (c Choices) Equal(v Value) bool {
	other, ok := v.(Choices)
	return ok && slices.Equal(c, other)
}

func (Choices) isValue() {}

func parseChoices(v any, options []string) (Value, *Fault) {
	list, ok := v.([]any)
	if !ok {
		return nil, &Fault{Code: WrongKind, Text: "应为选项的列表"}
	}
	if len(list) > listLength {
		return nil, &Fault{Code: TooLong, Text: "选项过多"}
	}
	chosen := make([]bool, len(options))
	for i, item := range list {
		path := fmt.Sprintf("[%d]", i)
		id, ok := item.(string)
		if !ok {
			return nil, &Fault{Code: WrongKind, Text: "应为选项", Path: path}
		}
		n := slices.Index(options, id)
		if n < 0 {
			return nil, &Fault{Code: NoSuchOption, Text: "没有这个选项", Path: path}
		}
		chosen[n] = true
	}
	ids := Choices{}
	for i, id := range options {
		if chosen[i] {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

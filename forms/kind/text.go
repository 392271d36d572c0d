package kind

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is a text without control characters but the line feed, without space at its ends, never empty.
//
// Texts are not brought to a Unicode normal form: NFC replaces compatibility ideographs (U+F900 to U+FAFF)
// by others, and a person's name is written with the character that is registered. Rare characters beyond
// the basic plane, variation selectors and the middle dot of names (·, U+00B7) stay as they are.
type Text string

const (
	textLength    = 4000 // code points
	addressLength = 200
)

// Kind returns KindText.
func (Text) Kind() Kind { return KindText }

// Equal reports whether v is the same text.
func (t Text) Equal(v Value) bool { return v == t }

func (Text) isValue() {}

// CompilePattern returns the expression (RE2) that matches a text only as a whole, for Spec.Pattern.
func CompilePattern(expression string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(expression); err != nil { // by itself first: "a)(b" must not become valid below
		return nil, err
	}
	return regexp.Compile(`\A(?:` + expression + `)\z`)
}

func parseText(s string, pattern *regexp.Regexp) (Value, *Fault) {
	text, fault := cleanText(s, textLength)
	if fault != nil {
		return nil, fault
	}
	if pattern != nil && !pattern.MatchString(text) {
		return nil, &Fault{Code: PatternMismatch, Text: "不符合填写格式"}
	}
	return Text(text), nil
}

func cleanText(s string, limit int) (string, *Fault) {
	if len(s) > 4*limit+limit { // room for what trimming takes away; all that follows is linear in it
		return "", &Fault{Code: TooLong, Text: "文字过长"}
	}
	s = strings.Map(func(r rune) rune {
		switch r { // what is not UTF-8 arrives as RuneError, which is refused below
		case '\u200b', '\u2060', '\ufeff': // invisible, pasted along unseen
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if s == "" {
		return "", &Fault{Code: Empty, Text: "内容为空"}
	}
	if utf8.RuneCountInString(s) > limit {
		return "", &Fault{Code: TooLong, Text: "文字过长"}
	}
	for _, r := range s {
		switch {
		case r == utf8.RuneError || unicode.Is(unicode.Noncharacter_Code_Point, r):
			return "", &Fault{Code: InvalidText, Text: "含有无法识别的字符"}
		case r != '\n' && unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return "", &Fault{Code: ControlCharacter, Text: "含有不能显示的控制字符"}
		}
	}
	return s, nil
}

// compact prepares an identifier for its check: full-width letters, digits and signs become ASCII, letters
// upper case, and spaces, hyphens and dots between its groups go.
func compact(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		switch {
		case unicode.IsSpace(r), strings.ContainsRune("-‐‑–—―−·•．.\u200b\u2060\ufeff", r):
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

package rule

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/cel"

	"github.com/siyiban/onething/diag"
)

// shape refuses what is easily mistyped, before the parser says so in its own words.
func (c *compiler) shape() {
	if word, ok := diag.Truth(c.scalar.Text); ok && word != strings.TrimSpace(c.scalar.Text) {
		c.failAt(0, len([]rune(c.scalar.Text)), CodeSyntax, NoTruth(c.scalar.Text), "write "+word)
		return
	}
	depth := 0
	for i, t := range c.source.tokens {
		switch t.text {
		case "(", "[", "{":
			if depth++; depth > maxDepth {
				c.failAt(t.from, t.to, CodeCost, "brackets stand too deep inside each other", "split the rule, with named conditions")
				return
			}
			if t.match < 0 {
				c.failAt(t.from, t.to, CodeSyntax, fmt.Sprintf("this %s is not closed", t.text), "")
				return
			}
		case ")", "]", "}":
			if depth--; t.match < 0 || c.source.tokens[t.match].text != map[string]string{")": "(", "]": "[", "}": "{"}[t.text] {
				c.failAt(t.from, t.to, CodeSyntax, fmt.Sprintf("this %s closes nothing", t.text), "")
				return
			}
		}
		if instead := mistyped(t.text); instead != "" && t.kind != tokenString && !c.isName(i) {
			c.failAt(t.from, t.to, CodeSyntax, fmt.Sprintf("%s is not part of rules", t.text), "write "+instead)
			return
		}
	}
}

// NoTruth says of a word that it is not how rules say yes or no.
func NoTruth(word string) string { return word + " is not how a rule says yes or no" }

// isName reports whether a word stands after a point, as the name of a field.
func (c *compiler) isName(i int) bool {
	return c.source.tokens[i].kind == tokenName && i > 0 && c.source.tokens[i-1].text == "."
}

// mistyped says what to write instead of signs and words of other languages and of Chinese typing; "" if a
// token is none of these.
func mistyped(token string) string {
	switch token {
	case "=", "＝":
		return "=="
	case "and", "&", "并且", "且", "和", "与", "同时":
		return "&&"
	case "or", "|", "或者", "或":
		return "||"
	case "not", "！", "不", "非":
		return "!"
	case "是", "True", "TRUE", "yes":
		return "true"
	case "否", "False", "FALSE", "no":
		return "false"
	case "大于", "＞":
		return ">"
	case "小于", "＜":
		return "<"
	case "等于":
		return "=="
	case "今天":
		return "today"
	case "≠":
		return "!="
	case "≤":
		return "<="
	case "≥":
		return ">="
	case "“", "”", "‘", "’":
		return `"`
	case "×":
		return "*"
	case "。":
		return "."
	}
	// The full-width forms of ASCII stand in its order.
	half := strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			return r - '！' + '!'
		}
		return -1
	}, token)
	if utf8.RuneCountInString(token) == len(half) {
		return half
	}
	return ""
}

// syntax tells where a rule stops being one. What follows from that place is not told.
func (c *compiler) syntax(errors []*cel.Error) {
	first := errors[0]
	offset := c.scalar.Offset(first.Location.Line(), first.Location.Column())
	end := len([]rune(c.scalar.Text))
	switch {
	case strings.TrimSpace(c.scalar.Text) == "":
		c.failAt(0, end, CodeSyntax, "there is no rule here", "write a condition, for example own.agreed")
		return
	case strings.Contains(first.Message, "must be a simple name"), strings.Contains(first.Message, "overwrites accumulator"):
		c.failAt(offset, offset+1, CodeSyntax, "the first argument names the element", "for example own.machines.all(m, m.legal)")
		return
	case strings.Contains(first.Message, "limit"):
		c.failAt(0, end, CodeCost, "this rule is too long or too deep", "split it, with named conditions")
		return
	}
	for _, t := range c.source.tokens {
		if offset >= t.from && offset < t.to {
			c.failAt(t.from, t.to, CodeSyntax, fmt.Sprintf("%s does not fit here", t.text), c.misfit(t.text))
			return
		}
	}
	if strings.HasSuffix(strings.TrimSpace(c.scalar.Text), "%") {
		c.failAt(max(0, end-1), end, CodeSyntax, "% is not part of rules", "write the number without it: a * 100 >= b * 20")
		return
	}
	c.failAt(max(0, end-1), end, CodeSyntax, "the rule ends too early", "")
}

// misfit says what to do about a word that does not fit where it stands.
func (c *compiler) misfit(word string) string {
	if !strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return reserved(word)
	}
	if meant := c.labelled(word); len(meant) > 0 {
		return "write " + strings.Join(meant, " or ")
	}
	return "a rule names fields and options by their ids, in small letters; a text stands in quotes"
}

// reserved says of a word that CEL keeps for itself, why it cannot stand there.
func reserved(word string) string {
	switch word {
	case "if", "else", "let", "null", "for", "loop", "import", "package", "return", "var", "as", "break", "const",
		"continue", "function", "namespace", "void", "while", "in":
		return "the word is reserved"
	}
	return ""
}

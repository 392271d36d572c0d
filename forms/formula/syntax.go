package formula

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
)

// forbidden are operators that expr has and formulas do not, and what to write instead.
var forbidden = map[string]string{ //nolint:gochecknoglobals // a constant table
	"/":   "write div(a, b) for the whole quotient, share(money, 2, 3) for a part of an amount",
	"%":   "write a - div(a, b) * b",
	"**":  "multiply instead",
	"^":   "multiply instead",
	"??":  "write given(x, y)",
	"?.":  "write given(x, y), or has(x) ? x : y",
	"..":  "",
	"|":   "write the function first: f(x)",
	"::":  "",
	"and": "write &&",
	"or":  "write ||",
	"not": "write !",
	"if":  "write condition ? value : other",
}

// parse returns the tree of the text, or nil after having reported why there is none. What expr's grammar
// has and formulas do not is reported here as far as the tokens show it, all at once.
func (c *checker) parse() *parser.Tree {
	c.runes = []rune(c.scalar.Text)
	if strings.TrimSpace(c.scalar.Text) == "" {
		c.fail(0, 1, CodeSyntax, "the formula is empty", "")
		return nil
	}
	if len(c.runes) > maxLength {
		c.fail(0, len(c.runes), CodeCost, fmt.Sprintf("the formula is longer than %d characters", maxLength),
			"split it into derived fields")
		return nil
	}
	c.scan()
	if len(c.diags) > 0 {
		return nil
	}
	config := &conf.Config{MaxNodes: maxNodes, Disabled: make(map[string]bool)}
	for name := range builtin.Index {
		config.Disabled[name] = true // they are parsed as ordinary calls, and the allow-list decides
	}
	tree, err := parser.ParseWithConfig(c.scalar.Text, config)
	if err != nil {
		c.syntaxError(err)
		return nil
	}
	return tree
}

// scan reads the tokens: the parser keeps only the first of each node, spans need the last one too.
func (c *checker) scan() {
	l := lexer.New()
	l.Reset(file.NewSource(c.scalar.Text))
	var open []int
	for {
		t, err := l.Next()
		if err != nil || t.Is(lexer.EOF) {
			return // a lexical error is the parser's to report
		}
		c.tokens = append(c.tokens, t)
		c.partner = append(c.partner, -1)
		i := len(c.tokens) - 1
		if t.Is(lexer.Bracket, "[") && c.follows(i) {
			c.fail(t.From, t.To, CodeForbidden, "elements cannot be taken by number or name in a formula",
				"write map or filter; a field is written with a point")
		}
		switch {
		case t.Is(lexer.Bracket, "(", "[", "{"):
			open = append(open, i)
		case t.Is(lexer.Bracket) && len(open) > 0:
			o := open[len(open)-1]
			open = open[:len(open)-1]
			c.partner[i], c.partner[o] = o, i
		case t.Is(lexer.Operator):
			if hint, bad := forbidden[t.Value]; bad {
				c.fail(t.From, t.To, CodeForbidden, fmt.Sprintf("%q is not allowed in a formula", t.Value), hint)
			}
		case t.Is(lexer.Number):
			c.scanNumber(t)
		case t.Is(lexer.Bytes):
			c.fail(t.From, t.To, CodeForbidden, "bytes are not allowed in a formula", `write a text: "…"`)
		}
	}
}

// follows reports whether the bracket at token i stands after a value, and so takes an element of it.
func (c *checker) follows(i int) bool {
	if i == 0 {
		return false
	}
	before := c.tokens[i-1]
	return before.Is(lexer.Identifier) || before.Is(lexer.String) || before.Is(lexer.Bracket, ")", "]", "}")
}

// scanNumber reports a number that is not digits and at most one point, or does not fit.
func (c *checker) scanNumber(t lexer.Token) {
	text := string(c.runes[t.From:t.To])
	if !isNumber(text) {
		c.fail(t.From, t.To, CodeLiteral, "numbers are written with digits and one point", "for example 1200 or 0.5")
		return
	}
	if !strings.Contains(text, ".") {
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			c.fail(t.From, t.To, CodeLiteral, "this number is too large", "")
		}
	}
}

// wide are signs that a Chinese keyboard gives, and what a formula needs.
const wide, narrow = "（），。？：！“”‘’＋－＊＝＜＞；｛｝［］　", `(),.?:!""''+-*=<>;{}[] `

func (c *checker) syntaxError(err error) {
	var e *file.Error
	if !errors.As(err, &e) {
		c.fail(0, len(c.runes), CodeSyntax, "this is not a formula", "")
		return
	}
	from, to := c.scalar.Offset(e.Line, e.Column), max(e.To, e.From+1)
	from, to = min(from, max(0, len(c.runes)-1)), min(max(to, from+1), len(c.runes))
	switch {
	case strings.Contains(e.Message, "maximum allowed nodes"):
		c.fail(0, len(c.runes), CodeCost, fmt.Sprintf("the formula has more than %d parts", maxNodes),
			"split it into derived fields")
	case strings.HasPrefix(e.Message, "unexpected token EOF"), strings.HasPrefix(e.Message, "unexpected end"):
		c.fail(len(c.runes)-1, len(c.runes), CodeSyntax, "the formula ends too early", "a bracket or a value is missing")
	case strings.HasPrefix(e.Message, "unrecognized character"): //nolint:misspell // expr's word
		for i, r := range c.runes {
			if at := slices.Index([]rune(wide), r); at >= 0 && i >= from-1 && i <= from {
				c.fail(i, i+1, CodeSyntax, fmt.Sprintf("%q is not a sign of formulas", r),
					fmt.Sprintf("write %q", []rune(narrow)[at]))
				return
			}
		}
		c.fail(from, to, CodeSyntax, "this character cannot stand in a formula", "")
	case strings.Contains(e.Message, "float literal"), strings.HasPrefix(e.Message, "bad number"):
		c.fail(from, to, CodeLiteral, "this is no number", "for example 1200 or 0.5")
	case strings.Contains(e.Message, "not terminated"):
		c.fail(from, to, CodeSyntax, "this text is not closed", "a quote is missing")
	case strings.HasPrefix(e.Message, "unexpected token Operator(\"=\")"):
		c.fail(from, to, CodeSyntax, `"=" compares nothing`, "write ==")
	case strings.HasPrefix(e.Message, "unexpected token"):
		c.fail(from, to, CodeSyntax, fmt.Sprintf("%q does not fit here", string(c.runes[from:to])),
			"the rest of the formula is checked when this is mended")
	default:
		c.fail(from, to, CodeSyntax, "the formula cannot be read here",
			"the rest of the formula is checked when this is mended")
	}
}

// fail reports a finding at the code points from (inclusive) to (exclusive).
func (c *checker) fail(from, to int, code, message, hint string) {
	c.diags = append(c.diags, diag.Diagnostic{
		Span: c.scalar.Span(from, to), Severity: diag.Error, Code: code,
		Path: c.scalar.Path, Message: message, Hint: hint,
	})
}

// failAt reports a finding at a node of the tree.
func (c *checker) failAt(n ast.Node, code, message, hint string) {
	from, to := c.extent(n)
	c.fail(c.tokens[from].From, c.tokens[to].To, code, message, hint)
}

// extent returns the first and the last token of a node.
func (c *checker) extent(n ast.Node) (first, last int) {
	v := extent{c: c, first: len(c.tokens), last: -1}
	ast.Walk(&n, &v)
	if v.last < 0 { // not reached: every node has a token somewhere below it
		return 0, len(c.tokens) - 1
	}
	// What begins inside a bracket and ends outside of it has the whole bracket.
	for i := v.first; i <= v.last; i++ {
		p := c.partner[i]
		if p >= 0 && p < v.first {
			v.first, i = p, p
		} else if p > v.last {
			v.last = p
		}
	}
	return v.first, v.last
}

type extent struct {
	c           *checker
	first, last int
}

// Visit takes the tokens of a node into the extent. The location of a conditional is not one of its tokens.
func (v *extent) Visit(n *ast.Node) {
	switch (*n).(type) {
	case *ast.ConditionalNode, *ast.PredicateNode:
		return
	}
	from := (*n).Location().From
	i, ok := slices.BinarySearchFunc(v.c.tokens, from, func(t lexer.Token, from int) int { return t.From - from })
	if !ok {
		return
	}
	v.add(i)
	switch (*n).(type) {
	case *ast.CallNode, *ast.BuiltinNode:
		if i+1 < len(v.c.partner) && v.c.partner[i+1] >= 0 {
			v.add(v.c.partner[i+1])
		}
	case *ast.ArrayNode, *ast.MapNode:
		if v.c.partner[i] >= 0 {
			v.add(v.c.partner[i])
		}
	case *ast.VariableDeclaratorNode:
		v.add(i - 1) // let
	}
}

func (v *extent) add(i int) { v.first, v.last = min(v.first, i), max(v.last, i) }

// quoted returns a node as it stands in the formula, for hints.
func (c *checker) quoted(n ast.Node) string {
	first, last := c.extent(n)
	return string(c.runes[c.tokens[first].From:c.tokens[last].To])
}

// written returns a node as it is written, without comments and spaces, and with `#` before the dot of an
// element's field, as conditions in force are compared.
func (c *checker) written(n ast.Node) string {
	first, last := c.extent(n)
	var b strings.Builder
	for i := first; i <= last; i++ {
		t := c.tokens[i]
		if t.Is(lexer.Operator, ".") && c.startsOperand(i) {
			b.WriteByte('#')
		}
		b.WriteString(string(c.runes[t.From:t.To]))
	}
	return b.String()
}

// startsOperand reports whether the dot at token i begins `.field` and does not follow something.
func (c *checker) startsOperand(i int) bool {
	if i == 0 {
		return true
	}
	before := c.tokens[i-1]
	return before.Is(lexer.Operator) && before.Value != "#" || before.Is(lexer.Bracket, "(", "[", "{")
}

// facts returns the canonical conjuncts that are in force where the condition n is true, or false.
func (c *checker) facts(n ast.Node, truth bool) []string {
	switch n := n.(type) {
	case *ast.BinaryNode:
		if n.Operator == "&&" && truth || n.Operator == "||" && !truth {
			return append(c.facts(n.Left, truth), c.facts(n.Right, truth)...)
		}
	case *ast.UnaryNode:
		if n.Operator != "!" {
			break
		}
		if !truth {
			return c.facts(n.Node, true)
		}
		return append(c.facts(n.Node, false), forms.Conjuncts(c.written(n), c.env.scope.ThisPath)...)
	}
	text := c.written(n)
	if !truth {
		switch n.(type) {
		case *ast.IdentifierNode, *ast.MemberNode, *ast.CallNode:
			text = "!" + text
		default:
			text = "!(" + text + ")"
		}
	}
	return forms.Conjuncts(text, c.env.scope.ThisPath)
}

package catalog

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// place compiles the expressions of one place: both languages over the same names. Most places hold few expressions or
// none, so what is needed for a language is made when the first one of it is met.
type place struct {
	scope    forms.Scope
	rules    *rule.Env
	formulas *formula.Env
}

// scopes prepares what is the same at every place.
func (c *compiler) scopes() {
	for _, s := range c.bundle.Sections {
		if s.Subject() == "" {
			continue
		}
		for id, fact := range c.library.Facts {
			if fact.Of == s.About {
				f := *fact.Field
				f.Path = forms.Path("facts." + s.Alias + "." + id)
				c.facts[s.Alias] = append(c.facts[s.Alias], &f)
			}
		}
		slices.SortFunc(c.facts[s.Alias], func(a, b *forms.Field) int { return strings.Compare(a.ID, b.ID) })
	}
	for _, id := range slices.Sorted(maps.Keys(c.library.params)) {
		c.params = append(c.params, c.library.params[id])
	}
}

// Places of expressions. What may be named differs: facts not where a question is shown or required, results
// only where they are settled, `this` only in a section.
func (c *compiler) placeOf(name string, change func(*forms.Scope)) *place {
	if p, ok := c.envs[name]; ok {
		return p
	}
	scope := forms.Scope{Bundle: c.bundle.ID, Params: c.params}
	for _, s := range c.bundle.Sections {
		scope.Form = append(scope.Form, s.Section)
	}
	for _, f := range c.bundle.Own {
		scope.Own = append(scope.Own, f.Field)
	}
	change(&scope)
	p := &place{scope: scope}
	c.envs[name] = p
	return p
}

// inRules is what rules of a place are compiled with; nil if it cannot be, which is told.
func (c *compiler) inRules(p *place) *rule.Env {
	if p.rules == nil {
		var err error
		if p.rules, err = rule.NewEnv(p.scope); err != nil {
			c.fault(c.source.At(c.message, ""), "rule-scope", fmt.Sprintf("the rules of this place cannot be read: %v", err), "")
		}
	}
	return p.rules
}

// inFormulas is what formulas of a place are compiled with; nil if it cannot be, which is told.
func (c *compiler) inFormulas(p *place) *formula.Env {
	if p.formulas == nil {
		var err error
		if p.formulas, err = formula.NewEnv(p.scope); err != nil {
			c.fault(c.source.At(c.message, ""), "formula-scope", fmt.Sprintf("the formulas of this place cannot be read: %v", err), "")
		}
	}
	return p.formulas
}

// asking is the place of a question's `when` and `required`.
func (c *compiler) asking() *place { return c.placeOf("asking", func(*forms.Scope) {}) }

// deciding is the place of rules, materials and limits.
func (c *compiler) deciding() *place {
	return c.placeOf("deciding", func(s *forms.Scope) { s.Facts = c.facts })
}

// deriving is the place of derived values: results of every step.
func (c *compiler) deriving() *place {
	return c.placeOf("deriving", func(s *forms.Scope) {
		s.Facts = c.facts
		s.Results, s.ResultGuards = c.results(c.bundle.Steps)
	})
}

// ready is the place of a step's `when`, conditions and limits: results of the steps before it.
func (c *compiler) ready(step *Step) *place {
	before := slices.DeleteFunc(c.bundle.Before(step), func(s *Step) bool { return len(s.Result) == 0 })
	name := []string{"ready"}
	for _, s := range before { // steps that know the same results share the place
		name = append(name, s.ID)
	}
	return c.placeOf(strings.Join(name, " "), func(s *forms.Scope) {
		s.Facts = c.facts
		s.Results, s.ResultGuards = c.results(before)
	})
}

func (c *compiler) results(steps []*Step) (fields map[string][]*forms.Field, guards map[string][]string) {
	fields, guards = map[string][]*forms.Field{}, map[string][]string{}
	for _, s := range steps {
		for _, f := range s.Result {
			fields[s.ID] = append(fields[s.ID], f.Field)
		}
		guards[s.ID] = forms.Conjuncts(c.stepMessage(s.ID).GetWhen(), "")
	}
	return fields, guards
}

// within is the place of a section's own expressions: `this`, never `form`.
func (c *compiler) within(s *Section) *place {
	return c.placeOf("within "+s.Alias, func(scope *forms.Scope) {
		scope.Form, scope.Own = nil, nil
		scope.This, scope.ThisPath = s.Section.Fields, s.this()
	})
}

// using is the place of what a bundle sets in a section's use: both `this` and the bundle's names.
func (c *compiler) using(s *Section) *place {
	return c.placeOf("using "+s.Alias, func(scope *forms.Scope) {
		scope.This, scope.ThisPath = s.Section.Fields, s.this()
	})
}

// this is the path behind `this` in the section's expressions; "" where that is an element.
func (s *Section) this() forms.Path {
	if s.Repeated {
		return ""
	}
	return forms.Path("form." + s.Alias)
}

// each is the place of what stands at the elements of a list: `this` is the element. Of a section's list, nothing else
// may be named.
func (c *compiler) each(list *Field, name string, outside bool) *place {
	return c.placeOf("each "+name, func(scope *forms.Scope) {
		if !outside {
			scope.Form, scope.Own = nil, nil
		}
		scope.This, scope.ThisPath = list.Field.Row, ""
	})
}

// perElement is the place of a material that is asked for each element.
func (c *compiler) perElement(list *Field) *place {
	return c.placeOf("per "+string(list.Path), func(scope *forms.Scope) {
		scope.Facts = c.facts
		scope.This, scope.ThisPath = list.Field.Row, ""
	})
}

// rule compiles the rule at a key; nil if it is not written or wrong.
func (c *compiler) rule(p *place, w *diag.Source, m proto.Message, key, path string, inForce []string) *rule.Rule {
	scalar := w.Scalar(m, key, path)
	env := c.inRules(p)
	if env == nil {
		return nil
	}
	if strings.TrimSpace(scalar.Text) == "" {
		c.fault(w.At(m, key), "rule-syntax", "the rule is empty", "")
		return nil
	}
	compiled, found := env.Compile(scalar, rule.Options{InForce: inForce})
	c.found = append(c.found, found...)
	if compiled != nil {
		c.read(compiled.Columns())
		c.found = append(c.found, compiled.Warnings()...)
	}
	return compiled
}

// read notes the cells of lists that something reads.
func (c *compiler) read(columns []forms.Path) {
	for _, p := range columns {
		c.columns[p] = true
	}
}

func (c *compiler) formula(p *place, w *diag.Source, m proto.Message, key, path string, want kind.Kind, inForce []string, f *forms.Field) *formula.Formula {
	env := c.inFormulas(p)
	if env == nil {
		return nil
	}
	compiled, found := env.Compile(w.Scalar(m, key, path), want, inForce, f)
	c.found = append(c.found, found...)
	if compiled != nil {
		c.read(compiled.Columns())
	}
	return compiled
}

// text compiles a text with formulas in it.
func (c *compiler) text(p *place, w *diag.Source, m *formsv1.Text, path string) Text {
	t := Text{Text: text(m)}
	if m == nil {
		return t
	}
	env := c.inFormulas(p)
	if env == nil {
		return t
	}
	var found diag.List
	t.zh, found = env.CompileText(w.Scalar(m, "zh", path+".zh"))
	c.found = append(c.found, found...)
	if m.GetEn() != "" {
		t.en, found = env.CompileText(w.Scalar(m, "en", path+".en"))
		c.found = append(c.found, found...)
	}
	return t
}

var templated = regexp.MustCompile(`[{}]`)

// plain refuses formulas in a text that is shown without a record.
func (c *compiler) plain(w *diag.Source, m proto.Message, key string, t *formsv1.Text) {
	if templated.MatchString(t.GetZh() + t.GetEn()) {
		c.fault(w.At(m, key), "text-formula", "a formula cannot stand in this text, which is shown without a record", "leave the braces out")
	}
}

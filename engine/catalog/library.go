package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// Library is what bundles share.
type Library struct {
	Departments map[string]*Department
	Facts       map[string]*Fact
	Parameters  Parameters

	sections  map[string]located[*bundlev1.Section]
	materials map[string]located[*bundlev1.LibraryMaterial]
	digests   map[string]string // of each item, by kind/id
	params    map[string]*forms.Field
}

// located is an item and the file that it stands in.
type located[T any] struct {
	item   T
	source *diag.Source
}

// Department takes part in bundles.
type Department struct {
	ID      string
	Name    forms.Text
	USCC    string // unified social credit code; may be empty
	Partner bool   // a bank, a utility, a hospital: no statutory clock
}

// Fact is something that the engine may know of a person or an enterprise from elsewhere.
type Fact struct {
	*forms.Field
	Of     forms.About
	Source string
	Fresh  *Days // how old an answer may be; nil: as old as it is
}

// Parameters are values that are published for a time and a place.
type Parameters map[string][]ParameterValue

// ParameterValue is a published value.
type ParameterValue struct {
	From, Until kind.Date // zero: open
	Place       string
	Value       kind.Value
	Basis       string
}

// Value returns what is in force on a day at a place: of the values that hold, the one for the smallest region.
func (p Parameters) Value(id string, on kind.Date, place string) (kind.Value, bool) {
	var best *ParameterValue
	for i, v := range p[id] {
		if v.holds(on) && strings.HasPrefix(place, v.Place) && (best == nil || len(v.Place) > len(best.Place)) {
			best = &p[id][i]
		}
	}
	if best == nil {
		return nil, false
	}
	return best.Value, true
}

func (v ParameterValue) holds(on kind.Date) bool {
	return (v.From == kind.Date{} || v.From.Compare(on) <= 0) && (v.Until == kind.Date{} || on.Compare(v.Until) <= 0)
}

// overlaps reports whether some day at one and the same region has both values.
func (v ParameterValue) overlaps(w ParameterValue) bool {
	begins := func(a, b ParameterValue) bool { // a begins before b ends
		return a.From == kind.Date{} || b.Until == kind.Date{} || a.From.Compare(b.Until) <= 0
	}
	return v.Place == w.Place && begins(v, w) && begins(w, v)
}

// name adds to findings of what is no id which id was meant by its Chinese name.
func (l *Library) name(source *diag.Source, found diag.List) {
	for i, d := range found {
		if d.Code != "schema" || source == nil {
			continue
		}
		text := strings.Trim(source.Text(d.Span), `"'`)
		names := map[string]string{}
		switch d.Path[strings.LastIndexByte(d.Path, '.')+1:] {
		case "lead", "department", "by":
			for id, department := range l.Departments {
				names[id] = department.Name.ZH
			}
		case "section":
			for id, section := range l.sections {
				names[id] = section.item.GetName().GetZh()
			}
		case "use":
			for id, material := range l.materials {
				names[id] = material.item.GetName().GetZh()
			}
		default:
			continue
		}
		var meant []string
		for id, name := range names {
			if text != "" && (strings.Contains(name, text) || name != "" && strings.Contains(text, name)) {
				meant = append(meant, "`"+id+"`")
			}
		}
		if slices.Sort(meant); len(meant) > 0 && len(meant) <= 3 {
			found[i].Hint = "write " + strings.Join(meant, " or ")
		}
	}
}

func newLibrary() *Library {
	return &Library{
		Departments: map[string]*Department{}, Facts: map[string]*Fact{}, Parameters: Parameters{},
		sections:  map[string]located[*bundlev1.Section]{},
		materials: map[string]located[*bundlev1.LibraryMaterial]{},
		digests:   map[string]string{}, params: map[string]*forms.Field{},
	}
}

// add takes one library file.
func (l *Library) add(m *bundlev1.Library, s *diag.Source) diag.List {
	var found diag.List
	duplicate := func(at diag.Span, what, id string) {
		found = append(found, diag.Diagnostic{Span: at, Severity: diag.Error, Code: "id-duplicate",
			Message: fmt.Sprintf("the %s `%s` stands in the library already", what, id), Hint: "keep one of them"})
	}
	for _, item := range m.GetSections() {
		if _, ok := l.sections[item.GetSection()]; ok {
			duplicate(s.At(item, "section"), "section", item.GetSection())
			continue
		}
		l.sections[item.GetSection()] = located[*bundlev1.Section]{item, s}
		l.digests["section/"+item.GetSection()] = digestOf(item)
	}
	for _, item := range m.GetMaterials() {
		if _, ok := l.materials[item.GetMaterial()]; ok {
			duplicate(s.At(item, "material"), "material", item.GetMaterial())
			continue
		}
		l.materials[item.GetMaterial()] = located[*bundlev1.LibraryMaterial]{item, s}
		l.digests["material/"+item.GetMaterial()] = digestOf(item)
	}
	for _, item := range m.GetDepartments() {
		if _, ok := l.Departments[item.GetDepartment()]; ok {
			duplicate(s.At(item, "department"), "department", item.GetDepartment())
			continue
		}
		code := item.GetUscc()
		if code != "" {
			if _, fault := (kind.Spec{Kind: kind.KindUSCC}).Parse(code); fault != nil {
				found = append(found, diag.Diagnostic{Span: s.At(item, "uscc"), Severity: diag.Error, Code: "department-code",
					Message: fmt.Sprintf("this is no unified social credit code (%s)", fault.Code), Hint: "correct it, or leave it out"})
			}
		}
		l.Departments[item.GetDepartment()] = &Department{ID: item.GetDepartment(), Name: text(item.GetName()), USCC: code,
			Partner: item.GetKind() == bundlev1.Department_PARTNER}
		l.digests["department/"+item.GetDepartment()] = digestOf(item)
	}
	for _, item := range m.GetFacts() {
		if _, ok := l.Facts[item.GetFact()]; ok {
			duplicate(s.At(item, "fact"), "fact", item.GetFact())
			continue
		}
		field := &forms.Field{ID: item.GetFact(), Kind: kindOf(item.GetKind()), Name: text(item.GetName()), Scale: 2, Required: true}
		for _, o := range item.GetOptions() {
			field.Options = append(field.Options, forms.Option{ID: o.GetId(), Name: forms.Text{ZH: o.GetZh(), EN: o.GetEn()}})
		}
		fact := &Fact{Field: field, Of: about(item.GetOf()), Source: item.GetSource()}
		if item.GetFresh() != nil {
			fresh := days(item.GetFresh())
			fact.Fresh = &fresh
		}
		l.Facts[item.GetFact()] = fact
		l.digests["fact/"+item.GetFact()] = digestOf(item)
	}
	for _, item := range m.GetParameters() {
		if _, ok := l.params[item.GetParam()]; ok {
			duplicate(s.At(item, "param"), "parameter", item.GetParam())
			continue
		}
		found = append(found, l.addParameter(item, s)...)
	}
	return found
}

func (l *Library) addParameter(item *bundlev1.Parameter, s *diag.Source) diag.List {
	var found diag.List
	fault := func(at diag.Span, code, message, hint string, related ...diag.Related) {
		found = append(found, diag.Diagnostic{Span: at, Severity: diag.Error, Code: code, Message: message, Hint: hint, Related: related})
	}
	field := &forms.Field{ID: item.GetParam(), Path: forms.Path("params." + item.GetParam()), Kind: kindOf(item.GetKind()),
		Name: text(item.GetName()), Scale: 9, Required: true}
	values := make([]ParameterValue, 0, len(item.GetValues()))
	for _, v := range item.GetValues() {
		value := ParameterValue{Place: v.GetPlace(), Basis: v.GetBasis()}
		ok := true
		for name, day := range map[string]*kind.Date{"from": &value.From, "until": &value.Until} {
			given := map[string]string{"from": v.GetFrom(), "until": v.GetUntil()}[name]
			if given == "" {
				continue
			}
			if *day, ok = kind.ParseDate(given); !ok {
				fault(s.At(v, name), "date", fmt.Sprintf("`%s` is no day of the calendar", given), "")
				break
			}
		}
		if !ok {
			continue
		}
		parsed, problem := field.Spec().Parse(v.GetValue().AsInterface())
		if problem != nil {
			fault(s.At(v, "value"), "parameter-value", fmt.Sprintf("this is no value of kind %s (%s)", field.Kind, problem.Code), problem.Text)
			continue
		}
		value.Value = parsed
		for j, earlier := range values {
			if earlier.overlaps(value) {
				fault(s.At(v, ""), "parameter-overlap", fmt.Sprintf("two values of `%s` hold at the same time at the same place", item.GetParam()),
					"let the earlier one end the day before", diag.Related{Span: s.At(item.GetValues()[j], ""), Message: "the other one"})
			}
		}
		values = append(values, value)
	}
	slices.SortFunc(values, func(a, b ParameterValue) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), a.From.Compare(b.From))
	})
	l.params[item.GetParam()] = field
	l.Parameters[item.GetParam()] = values
	l.digests["param/"+item.GetParam()] = digestOf(item)
	return found
}

func text(t *formsv1.Text) forms.Text { return forms.Text{ZH: t.GetZh(), EN: t.GetEn()} }

// kindOf returns the kind behind the schema's; both have the same names.
func kindOf(k formsv1.Field_Kind) kind.Kind {
	found, _ := kind.Parse(k.String())
	return found
}

func about(a bundlev1.Section_About) forms.About {
	switch a {
	case bundlev1.Section_PERSON:
		return forms.AboutPerson
	case bundlev1.Section_ENTERPRISE:
		return forms.AboutEnterprise
	case bundlev1.Section_ACCOUNT:
		return forms.AboutAccount
	default:
		return forms.AboutNobody
	}
}

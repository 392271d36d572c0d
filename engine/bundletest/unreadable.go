package bundletest

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	bundlev1 "github.com/siyiban/onething/proto/gen/onething/bundle/v1"
)

// unreadable tells of an answer that is not of its field's kind. Without it a test would judge a record in which the
// answer is missing.
func (r *reader) unreadable(m *bundlev1.Test, p forms.Path, v *structpb.Value) {
	name, hint := r.name(p), ""
	field := r.bundle.Field(p)
	if list, i, id, ok := p.Cell(); ok {
		if field = r.bundle.Field(list); field == nil {
			return
		}
		if field = field.Cell(id); field == nil {
			return
		}
		if rows := v.GetListValue().GetValues(); i < len(rows) {
			v = rows[i].GetStructValue().GetFields()[id]
		}
	}
	if field == nil {
		return
	}
	for m.GetLike() != "" && !r.gives(m, name) { // it stands in the test that this one is like
		if m = r.byID[m.GetLike()]; expectsFaults(m) {
			return
		}
	}
	word, truth := diag.Truth(v.GetStringValue())
	_, number := v.GetKind().(*structpb.Value_NumberValue)
	switch field.Kind {
	case kind.KindBool:
		if hint = "write `true` or `false`"; truth {
			hint = fmt.Sprintf("write `%s`", word)
		}
	case kind.KindDate:
		hint = "write year, month and day with all their digits: 2026-03-16"
	case kind.KindChoice, kind.KindChoices:
		var ids []string
		for _, o := range field.Options {
			ids = append(ids, o.ID)
		}
		hint = "the options are " + strings.Join(ids, ", ")
	case kind.KindAddress:
		hint = "write `{ region: \"321323\", text: … }`"
	default:
		if number {
			hint = "put the number in quotes"
		}
	}
	if hint == "" {
		hint = fmt.Sprintf("write it otherwise, or expect it: `faults: [%s]`", name)
	}
	r.fault(r.at(m, name), CodeValue, fmt.Sprintf("`%s` cannot be read as %s", name, field.Kind), hint)
}

// gives reports whether a test itself answers a path.
func (r *reader) gives(m *bundlev1.Test, name string) bool {
	for changed := range m.GetBut() {
		if inner, ok := strings.CutPrefix(name, changed); ok && (inner == "" || inner[0] == '[') {
			return true
		}
	}
	_, written := r.source.Find(m, "record."+name)
	return written
}

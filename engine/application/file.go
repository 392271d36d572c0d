package application

import (
	"maps"
	"slices"

	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// filing is a record that was looked at as a whole, with the documents.
type filing struct {
	record     forms.Record // closed
	assessment *guide.Assessment
	cases      []*applicationv1.SubmittedCase // in the order of the assessment; without number and checks
	personal   *applicationv1.Personal
}

// file closes a record and puts the documents to it. It refuses both together: every fault of the record and every
// material that is missing or not open to the applicant, at once.
func (d *decision) file(record forms.Record, documents Documents) (*filing, error) {
	record, assessment, faults := closeRecord(record, d.assessAll)
	f := &filing{record: record, assessment: assessment}
	given, unknown := d.given(documents, assessment)
	reason := refusal.RecordInvalid
	if len(faults) == 0 {
		reason = ""
	}
	note := func(r refusal.Reason, violations ...forms.Violation) {
		if len(violations) > 0 && reason == "" {
			reason = r
		}
		faults = append(faults, violations...)
	}
	note(refusal.Invalid, unknown...)
	for _, a := range assessment.Cases {
		if c := d.s.Case(a.Bundle.ID); c != nil && c.State.Over() {
			f.cases = append(f.cases, nil)
			continue
		}
		states, undecided, refused := materials(a, given)
		for _, r := range []refusal.Reason{refusal.MaterialMissing, refusal.PromiseRefused, refusal.ToleranceRefused} {
			note(r, refused[r]...)
		}
		m := &applicationv1.SubmittedCase{Bundle: a.Bundle.ID, Digest: a.Bundle.Digest, Verdict: a.Verdict.String(), Materials: states}
		for _, r := range a.Failing() {
			m.Failing = append(m.Failing, r.ID)
		}
		for _, r := range a.Open() {
			m.Undecided = append(m.Undecided, r.ID)
		}
		m.Undecided = append(m.Undecided, undecided...)
		for _, s := range a.Steps {
			if s.Applies.Truth != rule.False {
				m.Steps = append(m.Steps, s.ID)
			}
		}
		f.cases = append(f.cases, m)
	}
	if reason != "" {
		return nil, refusal.New(reason, "申请填写有误或材料不齐，请按提示修改", "the application has faults, or materials are missing").With(unique(faults)...)
	}
	answers, err := record.Encode()
	if err != nil {
		return nil, err
	}
	f.personal = &applicationv1.Personal{Record: answers, Files: documents.Files, Promises: documents.Promises}
	if f.personal.Facts, err = encodeFacts(d.w.Facts); err != nil {
		return nil, err
	}
	return f, nil
}

// closeRecord closes a record. Leaving a question blank can settle whether another one is asked, so it is closed
// until that changes nothing: each round gives at least one more answer, or is the last.
func closeRecord(record forms.Record, assess func(forms.Record) *guide.Assessment) (forms.Record, *guide.Assessment, []forms.Violation) {
	for {
		assessment := assess(record)
		closed, faults := guide.Close(record, assessment)
		if len(closed.Diff(record)) == 0 {
			return closed, assessment, faults
		}
		record = closed
	}
}

// given are the materials that the applicant has provided for, by key: now, or before this revision.
func (d *decision) given(documents Documents, assessment *guide.Assessment) (map[string]applicationv1.Origin, []forms.Violation) {
	given := map[string]applicationv1.Origin{}
	for _, c := range d.s.Cases {
		for _, m := range c.Materials {
			switch m.Origin {
			case applicationv1.Origin_ORIGIN_APPLICANT, applicationv1.Origin_ORIGIN_PROMISE, applicationv1.Origin_ORIGIN_TOLERATED:
				given[m.Shared] = m.Origin
			default:
			}
		}
	}
	var faults []forms.Violation
	known := map[string]bool{}
	for _, c := range assessment.Cases {
		for _, m := range c.Materials {
			known[m.Key] = true
			for _, o := range m.OneOf {
				known[o.Key] = true
			}
		}
	}
	put := func(key string, origin applicationv1.Origin) {
		if !known[key] {
			faults = append(faults, forms.Violation{Path: materialPath(key), Code: "unknown_material",
				Text: forms.Text{ZH: "本申请没有这项材料", EN: "This application has no such material."}})
			return
		}
		given[key] = origin
	}
	signed := false
	for _, key := range documents.Tolerate {
		put(key, applicationv1.Origin_ORIGIN_TOLERATED)
	}
	for _, p := range documents.Promises {
		if p.GetMaterial() == "" {
			signed = true
			continue
		}
		put(p.GetMaterial(), applicationv1.Origin_ORIGIN_PROMISE)
	}
	for _, f := range documents.Files {
		put(f.GetMaterial(), applicationv1.Origin_ORIGIN_APPLICANT)
	}
	if len(documents.Tolerate) > 0 && !signed {
		faults = append(faults, forms.Violation{Path: materialPath(documents.Tolerate[0]), Code: "promise_unsigned",
			Text: forms.Text{ZH: "容缺受理须先签署容缺受理承诺书", EN: "The promise to supply what may follow has to be signed first."}})
	}
	return given, faults
}

// materials are those that a case asks for, and where each comes from: a file, a promise, a tolerance; else the
// first source that is not the applicant. What is neither, and must be there, is missing.
func materials(a *guide.Case, given map[string]applicationv1.Origin) (states []*applicationv1.MaterialState, undecided []string, refused map[refusal.Reason][]forms.Violation) {
	refused = map[refusal.Reason][]forms.Violation{}
	for _, m := range a.Materials {
		if m.Asked.Truth == rule.False {
			continue
		}
		key := m.Key
		for _, o := range m.OneOf { // any one of them will do
			if _, ok := given[key]; !ok {
				if _, ok := given[o.Key]; ok {
					key = o.Key
				}
			}
		}
		state := &applicationv1.MaterialState{Material: m.ID, Shared: key, Required: m.Required && m.Asked.Truth == rule.True,
			Secondary: m.Secondary, Tolerable: m.Tolerable.Truth == rule.True, Promisable: m.Promisable.Truth == rule.True}
		// open takes a material as the applicant wants it, if the rules allow it. What they leave open, because a fact
		// is not known, is a clerk's matter.
		open := func(o rule.Outcome, r refusal.Reason, zh, en string) {
			switch o.Truth {
			case rule.Unknown:
				undecided = append(undecided, string(materialPath(m.ID)))
				fallthrough
			case rule.True:
				state.Origin = given[key]
			case rule.False:
				refused[r] = append(refused[r], forms.Violation{Path: materialPath(m.Key), Code: "not_open", Bundle: a.Bundle.ID, Text: forms.Text{ZH: zh, EN: en}})
			}
		}
		switch origin := given[key]; {
		case origin == applicationv1.Origin_ORIGIN_APPLICANT && slices.Contains(m.Sources, "APPLICANT"):
			state.Origin = origin
		case origin == applicationv1.Origin_ORIGIN_PROMISE:
			open(m.Promisable, refusal.PromiseRefused, "该材料不能以告知承诺代替", "A promise cannot stand in for this material.")
		case origin == applicationv1.Origin_ORIGIN_TOLERATED:
			open(m.Tolerable, refusal.ToleranceRefused, "该材料不能容缺", "This material cannot follow later.")
		default:
			state.Origin = automatic(m.Sources)
			if state.Origin == applicationv1.Origin_ORIGIN_UNSPECIFIED && state.Required {
				refused[refusal.MaterialMissing] = append(refused[refusal.MaterialMissing], forms.Violation{Path: materialPath(m.Key), Code: "missing", Bundle: a.Bundle.ID,
					Text: forms.Text{ZH: "缺少材料“" + m.Name.ZH + "”", EN: "“" + m.Name.In("en") + "” is missing."}})
			}
		}
		states = append(states, state)
	}
	return states, undecided, refused
}

// automatic is the first source that asks nothing of the applicant.
func automatic(sources []string) applicationv1.Origin {
	for _, s := range sources {
		switch s {
		case "E_CERTIFICATE":
			return applicationv1.Origin_ORIGIN_E_CERTIFICATE
		case "SHARED_DATA":
			return applicationv1.Origin_ORIGIN_SHARED_DATA
		case "STEP":
			return applicationv1.Origin_ORIGIN_STEP
		case "FORM":
			return applicationv1.Origin_ORIGIN_FORM
		}
	}
	return applicationv1.Origin_ORIGIN_UNSPECIFIED
}

// materialPath is where a violation or an item about a material points.
func materialPath(id string) forms.Path { return forms.Path("materials." + id) }

// setting is what an assessment of this application depends on beside the record.
func (d *decision) setting(accepted kind.Date) guide.Setting {
	setting := guide.Setting{Today: d.s.Received, Place: d.s.Place, Calendar: d.w.Calendar, Accepted: accepted, Facts: d.w.Facts,
		Settled: map[string]map[string]guide.Settlement{}}
	settle := func(bundle, step string, approved bool, result map[forms.Path]kind.Value) {
		if setting.Settled[bundle] == nil {
			setting.Settled[bundle] = map[string]guide.Settlement{}
		}
		setting.Settled[bundle][step] = guide.Settlement{Approved: approved, Result: result}
	}
	for _, t := range d.s.Tasks {
		switch {
		case t.State == TaskApproved:
			settle(t.Bundle, t.Step, true, d.results[t.Bundle])
		case t.State.Settled():
			settle(t.Bundle, t.Step, false, nil)
		}
	}
	for _, c := range d.s.Cases {
		for _, skipped := range c.Skipped {
			settle(c.Bundle, skipped.Step, !skipped.Ended, nil)
		}
	}
	return setting
}

// assessAll assesses a record over all cases.
func (d *decision) assessAll(record forms.Record) *guide.Assessment {
	return guide.Assess(d.w.Selection, record, d.setting(kind.Date{}))
}

// assess assesses one case on the current record, with clocks from a day.
func (d *decision) assess(c *Case, accepted kind.Date) *guide.Case {
	return guide.Assess(d.w.Selection, d.record, d.setting(accepted)).Case(c.Bundle)
}

// encodeFacts puts what was known into an event, by path.
func encodeFacts(facts map[forms.Path]kind.Value) (*formsv1.Record, error) {
	if len(facts) == 0 {
		return nil, nil
	}
	var record forms.Record
	for _, p := range slices.Sorted(maps.Keys(facts)) {
		record = record.With(p, facts[p])
	}
	return record.Encode()
}

// unique leaves out what is said twice, as of a document that two cases ask for.
func unique(faults []forms.Violation) []forms.Violation {
	var kept []forms.Violation
	for _, v := range faults {
		if !slices.ContainsFunc(kept, func(k forms.Violation) bool { return k.Path == v.Path && k.Code == v.Code && k.Rule == v.Rule }) {
			kept = append(kept, v)
		}
	}
	return kept
}

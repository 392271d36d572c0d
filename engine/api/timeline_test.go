package api

import (
	"strings"
	"testing"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/examples"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// A date that became known is said for what it is; that of the office's own notice is not said.
func TestTimeline_SettledDates(t *testing.T) {
	t.Parallel()
	tree, found := catalog.Load(examples.Only("newborn"))
	if found.Err() != nil {
		t.Fatal(found)
	}
	selection, err := catalog.Select(tree.Bundles["newborn"])
	if err != nil {
		t.Fatal(err)
	}
	d := &engine.Dossier{Selection: selection}
	due := func(date string) *applicationv1.Due { return &applicationv1.Due{Date: date} }
	for _, tt := range []struct {
		name    string
		settled *applicationv1.DueSettled
		want    string // empty: nothing is said
	}{
		{"of the case", &applicationv1.DueSettled{Due: due("2027-01-14")}, "办理日期确定为 2027-01-14"},
		{"of a correction", &applicationv1.DueSettled{Correction: due("2027-01-12")}, "补正截止日期确定为 2027-01-12"},
		{"of a tolerance", &applicationv1.DueSettled{Tolerances: []*applicationv1.Tolerance{{Material: "household_book", Due: due("2027-01-13")}}}, "补交截止日期确定为 2027-01-13"},
		{"of case and tolerance", &applicationv1.DueSettled{Due: due("2027-01-14"), Tolerances: []*applicationv1.Tolerance{{Material: "household_book", Due: due("2027-01-13")}}}, "2027-01-14 ；"},
		{"of a tolerance for a material that a later version has no more", &applicationv1.DueSettled{Tolerances: []*applicationv1.Tolerance{{Material: "old_paper", Due: due("2027-01-13")}}}, "补交截止日期确定为 2027-01-13"},
		{"of the office's notice", &applicationv1.DueSettled{NoticeDue: due("2027-01-05")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.settled.Bundle = "newborn"
			entry := &apiv1.TimelineEntry{}
			said := describe(d, &applicationv1.Event{Kind: &applicationv1.Event_DueSettled{DueSettled: tt.settled}}, entry)
			text := entry.GetText().GetZh()
			if said != (tt.want != "") || !strings.Contains(text, tt.want) || strings.Contains(text, "待定") {
				t.Errorf("said %t: %q, want %q", said, text, tt.want)
			}
		})
	}
}

// A check that failed before the case moved to a version without its step is still told, and of no department.
func TestFindings_CheckOfAStepThatIsGone(t *testing.T) {
	t.Parallel()
	tree, found := catalog.Load(examples.Only("newborn"))
	if found.Err() != nil {
		t.Fatal(found)
	}
	selection, err := catalog.Select(tree.Bundles["newborn"])
	if err != nil {
		t.Fatal(err)
	}
	c := &application.Case{Bundle: "newborn", State: application.Accepted, Checks: []application.Check{{Step: "old_step", Failed: true}, {Step: "certificate", Failed: true}}}
	told := findingsOf(&engine.Dossier{Selection: selection}, c)
	if len(told) != 2 || told[0].GetCode() != "check_failed" || told[0].GetDepartment() != "" || told[1].GetDepartment() == "" {
		t.Errorf("told: %v", told)
	}
}

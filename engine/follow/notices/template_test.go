package notices_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/siyiban/onething/engine/follow/notices"
)

// What is wrong with a file of templates is told with its place.
func TestLoadTemplates_Refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"a name that is not there", "notices:\n  - notice: accepted\n    to: applicant\n    subject: 受理\n    text: |\n      您好，\n      {this.nmae}\n",
			"own.yaml:7:8: formula-unknown-field: there is no field \"this.nmae\" here"},
		{"a value of a person for an office", "notices:\n  - { notice: task_opened, to: officer, subject: 待办, text: '{this.name}' }\n",
			"own.yaml:2:62: formula-unknown-field: there is no field \"this.name\" here"},
		{"a value that this notice has not", "notices:\n  - { notice: accepted, to: applicant, subject: '{this.procedure}', text: 受理 }\n",
			"own.yaml:2:51: formula-unknown-field: there is no field \"this.procedure\" here"},
		{"the form", "notices:\n  - { notice: accepted, to: applicant, subject: 受理, text: '{form.me.id_no}' }\n",
			"own.yaml:2:61: formula-unknown-field: there is no section \"me\""},
		{"today", "notices:\n  - { notice: accepted, to: applicant, subject: 受理, text: '{today}' }\n",
			"own.yaml:2:59: notice-unknown: a notice does not know today"},
		{"an option that is not there", "notices:\n  - { notice: case_ended, to: applicant, subject: 办结, text: '{this.outcome.won}' }\n",
			"own.yaml:2:63: formula-unknown-field: there is no option \"won\""},
		{"a brace that is open", "notices:\n  - { notice: accepted, to: applicant, subject: '{this.number', text: 受理 }\n",
			"own.yaml:2:50: formula-syntax: this brace is not closed"},
		{"a notice that is not there", "notices:\n  - { notice: acepted, to: applicant, subject: 受理, text: 受理 }\n",
			"own.yaml:2:15: notice-unknown: there is no notice \"acepted\" (did you mean accepted?)"},
		{"for somebody whom it is not for", "notices:\n  - { notice: accepted, to: clerk, subject: 受理, text: 受理 }\n",
			"own.yaml:2:29: notice-unknown: the notice accepted is not for \"clerk\" (it is for applicant)"},
		{"twice", "notices:\n  - { notice: accepted, to: applicant, off: true }\n  - { notice: accepted, to: applicant, off: true }\n",
			"own.yaml:3:15: notice-twice: the notice accepted to applicant stands here twice"},
		{"no text", "notices:\n  - { notice: accepted, to: applicant, subject: 受理 }\n", "own.yaml:2:5: notice-text: a text has at most 4000 characters"},
		{"a subject of two lines", "notices:\n  - { notice: accepted, to: applicant, subject: \"受\\n理\", text: 受理 }\n", "own.yaml:2:49: notice-text: a subject is one line"},
		{"a key that is not there", "notices:\n  - { notice: accepted, an: applicant, off: true }\n", "own.yaml:2:25: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			templates, found := notices.LoadTemplates("own.yaml", []byte(tt.text))
			if templates != nil || len(found) == 0 {
				t.Fatalf("it is taken, with %v", found)
			}
			d := found[0]
			got := fmt.Sprintf("%s:%d:%d: %s: %s", d.Span.File, d.Span.Start.Line, d.Span.Start.Column, d.Code, d.Message)
			if d.Hint != "" {
				got += " (" + d.Hint + ")"
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

// A notice that is switched off goes to nobody; the others are as they were.
func TestLoadTemplates_Off(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	o := newOffice(t, everybody("test"), map[string]notices.Sender{"test": r})
	var found error
	templates, faults := notices.LoadTemplates("own.yaml", []byte("notices:\n  - { notice: accepted, to: applicant, off: true }\n"))
	if found = faults.Err(); found != nil {
		t.Fatal(found)
	}
	o.config.Templates = templates
	o.run()
	o.quiet(o.commit(o.submitted(), accepted()))
	o.commit(opened("T1", nil))
	if err := o.attempt(); err != nil || r.all()[0].Kind != "task_opened" {
		t.Errorf("%v, told %+v", err, r.all())
	}
}

package application

import (
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// Assess assesses the application's current record with what its steps have given so far: what a step is handed of
// derived values is what decisions were made on.
func Assess(s State, w World) *guide.Assessment {
	d := &decision{w: w, s: s, record: w.Record, results: w.Results}
	return d.assessAll(w.Record)
}

// Closed returns a record as it would be filed now, with its assessment: what is not asked is not in it, what may be left
// out and was not answered is blank.
func Closed(record forms.Record, w World) (forms.Record, *guide.Assessment) {
	d := &decision{w: w, s: State{Place: w.Place, Received: kind.DateOf(w.Now)}}
	closed, assessment, _ := closeRecord(record, d.assessAll)
	return closed, assessment
}

// ResultFile is the name under which the document of a task's result is kept beside the materials.
func ResultFile(task string) string { return "results." + task }

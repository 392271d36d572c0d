package application

import "github.com/siyiban/onething/engine/guide"

// Assess assesses the application's current record with what its steps have given so far: what a step is handed of
// derived values is what decisions were made on.
func Assess(s State, w World) *guide.Assessment {
	d := &decision{w: w, s: s, record: w.Record, results: w.Results}
	return d.assessAll(w.Record)
}

// ResultFile is the name under which the document of a task's result is kept beside the materials.
func ResultFile(task string) string { return "results." + task }

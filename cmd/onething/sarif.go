package main

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/docs"
)

// printSARIF prints findings as one SARIF 2.1.0 report, as code review tools read it. Columns count code points. Each
// code is a rule of the report, with the first paragraph of its page.
func printSARIF(out io.Writer, list diag.List) error { return newSARIF(list).PrettyWrite(out) }

func newSARIF(list diag.List) *sarif.Report {
	run := sarif.NewRunWithInformationURI("onething", "https://github.com/siyiban/onething").WithColumnKind("unicodeCodePoints")
	sorted := list.Sorted()
	var codes []string
	for _, d := range sorted {
		codes = append(codes, d.Code)
	}
	slices.Sort(codes)
	for _, code := range slices.Compact(codes) {
		page, _ := docs.Diagnostic(code)
		about, _, _ := strings.Cut(strings.TrimPrefix(page, code+"\n\n"), "\n\n")
		run.AddRule(code).WithName(code).WithShortDescription(sarif.NewMultiformatMessageString().WithText(about))
	}
	for _, d := range sorted {
		text := d.Message
		if d.Hint != "" {
			text += "; " + d.Hint
		}
		result := sarif.NewRuleResult(d.Code).WithLevel(d.Severity.String()).WithMessage(sarif.NewTextMessage(text)).AddLocation(location(d.Span))
		for i, r := range d.Related {
			result.AddRelatedLocation(location(r.Span).WithID(i + 1).WithMessage(sarif.NewTextMessage(r.Message)))
		}
		run.AddResult(result)
	}
	whole := report.NewV210Report()
	whole.AddRun(run)
	return whole
}

// location is a place as SARIF writes it; its end is exclusive, as ours.
func location(s diag.Span) *sarif.Location {
	region := sarif.NewRegion().WithStartLine(s.Start.Line).WithStartColumn(s.Start.Column)
	if s.End != (diag.Position{}) {
		region.WithEndLine(s.End.Line).WithEndColumn(s.End.Column)
	}
	return sarif.NewLocation().WithPhysicalLocation(sarif.NewPhysicalLocation().
		WithArtifactLocation(sarif.NewSimpleArtifactLocation(filepath.ToSlash(s.File))).WithRegion(region))
}

// Package docs holds the pages that the binary prints.
package docs

import (
	_ "embed"
	"slices"
	"strings"
)

//go:embed diagnostics.md
var diagnostics string

//go:embed diagnostics.zh-CN.md
var chinese string

// Chinese returns what a code means and what to do, in Chinese; empty if there is no such code.
func Chinese(code string) string {
	_, rest, found := strings.Cut(chinese, "\n| `"+code+"` | ")
	said, _, ends := strings.Cut(rest, " |\n")
	if !found || !ends {
		return ""
	}
	return said
}

// Diagnostic returns what the page of diagnostics says of a code, in Markdown; false if there is no such code.
func Diagnostic(code string) (string, bool) {
	for _, section := range sections() {
		if name, text, _ := strings.Cut(section, "\n"); name == code {
			if end := strings.Index(text, "\n## "); end >= 0 {
				text = text[:end]
			}
			return name + "\n\n" + strings.TrimSpace(text) + "\n", true
		}
	}
	return "", false
}

// Codes are the codes of all diagnostics, sorted.
func Codes() []string {
	var codes []string
	for _, section := range sections() {
		name, _, _ := strings.Cut(section, "\n")
		codes = append(codes, name)
	}
	slices.Sort(codes)
	return codes
}

// sections are the parts of the page that have a code for a heading.
func sections() []string { return strings.Split(diagnostics, "\n### ")[1:] }

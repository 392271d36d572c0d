package document

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

//go:embed document.html
var page string

// HTML renders a document as a page for print. It fetches nothing: fonts are those of whoever reads it.
func HTML(d *Document) ([]byte, error) {
	t, err := template.New("document").Parse(page)
	if err != nil {
		return nil, fmt.Errorf("document as HTML: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, d); err != nil {
		return nil, fmt.Errorf("document as HTML: %w", err)
	}
	return out.Bytes(), nil
}

// Package notice sets the documents that the example plugins issue: a title, lines of label and text, and closing
// sentences, as one HTML page in Chinese without scripts, styles from elsewhere, or pictures.
package notice

import (
	"strings"

	plugin "github.com/siyiban/onething/sdk/go"
)

// Line is a label and its text.
type Line struct {
	Label, Text string
}

// Document returns the page. Lines without a text are left out. Every text is escaped.
func Document(title string, lines []Line, closing ...string) plugin.Document {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head><meta charset=\"utf-8\"><title>" + escape(title) + "</title></head>\n<body>\n<h1>" +
		escape(title) + "</h1>\n<table>\n")
	for _, l := range lines {
		if l.Text != "" {
			b.WriteString("<tr><th scope=\"row\">" + escape(l.Label) + "</th><td>" + escape(l.Text) + "</td></tr>\n")
		}
	}
	b.WriteString("</table>\n")
	for _, sentence := range closing {
		b.WriteString("<p>" + escape(sentence) + "</p>\n")
	}
	b.WriteString("</body>\n</html>\n")
	return plugin.Document{MediaType: "text/html; charset=utf-8", Content: []byte(b.String())}
}

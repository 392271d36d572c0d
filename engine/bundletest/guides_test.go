package bundletest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the guide for configurators says under "How do I say …", in both languages, is how the idioms are said that are
// tried here, line by line.
func TestLanguage_Guides(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"configurators.md", "configurators.zh-CN.md"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../../docs/" + page)
			if err != nil {
				t.Fatal(err)
			}
			_, section, _ := strings.Cut(string(text), "\n## 19. ")
			section, _, _ = strings.Cut(section, "\n## ")
			var rows []string
			for line := range strings.SplitSeq(section, "\n") {
				if strings.HasPrefix(line, "| ") {
					rows = append(rows, strings.ReplaceAll(line, `\|`, "|"))
				}
			}
			lines := idioms()
			if len(rows) != len(lines)+1 {
				t.Fatalf("%d lines, and %d idioms", len(rows)-1, len(lines))
			}
			for i, line := range lines {
				spans := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(rows[i+1], -1)
				if len(spans) == 0 {
					t.Errorf("%s shows nothing", line.words)
				}
				for _, span := range spans {
					if !strings.Contains(line.bundle, span[1]) {
						t.Errorf("%s: %q is not how it is said here:%s", line.words, span[1], line.bundle)
					}
				}
			}
		})
	}
}

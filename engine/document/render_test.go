package document

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// width counts a Chinese character twice.
func width(text string) float64 {
	n := 0
	for _, r := range text {
		if n++; wide(r) {
			n++
		}
	}
	return float64(n)
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"breaks between any two characters", "申请事项属于职权范围", []string{"申请事项属", "于职权范围"}},
		{"but no line begins with a stop", "申请事项属，于职权", []string{"申请事项", "属，于职权"}},
		{"and none ends with what opens a quote", "申请事项“于职权”", []string{"申请事项", "“于职权”"}},
		{"words and numbers stay whole", "编号 12345678 号", []string{"编号", "12345678", "号"}},
		{"unless they fit on no line", "编号123456789012345号", []string{"编号", "1234567890", "12345号"}},
		{"lines that are given", "一\n\n二", []string{"一", "", "二"}},
		{"nothing", "", []string{""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := wrap(test.text, 10, width); strings.Join(got, "|") != strings.Join(test.want, "|") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Whatever the text is, no line is too wide, and nothing of it is lost but spaces at the ends of lines.
func TestWrap_LosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("申请（）“”，。、《》 ab1-.\n"))).Draw(t, "text")
		limit := float64(rapid.IntRange(2, 30).Draw(t, "width"))
		lines := wrap(text, limit, width)
		for _, line := range lines {
			if width(line) > limit && utf8.RuneCountInString(line) > 1 {
				t.Fatalf("%q is wider than %v", line, limit)
			}
		}
		bare := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		if got := bare(strings.Join(lines, "")); got != bare(text) {
			t.Fatalf("got %q of %q", got, text)
		}
	})
}

// Any text can be printed, twice alike: characters that the font lacks, of other planes, of no use, and those of markup.
func TestRender_AnyText(t *testing.T) {
	t.Parallel()
	printer, err := NewPrinter()
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"", "\x00\u202e\ufeff", "𠮷野家 𬎆", "👩‍👧", "<script>alert(1)</script>", strings.Repeat("长", 1500) + strings.Repeat("x", 500), "\U00010000\uffff\ufffd", "한국어 кириллица ελληνικά"}
	for _, text := range texts {
		d := &Document{Kind: Acceptance, Number: text, Office: text, To: text, Sign: []string{text}, At: time.Unix(0, 0).UTC(), Counted: []Count{{text, []string{text, text}}},
			Blocks: []Block{{Heading: text, Paragraphs: []string{text}, Items: []string{text}, Rows: []Row{{text, text}}}}}
		sheet, err := printer.PDF(d)
		if err != nil {
			t.Fatalf("%.20q: %v", text, err)
		}
		if again, err := printer.PDF(d); err != nil || !bytes.Equal(sheet, again) {
			t.Errorf("%.20q is printed in two ways: %v", text, err)
		}
		page, err := HTML(d)
		if err != nil || bytes.Contains(page, []byte("<script>")) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// What the font lacks is said, and what it has is not touched.
func TestPrintable(t *testing.T) {
	t.Parallel()
	printer, err := NewPrinter()
	if err != nil {
		t.Fatal(err)
	}
	s := &sheet{printer: printer}
	if got := s.printable("周\u200b某𬎆，𬎆\tA〔2026〕"); got != "周某〓，〓 A〔2026〕" || string(s.lacks) != "𬎆" {
		t.Errorf("printed as %q, without %q", got, string(s.lacks))
	}
	for _, k := range Kinds() {
		title, prefix := k.words()
		if title == "" || prefix == "" || k.English() == "" {
			t.Errorf("%s has no words", k)
		}
	}
}

// The font has all characters of the basic block of Chinese, and what documents are written with.
func TestFont(t *testing.T) {
	t.Parallel()
	printer, err := NewPrinter()
	if err != nil {
		t.Fatal(err)
	}
	s := &sheet{printer: printer}
	for r := rune(0x4e00); r <= 0x9fa5; r++ {
		s.printable(string(r))
	}
	s.printable("〔〕《》“”‘’（），。；：、．—…·％㎡①〓　AZaz09-/@")
	if len(s.lacks) > 0 {
		t.Errorf("the font lacks %q", string(s.lacks))
	}
}

func BenchmarkPDF(b *testing.B) {
	printer, err := NewPrinter()
	if err != nil {
		b.Fatal(err)
	}
	d := &Document{Kind: Acceptance, Number: "受理〔2026〕1号", At: time.Unix(0, 0).UTC(), Blocks: []Block{{Paragraphs: []string{"经审查，申请材料齐全、符合法定形式，决定予以受理。"}}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := printer.PDF(d); err != nil {
			b.Fatal(err)
		}
	}
}

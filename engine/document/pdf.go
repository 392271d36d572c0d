package document

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
)

//go:embed font/wqy-microhei.ttf.gz
var font []byte

// Printer renders documents as PDF with an embedded font, of which a document gets the characters that it has. It is safe
// for concurrent use.
type Printer struct {
	font []byte
	sfnt *sfnt.Font
}

// NewPrinter unpacks the font, which takes some milliseconds and three megabytes.
func NewPrinter() (*Printer, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(font))
	if err != nil {
		return nil, fmt.Errorf("font of documents: %w", err)
	}
	p := &Printer{}
	if p.font, err = io.ReadAll(unpacked); err != nil {
		return nil, fmt.Errorf("font of documents: %w", err)
	}
	if p.sfnt, err = sfnt.Parse(p.font); err != nil {
		return nil, fmt.Errorf("font of documents: %w", err)
	}
	return p, nil
}

// Measures of a page, in points: A4 as GB/T 9704 has it, a little closer.
const (
	pageWidth, pageHeight = 595.28, 841.89
	left, right           = 70.0, 70.0
	top, bottom           = 68.0, 64.0
	textWidth             = pageWidth - left - right
	nameWidth             = 140.0 // of the first column of a table
	padding               = 5.0

	titleSize, textSize, smallSize = 20.0, 11.5, 8.5
)

// missing stands for a character that the font does not have, as printers have always done it (〓, 下駄).
const missing = '〓'

// PDF renders a document. Where the font lacks a character, as it does some of rare names, 〓 stands for it, and a note at the
// end says which one; the HTML has them all.
func (p *Printer) PDF(d *Document) ([]byte, error) {
	pdf := fpdf.New("P", "pt", "A4", "")
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(d.At)
	pdf.SetModificationDate(d.At)
	pdf.SetProducer("onething", false)
	pdf.SetTitle(d.Title()+" "+d.Number, true)
	pdf.SetLang("zh-CN")
	pdf.SetAutoPageBreak(false, 0)
	pdf.AddUTF8FontFromBytes("text", "", p.font)
	s := &sheet{pdf: pdf, printer: p, footer: d.Title() + "　" + d.Number}
	s.size(textSize)
	s.newPage()
	s.document(d)
	s.finish()
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("document as PDF: %w", err)
	}
	return out.Bytes(), nil
}

// sheet is a document that is being laid out.
type sheet struct {
	pdf     *fpdf.Fpdf
	printer *Printer
	footer  string
	points  float64 // size of the font
	y       float64 // where the next line begins
	lacks   []rune
}

func (s *sheet) document(d *Document) {
	if d.Office != "" {
		s.centred(d.Office, textSize+1)
	}
	s.y += 4
	s.centred(d.Title(), titleSize)
	s.centred(d.Number, textSize)
	s.y += 8
	if d.To != "" {
		s.paragraph(d.To+"：", textSize, "")
	}
	for _, b := range d.Blocks {
		s.block(b)
	}
	s.sign(d.Sign)
	for i, c := range d.Counted {
		if i == 0 {
			s.y += leading(smallSize)
			s.room(4 * leading(smallSize))
			s.paragraph("附：期限的计算", smallSize, "")
		}
		s.room(3 * leading(smallSize))
		s.paragraph(c.Name, smallSize, "")
		s.columns(c.Lines)
	}
}

// columns sets small print in two columns, down the first one and then the second one, page by page.
func (s *sheet) columns(text []string) {
	const gap, indent = 12.0, 12.0
	width := (textWidth-gap)/2 - indent
	s.size(smallSize)
	var lines []string
	for _, t := range text {
		lines = append(lines, wrap(s.printable(t), width, s.width)...)
	}
	for len(lines) > 0 {
		s.room(leading(smallSize))
		fits := int((pageHeight - bottom - s.y) / leading(smallSize))
		rows := min((len(lines)+1)/2, max(fits, 1))
		y := s.y
		for i, line := range lines[:min(2*rows, len(lines))] {
			s.y = y + float64(i%rows)*leading(smallSize)
			s.text(left+indent+float64(i/rows)*(width+indent+gap), line)
		}
		s.y = y + float64(rows)*leading(smallSize)
		lines = lines[min(2*rows, len(lines)):]
	}
	s.size(textSize)
}

func (s *sheet) block(b Block) {
	if b.Heading != "" {
		s.y += 5
		s.room(3 * leading(textSize)) // a heading stays with what it heads
		s.paragraph(b.Heading, textSize+0.5, "")
	}
	for _, text := range b.Paragraphs {
		s.paragraph(text, textSize, "　　")
	}
	s.table(b.Rows)
	for i, text := range b.Items {
		s.paragraph(strconv.Itoa(i+1)+"．"+text, textSize, "　　")
	}
}

func (s *sheet) sign(lines []string) {
	s.room(float64(len(lines)+2) * leading(textSize))
	s.y += 1.5 * leading(textSize)
	s.size(textSize)
	for _, line := range lines {
		line = s.printable(line)
		s.text(pageWidth-right-s.width(line)-12, line)
		s.y += leading(textSize)
	}
}

// finish says which characters the font lacks, and ends the last page.
func (s *sheet) finish() {
	if len(s.lacks) > 0 {
		var codes []string
		for _, r := range s.lacks {
			codes = append(codes, fmt.Sprintf("U+%04X", r))
		}
		s.y += leading(smallSize)
		s.paragraph("〓 为字库未收录的字（"+strings.Join(codes, "、")+"），以网页版文书所载为准。", smallSize, "")
	}
	s.endPage()
}

// leading is the height of a line.
func leading(points float64) float64 { return points * 1.62 }

func (s *sheet) size(points float64) {
	s.points = points
	s.pdf.SetFont("text", "", points)
}

func (s *sheet) width(text string) float64 { return s.pdf.GetStringWidth(text) }

// text sets a line at the current height, from x on.
func (s *sheet) text(x float64, line string) { s.pdf.Text(x, s.y+s.points, line) }

func (s *sheet) newPage() {
	s.pdf.AddPage()
	s.y = top
}

// endPage sets the foot of a page.
func (s *sheet) endPage() {
	points, y := s.points, s.y
	s.size(smallSize)
	s.y = pageHeight - bottom + 18
	line := s.printable(s.footer + "　第 " + strconv.Itoa(s.pdf.PageNo()) + " 页")
	s.text((pageWidth-s.width(line))/2, line)
	s.size(points)
	s.y = y
}

// room begins a new page where less than a height is left on this one.
func (s *sheet) room(height float64) {
	if s.y+height <= pageHeight-bottom {
		return
	}
	s.endPage()
	s.newPage()
}

func (s *sheet) centred(text string, points float64) {
	s.size(points)
	for _, line := range wrap(s.printable(text), textWidth, s.width) {
		s.text((pageWidth-s.width(line))/2, line)
		s.y += leading(points)
	}
	s.size(textSize)
}

// paragraph sets a text over as many lines as it takes; the first one is indented.
func (s *sheet) paragraph(text string, points float64, indent string) {
	s.size(points)
	for _, line := range wrap(indent+s.printable(text), textWidth, s.width) {
		s.room(leading(points))
		s.text(left, line)
		s.y += leading(points)
	}
	s.size(textSize)
}

// table sets names and values in two columns; a row that is higher than what is left of a page goes on the next one.
func (s *sheet) table(rows []Row) {
	if len(rows) == 0 {
		return
	}
	s.y += 3
	s.size(textSize)
	s.pdf.SetLineWidth(0.6)
	for _, row := range rows {
		name := wrap(s.printable(row.Name), nameWidth-2*padding, s.width)
		value := wrap(s.printable(row.Value), textWidth-nameWidth-2*padding, s.width)
		for len(name)+len(value) > 0 {
			fits := max(1, int((pageHeight-bottom-top-2*padding)/leading(textSize))) // of a whole page
			n := min(max(len(name), len(value)), fits)
			height := float64(n)*leading(textSize) + padding
			s.room(height)
			s.pdf.Rect(left, s.y, nameWidth, height, "D")
			s.pdf.Rect(left+nameWidth, s.y, textWidth-nameWidth, height, "D")
			name, value = s.cell(left+padding, name, n), s.cell(left+nameWidth+padding, value, n)
			s.y += height
		}
	}
	s.y += 5
}

// cell sets the first n lines of a cell, and returns the others.
func (s *sheet) cell(x float64, lines []string, n int) []string {
	y := s.y
	s.y += padding / 2
	n = min(n, len(lines))
	for _, line := range lines[:n] {
		s.text(x, line)
		s.y += leading(textSize)
	}
	s.y = y
	return lines[n:]
}

// printable is a text with what the font has. Spaces of every kind are spaces, control characters are left out.
func (s *sheet) printable(text string) string {
	var buffer sfnt.Buffer
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t', r == '\u00a0':
			return ' '
		case r < ' ' || r == 0x7f || r == '\ufeff' || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e:
			return -1
		}
		if glyph, err := s.printer.sfnt.GlyphIndex(&buffer, r); err == nil && glyph != 0 {
			return r
		}
		if !slices.Contains(s.lacks, r) {
			s.lacks = append(s.lacks, r)
		}
		return missing
	}, text)
}

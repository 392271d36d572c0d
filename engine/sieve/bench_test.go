package sieve_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/sieve"
	"github.com/siyiban/onething/forms"
)

// local are copies of all bundles for other counties, with other amounts: three trees in which every amount and limit
// of age is another, each for many counties.
func local(b *testing.B, counties int) []*catalog.Bundle {
	b.Helper()
	var trees []*catalog.Catalog
	for n := range 3 {
		c, found := catalog.Load(amounts(b, n+1))
		if err := found.Err(); err != nil {
			b.Fatal(err)
		}
		trees = append(trees, c)
	}
	var all []*catalog.Bundle
	for county := range counties {
		for _, bundle := range trees[county%len(trees)].Bundles {
			its := *bundle
			its.Place = fmt.Sprintf("32%04d", 100+county)
			all = append(all, &its)
		}
	}
	return all
}

// amounts is the tree of the examples with every amount of a rule raised.
func amounts(b *testing.B, by int) fs.FS {
	b.Helper()
	tree := fstest.MapFS{}
	yuan := regexp.MustCompile(`yuan\((\d+)\)`)
	err := fs.WalkDir(os.DirFS(examples), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := os.ReadFile(examples + "/" + path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, "bundle.yaml") {
			text = yuan.ReplaceAllFunc(text, func(m []byte) []byte {
				n, _ := strconv.Atoi(string(bytes.TrimSuffix(bytes.TrimPrefix(m, []byte("yuan(")), []byte(")"))))
				return fmt.Appendf(nil, "yuan(%d)", n+by)
			})
		}
		tree[path] = &fstest.MapFile{Data: text}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return tree
}

// BenchmarkGrowth is the verdicts at one place, while the bundles of other counties beside it grow: 130, 1,300 and
// 13,000 in all.
func BenchmarkGrowth(b *testing.B) {
	all := load(b, examples)
	rnd := rand.New(rand.NewPCG(5, 5))
	record, setting := mixed(rnd, all, 0)
	setting.Place = "320100"
	for _, counties := range []int{1, 10, 100} {
		bundles := local(b, counties)
		s := sieve.New(bundles...)
		b.Run(strconv.Itoa(len(bundles)), func(b *testing.B) {
			row := s.Row()
			row.Load(record, &setting)
			b.ReportAllocs()
			for b.Loop() {
				row.Verdicts()
			}
			b.ReportMetric(float64(len(row.Verdicts())), "bundles-here")
		})
		b.Run(strconv.Itoa(len(bundles))+"-loaded", func(b *testing.B) {
			row := s.Row()
			b.ReportAllocs()
			for b.Loop() {
				row.Load(record, &setting)
				row.Verdicts()
			}
		})
	}
	// The worst: all of them hold here.
	bundles := local(b, 100)
	for _, bundle := range bundles {
		bundle.Place = "320100"
	}
	s := sieve.New(bundles...)
	b.Run("13000-here", func(b *testing.B) {
		row := s.Row()
		row.Load(record, &setting)
		b.ReportAllocs()
		for b.Loop() {
			row.Verdicts()
		}
	})
}

// BenchmarkPrepare is what the first record at a place costs more: the rules of 130 bundles are lowered.
func BenchmarkPrepare(b *testing.B) {
	var bundles []*catalog.Bundle
	for _, m := range load(b, examples) {
		bundles = append(bundles, m.bundle)
	}
	setting := load(b, language)[0].tests[0].Setting
	for b.Loop() {
		row := sieve.New(bundles...).Row()
		row.Load(forms.Record{}, &setting)
	}
}

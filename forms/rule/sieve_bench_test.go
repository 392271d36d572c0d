package rule_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/sieve"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/rule"
)

// benched is every bundle of the examples, and records that answer what all of them ask.
type benched struct {
	bundles []*catalog.Bundle
	setting guide.Setting
	whole   []forms.Record
	sparse  []forms.Record // a fifth of the answers missing
}

func newBenched(b *testing.B) benched {
	b.Helper()
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		b.Fatal(err)
	}
	c, found := catalog.Load(os.DirFS("../../examples"))
	if err := found.Err(); err != nil {
		b.Fatal(err)
	}
	all := benched{}
	var tests [][]bundletest.Test
	for _, id := range slices.Sorted(maps.Keys(c.Bundles)) {
		text, err := os.ReadFile("../../examples/" + bundletest.File(id))
		if err != nil {
			b.Fatal(err)
		}
		of, found := bundletest.Read(c.Bundles[id], bundletest.File(id), text, days)
		if err := found.Err(); err != nil {
			b.Fatal(err)
		}
		all.bundles, tests = append(all.bundles, c.Bundles[id]), append(tests, of)
	}
	all.setting = tests[0][0].Setting
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range 16 {
		answers := forms.Record{}
		for j := range tests { // what a bundle's tests answer, from another one each time
			of := tests[(i*8+j)%len(tests)]
			answers = of[rnd.IntN(len(of))].Record.Merge(answers)
		}
		some := answers
		for p := range answers.All() {
			if rnd.IntN(5) == 0 {
				some = some.Without(p)
			}
		}
		all.whole, all.sparse = append(all.whole, answers), append(all.sparse, some)
	}
	return all
}

// plain is the rules of one bundle that decide, as cel-go evaluates them over one record.
type plain struct {
	programs   []cel.Program
	activation cel.Activation
}

// deep adds the programs that say whether what those rules read is shown or required, and named conditions.
func (all benched) plain(b *testing.B, record forms.Record, deep bool) []plain {
	b.Helper()
	var bundles []plain
	for _, bundle := range all.bundles {
		var rules []*rule.Rule
		seen := map[*rule.Rule]bool{}
		add := func(r *rule.Rule) {
			if r != nil && !seen[r] {
				seen[r] = true
				rules = append(rules, r)
			}
		}
		for _, r := range bundle.Eligibility {
			if r.Otherwise == catalog.Warn || len(r.For) > 0 || r.Examine != nil {
				continue
			}
			add(r.When)
			add(r.Require)
			for _, w := range r.AnyOf {
				add(w.When)
				add(w.Require)
			}
		}
		if deep {
			var reads []forms.Path
			for _, r := range rules {
				reads = append(reads, r.Reads()...)
			}
			for p := range bundle.Closure(reads) {
				f := bundle.Field(p)
				if f == nil {
					continue
				}
				for _, w := range f.When {
					add(w)
				}
				if f.Section != nil {
					add(f.Section.When)
				}
				add(f.RequireRule)
				add(f.Is)
			}
		}
		programs, values := rule.Plain(rules, guide.Values(bundle, record, all.setting))
		activation, err := cel.NewActivation(values)
		if err != nil {
			b.Fatal(err)
		}
		bundles = append(bundles, plain{programs, activation})
	}
	return bundles
}

// loop is the plain loop.
func loop(bundles []plain) {
	for _, bundle := range bundles {
		for _, program := range bundle.programs {
			_, _, _ = program.Eval(bundle.activation)
		}
	}
}

// BenchmarkAllBundles compares, over every bundle of the examples: cel-go in a plain loop over the same checked programs,
// with every answer adapted beforehand and nothing tried, and the sieve. The programs are those of the rules that
// decide ("rules"), with what they read worked out beforehand, or also those that say what is shown and required
// ("all"), which the sieve evaluates too.
func BenchmarkAllBundles(b *testing.B) {
	all := newBenched(b)
	s := sieve.New(all.bundles...)
	for _, records := range []struct {
		name string
		of   []forms.Record
	}{{"whole", all.whole}, {"fifth-missing", all.sparse}} {
		var cels, deep [][]plain
		rows := make([]*sieve.Row, len(records.of))
		answers := 0
		for i, record := range records.of {
			cels, deep = append(cels, all.plain(b, record, false)), append(deep, all.plain(b, record, true))
			rows[i] = s.Row()
			rows[i].Load(record, &all.setting)
			answers += record.Len()
		}
		b.Run(records.name+"/ratio", func(b *testing.B) {
			// Of each way the best of its rounds over each record, so that other work on the machine does not count.
			const passes = 8
			ways := [4]func(i int){
				func(i int) { loop(cels[i]) },
				func(i int) { loop(deep[i]) },
				func(i int) {
					for range passes {
						rows[i].Judge()
					}
				},
				func(i int) {
					for range passes {
						rows[i].Verdicts()
					}
				},
			}
			least := make([][len(ways)]time.Duration, len(cels))
			for i := 0; b.Loop(); i = (i + 1) % len(cels) {
				for j, way := range ways {
					began := b.Elapsed()
					way(i)
					if d := b.Elapsed() - began; least[i][j] == 0 || d < least[i][j] {
						least[i][j] = d
					}
				}
			}
			var total [len(ways)]float64
			for _, of := range least {
				for j, d := range of {
					total[j] += float64(d.Nanoseconds()) / 1000 / float64(len(cels))
				}
			}
			total[2], total[3] = total[2]/passes, total[3]/passes
			b.ReportMetric(0, "ns/op")
			for j, name := range [len(ways)]string{"cel-rules-µs", "cel-all-µs", "failing-µs", "verdicts-µs"} {
				b.ReportMetric(total[j], name)
			}
			b.ReportMetric(total[0]/total[2], "rules/failing")
			b.ReportMetric(total[0]/total[3], "rules/verdicts")
			b.ReportMetric(total[1]/total[2], "all/failing")
			b.ReportMetric(total[1]/total[3], "all/verdicts")
		})
		b.Run(records.name+"/cel-go", func(b *testing.B) {
			b.ReportAllocs()
			failing, programs := 0, 0
			for i := 0; b.Loop(); i++ {
				for _, bundle := range cels[i%len(cels)] {
					for _, program := range bundle.programs {
						if v, _, _ := program.Eval(bundle.activation); v == types.False {
							failing++
						}
						programs++
					}
				}
			}
			b.ReportMetric(float64(programs)/float64(b.N), "programs/op")
		})
		b.Run(records.name+"/failing", func(b *testing.B) {
			b.ReportAllocs()
			failing := 0
			for i := 0; b.Loop(); i++ {
				for _, j := range rows[i%len(rows)].Judge() {
					failing += len(j.Failing)
				}
			}
			b.ReportMetric(float64(failing)/float64(b.N), "failing/op")
		})
		b.Run(records.name+"/verdicts", func(b *testing.B) {
			b.ReportAllocs()
			var verdicts [5]int
			for i := 0; b.Loop(); i++ {
				for _, j := range rows[i%len(rows)].Verdicts() {
					verdicts[j.Verdict]++
				}
			}
			for v, n := range verdicts {
				b.ReportMetric(float64(n)/float64(b.N), fmt.Sprint(guide.Verdict(v)))
			}
		})
		b.Run(records.name+"/load", func(b *testing.B) {
			b.ReportAllocs()
			row := s.Row()
			for i := 0; b.Loop(); i++ {
				row.Load(records.of[i%len(records.of)], &all.setting)
			}
			b.ReportMetric(float64(answers)/float64(len(records.of)), "answers/op")
		})
	}
}

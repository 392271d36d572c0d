package guide_test

import (
	"testing"

	"github.com/siyiban/onething/engine/guide"
)

// How many questions it takes until the verdict is known: what somebody wants to hear who asks whether to apply at all. People
// are made as [population] says, 24 for each bundle alone, and 20 who are asked about all bundles at once. Figures are means; the
// same people are asked
//
//   - in the order of the form, only what the form shows them and their steps need, known beforehand;
//   - in the order of the form, only what a rule reads that decides the verdict;
//   - what the guide asks next;
//   - by the best strategy for this sample, see [matter.strategy]: alone only;
//   - the fewest of all, by somebody who knows the answers, see [telling.fewest].
func BenchmarkQuestions(b *testing.B) {
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			var all, eligible, other means
			for i, m := range every130(b) {
				c := newPopulation(b, uint64(i), m)
				var told []*telling
				for range 24 {
					p := c.person(b)
					t := p.tells(m)
					told = append(told, t)
					of := &other
					if p.whole.Cases[0].Verdict == guide.Eligible {
						of = &eligible
					}
					form, _ := c.until(b, p, inOrder(p.form()))
					rules, _ := c.until(b, p, inOrder(t.questions))
					guided, _ := c.until(b, p, c.guided(p))
					of.add(means{people: 1, form: form, rules: rules, guided: guided, fewest: t.fewest().size()})
				}
				all.strategy += m.strategy(b, told...)
			}
			all.add(eligible)
			all.add(other)
			all.report(b, "")
			eligible.report(b, "eligible-")
			other.report(b, "other-")
		}
	})
	b.Run("together", func(b *testing.B) {
		for b.Loop() {
			var all, first means
			c := newPopulation(b, 130, every130(b)...)
			for range 20 {
				p := c.person(b)
				t := p.tells(c.matters...)
				fewest := len(t.questions)
				for i, m := range c.matters {
					if p.whole.Cases[i].Verdict == guide.Eligible {
						fewest = min(fewest, p.tells(m).fewest().size())
					}
				}
				form, formFirst := c.until(b, p, inOrder(p.form()))
				rules, rulesFirst := c.until(b, p, inOrder(t.questions))
				guided, guidedFirst := c.until(b, p, c.guided(p))
				if formFirst < 0 {
					b.Fatal("somebody is eligible for nothing")
				}
				all.add(means{people: 1, form: form, rules: rules, guided: guided, fewest: t.fewest().size()})
				first.add(means{people: 1, form: formFirst, rules: rulesFirst, guided: guidedFirst, fewest: fewest})
			}
			all.report(b, "")
			first.report(b, "first-")
		}
	})
}

// means are sums over people.
type means struct{ people, form, rules, guided, strategy, fewest int }

func (m *means) add(other means) {
	m.people += other.people
	m.form += other.form
	m.rules += other.rules
	m.guided += other.guided
	m.strategy += other.strategy
	m.fewest += other.fewest
}

func (m *means) report(b *testing.B, of string) {
	for name, sum := range map[string]int{"form": m.form, "rules": m.rules, "guided": m.guided, "strategy": m.strategy, "fewest": m.fewest} {
		if sum > 0 {
			b.ReportMetric(float64(sum)/float64(m.people), of+name)
		}
	}
	b.ReportMetric(float64(m.form)/float64(m.guided), of+"form/guided")
}

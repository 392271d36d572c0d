package application_test

import (
	"testing"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// document is a document made on March 16 of an event.
func document(number string, event int64) application.MadeDocument {
	return application.MadeDocument{Public: &applicationv1.DocumentMade{Number: number, Document: "ACCEPTANCE", Event: event, Bundle: "badge", On: "2026-03-16"},
		Files: []*applicationv1.MaterialFile{file(application.DocumentFile(number, "pdf"))}}
}

func makeDocuments(numbers ...string) act {
	var c application.MakeDocuments
	for _, number := range numbers {
		c.Documents = append(c.Documents, document(number, 2))
	}
	return as(engine(), c)
}

func serve(number, way string) act {
	c := application.ServeDocument{Number: number, Way: way}
	if way != application.ServedElectronically {
		c.Receiver = "李某"
	}
	return as(clerk(), c)
}

func TestDecide_Documents(t *testing.T) {
	t.Parallel()
	made := []act{apply("badge"), accept("badge"), makeDocuments("受理〔2026〕1号")}
	day := func(text string) kind.Date { d, _ := kind.ParseDate(text); return d }
	served := func(c application.ServeDocument) act { c.Number = "受理〔2026〕1号"; return as(clerk(), c) }
	run(t, []scene{
		{name: "made once, though it is asked for again", given: made, when: makeDocuments("受理〔2026〕1号", "结果〔2026〕2号"),
			then: []string{"made 结果〔2026〕2号 of 2, 03-16"},
			check: func(p *play) {
				if files := p.lastly[0].GetPersonal().GetFiles(); len(files) != 1 || files[0].GetMaterial() != "document/结果〔2026〕2号.pdf" {
					p.Errorf("its files are %v", files)
				}
			}},
		{name: "taken over the API", given: made, when: served(application.ServeDocument{Way: application.ServedElectronically}), then: []string{"served 受理〔2026〕1号 ELECTRONIC on 03-16"}},
		{name: "by post, and told of later", given: made, at: "03-20", when: served(application.ServeDocument{Way: application.ServedByPost, Receiver: "李某", On: day("2026-03-18")}),
			then: []string{"served 受理〔2026〕1号 POST on 03-18"},
			check: func(p *play) {
				if document := p.state.Document("受理〔2026〕1号"); document.Way != application.ServedByPost || document.ServedOn != day("2026-03-18") || p.lastly[0].GetPersonal().GetReceiver() != "李某" {
					p.Errorf("served as %+v", document)
				}
			}},
		{name: "twice", given: append(made[:3:3], serve("受理〔2026〕1号", application.ServedElectronically)), when: serve("受理〔2026〕1号", application.ServedDirectly), but: refusal.WrongState},
		{name: "on whom nobody says", given: made, when: served(application.ServeDocument{Way: application.ServedDirectly}), but: refusal.Invalid},
		{name: "in another way", given: made, when: served(application.ServeDocument{Way: "PIGEON", Receiver: "李某"}), but: refusal.Invalid},
		{name: "tomorrow", given: made, when: served(application.ServeDocument{Way: application.ServedByLeaving, Receiver: "李某", On: day("2026-03-17")}), but: refusal.Invalid},
		{name: "before there was a document", given: made, when: served(application.ServeDocument{Way: application.ServedByLeaving, Receiver: "李某", On: day("2026-03-15")}), but: refusal.Invalid},
		{name: "meanwhile somebody corrects what was shown before a document was made", given: []act{apply("badge"), makeDocuments("承诺〔2026〕1号")}, when: correctAt(1, answer("own.badge.urgent", true)),
			then: []string{"corrected to 2, notice by 03-23; paths own.badge.urgent; badge ELIGIBLE"}},
		{name: "but what happened since is seen first", given: []act{apply("badge"), notify(item("badge", "own.badge.urgent")), makeDocuments("补告〔2026〕1号")}, when: correctAt(1, answer("own.badge.urgent", true)), but: refusal.Stale},
		{name: "one that is not there", given: made, when: serve("受理〔2026〕2号", application.ServedElectronically), but: refusal.NotFound},
	})
}

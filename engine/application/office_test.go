package application_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// The matters of the tests: shapes that the four examples lack. All of them ask the same person for the same card.
const (
	libraries = `library: sections
sections:
  - { section: person, name: { zh: 身份 }, about: PERSON, fields: [{ field: id_no, kind: CITIZEN_NUMBER, name: { zh: 号码 }, required: true }] }
---
library: materials
materials:
  - { material: card, name: { zh: 身份证 }, about: PERSON, source: [APPLICANT] }
  - { material: plan, name: { zh: 平面图 }, source: [APPLICANT] }
---
library: departments
departments:
  - { department: market, name: { zh: 市场局 } }
  - { department: fire, name: { zh: 消防队 } }
  - { department: police, name: { zh: 公安局 } }
  - { department: bank, name: { zh: 银行 }, kind: PARTNER }
---
library: facts
facts:
  - { fact: credit_restricted, of: PERSON, kind: BOOL, name: { zh: 失信 }, source: credit_list }
---
library: parameters
parameters:
  - { param: base, kind: MONEY, name: { zh: 基数 }, values: [{ from: 2026-01-01, until: 2026-12-31, value: 850 }] }
`
	// A shop: parallel steps, one that depends on a result, tolerances of each kind, promises, a bank that only follows.
	shop = `bundle: shop
name: { zh: 开店一件事 }
level: COUNTY
lead: market
applicant: [owner]
form: [{ section: person, as: owner }]
own:
  - { field: trained, kind: BOOL, name: { zh: 培训 }, required: true }
  - { field: food, kind: BOOL, name: { zh: 餐饮 }, required: true }
  - { field: sign, kind: BOOL, name: { zh: 招牌 }, required: true }
  - { field: rented, kind: BOOL, name: { zh: 租用 }, required: true }
  - { field: remark, kind: TEXT, name: { zh: 备注 } }
  - { field: size, kind: INT, name: { zh: 面积 }, required: true, when: own.food, max: "1000" }
  - { field: large, kind: BOOL, name: { zh: 大型 }, is: own.food && own.size >= 500 }
eligibility:
  - { id: trained, require: own.trained, because: { zh: 已培训 }, remedy: { zh: 先培训 }, basis: 某法 第一条 }
  - { id: lucky, require: own.size < 900, when: own.food, because: { zh: 面积不大 }, remedy: { zh: 小一点 } }
  - { id: solvent, require: "!facts.owner.credit_restricted", otherwise: WARN, because: { zh: 信用良好 }, remedy: { zh: 修复 } }
materials:
  - { use: card, of: owner }
  - { material: lease, name: { zh: 租约 }, source: [APPLICANT], when: own.rented, promise: { verify: { by: police, working_days: 20 } } }
  - { material: deed, name: { zh: 权属 }, source: [SHARED_DATA, APPLICANT] }
  - { use: plan, class: SECONDARY, tolerate: { working_days: 2, then: SUSPEND, suspended: { working_days: 3 } } }
  - { material: photo, name: { zh: 照片 }, when: own.sign, class: SECONDARY, source: [APPLICANT], tolerate: { working_days: 60, then: REMIND } }
  - { material: oath, name: { zh: 承诺 }, class: SECONDARY, source: [APPLICANT], tolerate: { working_days: 4, then: END } }
  - { material: map, name: { zh: 位置图 }, class: SECONDARY, source: [APPLICANT], required: false, tolerate: { working_days: 3, then: SUSPEND, suspended: { working_days: 2 } } }
steps:
  - id: licence
    name: { zh: 执照 }
    department: market
    needs: { fields: [owner, own.remark], materials: [card, lease, deed, plan, photo, oath] }
    promised: { working_days: 5 }
    statutory: { working_days: 10 }
    result: { fields: [{ field: number, kind: TEXT, name: { zh: 编号 }, required: true, pattern: '[A-Z]\d+' }, { field: copies, kind: INT, name: { zh: 份数 }, max: "3" }], document: licence, valid: { years: 5 } }
  - id: audit
    name: { zh: 检查 }
    department: fire
    when: own.food
    plugin: fire/audit
    conditions: [{ id: roomy, require: own.size >= 20, because: { zh: 够大 }, remedy: { zh: 大一点 } }]
    needs: { fields: [own.size, own.large, own.trained], materials: [{ use: plan, before: EXAMINATION }] }
    promised: { working_days: 3 }
    result: { fields: [{ field: poor, kind: BOOL, name: { zh: 差 }, required: true }], document: report }
  - id: repair
    name: { zh: 整改 }
    department: fire
    after: [audit]
    when: has(results.audit.poor) && results.audit.poor
    needs: { fields: [own.food], materials: [map] }
    promised: { working_days: 2 }
  - id: seal
    name: { zh: 刻章 }
    department: police
    after: [licence]
    when: own.sign
    needs: { fields: [own.remark], results: [licence.number], materials: [plan] }
    promised: { working_days: 1 }
    fee: { amount: yuan(60) }
  - id: account
    name: { zh: 开户 }
    department: bank
    after: [{ step: licence, on: PROMISED }]
    needs: { fields: [owner] }
    promised: { working_days: 1 }
    statutory: { working_days: 1 }
  - id: file
    name: { zh: 归档 }
    department: market
    after: [{ step: licence, on: SETTLED }, { step: repair, on: SETTLED }, { step: seal, on: SETTLED }]
    needs: { fields: [own.remark] }
    promised: { working_days: 1 }
`
	// A fair: one way, an essential step, the lead closes last, months and days, what silence makes of it.
	fair = `bundle: fair
name: { zh: 办展一件事 }
level: COUNTY
lead: police
accept: ENGINE
statutory: { working_days: 30 }
applicant: [owner]
form: [{ section: person, as: owner }]
own:
  - { field: big, kind: BOOL, name: { zh: 大型 }, required: true }
  - { field: loud, kind: BOOL, name: { zh: 音响 }, required: true }
  - { field: shown, kind: BOOL, name: { zh: 需看样 }, required: true }
eligibility:
  - { id: looked, when: own.shown, examine: { by: police }, because: { zh: 已看样 } }
  - { id: quiet, when: own.loud, require: params.base > yuan(1), because: { zh: 安静 }, remedy: { zh: 小声 }, for: [noise] }
materials:
  - { use: card, of: owner }
  - { use: plan, when: own.big, class: SECONDARY, tolerate: { working_days: 10, then: REMIND } }
  - { material: vow, name: { zh: 保证 }, source: [APPLICANT], when: own.big, promise: { verify: { by: police, working_days: 5 } } }
steps:
  - id: permit
    name: { zh: 许可 }
    department: police
    essential: true
    needs: { fields: [owner, own.big], materials: [card, vow] }
    promised: { days: 10 }
    statutory: { months: 1 }
    silence: APPROVED
    result: { fields: [{ field: number, kind: TEXT, name: { zh: 编号 } }] }
  - id: noise
    name: { zh: 噪声 }
    department: market
    when: own.loud
    needs: { fields: [own.loud], materials: [{ use: plan, before: EXAMINATION }] }
    promised: { working_days: 2 }
    statutory: { working_days: 3 }
    silence: APPROVED
    result: { fields: [{ field: level, kind: INT, name: { zh: 级 }, required: true }] }
  - id: traffic
    name: { zh: 交通 }
    department: fire
    after: [permit]
    auto_approve: "!own.big"
    starts: ACCEPTANCE
    needs: { fields: [own.big], materials: [plan] }
    promised: { working_days: 4 }
`
	// A card: one step whose plugin makes the document; the number is known only then.
	badge = `bundle: badge
name: { zh: 办证一件事 }
level: COUNTY
lead: police
promised: { working_days: 8 }
applicant: [owner]
form: [{ section: person, as: owner }]
own:
  - { field: urgent, kind: BOOL, name: { zh: 加急 }, required: true }
materials:
  - { use: card, of: owner }
  - { use: plan, class: SECONDARY, tolerate: { working_days: 5, then: END } }
steps:
  - id: print
    name: { zh: 制证 }
    department: police
    plugin: police/print
    needs: { fields: [owner, own.urgent], materials: [card, { use: plan, before: RESULT }] }
    promised: { working_days: 3 }
    statutory: { working_days: 6 }
    result: { fields: [{ field: number, kind: TEXT, name: { zh: 编号 }, required: true }], document: badge, valid: { months: 1 } }
`
	// A relay: steps that need not wait until the one before them is settled.
	relay = `bundle: relay
name: { zh: 接力一件事 }
level: COUNTY
lead: market
applicant: [owner]
form: [{ section: person, as: owner }]
own: [{ field: fast, kind: BOOL, name: { zh: 快 }, required: true }]
steps:
  - id: first
    name: { zh: 第一 }
    department: market
    needs: { fields: [owner, own.fast] }
    promised: { working_days: 1 }
  - id: second
    name: { zh: 第二 }
    department: police
    after: [{ step: first, on: PROMISED }]
    when: own.fast
    needs: { fields: [owner] }
    promised: { working_days: 1 }
  - id: third
    name: { zh: 第三 }
    department: fire
    after: [{ step: first, on: PROMISED }]
    when: "!facts.owner.credit_restricted"
    auto_approve: own.fast
    needs: { fields: [owner] }
    promised: { working_days: 1 }
  - id: log
    name: { zh: 登记 }
    department: market
    after: [{ step: first, on: SETTLED }]
    needs: { fields: [owner] }
    promised: { working_days: 1 }
  - id: grade
    name: { zh: 评级 }
    department: fire
    after: [first]
    needs: { fields: [owner] }
    promised: { working_days: 1 }
    statutory: { days: 3 }
    result: { fields: [{ field: good, kind: BOOL, name: { zh: 好 } }] }
  - id: praise
    name: { zh: 表彰 }
    department: police
    after: [{ step: grade, on: SETTLED }]
    when: has(results.grade.good) && results.grade.good
    needs: { fields: [owner] }
    promised: { working_days: 1 }
`
	// A pledge: a promise that a result rests on and another step through it, and one of which a share is verified.
	pledge = `bundle: pledge
name: { zh: 承诺一件事 }
level: COUNTY
lead: market
applicant: [owner]
form: [{ section: person, as: owner }]
own: [{ field: remark, kind: TEXT, name: { zh: 备注 } }]
materials:
  - { material: title, name: { zh: 权属证明 }, source: [APPLICANT], required: false, promise: { verify: { by: police, working_days: 20 } } }
  - { material: proof, name: { zh: 证明 }, source: [APPLICANT], required: false, promise: { verify: { by: police, working_days: 20, sample: 30 }, if_false: CORRECT } }
steps:
  - id: grant
    name: { zh: 准予 }
    department: market
    needs: { fields: [owner], materials: [title] }
    promised: { working_days: 3 }
    result: { fields: [{ field: number, kind: TEXT, name: { zh: 编号 }, required: true }] }
  - id: enter
    name: { zh: 登记 }
    department: police
    plugin: police/book
    after: [grant]
    needs: { fields: [owner], results: [grant.number] }
    promised: { working_days: 3 }
    result: { fields: [{ field: page, kind: INT, name: { zh: 页 } }] }
  - id: look
    name: { zh: 查看 }
    department: fire
    needs: { fields: [own.remark], materials: [proof] }
    promised: { working_days: 3 }
  - id: keep
    name: { zh: 存档 }
    department: fire
    after: [{ step: look, on: SETTLED }]
    needs: { fields: [own.remark], materials: [title] }
    promised: { working_days: 3 }
`
	// A lease: owner and tenant submit together, unless a court has decided; a guarantor too, where there is one.
	lease = `bundle: lease
name: { zh: 租赁登记一件事 }
level: COUNTY
lead: market
applicant: [owner, tenant, guarantor]
together: "!own.by_court"
form:
  - { section: person, as: owner }
  - { section: person, as: tenant }
  - { section: person, as: guarantor, when: own.guaranteed }
own:
  - { field: by_court, kind: BOOL, name: { zh: 法院判决 }, required: true }
  - { field: guaranteed, kind: BOOL, name: { zh: 有担保人 }, required: true }
materials: [{ use: card, of: owner }]
steps:
  - id: register
    name: { zh: 登记 }
    department: market
    needs: { fields: [owner, tenant, guarantor], materials: [card] }
    promised: { working_days: 1 }
`
)

// own are the answers to each bundle's own questions, in the usual case.
func own() map[string]any {
	return map[string]any{"form.owner.id_no": "321323199001010014", "own.shop.trained": true, "own.shop.food": true, "own.shop.size": 100, "own.shop.sign": true,
		"own.shop.rented": true, "own.fair.big": true, "own.fair.loud": true, "own.fair.shown": false, "own.badge.urgent": false, "own.relay.fast": true, "own.pledge.remark": "无",
		"own.lease.by_court": false, "own.lease.guaranteed": false, "form.tenant.id_no": "321323199001010022", "form.guarantor.id_no": "321323199001010030"}
}

// materialsOf are the materials that an applicant brings, as the form merges them.
func materialsOf() []string {
	return []string{"card.owner", "plan", "own.shop.lease", "own.shop.photo", "own.shop.oath", "own.fair.vow", "own.pledge.title", "own.pledge.proof"}
}

// office is what the tests share: it is loaded once, and nobody changes it.
type office struct {
	catalog *catalog.Catalog
	days    *calendar.Calendar
	short   *calendar.Calendar // without 2026
}

var opened = sync.OnceValues(func() (*office, error) {
	tree := fstest.MapFS{}
	for text := range strings.SplitSeq(libraries, "---\n") {
		name, _, _ := strings.Cut(strings.TrimPrefix(text, "library: "), "\n")
		tree["library/"+name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	for _, text := range []string{shop, fair, badge, relay, pledge, lease} {
		name, _, _ := strings.Cut(strings.TrimPrefix(text, "bundle: "), "\n")
		tree["bundles/"+name+"/bundle.yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	c, found := catalog.Load(tree)
	if err := found.Err(); err != nil {
		var all strings.Builder
		for _, f := range found {
			fmt.Fprintf(&all, "\n%v", f)
		}
		return nil, fmt.Errorf("%w:%s", err, all.String())
	}
	matters, found := catalog.Load(examples.Only(examples.Matters()...))
	if err := found.Err(); err != nil {
		return nil, err
	}
	maps.Copy(c.Bundles, matters.Bundles)
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		return nil, err
	}
	before, _, _ := strings.Cut(string(holidays.Source()), "  - year: 2026")
	short, found := calendar.Parse(holidays.File, []byte(before))
	return &office{c, days, short}, found.Err()
})

func newOffice(t testing.TB) *office {
	t.Helper()
	o, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// play is an application that is played, with what the engine would load of it.
type play struct {
	testing.TB
	*office
	world    application.World
	state    application.State
	events   []*applicationv1.Event
	lastly   []*applicationv1.Event // of the last command
	err      error                  // of the last command
	findings map[int][]*applicationv1.Finding
	texts    map[string]string // of the last version of a bundle, where it is another one
}

// office hours: a play begins on Monday, 16 March 2026, at nine.
func newPlay(t testing.TB) *play {
	t.Helper()
	o := newOffice(t)
	p := &play{TB: t, office: o, state: application.State{ID: "a"}, findings: map[int][]*applicationv1.Finding{}}
	p.world = application.World{Calendar: o.days, Place: "321323", Facts: map[forms.Path]kind.Value{"facts.owner.credit_restricted": kind.Bool(false)},
		Results: map[string]map[forms.Path]kind.Value{}, Plugins: map[string][]string{"fire/audit": {"check", "decide"}, "police/print": {"decide", "issue"}, "police/book": {"revoke"}}}
	p.on("03-16")
	return p
}

// on moves the clock to nine o'clock of a day of 2026 (month and day), or to a time of it.
func (p *play) on(day string) {
	if !strings.Contains(day, " ") {
		day += " 09:00"
	}
	if strings.Count(day, "-") == 1 {
		day = "2026-" + day
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", day, time.FixedZone("CST", 8*60*60))
	if err != nil {
		p.Fatal(err)
	}
	p.world.Now = at
}

// do gives a command, and takes over its events.
func (p *play) do(actor *applicationv1.Actor, c application.Command) {
	p.Helper()
	w := p.world
	w.Actor = actor
	before := fingerprint(p.TB, p.state)
	p.lastly, p.err = application.Decide(p.state, c, w)
	if move, ok := c.(application.Move); ok && p.err == nil {
		p.world.Selection = move.To // as the engine loads it afterwards
	}
	if len(p.lastly) > 0 && p.err != nil {
		p.Fatalf("%T came to events and an error", c)
	}
	if got := fingerprint(p.TB, p.state); got != before {
		p.Fatalf("%T has altered the state that it was decided on:\n%s", c, cmp.Diff(before, got))
	}
	p.take(p.lastly)
}

// take is what the engine does with events: it keeps record, results and findings for the next command.
func (p *play) take(events []*applicationv1.Event) {
	for _, e := range events {
		p.state = application.Evolve(p.state, e)
		p.events = append(p.events, e)
		personal := e.GetPersonal()
		if r := personal.GetRecord(); r != nil {
			record, faults := forms.Decode(r.GetAnswers(), p.world.Selection.Field)
			if len(faults) > 0 {
				p.Fatalf("the stored record: %v", faults)
			}
			p.world.Record = record
		}
		if e.GetChecked() != nil {
			p.findings[p.state.Revision] = append(p.findings[p.state.Revision], personal.GetFindings()...)
		}
		p.world.Findings = p.findings[p.state.Revision]
		task := p.state.Task(cmp2(e.GetTaskDecided().GetTask(), e.GetResultIssued().GetTask()))
		if task == nil || personal.GetResult() == nil {
			continue
		}
		values, faults := application.DecodeResult(p.world.Selection.Bundle(task.Bundle).Step(task.Step), personal.GetResult().GetAnswers())
		if len(faults) > 0 {
			p.Fatalf("the stored result: %v", faults)
		}
		results := map[string]map[forms.Path]kind.Value{}
		for bundle, known := range p.world.Results {
			results[bundle] = maps.Clone(known)
		}
		if results[task.Bundle] == nil {
			results[task.Bundle] = map[forms.Path]kind.Value{}
		}
		maps.Copy(results[task.Bundle], values)
		p.world.Results = results
	}
}

func cmp2(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// fingerprint is everything that a state holds, as text.
func fingerprint(t testing.TB, s application.State) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %s %s %s %d %v %d\n", s.ID, s.Version, s.Number, s.Received, s.Place, s.Revision, s.Notified, s.Notices)
	if len(s.Confirmed) > 0 {
		fmt.Fprintf(&b, "confirmed %v\n", s.Confirmed)
	}
	for _, c := range s.Cases {
		copied := *c
		fmt.Fprintf(&b, "%s %s %s %s\n", due(c.NoticeDue), due(c.CorrectionDue), due(c.Due), due(c.Statutory))
		copied.NoticeDue, copied.CorrectionDue, copied.Due, copied.Statutory = nil, nil, nil, nil
		copied.Tolerances, copied.Promises = nil, nil
		for _, x := range c.Tolerances {
			fmt.Fprintf(&b, "%s %s %s %s %v %v %d", x.Material, due(x.Due), x.Then, due(x.Until), x.Lapsed, x.Supplied, x.Suspended)
			if x.Extended {
				b.WriteString(" extended")
			}
			b.WriteString("\n")
		}
		for _, x := range c.Promises {
			fmt.Fprintf(&b, "%s %s %s %v %v%s\n", x.Material, due(x.Due), x.Department, x.Verified, x.Holds, map[bool]string{true: " repaired"}[x.Repaired])
		}
		// What was not yet there when the first streams were stored is left out where it says nothing.
		fmt.Fprintf(&b, "%s\n", strings.NewReplacer(" MovedOn:0000-00-00", "", " Extended:false", "").Replace(fmt.Sprintf("%+v", copied)))
	}
	for _, x := range s.Tasks {
		copied := *x
		fmt.Fprintf(&b, "%s %s %s %v %s\n", due(x.Due), due(x.Statutory), due(x.CorrectionDue), x.Claim, x.DecidedBy.GetId())
		copied.Due, copied.Statutory, copied.CorrectionDue, copied.Claim, copied.DecidedBy = nil, nil, nil, nil, nil
		fmt.Fprintf(&b, "%s\n", strings.NewReplacer(" Extended:false", "", " Purpose: Promise: About:", "").Replace(fmt.Sprintf("%+v", copied)))
	}
	for _, x := range s.FollowUps {
		copied := *x
		fmt.Fprintf(&b, "%s %s %v %s\n", due(x.Due), due(x.CorrectionDue), x.Claim, x.DecidedBy.GetId())
		copied.Due, copied.CorrectionDue, copied.Claim, copied.DecidedBy = nil, nil, nil, nil
		fmt.Fprintf(&b, "%+v\n", copied)
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "%+v\n", w)
	}
	for _, x := range s.Documents {
		fmt.Fprintf(&b, "%+v\n", x)
	}
	return b.String()
}

// The people of the tests.
func applicant() *applicationv1.Actor {
	return &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}
}
func clerk() *applicationv1.Actor {
	return &applicationv1.Actor{Role: applicationv1.Role_ROLE_CLERK, Id: "clerk"}
}
func engine() *applicationv1.Actor {
	return &applicationv1.Actor{Role: applicationv1.Role_ROLE_ENGINE, Id: "engine"}
}
func plugin() *applicationv1.Actor {
	return &applicationv1.Actor{Role: applicationv1.Role_ROLE_PLUGIN, Id: "plugin"}
}
func officer(department string) *applicationv1.Actor {
	return &applicationv1.Actor{Role: applicationv1.Role_ROLE_OFFICER, Department: department, Id: "officer." + department}
}

// act is something that happens in a play.
type act func(*play)

// on moves the clock.
func on(day string) act { return func(p *play) { p.on(day) } }

// given sets something about the world.
func given(f func(*application.World)) act { return func(p *play) { f(&p.world) } }

func unknownCredit(w *application.World) { w.Facts = nil }
func badCredit(w *application.World) {
	w.Facts = map[forms.Path]kind.Value{"facts.owner.credit_restricted": kind.Bool(true)}
}
func noPlugins(w *application.World) { w.Plugins = nil }
func noNewYear(p *play)              { p.world.Calendar = p.short }
func published(p *play)              { p.world.Calendar = p.days }
func person(digest string) act       { return given(func(w *application.World) { w.Person = digest }) }
func correctionDays(days int) act {
	return given(func(w *application.World) { w.CorrectionDays = days })
}

// papers are what an applicant brings.
type papers struct {
	answers   map[string]any
	without   []string
	confirmed []string // aliases
	application.Documents
}

// paper changes what an applicant brings.
type paper func(*papers)

func answer(path string, v any) paper { return func(p *papers) { p.answers[path] = v } }
func unanswered(path string) paper    { return func(p *papers) { delete(p.answers, path) } }
func without(keys ...string) paper    { return func(p *papers) { p.without = append(p.without, keys...) } }
func tolerate(keys ...string) paper {
	return func(p *papers) {
		p.without = append(p.without, keys...)
		p.Tolerate = append(p.Tolerate, keys...)
		p.Promises = append(p.Promises, &applicationv1.SignedPromise{Text: "按期补交"})
	}
}
func confirmed(aliases ...string) paper {
	return func(p *papers) { p.confirmed = append(p.confirmed, aliases...) }
}
func unsigned(p *papers) {
	p.Promises = slices.DeleteFunc(p.Promises, func(s *applicationv1.SignedPromise) bool { return s.GetMaterial() == "" })
}
func promise(keys ...string) paper {
	return func(p *papers) {
		p.without = append(p.without, keys...)
		for _, key := range keys {
			p.Promises = append(p.Promises, &applicationv1.SignedPromise{Material: key, Text: "属实"})
		}
	}
}
func file(key string) *applicationv1.MaterialFile {
	return &applicationv1.MaterialFile{Material: key, Name: key + ".pdf", Blob: "b", MediaType: "application/pdf", Size: 3}
}
func bring(keys ...string) paper {
	return func(p *papers) {
		for _, key := range keys {
			p.Files = append(p.Files, file(key))
		}
	}
}

func (p *play) record(answers map[string]any) forms.Record {
	encoded := map[string]*structpb.Value{}
	for path, v := range answers {
		if p.world.Selection.Field(forms.Path(path)) == nil {
			continue
		}
		value, err := structpb.NewValue(v)
		if err != nil {
			p.Fatal(err)
		}
		encoded[path] = value
	}
	record, faults := forms.Decode(encoded, p.world.Selection.Field)
	if len(faults) > 0 {
		p.Fatal(faults)
	}
	return record
}

// choose selects bundles, as the engine does before the first command.
func (p *play) choose(bundles ...string) {
	var chosen []*catalog.Bundle
	for _, id := range bundles {
		chosen = append(chosen, p.catalog.Bundles[id])
	}
	var err error
	if p.world.Selection, err = catalog.Select(chosen...); err != nil {
		p.Fatal(err)
	}
}

// apply files an application for bundles (with spaces between them), with everything that is asked in the usual case
// but for changes.
func apply(bundles string, changes ...paper) act {
	return func(p *play) {
		p.Helper()
		brought := &papers{answers: own()}
		for _, change := range changes {
			change(brought)
		}
		if p.state.Number == "" {
			p.choose(strings.Fields(bundles)...)
			number, err := application.NewNumber("321323", kind.DateOf(p.world.Now), 7)
			if err != nil {
				p.Fatal(err)
			}
			p.world.Number = number
		}
		for _, key := range materialsOf() {
			known := slices.ContainsFunc(p.world.Selection.Bundles, func(b *catalog.Bundle) bool {
				return slices.ContainsFunc(b.Materials, func(m *catalog.Material) bool { return m.Key == key })
			})
			if known && !slices.Contains(brought.without, key) {
				brought.Files = append(brought.Files, file(key))
			}
		}
		submit := application.Submit{Record: p.record(brought.answers), Documents: brought.Documents, Persons: map[string]string{"owner": "k1"}}
		for _, alias := range brought.confirmed {
			submit.Confirmations = append(submit.Confirmations, &applicationv1.Confirmation{Alias: alias, At: timestamppb.New(p.world.Now), Actor: applicant()})
			submit.Confirmed = append(submit.Confirmed, &applicationv1.Confirmed{Alias: alias, Actor: "k-" + alias})
		}
		p.do(applicant(), submit)
	}
}

// correct makes a new revision.
func correct(changes ...paper) act { return correctAt(0, changes...) }

func correctAt(version int64, changes ...paper) act {
	return func(p *play) {
		p.Helper()
		brought := &papers{answers: map[string]any{}}
		for _, change := range changes {
			change(brought)
		}
		p.do(applicant(), application.Correct{Changes: p.record(brought.answers), Documents: brought.Documents, Expected: version})
	}
}

func as(who *applicationv1.Actor, c application.Command) act {
	return func(p *play) { p.Helper(); p.do(who, c) }
}

func supply(key string) act {
	return as(applicant(), application.Supply{Material: key, File: file(key)})
}
func accept(bundle string) act {
	return as(clerk(), application.Accept{Bundle: bundle})
}
func override(bundle string) act {
	return as(clerk(), application.Accept{Bundle: bundle, OverrideReason: "已核实"})
}
func refuse(bundle string) act {
	return as(clerk(), application.Refuse{Bundle: bundle, Reason: "不符合条件"})
}
func withdraw(bundle string) act {
	return as(applicant(), application.Withdraw{Bundle: bundle, Reason: "不办了"})
}
func lapse(p *play) { p.Helper(); p.do(engine(), application.Lapse{}) }
func settleDates(p *play) {
	p.Helper()
	p.do(engine(), application.SettleDates{})
}
func notify(items ...application.Item) act {
	return as(clerk(), application.NotifyCorrection{Items: items})
}
func item(bundle, path string) application.Item {
	return application.Item{Bundle: bundle, Path: path, Text: "请补正"}
}

// checked is the plugin's answer to a check of the current revision, with the codes of what it found: `!` before an
// obstacle, `~` before a note.
func checked(bundle, step string, codes ...string) act {
	return func(p *play) {
		p.Helper()
		attempt := int32(1)
		for _, k := range p.state.Case(bundle).Checks {
			if k.Step == step {
				attempt = k.Attempt
			}
		}
		p.do(plugin(), application.RecordCheck{Bundle: bundle, Step: step, Revision: p.state.Case(bundle).Revision, Attempt: attempt, Plugin: "sha", Findings: p.found(bundle, step, codes), Trace: application.Trace{Content: []byte("saw")}})
	}
}

func (p *play) found(bundle, step string, codes []string) []*applicationv1.Finding {
	var findings []*applicationv1.Finding
	for _, code := range codes {
		f := &applicationv1.Finding{Code: strings.TrimLeft(code, "!~"), Severity: "CORRECT", Path: "own.shop.size", Bundle: bundle, Text: forms.Text{ZH: "请看" + code}.Proto()}
		if s := p.world.Selection.Bundle(bundle).Step(step); s != nil {
			f.Department = s.Department.ID
		}
		switch code[0] {
		case '!':
			f.Severity = "OBSTACLE"
		case '~':
			f.Severity = "NOTE"
		}
		findings = append(findings, f)
	}
	return findings
}

// task is the number of a step's task.
func (p *play) task(bundle, step string) string {
	p.Helper()
	t := p.state.TaskOf(bundle, step)
	if t == nil {
		p.Fatalf("%s.%s has no task; what happened:\n%s", bundle, step, strings.Join(p.says(p.events), "\n"))
	}
	return t.Number
}

// of gives a command about a step's task, by an officer of its department.
func of(bundle, step string, command func(task string) application.Command) act {
	return func(p *play) {
		p.Helper()
		number := p.task(bundle, step)
		p.do(officer(p.state.Task(number).Department), command(number))
	}
}

// values are those of a result, from pairs.
func values(pairs ...any) map[string]*structpb.Value {
	given := map[string]*structpb.Value{}
	for i := 0; i < len(pairs); i += 2 {
		v, err := structpb.NewValue(pairs[i+1])
		if err != nil {
			panic(err)
		}
		given[pairs[i].(string)] = v
	}
	return given
}

func approve(bundle, step string, pairs ...any) act {
	return of(bundle, step, func(task string) application.Command {
		return application.DecideTask{Task: task, Approve: true, Result: values(pairs...)}
	})
}
func reject(bundle, step string) act {
	return of(bundle, step, func(task string) application.Command { return application.DecideTask{Task: task, Reason: "不合格"} })
}
func pause(bundle, step, procedure string) act {
	return of(bundle, step, func(task string) application.Command {
		return application.PauseTask{Task: task, Procedure: procedure, Days: 5, Reason: "须听证"}
	})
}
func resume(bundle, step string) act {
	return of(bundle, step, func(task string) application.Command { return application.ResumeTask{Task: task} })
}
func ask(bundle, step string, paths ...string) act {
	return of(bundle, step, func(task string) application.Command {
		c := application.AskCorrection{Task: task, Reason: "受理前不能知道"}
		for _, path := range paths {
			c.Items = append(c.Items, item("", path))
		}
		return c
	})
}

// byHead is an approval of the head of an office.
func byHead(days int) application.Approval {
	return application.Approval{Days: days, Approver: "head", Reason: "案情复杂"}
}

func extend(bundle, step string, days int) act {
	return of(bundle, step, func(task string) application.Command {
		return application.ExtendTask{Task: task, Approval: byHead(days)}
	})
}
func extendCase(bundle string, days int) act {
	return as(clerk(), application.ExtendCase{Bundle: bundle, Approval: byHead(days)})
}
func extendTolerance(bundle, material string, days int) act {
	return as(clerk(), application.ExtendTolerance{Bundle: bundle, Material: material, Approval: byHead(days)})
}
func claim(bundle, step string) act {
	return of(bundle, step, func(task string) application.Command { return application.ClaimTask{Task: task} })
}
func release(bundle, step string) act {
	return of(bundle, step, func(task string) application.Command { return application.ReleaseTask{Task: task} })
}

// decided is a plugin's answer on the current revision.
func decided(bundle, step, outcome string, attempt int32, pairs ...any) act {
	return func(p *play) {
		p.Helper()
		c := application.RecordDecision{Task: p.task(bundle, step), Outcome: outcome, Result: values(pairs...), Revision: p.state.Revision, Attempt: attempt, Plugin: "sha", Trace: application.Trace{Content: []byte("saw")}}
		if outcome != application.Approved {
			c.Findings = p.found(bundle, step, []string{"narrow"})
		}
		p.do(plugin(), c)
	}
}
func issued(bundle, step string, attempt int32, pairs ...any) act {
	return func(p *play) {
		p.Helper()
		number := p.task(bundle, step)
		p.do(plugin(), application.RecordIssue{Task: number, Document: file(application.ResultFile(number)), Result: values(pairs...), Attempt: attempt, Plugin: "sha"})
	}
}
func failed(bundle, step, hook string, attempt int32, gaveUp bool) act {
	return func(p *play) {
		p.Helper()
		p.do(plugin(), application.RecordFailure{Task: p.task(bundle, step), Hook: hook, Attempt: attempt, Kind: "timed_out", Plugin: "sha", GaveUp: gaveUp})
	}
}
func verify(bundle, material string, holds bool) act {
	reason := ""
	if !holds {
		reason = "查无此约"
	}
	return as(officer("police"), application.VerifyPromise{Bundle: bundle, Material: material, Holds: holds, Reason: reason})
}

// scene is a row of a table: after what is given, on a day, a command comes to events, or is refused.
type scene struct {
	name  string
	given []act
	at    string // day (and time) of the command; empty: as it is
	when  act
	then  []string // what happens, as say puts it, but for warnings
	warns []string // the warnings; nil: any
	but   refusal.Reason
	wrong []string // the violations of a refusal: code and path or rule
	check func(*play)
}

// run plays scenes. A refusal leaves everything as it was.
func run(t *testing.T, scenes []scene) {
	t.Helper()
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t)
			for i, a := range s.given {
				a(p)
				if p.err != nil {
					t.Fatalf("given %d: %v", i+1, p.err)
				}
			}
			if s.at != "" {
				p.on(s.at)
			}
			s.when(p)
			var refused *refusal.Refusal
			switch {
			case s.but == "" && p.err != nil:
				t.Fatalf("refused: %v, %s", p.err, wrong(p.err))
			case s.but != "" && (!errors.As(p.err, &refused) || refused.Reason != s.but):
				t.Fatalf("got %v and %v, want it refused: %s", p.says(p.lastly), p.err, s.but)
			}
			if s.but != "" {
				if refused.Text.ZH == "" || refused.Text.EN == "" {
					t.Error("the refusal has no text")
				}
				if diff := cmp.Diff(s.wrong, wrong(p.err)); s.wrong != nil && diff != "" {
					t.Errorf("violations (-want +got):\n%s", diff)
				}
			}
			warned := []string{}
			p.lastly = slices.DeleteFunc(slices.Clone(p.lastly), func(e *applicationv1.Event) bool {
				if e.GetWarned() == nil {
					return false
				}
				warned = append(warned, p.say(e))
				return true
			})
			if diff := cmp.Diff(s.then, p.says(p.lastly)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(s.warns, warned); s.warns != nil && diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			if s.check != nil {
				s.check(p)
			}
			replays(p)
		})
	}
}

func wrong(err error) []string {
	var refused *refusal.Refusal
	if !errors.As(err, &refused) {
		return nil
	}
	var all []string
	for _, v := range refused.Violations {
		all = append(all, strings.TrimSpace(v.Code+" "+string(v.Path)+v.Rule))
	}
	return all
}

// replays compares the state with what the stored events, which have no personal part, make.
func replays(p *play) {
	p.Helper()
	replayed := application.State{ID: "a"}
	for _, e := range p.events {
		stored := proto.CloneOf(e)
		stored.Personal = nil
		replayed = application.Evolve(replayed, stored)
	}
	if diff := cmp.Diff(p.state, replayed, protocmp.Transform()); diff != "" {
		p.Errorf("replayed without personal parts (-live +replayed):\n%s", diff)
	}
}

// due is a date as the tests write it.
func due(d *applicationv1.Due) string {
	switch {
	case d == nil:
		return "-"
	case d.GetDate() == "" && d.GetEarliest() == "":
		return "?"
	case d.GetDate() == "":
		return "?" + short(d.GetEarliest())
	}
	return short(d.GetDate())
}

func short(day string) string { return strings.TrimPrefix(day, "2026-") }

func (p *play) says(events []*applicationv1.Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, p.say(e))
	}
	return all
}

// say is an event in a line: what is public of it, and matters.
func (p *play) say(e *applicationv1.Event) string {
	step := func(number string) string {
		t := p.state.Task(number)
		if t == nil {
			return "no task"
		}
		return t.Bundle + "." + t.Step
	}
	words := []string{}
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	list := func(name string, of []string) {
		if len(of) > 0 {
			add("%s %s", name, strings.Join(of, ","))
		}
	}
	cases := func(of []*applicationv1.SubmittedCase) {
		for _, c := range of {
			add("%s %s", c.GetBundle(), c.GetVerdict())
			list("failing", c.GetFailing())
			list("undecided", c.GetUndecided())
			list("checks", c.GetChecks())
		}
	}
	switch k := e.GetKind().(type) {
	case *applicationv1.Event_Submitted:
		add("submitted, notice by %s", due(k.Submitted.GetNoticeDue()))
		var together []string
		for _, c := range k.Submitted.GetConfirmations() {
			together = append(together, c.GetAlias())
		}
		list("confirmed by", together)
		cases(k.Submitted.GetCases())
	case *applicationv1.Event_Checked:
		add("checked %s.%s", k.Checked.GetBundle(), k.Checked.GetStep())
		list("found", k.Checked.GetFindings())
		if k.Checked.GetFailed() {
			add("failed")
		}
	case *applicationv1.Event_Accepted:
		a := k.Accepted
		add("accepted %s %s as of %s, due %s, statutory %s", a.GetBundle(), a.GetBy(), short(a.GetAsOf()), due(a.GetDue()), due(a.GetStatutory()))
		list("over", a.GetOverridden())
		for _, x := range a.GetTolerances() {
			add("%s by %s %s", x.GetMaterial(), due(x.GetDue()), x.GetThen())
		}
		if a.GetFeeFen() > 0 {
			add("fee %d", a.GetFeeFen())
		}
	case *applicationv1.Event_CorrectionNotified:
		add("notified %s by %s", strings.Join(k.CorrectionNotified.GetBundles(), ","), due(k.CorrectionNotified.GetDue()))
		for _, i := range k.CorrectionNotified.GetItems() {
			add("%s %s %s%s", i.GetBundle(), i.GetPath(), i.GetCode(), strings.TrimSuffix(" "+i.GetDepartment(), " "))
		}
	case *applicationv1.Event_Corrected:
		add("corrected to %d, notice by %s", k.Corrected.GetRevision(), due(k.Corrected.GetNoticeDue()))
		list("paths", k.Corrected.GetPaths())
		list("materials", k.Corrected.GetMaterials())
		cases(k.Corrected.GetCases())
	case *applicationv1.Event_Moved:
		m := k.Moved
		add("moved %s from %d to %d, revision %d, notice by %s", m.GetBundle(), m.GetFromVersion(), m.GetToVersion(), m.GetRevision().GetRevision(), due(m.GetRevision().GetNoticeDue()))
		list("paths", m.GetRevision().GetPaths())
		list("materials", m.GetRevision().GetMaterials())
		cases(m.GetRevision().GetCases())
		if m.GetDue() != nil {
			add("due %s, statutory %s, fee %d", due(m.GetDue()), due(m.GetStatutory()), m.GetFeeFen())
			list("steps", m.GetSteps())
		}
	case *applicationv1.Event_NotAccepted:
		add("not accepted %s", k.NotAccepted.GetBundle())
		if k.NotAccepted.GetElsewhere() {
			add("elsewhere")
		}
		list("reasons", k.NotAccepted.GetReasons())
	case *applicationv1.Event_MaterialSupplied:
		add("supplied %s.%s on %s", k.MaterialSupplied.GetBundle(), k.MaterialSupplied.GetMaterial(), short(k.MaterialSupplied.GetOn()))
	case *applicationv1.Event_Withdrawn:
		add("withdrawn %s", k.Withdrawn.GetBundle())
	case *applicationv1.Event_TaskOpened:
		o := k.TaskOpened
		add("opened %s.%s on %s by %s", o.GetBundle(), o.GetStep(), short(o.GetOpened()), due(o.GetDue()))
		if o.GetStatutory() != nil {
			add("statutory %s", due(o.GetStatutory()))
		}
		if o.GetPlugin() != "" {
			add("plugin %s", o.GetPlugin())
		}
		list("waits", o.GetWaitsExamination())
		list("result waits", o.GetWaitsResult())
		list("open", o.GetOpenConditions())
		list("unjudged", o.GetFindings())
		if o.GetPurpose() != "" {
			add("to %s %s for %s", o.GetPurpose(), step(o.GetAbout()), o.GetPromise())
			if o.GetCorrection() != nil {
				add("correction %s", due(o.GetCorrection()))
			}
		}
	case *applicationv1.Event_StepSkipped:
		if k.StepSkipped.GetEnded() {
			add("not reached %s.%s", k.StepSkipped.GetBundle(), k.StepSkipped.GetStep())
		} else {
			add("skipped %s.%s", k.StepSkipped.GetBundle(), k.StepSkipped.GetStep())
		}
	case *applicationv1.Event_TaskClaimed:
		add("claimed %s until %s", step(k.TaskClaimed.GetTask()), k.TaskClaimed.GetUntil().AsTime().In(p.world.Now.Location()).Format("01-02 15:04"))
	case *applicationv1.Event_TaskReleased:
		add("released %s", step(k.TaskReleased.GetTask()))
	case *applicationv1.Event_TaskDecided:
		add("%s %s on revision %d", strings.ToLower(k.TaskDecided.GetOutcome()), step(k.TaskDecided.GetTask()), k.TaskDecided.GetRevision())
		list("because", k.TaskDecided.GetReasons())
	case *applicationv1.Event_ResultIssued:
		add("issued %s", step(k.ResultIssued.GetTask()))
		if d := k.ResultIssued.GetDocument(); d != "" {
			add("%s", d)
		}
		if until := k.ResultIssued.GetValidUntil(); until != "" {
			add("until %s", short(until))
		}
	case *applicationv1.Event_TaskPaused:
		add("paused %s %s from %s, due %s, statutory %s", step(k.TaskPaused.GetTask()), k.TaskPaused.GetProcedure(), short(k.TaskPaused.GetFrom()), due(k.TaskPaused.GetDue()), due(k.TaskPaused.GetStatutory()))
	case *applicationv1.Event_TaskResumed:
		add("resumed %s after %s, due %s, statutory %s", step(k.TaskResumed.GetTask()), short(k.TaskResumed.GetTo()), due(k.TaskResumed.GetDue()), due(k.TaskResumed.GetStatutory()))
	case *applicationv1.Event_PluginFailed:
		add("failed %s attempt %d", k.PluginFailed.GetHook(), k.PluginFailed.GetAttempt())
		if k.PluginFailed.GetGaveUp() {
			add("gave up")
		}
	case *applicationv1.Event_CorrectionAsked:
		a := k.CorrectionAsked
		add("asked %s by %s, due %s, statutory %s", step(a.GetTask()), due(a.GetDue()), due(a.GetPromised()), due(a.GetStatutory()))
		for _, i := range a.GetItems() {
			add("%s", i.GetPath())
		}
	case *applicationv1.Event_ToleranceLapsed:
		add("lapsed %s.%s %s", k.ToleranceLapsed.GetBundle(), k.ToleranceLapsed.GetMaterial(), k.ToleranceLapsed.GetThen())
		if k.ToleranceLapsed.GetUntil() != nil {
			add("until %s", due(k.ToleranceLapsed.GetUntil()))
		}
	case *applicationv1.Event_CaseEnded:
		add("ended %s %s", k.CaseEnded.GetBundle(), strings.TrimPrefix(k.CaseEnded.GetOutcome().String(), "OUTCOME_"))
	case *applicationv1.Event_Warned:
		w := k.Warned
		name := w.GetBundle()
		if w.GetTask() != "" {
			name = step(w.GetTask())
		}
		if w.GetMaterial() != "" {
			name += "." + w.GetMaterial()
		}
		add("%s %s %s by %s", w.GetColour(), name, w.GetClock(), short(w.GetDate()))
	case *applicationv1.Event_Extended:
		x := k.Extended
		name := x.GetBundle()
		if x.GetTask() != "" {
			name = step(x.GetTask())
		}
		if x.GetMaterial() != "" {
			name += "." + x.GetMaterial()
		}
		add("extended %s by %d, due %s, statutory %s, approved by %s", name, x.GetDays(), due(x.GetDue()), due(x.GetStatutory()), x.GetApprover())
	case *applicationv1.Event_VerificationOpened:
		add("to verify %s.%s %s by %s", k.VerificationOpened.GetBundle(), k.VerificationOpened.GetMaterial(), k.VerificationOpened.GetDepartment(), due(k.VerificationOpened.GetDue()))
	case *applicationv1.Event_PromiseVerified:
		add("verified %s.%s %v", k.PromiseVerified.GetBundle(), k.PromiseVerified.GetMaterial(), k.PromiseVerified.GetHolds())
		for _, t := range k.PromiseVerified.GetTasks() {
			add("before %s", step(t))
		}
	case *applicationv1.Event_ResultRevoked:
		add("revoked %s", step(k.ResultRevoked.GetTask()))
	case *applicationv1.Event_PromiseRepaired:
		add("repaired %s.%s", k.PromiseRepaired.GetBundle(), k.PromiseRepaired.GetMaterial())
	case *applicationv1.Event_DueSettled:
		d := k.DueSettled
		name := d.GetBundle()
		if d.GetTask() != "" {
			name = step(d.GetTask())
		}
		add("dates of %s", name)
		for _, x := range []struct {
			name string
			due  *applicationv1.Due
		}{{"due", d.GetDue()}, {"statutory", d.GetStatutory()}, {"notice", d.GetNoticeDue()}, {"correction", d.GetCorrection()}} {
			if x.due != nil {
				add("%s %s", x.name, due(x.due))
			}
		}
		for _, x := range d.GetTolerances() {
			add("%s by %s", x.GetMaterial(), due(x.GetDue()))
		}
		for _, m := range slices.Sorted(maps.Keys(d.GetSuspensions())) {
			add("%s suspended until %s", m, due(d.GetSuspensions()[m]))
		}
		for _, m := range slices.Sorted(maps.Keys(d.GetVerifications())) {
			add("%s to verify by %s", m, due(d.GetVerifications()[m]))
		}
	case *applicationv1.Event_DocumentMade:
		add("made %s of %d, %s", k.DocumentMade.GetNumber(), k.DocumentMade.GetEvent(), short(k.DocumentMade.GetOn()))
	case *applicationv1.Event_DocumentServed:
		add("served %s %s on %s", k.DocumentServed.GetNumber(), k.DocumentServed.GetWay(), short(k.DocumentServed.GetOn()))
	default:
		add("%T", k)
	}
	return strings.Join(words, "; ")
}

func asRefusal(err error) *refusal.Refusal {
	var refused *refusal.Refusal
	if !errors.As(err, &refused) {
		return &refusal.Refusal{}
	}
	return refused
}

// refusedFor says whether an error is a refusal: for a reason, or any.
func refusedFor(err error, reason refusal.Reason) bool {
	var refused *refusal.Refusal
	return errors.As(err, &refused) && (reason == "" || refused.Reason == reason)
}

// commands are one of every kind.
func commands(bundle, step, task string) []application.Command {
	return []application.Command{application.Submit{}, application.RecordCheck{Bundle: bundle, Step: step, Revision: 1, Attempt: 1}, application.Accept{Bundle: bundle, OverrideReason: "已核实"},
		application.NotifyCorrection{Items: []application.Item{item(bundle, "form.owner.id_no")}}, application.Refuse{Bundle: bundle, Reason: "不"}, application.Correct{}, application.Move{Bundle: bundle}, application.Supply{Material: "plan", File: file("plan")},
		application.Withdraw{Bundle: bundle}, application.ClaimTask{Task: task}, application.ReleaseTask{Task: task}, application.DecideTask{Task: task, Approve: true},
		application.RecordDecision{Task: task, Outcome: application.Approved, Revision: 1, Attempt: 1}, application.RecordIssue{Task: task, Attempt: 1}, application.RecordFailure{Task: task, Hook: "decide", Attempt: 1},
		application.AskCorrection{Task: task, Reason: "不", Items: []application.Item{item(bundle, "form.owner.id_no")}}, application.PauseTask{Task: task, Procedure: "HEARING", Days: 1, Reason: "听证"}, application.ResumeTask{Task: task},
		application.ExtendTask{Task: task, Approval: byHead(2)}, application.ExtendCase{Bundle: bundle, Approval: byHead(2)}, application.ExtendTolerance{Bundle: bundle, Material: "plan", Approval: byHead(2)},
		application.VerifyPromise{Bundle: bundle, Material: "lease", Holds: true}, application.RepairPromise{Bundle: bundle, Material: "lease", Reason: "已补正"}, application.RecordRevocation{Task: task, Attempt: 1}, application.MakeDocuments{Documents: []application.MadeDocument{document("受理〔2026〕1号", 2)}},
		application.ServeDocument{Number: "受理〔2026〕1号", Way: application.ServedElectronically}, application.Lapse{}, application.SettleDates{}}
}

// byOther gives a command about a step's task by another officer of a department.
func byOther(department, bundle, step string, command func(task string) application.Command) act {
	return func(p *play) {
		p.Helper()
		who := officer(department)
		who.Id = "other"
		p.do(who, command(p.task(bundle, step)))
	}
}

func containsText(lines []string, text string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, text) })
}

// offWork is a calendar as it is published again, in which some days of 2026 more are off, from one to another.
func offWork(from, to string) act {
	return func(p *play) {
		const after = "to: 2026-02-23 }\n"
		text := strings.Replace(string(holidays.Source()), after, after+"      - { name: 停工, from: 2026-"+from+", to: 2026-"+to+" }\n", 1)
		c, found := calendar.Parse(holidays.File, []byte(text))
		if err := found.Err(); err != nil {
			p.Fatal(err)
		}
		p.world.Calendar = c
	}
}

func sameLines(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

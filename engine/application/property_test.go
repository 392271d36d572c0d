package application_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// life draws commands: most fit what is there, some are nonsense, and time moves on between them.
//
// rapid draws a seed for each command only, as its generators prefer small numbers, so that most lives would end early.
type life struct {
	*play
	t   *rapid.T
	rnd *rand.Rand
}

func (l *life) draw(label string) {
	l.rnd = rand.New(rand.NewPCG(rapid.Uint64().Draw(l.t, label), uint64(len(l.events))))
}

func pick[T any](l *life, of ...T) T { return of[l.rnd.IntN(len(of))] }

func (l *life) chance(percent int) bool { return l.rnd.IntN(100) < percent }

func (l *life) yes() bool { return l.rnd.IntN(2) == 0 }

func (l *life) between(least, most int) int { return least + l.rnd.IntN(most-least+1) }

// bundle is a case's, or none's.
func (l *life) bundle() string {
	all := []string{"moon"}
	for _, c := range l.state.Cases {
		all = append(all, c.Bundle, c.Bundle, c.Bundle)
	}
	return pick(l, all...)
}

// someTask is a task's number, mostly of one that is not over.
func (l *life) someTask() (string, *application.Task) {
	var open []*application.Task
	for _, t := range l.state.Tasks {
		if !t.State.Settled() {
			open = append(open, t)
		}
	}
	switch {
	case len(open) > 0 && l.chance(85):
		t := pick(l, open...)
		return t.Number, t
	case len(l.state.Tasks) > 0 && l.chance(80):
		t := rapid.SampledFrom(l.state.Tasks).Draw(l.t, "task")
		return t.Number, t
	}
	return "321323202603160000071", nil
}

// who is mostly the one who may.
func (l *life) who(t *application.Task) *applicationv1.Actor {
	if t == nil || l.chance(5) {
		return pick(l, applicant(), clerk(), officer("police"), officer("market"), plugin(), engine())
	}
	a := officer(t.Department)
	if l.chance(10) {
		a.Id = "other"
	}
	return a
}

func (l *life) documents() application.Documents {
	var brought application.Documents
	for _, key := range append(materialsOf(), "own.shop.map", "own.shop.deed", "moon") {
		switch {
		case l.chance(60):
			brought.Files = append(brought.Files, file(key))
		case key != "moon" && l.chance(30):
			brought.Tolerate = append(brought.Tolerate, key)
		case l.chance(10):
			brought.Promises = append(brought.Promises, &applicationv1.SignedPromise{Material: key, Text: "属实"})
		}
	}
	if l.chance(90) {
		brought.Promises = append(brought.Promises, &applicationv1.SignedPromise{Text: "按期补交"})
	}
	return brought
}

// filed is an application that can be accepted in most draws.
func (l *life) filed() application.Submit {
	answers := own()
	for _, p := range []string{"own.shop.trained", "own.shop.food", "own.shop.sign", "own.shop.rented", "own.fair.big", "own.fair.loud", "own.fair.shown", "own.badge.urgent"} {
		if l.chance(30) {
			answers[p] = l.yes()
		}
	}
	if l.chance(3) {
		delete(answers, "form.owner.id_no")
	}
	var brought application.Documents
	toleratable := []string{"plan", "own.shop.photo", "own.shop.oath"}
	for _, key := range materialsOf() {
		known := l.world.Selection.Bundles
		if !slices.ContainsFunc(known, func(b *catalog.Bundle) bool {
			return slices.ContainsFunc(b.Materials, func(m *catalog.Material) bool { return m.Key == key })
		}) {
			continue
		}
		switch {
		case slices.Contains(toleratable, key) && l.chance(40):
			brought.Tolerate = append(brought.Tolerate, key)
		case (key == "own.shop.lease" || key == "own.fair.vow") && l.chance(40):
			brought.Promises = append(brought.Promises, &applicationv1.SignedPromise{Material: key, Text: "属实"})
		default:
			brought.Files = append(brought.Files, file(key))
		}
	}
	brought.Promises = append(brought.Promises, &applicationv1.SignedPromise{Text: "按期补交"})
	return application.Submit{Record: l.record(answers), Documents: brought, Persons: map[string]string{"owner": "k1"}}
}

// command draws one, with who gives it.
func (l *life) command() (*applicationv1.Actor, application.Command) {
	number, t := l.someTask()
	bundle := l.bundle()
	version := func(is int64) int64 {
		switch {
		case l.chance(70):
			return 0
		case l.chance(80):
			return is
		}
		return is + 1
	}
	var ofCase, ofTask int64
	if c := l.state.Case(bundle); c != nil {
		ofCase = c.Version
	}
	revision, attempt := l.state.Revision, int32(1)
	if t != nil {
		ofTask = t.Version
		_, attempt = t.Hook()
	}
	if l.chance(5) {
		revision--
		attempt--
	}
	result := values("number", "A1", "poor", l.yes(), "level", 3)
	if t != nil {
		for _, id := range slices.Sorted(maps.Keys(result)) {
			if !slices.ContainsFunc(l.world.Selection.Bundle(t.Bundle).Step(t.Step).Result, func(f *catalog.Field) bool { return f.ID == id }) && !l.chance(3) {
				delete(result, id)
			}
		}
	}
	reason := pick(l, "有理由", "有理由", "有理由", "")
	items := []application.Item{item(bundle, pick(l, "own."+bundle+".remark", "form.owner.id_no", "form.owner.id_no", "materials.plan", "materials.card", "own.moon"))}
	switch pick(l, "submit", "check", "check", "check", "accept", "accept", "notify", "notify", "refuse", "correct", "correct", "correct", "move", "move", "supply", "supply", "withdraw",
		"claim", "release", "decide", "decide", "decide", "decide", "plugin", "plugin", "issue", "issue", "failure", "ask", "ask", "pause", "pause", "resume", "resume", "resume", "verify", "verify", "lapse", "dates") {
	case "submit":
		return applicant(), l.filed()
	case "check":
		c := application.RecordCheck{Bundle: bundle, Step: pick(l, "audit", "audit", "licence"), Revision: revision, Attempt: attempt, Plugin: "sha", Findings: nil}
		if k := l.state.Case(bundle); k != nil && len(k.Checks) > 0 {
			c.Attempt, c.Step = k.Checks[0].Attempt, k.Checks[0].Step
			c.Findings = l.found(bundle, c.Step, []string{pick(l, "~old", "~old", "narrow", "!steep")})
		}
		if l.chance(20) {
			c.Failure, c.GaveUp = "timed_out", l.yes()
		}
		return plugin(), c
	case "accept":
		return clerk(), application.Accept{Bundle: bundle, OverrideReason: reason, Expected: version(ofCase)}
	case "notify":
		return clerk(), application.NotifyCorrection{Items: items, Expected: version(l.state.Version)}
	case "refuse":
		return clerk(), application.Refuse{Bundle: bundle, Reason: reason, Elsewhere: l.yes(), Expected: version(ofCase)}
	case "correct":
		answers := map[string]any{}
		usual := own()
		for _, p := range slices.Sorted(maps.Keys(usual)) {
			v := usual[p]
			if l.chance(20) {
				answers[p] = v
				if _, ok := v.(bool); ok {
					answers[p] = l.yes()
				}
			}
		}
		if l.chance(40) {
			answers["own.shop.remark"] = pick(l, "甲", "乙")
		}
		c := application.Correct{Changes: l.record(answers), Expected: version(l.state.Version)}
		if l.chance(30) {
			c.Documents = l.documents()
		}
		return applicant(), c
	case "move":
		c, ok := l.versions(bundle)
		if !ok {
			return applicant(), application.Move{Bundle: bundle, To: l.world.Selection}
		}
		c.Expected = version(l.state.Version)
		if l.chance(40) {
			c.Documents = l.documents()
		}
		return applicant(), c
	case "supply":
		key := pick(l, "plan", "own.shop.photo", "own.shop.oath", "own.shop.map", "moon")
		c := application.Supply{Material: key, File: file(key)}
		if l.chance(3) {
			c.File = nil
		}
		return applicant(), c
	case "withdraw":
		if l.chance(50) {
			bundle = "moon"
		}
		return applicant(), application.Withdraw{Bundle: bundle, Reason: reason}
	case "claim":
		return l.who(t), application.ClaimTask{Task: number, For: time.Duration(l.between(-1, 100)) * time.Minute, Expected: version(ofTask)}
	case "release":
		return l.who(t), application.ReleaseTask{Task: number}
	case "decide":
		return l.who(t), application.DecideTask{Task: number, Approve: l.chance(80), Result: result, Reason: reason, Document: file(application.ResultFile(number)), Expected: version(ofTask)}
	case "plugin":
		c := application.RecordDecision{Task: number, Outcome: pick(l, "APPROVED", "APPROVED", "REJECTED", "UNDETERMINED", "NO"), Result: result, Revision: revision, Attempt: attempt, Plugin: "sha", Trace: application.Trace{Content: []byte("saw")}}
		if c.Outcome == application.Rejected && l.chance(90) {
			c.Findings = []*applicationv1.Finding{{Code: "narrow", Severity: "CORRECT"}}
		}
		return plugin(), c
	case "issue":
		return plugin(), application.RecordIssue{Task: number, Document: file(application.ResultFile(number)), Result: result, Attempt: attempt, Plugin: "sha"}
	case "failure":
		return plugin(), application.RecordFailure{Task: number, Hook: pick(l, "decide", "issue", ""), Attempt: attempt, Kind: "timed_out", GaveUp: l.yes()}
	case "ask":
		return l.who(t), application.AskCorrection{Task: number, Items: items, Reason: reason, Expected: version(ofTask)}
	case "pause":
		return l.who(t), application.PauseTask{Task: number, Procedure: pick(l, "HEARING", "TESTING", "PUBLICITY", "REST"), Days: int32(l.between(-1, 30)), Reason: reason, Expected: version(ofTask)}
	case "resume":
		return l.who(t), application.ResumeTask{Task: number, Expected: version(ofTask)}
	case "verify":
		return officer("police"), application.VerifyPromise{Bundle: bundle, Material: pick(l, "lease", "vow", "card"), Holds: l.yes(), Reason: reason}
	case "dates":
		return engine(), application.SettleDates{}
	}
	return engine(), application.Lapse{}
}

// move lets time pass: often none, sometimes minutes, days, or weeks.
func (l *life) move() {
	switch pick(l, "", "", "", "", "", "", "minutes", "minutes", "minutes", "days", "days", "days", "", "", "", "weeks") {
	case "minutes":
		l.world.Now = l.world.Now.Add(time.Duration(l.between(1, 120)) * time.Minute)
	case "days":
		l.world.Now = l.world.Now.AddDate(0, 0, l.between(1, 6))
	case "weeks":
		l.world.Now = l.world.Now.AddDate(0, 0, l.between(7, 60))
	}
}

// decided again gives the same bytes.
func (l *life) bytes(events []*applicationv1.Event) []byte {
	var all []byte
	for _, e := range events {
		wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(append(all, wire...), 0)
	}
	return all
}

// lapsedFirst says that to settle first what has lapsed changes nothing of what a command comes to: the same events in
// all, or the same refusal.
func (l *life) lapsedFirst(who *applicationv1.Actor, c application.Command) {
	w := l.world
	w.Actor = engine()
	lapsed, err := application.Decide(l.state, application.Lapse{}, w)
	if err != nil {
		if l.state.Number != "" {
			l.t.Fatalf("what has lapsed is refused: %v", err)
		}
		return
	}
	if len(lapsed) == 0 {
		return
	}
	settled := *l.play
	settled.events, settled.findings = slices.Clone(l.events), maps.Clone(l.findings)
	settled.take(lapsed)
	w = settled.world
	w.Actor = who
	rest, err := application.Decide(settled.state, unexpecting(c), w)
	w = l.world
	w.Actor = who
	events, refused := application.Decide(l.state, unexpecting(c), w)
	if refused != nil || err != nil {
		if fmt.Sprint(refused) != fmt.Sprint(err) {
			l.t.Fatalf("%T comes to %v, and after a lapse to %v", c, refused, err)
		}
		return
	}
	if !bytes.Equal(l.bytes(events), l.bytes(slices.Concat(lapsed, rest))) {
		l.t.Fatalf("%T comes to\n%v\nand after a lapse to\n%v", c, l.says(events), l.says(slices.Concat(lapsed, rest)))
	}
}

// unexpecting is the command without the version that it expects, which a lapse before it changes.
func unexpecting(c application.Command) application.Command {
	switch c := c.(type) {
	case application.Accept:
		c.Expected = 0
		return c
	case application.Refuse:
		c.Expected = 0
		return c
	case application.NotifyCorrection:
		c.Expected = 0
		return c
	case application.Correct:
		c.Expected = 0
		return c
	case application.Move:
		c.Expected = 0
		return c
	case application.ClaimTask:
		c.Expected = 0
		return c
	case application.DecideTask:
		c.Expected = 0
		return c
	case application.AskCorrection:
		c.Expected = 0
		return c
	case application.PauseTask:
		c.Expected = 0
		return c
	case application.ResumeTask:
		c.Expected = 0
		return c
	default:
		return c
	}
}

// holds checks what must be true of every life.
func (l *life) holds(before application.State, record forms.Record) {
	s := l.state
	numbers := map[string]bool{}
	number := func(of, number string, want application.NumberKind) {
		n, ok := application.ParseNumber(number)
		if !ok || n.Kind != want || n.Application != s.Number {
			l.t.Fatalf("%s has the number %q", of, number)
		}
		if numbers[number] {
			l.t.Fatalf("the number %s is there twice", number)
		}
		numbers[number] = true
	}
	if s.Number != "" {
		number("the application", s.Number, application.NumberOfApplication)
	}
	for _, c := range s.Cases {
		number("a case", c.Number, application.NumberOfCase)
	}
	for _, t := range s.Tasks {
		number("a task", t.Number, application.NumberOfTask)
		c := s.Case(t.Bundle)
		if c == nil || c.AcceptedBy == applicationv1.Accepted_BY_UNSPECIFIED {
			l.t.Fatalf("%s.%s is a task, and its case was not accepted", t.Bundle, t.Step)
		}
		if c.State.Over() && !t.State.Settled() {
			l.t.Fatalf("%s.%s is %s, and its case is %s", t.Bundle, t.Step, t.State, c.State)
		}
		if s.TaskOf(t.Bundle, t.Step) != t {
			l.t.Fatalf("%s.%s has two tasks", t.Bundle, t.Step)
		}
		if c.Skip(t.Step) != nil {
			l.t.Fatalf("%s.%s is a task, and skipped", t.Bundle, t.Step)
		}
	}
	for _, e := range l.events {
		for _, notice := range []string{e.GetCorrectionNotified().GetNumber(), e.GetCorrectionAsked().GetNotice(), e.GetTaskPaused().GetNotice()} {
			if notice != "" {
				number("a notice", notice, application.NumberOfNotice)
			}
		}
	}
	for _, c := range before.Cases {
		if !c.State.Over() {
			continue
		}
		now := *s.Case(c.Bundle)
		was := *c
		promises := func(e *applicationv1.Event) bool {
			settled := e.GetDueSettled()
			return e.GetPromiseVerified().GetBundle() == c.Bundle || settled.GetBundle() == c.Bundle && len(settled.GetVerifications()) > 0
		}
		if !slices.ContainsFunc(l.lastly, promises) {
			if diff := cmp.Diff(was, now, protocmp.Transform()); diff != "" {
				l.t.Fatalf("%s was %s, and changed (-before +after):\n%s", c.Bundle, c.State, diff)
			}
			continue
		}
		was.Promises, now.Promises, was.Version, now.Version = nil, nil, 0, 0
		if diff := cmp.Diff(was, now, protocmp.Transform()); diff != "" {
			l.t.Fatalf("%s was %s; a promise changed more (-before +after):\n%s", c.Bundle, c.State, diff)
		}
	}
	for _, e := range l.lastly {
		if e.GetCorrected() != nil || e.GetSubmitted() != nil || e.GetMoved() != nil {
			record = l.world.Record
		}
		if m := e.GetMoved(); m != nil {
			l.movedRightly(before, m)
		}
		everyDue(e.ProtoReflect(), func(due *applicationv1.Due) {
			if due.GetDate() == "" {
				return
			}
			working, known := l.world.Calendar.IsWorkingDay(kind.MustDate(due.GetDate()))
			if !working || !known {
				l.t.Fatalf("%s is no working day: %s", due.GetDate(), l.say(e))
			}
		})
		if o := e.GetTaskOpened(); o != nil {
			l.routedRightly(o, record)
		}
	}
}

// sleeps says that downtime changes no right: what has lapsed in some days comes to the same state, whether somebody
// looked every day or at the end.
func (l *life) sleeps(days int) {
	w := l.world
	w.Actor = engine()
	daily, late := l.state, l.state
	settle := func(s application.State) application.State {
		if s.Number == "" {
			return s
		}
		events, err := application.Decide(s, application.Lapse{}, w)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, e := range events {
			s = application.Evolve(s, e)
		}
		return s
	}
	for range days {
		w.Now = w.Now.AddDate(0, 0, 1)
		daily = settle(daily)
	}
	late = settle(late)
	if diff := cmp.Diff(daily, late, protocmp.Transform()); diff != "" {
		l.t.Fatalf("%d days without a command (-noticed daily +noticed late):\n%s", days, diff)
	}
}

// versions is a command that moves a case to another version of its bundle; none of one that is not there.
func (l *life) versions(bundle string) (application.Move, bool) {
	drawn := map[string][][]edit{
		"shop":  {{wording}, {staff, forSeal}, {lastStep}, {firstStep}, {edit{"yuan(60)", "yuan(50)"}}, {edit{"require: own.size < 900", "require: own.size < 950"}}, {edit{"    promised: { working_days: 3 }\n", "    promised: { working_days: 2 }\n"}}},
		"fair":  {{edit{"zh: 大型", "zh: 大"}}, {edit{"promised: { working_days: 4 }", "promised: { working_days: 3 }"}}},
		"badge": {{edit{"zh: 加急", "zh: 急"}}, {edit{"promised: { working_days: 8 }\napplicant", "promised: { working_days: 7 }\napplicant"}}},
	}[bundle]
	if len(drawn) == 0 || l.world.Selection.Bundle(bundle) == nil {
		return application.Move{}, false
	}
	var changes []paper
	if l.chance(80) {
		changes = append(changes, answer("own.shop.staff", 3))
	}
	l.texts = nil // of the version as it was filed
	return l.moving(bundle, l.version(bundle, pick(l, drawn...)...), changes...), true
}

// movedRightly says that a move makes nothing worse: what was promised does not become later or dearer, no rule fails that
// did not, and of what has begun nothing is undone.
func (l *life) movedRightly(before application.State, m *applicationv1.Moved) {
	was, now := before.Case(m.GetBundle()), l.state.Case(m.GetBundle())
	if was.Digest != m.GetFrom() || now.Digest != m.GetTo() && !now.State.Over() {
		l.t.Fatalf("moved from %s to %s, and it is %s", was.Digest, m.GetTo(), now.Digest)
	}
	for _, c := range m.GetRevision().GetCases() {
		for _, r := range c.GetFailing() {
			if c.GetBundle() == m.GetBundle() && was.State != application.Accepted && !slices.Contains(was.Failing, r) {
				l.t.Fatalf("%s fails by the new version", r)
			}
		}
	}
	if was.State != application.Accepted {
		return
	}
	if m.GetDue().GetDate() > was.Due.GetDate() && was.Due.GetDate() != "" || m.GetFeeFen() > was.FeeFen {
		l.t.Fatalf("promised by %s for %d, and after the move by %s for %d", was.Due.GetDate(), was.FeeFen, m.GetDue().GetDate(), m.GetFeeFen())
	}
	for _, t := range before.Tasks {
		now := l.state.Task(t.Number)
		if now.Step != t.Step || now.Department != t.Department || t.State.Settled() && now.State != t.State || t.Outcome != "" && now.Outcome != t.Outcome {
			l.t.Fatalf("the task %s was %s of %s, %s, and is %s of %s, %s", t.Number, t.Step, t.Department, t.State, now.Step, now.Department, now.State)
		}
		if l.world.Selection.Bundle(t.Bundle).Step(t.Step) == nil {
			l.t.Fatalf("%s.%s is a task, and the version does not have it", t.Bundle, t.Step)
		}
	}
}

// routedRightly works out the `when` of the steps that have one on its own.
func (l *life) routedRightly(o *applicationv1.TaskOpened, record forms.Record) {
	answer := func(p forms.Path) bool { v, _ := record.Get(p); return v == kind.Bool(true) }
	applies := true
	switch o.GetBundle() + "." + o.GetStep() {
	case "shop.audit":
		applies = answer("own.shop.food")
	case "shop.seal":
		applies = answer("own.shop.sign")
	case "fair.noise":
		applies = answer("own.fair.loud")
	case "shop.repair":
		applies = l.world.Results["shop"]["results.audit.poor"] == kind.Bool(true) && l.state.TaskOf("shop", "audit").State == application.TaskApproved
	}
	if !applies {
		l.t.Fatalf("%s.%s is routed, and does not apply", o.GetBundle(), o.GetStep())
	}
}

// Random lives of applications for every selection of the tests' bundles.
func TestLives(t *testing.T) {
	t.Parallel()
	reached := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := newPlay(testing.TB(failing{TB: nil, t: t}))
		l := &life{play: p, t: t}
		l.draw("application")
		bundles := []string{"shop", "fair", "badge"}
		l.rnd.Shuffle(3, func(i, j int) { bundles[i], bundles[j] = bundles[j], bundles[i] })
		p.choose(bundles[:l.between(1, 3)]...)
		if l.chance(10) {
			p.world.Calendar = p.short
		}
		if l.chance(10) {
			p.world.Facts = nil
		}
		p.world.Person = "k1"
		serial := l.between(1, 999_999)
		allocate := func() {
			var err error
			if p.world.Number, err = application.NewNumber(p.world.Place, kind.DateOf(p.world.Now), serial); err != nil {
				t.Fatal(err)
			}
		}
		allocate()
		p.do(applicant(), l.filed())
		for range l.between(10, 60) {
			l.draw("command")
			l.move()
			if l.chance(10) {
				p.world.Calendar = p.days
			}
			allocate()
			who, c := l.command()
			before, record := p.state, p.world.Record
			w := p.world
			w.Actor = who
			printed := fmt.Sprintf("%+v", c)
			again, err := application.Decide(before, c, w)
			l.lapsedFirst(who, c)
			p.do(who, c)
			if got := fmt.Sprintf("%+v", c); got != printed {
				t.Fatalf("the command was changed from %s to %s", printed, got)
			}
			if fmt.Sprint(err) != fmt.Sprint(p.err) || !bytes.Equal(l.bytes(again), l.bytes(p.lastly)) {
				t.Fatalf("%T comes to %v, %v, and then to %v, %v", c, l.says(again), err, l.says(p.lastly), p.err)
			}
			if p.err != nil && !refusedFor(p.err, "") {
				t.Fatalf("%T: %v", c, p.err)
			}
			l.holds(before, record)
		}
		replays(p)
		l.sleeps(rapid.IntRange(1, 80).Draw(t, "days without a command"))
		for _, e := range p.events {
			reached[fmt.Sprintf("%T", e.GetKind())]++
		}
		for _, c := range p.state.Cases {
			reached[string(c.State)+c.Outcome]++
		}
	})
	t.Log(reached)
	for _, want := range []string{"CaseEnded", "ToleranceLapsed", "TaskDecided", "ResultIssued", "Corrected", "MaterialSupplied", "StepSkipped", "DueSettled", "Withdrawn", "TaskClaimed", "Moved"} {
		if reached["*applicationv1.Event_"+want] == 0 {
			t.Errorf("no life has reached %s: %v", want, reached)
		}
	}
}

// failing is a test of package testing over one of rapid: what a play needs of it.
type failing struct {
	testing.TB
	t *rapid.T
}

func (f failing) Helper()                      { f.t.Helper() }
func (f failing) Fatal(a ...any)               { f.t.Fatal(a...) }
func (f failing) Fatalf(text string, a ...any) { f.t.Fatalf(text, a...) }
func (f failing) Errorf(text string, a ...any) { f.t.Errorf(text, a...) }
func (f failing) Error(a ...any)               { f.t.Error(a...) }

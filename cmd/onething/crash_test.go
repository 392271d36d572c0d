//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/examples/intake"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// What was acknowledged is there after the server was killed at any moment, as often as one likes: clients draft, file,
// correct, supply and decide meanwhile, and repeat under the same request id what they got no answer to. Nothing is there
// in half, nothing twice, and in the end the views are what the log says and no work is left over.
//
// ONETHING_CRASH_FOR=30m goes on for so long instead of for 20 kills, ONETHING_CRASH_SEED=1 repeats the moments.
func TestServe_Killed(t *testing.T) {
	t.Parallel()
	needPlugins(t)
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("ONETHING_CRASH_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("ONETHING_CRASH_SEED=%d", seed)
	moments := rand.New(rand.NewPCG(seed, 0))
	limit, longest := 8*time.Minute, 1200*time.Millisecond
	begin := time.Now()
	more := func(kills int) bool { return kills < 20 && time.Since(begin) < 75*time.Second } // fewer on a machine that is busy
	if text := os.Getenv("ONETHING_CRASH_FOR"); text != "" {
		duration, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		end := time.Now().Add(duration)
		limit, longest = limit+duration, 6*time.Second
		more = func(int) bool { return time.Now().Before(end) }
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()

	k := newKilled(t)
	st, kill, _ := k.serve(ctx, t)
	k.up(st)
	working, stop := context.WithCancel(ctx)
	var clients sync.WaitGroup
	ended := make(chan error, 16)
	for _, client := range []func(context.Context) error{k.files, k.files, k.registers} {
		clients.Go(func() {
			for working.Err() == nil {
				if err := client(ctx); err != nil {
					ended <- err
					return
				}
			}
		})
	}
	kills := 0
	for ; more(kills); kills++ {
		select {
		case <-k.moment(moments, longest):
		case err := <-ended:
			t.Fatal(err)
		}
		k.down()
		kill()
		st, kill, _ = k.serve(ctx, t)
		k.check(ctx, t, st, kills%10 == 9)
		k.up(st)
	}
	stop()
	clients.Wait() // each brings what it has begun to its end
	select {
	case err := <-ended:
		t.Fatal(err)
	default:
	}
	k.down()
	kill()
	st, _, halt := k.serve(ctx, t)
	k.check(ctx, t, st, true)
	k.settle(ctx, t, st)
	halt()
	k.inspect(ctx, t)
	t.Logf("%d kills, %s", kills, k.facts.counts())
	if k.facts.filed == 0 || k.facts.decided == 0 || k.facts.supplied == 0 || k.facts.corrected == 0 || k.histories == 0 {
		t.Error("too little was done for a test of anything")
	}
}

// killed is a server that is killed again and again, and what its clients were told.
type killed struct {
	folder, plugins, tree string

	mu      sync.Mutex
	stage   *stage        // nil while it is down
	changed chan struct{} // closed and replaced when it is up again

	answers   atomic.Int64 // how many clients got
	progress  *lines       // of the server that was started last
	facts     facts
	histories int
}

// facts are what was acknowledged.
type facts struct {
	mu    sync.Mutex
	known map[string]*fact // by id of the draft, which is that of the application
	// how often
	filed, corrected, supplied, decided, saved int
}

// fact is what was acknowledged of one application.
type fact struct {
	revision   int64 // of its draft
	submitting bool  // asked for, perhaps not answered yet
	number     string
	record     int32 // revision of the record after a correction
	accepted   bool
	supplied   bool
	decided    []string // steps
	checked    bool     // after it was finished
	finished   bool
}

func (f *facts) of(id string) *fact {
	if f.known[id] == nil {
		f.known[id] = &fact{}
	}
	return f.known[id]
}

func (f *facts) note(id string, change func(*fact)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f.of(id))
}

func (f *facts) counts() string {
	return fmt.Sprintf("%d drafts, %d saved, %d filed, %d corrected, %d supplied, %d decided", len(f.known), f.saved, f.filed, f.corrected, f.supplied, f.decided)
}

func newKilled(t *testing.T) *killed {
	t.Helper()
	k := &killed{folder: filepath.Join(t.TempDir(), "data"), plugins: t.TempDir(), tree: t.TempDir(), changed: make(chan struct{}), facts: facts{known: map[string]*fact{}}}
	if err := os.CopyFS(k.tree, examples.Only("newborn")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"household.wasm", "socialcard.wasm"} {
		plugin, err := filepath.Abs(filepath.Join("../../build/plugins", name))
		if err == nil {
			err = os.Link(plugin, filepath.Join(k.plugins, name))
		}
		if errors.Is(err, os.ErrExist) || err == nil {
			continue
		}
		content, err := os.ReadFile(plugin) // another disk
		if err == nil {
			err = os.WriteFile(filepath.Join(k.plugins, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// serve starts the server. kill kills it, halt ends it and holds that it ends well.
func (k *killed) serve(ctx context.Context, t *testing.T) (st *stage, kill, halt func()) {
	t.Helper()
	progress := &lines{}
	k.progress = progress
	cmd := exec.CommandContext(ctx, "onething", "serve", "--dev", "--today", "2026-12-28", "--listen", "127.0.0.1:0", "--dev-issuer", "127.0.0.1:0",
		"--data", k.folder, "--bundles", k.tree, "--plugins", k.plugins)
	cmd.Stderr = progress
	at, end, err := untilReady(cmd)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
	halt = func() {
		t.Helper()
		if err := end(); err != nil {
			t.Fatalf("ended: %v\n%s", err, progress.String())
		}
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // no harm to one that has ended
	return &stage{api: at["API"], issuer: at["issuer"]}, kill, halt
}

// moment is when the server is killed that has just come up: after some time, most often a short one, so that it is hit at its
// start as well as long after; or, every other time, already after some answers, so that it is hit while much is going on,
// however fast the machine is.
func (k *killed) moment(r *rand.Rand, longest time.Duration) <-chan struct{} {
	const shortest = 50 * time.Millisecond
	after := time.Duration(float64(shortest) * math.Pow(float64(longest)/float64(shortest), r.Float64()))
	answers := int64(math.MaxInt64)
	if r.IntN(2) == 0 {
		after, answers = longest, k.answers.Load()+1+r.Int64N(120)
	}
	come := make(chan struct{})
	end := time.Now().Add(after)
	go func() {
		defer close(come)
		for time.Now().Before(end) && k.answers.Load() < answers {
			<-time.After(time.Millisecond) // the moment, not a wait for something
		}
	}()
	return come
}

func (k *killed) up(st *stage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stage = st
	close(k.changed)
	k.changed = make(chan struct{})
}

func (k *killed) down() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stage = nil
}

// serving returns the server as soon as there is one.
func (k *killed) serving(ctx context.Context) (*stage, error) {
	for {
		k.mu.Lock()
		st, changed := k.stage, k.changed
		k.mu.Unlock()
		if st != nil {
			return st, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// until asks until there is an answer, or a refusal of the engine's: whoever got none asks the next server the same, under
// the same request id.
func until[T any](ctx context.Context, k *killed, ask func(*stage) (T, error)) (T, error) {
	var none T
	for tries := 0; ; tries++ {
		st, err := k.serving(ctx)
		if err != nil {
			return none, err
		}
		answer, err := ask(st)
		if err == nil {
			k.answers.Add(1)
			return answer, nil
		}
		if reason := intake.Why(err).GetReason(); reason != apiv1.Reason_REASON_UNSPECIFIED && reason != apiv1.Reason_REASON_NOT_YET_VISIBLE {
			return none, err
		}
		if tries > 10_000 || ctx.Err() != nil {
			return none, fmt.Errorf("no answer at all: %w", err)
		}
	}
}

func stale(err error) bool { return intake.Why(err).GetReason() == apiv1.Reason_REASON_STALE }

// check holds the server, which nobody else speaks to, against what was acknowledged. What was finished is looked at once,
// or every time.
func (k *killed) check(ctx context.Context, t *testing.T, st *stage, everything bool) {
	t.Helper()
	k.facts.mu.Lock()
	defer k.facts.mu.Unlock()
	resident := st.as("resident")
	for id, f := range k.facts.known {
		if f.checked && !everything {
			continue
		}
		f.checked = f.finished
		if f.number == "" {
			if f.revision == 0 {
				continue
			}
			draft, err := resident.Intake.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: id})
			switch {
			case err != nil && f.submitting && intake.Why(err).GetReason() == apiv1.Reason_REASON_NOT_FOUND: // filed, and not answered
			case err != nil:
				t.Fatalf("draft %s, acknowledged in revision %d: %v", id, f.revision, err)
			case draft.GetDraft().GetRevision() < f.revision:
				t.Fatalf("draft %s is in revision %d, acknowledged was %d", id, draft.GetDraft().GetRevision(), f.revision)
			}
			continue
		}
		answer, err := resident.Intake.GetApplication(ctx, &apiv1.GetApplicationRequest{Application: id})
		if err != nil {
			t.Fatalf("application %s: %v", f.number, err)
		}
		a := answer.GetApplication()
		states := map[string]string{}
		for _, task := range a.GetCases()[0].GetTasks() {
			states[task.GetStep()] = task.GetState()
		}
		if a.GetNumber() != f.number || f.accepted && len(states) == 0 {
			t.Fatalf("application %s is %s with the tasks %v; accepted: %t", f.number, a.GetNumber(), states, f.accepted)
		}
		for _, step := range f.decided {
			if s := states[step]; s != "APPROVED" && s != "DECIDED" {
				t.Fatalf("application %s: step %s was decided and is %q", f.number, step, s)
			}
		}
		for _, m := range a.GetMaterials() {
			if m.GetMaterial() == tolerated && f.supplied && m.GetFile().GetDigest() == "" {
				t.Fatalf("application %s: %s was supplied and is not there", f.number, tolerated)
			}
		}
	}
}

// settle waits until the plugin has decided what there is to decide, or has left it to an officer.
func (k *killed) settle(ctx context.Context, t *testing.T, st *stage) {
	t.Helper()
	for id, f := range k.facts.known {
		if len(f.decided) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		var tasks []*apiv1.CaseTask
		_, err := st.as("resident").Filed(id).Until(ctx, func(a *apiv1.Application) (bool, error) {
			tasks = a.GetCases()[0].GetTasks()
			for _, task := range tasks {
				if task.GetStep() == "household" && task.GetState() == "APPROVED" {
					return true, nil
				}
			}
			left, err := st.as("officer-public_security").Tasks(ctx, 0)
			return slices.ContainsFunc(left, func(t *apiv1.Task) bool { return t.GetApplication() == id && t.GetStep() == "household" }), err
		})
		if err != nil {
			t.Fatalf("the plugin's decision on %s: %v\n%v\n%s", f.number, err, tasks, k.progress.String())
		}
	}
}

// inspect looks at what the server, which has ended, has left behind.
func (k *killed) inspect(ctx context.Context, t *testing.T) {
	t.Helper()
	var out, progress bytes.Buffer
	if err := verifyStore(ctx, store.Folder(k.folder), "", &out, &progress); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), progress.String())
	}
	log, err := badgerlog.Open(badgerlog.Config{Dir: store.Folder(k.folder).Log(), ReadOnly: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	_, head := log.Head()
	type of struct{ scope, request string }
	requests, decided := map[of]uint64{}, map[string]int{}
	err = log.Verify(ctx, func(c commitlog.Commit) error {
		if before := requests[of{c.Appends[0].Stream, c.RequestID}]; before > 0 {
			t.Errorf("the commits %d and %d are of one request", before, c.Position)
		}
		requests[of{c.Appends[0].Stream, c.RequestID}] = c.Position
		for _, a := range c.Appends {
			if _, ok := fold.ID(a.Stream); !ok {
				continue
			}
			for i := range a.Events {
				event := &applicationv1.Event{}
				if err := proto.Unmarshal(a.Events[i].Public, event); err != nil {
					return err
				}
				if d := event.GetTaskDecided(); d.GetPlugin() != "" {
					decided[d.GetTask()]++
				}
			}
		}
		return nil
	}, func(commitlog.Fault) {})
	if err != nil {
		t.Fatal(err)
	}
	for task, n := range decided {
		if n > 1 {
			t.Errorf("a plugin has decided the task %s %d times", task, n)
		}
	}
	if len(decided) == 0 {
		t.Error("no plugin has decided anything")
	}
	for _, name := range followers() {
		if name == "notices" {
			continue // nobody has asked for any
		}
		list, err := follow.Verify(store.Folder(k.folder).Follower(name), slog.New(slog.DiscardHandler))
		if err != nil || list.Position != head {
			t.Errorf("follower %s is at position %d of %d, %v", name, list.Position, head, err)
		}
		if name == "steps" && list.Items > 0 { // what is due later lies in the list of deadlines
			t.Errorf("follower %s has %d pieces of work left", name, list.Items)
		}
	}
}

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"runtime"
	"strings"
	"testing"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/simulate"
	"github.com/siyiban/onething/examples"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// strict is a newborn's bundle for which every child is too old.
func strict(t testing.TB) *catalog.Bundle {
	t.Helper()
	tree, err := matters()
	if err != nil {
		t.Fatal(err)
	}
	file := catalog.BundleFile("newborn")
	text, err := fs.ReadFile(examples.Only("newborn"), file)
	if err != nil {
		t.Fatal(err)
	}
	b, found := catalog.ParseBundle(tree.Library, file, []byte(strings.Replace(string(text), "birth_date, today) < 12", "birth_date, today) < 0", 1)))
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return b
}

// fileFor files a newborn's application for one of many owners.
func (h *house) fileFor(t testing.TB, owner draft.Owner) string {
	t.Helper()
	d := h.draftOf(t, owner)
	if _, _, err := h.Submit(t.Context(), engine.Filing{Draft: d.ID, Expected: d.Revision, Owners: []draft.Owner{owner}},
		engine.Call{Request: request("submit", "it"), Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_APPLICANT}}); err != nil {
		t.Fatal(err)
	}
	return d.ID
}

// filed are all applications, as the log has them.
func (h *house) filed(t testing.TB) iter.Seq2[string, error] {
	t.Helper()
	_, upto := h.log.Log.(*badgerlog.Log).Head()
	return engine.Filed(t.Context(), h.log, upto)
}

// simulated tries a version on some applications, and on all drafts.
func (h *house) simulated(ctx context.Context, to *catalog.Bundle, applications iter.Seq2[string, error]) (all []engine.Simulated, err error) {
	err = h.Simulate(ctx, engine.Simulation{To: to, Applications: applications, Each: func(s engine.Simulated) error { all = append(all, s); return nil }})
	return all, err
}

// A version is tried on all that was filed and drafted: what cannot be read is counted as that, what is of no concern is
// passed over, and whoever has seen enough ends it.
func TestSimulate(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	to := strict(t)
	if all, err := h.simulated(t.Context(), to, engine.Filed(t.Context(), h.log, 0)); len(all) > 0 || err != nil {
		t.Errorf("an empty log: %v, %v", all, err)
	}
	first, forgotten := h.fileFor(t, "principal/1"), h.fileFor(t, "principal/2")
	begun := h.draftOf(t, "principal/3")
	if err := h.keys.Destroy(t.Context(), seal.ForApplication(forgotten)); err != nil {
		t.Fatal(err)
	}
	loaded, err := h.Load(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	all, err := h.simulated(t.Context(), to, h.filed(t))
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	if s := all[0]; s.Number != loaded.State.Case("newborn").Number || s.Kind != simulate.Verdict || s.Move != simulate.Stays || s.Reasons[0].Code != simulate.RuleFails {
		t.Errorf("what was filed: %+v", s)
	}
	if s := all[1]; s.Number == "" || s.Kind != simulate.Unknown {
		t.Errorf("what was forgotten: %+v", s)
	}
	if s := all[2]; s.Draft != begun.ID || s.Number != "" || s.Kind != simulate.Verdict {
		t.Errorf("what is drafted: %+v", s)
	}

	for name, ids := range map[string]iter.Seq2[string, error]{
		"another matter": h.filed(t),
		"no application": func(yield func(string, error) bool) { yield("00000000-0000-0000-0000-000000000000", nil) },
	} {
		to := to
		if tree, _ := matters(); name == "another matter" {
			to = tree.Bundles["retirement"]
		}
		if all, err := h.simulated(t.Context(), to, ids); err != nil || len(all) > 1 || len(all) == 1 && all[0].Draft == "" {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}

	enough := errors.New("enough")
	if err := h.Simulate(t.Context(), engine.Simulation{To: to, Applications: h.filed(t), Each: func(engine.Simulated) error { return enough }}); !errors.Is(err, enough) {
		t.Errorf("whoever has seen enough: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if all, err := h.simulated(ended, to, h.filed(t)); !errors.Is(err, context.Canceled) || len(all) > 0 {
		t.Errorf("whoever went away: %v, %v", all, err)
	}
	broken := errors.New("broken")
	if _, err := h.simulated(t.Context(), to, func(yield func(string, error) bool) { yield("", broken) }); !errors.Is(err, broken) {
		t.Errorf("a list that breaks off: %v", err)
	}
}

// What has lapsed is over, though no follower has come to say so, as on a server that was stopped for long.
func TestSimulate_WhatHasLapsed(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	id := h.fileFor(t, "principal/1")
	if _, err := h.Do(t.Context(), engine.Call{Application: id, Request: request("notify", "it"), Actor: &applicationv1.Actor{Role: applicationv1.Role_ROLE_CLERK},
		Command: func(context.Context, *engine.Dossier) (application.Command, error) {
			return application.NotifyCorrection{Items: []application.Item{{Bundle: "newborn", Path: "own.newborn.insured", Text: "请核对"}}}, nil
		}}); err != nil {
		t.Fatal(err)
	}
	to := strict(t)
	if all, err := h.simulated(t.Context(), to, h.filed(t)); err != nil || len(all) != 1 {
		t.Errorf("to be corrected: %v, %v", all, err)
	}
	h.now = h.now.AddDate(0, 3, 0)
	if all, err := h.simulated(t.Context(), to, h.filed(t)); err != nil || len(all) != 0 {
		t.Errorf("not corrected in time: %+v, %v", all, err)
	}
}

// One simulation runs at a time.
func TestBeginSimulation(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	end, err := h.BeginSimulation()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.BeginSimulation(); !errors.Is(err, engine.ErrSimulating) {
		t.Errorf("beside another one: %v", err)
	}
	end()
	if end, err = h.BeginSimulation(); err != nil {
		t.Fatal(err)
	}
	end()
}

// live is what is in use of the heap.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A simulation holds one application at a time, however many there are. Not beside other tests, which use the heap too.
func TestSimulate_ConstantMemory(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	id := h.fileFor(t, owner)
	const rounds, bound = 100, 1 << 18
	var sum simulate.Sum
	var heap []uint64
	err := h.Simulate(t.Context(), engine.Simulation{
		To: strict(t),
		Applications: func(yield func(string, error) bool) {
			for range rounds {
				if !yield(id, nil) {
					return
				}
			}
		},
		Each: func(s engine.Simulated) error {
			if sum.Add(s.Effect, false); sum.Applications.Total%50 == 0 {
				heap = append(heap, live())
			}
			return nil
		},
	})
	if err != nil || sum.Applications.Total != rounds {
		t.Fatalf("%d applications, %v", sum.Applications.Total, err)
	}
	if first, last := heap[0], heap[len(heap)-1]; last > first+bound {
		t.Errorf("after 50 applications %d bytes in use, after %d %d", first, rounds, last)
	}
}

// BenchmarkSimulate tries a version on 100 applications that lie on disk, and on as many drafts; ns/op is for all of them.
func BenchmarkSimulate(b *testing.B) {
	const n = 100
	h := open(b, b.TempDir(), nil)
	for i := range n {
		h.fileFor(b, draft.Owner(fmt.Sprintf("principal/%d", i)))
		h.draftOf(b, draft.Owner(fmt.Sprintf("principal/%d/more", i)))
	}
	to := strict(b)
	b.ReportAllocs()
	for b.Loop() {
		seen := 0
		if err := h.Simulate(b.Context(), engine.Simulation{To: to, Applications: h.filed(b), Each: func(engine.Simulated) error { seen++; return nil }}); err != nil || seen != 2*n {
			b.Fatalf("%d, %v", seen, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*2*n), "µs/application")
}

package engine

import (
	"context"
	"strings"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/compare"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
)

// VersionRef names a version of a bundle: one of its fields is set, or none.
type VersionRef struct {
	Number   int    // of a published version
	Draft    string // id
	Proposal int    // number
}

// Version returns the version that is meant, compiled; where none is named, that in force today at this office, else the
// last one. What is wrong with a draft comes back as a diag.List.
func (e *Engine) Version(bundle string, ref VersionRef) (*catalog.Bundle, error) {
	inForce := e.InForce()
	world := e.world("", registry.Policy{})
	switch {
	case ref.Draft != "":
		d, text, err := e.cfg.BundleDrafts.Load(ref.Draft)
		if err != nil {
			return nil, err
		}
		if d.Bundle != bundle {
			return nil, refusal.New(refusal.NotFound, "这份草稿属于其他事项", "the draft is of another bundle")
		}
		b, found, err := registry.Check(inForce.State, catalog.BundleFile(bundle), text, world) // not remembered: it changes
		if err == nil {
			err = found.Err()
		}
		return b, err
	case ref.Proposal > 0:
		if ref.Proposal > len(inForce.State.Proposals) || inForce.State.Proposals[ref.Proposal-1].Bundle != bundle {
			return nil, refusal.New(refusal.NotFound, "该事项没有这份待复核的版本", "the bundle has no such proposal")
		}
		return registry.Proposed(inForce.State, inForce.State.Proposals[ref.Proposal-1], world)
	}
	v := inForce.On(bundle, e.Today(), e.cfg.Place)
	if ref.Number > 0 {
		v = inForce.Version(bundle, ref.Number)
	} else if v == nil {
		v = inForce.Version(bundle, len(inForce.State.Bundles[bundle]))
	}
	if v == nil {
		return nil, refusal.New(refusal.NotFound, "没有这个版本", "there is no such version")
	}
	return v.Bundle, nil
}

// Compare says what changes between two versions of a bundle. The search for examples starts from the records of tests, a
// tests.yaml of either version; a faulty test is no start. The error wraps [ErrSearch] or [ErrTooManyRules] if the
// comparison takes longer than a caller waits.
func (e *Engine) Compare(ctx context.Context, bundle string, old, new VersionRef, tests []byte) (*compare.Report, error) { //nolint:revive // old and new are the words for it
	before, err := e.Version(bundle, old)
	if err != nil {
		return nil, err
	}
	after, err := e.Version(bundle, new)
	if err != nil {
		return nil, err
	}
	for _, b := range []*catalog.Bundle{before, after} {
		if err := searchable(b); err != nil {
			return nil, err
		}
	}
	days := e.InForce().Calendar
	fallback := guide.Setting{Today: e.Today(), Place: e.cfg.Place, Calendar: days}
	if !strings.HasPrefix(e.cfg.Place, after.Place) {
		fallback.Place = (after.Place + "000000")[:6]
	}
	var report *compare.Report
	err = e.search(ctx, func() error {
		var seeds []compare.Seed
		for _, b := range []*catalog.Bundle{after, before} {
			read, _ := bundletest.Read(b, bundletest.File(bundle), tests, days)
			for _, t := range read {
				if !seeded(seeds, t.ID) {
					seeds = append(seeds, compare.Seed{Name: t.ID, Record: t.Record, Setting: t.Setting})
				}
			}
		}
		var err error
		report, err = compare.Bundles(before, after, seeds, fallback)
		return err
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

func seeded(seeds []compare.Seed, name string) bool {
	for _, s := range seeds {
		if s.Name == name {
			return true
		}
	}
	return false
}

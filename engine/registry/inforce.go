package registry

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms/kind"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// InForce is a state, compiled: what assessments and decisions work with. It is immutable.
type InForce struct {
	State    State
	Calendar *calendar.Calendar
	bundles  map[string][]*Published // by bundle, the oldest first
	digests  map[string]*catalog.Bundle
}

// Published is a compiled version of a bundle.
type Published struct {
	*catalog.Bundle
	Number int
	// Moving is what it means for applications under way, and Why what their applicants are told.
	Moving registryv1.Moving
	Why    string
}

// Compile compiles a state again. What has not changed since before is taken from it, what is compiled already from
// compiled; both may be nil. What was published compiled then, so an error means that the program has become
// incompatible with its own store.
func Compile(s State, before *InForce, compiled *catalog.Compiled) (*InForce, error) {
	f := &InForce{State: s, bundles: map[string][]*Published{}, digests: map[string]*catalog.Bundle{}, Calendar: &calendar.Calendar{}}
	if s.Calendar.Digest != "" {
		if before != nil && before.State.Calendar.Digest == s.Calendar.Digest {
			f.Calendar = before.Calendar
		} else {
			parsed, found := calendar.Parse(s.Calendar.Name, s.Calendar.Content)
			if found.Err() != nil {
				return nil, fmt.Errorf("calendar in force: %w", found)
			}
			f.Calendar = parsed
		}
	}
	libraries := map[string]*catalog.Library{}
	for id, versions := range s.Bundles {
		for _, v := range versions {
			b := before.Bundle(v.Digest)
			if b == nil {
				var err error
				library := libraries[v.Library]
				if library == nil {
					if library, err = compiled.Library(s.Libraries[v.Library]); err != nil {
						return nil, fmt.Errorf("published library %s: %w", v.Library, err)
					}
					libraries[v.Library] = library
				}
				if b, err = compiled.Bundle(library, catalog.BundleFile(id), v.Text); err != nil {
					return nil, fmt.Errorf("published bundle %s, version %d: %w", id, v.Number, err)
				}
			}
			f.bundles[id] = append(f.bundles[id], &Published{b, v.Number, v.Moving, v.why()})
			f.digests[v.Digest] = b
		}
	}
	return f, nil
}

// Bundle returns the published bundle with a digest, in force or not; nil if there is none.
func (f *InForce) Bundle(digest string) *catalog.Bundle {
	if f == nil {
		return nil
	}
	return f.digests[digest]
}

// On returns the version of a bundle that is in force on a day at a place: of those whose time and region fit, the
// last published; nil if there is none.
func (f *InForce) On(id string, day kind.Date, place string) *Published {
	for _, v := range slices.Backward(f.bundles[id]) {
		if (v.From.IsZero() || !day.Before(v.From)) && (v.Until.IsZero() || !day.After(v.Until)) && strings.HasPrefix(place, v.Place) {
			return v
		}
	}
	return nil
}

// Version returns a published version of a bundle; nil if there is none with the number.
func (f *InForce) Version(id string, number int) *Published {
	if versions := f.bundles[id]; number >= 1 && number <= len(versions) {
		return versions[number-1]
	}
	return nil
}

// Numbered returns the last published version with a digest; nil if there is none.
func (f *InForce) Numbered(id, digest string) *Published {
	for _, v := range slices.Backward(f.bundles[id]) {
		if v.Digest == digest {
			return v
		}
	}
	return nil
}

// All returns every bundle that is in force on a day at a place, by id.
func (f *InForce) All(day kind.Date, place string) []*Published {
	var all []*Published
	for id := range f.bundles {
		if v := f.On(id, day, place); v != nil {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b *Published) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Select puts together the versions of bundles that are in force. The error names a bundle that is not, or is a
// [catalog.ConflictError].
func (f *InForce) Select(ids []string, day kind.Date, place string) (*catalog.Selection, error) {
	var bundles []*catalog.Bundle
	for _, id := range ids {
		v := f.On(id, day, place)
		if v == nil {
			return nil, &NotInForceError{Bundle: id}
		}
		bundles = append(bundles, v.Bundle)
	}
	return catalog.Select(bundles...)
}

// Together puts together the bundles that are in force, all but those that do not go with the rest, as when they pin another
// version of a section: these are left out and named, by id. Those that were published with the library of which there are
// most come first, so that few are left out.
func (f *InForce) Together(day kind.Date, place string) (together *catalog.Selection, left []string, err error) {
	bundles := func(versions ...*Published) []*catalog.Bundle {
		var all []*catalog.Bundle
		for _, v := range versions {
			all = append(all, v.Bundle)
		}
		return all
	}
	kept := f.All(day, place)
	if together, err = catalog.Select(bundles(kept...)...); err == nil {
		return together, nil, nil
	}
	library := func(v *Published) string { return f.State.Bundles[v.ID][v.Number-1].Library }
	most := map[string]int{}
	for _, v := range kept {
		most[library(v)]++
	}
	order := kept
	slices.SortStableFunc(order, func(a, b *Published) int {
		return cmp.Or(cmp.Compare(most[library(b)], most[library(a)]), strings.Compare(library(a), library(b)))
	})
	kept = nil
	for _, v := range order {
		if _, err := catalog.Select(bundles(append(slices.Clip(kept), v)...)...); err != nil {
			left = append(left, v.ID)
		} else {
			kept = append(kept, v)
		}
	}
	slices.SortFunc(kept, func(a, b *Published) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(left)
	together, err = catalog.Select(bundles(kept...)...)
	return together, left, err
}

// SelectDigests puts together bundles as an application was filed with them.
func (f *InForce) SelectDigests(digests []string) (*catalog.Selection, error) {
	var bundles []*catalog.Bundle
	for _, digest := range digests {
		b := f.Bundle(digest)
		if b == nil {
			return nil, fmt.Errorf("the bundle with the digest %s was never published here", digest)
		}
		bundles = append(bundles, b)
	}
	return catalog.Select(bundles...)
}

// NotInForceError says that a bundle is not in force at the day and place.
type NotInForceError struct{ Bundle string }

// Error names the bundle.
func (e *NotInForceError) Error() string {
	return fmt.Sprintf("the bundle %s is not in force", e.Bundle)
}

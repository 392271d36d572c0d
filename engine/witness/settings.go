package witness

import (
	"maps"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms/kind"
)

// elsewhere are counties of two other provinces.
const (
	elsewhere      = "110101"
	elsewhereAgain = "460105"
)

// vary are the settings that are worth trying beside one: other places and days that a rule names.
func (d *Domain) vary(from guide.Setting) []guide.Setting {
	all := []guide.Setting{from}
	add := func(s guide.Setting) {
		if !slices.ContainsFunc(all, func(known guide.Setting) bool { return known.Place == s.Place && known.Today == s.Today }) {
			all = append(all, s)
		}
	}
	if w := d.words["place"]; w != nil {
		for _, r := range append(slices.Clone(w.regions), elsewhere, elsewhereAgain) {
			moved := from
			if moved.Place = county(r, from.Place); d.holdsAt(moved.Place) {
				add(moved)
			}
		}
	}
	on := func(day kind.Date, ok bool) {
		moved := from
		if moved.Today = day; ok && !day.IsZero() && d.holdsOn(day) {
			add(moved)
		}
	}
	if w := d.words["today"]; w != nil {
		for _, day := range w.dates {
			for _, n := range []int{-1, 0, 1} {
				on(day.AddDays(n))
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(d.words)) {
		for _, b := range d.bundles {
			if id, ok := strings.CutPrefix(string(p), "params."); ok {
				for _, v := range b.Parameters()[id] {
					on(v.From, true)
					on(v.Until, true)
				}
			}
		}
	}
	return all[1:]
}

func (d *Domain) holdsAt(place string) bool {
	return slices.ContainsFunc(d.bundles, func(b *catalog.Bundle) bool { return strings.HasPrefix(place, b.Place) })
}

func (d *Domain) holdsOn(day kind.Date) bool {
	return slices.ContainsFunc(d.bundles, func(b *catalog.Bundle) bool {
		return !day.Before(b.From) && (b.Until.IsZero() || !day.After(b.Until))
	})
}

// county is a county in a region: the office's own if it lies there.
func county(region, place string) string {
	if len(region) >= 6 {
		return region[:6]
	}
	if len(place) >= 6 && strings.HasPrefix(place, region) {
		return place
	}
	return (region + elsewhere[len(region):])[:6]
}

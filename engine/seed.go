package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/registry"
)

// Seed is what an empty store begins with: folders and the embedded calendar. Once something of a kind is in force, the
// streams rule and the seed is not looked at.
type Seed struct {
	Catalog      *catalog.Catalog
	CalendarName string
	Calendar     []byte
	Plugins      []registry.ActivatePlugin
	Grants       []registry.GrantPlugin
}

// Seed puts into force what nothing is in force of yet, in one commit, so that a crash leaves no half of it.
func (e *Engine) Seed(ctx context.Context, s Seed) error {
	var commands []registry.Command
	state := e.InForce().State
	if state.Calendar.Digest == "" && len(s.Calendar) > 0 {
		commands = append(commands, registry.PublishCalendar{Name: s.CalendarName, Text: s.Calendar})
	}
	if len(state.Plugins) == 0 {
		for _, p := range s.Plugins {
			commands = append(commands, p)
		}
		for _, g := range s.Grants {
			commands = append(commands, g)
		}
	}
	if state.Library == "" && s.Catalog != nil {
		commands = append(commands, registry.PublishLibrary{Files: s.Catalog.Files[""]})
		for _, id := range slices.Sorted(maps.Keys(s.Catalog.Bundles)) {
			commands = append(commands, registry.PublishBundle{Name: catalog.BundleFile(id), Text: s.Catalog.Files[id]["bundle.yaml"]})
		}
	}
	e.publishing.Lock()
	id := fmt.Sprintf("seed/%d/%d/%d", e.versions[registry.StreamCatalog], e.versions[registry.StreamCalendar], e.versions[registry.StreamPlugins])
	e.publishing.Unlock()
	if len(commands) == 0 {
		return nil
	}
	digest, err := e.publishDigest(commands)
	if err != nil {
		return err
	}
	_, err = e.publish(ctx, id, "seed", registry.Policy{}, digest, commands...) // whoever starts the server has decided it
	return err
}

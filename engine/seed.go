package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
)

// Seed is what an empty store begins with: folders and the embedded calendar. Once something of a kind is in force, the
// streams rule and the seed is not looked at.
type Seed struct {
	Catalog      *catalog.Catalog
	CalendarName string
	Calendar     []byte
	// PluginKeys may sign the plugins; Plugins are their files, by their names for errors, each active from the beginning; and
	// Grants what they may use.
	PluginKeys []registry.TrustPluginKey
	Plugins    []registry.File
	Grants     []registry.GrantPlugin
}

// Seed puts into force what nothing is in force of yet, in one commit, so that a crash leaves no half of it.
func (e *Engine) Seed(ctx context.Context, s Seed) error {
	var commands []registry.Command
	state := e.InForce().State
	if state.Calendar.Digest == "" && len(s.Calendar) > 0 {
		commands = append(commands, registry.PublishCalendar{Name: s.CalendarName, Text: s.Calendar})
	}
	if len(state.Plugins) == 0 && len(state.PluginKeys) == 0 {
		plugins, err := e.seedPlugins(ctx, state, s)
		if err != nil {
			return err
		}
		commands = append(commands, plugins...)
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

// seedPlugins keeps the files of plugins and returns the commands that put them into force.
func (e *Engine) seedPlugins(ctx context.Context, state registry.State, s Seed) ([]registry.Command, error) {
	var commands []registry.Command
	give := func(command registry.Command) error {
		events, err := registry.Decide(state, command, e.world("seed", registry.Policy{}))
		for _, event := range events {
			state = registry.Evolve(state, event)
		}
		commands = append(commands, command)
		return err
	}
	for _, key := range s.PluginKeys {
		if err := give(key); err != nil {
			return nil, fmt.Errorf("plugin key %s: %w", key.Name, err)
		}
	}
	for _, file := range s.Plugins {
		push, err := e.examine(file.Content, state)
		if err == nil {
			err = errors.Join(give(push), give(registry.ActivatePlugin{ID: push.Manifest.GetId(), Version: push.Manifest.GetVersion()}))
		}
		if err == nil {
			err = e.keepPlugin(ctx, file.Content)
		}
		if refused, ok := errors.AsType[*refusal.Refusal](err); ok {
			return nil, fmt.Errorf("plugin %s: %w (%s)", file.Name, err, refused.Remedy.In("en"))
		}
		if err != nil {
			return nil, fmt.Errorf("plugin %s: %w", file.Name, err)
		}
	}
	for _, grant := range s.Grants {
		if err := give(grant); err != nil {
			return nil, fmt.Errorf("grants of %s: %w", grant.ID, err)
		}
	}
	return commands, nil
}

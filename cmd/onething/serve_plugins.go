package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/examples/registers"
	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/store"
)

// installed are the plugins that are at hand; none if the server runs without them.
type installed struct {
	*store.Store
	named []string // that the bundles name
	byID  map[string]store.Plugin
}

// openPlugins reads the folder of plugins. A plugin is built, and an installed command has none, so what is missing is
// said with what to do.
func openPlugins(cfg serverConfig) (*installed, error) {
	i := &installed{byID: map[string]store.Plugin{}}
	for _, b := range cfg.bundles.Bundles {
		for _, step := range b.Steps {
			if step.Plugin != "" && !slices.Contains(i.named, step.Plugin) {
				i.named = append(i.named, step.Plugin)
			}
		}
	}
	slices.Sort(i.named)
	if cfg.withoutPlugins {
		return i, nil
	}
	var err error
	i.Store, err = store.Open(cfg.plugins)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missingPlugins(cfg.plugins, i.named)
	}
	if err != nil {
		return nil, err
	}
	for _, p := range i.Plugins() {
		if _, twice := i.byID[p.Manifest.GetId()]; twice {
			return nil, fmt.Errorf("plugins: %s holds two versions of %s: leave the one that is to answer", cfg.plugins, p.Manifest.GetId())
		}
		i.byID[p.Manifest.GetId()] = p
	}
	var missing []string
	for _, id := range i.named {
		if _, ok := i.byID[id]; !ok {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return nil, missingPlugins(cfg.plugins, missing)
	}
	for id := range cfg.grants {
		if _, ok := i.byID[id]; !ok {
			return nil, fmt.Errorf("grants: %s does not hold the plugin %s", cfg.plugins, id)
		}
	}
	return i, nil
}

func missingPlugins(folder string, ids []string) error {
	return fmt.Errorf("plugins: %s does not hold %s: build them with `make plugins` in the repository and name the folder with --plugins; `onething serve --without-plugins` does without, then their steps wait in the officers' queues",
		folder, strings.Join(ids, ", "))
}

// offered are the plugins that a bundle may name. Without plugins that is every one that the bundles name: their steps
// wait for officers.
func (i *installed) offered() map[string]bool {
	offered := map[string]bool{}
	for _, id := range i.named {
		offered[id] = true
	}
	for id := range i.byID {
		offered[id] = true
	}
	return offered
}

// hooks says which hooks a plugin offers, as the engine names them: `check`, `decide`, …
func (i *installed) hooks(plugin string) []string {
	var names []string
	for _, h := range i.byID[plugin].Manifest.GetHooks() {
		names = append(names, strings.ToLower(strings.TrimPrefix(h.String(), "HOOK_")))
	}
	return names
}

// seed is what an empty store begins with. In development each plugin gets the capabilities that it asks for.
func (i *installed) seed(cfg serverConfig) ([]registry.ActivatePlugin, []registry.GrantPlugin) {
	var activate []registry.ActivatePlugin
	var grant []registry.GrantPlugin
	for _, p := range i.list() {
		activate = append(activate, activation(p))
		if cfg.development {
			grant = append(grant, registry.GrantPlugin{ID: p.Manifest.GetId(), Capabilities: p.Manifest.GetCapabilities()})
		} else if granted := cfg.grants[p.Manifest.GetId()]; len(granted) > 0 {
			grant = append(grant, registry.GrantPlugin{ID: p.Manifest.GetId(), Capabilities: granted})
		}
	}
	return activate, grant
}

func (i *installed) list() []store.Plugin {
	if i.Store == nil {
		return nil
	}
	return i.Plugins()
}

func activation(p store.Plugin) registry.ActivatePlugin {
	return registry.ActivatePlugin{ID: p.Manifest.GetId(), Version: p.Manifest.GetVersion(), Digest: p.Digest}
}

// activate holds what is active against what is at hand. In development a plugin that was built anew is activated;
// else a change is an operator's, and a start undoes nothing.
func (i *installed) activate(ctx context.Context, e *engine.Engine, development bool) error {
	for _, p := range i.list() {
		active := e.InForce().State.Plugins[p.Manifest.GetId()]
		if active.Digest == p.Digest {
			continue
		}
		if !development {
			return fmt.Errorf("plugins: %s is active in version %s with the digest %s, and %s is version %s with another one: put the active file back",
				p.Manifest.GetId(), active.Version, active.Digest, p.File, p.Manifest.GetVersion())
		}
		_, err := e.Publish(ctx, "activate/"+p.Manifest.GetId()+"/"+active.Digest+"/"+p.Digest, "serve", activation(p),
			registry.GrantPlugin{ID: p.Manifest.GetId(), Capabilities: p.Manifest.GetCapabilities()})
		if err != nil {
			return fmt.Errorf("activate plugin %s: %w", p.Manifest.GetId(), err)
		}
	}
	return nil
}

// openHost starts the host that runs the plugins; nil without plugins. Nothing waits until they are compiled: that goes on
// beside the server, and a call that comes first waits for its own.
func (s *server) openHost(ctx context.Context, i *installed, keys *seal.Store, shared *registers.Registers) (*plugins.Host, error) {
	if i.Store == nil {
		return nil, nil //nolint:nilnil // no host is what a server without plugins has
	}
	behind := capability.Config{
		KeyValue: departmentStores{s}, Logger: s.cfg.logger, Application: applicationOf,
		// The same after every start, so that a call that is repeated after a crash is known outside.
		Outside: capability.Outside{Secret: keys.Digest("idempotency keys of plugins", nil)},
	}
	if shared != nil {
		behind.SharedData = shared
	}
	host, err := plugins.Open(ctx, plugins.Config{
		Modules:      i.Store,
		Granted:      func(id string) []string { return s.engine.InForce().State.Plugins[id].Capabilities },
		Capabilities: capability.New(behind),
		Logger:       s.cfg.logger, CompilationCacheDir: s.cfg.data.Compiled(),
	})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, host.Close)
	list := i.list()
	go func() {
		for _, p := range list {
			// The host says what cannot be used; the calls of its steps will fail, and become officers' tasks.
			if _, err := host.Prepare(ctx, plugins.Ref{ID: p.Manifest.GetId(), Digest: p.Digest}); errors.Is(err, plugins.ErrClosed) {
				return
			}
		}
	}()
	return host, nil
}

// applicationOf is the number of the application that a task or a case belongs to.
func applicationOf(number string) string {
	n, ok := application.ParseNumber(number)
	if !ok {
		return ""
	}
	return n.Application
}

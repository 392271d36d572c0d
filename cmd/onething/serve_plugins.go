package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/observe"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/examples/registers"
	"github.com/siyiban/onething/plugins"
	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/manifest"
	"github.com/siyiban/onething/plugins/signature"
	"github.com/siyiban/onething/plugins/store"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// installed are the plugins of a server: those of the folder, with which an empty store begins, and those that were pushed
// into the store. It implements [engine.Plugins] and [plugins.Modules].
type installed struct {
	cfg    serverConfig
	folder []store.Plugin // by id, the lowest version first
	files  *store.Store   // of the folder; nil: there is none
	named  []string       // that the bundles name with which an empty store begins

	engine *engine.Engine // set when it is open
	host   *plugins.Host  // likewise

	unsigned sync.Once // said
}

// openPlugins reads the folder of plugins. A plugin is built, and an installed command has none, so what an empty store
// lacks is said with what to do. A store that has begun has what it needs.
func openPlugins(cfg serverConfig) (*installed, error) {
	i := &installed{cfg: cfg}
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
	_, err := os.Stat(cfg.data.Log())
	begun := err == nil
	i.files, err = store.Open(cfg.plugins)
	switch {
	case errors.Is(err, fs.ErrNotExist) && begun:
		return i, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, missingPlugins(cfg.plugins, i.named)
	case err != nil:
		return nil, err
	}
	i.folder = i.files.Plugins()
	slices.SortStableFunc(i.folder, func(a, b store.Plugin) int {
		if a.Manifest.GetId() != b.Manifest.GetId() {
			return strings.Compare(a.Manifest.GetId(), b.Manifest.GetId())
		}
		return registry.CompareVersions(a.Manifest.GetVersion(), b.Manifest.GetVersion())
	})
	if begun {
		return i, nil
	}
	has := map[string]bool{}
	for _, p := range i.folder {
		has[p.Manifest.GetId()] = true
	}
	var missing []string
	for _, id := range i.named {
		if !has[id] {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return nil, missingPlugins(cfg.plugins, missing)
	}
	for id := range cfg.grants {
		if !has[id] {
			return nil, fmt.Errorf("grants: %s does not hold the plugin %s", cfg.plugins, id)
		}
	}
	return i, nil
}

func missingPlugins(folder string, ids []string) error {
	return fmt.Errorf("plugins: %s does not hold %s: build them with `make plugins` in the repository and name the folder with --plugins; `onething serve --without-plugins` does without, then their steps wait in the officers' queues",
		folder, strings.Join(ids, ", "))
}

// offered are the plugins that a bundle may name without an active version: on a server without plugins every one that
// the bundles name, for their steps wait for officers.
func (i *installed) offered() map[string]bool {
	offered := map[string]bool{}
	if i.cfg.withoutPlugins {
		for _, id := range i.named {
			offered[id] = true
		}
	}
	return offered
}

// hooks says which hooks the active version of a plugin offers, as the engine names them: `check`, `decide`, …
func (i *installed) hooks(plugin string) []string {
	if i.cfg.withoutPlugins {
		return nil
	}
	var names []string
	p := i.engine.InForce().State.Plugins[plugin]
	if active := p.With(p.Digest); active != nil {
		for _, h := range active.Manifest.GetHooks() {
			names = append(names, strings.ToLower(strings.TrimPrefix(h.String(), "HOOK_")))
		}
	}
	return names
}

// Module implements [plugins.Modules]: the file of a version that was pushed, or one of the folder, which stores have that
// began before files were pushed.
func (i *installed) Module(digest string) ([]byte, error) {
	module, err := i.engine.PluginModule(context.Background(), digest)
	if !errors.Is(err, blob.ErrNotFound) {
		return module, err
	}
	if i.files == nil {
		return nil, fmt.Errorf("plugin of digest %s: %w", digest, fs.ErrNotExist)
	}
	return i.files.Module(digest)
}

// Examine implements [engine.Plugins]. The signature is looked at before anything else reads the file.
func (i *installed) Examine(module []byte, trusted []string) (*pluginv1.Manifest, string, error) {
	var keys []signature.PublicKey
	for _, text := range trusted {
		if key, err := signature.ParsePublicKey(text); err == nil {
			keys = append(keys, key)
		}
	}
	signer := ""
	switch key, err := signature.Verify(module, keys); {
	case err == nil:
		signer = key.String()
	case errors.Is(err, signature.ErrUnsigned), errors.Is(err, signature.ErrUnknownKey) && i.cfg.development: // the registry knows whether that may be
	case errors.Is(err, signature.ErrUnknownKey):
		return nil, "", refusal.New(refusal.NotAllowed, "签名所用密钥不受信任", "the plugin is signed with a key that is not trusted").
			Else("由运行方登记该密钥", "an operator trusts the key first: `onething plugin trust`, or --signers for an empty store")
	case errors.Is(err, manifest.ErrNotWasm):
		return nil, "", unfit(err)
	default:
		return nil, "", refusal.New(refusal.Invalid, "插件签名无效，文件可能被改动过", err.Error())
	}
	m, err := plugins.Inspect(module)
	if err != nil {
		return nil, "", unfit(err)
	}
	if signer == "" && i.cfg.development {
		i.unsigned.Do(func() {
			i.cfg.logger.Warn("development: plugins run that no trusted key has signed", "plugin", m.GetId())
		})
	}
	return m, signer, nil
}

// unfit is a file that cannot be a plugin here. What is wrong with it is in words of ours.
func unfit(err error) error {
	return refusal.New(refusal.Invalid, "该文件不是可运行的插件", "the file is no plugin that runs here: "+err.Error()).
		Else("用 onething plugin check 查看", "`onething plugin check` says what is wrong with it")
}

// Prepare implements [engine.Plugins].
func (i *installed) Prepare(ctx context.Context, id, digest string) error {
	_, err := i.host.Prepare(ctx, plugins.Ref{ID: id, Digest: digest})
	if failed, ok := errors.AsType[*plugins.CallError](err); ok {
		return unfit(failed)
	}
	return err
}

// seed is what an empty store begins with. In development each plugin gets the capabilities that it asks for, and the
// folder's public keys are trusted.
func (i *installed) seed(to *engine.Seed) error {
	to.PluginKeys = i.cfg.pluginKeys
	if i.cfg.development && i.files != nil {
		keys, err := folderKeys(i.cfg.plugins)
		if err != nil {
			return err
		}
		to.PluginKeys = slices.Concat(to.PluginKeys, keys)
	}
	granted := map[string]bool{}
	for _, p := range slices.Backward(i.folder) {
		id := p.Manifest.GetId()
		capabilities := i.cfg.grants[id]
		if i.cfg.development {
			capabilities = p.Manifest.GetCapabilities()
		}
		if !granted[id] && len(capabilities) > 0 {
			to.Grants = append(to.Grants, registry.GrantPlugin{ID: id, Capabilities: capabilities})
		}
		granted[id] = true
	}
	for _, p := range i.folder {
		module, err := i.files.Module(p.Digest)
		if err != nil {
			return err
		}
		to.Plugins = append(to.Plugins, registry.File{Name: filepath.Join(i.cfg.plugins, p.File), Content: module})
	}
	return nil
}

// folderKeys reads the public keys that lie beside plugins.
func folderKeys(folder string) ([]registry.TrustPluginKey, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.pub"))
	if err != nil {
		return nil, err
	}
	var keys []registry.TrustPluginKey
	for _, name := range names {
		text, err := os.ReadFile(name) //nolint:gosec // in the operator's folder
		if err != nil {
			return nil, err
		}
		key, err := signature.ParsePublicKey(strings.TrimSpace(string(text)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		keys = append(keys, registry.TrustPluginKey{Key: key.String(), Name: filepath.Base(name), Departments: []string{"*"}})
	}
	return keys, nil
}

// byServe and bySeed are who has pushed what a server found in its folder.
const (
	byServe = "serve"
	bySeed  = "seed"
)

// take pushes what the folder holds and the store does not. In development it is activated too, unless the active version was
// pushed by somebody; else an operator activates it. What may not ship is told, and stops nothing.
func (i *installed) take(ctx context.Context) error {
	for _, p := range i.folder {
		id := p.Manifest.GetId()
		state := i.engine.InForce().State.Plugins[id]
		if state.With(p.Digest) == nil {
			module, err := i.files.Module(p.Digest)
			if err != nil {
				return err
			}
			_, _, err = i.engine.PushPlugin(ctx, "push/"+id+"/"+p.Digest, byServe, "", module)
			if refused, ok := errors.AsType[*refusal.Refusal](err); ok {
				i.cfg.logger.Warn("a plugin of the folder is not taken", "plugin", id, "version", p.Manifest.GetVersion(), "file", p.File, "cause", refused.Text.In("en"))
				continue
			}
			if err != nil {
				return fmt.Errorf("push plugin %s: %w", id, err)
			}
			i.cfg.logger.Info("a plugin of the folder was pushed", "plugin", id, "version", p.Manifest.GetVersion())
		}
		if !i.cfg.development || state.Digest == p.Digest {
			continue
		}
		if active := state.With(state.Digest); active != nil && active.Pushed.By != byServe && active.Pushed.By != bySeed {
			continue
		}
		request := fmt.Sprintf("activate/%s/%d/%s", id, state.Activated.At.UnixNano(), p.Digest)
		if _, err := i.engine.Publish(ctx, request, byServe, registry.ActivatePlugin{ID: id, Version: p.Manifest.GetVersion(), Digest: p.Digest},
			registry.GrantPlugin{ID: id, Capabilities: p.Manifest.GetCapabilities()}); err != nil {
			return fmt.Errorf("activate plugin %s: %w", id, err)
		}
	}
	return nil
}

// openHost starts the host that runs the plugins; nil without plugins. Nothing waits until those that bundles name are
// compiled: that goes on beside the server, and a call that comes first waits for its own, as for one that no bundle names.
func (s *server) openHost(ctx context.Context, i *installed, keys *seal.Store, shared *registers.Registers) (*plugins.Host, error) {
	if s.cfg.withoutPlugins {
		return nil, nil //nolint:nilnil // no host is what a server without plugins has
	}
	behind := capability.Config{
		KeyValue: departmentStores{s}, Logger: s.cfg.logger, Application: applicationOf, Lines: s.line,
		// The same after every start, so that a call that is repeated after a crash is known outside.
		Outside: capability.Outside{Secret: keys.Digest("idempotency keys of plugins", nil)},
	}
	if shared != nil {
		behind.SharedData = shared
	}
	host, err := plugins.Open(ctx, plugins.Config{
		Modules:      i,
		Granted:      func(id string) []string { return s.engine.InForce().State.Plugins[id].Capabilities },
		Capabilities: capability.New(behind),
		Logger:       s.cfg.logger, CompilationCacheDir: s.cfg.data.Compiled(),
	})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, host.Close)
	var wanted []plugins.Ref
	for _, b := range s.engine.InForce().All(s.engine.Today(), s.cfg.place) {
		for _, step := range b.Steps {
			ref := plugins.Ref{ID: step.Plugin, Digest: s.engine.InForce().State.Plugins[step.Plugin].Digest}
			if ref.Digest != "" && !slices.Contains(wanted, ref) {
				wanted = append(wanted, ref)
			}
		}
	}
	s.background.Go(func() {
		for _, ref := range wanted {
			if s.running().Err() != nil {
				return
			}
			// The host says what cannot be used; the calls of its steps will fail, and become officers' tasks.
			_, _ = host.Prepare(s.running(), ref)
		}
	})
	return host, nil
}

// line remembers what a plugin has logged.
func (s *server) line(l capability.Line) {
	s.plugins.Logged(observe.Line{Plugin: l.Plugin, Version: l.Version, Hook: l.Hook, Application: l.Application, Code: l.Code, Numbers: l.Numbers})
}

// applicationOf is the number of the application that a task or a case belongs to.
func applicationOf(number string) string {
	n, ok := application.ParseNumber(number)
	if !ok {
		return ""
	}
	return n.Application
}

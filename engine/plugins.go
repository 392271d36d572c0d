package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// MaxPlugin bounds the file of a plugin, in bytes.
const MaxPlugin = 16 << 20

// ErrNoPlugins is returned for a change of plugins on a server that runs none.
var ErrNoPlugins = errors.New("engine: this server runs no plugins")

// Plugins knows the files of plugins, and runs them.
type Plugins interface {
	// Examine reads a plugin's file: what it says of itself, and which of the trusted keys has signed it, empty if it is not
	// signed. It runs nothing. A file that is no plugin, was changed after it was signed, or is signed with no trusted key is
	// a [*refusal.Refusal].
	Examine(module []byte, trusted []string) (m *pluginv1.Manifest, key string, err error)
	// Prepare makes a version ready, so that its first call need not wait. One that this server cannot run is a
	// [*refusal.Refusal].
	Prepare(ctx context.Context, id, digest string) error
}

// PushPlugin keeps the file of a version of a plugin, as a blob, and puts it into the registry; it does not answer before it
// is activated. A file that may not ship is a [*refusal.Refusal], and nothing of it is kept; so is one of another department
// than that of who pushes, if a department is named.
func (e *Engine) PushPlugin(ctx context.Context, requestID, actor, department string, module []byte) (*Publication, *registry.PluginVersion, error) {
	if e.cfg.Plugins == nil {
		return nil, nil, ErrNoPlugins
	}
	if len(module) > MaxPlugin {
		return nil, nil, fmt.Errorf("push plugin: %w: more than %d bytes", blob.ErrTooLarge, MaxPlugin)
	}
	command, err := e.examine(module, e.InForce().State)
	if err != nil {
		return nil, nil, err
	}
	if department != "" && command.Manifest.GetDepartment() != department {
		return nil, nil, refusal.New(refusal.NotAllowed, "只能上传本部门的插件", "the plugin is one of another department")
	}
	p, err := e.changePlugins(ctx, requestID, actor, command, func(context.Context, *registryv1.Event) error { return e.keepPlugin(ctx, module) })
	if err == nil && p.Event == nil { // it was pushed before: the file is healed, if the disk has lost it
		err = e.keepPlugin(ctx, module)
	}
	if err != nil {
		return nil, nil, err
	}
	return p, e.InForce().State.Plugins[command.Manifest.GetId()].With(command.Digest), nil
}

// examine makes the command that pushes a file.
func (e *Engine) examine(module []byte, state registry.State) (registry.PushPlugin, error) {
	var trusted []string
	for _, key := range state.PluginKeys {
		trusted = append(trusted, key.Key) // a revoked one too, so that it is refused as such
	}
	m, key, err := e.cfg.Plugins.Examine(module, trusted)
	if err != nil {
		return registry.PushPlugin{}, err
	}
	sum := sha256.Sum256(module)
	return registry.PushPlugin{Manifest: m, Digest: hex.EncodeToString(sum[:]), Size: int64(len(module)), Key: key}, nil
}

// keepPlugin keeps a file, and returns when it is on disk.
func (e *Engine) keepPlugin(ctx context.Context, module []byte) error {
	if _, err := e.cfg.Blobs.Put(ctx, bytes.NewReader(module), MaxPlugin); err != nil {
		return fmt.Errorf("keep plugin: %w", err)
	}
	return nil
}

// ChangePlugins gives a command on plugins or their keys. A version that is to answer, or to run in shadow, is made ready
// first, so that no call waits for it: calls that are under way end on the version on which they began.
func (e *Engine) ChangePlugins(ctx context.Context, requestID, actor string, command registry.Command) (*Publication, error) {
	if e.cfg.Plugins == nil {
		return nil, ErrNoPlugins
	}
	return e.changePlugins(ctx, requestID, actor, command, func(ctx context.Context, event *registryv1.Event) error {
		activated, shadowed := event.GetPluginActivated(), event.GetPluginShadowed()
		switch {
		case activated != nil:
			return e.cfg.Plugins.Prepare(ctx, activated.GetPlugin(), activated.GetDigest())
		case shadowed.GetDigest() != "":
			return e.cfg.Plugins.Prepare(ctx, shadowed.GetPlugin(), shadowed.GetDigest())
		}
		return nil
	})
}

// changePlugins publishes a command after something was done for each event that it will cause. That is done while others
// publish: it takes a while. What they change meanwhile is seen by the decision that counts.
func (e *Engine) changePlugins(ctx context.Context, requestID, actor string, command registry.Command, first func(context.Context, *registryv1.Event) error) (*Publication, error) {
	digest, err := e.publishDigest([]registry.Command{command})
	if err != nil {
		return nil, err
	}
	e.publishing.Lock()
	before, err := e.publishedBefore(ctx, requestID, digest, command)
	e.publishing.Unlock()
	if before != nil || err != nil {
		return before, err
	}
	events, err := registry.Decide(e.InForce().State, command, e.world(actor, e.cfg.SecondPerson))
	if err != nil {
		return nil, err
	}
	for _, event := range events {
		if err := first(ctx, event); err != nil {
			return nil, err
		}
	}
	return e.publish(ctx, requestID, actor, e.cfg.SecondPerson, digest, command)
}

// PluginModule returns the file of a version that was pushed. The error wraps [blob.ErrNotFound] if there is none.
func (e *Engine) PluginModule(ctx context.Context, digest string) ([]byte, error) {
	r, err := e.cfg.Blobs.Get(ctx, blob.Digest(digest))
	if err != nil {
		return nil, fmt.Errorf("plugin: %w", err)
	}
	defer r.Close()
	module, err := io.ReadAll(io.LimitReader(r, MaxPlugin+1))
	if err != nil {
		return nil, fmt.Errorf("plugin: %w", err)
	}
	return module, nil
}

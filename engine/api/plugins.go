package api

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/observe"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// pluginService is for who runs the departments' plugins, and for their developers.
type pluginService struct {
	service
	watched *observe.Plugins
}

// department is the department whose plugins a caller reaches; empty: all.
func department(who access.Identity) string {
	if who.Has(accessv1.Role_ROLE_OPERATOR) {
		return ""
	}
	return who.Department
}

// reaches reports whether a caller reaches a plugin.
func reaches(ctx context.Context, id string) bool {
	of := department(access.FromContext(ctx))
	return of == "" || strings.HasPrefix(id, of+"/")
}

// plugin returns a plugin that the caller reaches.
func (s pluginService) plugin(ctx context.Context, id string) (registry.Plugin, error) {
	p, ok := s.engine.InForce().State.Plugins[id]
	if !ok || !reaches(ctx, id) {
		return p, refused(refusal.New(refusal.NotFound, "没有这个插件", "there is no such plugin"))
	}
	return p, nil
}

// ListPlugins implements PluginService.
func (s pluginService) ListPlugins(ctx context.Context, r *apiv1.ListPluginsRequest) (*apiv1.ListPluginsResponse, error) {
	state := s.engine.InForce().State
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(state.Plugins)), func(id string) bool { return !reaches(ctx, id) })
	from, to, next, err := window(r.GetPage(), len(ids))
	if err != nil {
		return nil, err
	}
	answer := &apiv1.ListPluginsResponse{NextToken: next}
	for _, id := range ids[from:to] {
		p := state.Plugins[id]
		last := len(p.Versions) - 1
		message := pluginMessage(state, id, p, func(i int, v registry.PluginVersion) bool {
			return i == last || v.Digest == p.Digest || v.Digest == p.Shadow
		})
		answer.Plugins = append(answer.Plugins, message)
	}
	return answer, nil
}

// GetPlugin implements PluginService.
func (s pluginService) GetPlugin(ctx context.Context, r *apiv1.GetPluginRequest) (*apiv1.GetPluginResponse, error) {
	if _, err := s.plugin(ctx, r.GetPlugin()); err != nil {
		return nil, err
	}
	return &apiv1.GetPluginResponse{Plugin: s.now(r.GetPlugin())}, nil
}

// now is a plugin as it is, with all of its versions.
func (s pluginService) now(id string) *apiv1.Plugin {
	state := s.engine.InForce().State
	return pluginMessage(state, id, state.Plugins[id], func(int, registry.PluginVersion) bool { return true })
}

// PushPlugin implements PluginService.
func (s pluginService) PushPlugin(ctx context.Context, stream apiv1connect.PluginServicePushPluginServerStream) (*apiv1.PushPluginResponse, error) {
	first, err := stream.Receive()
	if err != nil {
		return nil, err
	}
	header := first.GetHeader()
	if header == nil {
		return nil, fail(connect.CodeInvalidArgument, nil, apiv1.Reason_REASON_INVALID, "上传须先发送说明", "the first message of a push is its header")
	}
	module, err := io.ReadAll(io.LimitReader(&chunks{receive: func() ([]byte, error) {
		message, err := stream.Receive()
		if err == nil && message.GetHeader() != nil {
			return nil, twoHeaders()
		}
		return message.GetChunk(), err
	}}, engine.MaxPlugin+1))
	if err != nil {
		return nil, refused(err)
	}
	who := access.FromContext(ctx)
	p, version, err := s.engine.PushPlugin(ctx, header.GetRequestId(), who.Subject, department(who), module)
	if err != nil {
		return nil, refused(err)
	}
	id := version.Manifest.GetId()
	return &apiv1.PushPluginResponse{Position: p.Position, Plugin: id, Version: versionMessage(s.engine.InForce().State, *version)}, nil
}

// change gives a command on a plugin or a key.
func (s pluginService) change(ctx context.Context, requestID string, command registry.Command) (uint64, error) {
	p, err := s.engine.ChangePlugins(ctx, requestID, access.FromContext(ctx).Subject, command)
	if err != nil {
		return 0, refused(err)
	}
	return p.Position, nil
}

// ActivatePlugin implements PluginService.
func (s pluginService) ActivatePlugin(ctx context.Context, r *apiv1.ActivatePluginRequest) (*apiv1.ActivatePluginResponse, error) {
	position, err := s.change(ctx, r.GetRequestId(), registry.ActivatePlugin{ID: r.GetPlugin(), Version: r.GetVersion(), Reason: r.GetReason()})
	if err != nil {
		return nil, err
	}
	return &apiv1.ActivatePluginResponse{Position: position, Plugin: s.now(r.GetPlugin())}, nil
}

// RollBackPlugin implements PluginService.
func (s pluginService) RollBackPlugin(ctx context.Context, r *apiv1.RollBackPluginRequest) (*apiv1.RollBackPluginResponse, error) {
	position, err := s.change(ctx, r.GetRequestId(), registry.RollBackPlugin{ID: r.GetPlugin(), Version: r.GetVersion(), Reason: r.GetReason()})
	if err != nil {
		return nil, err
	}
	return &apiv1.RollBackPluginResponse{Position: position, Plugin: s.now(r.GetPlugin())}, nil
}

// StopPlugin implements PluginService.
func (s pluginService) StopPlugin(ctx context.Context, r *apiv1.StopPluginRequest) (*apiv1.StopPluginResponse, error) {
	position, err := s.change(ctx, r.GetRequestId(), registry.StopPlugin{ID: r.GetPlugin(), Reason: r.GetReason()})
	if err != nil {
		return nil, err
	}
	return &apiv1.StopPluginResponse{Position: position, Plugin: s.now(r.GetPlugin())}, nil
}

// GrantPlugin implements PluginService.
func (s pluginService) GrantPlugin(ctx context.Context, r *apiv1.GrantPluginRequest) (*apiv1.GrantPluginResponse, error) {
	position, err := s.change(ctx, r.GetRequestId(), registry.GrantPlugin{ID: r.GetPlugin(), Capabilities: r.GetCapabilities()})
	if err != nil {
		return nil, err
	}
	return &apiv1.GrantPluginResponse{Position: position, Plugin: s.now(r.GetPlugin())}, nil
}

// ListPluginKeys implements PluginService.
func (s pluginService) ListPluginKeys(_ context.Context, r *apiv1.ListPluginKeysRequest) (*apiv1.ListPluginKeysResponse, error) {
	keys := s.engine.InForce().State.PluginKeys
	from, to, next, err := window(r.GetPage(), len(keys))
	if err != nil {
		return nil, err
	}
	answer := &apiv1.ListPluginKeysResponse{NextToken: next}
	for _, k := range keys[from:to] {
		answer.Keys = append(answer.Keys, keyMessage(k))
	}
	return answer, nil
}

// TrustPluginKey implements PluginService.
func (s pluginService) TrustPluginKey(ctx context.Context, r *apiv1.TrustPluginKeyRequest) (*apiv1.TrustPluginKeyResponse, error) {
	position, err := s.change(ctx, r.GetRequestId(), registry.TrustPluginKey{Key: r.GetKey(), Name: r.GetName(), Departments: r.GetDepartments(), Plugins: r.GetPlugins()})
	if err != nil {
		return nil, err
	}
	return &apiv1.TrustPluginKeyResponse{Position: position, Key: keyMessage(*s.engine.InForce().State.PluginKey(r.GetKey()))}, nil
}

// RevokePluginKey implements PluginService.
func (s pluginService) RevokePluginKey(ctx context.Context, r *apiv1.RevokePluginKeyRequest) (*apiv1.RevokePluginKeyResponse, error) {
	position, err := s.change(ctx, r.GetRequestId(), registry.RevokePluginKey{Key: r.GetKey(), Reason: r.GetReason(), Stop: r.GetStop()})
	if err != nil {
		return nil, err
	}
	return &apiv1.RevokePluginKeyResponse{Position: position, Key: keyMessage(*s.engine.InForce().State.PluginKey(r.GetKey()))}, nil
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func actMessage(a registry.Act) *apiv1.Act {
	if a.At.IsZero() {
		return nil
	}
	return &apiv1.Act{At: timestamppb.New(a.At), By: a.By}
}

// pluginMessage is a plugin with those of its versions that are shown.
func pluginMessage(state registry.State, id string, p registry.Plugin, shown func(int, registry.PluginVersion) bool) *apiv1.Plugin {
	message := &apiv1.Plugin{Plugin: id, Active: p.Version, Activated: actMessage(p.Activated), Shadowed: actMessage(p.Shadowed), Granted: p.Capabilities, Granter: actMessage(p.Granted)}
	if v := p.With(p.Shadow); v != nil {
		message.Shadow = v.Version
	}
	for i, v := range slices.Backward(p.Versions) {
		if shown(i, v) {
			message.Versions = append(message.Versions, versionMessage(state, v))
		}
	}
	return message
}

func versionMessage(state registry.State, v registry.PluginVersion) *apiv1.PluginVersion {
	message := &apiv1.PluginVersion{Version: v.Version, Digest: v.Digest, Size: v.Size, Manifest: v.Manifest, Pushed: actMessage(v.Pushed), LastActive: stamp(v.Active)}
	if v.Key != "" {
		message.Signer = &apiv1.PluginSigner{Key: v.Key}
		if k := state.PluginKey(v.Key); k != nil {
			message.Signer.Name, message.Signer.Revoked = k.Name, !k.Revoked.At.IsZero()
		}
	}
	return message
}

func keyMessage(k registry.PluginKey) *apiv1.PluginKey {
	return &apiv1.PluginKey{Key: k.Key, Name: k.Name, Departments: k.Departments, Plugins: k.Plugins, Trusted: actMessage(k.Trusted), Revoked: actMessage(k.Revoked), Reason: k.Reason}
}

// twoHeaders refuses a stream with a second header.
func twoHeaders() error {
	return fail(connect.CodeInvalidArgument, nil, apiv1.Reason_REASON_INVALID, "一次上传只有一个文件说明", "an upload has one header")
}

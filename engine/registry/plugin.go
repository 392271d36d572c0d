package registry

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/siyiban/onething/engine/refusal"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// Act is who did something, and when.
type Act struct {
	At time.Time // zero: nobody did
	By string    // opaque id
}

// Plugin is what answers for a plugin's id.
type Plugin struct {
	// Version and Digest are those of the active version; empty: none is.
	Version string
	Digest  string
	// Activated is who made it so.
	Activated Act
	// Capabilities are granted, and Granted is who did.
	Capabilities []string
	Granted      Act
	// Shadow is the digest of the version that runs beside it without effects; empty: none.
	Shadow   string
	Shadowed Act
	// Versions were pushed, the oldest first. A version has one digest; in development the last one with it counts.
	Versions []PluginVersion
}

// PluginVersion is a version of a plugin whose file is kept as the blob of its digest.
type PluginVersion struct {
	Version, Digest string
	Manifest        *pluginv1.Manifest
	Size            int64
	// Key is the public key that has signed it; empty: none has.
	Key    string
	Pushed Act
	// Active is when it became the active version the last time, zero: never.
	Active time.Time
}

// With returns the version of a digest; nil if it was not pushed.
func (p Plugin) With(digest string) *PluginVersion {
	return p.find(func(v PluginVersion) bool { return v.Digest == digest })
}

// Named returns a version by its name; nil if it was not pushed.
func (p Plugin) Named(version string) *PluginVersion {
	return p.find(func(v PluginVersion) bool { return v.Version == version })
}

func (p Plugin) find(is func(PluginVersion) bool) *PluginVersion {
	for i := range slices.Backward(p.Versions) {
		if is(p.Versions[i]) {
			return &p.Versions[i]
		}
	}
	return nil
}

// newest is the highest version that was ever active; empty: none was.
func (p Plugin) newest() string {
	newest := p.Version
	for _, v := range p.Versions {
		if !v.Active.IsZero() && (newest == "" || CompareVersions(v.Version, newest) > 0) {
			newest = v.Version
		}
	}
	return newest
}

// PluginKey is a key that may, or might, sign plugins.
type PluginKey struct {
	// Key is the public key, and Name whose it is.
	Key, Name string
	// Departments are those for which it may sign, `*`: all; Plugins, if any are named, the only ones.
	Departments, Plugins []string
	Trusted              Act
	// Revoked is who has taken the trust away, and Reason why.
	Revoked Act
	Reason  string
}

// May reports whether the key may sign a plugin of a department.
func (k PluginKey) May(department, plugin string) bool {
	return k.Revoked.At.IsZero() && (slices.Contains(k.Departments, "*") || slices.Contains(k.Departments, department)) &&
		(len(k.Plugins) == 0 || slices.Contains(k.Plugins, plugin))
}

// PluginKey returns a key that is or was trusted; nil if it never was.
func (s State) PluginKey(key string) *PluginKey {
	if i := slices.IndexFunc(s.PluginKeys, func(k PluginKey) bool { return k.Key == key }); i >= 0 {
		return &s.PluginKeys[i]
	}
	return nil
}

// decidePlugin returns the events of a command on the stream of plugins, of which Decide sets time and actor; none if it
// changes nothing.
func decidePlugin(s State, command Command, w World) ([]*registryv1.Event, error) {
	one := func(event *registryv1.Event, err error) ([]*registryv1.Event, error) {
		if event == nil || err != nil {
			return nil, err
		}
		return []*registryv1.Event{event}, nil
	}
	switch c := command.(type) {
	case PushPlugin:
		return one(pushPlugin(s, c, w))
	case ActivatePlugin:
		return one(activatePlugin(s, c, w))
	case RollBackPlugin:
		return one(rollBackPlugin(s, c, w))
	case ShadowPlugin:
		return one(shadowPlugin(s, c, w))
	case StopPlugin:
		return one(stopPlugin(s, c))
	case GrantPlugin:
		return one(grantPlugin(s, c))
	case TrustPluginKey:
		return one(trustPluginKey(s, c))
	case RevokePluginKey:
		return revokePluginKey(s, c)
	default: // of another stream
		return nil, nil
	}
}

// mayShip refuses a version that no trusted key has signed for its department. In development an unsigned one passes.
func (s State) mayShip(m *pluginv1.Manifest, key string, w World) error {
	if key == "" && w.Development {
		return nil
	}
	if key == "" {
		return refusal.New(refusal.NotAllowed, "插件没有签名", "the plugin is not signed").
			Else("请由部门用受信任的密钥签名", "its department signs it: `onething plugin sign`")
	}
	k := s.PluginKey(key)
	switch {
	case k == nil:
		return refusal.New(refusal.NotAllowed, "签名所用密钥不受信任", "the plugin is signed with a key that is not trusted").
			Else("由运行方登记该密钥", "an operator trusts the key first: `onething plugin trust`")
	case !k.Revoked.At.IsZero():
		return refusal.New(refusal.NotAllowed, "签名所用密钥已吊销", "the plugin is signed with a key that was revoked").
			Else("请用另一把受信任的密钥重新签名", "sign it again with another key that is trusted")
	case !k.May(m.GetDepartment(), m.GetId()):
		return refusal.New(refusal.NotAllowed, fmt.Sprintf("该密钥不得签发插件 %s", m.GetId()), fmt.Sprintf("the key may not sign the plugin %s of the department %s", m.GetId(), m.GetDepartment())).
			Else("由运行方登记该密钥的适用范围", "an operator widens what the key may sign: `onething plugin trust`")
	}
	return nil
}

// forward refuses a version that is not above each that was ever active.
func (p Plugin) forward(version string) error {
	if newest := p.newest(); newest != "" && CompareVersions(version, newest) <= 0 {
		return refusal.New(refusal.WrongState, fmt.Sprintf("版本只能向前：%s 已启用过", newest), fmt.Sprintf("versions only move forward: %s was active already", newest)).
			Else("请使用更高的版本号；要回到启用过的版本，请回退", "take a higher version; to go back to one that was active, roll back")
	}
	return nil
}

// pushPlugin keeps a version; nil if it is kept already.
func pushPlugin(s State, c PushPlugin, w World) (*registryv1.Event, error) {
	m := c.Manifest
	id, version := m.GetId(), m.GetVersion()
	if organisation, _, _ := strings.Cut(id, "/"); organisation != m.GetDepartment() {
		return nil, refusal.New(refusal.Invalid, fmt.Sprintf("插件 %s 不属于部门 %s", id, m.GetDepartment()), fmt.Sprintf("the plugin %s is not one of the department %s that its manifest names", id, m.GetDepartment())).
			Else("编号应为“部门/名称”", "its id is `<department>/<name>`")
	}
	if err := s.mayShip(m, c.Key, w); err != nil {
		return nil, err
	}
	p := s.Plugins[id]
	if p.With(c.Digest) != nil {
		return nil, nil
	}
	if !w.Development {
		if p.Named(version) != nil {
			return nil, refusal.New(refusal.WrongState, fmt.Sprintf("版本 %s 已上传，内容不同", version), fmt.Sprintf("version %s was pushed already, with another content", version)).
				Else("请使用更高的版本号", "take a higher version")
		}
		if p.Digest != c.Digest { // the active one of a store of before files were kept
			if err := p.forward(version); err != nil {
				return nil, err
			}
		}
	}
	return &registryv1.Event{Kind: &registryv1.Event_PluginPushed{PluginPushed: &registryv1.PluginPushed{Manifest: m, Digest: c.Digest, Size: c.Size, Key: c.Key}}}, nil
}

// pushed returns a version that was pushed and may still ship.
func (s State) pushed(id, version string, w World) (Plugin, *PluginVersion, error) {
	p, ok := s.Plugins[id]
	if !ok {
		return p, nil, noPlugin()
	}
	v := p.Named(version)
	if v == nil {
		return p, nil, refusal.New(refusal.NotFound, "没有上传过这个版本", "this version was not pushed")
	}
	return p, v, s.mayShip(v.Manifest, v.Key, w)
}

func noPlugin() error {
	return refusal.New(refusal.NotFound, "没有这个插件", "there is no such plugin")
}

// activatePlugin makes a pushed version the one that answers; nil if it does already.
func activatePlugin(s State, c ActivatePlugin, w World) (*registryv1.Event, error) {
	p, v, err := s.pushed(c.ID, c.Version, w)
	if err == nil && c.Digest != "" && c.Digest != v.Digest {
		if v = p.With(c.Digest); v == nil || v.Version != c.Version {
			return nil, refusal.New(refusal.NotFound, "没有上传过这个版本", "this version was not pushed with this digest")
		}
		err = s.mayShip(v.Manifest, v.Key, w)
	}
	if err != nil || v.Digest == p.Digest {
		return nil, err
	}
	if !w.Development {
		if err := p.forward(c.Version); err != nil {
			return nil, err
		}
	}
	return &registryv1.Event{Kind: &registryv1.Event_PluginActivated{PluginActivated: &registryv1.PluginActivated{Plugin: c.ID, Version: v.Version, Digest: v.Digest, Reason: c.Reason}}}, nil
}

// rollBackPlugin takes up a version that was active before; nil if it is.
func rollBackPlugin(s State, c RollBackPlugin, w World) (*registryv1.Event, error) {
	p, v, err := s.pushed(c.ID, c.Version, w)
	if err != nil || v.Digest == p.Digest {
		return nil, err
	}
	if v.Active.IsZero() {
		return nil, refusal.New(refusal.WrongState, "这个版本没有启用过", "this version was never active").
			Else("请启用它", "activate it")
	}
	return &registryv1.Event{Kind: &registryv1.Event_PluginActivated{PluginActivated: &registryv1.PluginActivated{Plugin: c.ID, Version: v.Version, Digest: v.Digest, RolledBack: true, Reason: c.Reason}}}, nil
}

// shadowPlugin lets a version run in shadow, or none; nil if it is so.
func shadowPlugin(s State, c ShadowPlugin, w World) (*registryv1.Event, error) {
	if c.Version == "" {
		p, ok := s.Plugins[c.ID]
		switch {
		case !ok:
			return nil, noPlugin()
		case p.Shadow == "":
			return nil, nil
		}
		return &registryv1.Event{Kind: &registryv1.Event_PluginShadowed{PluginShadowed: &registryv1.PluginShadowed{Plugin: c.ID}}}, nil
	}
	p, v, err := s.pushed(c.ID, c.Version, w)
	switch {
	case err != nil || v.Digest == p.Shadow:
		return nil, err
	case p.Digest == "":
		return nil, refusal.New(refusal.WrongState, "没有启用的版本可以对照", "no version is active that it could be compared with")
	case v.Digest == p.Digest:
		return nil, refusal.New(refusal.WrongState, "这个版本已启用", "this version is the active one")
	}
	return &registryv1.Event{Kind: &registryv1.Event_PluginShadowed{PluginShadowed: &registryv1.PluginShadowed{Plugin: c.ID, Version: v.Version, Digest: v.Digest}}}, nil
}

// stopPlugin lets no version answer; nil if none does.
func stopPlugin(s State, c StopPlugin) (*registryv1.Event, error) {
	p, ok := s.Plugins[c.ID]
	switch {
	case !ok:
		return nil, noPlugin()
	case p.Digest == "":
		return nil, nil
	}
	return &registryv1.Event{Kind: &registryv1.Event_PluginStopped{PluginStopped: &registryv1.PluginStopped{Plugin: c.ID, Reason: c.Reason}}}, nil
}

// grantPlugin says what a plugin may use; nil if it is so.
func grantPlugin(s State, c GrantPlugin) (*registryv1.Event, error) {
	p, ok := s.Plugins[c.ID]
	if !ok {
		return nil, noPlugin()
	}
	capabilities := slices.Compact(slices.Sorted(slices.Values(c.Capabilities)))
	if slices.Equal(p.Capabilities, capabilities) {
		return nil, nil
	}
	for _, grant := range capabilities {
		name, _, _ := strings.Cut(grant, ":") // some say more: http:ledger.example.cn
		asked := slices.ContainsFunc(p.Versions, func(v PluginVersion) bool { return slices.Contains(v.Manifest.GetCapabilities(), name) })
		if !asked && !slices.Contains(p.Capabilities, grant) {
			return nil, refusal.New(refusal.Invalid, fmt.Sprintf("插件没有申请能力 %s", name), fmt.Sprintf("no version of the plugin asks for the capability %s", name))
		}
	}
	return &registryv1.Event{Kind: &registryv1.Event_PluginGranted{PluginGranted: &registryv1.PluginGranted{Plugin: c.ID, Capabilities: capabilities}}}, nil
}

// trustPluginKey lets a key sign; nil if it may already. Whether it is a key was looked at before.
func trustPluginKey(s State, c TrustPluginKey) (*registryv1.Event, error) {
	trusted := &registryv1.PluginKeyTrusted{Key: c.Key, Name: c.Name, Departments: slices.Sorted(slices.Values(c.Departments)), Plugins: slices.Sorted(slices.Values(c.Plugins))}
	if len(c.Departments) == 0 {
		return nil, refusal.New(refusal.Invalid, "请指明密钥可以为哪些部门签名", "say for which departments the key may sign")
	}
	if k := s.PluginKey(c.Key); k != nil {
		switch {
		case !k.Revoked.At.IsZero():
			return nil, refusal.New(refusal.WrongState, "该密钥已吊销，不能再登记", "the key was revoked, and is never trusted again").
				Else("请登记另一把密钥", "trust another key")
		case k.Name == trusted.GetName() && slices.Equal(k.Departments, trusted.GetDepartments()) && slices.Equal(k.Plugins, trusted.GetPlugins()):
			return nil, nil
		}
	}
	return &registryv1.Event{Kind: &registryv1.Event_PluginKeyTrusted{PluginKeyTrusted: trusted}}, nil
}

// revokePluginKey ends the trust in a key. What it has signed ends running in shadow, and if asked answers no more.
func revokePluginKey(s State, c RevokePluginKey) (events []*registryv1.Event, err error) {
	k := s.PluginKey(c.Key)
	switch {
	case k == nil:
		return nil, refusal.New(refusal.NotFound, "没有登记过这把密钥", "there is no such key")
	case !k.Revoked.At.IsZero() && !c.Stop:
		return nil, nil
	case k.Revoked.At.IsZero():
		events = append(events, &registryv1.Event{Kind: &registryv1.Event_PluginKeyRevoked{PluginKeyRevoked: &registryv1.PluginKeyRevoked{Key: c.Key, Reason: c.Reason}}})
	}
	for _, id := range slices.Sorted(maps.Keys(s.Plugins)) {
		p := s.Plugins[id]
		if v := p.With(p.Shadow); v != nil && v.Key == c.Key {
			events = append(events, &registryv1.Event{Kind: &registryv1.Event_PluginShadowed{PluginShadowed: &registryv1.PluginShadowed{Plugin: id}}})
		}
		if v := p.With(p.Digest); c.Stop && v != nil && v.Key == c.Key {
			events = append(events, &registryv1.Event{Kind: &registryv1.Event_PluginStopped{PluginStopped: &registryv1.PluginStopped{Plugin: id, Reason: c.Reason}}})
		}
	}
	return events, nil
}

// evolvePlugin returns the state after an event of the stream of plugins.
func (s State) evolvePlugin(e *registryv1.Event) State {
	act := Act{At: e.GetAt().AsTime(), By: e.GetActor()}
	switch k := e.GetKind().(type) {
	case *registryv1.Event_PluginPushed:
		pushed := k.PluginPushed
		m := pushed.GetManifest()
		p := s.Plugins[m.GetId()]
		v := PluginVersion{Version: m.GetVersion(), Digest: pushed.GetDigest(), Manifest: m, Size: pushed.GetSize(), Key: pushed.GetKey(), Pushed: act}
		if p.Digest == v.Digest { // of a store of before files were kept
			v.Active = act.At
		}
		p.Versions = append(slices.Clone(p.Versions), v)
		return s.withPlugin(m.GetId(), p)
	case *registryv1.Event_PluginActivated:
		activated := k.PluginActivated
		p := s.Plugins[activated.GetPlugin()]
		p.Version, p.Digest, p.Activated = activated.GetVersion(), activated.GetDigest(), act
		if p.Shadow == p.Digest {
			p.Shadow, p.Shadowed = "", Act{}
		}
		p.Versions = slices.Clone(p.Versions)
		if v := p.With(p.Digest); v != nil {
			v.Active = act.At
		}
		return s.withPlugin(activated.GetPlugin(), p)
	case *registryv1.Event_PluginStopped:
		p := s.Plugins[k.PluginStopped.GetPlugin()]
		p.Version, p.Digest, p.Activated, p.Shadow, p.Shadowed = "", "", Act{}, "", Act{}
		return s.withPlugin(k.PluginStopped.GetPlugin(), p)
	case *registryv1.Event_PluginShadowed:
		p := s.Plugins[k.PluginShadowed.GetPlugin()]
		if p.Shadow = k.PluginShadowed.GetDigest(); p.Shadow == "" {
			act = Act{}
		}
		p.Shadowed = act
		return s.withPlugin(k.PluginShadowed.GetPlugin(), p)
	case *registryv1.Event_PluginGranted:
		p := s.Plugins[k.PluginGranted.GetPlugin()]
		p.Capabilities, p.Granted = slices.Clone(k.PluginGranted.GetCapabilities()), act
		return s.withPlugin(k.PluginGranted.GetPlugin(), p)
	case *registryv1.Event_PluginKeyTrusted:
		trusted := k.PluginKeyTrusted
		key := PluginKey{Key: trusted.GetKey(), Name: trusted.GetName(), Departments: trusted.GetDepartments(), Plugins: trusted.GetPlugins(), Trusted: act}
		s.PluginKeys = slices.Clone(s.PluginKeys)
		if known := s.PluginKey(key.Key); known != nil {
			*known = key
		} else {
			s.PluginKeys = append(s.PluginKeys, key)
		}
		return s
	case *registryv1.Event_PluginKeyRevoked:
		s.PluginKeys = slices.Clone(s.PluginKeys)
		if known := s.PluginKey(k.PluginKeyRevoked.GetKey()); known != nil {
			known.Revoked, known.Reason = act, k.PluginKeyRevoked.GetReason()
		}
		return s
	}
	return s
}

func (s State) withPlugin(id string, p Plugin) State {
	s.Plugins = maps.Clone(s.Plugins)
	if s.Plugins == nil {
		s.Plugins = map[string]Plugin{}
	}
	s.Plugins[id] = p
	return s
}

// CompareVersions compares semantic versions, as semver.org has it, without build metadata. It is a total order also of
// texts that are none.
func CompareVersions(a, b string) int {
	coreA, beforeA, preA := strings.Cut(a, "-")
	coreB, beforeB, preB := strings.Cut(b, "-")
	if c := compareIdentifiers(coreA, coreB); c != 0 {
		return c
	}
	switch {
	case preA && preB:
		return compareIdentifiers(beforeA, beforeB)
	case preA: // a version before its release
		return -1
	case preB:
		return 1
	}
	return 0
}

// compareIdentifiers compares what stands between dots: numbers as numbers and below words, and more above fewer.
func compareIdentifiers(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	number := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	for i := range min(len(as), len(bs)) {
		x, y := as[i], bs[i]
		var c int
		switch {
		case number(x) && number(y):
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			c = cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y), cmp.Compare(len(as[i]), len(bs[i])))
		case number(x):
			c = -1
		case number(y):
			c = 1
		default:
			c = strings.Compare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

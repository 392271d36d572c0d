package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// shelf is a registry into which plugins are pushed, from nothing.
func shelf() *catalogue {
	return &catalogue{world: registry.World{Now: time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC), Compiled: &catalog.Compiled{}}}
}

// version is a push of a version, signed with a key.
func version(id, number, key string) registry.PushPlugin {
	department, _, _ := strings.Cut(id, "/")
	return registry.PushPlugin{Digest: id + " " + number + " " + key, Size: 1, Key: key,
		Manifest: &pluginv1.Manifest{Id: id, Version: number, Department: department, Capabilities: []string{"shared_data"}}}
}

func trust(key string, departments ...string) registry.TrustPluginKey {
	return registry.TrustPluginKey{Key: key, Name: "key " + key, Departments: departments}
}

// must gives commands that are not refused.
func (c *catalogue) must(t testing.TB, commands ...registry.Command) {
	t.Helper()
	for _, command := range commands {
		if err := c.give("operator", command); err != nil {
			t.Fatalf("%T: %v", command, err)
		}
	}
}

func TestPlugin_WhoMayShip(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		trusted     []registry.Command
		push        registry.PushPlugin
		development bool
		want        refusal.Reason
	}{
		{name: "unsigned", push: version("hrss/pension", "1.0.0", ""), want: refusal.NotAllowed},
		{name: "unsigned in development", push: version("hrss/pension", "1.0.0", ""), development: true},
		{name: "unknown key", push: version("hrss/pension", "1.0.0", "k"), want: refusal.NotAllowed},
		{name: "unknown key in development", push: version("hrss/pension", "1.0.0", "k"), development: true, want: refusal.NotAllowed},
		{name: "key of the department", trusted: []registry.Command{trust("k", "hrss")}, push: version("hrss/pension", "1.0.0", "k")},
		{name: "key of all departments", trusted: []registry.Command{trust("k", "*")}, push: version("hrss/pension", "1.0.0", "k")},
		{name: "key of another department", trusted: []registry.Command{trust("k", "health")}, push: version("hrss/pension", "1.0.0", "k"), want: refusal.NotAllowed},
		{name: "key of another plugin", trusted: []registry.Command{registry.TrustPluginKey{Key: "k", Departments: []string{"hrss"}, Plugins: []string{"hrss/survivors"}}},
			push: version("hrss/pension", "1.0.0", "k"), want: refusal.NotAllowed},
		{name: "key of this plugin", trusted: []registry.Command{registry.TrustPluginKey{Key: "k", Departments: []string{"hrss"}, Plugins: []string{"hrss/pension"}}},
			push: version("hrss/pension", "1.0.0", "k")},
		{name: "key that was narrowed", trusted: []registry.Command{trust("k", "hrss"), trust("k", "health")}, push: version("hrss/pension", "1.0.0", "k"), want: refusal.NotAllowed},
		{name: "revoked key", trusted: []registry.Command{trust("k", "hrss"), registry.RevokePluginKey{Key: "k", Reason: "lost"}}, push: version("hrss/pension", "1.0.0", "k"), want: refusal.NotAllowed},
		{name: "another department's name", trusted: []registry.Command{trust("k", "*")}, want: refusal.Invalid,
			push: registry.PushPlugin{Digest: "d", Key: "k", Manifest: &pluginv1.Manifest{Id: "hrss/pension", Version: "1.0.0", Department: "health"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := shelf()
			c.must(t, test.trusted...)
			c.world.Development = test.development
			err := c.give("operator", test.push)
			if got := reason(err); got != test.want || (err == nil) != (test.want == "") {
				t.Errorf("pushed: %v, want %q", err, test.want)
			}
			if kept := len(c.state.Plugins["hrss/pension"].Versions); (kept == 1) != (test.want == "") {
				t.Errorf("%d versions are kept", kept)
			}
		})
	}
}

// A version goes its way: pushed, in shadow, active, and back to the one before, by name.
func TestPlugin_Life(t *testing.T) {
	t.Parallel()
	const id = "hrss/pension"
	c := shelf()
	refused := func(want refusal.Reason, command registry.Command) {
		t.Helper()
		if err := c.give("operator", command); reason(err) != want {
			t.Errorf("%+v: %v, want %s", command, err, want)
		}
	}
	active := func(want string) {
		t.Helper()
		if p := c.state.Plugins[id]; p.Version != want || want != "" && (p.Digest != p.Named(want).Digest || p.Activated.By != "operator") {
			t.Errorf("active is %q with %q, want %q", p.Version, p.Digest, want)
		}
	}
	refused(refusal.NotFound, registry.ActivatePlugin{ID: id, Version: "1.0.0"})
	refused(refusal.NotFound, registry.GrantPlugin{ID: id, Capabilities: []string{"shared_data"}})
	c.must(t, trust("k", "hrss"), version(id, "1.0.0", "k"))
	active("")
	refused(refusal.WrongState, registry.ShadowPlugin{ID: id, Version: "1.0.0"}) // nothing to compare with
	refused(refusal.WrongState, registry.RollBackPlugin{ID: id, Version: "1.0.0"})
	refused(refusal.NotFound, registry.ActivatePlugin{ID: id, Version: "2.0.0"})
	c.must(t, registry.ActivatePlugin{ID: id, Version: "1.0.0"}, registry.GrantPlugin{ID: id, Capabilities: []string{"shared_data"}})
	active("1.0.0")
	refused(refusal.Invalid, registry.GrantPlugin{ID: id, Capabilities: []string{"http", "shared_data"}}) // not asked for
	if granted := c.state.Plugins[id]; granted.Granted.By != "operator" || !slices.Equal(granted.Capabilities, []string{"shared_data"}) {
		t.Errorf("granted %v by %+v", granted.Capabilities, granted.Granted)
	}

	other := version(id, "1.0.0", "k")
	other.Digest = "other"
	refused(refusal.WrongState, other)                     // the same version with another content
	refused(refusal.WrongState, version(id, "0.9.0", "k")) // could never be activated
	c.must(t, version(id, "1.10.0", "k"), version(id, "1.9.0", "k"), registry.ShadowPlugin{ID: id, Version: "1.9.0"})
	active("1.0.0")
	refused(refusal.WrongState, registry.ShadowPlugin{ID: id, Version: "1.0.0"})
	if got := c.state.Plugins[id].Shadow; got != version(id, "1.9.0", "k").Digest {
		t.Errorf("in shadow is %q", got)
	}
	c.must(t, registry.ActivatePlugin{ID: id, Version: "1.9.0"})
	active("1.9.0")
	if got := c.state.Plugins[id].Shadow; got != "" {
		t.Errorf("in shadow is %q beside itself", got)
	}
	c.must(t, registry.ActivatePlugin{ID: id, Version: "1.10.0"}, registry.ShadowPlugin{ID: id, Version: "1.9.0"}, registry.ShadowPlugin{ID: id})
	refused(refusal.WrongState, registry.ActivatePlugin{ID: id, Version: "1.0.0"}) // not back by going forward
	c.must(t, registry.RollBackPlugin{ID: id, Version: "1.0.0", Reason: "worse"})
	active("1.0.0")
	refused(refusal.WrongState, registry.ActivatePlugin{ID: id, Version: "1.9.0"})
	c.must(t, registry.StopPlugin{ID: id, Reason: "all are wrong"})
	active("")
	refused(refusal.WrongState, registry.ActivatePlugin{ID: id, Version: "1.10.0"})
	c.must(t, registry.RollBackPlugin{ID: id, Version: "1.10.0"})
	active("1.10.0")

	// What a revoked key has signed is not taken up again, and answers no more if that is asked for.
	c.must(t, version(id, "1.11.0", "k"), registry.ShadowPlugin{ID: id, Version: "1.11.0"}, registry.RevokePluginKey{Key: "k", Reason: "stolen"})
	active("1.10.0")
	if got := c.state.Plugins[id].Shadow; got != "" {
		t.Errorf("in shadow is %q, of a revoked key", got)
	}
	refused(refusal.NotAllowed, registry.ActivatePlugin{ID: id, Version: "1.11.0"})
	refused(refusal.NotAllowed, registry.RollBackPlugin{ID: id, Version: "1.0.0"})
	refused(refusal.NotAllowed, registry.ShadowPlugin{ID: id, Version: "1.11.0"})
	refused(refusal.WrongState, trust("k", "hrss"))
	refused(refusal.NotFound, registry.RevokePluginKey{Key: "none"})
	c.must(t, registry.RevokePluginKey{Key: "k", Reason: "stolen", Stop: true})
	active("")
	if k := c.state.PluginKey("k"); k.Reason != "stolen" || k.Revoked.By != "operator" {
		t.Errorf("the key is %+v", k)
	}
}

// In development a version may be built again and again.
func TestPlugin_Development(t *testing.T) {
	t.Parallel()
	const id = "hrss/pension"
	c := shelf()
	c.world.Development = true
	again := func(digest string) registry.PushPlugin {
		p := version(id, "1.0.0", "")
		p.Digest = digest
		return p
	}
	for _, digest := range []string{"a", "b", "c"} {
		c.must(t, again(digest), registry.ActivatePlugin{ID: id, Version: "1.0.0"})
		if got := c.state.Plugins[id].Digest; got != digest {
			t.Errorf("active is %q, want %q", got, digest)
		}
	}
}

// Whatever is done, in whatever order, a version that answers was signed by a key that might when it was taken up, and none
// below the highest that ever answered is taken up but by its name.
func TestPlugin_Properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const id = "hrss/pension"
		c := shelf()
		keys, numbers := []string{"", "k", "l"}, []string{"1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"}
		key, number := rapid.SampledFrom(keys), rapid.SampledFrom(numbers)
		newest := ""
		for range rapid.IntRange(1, 40).Draw(t, "commands") {
			var command registry.Command
			switch rapid.IntRange(0, 7).Draw(t, "command") {
			case 0:
				command = trust(key.Draw(t, "key"), rapid.SampledFrom([]string{"hrss", "health", "*"}).Draw(t, "department"))
			case 1:
				command = registry.RevokePluginKey{Key: key.Draw(t, "key"), Stop: rapid.Bool().Draw(t, "stop")}
			case 2, 3:
				command = version(id, number.Draw(t, "version"), key.Draw(t, "key"))
			case 4, 5:
				command = registry.ActivatePlugin{ID: id, Version: number.Draw(t, "version")}
			case 6:
				command = registry.RollBackPlugin{ID: id, Version: number.Draw(t, "version")}
			case 7:
				command = registry.ShadowPlugin{ID: id, Version: number.Draw(t, "version")}
			}
			before := c.state
			if err := c.give("operator", command); err != nil {
				if diff := cmp.Diff(fmt.Sprint(before), fmt.Sprint(c.state)); diff != "" {
					t.Fatalf("refused, and changed: %s", diff)
				}
				continue
			}
			p, was := c.state.Plugins[id], before.Plugins[id]
			for _, digest := range []string{p.Digest, p.Shadow} {
				if digest == "" || digest == was.Digest || digest == was.Shadow {
					continue
				}
				v := p.With(digest)
				if k := c.state.PluginKey(v.Key); k == nil || !k.May("hrss", id) {
					t.Fatalf("%T took up %s of the key %q", command, v.Version, v.Key)
				}
			}
			if p.Digest != was.Digest && p.Digest != "" {
				_, back := command.(registry.RollBackPlugin)
				if !back && newest != "" && registry.CompareVersions(p.Version, newest) <= 0 {
					t.Fatalf("%s was taken up after %s", p.Version, newest)
				}
				if back && (before.Plugins[id].Named(p.Version) == nil || before.Plugins[id].Named(p.Version).Active.IsZero()) {
					t.Fatalf("back to %s, which was never active", p.Version)
				}
				if newest == "" || registry.CompareVersions(p.Version, newest) > 0 {
					newest = p.Version
				}
			}
		}
	})
}

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	ordered := []string{"0.0.9", "0.1.0", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.9.0", "1.10.0", "2.0.0"}
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := registry.CompareVersions(a, b); got != want {
				t.Errorf("CompareVersions(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
}

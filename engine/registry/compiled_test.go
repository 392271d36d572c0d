package registry_test

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/registry"
)

const (
	departments = "library: departments\ndepartments:\n  - { department: market, name: { zh: 市场监管局 } }\n"
	badge       = `bundle: badge
name: { zh: 胸牌 }
level: COUNTY
lead: market
applicant: [holder]
form:
  - section: person
    as: holder
steps:
  - { id: make, name: { zh: 制作 }, department: market, promised: { working_days: 1 }, needs: { fields: [holder.id_no] } }
`
	person = "library: sections\nsections:\n  - section: person\n    name: { zh: 人 }\n    about: PERSON\n    fields: [{ field: id_no, kind: CITIZEN_NUMBER, name: { zh: 公民身份号码 }, required: true }]\n"
)

// A bundle is compiled once on its way from a file into force, and anew as soon as anything that it stands on changes.
func TestCompiled_Once(t *testing.T) {
	t.Parallel()
	libraries := map[string][]byte{"departments.yaml": []byte(departments), "sections.yaml": []byte(person)}
	compiled := &catalog.Compiled{}
	world := registry.World{Now: time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC), Compiled: compiled}
	var state registry.State
	var last *registry.InForce
	publish := func(command registry.Command) error {
		t.Helper()
		events, err := registry.Decide(state, command, world)
		if err != nil {
			return err
		}
		for _, e := range events {
			state = registry.Evolve(state, e)
		}
		last, err = registry.Compile(state, last, compiled)
		return err
	}
	bundle := func(text string) registry.PublishBundle {
		return registry.PublishBundle{Name: catalog.BundleFile("badge"), Text: []byte(text)}
	}
	if err := errors.Join(publish(registry.PublishLibrary{Files: libraries}), publish(bundle(badge))); err != nil {
		t.Fatal(err)
	}
	digest := state.Bundles["badge"][0].Digest
	first := last.Bundle(digest)
	library, err := compiled.Library(libraries)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := compiled.Bundle(library, catalog.BundleFile("badge"), []byte(badge)); err != nil || again != first {
		t.Errorf("published and put into force, it was compiled twice: %v", err)
	}
	restarted, err := registry.Compile(state, nil, compiled)
	if err != nil || restarted.Bundle(digest) != first {
		t.Errorf("after a restart it was compiled again: %v", err)
	}
	forgetful, err := registry.Compile(state, nil, nil)
	if err != nil || forgetful.Bundle(digest) == first || forgetful.Bundle(digest).Digest != digest {
		t.Errorf("without a memory: %v", err)
	}

	// Another text, and the same text with another library, are other bundles.
	if err := publish(bundle(badge + "# changed\n")); err != nil || len(state.Bundles["badge"]) != 2 {
		t.Errorf("a changed bundle: %v, %d versions", err, len(state.Bundles["badge"]))
	}
	libraries = map[string][]byte{"departments.yaml": []byte(departments), "sections.yaml": bytes.ReplaceAll([]byte(person), []byte("id_no"), []byte("number"))}
	if err := publish(registry.PublishLibrary{Files: libraries}); err != nil {
		t.Fatal(err)
	}
	var found diag.List
	if err := publish(bundle(badge)); !errors.As(err, &found) {
		t.Errorf("a bundle that the library in force does not hold was published: %v", err)
	}
}

// What a catalogue has loaded is known.
func TestCompiled_OfACatalogue(t *testing.T) {
	t.Parallel()
	c, found := catalog.Load(os.DirFS("../bundletest/testdata/language"))
	if err := found.Err(); err != nil || len(c.Bundles) == 0 {
		t.Fatal(err)
	}
	compiled := c.Compiled()
	library, err := compiled.Library(c.Files[""])
	if err != nil || library != c.Library {
		t.Errorf("its library was read again: %v", err)
	}
	for id, b := range c.Bundles {
		if got, err := compiled.Bundle(library, catalog.BundleFile(id), c.Files[id]["bundle.yaml"]); err != nil || got != b {
			t.Errorf("%s was compiled again: %v", id, err)
		}
	}
}

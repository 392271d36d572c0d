package catalog_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// Whatever a caller sends as a record, lists and their rows included, what is taken of it can be written and read again
// as the same, and a second reading finds no fault in it.
func FuzzDecodeRecord(f *testing.F) {
	c, found := catalog.Load(os.DirFS("../bundletest/testdata/language"))
	if err := found.Err(); err != nil {
		f.Fatal(err)
	}
	var bundles []*catalog.Bundle
	for _, id := range []string{"company_setup", "inheritance", "ranks"} {
		bundles = append(bundles, c.Bundles[id])
	}
	fields := func(p forms.Path) *forms.Field {
		for _, b := range bundles {
			if field := b.Field(p); field != nil {
				return field.Field
			}
		}
		return nil
	}
	for _, text := range []string{
		`{}`, `{"answers": {"form.enterprise.name": "甲", "form.enterprise.capital": "100.00", "form.enterprise.kind": "limited", "form.enterprise.has_license": false}}`,
		`{"answers": {"form.shareholders.list": [{"person": true, "name": "甲", "capital": "1.00", "id_no": "32132319960412042x"}, {"person": false, "uscc": null}]}}`,
		`{"answers": {"form.shareholders.list": []}}`, `{"answers": {"form.shareholders.list": null}}`, `{"answers": {"form.shareholders.list": [[]]}}`,
		`{"answers": {"form.shareholders.list": {"0": {}}}}`, `{"answers": {"form.shareholders.list[0].name": "甲"}}`, `{"answers": {"form.shareholders.list": [null, 1, "a", {"nam": 1}]}}`,
		`{"answers": {"form.event.addr": {"region": "321323", "text": "路"}, "form.event.start": "2026-02-30"}}`, `{"answers": {"": 1, ".": 1, "form": {}}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sent := &formsv1.Record{}
		if protojson.Unmarshal(text, sent) != nil {
			return
		}
		record, _ := forms.Decode(sent.GetAnswers(), fields)
		kept, err := record.Encode()
		if err != nil {
			t.Fatalf("what was taken cannot be written: %v", err)
		}
		again, faults := forms.Decode(kept.GetAnswers(), fields)
		for _, v := range faults {
			if v.Code != "required" {
				t.Errorf("what was taken has a fault: %s %s", v.Path, v.Code)
			}
		}
		twice, err := again.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(kept, twice, protocmp.Transform()); diff != "" {
			t.Errorf("read again it is another record (-first +second):\n%s", diff)
		}
	})
}

package draft_test

import (
	"errors"
	"testing"

	"github.com/siyiban/onething/engine/draft"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// confirm notes that somebody has confirmed, and that the draft waits for others.
func confirm(alias string, with ...draft.Owner) func(*draft.Draft) (bool, error) {
	return func(d *draft.Draft) (bool, error) {
		d.Consents = append(d.Consents, &applicationv1.DraftContent_Consent{Confirmation: &applicationv1.Confirmation{Alias: alias}, Owner: alias})
		d.Versions, d.With = []string{"v1"}, with
		return true, nil
	}
}

func aliases(d *draft.Draft) (all []string) {
	for _, c := range d.Consents {
		all = append(all, c.GetConfirmation().GetAlias())
	}
	return all
}

// A draft that waits stands in the lists of all who are to submit it, under the revision that was shown to them; a save
// voids what was confirmed; and when it is filed it is in no list.
func TestSubmit_WaitsForOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	d := o.begin("a", "r")
	listed := func(owner draft.Owner, want int) {
		t.Helper()
		if drafts, _, err := o.List(ctx, owner, draft.Page{Size: 10}); err != nil || len(drafts) != want {
			t.Errorf("%d drafts are listed for %s, want %d, %v", len(drafts), owner, want, err)
		}
	}
	waits, err := o.Submit(ctx, d.ID, 1, request("1"), confirm("a", "b", "c"))
	if err != nil || waits == nil || waits.Revision != 1 {
		t.Fatalf("%+v, %v; want it to wait as revision 1", waits, err)
	}
	for _, owner := range []draft.Owner{"a", "b", "c"} {
		listed(owner, 1)
	}
	// What was asked before is not asked again, and its id not used for something else.
	again, err := o.Submit(ctx, d.ID, 1, request("1"), confirm("never"))
	if err != nil || len(aliases(again)) != 1 {
		t.Errorf("repeated: %v, %v", aliases(again), err)
	}
	if _, err := o.Submit(ctx, d.ID, 1, draft.Request{ID: "1", Digest: []byte("other")}, confirm("never")); !errors.Is(err, draft.ErrRequestReused) {
		t.Errorf("an id used again: %v", err)
	}
	// It stays over a restart.
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o.open()
	kept, err := o.Load(ctx, d.ID)
	if err != nil || len(aliases(kept)) != 1 || len(kept.Versions) != 1 || len(kept.With) != 2 {
		t.Fatalf("%+v, %v", kept, err)
	}
	// Taken back, under the same revision.
	if err := o.Amend(ctx, d.ID, request("2"), func(d *draft.Draft) { d.Consents, d.With = nil, []draft.Owner{"b"} }); err != nil {
		t.Fatal(err)
	}
	if err := o.Amend(ctx, d.ID, request("2"), func(*draft.Draft) { t.Error("amended twice") }); err != nil {
		t.Error(err)
	}
	if err := o.Amend(ctx, d.ID, draft.Request{ID: "2", Digest: []byte("other")}, func(*draft.Draft) { t.Error("amended") }); !errors.Is(err, draft.ErrRequestReused) {
		t.Errorf("an id used again: %v", err)
	}
	listed("c", 0)
	listed("b", 1)
	if _, err := o.Submit(ctx, d.ID, 1, request("3"), confirm("a", "b", "c")); err != nil {
		t.Fatal(err)
	}
	saved, _, err := o.Save(ctx, d.ID, 1, request("4"), answer("x"))
	if err != nil || saved.Revision != 2 || len(saved.Consents) != 0 {
		t.Fatalf("a save leaves %v of %+v, %v", aliases(saved), saved, err)
	}
	listed("c", 1)
	if _, err := o.Submit(ctx, d.ID, 1, request("5"), confirm("b")); !errors.Is(err, draft.ErrStale) {
		t.Errorf("what was not shown is confirmed: %v", err)
	}
	filed, err := o.Submit(ctx, d.ID, 2, request("6"), func(d *draft.Draft) (bool, error) { o.file(d.ID); return false, nil })
	if err != nil || filed != nil {
		t.Fatalf("%v, %v", filed, err)
	}
	for _, owner := range []draft.Owner{"a", "b", "c"} {
		listed(owner, 0)
	}
}

// Who is listed with a draft is not listed with it any more when it is deleted.
func TestDelete_FromEveryList(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.begin("a", "r")
	if _, err := o.Submit(t.Context(), d.ID, 1, request("1"), confirm("a", "b")); err != nil {
		t.Fatal(err)
	}
	if err := o.Delete(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	if drafts, _, err := o.List(t.Context(), "b", draft.Page{Size: 10}); err != nil || len(drafts) != 0 {
		t.Errorf("%d drafts are listed, %v", len(drafts), err)
	}
}

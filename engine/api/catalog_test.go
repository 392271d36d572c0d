package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// What a counter and a front end need to know of documents and procedures before anything is answered.
func TestGetBundle_DocumentsAndProcedures(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.publish(t, `bundle: papers
name: { zh: 材料一件事 }
level: COUNTY
lead: health
applicant: [me]
form: [{ section: person_identity, as: me }]
materials:
  - { use: residence_permit, of: me, copies: { original: 1, copy: 2 } }
  - { material: photo, name: { zh: 照片 }, source: [E_CERTIFICATE, APPLICANT], certificates: [photo, portrait], required: false, class: SECONDARY, basis: 某办法 第三条 }
steps:
  - { id: do, name: { zh: 办 }, department: health, promised: { working_days: 1 }, not_counted: [{ kind: PUBLICITY, days: 7 }], basis: 某法 第二条,
      needs: { fields: [me.name], materials: [residence_permit, photo] }, result: { document: card, valid: { years: 5 } } }
`, 0)
	got, err := apiv1connect.NewCatalogServiceClient(h.as("")).GetBundle(t.Context(), &apiv1.GetBundleRequest{Bundle: "papers"})
	if err != nil {
		t.Fatal(explain(err))
	}
	zh := func(text string) *formsv1.Text { return &formsv1.Text{Zh: text} }
	want := []*apiv1.BundleMaterial{
		{Material: "residence_permit.me", Name: &formsv1.Text{Zh: "居住证", En: "Residence permit"}, Class: "PRIMARY", Sources: []string{"E_CERTIFICATE", "APPLICANT"}, Formats: []string{"pdf", "jpg", "png"},
			Originals: 1, Copies: 2, Required: true, Certificates: []string{"residence_permit"}, Valid: &apiv1.Validity{N: 1, Unit: "years"}, Basis: "居住证暂行条例 第十条"},
		{Material: "own.papers.photo", Name: zh("照片"), Class: "SECONDARY", Sources: []string{"E_CERTIFICATE", "APPLICANT"}, Formats: []string{"pdf", "jpg", "png"},
			Certificates: []string{"photo", "portrait"}, Basis: "某办法 第三条"},
	}
	if diff := cmp.Diff(want, got.GetMaterials(), protocmp.Transform()); diff != "" {
		t.Errorf("materials (-want +got):\n%s", diff)
	}
	step := &apiv1.BundleStep{Id: "do", Name: zh("办"), Department: got.GetSummary().GetLead(), Document: "card", NotCounted: []*apiv1.NotCounted{{Kind: "PUBLICITY", Days: 7}},
		Valid: &apiv1.Validity{N: 5, Unit: "years"}, Basis: "某法 第二条"}
	if diff := cmp.Diff([]*apiv1.BundleStep{step}, got.GetSteps(), protocmp.Transform()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

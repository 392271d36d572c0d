package intake

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// SystemSecret is the secret of each department's system at the development issuer.
const SystemSecret = "development-only"

// graduateRecord is the record of a graduate with a first job, as curl sends it. All persons, enterprises and numbers
// are made up.
//
//go:embed graduate.json
var graduateRecord []byte

// graduate are its answers.
func graduate() (Answers, error) {
	var record struct{ Answers Answers }
	if err := json.Unmarshal(graduateRecord, &record); err != nil {
		return nil, fmt.Errorf("graduate.json: %w", err)
	}
	return record.Answers, nil
}

// Walk goes through every service of a server in development: it finds the matter of a first job, asks the guide, files
// the application, accepts it as a clerk, and decides its first step as a department's system. It prints what it sees.
func Walk(ctx context.Context, api, issuer string, out io.Writer) error {
	nobody := Dial(api, nil)
	resident := Dial(api, SignIn(issuer, "graduate"))
	clerk := Dial(api, SignIn(issuer, "clerk"))
	labour := Dial(api, System(issuer, "system-hrss", SystemSecret))

	// Catalogue: which matter is it?
	found, err := nobody.Catalog.SearchBundles(ctx, &apiv1.SearchBundlesRequest{Words: "第一份工作"})
	if err != nil {
		return explain("search", err)
	}
	if len(found.GetBundles()) != 1 {
		return fmt.Errorf("search: %d matters found, not one", len(found.GetBundles()))
	}
	bundle := found.GetBundles()[0].GetBundle()
	fmt.Fprintf(out, "事项：%s（%s）\n", found.GetBundles()[0].GetName().GetZh(), bundle)

	// Guide: what applies, and what is to be asked next while an answer is missing?
	answers, err := graduate()
	if err != nil {
		return err
	}
	partial := maps.Clone(answers)
	delete(partial, "form.employer.in_county")
	open, err := nobody.Assess(ctx, []string{bundle}, partial)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "尚不能判断，下一个问题：%s\n", open.GetNextQuestion().GetPath())
	whole, err := nobody.Assess(ctx, []string{bundle}, answers)
	if err != nil {
		return err
	}
	if verdict := whole.GetCases()[bundle].GetVerdict(); verdict != apiv1.Verdict_VERDICT_ELIGIBLE {
		return fmt.Errorf("guide: the verdict is %v", verdict)
	}
	fmt.Fprintf(out, "符合条件，承诺 %d 个工作日\n", whole.GetCases()[bundle].GetTotalMax())

	// Intake: draft, answers, files, submission.
	filing, err := resident.Begin(ctx, bundle)
	if err != nil {
		return err
	}
	if err := filing.Save(ctx, answers); err != nil {
		return err
	}
	for _, file := range []struct{ material, name, mediaType, content string }{
		{"id_card.applicant", "身份证.pdf", "application/pdf", "%PDF-1.7 身份证"},
		{"diploma.applicant", "毕业证书.pdf", "application/pdf", "%PDF-1.7 毕业证书"},
		{"labor_contract.applicant", "劳动合同.pdf", "application/pdf", "%PDF-1.7 劳动合同"},
		{"id_photo.applicant", "证件照.jpg", "image/jpeg", "\xff\xd8\xff\xe0 证件照"},
	} {
		if _, err := filing.Upload(ctx, file.material, file.name, file.mediaType, strings.NewReader(file.content)); err != nil {
			return err
		}
	}
	if err := filing.Submit(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "办件编号：%s\n", filing.Number)

	// Review: the clerk looks and accepts.
	queue, err := clerk.Queue(ctx, filing.Position)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(queue, func(c *apiv1.ReviewCase) bool { return c.GetApplication() == filing.ID })
	if n < 0 {
		return fmt.Errorf("the case is not in the clerk's queue")
	}
	shown, err := clerk.Look(ctx, filing.ID, bundle)
	if err != nil {
		return err
	}
	accepted, err := clerk.Accept(ctx, shown.GetCase())
	if err != nil {
		return err
	}

	// Task: the department's own system registers the employment.
	tasks, err := labour.Tasks(ctx, accepted)
	if err != nil {
		return err
	}
	n = slices.IndexFunc(tasks, func(t *apiv1.Task) bool { return t.GetApplication() == filing.ID && t.GetStep() == "register" })
	if n < 0 {
		return fmt.Errorf("the task is not in the department's queue")
	}
	if _, err := labour.Approve(ctx, tasks[n], Answers{"number": "JY2026000117"}); err != nil {
		return err
	}

	now, err := filing.Application(ctx)
	if err != nil {
		return err
	}
	for _, task := range now.GetCases()[0].GetTasks() {
		fmt.Fprintf(out, "%s：%s\n", task.GetName().GetZh(), task.GetState())
	}
	return nil
}

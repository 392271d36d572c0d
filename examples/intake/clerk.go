package intake

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// Queue returns the cases that wait for a clerk, page by page, the nearest date first, no older than a position of the
// log; 0 is as it is now.
func (c *Client) Queue(ctx context.Context, position uint64) ([]*apiv1.ReviewCase, error) {
	var all []*apiv1.ReviewCase
	page := &apiv1.Page{}
	for {
		answer, err := c.Review.ListCases(ctx, &apiv1.ListCasesRequest{Page: page, AtLeastPosition: position})
		if err != nil {
			return nil, explain("list cases", err)
		}
		all = append(all, answer.GetCases()...)
		if page.Token = answer.GetNextToken(); page.Token == "" {
			return all, nil
		}
	}
}

// Look reads a case with its record, materials and findings. That it was seen is on the record.
func (c *Client) Look(ctx context.Context, application, bundle string) (*apiv1.GetCaseResponse, error) {
	answer, err := c.Review.GetCase(ctx, &apiv1.GetCaseRequest{Application: application, Bundle: bundle})
	return answer, explain("read case "+bundle, err)
}

// Accept accepts a case as it was shown, with the tolerances and promises that the applicant asked for. It returns the
// position of the log from which on the tasks are there.
func (c *Client) Accept(ctx context.Context, shown *apiv1.ReviewCase) (position uint64, err error) {
	answer, err := c.Review.Accept(ctx, &apiv1.AcceptRequest{RequestId: uuid.NewString(), Application: shown.GetApplication(), Bundle: shown.GetBundle(), ExpectedVersion: shown.GetVersion()})
	return answer.GetPosition(), explain("accept "+shown.GetBundle(), err)
}

// Refuse does not accept a case (不予受理).
func (c *Client) Refuse(ctx context.Context, shown *apiv1.ReviewCase, reason string) error {
	_, err := c.Review.Refuse(ctx, &apiv1.RefuseRequest{RequestId: uuid.NewString(), Application: shown.GetApplication(), Bundle: shown.GetBundle(), ExpectedVersion: shown.GetVersion(), Reason: reason})
	return explain("refuse "+shown.GetBundle(), err)
}

// Notify sends the one correction notice of the application of a case as it was shown: what was found in all its cases,
// and what the clerk adds.
func (c *Client) Notify(ctx context.Context, shown *apiv1.ReviewCase, items ...*apiv1.CorrectionItem) (number string, err error) {
	answer, err := c.Review.NotifyCorrection(ctx, &apiv1.NotifyCorrectionRequest{RequestId: uuid.NewString(), Application: shown.GetApplication(),
		ExpectedVersion: shown.GetApplicationVersion(), Items: items})
	if err != nil {
		return "", explain("send correction notice", err)
	}
	if answer.GetNumber() == "" {
		return "", fmt.Errorf("send correction notice: it has no number")
	}
	return answer.GetNumber(), nil
}

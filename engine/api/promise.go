package api

import (
	"context"
	"strings"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/view"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// ListVerifications implements TaskService.
func (s taskService) ListVerifications(ctx context.Context, r *apiv1.ListVerificationsRequest) (*apiv1.ListVerificationsResponse, error) {
	if err := s.views.Wait(ctx, r.GetAtLeastPosition()); err != nil {
		return nil, refused(err)
	}
	rows, next, err := s.views.Verifications(ctx, access.FromContext(ctx).Department, view.Page{Size: pageSize(r.GetPage()), Token: r.GetPage().GetToken()})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.ListVerificationsResponse{NextToken: next}
	for _, row := range rows {
		bundle, material, _ := strings.Cut(row.Item, "/")
		if p := row.State.Promise(bundle, material); p != nil {
			answer.Verifications = append(answer.Verifications, s.verification(row.State, bundle, p))
		}
	}
	return answer, nil
}

// verification is a promise in a list: nothing of it is of a person.
func (s taskService) verification(state application.State, bundle string, p *application.Promise) *apiv1.Verification {
	c := state.Case(bundle)
	m := &apiv1.Verification{Application: state.ID, Bundle: bundle, Number: c.Number, Material: p.Material, Drawn: p.Drawn, Sample: p.Sample, IfFalse: p.IfFalse, State: "OPEN",
		Warning: state.Warning(application.Clock{Kind: application.ClockVerification, Bundle: bundle, Material: p.Material, Due: p.Due})}
	if p.Due != nil {
		m.Due = dueMessage(p.Due)
	}
	switch {
	case p.Repaired:
		m.State = "REPAIRED"
	case p.Verified && p.Holds:
		m.State = "HOLDS"
	case p.Verified:
		m.State = "FALSE"
	}
	if b := s.engine.InForce().Bundle(c.Digest); b != nil {
		m.BundleName = b.Name.Proto()
		if declared := b.Material(p.Material); declared != nil {
			m.Name = declared.Name.Proto()
		}
	}
	return m
}

// mayVerify finds a promise that is the caller's department's to verify; any other is not there.
func mayVerify(d *engine.Dossier, bundle, material string, who access.Identity) (*application.Promise, error) {
	p := d.State.Promise(bundle, material)
	if p == nil || p.Department != who.Department {
		return nil, engine.ErrNotFound
	}
	return p, nil
}

// GetVerification implements TaskService. The sight is recorded.
func (s taskService) GetVerification(ctx context.Context, r *apiv1.GetVerificationRequest) (*apiv1.GetVerificationResponse, error) {
	who := access.FromContext(ctx)
	if err := s.views.Wait(ctx, r.GetAtLeastPosition()); err != nil {
		return nil, refused(err)
	}
	d, err := s.engine.Load(ctx, r.GetApplication())
	if err != nil {
		return nil, refused(err)
	}
	p, err := mayVerify(d, r.GetBundle(), r.GetMaterial(), who)
	if err != nil {
		return nil, refused(err)
	}
	if err := s.engine.RecordSight(ctx, d, officer(who), "promise/"+r.GetBundle()+"/"+r.GetMaterial()); err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.GetVerificationResponse{Verification: s.verification(d.State, r.GetBundle(), p)}
	answer.Verification.Name = d.MaterialName(r.GetBundle(), r.GetMaterial()).Proto()
	if signed, byAgent := d.Signed(r.GetBundle(), r.GetMaterial()); signed != nil {
		answer.Text, answer.Digest, answer.SignedAt, answer.ByAgent = signed.GetText(), signed.GetDigest(), signed.GetAt(), byAgent
	}
	if answer.Record, err = d.Named(r.GetBundle(), r.GetMaterial()).Encode(); err != nil {
		return nil, refused(err)
	}
	for _, event := range d.Events {
		if v := event.GetPromiseVerified(); v.GetBundle() == r.GetBundle() && v.GetMaterial() == r.GetMaterial() {
			answer.Reason = event.GetPersonal().GetReason()
		}
	}
	return answer, nil
}

// judge gives a command about a promise.
func (s taskService) judge(ctx context.Context, id, bundle, material, requestID string, content requestMessage, command application.Command) (*engine.Answer, error) {
	who := access.FromContext(ctx)
	return s.engine.Do(ctx, engine.Call{Application: id, Request: engine.Request{ID: requestID, Subject: who.Subject, Content: content}, Actor: officer(who),
		Allowed: func(d *engine.Dossier) error { _, err := mayVerify(d, bundle, material, who); return err }, Command: always(command)})
}

// VerifyPromise implements TaskService.
func (s taskService) VerifyPromise(ctx context.Context, r *apiv1.VerifyPromiseRequest) (*apiv1.VerifyPromiseResponse, error) {
	answer, err := s.judge(ctx, r.GetApplication(), r.GetBundle(), r.GetMaterial(), r.GetRequestId(), r,
		application.VerifyPromise{Bundle: r.GetBundle(), Material: r.GetMaterial(), Holds: r.GetHolds(), Reason: r.GetReason()})
	if err != nil {
		return nil, refused(err)
	}
	response := &apiv1.VerifyPromiseResponse{Position: answer.Position}
	for _, t := range answer.Dossier.State.FollowUps {
		if t.Promise == r.GetMaterial() {
			response.Opened = append(response.Opened, t.Number)
		}
	}
	return response, nil
}

// RepairPromise implements TaskService.
func (s taskService) RepairPromise(ctx context.Context, r *apiv1.RepairPromiseRequest) (*apiv1.RepairPromiseResponse, error) {
	answer, err := s.judge(ctx, r.GetApplication(), r.GetBundle(), r.GetMaterial(), r.GetRequestId(), r,
		application.RepairPromise{Bundle: r.GetBundle(), Material: r.GetMaterial(), Reason: r.GetReason()})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.RepairPromiseResponse{Position: answer.Position}, nil
}

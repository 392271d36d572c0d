package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"

	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/draft"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// intakeService is the applicant's.
type intakeService struct {
	apiv1connect.UnimplementedIntakeServiceHandler
	service
}

// owners are whose drafts the caller reaches: those of the person and of the enterprise; a clerk's own, filed at the
// window for somebody.
func owners(who access.Identity) []draft.Owner {
	var own []draft.Owner
	for _, p := range who.Principals() {
		own = append(own, engine.PrincipalOwner(p))
	}
	if len(own) == 0 {
		own = append(own, draft.Owner("staff/"+who.Subject))
	}
	return own
}

// CreateDraft implements IntakeService.
func (s intakeService) CreateDraft(ctx context.Context, r *apiv1.CreateDraftRequest) (*apiv1.CreateDraftResponse, error) {
	who := access.FromContext(ctx)
	d, err := s.engine.CreateDraft(ctx, owners(who)[0], engine.Request{ID: r.GetRequestId(), Subject: who.Subject, Content: r}, r.GetBundles(), r.GetRecord())
	if err != nil {
		return nil, refused(err)
	}
	change, err := engine.Change(nil, d.Assessed)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.CreateDraftResponse{Draft: s.draftedMessage(d, who), Change: change}, nil
}

// GetDraft implements IntakeService.
func (s intakeService) GetDraft(ctx context.Context, r *apiv1.GetDraftRequest) (*apiv1.GetDraftResponse, error) {
	who := access.FromContext(ctx)
	d, err := s.engine.Draft(ctx, owners(who), r.GetDraft())
	if err != nil {
		return nil, refused(err)
	}
	change, err := engine.Change(nil, d.Assessed)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.GetDraftResponse{Draft: s.draftedMessage(d, who), Change: change}, nil
}

// SaveDraft implements IntakeService.
func (s intakeService) SaveDraft(ctx context.Context, r *apiv1.SaveDraftRequest) (*apiv1.SaveDraftResponse, error) {
	who := access.FromContext(ctx)
	before, after, err := s.engine.SaveDraft(ctx, owners(who), r.GetDraft(), r.GetExpectedVersion(), engine.Request{ID: r.GetRequestId(), Subject: who.Subject, Content: r}, r.GetChanges(), r.GetCleared())
	if err != nil {
		return nil, refused(err)
	}
	change, err := engine.Change(before.Assessed, after.Assessed)
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.SaveDraftResponse{Revision: after.Revision, Change: change}
	if len(after.Moves) > len(before.Moves) {
		answer.Versions = s.draftVersions(after.Reading)
	}
	return answer, nil
}

// ListDrafts implements IntakeService.
func (s intakeService) ListDrafts(ctx context.Context, r *apiv1.ListDraftsRequest) (*apiv1.ListDraftsResponse, error) {
	who := access.FromContext(ctx)
	own := owners(who)
	drafts, next, err := across(len(own), r.GetPage(), func(list, size int, token string) ([]*draft.Draft, string, error) {
		return s.engine.Drafts(ctx, own[list], draft.Page{Size: size, Token: token})
	})
	if err != nil {
		return nil, refused(err)
	}
	answer := &apiv1.ListDraftsResponse{NextToken: next}
	for _, d := range drafts {
		answer.Drafts = append(answer.Drafts, s.draftMessage(d, who, false))
	}
	return answer, nil
}

// DeleteDraft implements IntakeService.
func (s intakeService) DeleteDraft(ctx context.Context, r *apiv1.DeleteDraftRequest) (*apiv1.DeleteDraftResponse, error) {
	if err := s.engine.DeleteDraft(ctx, owners(access.FromContext(ctx)), r.GetDraft()); err != nil {
		return nil, refused(err)
	}
	return &apiv1.DeleteDraftResponse{}, nil
}

// draftedMessage is a draft with its record and its versions.
func (s intakeService) draftedMessage(d *engine.Drafted, who access.Identity) *apiv1.Draft {
	message := s.draftMessage(d.Draft, who, true)
	message.Versions = s.draftVersions(d.Reading)
	return message
}

// draftMessage is a draft as somebody sees whose it is, or who is to submit it with others.
func (s intakeService) draftMessage(d *draft.Draft, who access.Identity, withRecord bool) *apiv1.Draft {
	message := &apiv1.Draft{Draft: d.ID, Revision: d.Revision, Bundles: d.Bundles, ExpiresAt: timestamppb.New(d.Expires), SavedAt: timestamppb.New(d.Saved),
		Confirmed: engine.Confirmed(d, owners(who))}
	var bundles []*catalog.Bundle
	for _, id := range d.Bundles {
		if b := s.engine.InForce().On(id, s.engine.Today(), s.engine.Place()); b != nil {
			bundles = append(bundles, b.Bundle)
		}
	}
	for _, k := range d.Consents {
		message.Confirmations = append(message.Confirmations, confirmationMessage(k.GetConfirmation(), bundles, d.Record.GetAnswers()))
	}
	if withRecord {
		message.Record = d.Record
		if message.Record == nil {
			message.Record = &formsv1.Record{}
		}
	}
	for _, f := range d.Files {
		message.Materials = append(message.Materials, &apiv1.DraftMaterial{Material: f.GetMaterial(), File: fileMessage(f)})
	}
	for _, p := range d.Promises {
		tolerated := false
		for _, m := range d.Tolerated {
			tolerated = tolerated || m == p.GetMaterial()
		}
		message.Materials = append(message.Materials, &apiv1.DraftMaterial{Material: p.GetMaterial(), Promised: !tolerated, Tolerated: tolerated})
	}
	return message
}

func fileMessage(f *applicationv1.MaterialFile) *apiv1.File {
	return &apiv1.File{Name: f.GetName(), MediaType: f.GetMediaType(), Size: f.GetSize(), Digest: f.GetBlob()}
}

// Promise implements IntakeService.
func (s intakeService) Promise(ctx context.Context, r *apiv1.PromiseRequest) (*apiv1.PromiseResponse, error) {
	who := access.FromContext(ctx)
	d, digest, err := s.engine.Promise(ctx, owners(who), r.GetDraft(), engine.Request{ID: r.GetRequestId(), Subject: who.Subject, Content: r},
		r.GetMaterial(), r.GetTolerate(), r.GetText(), who.Person)
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.PromiseResponse{Revision: d.Revision, Digest: digest}, nil
}

// PutMaterial implements IntakeService.
func (s intakeService) PutMaterial(ctx context.Context, r *apiv1.PutMaterialRequest) (*apiv1.PutMaterialResponse, error) {
	file, revision, err := s.upload(ctx, r.GetHeader(), bytes.NewReader(r.GetContent()))
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.PutMaterialResponse{File: fileMessage(file), Revision: revision}, nil
}

// UploadMaterial implements IntakeService.
func (s intakeService) UploadMaterial(ctx context.Context, stream apiv1connect.IntakeServiceUploadMaterialServerStream) (*apiv1.UploadMaterialResponse, error) {
	first, err := stream.Receive()
	if err != nil {
		return nil, err
	}
	header := first.GetHeader()
	if header == nil {
		return nil, fail(connect.CodeInvalidArgument, nil, apiv1.Reason_REASON_INVALID, "上传须先发送文件说明", "the first message of an upload is its header")
	}
	file, revision, err := s.upload(ctx, header, &chunks{receive: func() ([]byte, error) {
		message, err := stream.Receive()
		if err == nil && message.GetHeader() != nil {
			return nil, twoHeaders()
		}
		return message.GetChunk(), err
	}})
	if err != nil {
		return nil, refused(err)
	}
	return &apiv1.UploadMaterialResponse{File: fileMessage(file), Revision: revision}, nil
}

// upload keeps a file, and gives it to the draft if there is one. A file for an application is kept for the supply or
// correction that names it.
func (s intakeService) upload(ctx context.Context, header *apiv1.UploadHeader, content io.Reader) (*applicationv1.MaterialFile, int64, error) {
	who := access.FromContext(ctx)
	accepted, forDraft, err := s.engine.AcceptsFile(ctx, owners(who), mine(who), header.GetApplication(), header.GetMaterial(), header.GetMediaType())
	if err != nil {
		return nil, 0, err
	}
	if !accepted {
		return nil, 0, engine.ErrFileFormat
	}
	sum := sha256.New()
	file, err := s.engine.PutMaterial(ctx, header.GetApplication(), &applicationv1.MaterialFile{Material: header.GetMaterial(), Name: header.GetName(), MediaType: header.GetMediaType()},
		io.TeeReader(content, sum), MaxFile)
	if err != nil || !forDraft {
		return file, 0, err
	}
	// The same file sent again under its request id is sealed anew, under another digest; the draft keeps the first one.
	request := engine.Request{ID: header.GetRequestId(), Subject: who.Subject, Content: &apiv1.PutMaterialRequest{Header: header, Content: sum.Sum(nil)}}
	d, err := s.engine.AddFile(ctx, owners(who), header.GetApplication(), request, file)
	if err != nil {
		return nil, 0, err
	}
	if i := slices.IndexFunc(d.Files, func(f *applicationv1.MaterialFile) bool { return f.GetMaterial() == file.GetMaterial() }); i >= 0 {
		file = d.Files[i]
	}
	return file, d.Revision, nil
}

// chunks reads the messages of an upload as one content.
type chunks struct {
	receive func() ([]byte, error)
	rest    []byte
}

// Read implements [io.Reader].
func (c *chunks) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		chunk, err := c.receive()
		switch {
		case errors.Is(err, io.EOF):
			return 0, io.EOF
		case err != nil:
			return 0, err
		}
		c.rest = chunk
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func pageSize(p *apiv1.Page) int {
	if p.GetSize() == 0 {
		return defaultPage
	}
	return int(p.GetSize())
}

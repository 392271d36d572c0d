package intake

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// Answers are answers by path, as JSON has them: a citizen number and a date are strings, an amount is yuan, an address
// is an object of region and text, nil is left blank.
type Answers map[string]any

// values are the answers as the API carries them.
func (a Answers) values() (map[string]*structpb.Value, error) {
	values := make(map[string]*structpb.Value, len(a))
	for path, answer := range a {
		value, err := structpb.NewValue(answer)
		if err != nil {
			return nil, fmt.Errorf("answer %s: %w", path, err)
		}
		values[path] = value
	}
	return values, nil
}

// Assess asks what applies for answers, without signing in and without a trace. A front end that holds an assessment
// sends what changed and gets what changed; this asks for the whole.
func (c *Client) Assess(ctx context.Context, bundles []string, answers Answers) (*apiv1.Assessment, error) {
	values, err := answers.values()
	if err != nil {
		return nil, err
	}
	answer, err := c.Guide.Assess(ctx, &apiv1.AssessRequest{Bundles: bundles, Record: &formsv1.Record{Answers: values}, Fresh: true})
	if err != nil {
		return nil, explain("assess", err)
	}
	return answer.GetChange().GetChanged(), nil
}

// Filing is an application, from its draft on.
type Filing struct {
	ID       string // of the draft, and of the application
	Number   string // once it is submitted
	Position uint64 // of its submission in the log: a read that asks for it sees the application
	client   *Client
	revision int64
	// Assessment is what the guide says of the answers so far.
	Assessment *apiv1.Assessment
}

// Begin makes a draft for bundles.
func (c *Client) Begin(ctx context.Context, bundles ...string) (*Filing, error) {
	answer, err := c.Intake.CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: bundles})
	if err != nil {
		return nil, explain("create draft", err)
	}
	return &Filing{ID: answer.GetDraft().GetDraft(), client: c, revision: answer.GetDraft().GetRevision(), Assessment: answer.GetChange().GetChanged()}, nil
}

// Filed returns an application that was filed before, by its id.
func (c *Client) Filed(id string) *Filing { return &Filing{ID: id, client: c} }

// Save saves answers. A front end does it while the person types.
func (f *Filing) Save(ctx context.Context, answers Answers) error {
	values, err := answers.values()
	if err != nil {
		return err
	}
	return f.save(ctx, values)
}

func (f *Filing) save(ctx context.Context, changes map[string]*structpb.Value) error {
	saved, err := f.client.Intake.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: uuid.NewString(), Draft: f.ID, ExpectedVersion: f.revision, Changes: changes})
	if err != nil {
		return explain("save draft", err)
	}
	f.revision = saved.GetRevision()
	return f.read(ctx)
}

// read reads the draft with its whole assessment. A front end would apply the change that saving answers instead.
func (f *Filing) read(ctx context.Context) error {
	answer, err := f.client.Intake.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: f.ID})
	if err != nil {
		return explain("read draft", err)
	}
	f.revision, f.Assessment = answer.GetDraft().GetRevision(), answer.GetChange().GetChanged()
	return nil
}

// Prefill asks the departments for proposals and takes them all over. A front end shows them first. It returns the paths.
func (f *Filing) Prefill(ctx context.Context) ([]string, error) {
	answer, err := f.client.Intake.Prefill(ctx, &apiv1.PrefillRequest{RequestId: uuid.NewString(), Draft: f.ID})
	if err != nil {
		return nil, explain("prefill", err)
	}
	if silent := answer.GetSilent(); len(silent) > 0 {
		return nil, fmt.Errorf("prefill: no answer from %v", silent)
	}
	var paths []string
	changes := map[string]*structpb.Value{}
	for path, proposal := range answer.GetProposals() {
		paths, changes[path] = append(paths, path), proposal.GetValue()
	}
	if len(changes) == 0 {
		return nil, nil
	}
	return paths, f.save(ctx, changes)
}

// chunk is how many bytes of a file go into one message.
const chunk = 64 << 10

// Upload sends a file for a material, as a stream, and returns the digest under which it is kept. It serves drafts, and
// applications that are to be corrected or supplied.
func (f *Filing) Upload(ctx context.Context, material, name, mediaType string, content io.Reader) (string, error) {
	stream, err := f.client.Intake.UploadMaterial(ctx)
	if err != nil {
		return "", explain("upload "+material, err)
	}
	header := &apiv1.UploadHeader{RequestId: uuid.NewString(), Application: f.ID, Material: material, Name: name, MediaType: mediaType}
	if err := stream.Send(&apiv1.UploadMaterialRequest{Part: &apiv1.UploadMaterialRequest_Header{Header: header}}); err != nil && !errors.Is(err, io.EOF) {
		return "", explain("upload "+material, err)
	}
	buffer := make([]byte, chunk)
	for {
		n, readErr := content.Read(buffer)
		if n > 0 {
			// The end of the stream means that the server has refused it; the answer says why.
			if err := stream.Send(&apiv1.UploadMaterialRequest{Part: &apiv1.UploadMaterialRequest_Chunk{Chunk: buffer[:n]}}); err != nil {
				break
			}
		}
		if errors.Is(readErr, io.EOF) {
			break
		}
		if readErr != nil {
			return "", fmt.Errorf("upload %s: %w", material, readErr)
		}
	}
	answer, err := stream.CloseAndReceive()
	if err != nil {
		return "", explain("upload "+material, err)
	}
	if answer.GetRevision() > 0 {
		f.revision = answer.GetRevision()
	}
	return answer.GetFile().GetDigest(), nil
}

// Promise signs the promise that stands in for a material (告知承诺), word for word as the guide gives it.
func (f *Filing) Promise(ctx context.Context, material string) error {
	return f.promise(ctx, material, false, f.Assessment.GetMaterials()[material].GetPromise().GetZh())
}

// Tolerate signs the promise to supply a material later (容缺受理承诺书).
func (f *Filing) Tolerate(ctx context.Context, material string) error {
	return f.promise(ctx, material, true, f.Assessment.GetMaterials()[material].GetTolerance().GetZh())
}

func (f *Filing) promise(ctx context.Context, material string, tolerate bool, text string) error {
	signed, err := f.client.Intake.Promise(ctx, &apiv1.PromiseRequest{RequestId: uuid.NewString(), Draft: f.ID, Material: material, Tolerate: tolerate, Text: text})
	if err != nil {
		return explain("promise for "+material, err)
	}
	f.revision = signed.GetRevision()
	return nil
}

// Submit files the draft. Where several have to submit it together, it confirms for who is signed in, and the error says
// who else has to: a front end shows that, and the draft stands among the drafts of the others.
func (f *Filing) Submit(ctx context.Context) error {
	filed, err := f.client.Intake.Submit(ctx, &apiv1.SubmitRequest{RequestId: uuid.NewString(), Draft: f.ID, ExpectedVersion: f.revision})
	if err != nil {
		return explain("submit", err)
	}
	if others := filed.GetWaitingFor(); len(others) > 0 {
		return fmt.Errorf("submit: confirmed, and still to be submitted by %v", others)
	}
	f.Number, f.Position = filed.GetNumber(), filed.GetPosition()
	return nil
}

// Correct changes answers and hands in files anew, by material and digest.
func (f *Filing) Correct(ctx context.Context, answers Answers, files map[string]string) error {
	values, err := answers.values()
	if err != nil {
		return err
	}
	now, err := f.Application(ctx)
	if err != nil {
		return err
	}
	_, err = f.client.Intake.Correct(ctx, &apiv1.CorrectRequest{RequestId: uuid.NewString(), Application: f.ID, ExpectedVersion: now.GetVersion(), Changes: values, Materials: files})
	return explain("correct", err)
}

// Supply hands in a material that was tolerated; its file was uploaded before.
func (f *Filing) Supply(ctx context.Context, material, digest string) error {
	_, err := f.client.Intake.Supply(ctx, &apiv1.SupplyRequest{RequestId: uuid.NewString(), Application: f.ID, Material: material, Digest: digest})
	return explain("supply "+material, err)
}

// Application reads the application as it is.
func (f *Filing) Application(ctx context.Context) (*apiv1.Application, error) {
	answer, err := f.client.Intake.GetApplication(ctx, &apiv1.GetApplicationRequest{Application: f.ID})
	if err != nil {
		return nil, explain("read application", err)
	}
	return answer.GetApplication(), nil
}

// Until watches the application and returns it as soon as it is as wanted. It waits for as long as ctx lets it.
func (f *Filing) Until(ctx context.Context, wanted func(*apiv1.Application) (bool, error)) (*apiv1.Application, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := f.client.Intake.Watch(ctx, &apiv1.WatchRequest{Application: f.ID})
	if err != nil {
		return nil, explain("watch", err)
	}
	defer stream.Close() //nolint:errcheck // only read
	for {
		seen, err := stream.Receive()
		if err != nil {
			return nil, explain("watch", err)
		}
		reached, err := wanted(seen.GetApplication())
		if reached || err != nil {
			return seen.GetApplication(), err
		}
	}
}

// Documents are the notices, decisions and promises (文书) of the application, as far as they are made by now.
func (f *Filing) Documents(ctx context.Context) ([]*apiv1.Document, error) {
	answer, err := f.client.Intake.GetDocuments(ctx, &apiv1.GetDocumentsRequest{Application: f.ID})
	if err != nil {
		return nil, explain("read documents", err)
	}
	return answer.GetDocuments(), nil
}

// Document downloads an issued document or a material.
func (f *Filing) Document(ctx context.Context, digest string) ([]byte, error) {
	stream, err := f.client.Intake.Download(ctx, &apiv1.DownloadRequest{Application: f.ID, Digest: digest})
	if err != nil {
		return nil, explain("download", err)
	}
	defer stream.Close() //nolint:errcheck // only read
	var content []byte
	for {
		part, err := stream.Receive()
		if errors.Is(err, io.EOF) {
			return content, nil
		}
		if err != nil {
			return nil, explain("download", err)
		}
		content = append(content, part.GetChunk()...)
	}
}

package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// Whatever a caller sends, it gets a typed error that says where and what to do; nothing of it is kept, and the next
// call is answered.
func TestBadInput(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	intake := h.intake("mother")
	created, err := intake.CreateDraft(t.Context(), &apiv1.CreateDraftRequest{RequestId: uuid.NewString(), Bundles: []string{"newborn"}, Record: record(t, newborn)})
	if err != nil {
		t.Fatal(explain(err))
	}
	draft, revision := created.GetDraft().GetDraft(), created.GetDraft().GetRevision()
	const used = "7c7cf0f2-9a3f-4d53-8a38-0c0f9cb6fd2f"
	saved, err := intake.SaveDraft(t.Context(), &apiv1.SaveDraftRequest{RequestId: used, Draft: draft, ExpectedVersion: revision, Cleared: []string{"form.mother.phone"}})
	if err != nil {
		t.Fatal(explain(err))
	}
	revision = saved.GetRevision()

	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"own.newborn.f%d": 1,`, i)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	save := func(rest string) string {
		return fmt.Sprintf(`{"requestId": %q, "draft": %q, "expectedVersion": "%d", %s}`, uuid.NewString(), draft, revision, rest)
	}
	assess := func(rest string) string { return `{"bundles": ["newborn"], "fresh": true, ` + rest + `}` }
	const saveDraft, assessment = "IntakeService/SaveDraft", "GuideService/Assess"
	tests := []struct {
		name, method, body string
		code               string // of Connect; empty: answered, and the fault stands in the answer
		reason             apiv1.Reason
		say                string // part of the answer
	}{
		{name: "no JSON", method: saveDraft, body: `{`, code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID},
		{name: "an unknown field", method: saveDraft, body: save(`"colour": "red"`), code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID, say: "colour"},
		{name: "a list for a text", method: saveDraft, body: `{"requestId": ["a"]}`, code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID, say: "requestId"},
		{name: "a text for a number", method: saveDraft, body: `{"expectedVersion": "soon"}`, code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID, say: "expectedVersion"},
		{name: "a key twice", method: saveDraft, body: save(`"draft": "x"`), code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID, say: "draft"},
		{name: "not UTF-8", method: saveDraft, body: save("\"changes\": {\"own.newborn.wedlock\": \"\xff\xfe\"}"), code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID, say: "UTF-8"},
		{name: "a NUL in a text is a fault of the answer", method: assessment, body: assess(`"record": {"answers": {"form.newborn.name": "王\u0000"}}`), say: `"code":"control_character"`},
		{name: "half a surrogate", method: saveDraft, body: save(`"changes": {"form.newborn.name": "\ud800"}`), code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID},
		{name: "nested without end", method: saveDraft, body: save(`"changes": {"own.newborn.wedlock": ` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`), code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID},
		{name: "a huge body", method: saveDraft, body: save(`"cleared": ["` + strings.Repeat("a", 6<<20) + `"]`), code: "resource_exhausted", reason: apiv1.Reason_REASON_LIMIT, say: "5242880"},
		{name: "no request id", method: saveDraft, body: `{"draft": "` + draft + `"}`, code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID, say: "request_id"},
		{name: "thousands of answers", method: saveDraft, body: save(`"changes": {` + many(3000) + `}`), code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID, say: "changes"},
		{name: "thousands of answers of a record", method: assessment, body: assess(`"record": {"answers": {` + many(3000) + `}}`), code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID, say: "answers"},
		{name: "an unknown answer", method: assessment, body: assess(`"record": {"answers": {"form.mother.nam": "王"}}`), say: `"path":"form.mother.nam"`},
		{name: "an unknown bundle", method: assessment, body: `{"bundles": ["newbor"], "fresh": true}`, code: "not_found", reason: apiv1.Reason_REASON_NOT_FOUND, say: "newbor"},
		{name: "a bundle that is no id", method: assessment, body: `{"bundles": ["../../etc"], "fresh": true}`, code: "invalid_argument", reason: apiv1.Reason_REASON_INVALID, say: "bundles[0]"},
		{name: "a stale version", method: saveDraft, body: strings.Replace(save(`"cleared": []`), fmt.Sprintf(`"%d"`, revision), `"1"`, 1), code: "aborted", reason: apiv1.Reason_REASON_STALE, say: fmt.Sprint(revision)},
		{name: "a request id with another body", method: saveDraft, body: fmt.Sprintf(`{"requestId": %q, "draft": %q, "expectedVersion": "%d", "cleared": ["form.father.phone"]}`, used, draft, revision),
			code: "already_exists", reason: apiv1.Reason_REASON_REQUEST_REUSED},
		{name: "somebody else's draft", method: saveDraft, body: strings.Replace(save(`"cleared": []`), draft, uuid.NewString(), 1), code: "not_found", reason: apiv1.Reason_REASON_NOT_FOUND},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { // one after the other: each must leave the draft as it was
			answer := h.post(t, tt.method, "mother", tt.body)
			if answer.Code != tt.code {
				t.Errorf("code %q, want %q: %.400s", answer.Code, tt.code, answer.body)
			}
			if tt.reason != 0 && !strings.Contains(answer.body, tt.reason.String()) {
				t.Errorf("no %v: %.600s", tt.reason, answer.body)
			}
			if !strings.Contains(strings.ReplaceAll(answer.body, `": "`, `":"`), tt.say) {
				t.Errorf("it does not say %q: %.600s", tt.say, answer.body)
			}
			now, err := intake.GetDraft(t.Context(), &apiv1.GetDraftRequest{Draft: draft})
			if err != nil {
				t.Fatal(explain(err))
			}
			if got := now.GetDraft().GetRevision(); got != revision {
				t.Errorf("the draft has come to revision %d, want %d", got, revision)
			}
		})
	}
}

// A field that the schema does not have is refused in the binary encoding too, wherever it stands.
func TestBadInput_UnknownFieldInBinary(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	guide := apiv1connect.NewGuideServiceClient(h.as(""))
	plain := &apiv1.AssessRequest{Bundles: []string{"newborn"}, Fresh: true, Record: record(t, newborn)}
	if _, err := guide.Assess(t.Context(), plain); err != nil {
		t.Fatal(explain(err))
	}
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 15000, protowire.VarintType), 1)
	for name, at := range map[string]proto.Message{"request": plain, "record": plain.GetRecord(), "answer": plain.GetRecord().GetAnswers()["form.mother.name"]} {
		at.ProtoReflect().SetUnknown(unknown)
		_, err := guide.Assess(t.Context(), plain)
		at.ProtoReflect().SetUnknown(nil)
		if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), "unknown field") {
			t.Errorf("in the %s: %v", name, err)
		}
	}
}

// answer is an error of the API as JSON has it.
type answer struct {
	Code, Message string
	body          string
}

// post sends a body as it is.
func (h *house) post(t *testing.T, method, who, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/onething.api.v1."+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+who)
	response, err := h.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{body: string(text)}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&a); err != nil {
		t.Fatalf("status %d: %v: %.300s", response.StatusCode, err, text)
	}
	return a
}

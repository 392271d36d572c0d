package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectinprocess"
	"github.com/google/go-cmp/cmp"

	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/api"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// tokens are identities by their token; the token "down" is one that the issuer does not answer about.
type tokens map[string]access.Identity

func (k tokens) Verify(_ context.Context, token string) (access.Identity, error) {
	if token == "down" {
		return access.Identity{}, fmt.Errorf("%w: dial", access.ErrIssuer)
	}
	who, ok := k[token]
	if !ok {
		return access.Identity{}, fmt.Errorf("%w: signature", access.ErrToken)
	}
	return who, nil
}

func people() tokens {
	return tokens{
		"officer": {Subject: "o-1", Roles: []accessv1.Role{accessv1.Role_ROLE_OFFICER}, Department: "hrss"},
		"clerk":   {Subject: "c-1", Roles: []accessv1.Role{accessv1.Role_ROLE_CLERK}},
	}
}

// tasks answers ListTasks as a test wants.
type tasks struct {
	apiv1connect.UnimplementedTaskServiceHandler
	list func(ctx context.Context) error
}

func (s tasks) ListTasks(ctx context.Context, _ *apiv1.ListTasksRequest) (*apiv1.ListTasksResponse, error) {
	return &apiv1.ListTasksResponse{}, s.list(ctx)
}

// serve returns a client of a task service behind the interceptors, and the log.
func serve(list func(ctx context.Context) error, inner ...connect.ServerInterceptor) (apiv1connect.TaskServiceClient, *bytes.Buffer) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	clock := steps()
	chain := append([]connect.ServerInterceptor{
		api.LogCalls(logger, clock), api.Identify(people(), logger), api.Authorize(nil),
	}, inner...)
	server := connect.NewServer(chain...)
	apiv1connect.RegisterTaskServiceHandler(server, tasks{list: list})
	return apiv1connect.NewTaskServiceClient(connect.NewClient(connectinprocess.New(server))), &log
}

// steps is a clock that goes on by 5 ms each time it is read.
func steps() func() time.Time {
	at := time.Date(2026, 2, 10, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		at = at.Add(5 * time.Millisecond)
		return at
	}
}

// callWith calls ListTasks with an Authorization header and returns the response headers' request id.
func callWith(t testing.TB, client apiv1connect.TaskServiceClient, authorization ...string) (string, error) {
	t.Helper()
	ctx, info := connect.NewClientContext(t.Context())
	for _, value := range authorization {
		info.RequestHeader().Add("Authorization", value)
	}
	_, err := client.ListTasks(ctx, &apiv1.ListTasksRequest{})
	return info.ResponseHeader().Get(api.RequestIDHeader), err
}

func reasonOf(t testing.TB, err error) apiv1.Reason {
	t.Helper()
	refused, ok := errors.AsType[*connect.Error](err)
	if !ok || len(refused.Details()) != 1 {
		t.Fatalf("error %v has no detail", err)
	}
	info := errorInfo(t, refused.Details()[0])
	if info.GetText().GetZh() == "" {
		t.Error("the detail has no Chinese text")
	}
	return info.GetReason()
}

func TestInterceptors_Access(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		authorization []string
		code          connect.Code
		reason        apiv1.Reason
	}{
		{name: "officer", authorization: []string{"Bearer officer"}},
		{name: "the scheme in lower case", authorization: []string{"bearer officer"}},
		{name: "clerk", authorization: []string{"Bearer clerk"}, code: connect.CodePermissionDenied, reason: apiv1.Reason_REASON_NOT_ALLOWED},
		{name: "nobody", code: connect.CodeUnauthenticated, reason: apiv1.Reason_REASON_NOT_SIGNED_IN},
		{name: "unknown token", authorization: []string{"Bearer x"}, code: connect.CodeUnauthenticated, reason: apiv1.Reason_REASON_NOT_SIGNED_IN},
		{name: "another scheme", authorization: []string{"Basic officer"}, code: connect.CodeUnauthenticated, reason: apiv1.Reason_REASON_NOT_SIGNED_IN},
		{name: "no token after the scheme", authorization: []string{"Bearer "}, code: connect.CodeUnauthenticated, reason: apiv1.Reason_REASON_NOT_SIGNED_IN},
		{name: "two headers", authorization: []string{"Bearer officer", "Bearer clerk"}, code: connect.CodeUnauthenticated, reason: apiv1.Reason_REASON_NOT_SIGNED_IN},
		{name: "issuer down", authorization: []string{"Bearer down"}, code: connect.CodeUnavailable, reason: apiv1.Reason_REASON_NOT_SIGNED_IN},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got access.Identity
			reached := false
			client, _ := serve(func(ctx context.Context) error {
				got, reached = access.FromContext(ctx), true
				return nil
			})
			_, err := callWith(t, client, tt.authorization...)
			if tt.code == 0 {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(people()["officer"], got); diff != "" {
					t.Errorf("identity in the handler (-want +got):\n%s", diff)
				}
				return
			}
			if connect.CodeOf(err) != tt.code || reasonOf(t, err) != tt.reason {
				t.Errorf("got %v, want %v, %v", err, tt.code, tt.reason)
			}
			if reached {
				t.Error("the handler ran")
			}
		})
	}
}

// A log line holds these members and no others, whoever calls and however it ends.
func TestLogCalls_Line(t *testing.T) {
	t.Parallel()
	client, log := serve(func(context.Context) error { return nil })
	id, err := callWith(t, client, "Bearer officer")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(log.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	delete(got, "time")
	want := map[string]any{
		"level": "INFO", "msg": "call", "method": "/onething.api.v1.TaskService/ListTasks",
		"caller": map[string]any{"roles": []any{"ROLE_OFFICER"}, "department": "hrss"},
		"code":   "ok", "duration": float64(5 * time.Millisecond), "request_id": id,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	if id == "" {
		t.Error("the caller got no request id")
	}
}

func TestLogCalls_Cause(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		list func(context.Context) error
		code connect.Code
		line string // in the log
		not  string // not in the log
	}{
		{name: "internal error", list: func(context.Context) error { return errors.New("disk is gone") }, code: connect.CodeUnknown, line: `"cause":"disk is gone"`},
		{name: "internal error behind a text for the caller", list: func(context.Context) error {
			return connect.NewError(connect.CodeInternal, "sorry").WithCause(errors.New("disk is gone"))
		}, code: connect.CodeInternal, line: `"cause":"disk is gone"`},
		{name: "panic: where, and not with what", list: func(context.Context) error { panic("321323199304180029") }, code: connect.CodeInternal, line: "interceptors_test.go", not: "321323199304180029"},
		{name: "refusal: no cause to read", list: func(context.Context) error {
			return connect.NewError(connect.CodeFailedPrecondition, "not now").WithCause(errors.New("inner"))
		}, code: connect.CodeFailedPrecondition, line: `"code":"failed_precondition"`, not: "inner"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, log := serve(tt.list)
			id, err := callWith(t, client, "Bearer officer")
			if connect.CodeOf(err) != tt.code {
				t.Errorf("got %v, want %v", err, tt.code)
			}
			if !strings.Contains(log.String(), tt.line) || (tt.not != "" && strings.Contains(log.String(), tt.not)) {
				t.Errorf("log: %s", log)
			}
			for line := range strings.Lines(log.String()) {
				if !strings.Contains(line, id) {
					t.Errorf("line without request id %s: %s", id, line)
				}
			}
		})
	}
}

// A refused token leaves why in the log, and nothing of the token.
func TestIdentify_LogsWhyAndNotWhat(t *testing.T) {
	t.Parallel()
	client, log := serve(func(context.Context) error { return nil })
	if _, err := callWith(t, client, "Bearer secret-token"); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "token not valid: signature") || strings.Contains(log.String(), "secret-token") {
		t.Errorf("log: %s", log)
	}
}

func TestAuthorize_MethodsOfOthers(t *testing.T) {
	t.Parallel()
	const procedure = "/other.v1.Reflection/Info"
	tests := []struct {
		name    string
		foreign map[string]*accessv1.Access
		want    connect.Code
	}{
		{name: "not named: open to nobody", want: connect.CodePermissionDenied},
		{name: "named", foreign: map[string]*accessv1.Access{procedure: {Anyone: true, Scope: accessv1.Scope_SCOPE_PUBLIC}}},
		{name: "another one is named", foreign: map[string]*accessv1.Access{"/other.v1.Reflection/Else": {Anyone: true, Scope: accessv1.Scope_SCOPE_PUBLIC}}, want: connect.CodePermissionDenied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			call := api.Authorize(tt.foreign)(func(context.Context, connect.Spec, connect.ServerStream) error { return nil })
			err := call(t.Context(), connect.Spec{Procedure: procedure}, nil)
			if tt.want == 0 && err != nil || tt.want != 0 && connect.CodeOf(err) != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

package api_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectproto"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/api"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// errorInfo returns the message in an error's detail.
func errorInfo(t testing.TB, detail *connect.ErrorDetail) *apiv1.ErrorInfo {
	t.Helper()
	message, err := connectproto.UnmarshalErrorDetail(detail)
	if err != nil {
		t.Fatal(err)
	}
	info, ok := message.(*apiv1.ErrorInfo)
	if !ok {
		t.Fatalf("detail is a %T", message)
	}
	return info
}

// specs returns the methods as the generated code registers them: what the interceptors see of a call.
func specs() []connect.Spec {
	server := connect.NewServer()
	apiv1connect.RegisterCatalogServiceHandler(server, apiv1connect.UnimplementedCatalogServiceHandler{})
	apiv1connect.RegisterGuideServiceHandler(server, apiv1connect.UnimplementedGuideServiceHandler{})
	apiv1connect.RegisterIntakeServiceHandler(server, apiv1connect.UnimplementedIntakeServiceHandler{})
	apiv1connect.RegisterReviewServiceHandler(server, apiv1connect.UnimplementedReviewServiceHandler{})
	apiv1connect.RegisterTaskServiceHandler(server, apiv1connect.UnimplementedTaskServiceHandler{})
	apiv1connect.RegisterPublishServiceHandler(server, apiv1connect.UnimplementedPublishServiceHandler{})
	apiv1connect.RegisterOperatorServiceHandler(server, apiv1connect.UnimplementedOperatorServiceHandler{})
	apiv1connect.RegisterPluginServiceHandler(server, apiv1connect.UnimplementedPluginServiceHandler{})
	return slices.Collect(server.Specs())
}

// Every method of the schema says who may call it. It also finds a service that specs forgot.
func TestAccess_EveryMethodHasASoundOption(t *testing.T) {
	t.Parallel()
	var declared, registered []string
	protoregistry.GlobalFiles.RangeFilesByPackage("onething.api.v1", func(file protoreflect.FileDescriptor) bool {
		for s := range file.Services().Len() {
			methods := file.Services().Get(s).Methods()
			for m := range methods.Len() {
				method := methods.Get(m)
				declared = append(declared, "/"+string(method.Parent().FullName())+"/"+string(method.Name()))
				if err := access.CheckRule(access.RuleOf(method)); err != nil {
					t.Errorf("%s: %v", method.FullName(), err)
				}
			}
		}
		return true
	})
	for _, spec := range specs() {
		registered = append(registered, spec.Procedure)
	}
	slices.Sort(declared)
	slices.Sort(registered)
	if diff := cmp.Diff(declared, registered); diff != "" || len(declared) == 0 {
		t.Errorf("methods that this test walks (-declared +walked):\n%s", diff)
	}
}

// Who may call what, as the house means it: a change of an option in the schema has to be meant here too.
func TestAccess_OptionsAreAsMeant(t *testing.T) {
	t.Parallel()
	const (
		resident = accessv1.Role_ROLE_RESIDENT
		company  = accessv1.Role_ROLE_COMPANY
		clerk    = accessv1.Role_ROLE_CLERK
		officer  = accessv1.Role_ROLE_OFFICER
		system   = accessv1.Role_ROLE_DEPARTMENT_SYSTEM
		author   = accessv1.Role_ROLE_CONFIGURATOR
		operator = accessv1.Role_ROLE_OPERATOR
		shipper  = accessv1.Role_ROLE_DEVELOPER
	)
	type option struct {
		Anyone bool
		Roles  []accessv1.Role
		Scope  accessv1.Scope
	}
	services := map[string]option{
		"CatalogService": {Anyone: true, Scope: accessv1.Scope_SCOPE_PUBLIC},
		"GuideService":   {Anyone: true, Scope: accessv1.Scope_SCOPE_PUBLIC},
		"IntakeService":  {Roles: []accessv1.Role{resident, company, clerk}, Scope: accessv1.Scope_SCOPE_OWN},
		"ReviewService":  {Roles: []accessv1.Role{clerk}, Scope: accessv1.Scope_SCOPE_OFFICE},
		"TaskService":    {Roles: []accessv1.Role{officer, system}, Scope: accessv1.Scope_SCOPE_DEPARTMENT},
		"PublishService": {Roles: []accessv1.Role{author}, Scope: accessv1.Scope_SCOPE_PLATFORM},
		// What waits for who runs the platform.
		"OperatorService": {Roles: []accessv1.Role{operator}, Scope: accessv1.Scope_SCOPE_PLATFORM},
		// What a department ships, and what becomes of it. Whether it answers is the operator's to say.
		"PluginService": {Roles: []accessv1.Role{operator, shipper}, Scope: accessv1.Scope_SCOPE_PLUGINS},
	}
	// A promise binds the person who makes it, so nobody makes it for them at the counter.
	methods := map[string]option{
		"IntakeService/Promise":         {Roles: []accessv1.Role{resident, company}, Scope: accessv1.Scope_SCOPE_OWN},
		"IntakeService/ReceiveDocument": {Roles: []accessv1.Role{resident, company}, Scope: accessv1.Scope_SCOPE_OWN},
		"IntakeService/ListLookups":     {Roles: []accessv1.Role{resident, company}, Scope: accessv1.Scope_SCOPE_OWN},
		// Nor does anybody consent for them.
		"IntakeService/MoveCase":    {Roles: []accessv1.Role{resident, company}, Scope: accessv1.Scope_SCOPE_OWN},
		"IntakeService/PreviewMove": {Roles: []accessv1.Role{resident, company}, Scope: accessv1.Scope_SCOPE_OWN},
		// Who runs the platform reads what is in force, and publishes what is no matter's: the calendar.
		"PublishService/ListVersions":    {Roles: []accessv1.Role{author, operator}, Scope: accessv1.Scope_SCOPE_PLATFORM},
		"PublishService/GetVersion":      {Roles: []accessv1.Role{author, operator}, Scope: accessv1.Scope_SCOPE_PLATFORM},
		"PublishService/ListProposals":   {Roles: []accessv1.Role{author, operator}, Scope: accessv1.Scope_SCOPE_PLATFORM},
		"PublishService/GetProposal":     {Roles: []accessv1.Role{author, operator}, Scope: accessv1.Scope_SCOPE_PLATFORM},
		"PublishService/PublishCalendar": {Roles: []accessv1.Role{operator}, Scope: accessv1.Scope_SCOPE_PLATFORM},
	}
	for _, method := range []string{"ActivatePlugin", "RollBackPlugin", "ShadowPlugin", "StopPlugin", "GrantPlugin", "ListPluginKeys", "TrustPluginKey", "RevokePluginKey"} {
		methods["PluginService/"+method] = option{Roles: []accessv1.Role{operator}, Scope: accessv1.Scope_SCOPE_PLATFORM}
	}
	for _, spec := range specs() {
		t.Run(spec.Procedure, func(t *testing.T) {
			t.Parallel()
			service, method, _ := strings.Cut(strings.TrimPrefix(spec.Procedure, "/onething.api.v1."), "/")
			want, special := methods[service+"/"+method]
			if !special {
				want = services[service]
			}
			descriptor, _ := spec.Schema.(protoreflect.MethodDescriptor)
			rule := access.RuleOf(descriptor)
			got := option{Anyone: rule.GetAnyone(), Roles: rule.GetRoles(), Scope: rule.GetScope()}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("access option (-meant +schema):\n%s", diff)
			}
		})
	}
}

// The walk: every method, called by every role and by nobody, through the interceptors that the server has.
func TestAccess_EveryMethodWithEveryRole(t *testing.T) {
	t.Parallel()
	callers := tokens{}
	for number, name := range accessv1.Role_name {
		if role := accessv1.Role(number); role != accessv1.Role_ROLE_UNSPECIFIED {
			callers[name] = access.Identity{Subject: "s", Roles: []accessv1.Role{role}, Department: "hrss", Person: "p", Enterprise: "e"}
		}
	}
	logger := slog.New(slog.DiscardHandler)
	reached := func(context.Context, connect.Spec, connect.ServerStream) error { return nil }
	// call returns the code that a caller gets of a method whose handler answers at once.
	call := func(t *testing.T, spec connect.Spec, caller string) connect.Code {
		t.Helper()
		server := connect.NewServer(api.Identify(callers, logger), api.Authorize(nil))
		server.Register(connect.Method{Spec: spec, Handler: reached})
		var info connect.CallInfo
		if caller != "" {
			info.RequestHeader().Set("Authorization", "Bearer "+caller)
		}
		if err := server.Call(t.Context(), spec.Procedure, &info, nil); err != nil {
			return connect.CodeOf(err)
		}
		return 0
	}

	for _, spec := range specs() {
		t.Run(spec.Procedure, func(t *testing.T) {
			t.Parallel()
			descriptor, ok := spec.Schema.(protoreflect.MethodDescriptor)
			if !ok {
				t.Fatalf("schema is a %T", spec.Schema)
			}
			rule := access.RuleOf(descriptor)
			for caller, who := range callers {
				want := connect.CodePermissionDenied
				if rule.GetAnyone() || slices.Contains(rule.GetRoles(), who.Roles[0]) {
					want = 0
				}
				if got := call(t, spec, caller); got != want {
					t.Errorf("%s: got %v, want %v", caller, got, want)
				}
			}
			want := connect.CodeUnauthenticated
			if rule.GetAnyone() {
				want = 0
			}
			if got := call(t, spec, ""); got != want {
				t.Errorf("nobody: got %v, want %v", got, want)
			}
			// A front end whose token has run out is told so, even where it need not sign in.
			if got := call(t, spec, "run out"); got != connect.CodeUnauthenticated {
				t.Errorf("token that is not valid: got %v, want unauthenticated", got)
			}

			bare := spec
			bare.Schema = nil
			for _, caller := range []string{"", "ROLE_OPERATOR", "ROLE_RESIDENT"} {
				if got := call(t, bare, caller); got != connect.CodePermissionDenied {
					t.Errorf("the method without its option, called by %q: got %v, want permission denied", caller, got)
				}
			}
		})
	}
}

package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/connect/v2/connectproto"
	connectcors "connectrpc.com/cors"
	"connectrpc.com/grpcreflect/v2"
	validateconnect "connectrpc.com/validate"
	"github.com/rs/cors"
	"google.golang.org/grpc/health/grpc_health_v1"

	"buf.build/go/protovalidate"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/observe"
	"github.com/siyiban/onething/engine/view"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// Bounds of what the server reads and how long it waits.
const (
	// MaxMessage bounds one request message: a small file with room for its header. A larger file is streamed.
	MaxMessage = 5 << 20
	// MaxFile bounds an uploaded file.
	MaxFile = 50 << 20
	// compressFrom is the size from which answers are compressed; below it compressing costs more than it saves.
	compressFrom = 4 << 10
	// unaryTimeout bounds a call that is answered once. Streams end with their caller.
	unaryTimeout = 30 * time.Second
)

// Config is what the services stand on.
type Config struct {
	Engine *engine.Engine
	Views  *view.Views
	Tokens TokenVerifier
	Logger *slog.Logger
	// Clock measures the durations of calls: the machine's clock, not the engine's.
	Clock func() time.Time
	// Notices are those to applicants, clerks and officers; nil: none are sent.
	Notices *notices.Desk
	// Followers are what follows the log, by name: an operator takes up what they have parked.
	Followers map[string]*follow.Follower
	// Plugins are how their calls have gone; nil: nobody says.
	Plugins *observe.Plugins
	// Origins are the web pages that may call, for CORS; none by default.
	Origins []string
	// Ready says why the server cannot answer, nil if it can.
	Ready func(context.Context) error
	// Parts are what works beside the calls, by the name under which its health is asked, such as `follow/steps`. Each says
	// why some of its work waits for an operator, nil if none does: calls are answered all the same.
	Parts map[string]func(context.Context) error
	// Observe is told of each call as it begins, and calls what it returned at its end, with the code that the caller gets;
	// nil if nobody is told.
	Observe func(context.Context, connect.Spec) (context.Context, func(code string))
}

// New returns the handler of every service on one port: Connect, gRPC and gRPC-Web, reflection, health and CORS.
func New(cfg Config) http.Handler {
	server := connect.NewServer(
		observed(cfg.Observe),
		LogCalls(cfg.Logger, cfg.Clock),
		timeout,
		Identify(cfg.Tokens, cfg.Logger),
		Authorize(foreign()),
		explainViolations,
		validateconnect.NewServerInterceptor(),
	)
	s := service{engine: cfg.Engine, views: cfg.Views}
	plugins := cfg.Plugins
	if plugins == nil {
		plugins = observe.NewPlugins(cfg.Clock)
	}
	apiv1connect.RegisterGuideServiceHandler(server, guideService{engine: cfg.Engine})
	apiv1connect.RegisterCatalogServiceHandler(server, catalogService{engine: cfg.Engine})
	apiv1connect.RegisterIntakeServiceHandler(server, intakeService{service: s})
	apiv1connect.RegisterReviewServiceHandler(server, reviewService{service: s})
	apiv1connect.RegisterTaskServiceHandler(server, taskService{service: s})
	apiv1connect.RegisterPublishServiceHandler(server, publishService{service: s})
	apiv1connect.RegisterOperatorServiceHandler(server, operatorService{notices: cfg.Notices, followers: cfg.Followers})
	apiv1connect.RegisterPluginServiceHandler(server, pluginService{service: s, watched: plugins})
	grpcreflect.Register(server)
	server.Register(connect.Method{Spec: connect.Spec{Procedure: grpc_health_v1.Health_Check_FullMethodName}, Handler: health(cfg, services(server))})

	mux := http.NewServeMux()
	connecthttp.Mount(mux, server, strict(), connecthttp.WithReadMaxBytes(MaxMessage), connecthttp.WithCompressMinBytes(compressFrom))
	return cors.New(cors.Options{
		AllowedOrigins: cfg.Origins,
		AllowedMethods: connectcors.AllowedMethods(),
		AllowedHeaders: append(connectcors.AllowedHeaders(), "Authorization"),
		ExposedHeaders: append(connectcors.ExposedHeaders(), RequestIDHeader),
		MaxAge:         7200,
	}).Handler(mux)
}

// service is what the handlers share.
type service struct {
	engine *engine.Engine
	views  *view.Views
}

// foreign are the methods whose schema is not ours: anybody may ask for the schema and whether the server is up.
func foreign() map[string]*accessv1.Access {
	open := &accessv1.Access{Anyone: true, Scope: accessv1.Scope_SCOPE_PUBLIC}
	return map[string]*accessv1.Access{
		"/" + grpcreflect.ReflectV1ServiceName + "/ServerReflectionInfo":      open,
		"/" + grpcreflect.ReflectV1AlphaServiceName + "/ServerReflectionInfo": open,
		grpc_health_v1.Health_Check_FullMethodName:                            open,
	}
}

// timeout ends calls that are answered once and take too long.
func timeout(next connect.ServerFunc) connect.ServerFunc {
	return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) error {
		if spec.StreamType != connect.StreamTypeUnary {
			return next(ctx, spec, stream)
		}
		ctx, cancel := context.WithTimeout(ctx, unaryTimeout)
		defer cancel()
		return next(ctx, spec, stream)
	}
}

// explainViolations adds the engine's own detail to what the schema's rules refuse and to what cannot be read at all, so
// that every error of the API carries its reason and its violations in one way.
func explainViolations(next connect.ServerFunc) connect.ServerFunc {
	return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) error {
		err := next(ctx, spec, stream)
		refused, ok := errors.AsType[*connect.Error](err)
		if !ok || refused.Code() != connect.CodeInvalidArgument && refused.Code() != connect.CodeResourceExhausted {
			return err
		}
		for _, detail := range refused.Details() {
			message, unmarshalErr := connectproto.UnmarshalErrorDetail(detail)
			if unmarshalErr != nil {
				continue
			}
			if invalid, ok := message.(*validate.Violations); ok {
				info := &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_INVALID, Text: &formsv1.Text{Zh: "请求中有不符合要求的内容", En: "the request has faults"}}
				for _, v := range invalid.GetViolations() {
					info.Violations = append(info.Violations, &formsv1.Violation{Path: protovalidate.FieldPathString(v.GetField()), Code: v.GetRuleId(),
						Text: &formsv1.Text{Zh: "此项不符合要求（" + v.GetRuleId() + "）", En: v.GetMessage()}})
				}
				return withInfo(refused, info)
			}
			if _, ok := message.(*apiv1.ErrorInfo); ok {
				return err
			}
		}
		if refused.Code() == connect.CodeResourceExhausted {
			return withInfo(refused, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_LIMIT, Text: words("请求过大", "the request is too large")})
		}
		return withInfo(refused, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_INVALID, Text: words("请求无法读取", "the request cannot be read")})
	}
}

// withInfo adds the engine's own detail to an error.
func withInfo(refused *connect.Error, info *apiv1.ErrorInfo) error {
	if detail, err := connectproto.NewErrorDetail(info); err == nil {
		return refused.WithDetail(detail)
	}
	return refused
}

// services returns the names of the services that a server has by now.
func services(server *connect.Server) map[string]bool {
	names := map[string]bool{"": true}
	for spec := range server.Specs() {
		name, _, _ := strings.Cut(strings.TrimPrefix(spec.Procedure, "/"), "/")
		names[name] = true
	}
	return names
}

// health answers grpc.health.v1 for the server as a whole (without a name), for each of its services, and for each of
// its parts. It says why to the operator's log only.
func health(cfg Config, services map[string]bool) connect.ServerFunc {
	return func(ctx context.Context, _ connect.Spec, stream connect.ServerStream) error {
		request := &grpc_health_v1.HealthCheckRequest{}
		if err := stream.Receive(request); err != nil {
			return err
		}
		ready, known := cfg.Parts[request.GetService()]
		switch {
		case services[request.GetService()]:
			ready = cfg.Ready
		case !known:
			return fail(connect.CodeNotFound, nil, apiv1.Reason_REASON_NOT_FOUND, "没有这个服务", "there is no such service")
		}
		status := grpc_health_v1.HealthCheckResponse_SERVING
		if ready != nil {
			if err := ready(ctx); err != nil {
				status = grpc_health_v1.HealthCheckResponse_NOT_SERVING
				cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "not serving", slog.String("service", request.GetService()), slog.String("cause", err.Error()))
			}
		}
		return stream.Send(&grpc_health_v1.HealthCheckResponse{Status: status})
	}
}

// Package api answers the Connect services: it decodes, knows who calls, asks the engine or a view, and encodes.
package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/siyiban/onething/engine/access"
	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// RequestIDHeader is the response header that names a call, as the operator's log does.
const RequestIDHeader = "X-Request-Id"

// call is what the interceptors know of one call. Those inside fill in what those outside log.
type call struct {
	id  string
	who access.Identity
}

type callKey struct{}

// RequestID returns the id under which the operator's log knows the call; "" outside of one.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.id
	}
	return ""
}

// LogCalls is the outermost interceptor: it gives the call an id, which the caller gets in [RequestIDHeader], turns a
// panic into an internal error, and writes one line for the call: method, roles, department, code, duration and
// request id, and nothing of a person. The cause of an internal error gets a line of its own under the same id.
// The clock measures the duration; it is the machine's, not the engine's.
func LogCalls(logger *slog.Logger, clock func() time.Time) connect.ServerInterceptor {
	return func(next connect.ServerFunc) connect.ServerFunc {
		return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) error {
			c := &call{id: rand.Text()}
			ctx = context.WithValue(ctx, callKey{}, c)
			if info, ok := connect.CallInfoForServerContext(ctx); ok {
				info.ResponseHeader().Set(RequestIDHeader, c.id)
			}
			start := clock()
			err := recovered(ctx, spec, stream, next)
			logger.LogAttrs(ctx, slog.LevelInfo, "call",
				slog.String("method", spec.Procedure),
				slog.Any("caller", c.who),
				slog.String("code", codeName(err)),
				slog.Duration("duration", clock().Sub(start)),
				slog.String("request_id", c.id))
			if cause := internalCause(err); cause != nil {
				logger.LogAttrs(ctx, slog.LevelError, "internal error",
					slog.String("method", spec.Procedure),
					slog.String("request_id", c.id),
					slog.String("cause", cause.Error()))
			}
			return err
		}
	}
}

// observed tells of each call. It stands outside of [LogCalls], which makes an error of a panic.
func observed(observe func(context.Context, connect.Spec) (context.Context, func(code string))) connect.ServerInterceptor {
	return func(next connect.ServerFunc) connect.ServerFunc {
		if observe == nil {
			return next
		}
		return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) error {
			ctx, end := observe(ctx, spec)
			err := next(ctx, spec, stream)
			end(codeName(err))
			return err
		}
	}
}

// codeName names how a call ended: `ok`, or the code that the caller gets.
func codeName(err error) string {
	if err == nil {
		return "ok"
	}
	return codeOf(err).String()
}

// panicError is an internal error whose text is where the panic was. What was panicked with is left out: it may hold
// a value of the request.
type panicError struct{ stack string }

func (e panicError) Error() string { return "panic at " + e.stack }

// recovered calls next and turns a panic into an internal error.
func recovered(ctx context.Context, spec connect.Spec, stream connect.ServerStream, next connect.ServerFunc) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fail(connect.CodeInternal, panicError{stack: string(debug.Stack())}, apiv1.Reason_REASON_INTERNAL,
				"系统内部错误，请稍后再试", "internal error, please try again later")
		}
	}()
	return next(ctx, spec, stream)
}

// codeOf returns the code that the caller gets: Connect sends a bare `unknown` for an error that was not written for
// the caller, but says what ended the context.
func codeOf(err error) connect.Code {
	switch code := connect.CodeOf(err); {
	case code != connect.CodeUnknown:
		return code
	case errors.Is(err, context.Canceled):
		return connect.CodeCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return connect.CodeDeadlineExceeded
	default:
		return code
	}
}

// internalCause returns what an operator has to read: the cause behind an error whose text tells the caller nothing.
func internalCause(err error) error {
	if err == nil {
		return nil
	}
	switch codeOf(err) {
	case connect.CodeInternal, connect.CodeUnknown, connect.CodeDataLoss, connect.CodeUnavailable:
	default:
		return nil
	}
	if c, ok := errors.AsType[*connect.Error](err); ok {
		return errors.Unwrap(c)
	}
	return err
}

// TokenVerifier makes an identity of a bearer token; [access.Verifier] is one.
type TokenVerifier interface {
	Verify(ctx context.Context, token string) (access.Identity, error)
}

// Identify reads the bearer token and puts the identity into the context, where [access.FromContext] finds it. Without
// a token nobody has signed in, which some methods allow; with a token that is not valid the call is refused even
// there, so that a front end notices. The request is not decoded before.
func Identify(tokens TokenVerifier, logger *slog.Logger) connect.ServerInterceptor {
	return func(next connect.ServerFunc) connect.ServerFunc {
		return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) error {
			info, ok := connect.CallInfoForServerContext(ctx)
			if !ok || !info.RequestHeader().Has("Authorization") {
				return next(ctx, spec, stream)
			}
			values := info.RequestHeader().Values("Authorization")
			token, bearer := bearerToken(values)
			if !bearer {
				return notSignedIn(access.ErrToken)
			}
			who, err := tokens.Verify(ctx, token)
			switch {
			case err == nil:
			case errors.Is(err, access.ErrIssuer):
				return fail(connect.CodeUnavailable, err, apiv1.Reason_REASON_NOT_SIGNED_IN,
					"统一身份认证暂时无法访问，请稍后再试", "the sign-in service does not answer, please try again later")
			default:
				logger.LogAttrs(ctx, slog.LevelInfo, "token refused",
					slog.String("request_id", RequestID(ctx)), slog.String("cause", err.Error()))
				return notSignedIn(err)
			}
			if c, ok := ctx.Value(callKey{}).(*call); ok {
				c.who = who
			}
			return next(access.WithIdentity(ctx, who), spec, stream)
		}
	}
}

// bearerToken returns the token of an Authorization header (RFC 6750, section 2.1), of which there must be one.
func bearerToken(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

// Authorize refuses a call whose method's access option does not name one of the caller's roles; a method without
// the option is refused to everybody. Methods whose schema is not ours (reflection) have no option: foreign says, by
// procedure, who may call them.
func Authorize(foreign map[string]*accessv1.Access) connect.ServerInterceptor {
	return func(next connect.ServerFunc) connect.ServerFunc {
		return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) error {
			method, _ := spec.Schema.(protoreflect.MethodDescriptor)
			rule := access.RuleOf(method)
			if rule == nil {
				rule = foreign[spec.Procedure]
			}
			switch err := access.Authorize(access.FromContext(ctx), rule); {
			case err == nil:
				return next(ctx, spec, stream)
			case errors.Is(err, access.ErrNotSignedIn):
				return notSignedIn(err)
			case errors.Is(err, access.ErrNotAllowed):
				return fail(connect.CodePermissionDenied, err, apiv1.Reason_REASON_NOT_ALLOWED,
					"您的身份不能使用此功能", "your role may not do this")
			default:
				return fail(connect.CodePermissionDenied, fmt.Errorf("authorize %s: %w", spec.Procedure, err),
					apiv1.Reason_REASON_NOT_ALLOWED, "此功能未开放", "this method is open to nobody")
			}
		}
	}
}

func notSignedIn(cause error) error {
	return fail(connect.CodeUnauthenticated, cause, apiv1.Reason_REASON_NOT_SIGNED_IN,
		"请先登录", "please sign in")
}

// fail is an error for the caller, with the detail that every error of the engine has. The cause stays here.
func fail(code connect.Code, cause error, reason apiv1.Reason, zh, en string) error {
	return explained(code, cause, &apiv1.ErrorInfo{Reason: reason, Text: &formsv1.Text{Zh: zh, En: en}})
}

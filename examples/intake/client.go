// Package intake is a small client of each service, to read and to copy: what a front end for applicants does, what a
// clerk's and an officer's desk do, and how a department's own system signs in. The demonstration plays its people with
// it.
package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/connect/v2/connectproto"
	"golang.org/x/oauth2/clientcredentials"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// Client calls the API as somebody, or as nobody. It is safe for concurrent use.
type Client struct {
	Catalog apiv1connect.CatalogServiceClient
	Guide   apiv1connect.GuideServiceClient
	Intake  apiv1connect.IntakeServiceClient
	Review  apiv1connect.ReviewServiceClient
	Task    apiv1connect.TaskServiceClient
}

// Token returns the bearer token for the next call. A front end gets it from its OIDC library, which renews it.
type Token func(context.Context) (string, error)

// Dial returns a client of the API at an address such as http://127.0.0.1:8080. Without a token it has not signed in;
// guide and catalogue answer all the same.
func Dial(address string, token Token) *Client {
	c := Connect(address, token)
	return &Client{
		Catalog: apiv1connect.NewCatalogServiceClient(c),
		Guide:   apiv1connect.NewGuideServiceClient(c),
		Intake:  apiv1connect.NewIntakeServiceClient(c),
		Review:  apiv1connect.NewReviewServiceClient(c),
		Task:    apiv1connect.NewTaskServiceClient(c),
	}
}

// Connect returns what a client of any one service is made of.
func Connect(address string, token Token) *connect.Client {
	var signIn []connect.ClientInterceptor
	if token != nil {
		signIn = append(signIn, func(next connect.ClientFunc) connect.ClientFunc {
			return func(ctx context.Context, spec connect.Spec) (connect.ClientStream, error) {
				bearer, err := token(ctx)
				if err != nil {
					return nil, fmt.Errorf("sign in: %w", err)
				}
				if info, ok := connect.CallInfoForClientContext(ctx); ok {
					info.RequestHeader().Set("Authorization", "Bearer "+bearer)
				}
				return next(ctx, spec)
			}
		})
	}
	return connect.NewClient(connecthttp.NewTransport(http.DefaultClient, address), signIn...)
}

// SignIn signs in under a name of the development issuer at an address such as http://127.0.0.1:8081/issuer. A real front
// end uses the authorization code flow with PKCE instead.
func SignIn(issuer, name string) Token {
	return func(ctx context.Context) (string, error) {
		form := strings.NewReader(url.Values{"identity": {name}}.Encode())
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, issuer+"/sign-in", form)
		if err != nil {
			return "", err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
		if err != nil {
			return "", err
		}
		if response.StatusCode != http.StatusOK {
			return "", fmt.Errorf("the issuer answers %s: %s", response.Status, strings.TrimSpace(string(answer)))
		}
		return strings.TrimSpace(string(answer)), nil
	}
}

// System signs in a department's own system with its client id and secret (client_credentials). The same works with a
// real issuer, whose discovery document names the token address.
func System(issuer, id, secret string) Token {
	cfg := clientcredentials.Config{ClientID: id, ClientSecret: secret, TokenURL: issuer + "/token"}
	return func(ctx context.Context) (string, error) {
		token, err := cfg.Token(ctx)
		if err != nil {
			return "", err
		}
		return token.AccessToken, nil
	}
}

// Why returns what the engine says of an error: the reason, a text for the person at the front end, and every fault
// with its path. It is nil for an error that is none of the engine's.
func Why(err error) *apiv1.ErrorInfo {
	refused, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return nil
	}
	for _, detail := range refused.Details() {
		message, err := connectproto.UnmarshalErrorDetail(detail)
		if err != nil {
			continue
		}
		if info, ok := message.(*apiv1.ErrorInfo); ok {
			return info
		}
	}
	return nil
}

// explain adds to an error what the engine says of it, so that whoever reads it knows what to do.
func explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	info := Why(err)
	if info == nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	var text strings.Builder
	text.WriteString(info.GetReason().String() + " " + info.GetText().GetZh())
	for _, v := range info.GetViolations() {
		fmt.Fprintf(&text, "; %s %s", v.GetPath(), v.GetText().GetZh())
	}
	return fmt.Errorf("%s: %w: %s", doing, err, text.String())
}

package api_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/engine/bundletest"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/forms"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// echo answers whatever it is told to, without a look at what it is asked.
type echo struct {
	apiv1connect.UnimplementedGuideServiceHandler
	answer *apiv1.AssessResponse
}

func (e *echo) Assess(context.Context, *apiv1.AssessRequest) (*apiv1.AssessResponse, error) {
	return e.answer, nil
}

// exchange is a call of a front end whose user has answered one more question, and its answer.
type exchange struct {
	request *apiv1.AssessRequest
	answer  *apiv1.AssessResponse
}

// What a changed answer costs where nobody has said which matter it is about: a call of the guide over all matters through
// the server and over loopback, under a session and without one, against a call with messages as large that is answered at
// once. The calls are those of a resident who answers what is asked, one question a call, again and again.
func BenchmarkGuide_ChangedAnswer(b *testing.B) {
	h := newHouseOf(b, examples.Tree())
	service := apiv1connect.NewGuideServiceClient(h.as(""))
	calls := h.exchanges(b, service)
	at := &echo{}
	server := connect.NewServer()
	apiv1connect.RegisterGuideServiceHandler(server, at)
	mux := http.NewServeMux()
	connecthttp.Mount(mux, server)
	echoing := httptest.NewServer(mux)
	defer echoing.Close()
	echoes := apiv1connect.NewGuideServiceClient(connect.NewClient(connecthttp.NewTransport(echoing.Client(), echoing.URL)))

	for _, bench := range []struct {
		name    string
		session func() string
	}{{"session", uuid.NewString}, {"alone", func() string { return "" }}} {
		b.Run(bench.name, func(b *testing.B) {
			took := func(service apiv1connect.GuideServiceClient, request *apiv1.AssessRequest) time.Duration {
				start := time.Now()
				if _, err := service.Assess(b.Context(), request); err != nil {
					b.Fatal(explain(err))
				}
				return time.Since(start)
			}
			var guided, echoed []time.Duration
			session, i := "", 0
			for b.Loop() {
				c := calls[i%len(calls)]
				if i%len(calls) == 0 {
					session = bench.session()
				}
				i++
				c.request.Session, at.answer = session, c.answer
				echoed = append(echoed, took(echoes, c.request))
				guided = append(guided, took(service, c.request))
			}
			for name, at := range map[string]float64{"p50": 0.5, "p99": 0.99} {
				g, e := quantile(guided, at), quantile(echoed, at)
				b.ReportMetric(float64(g.Microseconds()), name+"-µs")
				b.ReportMetric(float64(e.Microseconds()), name+"-echo-µs")
				b.ReportMetric(float64(g)/float64(e), name+"-ratio")
			}
		})
	}
}

func quantile(all []time.Duration, at float64) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[min(len(all)-1, int(at*float64(len(all))))]
}

// exchanges are the calls of a resident who begins with nothing and answers what is asked, as the tests of the matters do.
func (h *house) exchanges(b *testing.B, service apiv1connect.GuideServiceClient) []exchange {
	b.Helper()
	var calls []exchange
	c, found := catalog.Load(examples.Tree())
	if err := found.Err(); err != nil {
		b.Fatal(err)
	}
	truth := map[string]*structpb.Value{}
	for _, id := range slices.Sorted(maps.Keys(c.Bundles)) {
		text, err := os.ReadFile("../../examples/" + bundletest.File(id))
		if err != nil {
			b.Fatal(err)
		}
		tests, _ := bundletest.Read(c.Bundles[id], bundletest.File(id), text, h.engine.InForce().Calendar)
		for p, v := range tests[0].Record.All() {
			if truth[string(p)] == nil {
				if truth[string(p)], err = forms.EncodeValue(v); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	answers := map[string]*structpb.Value{}
	kept := &apiv1.Assessment{}
	change := map[string]*structpb.Value{}
	for len(calls) < 120 {
		request := &apiv1.AssessRequest{Record: &formsv1.Record{Answers: maps.Clone(answers)}, Changes: maps.Clone(change), Fresh: len(calls) == 0}
		answer, err := service.Assess(b.Context(), request)
		if err != nil {
			b.Fatal(explain(err))
		}
		calls = append(calls, exchange{request, answer})
		kept = guide.Apply(kept, answer.GetChange())
		maps.Copy(answers, change)
		next := kept.GetNextQuestion().GetPath()
		if truth[next] == nil {
			break
		}
		change = map[string]*structpb.Value{next: truth[next]}
	}
	if len(calls) < 50 {
		b.Fatalf("only %d calls", len(calls))
	}
	return calls[1:]
}

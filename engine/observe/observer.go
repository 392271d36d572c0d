package observe

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/siyiban/onething/engine/commitlog"
)

// namespace is what the names of all metrics begin with.
const namespace = "onething"

// Outcomes of what the engine does by itself; a failed plugin's is its kind of failure.
const (
	OK     = "ok"
	Failed = "failed"
)

// Config says what an observer stands on.
type Config struct {
	// Now is the machine's clock: it measures durations.
	Now func() time.Time
	// Tracer gets the spans; nil drops them.
	Tracer trace.Tracer
}

// Observer counts and traces what a server does. It is safe for concurrent use.
type Observer struct {
	now      func() time.Time
	tracer   trace.Tracer
	registry *prometheus.Registry

	requests        *prometheus.CounterVec
	requestTime     *prometheus.HistogramVec
	appends         *prometheus.CounterVec
	appendTime      prometheus.Histogram
	pluginCalls     *prometheus.CounterVec
	pluginTime      *prometheus.HistogramVec
	pluginFuel      *prometheus.CounterVec
	pluginHostCalls *prometheus.CounterVec
	pluginMemory    *prometheus.HistogramVec
	pluginShadow    *prometheus.CounterVec
	work            *prometheus.CounterVec
	clockJumps      *prometheus.CounterVec
	certificates    *prometheus.CounterVec
}

// New returns an observer that has seen nothing yet.
func New(c Config) *Observer {
	o := &Observer{now: c.Now, tracer: c.Tracer, registry: prometheus.NewRegistry()}
	if o.tracer == nil {
		o.tracer = noop.NewTracerProvider().Tracer("")
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
		o.registry.MustRegister(v)
		return v
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
		o.registry.MustRegister(v)
		return v
	}
	o.requests = counter("requests_total", "Calls of the API that have ended.", "method", "code")
	o.requestTime = histogram("request_seconds", "How long calls of the API took that are answered once.", []float64{.005, .02, .1, .5, 2, 10, 30}, "method")
	o.appends = counter("appends_total", "Appends to the log, by outcome; ok is a commit on disk.", "outcome")
	o.appendTime = prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: "append_seconds",
		Help: "How long it took until a commit was on disk.", Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}})
	o.registry.MustRegister(o.appendTime)
	o.pluginCalls = counter("plugin_calls_total", "Calls of plugins, by outcome: ok, or the kind of failure.", "plugin", "hook", "outcome")
	o.pluginTime = histogram("plugin_call_seconds", "How long calls of plugins took.", []float64{.005, .02, .1, .5, 2, 10}, "plugin")
	o.pluginFuel = counter("plugin_fuel_total", "What plugins have executed, in units of fuel.", "plugin")
	o.pluginHostCalls = counter("plugin_host_calls_total", "Calls of host functions by plugins.", "plugin")
	o.pluginMemory = histogram("plugin_memory_bytes", "Linear memory of plugins at the end of their calls.", []float64{1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20}, "plugin")
	o.pluginShadow = counter("plugin_shadow_calls_total", "Calls that versions in shadow were to be asked: same, different, or skipped.", "plugin", "result")
	o.work = counter("follower_work_total", "Pieces of work that followers have done or tried, by outcome.", "follower", "outcome")
	o.clockJumps = counter("clock_jumps_total", "How often the machine's clock was set by half a minute or more.", "direction")
	o.certificates = counter("certificate_loads_total", "How often the TLS certificate was read, by outcome.", "outcome")
	for _, direction := range []string{"back", "forward"} { // an alarm on what never happened needs a zero
		o.clockJumps.WithLabelValues(direction)
	}
	o.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return o
}

// Metrics answers with all metrics, as Prometheus reads them.
func (o *Observer) Metrics() http.Handler {
	return promhttp.HandlerFor(o.registry, promhttp.HandlerOpts{Registry: o.registry})
}

// Call observes a call of the API: the context that it returns carries its span, and the function is called at its end
// with the code that the caller gets. A span continues the trace of the caller, if it names one.
func (o *Observer) Call(ctx context.Context, spec connect.Spec) (context.Context, func(code string)) {
	if info, ok := connect.CallInfoForServerContext(ctx); ok {
		carrier := propagation.MapCarrier{}
		for _, name := range (propagation.TraceContext{}).Fields() {
			if values := info.RequestHeader().Values(name); len(values) == 1 {
				carrier[name] = values[0]
			}
		}
		ctx = propagation.TraceContext{}.Extract(ctx, carrier)
	}
	ctx, span := o.tracer.Start(ctx, spec.Procedure, trace.WithSpanKind(trace.SpanKindServer))
	start := o.now()
	return ctx, func(code string) {
		o.requests.WithLabelValues(spec.Procedure, code).Inc()
		if spec.StreamType == connect.StreamTypeUnary {
			o.requestTime.WithLabelValues(spec.Procedure).Observe(o.now().Sub(start).Seconds())
		}
		end(span, code)
	}
}

// Plugin observes a call of a plugin: the context that it returns carries its span, and the function is called at its end
// with what it was.
func (o *Observer) Plugin(ctx context.Context, plugin, hook string) (context.Context, func(PluginCall)) {
	ctx, span := o.tracer.Start(ctx, "plugin "+plugin, trace.WithAttributes(attribute.String("hook", hook)))
	start := o.now()
	return ctx, func(c PluginCall) {
		o.pluginCalls.WithLabelValues(plugin, hook, c.Outcome).Inc()
		o.pluginTime.WithLabelValues(plugin).Observe(o.now().Sub(start).Seconds())
		o.pluginFuel.WithLabelValues(plugin).Add(float64(c.Fuel))
		o.pluginHostCalls.WithLabelValues(plugin).Add(float64(c.HostCalls))
		o.pluginMemory.WithLabelValues(plugin).Observe(float64(c.MemoryBytes))
		end(span, c.Outcome)
	}
}

// PluginShadow counts what became of a call that a version in shadow was to be asked: `same`, `different` or `skipped`.
func (o *Observer) PluginShadow(plugin, result string) {
	o.pluginShadow.WithLabelValues(plugin, result).Inc()
}

// Work observes a piece of a follower's work, as [Observer.Plugin] does a call.
func (o *Observer) Work(ctx context.Context, follower string) (context.Context, func(error)) {
	ctx, span := o.tracer.Start(ctx, "work "+follower)
	return ctx, func(err error) {
		outcome := OK
		switch {
		case errors.Is(err, context.Canceled):
			outcome = "stopped"
		case err != nil:
			outcome = Failed
		}
		o.work.WithLabelValues(follower, outcome).Inc()
		end(span, outcome)
	}
}

// CertificateLoaded counts that the TLS certificate was read.
func (o *Observer) CertificateLoaded(err error) {
	outcome := OK
	if err != nil {
		outcome = Failed
	}
	o.certificates.WithLabelValues(outcome).Inc()
}

// end ends a span. An error's text may quote what somebody sent, so the span has its outcome only.
func end(span trace.Span, outcome string) {
	span.SetAttributes(attribute.String("outcome", outcome))
	if outcome != OK {
		span.SetStatus(codes.Error, outcome)
	}
	span.End()
}

// Log observes the appends to a log.
func (o *Observer) Log(log commitlog.Log) commitlog.Log { return observed{Log: log, observer: o} }

// observed is a log whose appends are measured.
type observed struct {
	commitlog.Log
	observer *Observer
}

// Append implements [commitlog.Log].
func (l observed) Append(ctx context.Context, c commitlog.Commit) (commitlog.Receipt, error) {
	o := l.observer
	ctx, span := o.tracer.Start(ctx, "append")
	start := o.now()
	receipt, err := l.Log.Append(ctx, c)
	if err == nil {
		o.appendTime.Observe(o.now().Sub(start).Seconds())
	}
	outcome := appendOutcome(err)
	o.appends.WithLabelValues(outcome).Inc()
	end(span, outcome)
	return receipt, err
}

// appendOutcome names how an append ended.
func appendOutcome(err error) string {
	if err == nil {
		return OK
	}
	for _, known := range []struct {
		err  error
		name string
	}{
		{commitlog.ErrConflict, "conflict"}, {commitlog.ErrRequestReused, "request_reused"}, {commitlog.ErrNoSpace, "no_space"}, {commitlog.ErrStopped, "stopped"},
		{commitlog.ErrInvalid, "invalid"}, {commitlog.ErrTooLarge, "too_large"}, {commitlog.ErrClosed, "closed"}, {context.Canceled, "given_up"}, {context.DeadlineExceeded, "given_up"},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return Failed
}

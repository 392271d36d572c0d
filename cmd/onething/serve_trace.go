package main

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// openTracer returns a tracer whose spans go to an OpenTelemetry collector over OTLP, and what sends the last of them. How
// many are sampled is said by the variables that OpenTelemetry has for it, OTEL_TRACES_SAMPLER and its argument.
func openTracer(ctx context.Context, collector string, logger *slog.Logger) (trace.Tracer, func(context.Context) error, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(collector))
	if err != nil {
		return nil, nil, fmt.Errorf("--traces: %w", err)
	}
	// The exporter has no other way to say that a collector does not answer.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("traces are not sent", "error", err) }))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "onething"), attribute.String("service.version", buildVersion()))))
	return provider.Tracer("github.com/siyiban/onething"), provider.Shutdown, nil
}

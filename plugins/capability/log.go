package capability

import (
	"context"
	"log/slog"
	"maps"
	"regexp"
	"slices"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Bounds of a line.
const (
	maxLineBytes = 1 << 10
	maxNumbers   = 8
	maxName      = 40
	// numbersBelow keeps telephone and citizen numbers out of lines.
	numbersBelow = 1_000_000_000
)

var numberName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// Line is what a plugin has logged.
type Line struct {
	// Plugin, Version and Department are the manifest's.
	Plugin, Version, Department string
	// Hook that was called, as `decide`.
	Hook string
	// Application is the number of the application; empty for prefill.
	Application string
	// Code is one of the manifest's log_codes.
	Code string
	// Numbers are what is counted, by name.
	Numbers map[string]int64
}

func refuseLog(why string) *pluginv1.LogResponse { return &pluginv1.LogResponse{Refused: why} }

// log writes one line.
func (c *Call) log(ctx context.Context, request *pluginv1.LogRequest) *pluginv1.LogResponse {
	if !c.may(Log) {
		return refuseLog(RefusedNotGranted)
	}
	if !slices.Contains(c.manifest.GetLogCodes(), request.GetCode()) || len(request.GetNumbers()) > maxNumbers {
		return refuseLog(RefusedBadRequest)
	}
	for name, n := range request.GetNumbers() {
		if len(name) > maxName || !numberName.MatchString(name) || n <= -numbersBelow || n >= numbersBelow {
			return refuseLog(RefusedBadRequest)
		}
	}
	line := Line{
		Plugin: c.manifest.GetId(), Version: c.manifest.GetVersion(), Department: c.manifest.GetDepartment(), Hook: c.hook(),
		Application: c.set.config.Application(c.request.GetTask()), Code: request.GetCode(), Numbers: request.GetNumbers(),
	}
	attributes := []slog.Attr{
		slog.String("plugin", line.Plugin), slog.String("version", line.Version), slog.String("hook", line.Hook),
		slog.String("application", line.Application), slog.String("code", line.Code),
	}
	numbers := make([]any, 0, len(line.Numbers))
	for _, name := range slices.Sorted(maps.Keys(line.Numbers)) {
		numbers = append(numbers, slog.Int64(name, line.Numbers[name]))
	}
	if len(numbers) > 0 {
		attributes = append(attributes, slog.Group("numbers", numbers...))
	}
	c.set.config.Logger.LogAttrs(ctx, slog.LevelInfo, "plugin says", attributes...)
	if c.set.config.Lines != nil {
		c.set.config.Lines(line)
	}
	return &pluginv1.LogResponse{}
}

package main

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/observe"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/plugins"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// shadowQueue is how many calls may wait for the versions in shadow. Beyond it they are left out and counted: what runs in
// shadow never slows what answers.
const shadowQueue = 64

// shadowCall is a call that the active version has answered.
type shadowCall struct {
	plugin          string
	active          string // version
	version, digest string // in shadow
	request         *pluginv1.Request
	answer          *pluginv1.Response
	transcript      []*pluginv1.HostCall
}

// shadow asks the version in shadow, if there is one, what the active one was asked, later and without effects.
func (c *caller) shadow(plugin string, p registry.Plugin, request *pluginv1.Request, answer *pluginv1.Response, transcript []*pluginv1.HostCall) {
	v := p.With(p.Shadow)
	if v == nil {
		return
	}
	call := shadowCall{plugin: plugin, active: p.Version, version: v.Version, digest: v.Digest, request: proto.CloneOf(request), answer: proto.CloneOf(answer), transcript: transcript}
	select {
	case c.shadows <- call:
	default:
		c.server.plugins.Skipped(plugin, v.Version, v.Digest)
		c.server.observer.PluginShadow(plugin, "skipped")
	}
}

// runShadows asks the versions in shadow, one call at a time, until ctx ends.
func (c *caller) runShadows(ctx context.Context) error {
	for {
		select {
		case call := <-c.shadows:
			c.compare(ctx, call)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// compare asks the version in shadow with what the active one saw through its capabilities, and remembers where its answer
// differs.
func (c *caller) compare(ctx context.Context, call shadowCall) {
	answer, trace, diverged, err := c.host.Replay(ctx, plugins.Ref{ID: call.plugin, Digest: call.digest}, call.request, call.transcript)
	if ctx.Err() != nil {
		return
	}
	outcome := outcomeOf(err)
	called := callOf(call.plugin, call.version, call.digest, call.request, trace, outcome)
	called.Shadow = true
	c.server.plugins.Called(called)
	d := observe.Difference{Plugin: call.plugin, Task: call.request.GetTask(), Hook: called.Hook, Active: call.active, Shadow: call.version, ShadowDigest: call.digest}
	switch {
	case err != nil:
		d.Failure = outcome
	default:
		d.Paths = plugins.Differences(call.answer, answer)
		if diverged != "" { // it asked for what the active one has not asked for
			d.Paths = append(d.Paths, "host_calls")
		}
	}
	c.server.plugins.Compared(d)
	result := "same"
	if d.Failure != "" || len(d.Paths) > 0 {
		result = "different"
	}
	c.server.observer.PluginShadow(call.plugin, result)
}

// outcomeOf is how a call of a plugin ended: ok, or the kind of failure.
func outcomeOf(err error) string {
	if err == nil {
		return observe.OK
	}
	if failed, ok := errors.AsType[*plugins.CallError](err); ok {
		return string(failed.Kind)
	}
	return observe.Failed
}

// callOf is a call that has ended, as it is remembered.
func callOf(plugin, version, digest string, request *pluginv1.Request, trace plugins.Trace, outcome string) observe.PluginCall {
	return observe.PluginCall{Plugin: plugin, Version: version, Digest: digest, Hook: hookName(request.GetHook()), Outcome: outcome, Duration: trace.Duration,
		Application: applicationOf(request.GetTask()), HostCalls: trace.HostCalls, Fuel: uint64(max(trace.Fuel, 0)), MemoryBytes: trace.MemoryBytes}
}

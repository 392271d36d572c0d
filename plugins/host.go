// Package plugins runs departments' plugins: each call in a sandbox of its own that holds no byte of an earlier call,
// with bounds on time, memory, output and host calls. It is the only package that knows wazero.
//
// docs/plugin-interface.md says what a plugin's file looks like, what is bounded, and what is not bounded yet.
package plugins

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Ref names one version of a plugin.
type Ref struct {
	// ID of the plugin, as its manifest has it.
	ID string
	// Digest of the .wasm file: SHA-256, in hex.
	Digest string
}

// Modules are the files of the plugins.
type Modules interface {
	// Module returns the bytes of the file with a digest. The error is or wraps fs.ErrNotExist if there is none.
	Module(digest string) ([]byte, error)
}

// Limits bound one call.
type Limits struct {
	// Time of one call, from an empty sandbox to its answer. Compiling is no part of it.
	Time time.Duration
	// MemoryMiB is the linear memory, in MiB.
	MemoryMiB int
	// OutputKiB is the size of the answer, in KiB.
	OutputKiB int
	// HostCalls is the number of host calls.
	HostCalls int
	// HostKiB is what all host calls together may move in and out, in KiB. A manifest cannot ask for it.
	HostKiB int
}

// DefaultLimits are what a plugin gets that asks for nothing.
func DefaultLimits() Limits {
	return Limits{Time: 5 * time.Second, MemoryMiB: 64, OutputKiB: 1024, HostCalls: 50, HostKiB: 1024}
}

// DefaultMaximum is the most that a plugin gets by asking.
func DefaultMaximum() Limits {
	return Limits{Time: 30 * time.Second, MemoryMiB: 256, OutputKiB: 8192, HostCalls: 1000, HostKiB: 4096}
}

// Config configures a Host. The zero value of each member but Modules is its documented default.
type Config struct {
	// Modules are the files. Required.
	Modules Modules
	// Limits of a plugin that asks for nothing; DefaultLimits if zero.
	Limits Limits
	// Maximum of what a manifest can ask for; DefaultMaximum if zero.
	Maximum Limits
	// Granted returns the capabilities that the operator grants a plugin. It is asked at every call; nil grants nothing.
	Granted func(pluginID string) []string
	// Capabilities are what plugins can reach outside their calls; nil: nothing is granted, whatever Granted says.
	Capabilities *capability.Set
	// Logger is told what operators should know; nothing is logged if it is nil.
	Logger *slog.Logger
	// CompilationCacheDir keeps compiled modules between runs. Whoever can write to it can run code in the host, so it
	// belongs to the host alone. If it is empty every run compiles anew, about a second for each Go guest.
	CompilationCacheDir string
	// Concurrency is the number of calls of one module that run at the same time, 4 if zero. Others wait.
	Concurrency int
}

// Host runs plugins. It is safe for concurrent use.
type Host struct {
	config  Config
	runtime wazero.Runtime
	cache   wazero.CompilationCache

	// compiling is held while a module is compiled, which can need a second and a hundred megabytes.
	compiling chan struct{}
	// under counts the calls and compilations that are under way.
	under sync.WaitGroup

	mu      sync.Mutex
	modules map[string]*loaded // by digest
	closed  bool
}

// loaded is a module that is compiled, or being compiled, or found unfit.
type loaded struct {
	done chan struct{} // closed when the members below are settled
	*module
	compiled wazero.CompiledModule
	limits   Limits
	err      error
	slots    chan struct{}
}

// Trace is what a call did, also if it failed. Transcript, Lookups, Writes and Failure hold personal data.
type Trace struct {
	// Plugin, Version and Digest say which code ran. Version is empty if none did.
	Plugin, Version, Digest string
	// Hook that was called.
	Hook pluginv1.Hook
	// HostCalls is the number of host calls.
	HostCalls int
	// MemoryBytes is the linear memory at the end.
	MemoryBytes int
	// OutputBytes is the size of the answer.
	OutputBytes int
	// Transcript is what the call saw through its capabilities, in order; with it and the request it can be replayed.
	Transcript []*pluginv1.HostCall
	// Lookups are the look-ups of shared data, in order.
	Lookups []capability.Lookup
	// Writes are what the call wrote into its department's store; nil if nothing, or if the call failed. They take
	// effect when the engine commits them.
	Writes *capability.Writes
	// ReachedOutside says that a request of the call went to an outside host.
	ReachedOutside bool
	// Failure is what the plugin says of why it could not answer. A plugin wrote it: it belongs sealed on the record,
	// and in no log.
	Failure string
}

// Open makes a Host. It reads and compiles nothing yet.
func Open(ctx context.Context, config Config) (*Host, error) {
	if config.Modules == nil {
		return nil, errors.New("plugins: Config.Modules is required")
	}
	if config.Limits == (Limits{}) {
		config.Limits = DefaultLimits()
	}
	if config.Maximum == (Limits{}) {
		config.Maximum = DefaultMaximum()
	}
	for _, l := range []Limits{config.Limits, config.Maximum} {
		if l.Time < time.Millisecond || l.MemoryMiB <= 0 || l.MemoryMiB > 4095 || l.OutputKiB <= 0 || l.HostCalls < 0 || l.HostKiB < 0 {
			return nil, errors.New("plugins: limits need a millisecond, a MiB below 4 GiB and a KiB of output at least")
		}
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Concurrency == 0 {
		config.Concurrency = 4
	}
	if config.Concurrency < 0 {
		return nil, errors.New("plugins: Config.Concurrency is negative")
	}
	cache := wazero.NewCompilationCache()
	if config.CompilationCacheDir != "" {
		var err error
		if cache, err = wazero.NewCompilationCacheWithDir(config.CompilationCacheDir); err != nil {
			return nil, fmt.Errorf("plugins: open compilation cache: %w", err)
		}
	}
	h := &Host{
		config: config, cache: cache, compiling: make(chan struct{}, 1), modules: map[string]*loaded{},
		runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
			// Vectors are not needed by any guest, and wazero reads their instructions differently from others.
			WithCoreFeatures(api.CoreFeaturesV2.SetEnabled(api.CoreFeatureSIMD, false)).
			WithCloseOnContextDone(true).
			WithDebugInfoEnabled(false).
			WithCompilationCache(cache)),
	}
	if err := provide(ctx, h.runtime); err != nil {
		return nil, errors.Join(fmt.Errorf("plugins: provide host functions: %w", err), h.Close(ctx))
	}
	return h, nil
}

// Close waits for the calls and compilations that are under way, and releases everything. Who is in a hurry ends the
// calls by their contexts first.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.under.Wait()
	return errors.Join(h.runtime.Close(ctx), h.cache.Close(ctx))
}

// Prepare checks and compiles a plugin, so that its first call need not wait, and returns its manifest. The error is
// as Call's.
func (h *Host) Prepare(ctx context.Context, ref Ref) (*pluginv1.Manifest, error) {
	if err := h.enter(); err != nil {
		return nil, err
	}
	defer h.under.Done()
	l, err := h.load(ctx, ref)
	if err != nil {
		return nil, h.failed(ref, pluginv1.Hook_HOOK_UNSPECIFIED, err)
	}
	return proto.CloneOf(l.manifest), nil
}

// Call runs one hook of a plugin in a sandbox of its own and returns its answer, which is checked: the member of the
// called hook is set and is what the interface says of it. Whether its values fit the step's result is the caller's
// to check.
//
// The error is a [*CallError] if the plugin is to blame, and then the same call may fail again; it wraps ctx's error
// if the caller gave up. The trace says what happened in every case.
func (h *Host) Call(ctx context.Context, ref Ref, request *pluginv1.Request) (*pluginv1.Response, Trace, error) {
	trace := Trace{Plugin: ref.ID, Digest: ref.Digest, Hook: request.GetHook()}
	if err := h.enter(); err != nil {
		return nil, trace, err
	}
	defer h.under.Done()
	response, err := h.call(ctx, ref, request, &trace, nil)
	if err != nil {
		return nil, trace, h.failed(ref, request.GetHook(), err)
	}
	return response, trace, nil
}

// Replay runs a call again as it ran when its transcript was recorded: what it saw through its capabilities it sees
// again, and nothing outside is reached. Errors are as Call's. diverged says where the call did not ask for what the
// recorded one had asked for; empty: it asked for the same.
func (h *Host) Replay(ctx context.Context, ref Ref, request *pluginv1.Request, transcript []*pluginv1.HostCall) (response *pluginv1.Response, trace Trace, diverged string, err error) {
	trace = Trace{Plugin: ref.ID, Digest: ref.Digest, Hook: request.GetHook()}
	if err := h.enter(); err != nil {
		return nil, trace, "", err
	}
	defer h.under.Done()
	session := capability.Replay(transcript)
	if response, err = h.call(ctx, ref, request, &trace, session); err != nil {
		return nil, trace, session.Diverged(), h.failed(ref, request.GetHook(), err)
	}
	return response, trace, session.Diverged(), nil
}

// ErrClosed says that the host was closed.
var ErrClosed = errors.New("plugins: the host is closed")

// enter counts a call as under way, unless the host is closed.
func (h *Host) enter() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	h.under.Add(1)
	return nil
}

// failed makes a CallError of an error whose kind is the plugin's fault, and says of any other which call it was.
func (h *Host) failed(ref Ref, hook pluginv1.Hook, err error) error {
	kind, ok := errors.AsType[Kind](err)
	if !ok {
		return fmt.Errorf("plugin %s: %s: %w", ref.ID, hook, err)
	}
	e := &CallError{Plugin: ref.ID, Hook: hook, Kind: kind}
	if why, ok := errors.AsType[*reason](err); ok {
		e.Err = why.err
	}
	return e
}

// reason is a kind with what is to be said beside it.
type reason struct {
	Kind
	err error
}

func (r *reason) Error() string   { return string(r.Kind) + ": " + r.err.Error() }
func (r *reason) Unwrap() []error { return []error{r.Kind, r.err} }

// call makes one call; replay, if there is one, answers its host calls.
func (h *Host) call(ctx context.Context, ref Ref, request *pluginv1.Request, trace *Trace, replay capability.Session) (*pluginv1.Response, error) {
	l, err := h.load(ctx, ref)
	if err != nil {
		return nil, err
	}
	trace.Version = l.manifest.GetVersion()
	if !slices.Contains(l.manifest.GetHooks(), request.GetHook()) {
		return nil, HookNotOffered
	}
	message, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return nil, &reason{BadRequest, errors.New("a text is not UTF-8")}
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}

	s := newSandbox(request, l.limits)
	capabilities := h.config.Capabilities.Begin(l.manifest, h.granted(ref.ID), request)
	s.session = capabilities
	if replay != nil {
		s.session = replay
	}
	answer, err := h.run(ctx, l, s, message)
	trace.HostCalls, trace.MemoryBytes, trace.OutputBytes = s.hostCalls, s.memory.most, len(answer)
	trace.Transcript, trace.Lookups, trace.ReachedOutside = capabilities.Transcript(), capabilities.Lookups(), capabilities.ReachedOutside()
	if err != nil {
		return nil, err
	}
	response, err := decodeAnswer(answer)
	if err != nil {
		return nil, &reason{MalformedAnswer, err}
	}
	if failure := response.GetFailure(); failure != "" {
		trace.Failure = shorten(failure)
		return nil, GaveUp
	}
	if err := checkAnswer(request.GetHook(), response); errors.Is(err, errMalformed) {
		return nil, &reason{MalformedAnswer, err}
	} else if err != nil {
		return nil, err
	}
	trace.Writes = capabilities.Writes()
	return response, nil
}

// granted returns what the operator grants a plugin.
func (h *Host) granted(plugin string) []string {
	if h.config.Granted == nil {
		return nil
	}
	return h.config.Granted(plugin)
}

// run gives one call a sandbox of its own and returns the bytes of the answer.
func (h *Host) run(parent context.Context, l *loaded, s *sandbox, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(parent, l.limits.Time)
	defer cancel()
	ctx = context.WithValue(ctx, sandboxKey{}, s)
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(
		func(uint64, uint64) experimental.LinearMemory { return s.memory }))

	answer, err := h.exchange(ctx, l, message)
	switch {
	case parent.Err() != nil:
		return nil, parent.Err()
	case s.exceeded != "":
		return nil, s.exceeded
	case ctx.Err() != nil:
		// Also if the guest answered: an answer after the deadline would be an answer now and a failure next time.
		return nil, TimedOut
	case err == nil:
		return answer, nil
	case s.memory.refused:
		return nil, OutOfMemory
	}
	if _, ok := errors.AsType[Kind](err); ok {
		return nil, err
	}
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		return nil, &reason{Exited, fmt.Errorf("code %d", exit.ExitCode())}
	}
	return nil, &reason{Trapped, errors.New(firstLine(err))}
}

// exchange instantiates the module, hands it the message and reads its answer.
func (h *Host) exchange(ctx context.Context, l *loaded, message []byte) ([]byte, error) {
	guest, err := h.runtime.InstantiateModule(ctx, l.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, err
	}
	defer func() { _ = guest.Close(context.WithoutCancel(ctx)) }()

	if l.initialise {
		if _, err := guest.ExportedFunction(exportInitialize).Call(ctx); err != nil {
			return nil, err
		}
	}
	results, err := guest.ExportedFunction(exportAlloc).Call(ctx, uint64(len(message)))
	if err != nil {
		return nil, err
	}
	at := results[0]
	if !guest.Memory().Write(uint32(at), message) {
		return nil, &reason{MalformedAnswer, errors.New("onething_alloc returned an address outside the memory")}
	}
	results, err = guest.ExportedFunction(exportCall).Call(ctx, at, uint64(len(message)))
	if err != nil {
		return nil, err
	}
	at, size := results[0]>>32, uint32(results[0])
	if uint64(size) > uint64(l.limits.OutputKiB)<<10 {
		return nil, TooMuchOutput
	}
	view, ok := guest.Memory().Read(uint32(at), size)
	if !ok {
		return nil, &reason{MalformedAnswer, errors.New("onething_call returned an answer outside the memory")}
	}
	return slices.Clone(view), nil
}

// load returns the module of a plugin, compiled; it waits for the compilation or for ctx, whichever ends first.
func (h *Host) load(ctx context.Context, ref Ref) (*loaded, error) {
	h.mu.Lock()
	l, ok := h.modules[ref.Digest]
	if !ok {
		l = &loaded{done: make(chan struct{}), slots: make(chan struct{}, h.config.Concurrency)}
		h.modules[ref.Digest] = l
		h.under.Add(1)
		// A caller who gives up does not end the work: the next one will want it too.
		go h.compile(context.WithoutCancel(ctx), ref.Digest, l)
	}
	h.mu.Unlock()
	select {
	case <-l.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.err != nil {
		return nil, l.err
	}
	if got := l.manifest.GetId(); got != ref.ID {
		return nil, &reason{Unfit, fmt.Errorf("the module is plugin %s", got)}
	}
	return l, nil
}

// compile reads, checks and compiles a module, one at a time.
func (h *Host) compile(ctx context.Context, digest string, l *loaded) {
	defer h.under.Done()
	defer close(l.done)
	h.compiling <- struct{}{}
	defer func() { <-h.compiling }()
	// The compiler has panicked on modules before; one that does is unfit, and the host goes on.
	defer func() {
		if r := recover(); r != nil {
			l.err = &reason{Unfit, errors.New("the compiler cannot handle it")}
		}
		if l.err != nil {
			h.config.Logger.WarnContext(ctx, "plugin cannot be used", "digest", digest, "error", l.err)
		}
	}()

	wasm, err := h.config.Modules.Module(digest)
	if err != nil {
		// What is not there now may be there at the next call.
		h.mu.Lock()
		delete(h.modules, digest)
		h.mu.Unlock()
		if l.err = fmt.Errorf("read module: %w", err); errors.Is(err, fs.ErrNotExist) {
			l.err = NotFound
		}
		return
	}
	if l.module, err = inspect(wasm); err != nil {
		l.err = &reason{Unfit, err}
		return
	}
	l.limits = h.limits(l.manifest.GetLimits())
	if have, most := int(l.memoryPages), l.limits.MemoryMiB*pagesPerMiB; have > most {
		l.err = &reason{Unfit, fmt.Errorf("begins with %d pages of memory, its limit is %d", have, most)}
		return
	}
	if l.compiled, err = h.runtime.CompileModule(ctx, l.stripped); err != nil {
		l.err = &reason{Unfit, errors.New(firstLine(err))}
		return
	}
	l.stripped = nil
}

// limits returns what a manifest asks for, within the operator's maximum.
func (h *Host) limits(asked *pluginv1.Limits) Limits {
	of := func(asked uint32, byDefault, most int) int {
		if asked == 0 {
			return byDefault
		}
		return int(min(int64(asked), int64(most)))
	}
	d, m := h.config.Limits, h.config.Maximum
	return Limits{
		Time:      time.Duration(of(asked.GetHostMillis(), int(d.Time/time.Millisecond), int(m.Time/time.Millisecond))) * time.Millisecond,
		MemoryMiB: of(asked.GetMemoryMib(), d.MemoryMiB, m.MemoryMiB),
		OutputKiB: of(asked.GetOutputKib(), d.OutputKiB, m.OutputKiB),
		HostCalls: of(asked.GetHostCalls(), d.HostCalls, m.HostCalls),
		HostKiB:   d.HostKiB,
	}
}

// firstLine keeps wazero's message and drops the guest's stack, whose names are the guest's.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// shorten keeps the beginning of a text that a guest wrote.
func shorten(text string) string {
	if runes := []rune(text); len(runes) > maxFailure {
		return string(runes[:maxFailure]) + "…"
	}
	return text
}

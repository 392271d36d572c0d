// Package plugins runs departments' plugins: each call in a sandbox of its own that holds no byte of an earlier call,
// with bounds on time, memory, output and host calls. It is the only package that knows wazero.
//
// docs/plugin-interface.md says what a plugin's file looks like, what is bounded, and what is not.
package plugins

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/plugins/capability"
	"github.com/siyiban/onething/plugins/snapshot"
	"github.com/siyiban/onething/plugins/wasm"
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
	// Capabilities answer what plugins ask outside their calls; nil grants nothing.
	Capabilities *capability.Set
	// Logger is told what operators should know; nothing is logged if it is nil.
	Logger *slog.Logger
	// CompilationCacheDir keeps compiled modules between runs. Whoever can write to it can run code in the host, so it
	// belongs to the host alone. If it is empty every run compiles anew, about a second for each Go guest.
	CompilationCacheDir string
	// CompiledMiB is what compiled modules with their instances may hold, in MiB, 512 if zero: some thirty Go guests.
	// Those that were not called for the longest time are let go, and compiled again when they are called.
	CompiledMiB int
	// DepartmentCalls is the number of calls of one department that run at the same time, 8 if zero. Others wait.
	DepartmentCalls int
	// Processors is the number of guests that execute at the same time, GOMAXPROCS if zero. Departments take turns.
	Processors int
	// Reset is how guests' memories are set back; the fastest way of this machine if nil. Tests try every one.
	Reset *snapshot.Way
}

// Host runs plugins. It is safe for concurrent use.
type Host struct {
	config  Config
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	turns   *turns

	// compiling is held while a module is compiled, which can need a second and a hundred megabytes.
	compiling chan struct{}
	// under counts the calls and compilations that are under way.
	under sync.WaitGroup

	mu          sync.Mutex
	modules     map[string]*loaded       // by digest
	departments map[string]chan struct{} // calls in flight
	weight      int                      // of the compiled modules, in bytes
	calls       uint64
	closed      bool
}

// Trace is what a call did, also if it failed. Transcript, Lookups, Writes and Failure hold personal data.
type Trace struct {
	// Plugin, Version and Digest say which code ran. Version is empty if none did.
	Plugin, Version, Digest string
	// Hook that was called.
	Hook pluginv1.Hook
	// Duration is how long the call took, without waiting for its turn to begin.
	Duration time.Duration
	// Fuel that the guest took, in units, by the reckoning of the version of the rewriter.
	Fuel     int64
	Rewriter uint32
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
	// ReachedOutside says that a request of the call went to an outside host, Repeatable that the manifest lets the hook be
	// repeated nevertheless.
	ReachedOutside, Repeatable bool
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
	if err := errors.Join(config.Limits.check(), config.Maximum.check()); err != nil {
		return nil, err
	}
	if config.CompiledMiB < 0 || config.DepartmentCalls < 0 || config.Processors < 0 {
		return nil, errors.New("plugins: a number in Config is negative")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	config.CompiledMiB = cmp.Or(config.CompiledMiB, 512)
	config.DepartmentCalls = cmp.Or(config.DepartmentCalls, 8)
	config.Processors = cmp.Or(config.Processors, runtime.GOMAXPROCS(0))
	cache := wazero.NewCompilationCache()
	if config.CompilationCacheDir != "" {
		var err error
		if cache, err = wazero.NewCompilationCacheWithDir(config.CompilationCacheDir); err != nil {
			return nil, fmt.Errorf("plugins: open compilation cache: %w", err)
		}
	}
	h := &Host{
		config: config, cache: cache, compiling: make(chan struct{}, 1), modules: map[string]*loaded{}, departments: map[string]chan struct{}{},
		turns: newTurns(config.Processors),
		runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
			// Vectors are not needed by any guest, and wazero reads their instructions differently from others.
			WithCoreFeatures(api.CoreFeaturesV2.SetEnabled(api.CoreFeatureSIMD, false)).
			// Fuel bounds a guest; looking at a context at every loop makes it six times slower.
			WithCloseOnContextDone(false).
			WithDebugInfoEnabled(false).
			WithCompilationCache(cache)),
	}
	if err := provide(ctx, h.runtime); err != nil {
		return nil, errors.Join(fmt.Errorf("plugins: provide host functions: %w", err), h.Close(ctx))
	}
	return h, nil
}

// Close waits for the calls that are under way and for the module that is being compiled, and releases everything. Who is
// in a hurry ends the calls by their contexts first.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.under.Wait()
	for _, l := range h.modules {
		l.close(ctx)
	}
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
	defer h.release(l)
	return proto.CloneOf(l.manifest), nil
}

// Call runs one hook of a plugin in a sandbox that holds no byte of any earlier call, and returns its answer, which is
// checked: the member of the called hook is set and is what the interface says of it. Whether its values fit the step's
// result is the caller's to check.
//
// The error is a [*CallError] if the plugin is to blame, and then the same call may fail again; it wraps ctx's error
// if the caller gave up. The trace says what happened in every case.
func (h *Host) Call(ctx context.Context, ref Ref, request *pluginv1.Request) (*pluginv1.Response, Trace, error) {
	return h.answer(ctx, ref, request, nil)
}

// Replay runs a call again as it ran when its transcript was recorded: what it saw through its capabilities it sees
// again, and nothing outside is reached. Errors are as Call's. diverged says where the call did not ask for what the
// recorded one had asked for; empty: it asked for the same.
func (h *Host) Replay(ctx context.Context, ref Ref, request *pluginv1.Request, transcript []*pluginv1.HostCall) (response *pluginv1.Response, trace Trace, diverged string, err error) {
	session := capability.Replay(transcript)
	response, trace, err = h.answer(ctx, ref, request, session)
	return response, trace, session.Diverged(), err
}

// answer makes a call; the session of a replay, if there is one, answers its host calls.
func (h *Host) answer(ctx context.Context, ref Ref, request *pluginv1.Request, replay capability.Session) (*pluginv1.Response, Trace, error) {
	trace := Trace{Plugin: ref.ID, Digest: ref.Digest, Hook: request.GetHook(), Rewriter: wasm.Version}
	if err := h.enter(); err != nil {
		return nil, trace, err
	}
	defer h.under.Done()
	response, err := h.serve(ctx, ref, request, replay, &trace)
	if err != nil {
		return nil, trace, h.failed(ref, request.GetHook(), err)
	}
	return response, trace, nil
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

// ended reports whether the host was closed.
func (h *Host) ended() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
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

// serve finds the module and waits until the call may run.
func (h *Host) serve(ctx context.Context, ref Ref, request *pluginv1.Request, replay capability.Session, trace *Trace) (*pluginv1.Response, error) {
	l, err := h.load(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer h.release(l)
	trace.Version = l.manifest.GetVersion()
	if !slices.Contains(l.manifest.GetHooks(), request.GetHook()) {
		return nil, HookNotOffered
	}
	trace.Repeatable = slices.Contains(l.manifest.GetRepeatable(), request.GetHook())
	message, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return nil, &reason{BadRequest, errors.New("a text is not UTF-8")}
	}
	for _, slots := range []chan struct{}{l.slots, h.department(l.manifest.GetDepartment())} {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if replay != nil {
		return h.call(ctx, l, request, message, replay, trace)
	}
	if !l.breaker.admit(time.Now()) {
		return nil, Suspended
	}
	response, err := h.call(ctx, l, request, message, nil, trace)
	_, blamed := errors.AsType[Kind](err)
	l.breaker.ended(time.Now(), blamed, err != nil && !blamed)
	return response, err
}

// department returns the places of a department's calls.
func (h *Host) department(id string) chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	slots, ok := h.departments[id]
	if !ok {
		slots = make(chan struct{}, h.config.DepartmentCalls)
		h.departments[id] = slots
	}
	return slots
}

// call runs a call and reads its answer.
func (h *Host) call(ctx context.Context, l *loaded, request *pluginv1.Request, message []byte, replay capability.Session, trace *Trace) (*pluginv1.Response, error) {
	s := newSandbox(request, l.limits)
	s.turns, s.department = h.turns, l.manifest.GetDepartment()
	capabilities := h.config.Capabilities.Begin(l.manifest, h.granted(l.manifest.GetId()), request)
	if s.session = replay; replay == nil {
		s.session = capabilities
	}
	if err := h.turns.take(ctx, s.department); err != nil {
		return nil, err
	}
	defer h.turns.give()
	begun := time.Now()
	i, err := h.acquire(ctx, l)
	if err != nil {
		return nil, err
	}
	answer, err := i.exchange(ctx, s, message)
	trace.HostCalls, trace.MemoryBytes, trace.OutputBytes, trace.Fuel = s.hostCalls, int(i.memory.size), len(answer), s.used()
	trace.Transcript, trace.Lookups, trace.ReachedOutside = capabilities.Transcript(), capabilities.Lookups(), capabilities.ReachedOutside()
	l.put(ctx, i, err == nil)
	trace.Duration = time.Since(begun)
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

// fastest returns how large memories are set back.
func (h *Host) fastest() snapshot.Way {
	if h.config.Reset != nil {
		return *h.config.Reset
	}
	return snapshot.Fastest()
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

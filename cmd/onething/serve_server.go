package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/access/devissuer"
	"github.com/siyiban/onething/engine/api"
	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/follow/steps"
	"github.com/siyiban/onething/engine/observe"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/engine/view"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/examples/registers"
)

// developmentAudience is the name that the development issuer's tokens carry.
const developmentAudience = "onething"

// serverConfig is what a server stands on.
type serverConfig struct {
	data        store.Folder
	keyFile     string // empty: of development, in the data folder
	development bool
	clock       *follow.Clock
	place       string
	office      string           // its name, as documents have it
	bundles     *catalog.Catalog // what an empty store begins with
	grants      map[string][]string
	pluginKeys  []registry.TrustPluginKey
	// secondPerson says which versions of bundles need one.
	secondPerson registry.Policy

	plugins        string
	withoutPlugins bool

	issuerListener   net.Listener // of development
	issuer, audience string       // of production
	claims           access.Claims

	notices *noticesConfig // nil: nobody is told

	origins []string
	logger  *slog.Logger

	certificates *certificates // nil: plain HTTP
	tracer       trace.Tracer  // nil: no traces
	// free measures the disk; nil asks the system.
	free func(folder string) (uint64, error)
}

// server is everything that runs in one process, opened in the order in which one part needs another.
type server struct {
	cfg       serverConfig
	engine    *engine.Engine
	views     *view.Views
	keys      *seal.Store
	followers map[string]*follow.Follower
	notices   *notices.Desk // nil: nobody is told
	observer  *observe.Observer
	plugins   *observe.Plugins // how their calls have gone
	watched   *watched
	handler   http.Handler
	issuer    *devissuer.Issuer // nil in production
	issuerURL string

	listeners  []*listener
	background sync.WaitGroup
	failed     chan error             // the first part that ended by itself
	running    func() context.Context // ends with stop: that of the parts in the background
	stop       context.CancelFunc
	closers    []func(context.Context) error // the last one is closed first
}

// listener is an HTTP server with what ends its requests.
type listener struct {
	*http.Server
	end context.CancelFunc
}

// openServer opens the stores, puts into force what an empty store begins with, and starts what runs in the background.
// ctx is for opening only; the error is [errEnded] if that is why it was not opened.
func openServer(ctx context.Context, cfg serverConfig) (*server, error) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &server{cfg: cfg, followers: map[string]*follow.Follower{}, observer: observe.New(observe.Config{Now: time.Now, Tracer: cfg.tracer}), plugins: observe.NewPlugins(cfg.clock.Now), failed: make(chan error, 1), running: func() context.Context { return running }, stop: stop}
	if err := s.open(ctx); err != nil {
		closed := s.close()
		if closed == nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			err = errEnded
		}
		return nil, errors.Join(err, closed)
	}
	return s, nil
}

// errEnded is returned by openServer when it was ended before the server was open.
var errEnded = errors.New("ended while it was opened")

// open opens the parts one by one.
func (s *server) open(ctx context.Context) error {
	cfg := s.cfg
	modules, err := openPlugins(cfg)
	if err != nil {
		return err
	}

	if cfg.keyFile != "" { // before anything is made: a key that is not there is the operator's to find
		if _, err := seal.ReadKeyset(cfg.keyFile); err != nil {
			return err
		}
	}
	if err := cfg.data.Readable(); err != nil {
		return err
	}
	if err := os.MkdirAll(string(cfg.data), 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	// The log comes first: its lock keeps two servers out of one folder, before the second one has touched anything.
	stored, err := badgerlog.Open(badgerlog.Config{Dir: cfg.data.Log(), Logger: cfg.logger, Free: cfg.free})
	if err != nil {
		if strings.Contains(err.Error(), "Another process") {
			return fmt.Errorf("another server has %s: end it, or name another folder with --data (%w)", cfg.data, err)
		}
		return err
	}
	s.closing(stored.Close)
	if err := cfg.data.Upgrade(); err != nil {
		return err
	}
	log := s.observer.Log(stored)
	keys, err := s.openKeys()
	if err != nil {
		return err
	}
	s.keys = keys
	blobs, err := blob.Open(cfg.data.Blobs())
	if err != nil {
		return err
	}
	s.closing(blobs.Close)
	drafts, err := draft.Open(ctx, draft.Config{Dir: cfg.data.Drafts(), Keys: keys, Submitted: store.Submitted(log), Now: cfg.clock.Now, Logger: cfg.logger})
	if err != nil {
		return err
	}
	s.closing(drafts.Close)
	bundleDrafts, err := bundledraft.Open(bundledraft.Config{Dir: cfg.data.BundleDrafts(), Now: cfg.clock.Now, Logger: cfg.logger})
	if err != nil {
		return err
	}
	s.closing(bundleDrafts.Close)

	calls := &caller{server: s, shadows: make(chan shadowCall, shadowQueue)}
	engineConfig := engine.Config{
		Log: log, Keys: keys, Blobs: blobs, Drafts: drafts, BundleDrafts: bundleDrafts, Now: cfg.clock.Now, Place: cfg.place, Office: cfg.office, Logger: cfg.logger,
		Hooks: modules.hooks, Offered: modules.offered(), Development: cfg.development, Compiled: cfg.bundles.Compiled(), Prefiller: steps.Prefiller{Caller: calls}, SecondPerson: cfg.secondPerson,
	}
	if !cfg.withoutPlugins {
		engineConfig.Plugins = modules
	}
	var shared *registers.Registers
	if cfg.development {
		if shared, err = registers.Demonstration(); err != nil {
			return err
		}
		engineConfig.Facts = shared
	}
	if s.engine, err = engine.Open(ctx, engineConfig); err != nil {
		return err
	}
	modules.engine = s.engine
	seed := engine.Seed{Catalog: cfg.bundles, CalendarName: holidays.File, Calendar: holidays.Source()}
	if err := modules.seed(&seed); err != nil {
		return err
	}
	if err := s.engine.Seed(ctx, seed); err != nil {
		return fmt.Errorf("begin the store: %w", err)
	}
	if err := modules.take(ctx); err != nil {
		return err
	}
	if calls.host, err = s.openHost(ctx, modules, keys, shared); err != nil {
		return err
	}
	modules.host = calls.host
	s.start(func() error { return calls.runShadows(s.running()) })
	if s.views, err = view.Open(view.Config{Dir: cfg.data.Views(), Log: log, Keys: keys, Logger: cfg.logger}); err != nil {
		return err
	}
	s.closing(s.views.Close)
	if err := s.follow(ctx, stored, calls); err != nil {
		return err
	}
	parts := store.Parts{Log: stored, Keys: keys, Blobs: blobs, Drafts: drafts, BundleDrafts: bundleDrafts, Views: s.views}
	if s.notices != nil {
		parts.Notices = s.notices.List
	}
	if err := s.listenOperator(parts); err != nil {
		return err
	}
	s.start(func() error {
		return s.every(s.running(), sweepEvery, func(ctx context.Context) { s.sweep(ctx, drafts) })
	})
	s.start(func() error {
		return s.every(s.running(), engine.SessionAge/2, func(context.Context) { s.engine.ForgetSessions() })
	})

	tokens, err := s.openTokens()
	if err != nil {
		return err
	}
	s.watch(stored, drafts)
	s.handler = api.New(api.Config{Engine: s.engine, Views: s.views, Tokens: tokens, Logger: cfg.logger, Clock: time.Now, Origins: cfg.origins, Notices: s.notices, Plugins: s.plugins, Followers: s.followers,
		Ready: func(context.Context) error { return stored.Err() }, Parts: s.watched.parts(), Observe: s.observer.Call})
	return nil
}

// closing remembers what has to be closed.
func (s *server) closing(end func() error) {
	s.closers = append(s.closers, func(context.Context) error { return end() })
}

// openKeys opens the store of keys. In development its key-encryption key is made with the store.
func (s *server) openKeys() (*seal.Store, error) {
	name := s.cfg.keyFile
	if name == "" {
		name = s.cfg.data.DevelopmentKey()
	}
	wrap, err := seal.ReadKeyset(name)
	if errors.Is(err, fs.ErrNotExist) && s.cfg.development {
		if err := seal.GenerateKeyset(name); err != nil {
			return nil, err
		}
		wrap, err = seal.ReadKeyset(name)
	}
	if err != nil {
		return nil, err
	}
	keys, err := seal.Open(seal.Config{Dir: s.cfg.data.Keys(), KeyEncryption: wrap})
	if err != nil {
		return nil, err
	}
	s.closing(keys.Close)
	return keys, nil
}

// openTokens returns who believes whose tokens: the issuer's of the installation, or in development an issuer of our
// own on a port of its own.
func (s *server) openTokens() (*access.Verifier, error) {
	cfg := access.Config{Issuer: s.cfg.issuer, Audience: s.cfg.audience, Claims: s.cfg.claims, Now: s.cfg.clock.Now, Digest: s.engine.PersonDigest}
	if !s.cfg.development {
		return access.New(cfg)
	}
	s.issuerURL = "http://" + s.cfg.issuerListener.Addr().String() + "/issuer"
	var departments []devissuer.Department
	for _, id := range slices.Sorted(maps.Keys(s.cfg.bundles.Library.Departments)) {
		departments = append(departments, devissuer.Department{ID: id, Name: s.cfg.bundles.Library.Departments[id].Name.ZH})
	}
	var err error
	s.issuer, err = devissuer.New(devissuer.Config{Development: true, URL: s.issuerURL, Audience: developmentAudience, Departments: departments,
		RedirectPaths: []string{"/callback"}, Now: s.cfg.clock.Now})
	if err != nil {
		return nil, err
	}
	s.listen(s.issuer, s.cfg.issuerListener)
	cfg.Issuer, cfg.Audience, cfg.Claims = s.issuerURL, developmentAudience, s.issuer.Claims()
	return access.New(cfg)
}

// listenAPI serves the API, over TLS where there is a certificate.
func (s *server) listenAPI(at net.Listener) {
	if s.cfg.certificates == nil {
		s.listen(s.handler, at)
		return
	}
	s.cfg.certificates.loaded = s.observer.CertificateLoaded
	l := s.listener(s.handler)
	l.TLSConfig = s.cfg.certificates.config()
	s.start(func() error { return l.ServeTLS(at, "", "") })
}

// listen serves a handler in the background.
func (s *server) listen(handler http.Handler, at net.Listener) {
	l := s.listener(handler)
	s.start(func() error { return l.Serve(at) })
}

// listener is a new one, which is closed with the server.
func (s *server) listener(handler http.Handler) *listener {
	requests, end := context.WithCancel(s.running())
	l := &listener{Server: httpServer(handler, s.cfg.logger), end: end}
	l.BaseContext = func(net.Listener) context.Context { return requests }
	s.listeners = append(s.listeners, l)
	return l
}

// start runs a part in the background. If it ends by itself, the server ends.
func (s *server) start(part func() error) {
	s.background.Go(func() {
		err := part()
		if errors.Is(err, context.Canceled) || errors.Is(err, http.ErrServerClosed) {
			return
		}
		select {
		case s.failed <- err:
		default: // another one was first
		}
	})
}

// wait returns when ctx ends, or with the error of the first part that ended by itself.
func (s *server) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

// close ends everything in the opposite order: no new calls, calls that are under way to their end, what runs in the
// background, and last the stores.
func (s *server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	var faults []error
	for _, l := range slices.Backward(s.listeners) {
		faults = append(faults, l.shutdown(ctx))
	}
	s.stop()
	s.background.Wait()
	for _, close := range slices.Backward(s.closers) {
		faults = append(faults, close(ctx))
	}
	return errors.Join(faults...)
}

// shutdown lets calls come to their end. Those that have none, as somebody watches an application, are ended after a
// while.
func (l *listener) shutdown(ctx context.Context) error {
	defer l.end()
	patient, cancel := context.WithTimeout(ctx, streamGrace)
	defer cancel()
	if err := l.Shutdown(patient); err == nil {
		return nil
	}
	l.end()
	if err := l.Shutdown(ctx); err != nil {
		return errors.Join(err, l.Close())
	}
	return nil
}

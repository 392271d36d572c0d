package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/observe"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/store"
	"github.com/siyiban/onething/examples"
	"github.com/siyiban/onething/forms/kind"
)

// Bounds of the HTTP server. There is none for a whole answer: a watched application is answered for as long as somebody
// looks. Calls that are answered once are bounded by the API.
const (
	headerTimeout   = 10 * time.Second
	bodyPause       = 30 * time.Second // between two parts of a request's body
	bodyTimeout     = 30 * time.Minute // for a whole body: the largest file at 30 KB/s
	idleTimeout     = 2 * time.Minute
	maxHeaderBytes  = 64 << 10
	shutdownTimeout = 15 * time.Second
	streamGrace     = 2 * time.Second
)

// serveFlags are the flags of `serve`, as they were given.
type serveFlags struct {
	listen, devIssuer        string
	metrics, traces          string
	tlsCertificate, tlsKey   string
	data, keyFile            string
	dev                      bool
	issuer, audience, claims string
	bundles                  string
	plugins, grants, notices string
	signers                  string
	withoutPlugins           bool
	place, office, today     string
	origins                  []string
	secondPerson             []string
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API: guide, catalogue, intake, review, tasks",
		Long: "serve answers Connect, gRPC and gRPC-Web on one port, and keeps everything in one folder. An empty folder begins with the\n" +
			"bundles, libraries, calendar and plugins that are at hand; from then on the folder rules. With --dev it signs in whoever\n" +
			"picks a name; else it needs an OIDC issuer. Each flag has an environment variable, --listen is ONETHING_LISTEN, and a\n" +
			"key of the YAML file that --config names, --dev-issuer is dev_issuer; a flag goes before the environment, that before\n" +
			"the file.\n\n" +
			"When it is ready it prints the addresses; its log goes to stderr and holds ids only.",
		Example: `  onething serve --dev --today 2026-03-16
  onething serve --listen 0.0.0.0:8080 --data var/lib/onething --key-encryption-key etc/onething/kek.json \
    --issuer https://id.example.org/realms/county --audience onething --claims etc/onething/claims.yaml \
    --plugins build/plugins --signers etc/onething/signers.yaml --grants etc/onething/grants.yaml`,
		Args:    arguments(),
		PreRunE: func(cmd *cobra.Command, _ []string) error { return configure(cmd.Flags()) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.String(configFlag, "", "YAML file with a key for each flag; docs/operators.md lists them")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address of the API")
	flags.StringVar(&f.tlsCertificate, "tls-certificate", "", "file with the certificate of the API and its chain, in PEM; read again when it changes; default plain HTTP")
	flags.StringVar(&f.tlsKey, "tls-key", "", "file with the key of the certificate, in PEM")
	flags.StringVar(&f.metrics, "metrics", "", "address of /metrics and /readyz, such as 127.0.0.1:9464; whoever reaches it may read it; default none")
	flags.StringVar(&f.traces, "traces", "", "address of an OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; default none")
	flags.StringVar(&f.data, "data", "var/onething", "folder of everything that is kept")
	flags.StringVar(&f.keyFile, "key-encryption-key", "", "file with the key that wraps all keys, a Tink keyset; with --dev it is made in the data folder if there is none")
	flags.BoolVar(&f.dev, "dev", false, "development: an issuer of its own signs in whoever picks a name, and made-up registers answer for the departments")
	flags.StringVar(&f.devIssuer, "dev-issuer", "127.0.0.1:8081", "address of the development issuer, on this machine")
	flags.StringVar(&f.issuer, "issuer", "", "address of the OIDC issuer")
	flags.StringVar(&f.audience, "audience", "", "name that tokens for this API carry")
	flags.StringVar(&f.claims, "claims", "", "file that says which claims mean which role, department and person")
	flags.StringVar(&f.bundles, "bundles", "", "folder with library/ and bundles/ that an empty store begins with; default the examples in the binary")
	flags.StringVar(&f.plugins, "plugins", "build/plugins", "folder of the departments' plugins")
	flags.StringVar(&f.grants, "grants", "", "file that says which plugin may use which capability, that an empty store begins with; with --dev each gets what it asks for")
	flags.StringVar(&f.signers, "signers", "", "file that says whose keys may sign plugins of which department, that an empty store begins with; with --dev unsigned plugins run too")
	flags.StringVar(&f.notices, "notices", "", "file that says how applicants, clerks and officers are told, by mail or webhook; default nobody is")
	flags.BoolVar(&f.withoutPlugins, "without-plugins", false, "run no plugin: their steps wait in the officers' queues")
	flags.StringVar(&f.place, "place", "321323", "region of the office, six digits of GB/T 2260")
	flags.StringVar(&f.office, "office", "政务服务中心", "name of the office, as documents have it over their title and at their foot")
	flags.StringVar(&f.today, "today", "", "development: the clock begins on this day, at nine, and runs on")
	flags.StringSliceVar(&f.secondPerson, "second-person", nil, "versions of which bundles a second configurator approves: all, provincial, municipal, county, or a region's digits; may be repeated")
	flags.StringSliceVar(&f.origins, "origin", nil, "web origin that may call (CORS), may be repeated")
	return cmd
}

// check refuses flags that do not go together, all at once.
func (f serveFlags) check() error {
	var faults []error
	refuse := func(when bool, text string) {
		if when {
			faults = append(faults, errors.New(text))
		}
	}
	production := f.issuer != "" || f.audience != "" || f.claims != ""
	refuse(f.dev && production, "--dev signs in whoever picks a name: it goes with none of --issuer, --audience, --claims")
	refuse(f.dev && !loopback(f.listen), "--dev serves this machine only: --listen must be on 127.0.0.1 or localhost")
	refuse(f.dev && !loopback(f.devIssuer), "--dev-issuer must be on 127.0.0.1 or localhost")
	refuse(!f.dev && (f.issuer == "" || f.audience == "" || f.claims == ""), "--issuer, --audience and --claims are needed, or --dev for development")
	refuse(!f.dev && f.keyFile == "", "--key-encryption-key is needed, or --dev for development")
	refuse((f.tlsCertificate == "") != (f.tlsKey == ""), "--tls-certificate and --tls-key go together")
	refuse(!f.dev && f.today != "", "--today moves the clock: it goes with --dev only")
	if _, ok := kind.ParseDate(f.today); f.today != "" && !ok {
		refuse(true, "--today is no day of the calendar as YYYY-MM-DD")
	}
	return errors.Join(faults...)
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && access.Loopback(host)
}

// officeZone is the time zone of every office: the country has one, without summer time.
func officeZone() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

// officeClock is the machine's, or one that begins on a day, at nine, and runs on.
func officeClock(today string) *follow.Clock {
	if day, ok := kind.ParseDate(today); ok {
		return follow.NewClock(time.Date(day.Year, day.Month, day.Day, 9, 0, 0, 0, officeZone()))
	}
	return follow.NewClock(time.Now().In(officeZone()))
}

// serve runs the server until ctx ends.
func serve(ctx context.Context, f serveFlags, out, progress io.Writer) error {
	if err := f.check(); err != nil {
		return err
	}
	logger := slog.New(observe.Traced(slog.NewTextHandler(progress, nil)))
	cfg := serverConfig{
		data: store.Folder(f.data), keyFile: f.keyFile, development: f.dev, clock: officeClock(f.today), place: f.place, office: f.office,
		plugins: f.plugins, withoutPlugins: f.withoutPlugins, origins: f.origins, logger: logger,
	}
	var err error
	if cfg.secondPerson, err = registry.ParsePolicy(f.secondPerson); err != nil {
		return fmt.Errorf("--second-person: %w", err)
	}
	if f.grants != "" {
		if cfg.grants, err = readGrants(f.grants); err != nil {
			return err
		}
	}
	if f.signers != "" {
		if cfg.pluginKeys, err = readSigners(f.signers); err != nil {
			return err
		}
	}
	if f.notices != "" {
		if cfg.notices, err = readNotices(f.notices); err != nil {
			return err
		}
	}
	if f.tlsCertificate != "" {
		if cfg.certificates, err = openCertificates(f.tlsCertificate, f.tlsKey, logger); err != nil {
			return err
		}
	}
	if f.traces != "" {
		var end func(context.Context) error
		if cfg.tracer, end, err = openTracer(ctx, f.traces, logger); err != nil {
			return err
		}
		defer func() { // when all that it tells of has ended
			sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
			defer cancel()
			if err := end(sending); err != nil {
				logger.Warn("traces are not sent", "error", err)
			}
		}()
	}
	// The ports come first: whoever has started it twice learns it before the second one waits for the first one's files.
	api, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	defer api.Close() //nolint:errcheck // the server closes it first
	var metrics net.Listener
	if f.metrics != "" {
		if metrics, err = net.Listen("tcp", f.metrics); err != nil {
			return fmt.Errorf("listen for metrics: %w", err)
		}
		defer metrics.Close() //nolint:errcheck // likewise
	}
	if f.dev {
		if cfg.issuerListener, err = net.Listen("tcp", f.devIssuer); err != nil {
			return fmt.Errorf("listen for the development issuer: %w", err)
		}
		defer cfg.issuerListener.Close() //nolint:errcheck // likewise
	} else {
		cfg.issuer, cfg.audience = f.issuer, f.audience
		if cfg.claims, err = readClaims(f.claims); err != nil {
			return err
		}
	}
	if cfg.bundles, err = readBundles(f.bundles); err != nil {
		return err
	}
	s, err := openServer(ctx, cfg)
	if errors.Is(err, errEnded) {
		return nil // as it would be a moment later
	}
	if err != nil {
		return err
	}
	scheme := "http"
	if cfg.certificates != nil {
		scheme = "https"
	}
	s.listenAPI(api)
	fmt.Fprintf(out, "API     %s://%s\n", scheme, api.Addr())
	if metrics != nil {
		s.listenMetrics(metrics)
		fmt.Fprintf(out, "metrics http://%s/metrics\n", metrics.Addr())
	}
	if s.issuer != nil {
		fmt.Fprintf(out, "issuer  %s\n", s.issuerURL)
	}
	fmt.Fprintf(out, "today   %s\n", kind.DateOf(cfg.clock.Now()))
	told := tellSystemd("READY=1")
	return errors.Join(told, s.wait(ctx), tellSystemd("STOPPING=1"), s.close())
}

// readBundles reads the tree in a folder; no folder: that in the binary.
func readBundles(folder string) (*catalog.Catalog, error) {
	tree := fs.FS(examples.Tree())
	if folder != "" {
		tree = os.DirFS(folder)
	}
	bundles, found := catalog.Load(tree)
	locate(found, folder)
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("read bundles: %w", err)
	}
	return bundles, nil
}

// httpServer is a server with every bound set.
func httpServer(handler http.Handler, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true) // under TLS
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: patient(handler, bodyPause, bodyTimeout), Protocols: protocols, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

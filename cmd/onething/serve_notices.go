package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/access"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/fold"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/follow/notices/send"
	"github.com/siyiban/onething/forms/kind"
)

// The ways by which notices go.
const (
	byMail    = "mail"
	byWebhook = "webhook"
)

// noticesConfig says who is told, how, and in which words.
type noticesConfig struct {
	templates *notices.Templates
	senders   map[string]notices.Sender
	routes    notices.Routes
}

// noticesFile is the file of `--notices`. docs/operators.md describes it.
type noticesFile struct {
	Templates string `yaml:"templates"`
	Mail      *struct {
		Host         string `yaml:"host"`
		Port         int    `yaml:"port"`
		Security     string `yaml:"security"`
		User         string `yaml:"user"`
		PasswordFile string `yaml:"password_file"`
		PasswordEnv  string `yaml:"password_env"`
		From         string `yaml:"from"`
		Authorities  string `yaml:"authorities"`
	} `yaml:"mail"`
	Webhook *struct {
		URL              string `yaml:"url"`
		SecretFile       string `yaml:"secret_file"`
		SecretEnv        string `yaml:"secret_env"`
		WithoutAddresses bool   `yaml:"without_addresses"`
		Authorities      string `yaml:"authorities"`
	} `yaml:"webhook"`
	Applicants  noticeRoute            `yaml:"applicants"`
	Clerks      noticeRoute            `yaml:"clerks"`
	Officers    noticeRoute            `yaml:"officers"`
	Departments map[string]noticeRoute `yaml:"departments"`
}

type noticeRoute struct {
	By []string `yaml:"by"`
	To []string `yaml:"to"`
}

// readNotices reads the configuration of notices. Files that it names lie beside it. What is wrong with the templates is a
// [diag.List].
func readNotices(name string) (*noticesConfig, error) {
	var file noticesFile
	if err := readYAML(name, &file); err != nil {
		return nil, err
	}
	beside := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(filepath.Dir(name), path)
	}
	c := &noticesConfig{senders: map[string]notices.Sender{}}
	var faults []error
	refuse := func(err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	if m := file.Mail; m != nil {
		refuse(c.mail(m.Security, send.SMTPConfig{Host: m.Host, Port: m.Port, User: m.User, From: m.From}, beside(m.PasswordFile), m.PasswordEnv, beside(m.Authorities)))
	}
	if w := file.Webhook; w != nil {
		refuse(c.webhook(send.WebhookConfig{URL: w.URL, WithoutAddresses: w.WithoutAddresses}, beside(w.SecretFile), w.SecretEnv, beside(w.Authorities)))
	}
	c.routes = notices.Routes{Applicants: notices.Route(file.Applicants), Clerks: notices.Route(file.Clerks), Officers: notices.Route(file.Officers), Departments: map[string]notices.Route{}}
	routes := map[string]noticeRoute{"applicants": file.Applicants, "clerks": file.Clerks, "officers": file.Officers}
	for id, route := range file.Departments {
		c.routes.Departments[id] = notices.Route(route)
		routes["departments."+id] = route
	}
	told := false
	for _, who := range slices.Sorted(maps.Keys(routes)) {
		told = told || len(routes[who].By) > 0
		refuse(routes[who].check(who, file.Mail != nil, file.Webhook != nil))
	}
	if !told {
		refuse(errors.New("nobody is told: say by which way under applicants, clerks, officers or departments"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	var own []byte
	if file.Templates != "" {
		var err error
		if own, err = os.ReadFile(beside(file.Templates)); err != nil {
			return nil, err
		}
	}
	templates, found := notices.LoadTemplates(beside(file.Templates), own)
	if err := found.Err(); err != nil {
		return nil, err
	}
	c.templates = templates
	return c, nil
}

// check refuses a route that leads nowhere.
func (r noticeRoute) check(who string, mail, webhook bool) error {
	for _, by := range r.By {
		switch {
		case by != byMail && by != byWebhook:
			return fmt.Errorf("%s: %q is no way: %s or %s", who, by, byMail, byWebhook)
		case by == byMail && !mail, by == byWebhook && !webhook:
			return fmt.Errorf("%s: by %s, but there is no `%s` that says how", who, by, by)
		case by == byMail && who != "applicants" && len(r.To) == 0:
			return fmt.Errorf("%s: by mail, but `to` names no address", who)
		}
	}
	if who == "applicants" && len(r.To) > 0 {
		return errors.New("applicants: their addresses stand in the form, not under `to`")
	}
	return nil
}

// mail makes the sender by mail. Unencrypted mail stays on this machine.
func (c *noticesConfig) mail(security string, m send.SMTPConfig, passwordFile, passwordEnv, authorities string) (err error) {
	if m.Security = security; security == "" {
		m.Security = send.StartTLS
	}
	if m.Port == 0 {
		m.Port = map[string]int{send.StartTLS: 587, send.TLS: 465, send.Plain: 25}[m.Security]
	}
	if m.Security == send.Plain && !access.Loopback(m.Host) {
		return fmt.Errorf("mail: security: %s is for a server on this machine only", send.Plain)
	}
	if m.User != "" {
		if m.Password, err = secretOf(passwordFile, passwordEnv); err != nil {
			return fmt.Errorf("mail: password: %w", err)
		}
	}
	if m.Roots, err = authoritiesOf(authorities); err != nil {
		return fmt.Errorf("mail: authorities: %w", err)
	}
	sender, err := send.NewSMTP(m)
	if err != nil {
		return err
	}
	c.senders[byMail] = sender
	return nil
}

// webhook makes the sender to a webhook. One without encryption is on this machine.
func (c *noticesConfig) webhook(w send.WebhookConfig, secretFile, secretEnv, authorities string) (err error) {
	if at, err := url.Parse(w.URL); err == nil && at.Scheme == "http" && !access.Loopback(at.Hostname()) {
		return errors.New("webhook: url: http is for a receiver on this machine only, https for any other")
	}
	if w.Secret, err = secretOf(secretFile, secretEnv); err != nil {
		return fmt.Errorf("webhook: secret: %w", err)
	}
	if w.Roots, err = authoritiesOf(authorities); err != nil {
		return fmt.Errorf("webhook: authorities: %w", err)
	}
	sender, err := send.NewWebhook(w)
	if err != nil {
		return err
	}
	c.senders[byWebhook] = sender
	return nil
}

// secretOf reads a secret from a file or an environment variable, of which one is named.
func secretOf(file, variable string) (string, error) {
	switch {
	case (file == "") == (variable == ""):
		return "", errors.New("name either a file or an environment variable that holds it")
	case file != "":
		content, err := os.ReadFile(file) //nolint:gosec // the operator names it
		return strings.TrimSpace(string(content)), err
	}
	value, ok := os.LookupEnv(variable)
	if !ok {
		return "", fmt.Errorf("there is no environment variable %s", variable)
	}
	return value, nil
}

// authoritiesOf reads certificates of authorities, in PEM; no file: those of the system.
func authoritiesOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	content, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return roots, nil
}

// openNotices opens the list of notices and returns the handler that sends them.
func (s *server) openNotices(log commitlog.Log) (*notices.Handler, error) {
	for id := range s.cfg.notices.routes.Departments {
		if !s.knownDepartment(id) {
			return nil, fmt.Errorf("--notices: departments: no matter in force has a step of %q", id)
		}
	}
	list, err := notices.OpenList(notices.ListConfig{Dir: s.cfg.data.Notices(), Now: s.cfg.clock.Now, Logger: s.cfg.logger})
	if err != nil {
		return nil, err
	}
	s.closing(list.Close)
	s.start(func() error {
		return s.every(s.running(), sweepEvery, func(ctx context.Context) {
			if _, err := list.Sweep(ctx, s.cfg.clock.Now()); err != nil && ctx.Err() == nil {
				s.cfg.logger.Error("old notices not removed", "error", err)
			}
		})
	})
	return notices.New(notices.Config{Engine: applications{s.engine}, States: fold.New(log), List: list, Templates: s.cfg.notices.templates,
		Senders: s.cfg.notices.senders, Routes: s.cfg.notices.routes, Now: s.cfg.clock.Now, Logger: s.cfg.logger})
}

// knownDepartment says whether the library or a matter in force has a department.
func (s *server) knownDepartment(id string) bool {
	if s.cfg.bundles.Library.Departments[id] != nil {
		return true
	}
	for _, b := range s.engine.InForce().All(kind.DateOf(s.cfg.clock.Now()), s.cfg.place) {
		for _, step := range b.Steps {
			if step.Department.ID == id {
				return true
			}
		}
	}
	return false
}

// applications are what notices tell of.
type applications struct{ engine *engine.Engine }

// Open implements [notices.Engine].
func (a applications) Open(ctx context.Context, id string, version uint64) (*notices.Application, error) {
	d, err := a.engine.Load(ctx, id)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case d.Forgotten || version == 0 || version > uint64(len(d.Events)):
		return nil, nil
	}
	state := application.State{ID: id}
	for _, event := range d.Events[:version] {
		state = application.Evolve(state, event)
	}
	return &notices.Application{State: state, Event: d.Events[version-1], Selection: d.Selection, Record: d.Record}, nil
}

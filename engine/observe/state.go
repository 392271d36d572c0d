package observe

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/siyiban/onething/engine/commitlog"
)

// State is how a server stands at one moment.
type State struct {
	// Head is the position of the last commit.
	Head uint64
	// Readers are what follows the log, by name: `views`, `follow/steps`.
	Readers map[string]Reader
	// Work is that of the followers among them.
	Work map[string]Work
	// Notices are those on the list, by what has become of them: pending, sent, failed; empty where none are sent.
	Notices map[string]int
	// Drafts are those that are kept, expired ones that are not swept yet included.
	Drafts int
	// Open are the applications with a case that is not over.
	Open int
	// Tasks are the open ones, by department.
	Tasks map[string]int
	// Warned are the cases and tasks with a warning that stands, by colour.
	Warned map[string]int
	// Free and Reserve are how many bytes the disk of the data folder has free, and below how many the log refuses writes.
	Free, Reserve uint64
	// CalendarUntil is the last day of the last year, counted from this one without a gap, whose calendar is published; zero
	// if this year's is not.
	CalendarUntil time.Time
	// CertificateUntil is when the TLS certificate ends; zero without one.
	CertificateUntil time.Time
	// Causes are the checks, by name, each with nil or why it fails.
	Causes map[string]error
}

// Reader is how far somebody has read the log.
type Reader struct {
	Position uint64
	// Lag is how old the oldest commit is that it has not read; 0 if it has read all.
	Lag time.Duration
}

// Work is what a follower has to do.
type Work struct {
	// Due is how much is due and not done, Parked are the streams that wait for an operator.
	Due, Parked int
}

// Watch shows a state among the metrics; it is asked for at each scrape, and its error makes the scrape one.
func (o *Observer) Watch(state func(context.Context) (State, error)) {
	o.registry.MustRegister(&collector{state: state, descriptions: describe()})
}

// description is a gauge that is read from the state.
type description struct {
	*prometheus.Desc
	read func(s State, set func(value float64, labels ...string))
}

// collector implements [prometheus.Collector].
type collector struct {
	state        func(context.Context) (State, error)
	descriptions []description
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.descriptions {
		to <- d.Desc
	}
}

// scrapeTimeout bounds how long the stores are asked; Prometheus gives up after ten seconds.
const scrapeTimeout = 8 * time.Second

// Collect implements [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	s, err := c.state(ctx)
	for _, d := range c.descriptions {
		if err != nil {
			to <- prometheus.NewInvalidMetric(d.Desc, err)
			continue
		}
		d.read(s, func(value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(d.Desc, prometheus.GaugeValue, value, labels...)
		})
	}
}

// describe lists the gauges.
func describe() []description {
	type setter = func(value float64, labels ...string)
	gauge := func(name, help string, read func(State, setter), labels ...string) description {
		return description{Desc: prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil), read: read}
	}
	readers := func(value func(State, Reader) float64) func(State, setter) {
		return func(s State, set setter) {
			for name, r := range s.Readers {
				set(value(s, r), name)
			}
		}
	}
	work := func(value func(Work) int) func(State, setter) {
		return func(s State, set setter) {
			for name, w := range s.Work {
				set(float64(value(w)), name)
			}
		}
	}
	counts := func(of func(State) map[string]int) func(State, setter) {
		return func(s State, set setter) {
			for label, n := range of(s) {
				set(float64(n), label)
			}
		}
	}
	moment := func(of func(State) time.Time) func(State, setter) {
		return func(s State, set setter) {
			if t := of(s); !t.IsZero() {
				set(float64(t.Unix()))
			}
		}
	}
	return []description{
		gauge("log_position", "Position of the last commit.", func(s State, set setter) { set(float64(s.Head)) }),
		gauge("reader_position", "Position up to which views and followers have read the log.",
			readers(func(_ State, r Reader) float64 { return float64(r.Position) }), "reader"),
		gauge("reader_lag_commits", "Commits that a reader of the log has not read yet.",
			readers(func(s State, r Reader) float64 { return float64(s.Head - min(s.Head, r.Position)) }), "reader"),
		gauge("reader_lag_seconds", "Age of the oldest commit that a reader of the log has not read yet; 0 if it has read all.",
			readers(func(_ State, r Reader) float64 { return r.Lag.Seconds() }), "reader"),
		gauge("follower_due", "Work of followers that is due and not done.",
			work(func(w Work) int { return w.Due }), "reader"),
		gauge("parked_streams", "Streams whose work waits for an operator.",
			work(func(w Work) int { return w.Parked }), "reader"),
		gauge("notices", "Notices on the list: pending wait for an attempt, failed for an operator.", counts(func(s State) map[string]int { return s.Notices }), "state"),
		gauge("drafts", "Applications that are being written.", func(s State, set setter) { set(float64(s.Drafts)) }),
		gauge("open_applications", "Applications with a case that is not over.", func(s State, set setter) { set(float64(s.Open)) }),
		gauge("open_tasks", "Tasks that are not settled, by department.", counts(func(s State) map[string]int { return s.Tasks }), "department"),
		gauge("warned", "Cases and tasks with a warning that stands: yellow is near its date, red has missed it.",
			counts(func(s State) map[string]int { return s.Warned }), "colour"),
		gauge("disk_free_bytes", "Free room on the disk of the data folder.", func(s State, set setter) { set(float64(s.Free)) }),
		gauge("disk_reserve_bytes", "Room below which the log refuses writes.", func(s State, set setter) { set(float64(s.Reserve)) }),
		gauge("calendar_until_timestamp_seconds", "Last day for which the calendar of working days is published.",
			moment(func(s State) time.Time { return s.CalendarUntil })),
		gauge("certificate_until_timestamp_seconds", "When the TLS certificate ends.", moment(func(s State) time.Time { return s.CertificateUntil })),
		gauge("ready", "Whether a check of /readyz passes.", func(s State, set setter) {
			for name, cause := range s.Causes {
				value := 0.0
				if cause == nil {
					value = 1
				}
				set(value, name)
			}
		}, "check"),
	}
}

// Lag returns how old the first commit after a position is, 0 if there is none up to head.
func Lag(ctx context.Context, log commitlog.Log, position, head uint64, now time.Time) (time.Duration, error) {
	if position >= head {
		return 0, nil
	}
	at, err := CommittedAt(ctx, log, position+1)
	return max(0, now.Sub(at)), err
}

// CommittedAt returns when the commit at a position was made, which has to be there.
func CommittedAt(ctx context.Context, log commitlog.Log, position uint64) (time.Time, error) {
	for c, err := range log.Follow(ctx, position-1) {
		return c.At, err
	}
	return time.Time{}, ctx.Err()
}

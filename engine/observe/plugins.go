package observe

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// PluginCall is a call of a plugin that has ended.
type PluginCall struct {
	Plugin, Version, Digest string
	// Shadow says that its answer was only compared.
	Shadow bool
	// Hook that was called, such as `decide`.
	Hook string
	// Outcome is [OK] or the kind of failure.
	Outcome string
	// Duration as the machine's clock has it.
	Duration time.Duration
	// Application is the number of the application, empty if there is none yet.
	Application string
	HostCalls   int
	// Fuel is what the guest has executed, in units.
	Fuel uint64
	// MemoryBytes is the linear memory at its end.
	MemoryBytes int
}

// Line is a line of a plugin's log: what it has written, or a call of it that has failed. It holds no text that a plugin has
// made up and no value of a person.
type Line struct {
	At                                 time.Time
	Plugin, Version, Hook, Application string
	// Code is one of the manifest's, or `failed` with a kind of failure.
	Code    string
	Failure string
	Numbers map[string]int64
}

// Difference is a call that the version in shadow has answered otherwise than the active one.
type Difference struct {
	At                 time.Time
	Plugin, Task, Hook string
	Active, Shadow     string // versions
	ShadowDigest       string
	Paths              []string
	Failure            string // kind, if the one in shadow did not answer
}

// Bounds of what is remembered of one plugin.
const (
	rememberedLines       = 1000
	rememberedDifferences = 1000
	rememberedVersions    = 20
)

// Latencies are the upper bounds of the buckets of calls' durations, in seconds; one without a bound follows.
func Latencies() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

// PluginStats is how the calls of a version have gone.
type PluginStats struct {
	Version, Digest string
	Shadow          bool
	Outcomes        map[[2]string]uint64 // by hook and outcome
	Latency         []uint64             // calls in each bucket of [Latencies], and in the last one
	HostCalls, Fuel uint64
	MostMemory      int
	// Compared, Different and Skipped count what became of calls in shadow.
	Compared, Different, Skipped uint64
	Last                         time.Time
}

// Plugins remembers how the calls of each plugin have gone since the server was started, within bounds. It is safe for
// concurrent use.
type Plugins struct {
	now   func() time.Time
	since time.Time

	mu  sync.Mutex
	all map[string]*remembered
}

// remembered is what is known of one plugin; what is oldest makes room.
type remembered struct {
	stats       []*PluginStats
	lines       ring[Line]
	differences ring[Difference]
}

// NewPlugins remembers nothing yet. The clock says when something was.
func NewPlugins(now func() time.Time) *Plugins {
	return &Plugins{now: now, since: now(), all: map[string]*remembered{}}
}

// Since is when remembering began.
func (p *Plugins) Since() time.Time { return p.since }

func (p *Plugins) of(plugin string) *remembered {
	r := p.all[plugin]
	if r == nil {
		r = &remembered{lines: ring[Line]{most: rememberedLines}, differences: ring[Difference]{most: rememberedDifferences}}
		p.all[plugin] = r
	}
	return r
}

// version returns the figures of a version; those of the one that was called the longest ago make room for a new one.
func (r *remembered) version(version, digest string, shadow bool) *PluginStats {
	for _, s := range r.stats {
		if s.Digest == digest && s.Shadow == shadow {
			return s
		}
	}
	s := &PluginStats{Version: version, Digest: digest, Shadow: shadow, Outcomes: map[[2]string]uint64{}, Latency: make([]uint64, len(Latencies())+1)}
	if len(r.stats) == rememberedVersions {
		oldest := slices.IndexFunc(r.stats, func(s *PluginStats) bool {
			return !slices.ContainsFunc(r.stats, func(other *PluginStats) bool { return other.Last.Before(s.Last) })
		})
		r.stats = slices.Delete(r.stats, oldest, oldest+1)
	}
	r.stats = append(r.stats, s)
	return s
}

// Called remembers a call that has ended, and a line for one that has failed.
func (p *Plugins) Called(c PluginCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.of(c.Plugin)
	s := r.version(c.Version, c.Digest, c.Shadow)
	s.Outcomes[[2]string{c.Hook, c.Outcome}]++
	bucket, _ := slices.BinarySearch(Latencies(), c.Duration.Seconds())
	s.Latency[bucket]++
	s.HostCalls += uint64(max(c.HostCalls, 0))
	s.Fuel += c.Fuel
	s.MostMemory = max(s.MostMemory, c.MemoryBytes)
	s.Last = p.now()
	if c.Outcome != OK && !c.Shadow { // of one in shadow it is a difference
		r.lines.add(Line{At: s.Last, Plugin: c.Plugin, Version: c.Version, Hook: c.Hook, Application: c.Application, Code: "failed", Failure: c.Outcome})
	}
}

// Compared remembers that a version in shadow was compared with the active one; nothing differs in a difference without paths
// and failure.
func (p *Plugins) Compared(d Difference) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.of(d.Plugin)
	s := r.version(d.Shadow, d.ShadowDigest, true)
	s.Compared++
	if len(d.Paths) > 0 || d.Failure != "" {
		s.Different++
		d.At = p.now()
		r.differences.add(d)
	}
}

// Skipped remembers that a version in shadow was not asked, because too many calls waited.
func (p *Plugins) Skipped(plugin, version, digest string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of(plugin).version(version, digest, true).Skipped++
}

// Logged remembers a line. Its time is set here.
func (p *Plugins) Logged(l Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.At = p.now()
	p.of(l.Plugin).lines.add(l)
}

// Stats returns the figures of a plugin's versions, the last called first.
func (p *Plugins) Stats(plugin string) []PluginStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.all[plugin]
	if r == nil {
		return nil
	}
	var all []PluginStats
	for _, s := range r.stats {
		c := *s
		c.Latency = slices.Clone(s.Latency)
		c.Outcomes = maps.Clone(s.Outcomes)
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b PluginStats) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Digest, b.Digest)) })
	return all
}

// Lines returns the lines of a plugin's log, the newest first.
func (p *Plugins) Lines(plugin string) []Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.all[plugin]; r != nil {
		return r.lines.newest()
	}
	return nil
}

// Differences returns where a plugin's versions in shadow have differed, the newest first.
func (p *Plugins) Differences(plugin string) []Difference {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.all[plugin]; r != nil {
		return r.differences.newest()
	}
	return nil
}

// ring holds the last of many.
type ring[T any] struct {
	most  int
	next  int // where the next one goes, once it is full
	items []T
}

func (r *ring[T]) add(item T) {
	if len(r.items) < r.most {
		r.items = append(r.items, item)
		return
	}
	r.items[r.next] = item
	r.next = (r.next + 1) % r.most
}

// newest returns them, the last added first.
func (r *ring[T]) newest() []T {
	ordered := slices.Concat(r.items[r.next:], r.items[:r.next])
	slices.Reverse(ordered)
	return ordered
}

//go:build linux

package badgerlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/siyiban/onething/engine/commitlog"
)

// rawLog is the limit: a file that grows, to which one writer appends what has gathered while the last sync ran.
type rawLog struct {
	file  *os.File
	queue chan rawAppend
	done  chan struct{}
}

type rawAppend struct {
	body  []byte
	ended chan error
}

func openRaw(tb testing.TB, dir string) *rawLog {
	tb.Helper()
	file, err := os.OpenFile(filepath.Join(dir, "raw"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	l := &rawLog{file: file, queue: make(chan rawAppend, 1024), done: make(chan struct{})}
	go l.run()
	tb.Cleanup(func() {
		close(l.queue)
		<-l.done
		if err := file.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

func (l *rawLog) run() {
	defer close(l.done)
	for first := range l.queue {
		group := []rawAppend{first}
		body := first.body
	gather:
		for len(group) < maxGroup {
			select {
			case more, ok := <-l.queue:
				if !ok {
					break gather
				}
				group, body = append(group, more), append(body, more.body...)
			default:
				break gather
			}
		}
		_, err := l.file.Write(body)
		err = errors.Join(err, syscall.Fdatasync(int(l.file.Fd())))
		for _, a := range group {
			a.ended <- err
		}
	}
}

func (l *rawLog) append(body []byte) error {
	a := rawAppend{body: body, ended: make(chan error, 1)}
	l.queue <- a
	return <-a.ended
}

// rate has clients append for a while, and returns how many appends a second were acknowledged.
func rate(tb testing.TB, clients int, appended func(client, n int) error) float64 {
	tb.Helper()
	const lasts = 2 * time.Second
	begin := time.Now()
	counts := make([]int, clients)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for n := 0; time.Since(begin) < lasts; n++ {
				if err := appended(c, n); err != nil {
					tb.Error(err)
					return
				}
				counts[c]++
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(begin).Seconds()
}

// BenchmarkDurable holds durable commits a second, with look-ups of version and request id, against the same bytes appended to
// a file with group fdatasync, against a Badger transaction for each commit, and, where Debian's PostgreSQL is there, against an
// insert for each commit; all in one run, in turns. One iteration takes some ten seconds: run it with -benchtime 1x.
func BenchmarkDurable(b *testing.B) {
	for _, clients := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			var raw, ours, plain, postgres float64
			rounds := 0
			for b.Loop() {
				rounds++
				for i := range 2 { // in turns, so that what else runs meets all alike
					dir := b.TempDir()
					file := openRaw(b, dir)
					raw += rate(b, clients, func(c, n int) error {
						body, err := commitlog.Encode(benchCommit(fmt.Sprintf("application/%d-%d", c, n/8), uint64(n%8)))
						if err != nil {
							return err
						}
						return file.append(body.Stored(1, uint64(n+1)))
					})
					l := openLog(b, filepath.Join(dir, "log"))
					ours += rate(b, clients, func(c, n int) error {
						_, err := l.Append(b.Context(), benchCommit(fmt.Sprintf("application/%d-%d", c, n/8), uint64(n%8)))
						return err
					})
					db, err := badger.Open(badger.DefaultOptions(filepath.Join(dir, "plain")).WithSyncWrites(true).WithLogger(nil).WithNumVersionsToKeep(1))
					if err != nil {
						b.Fatal(err)
					}
					plain += rate(b, clients, func(c, n int) error {
						body, err := commitlog.Encode(benchCommit(fmt.Sprintf("application/%d-%d", c, n/8), uint64(n%8)))
						if err != nil {
							return err
						}
						return db.Update(func(txn *badger.Txn) error {
							return txn.Set(fmt.Appendf(nil, "%d/%d/%d", i, c, n), body.Stored(1, uint64(n+1)))
						})
					})
					if err := db.Close(); err != nil {
						b.Fatal(err)
					}
				}
				if clients == 64 {
					postgres += 2 * postgresRate(b, clients)
				}
			}
			b.ReportMetric(ours/float64(2*rounds), "commits/s")
			b.ReportMetric(ours/raw, "of-raw")
			b.ReportMetric(ours/plain, "times-badger")
			if postgres > 0 {
				b.ReportMetric(ours/postgres, "times-postgres")
			}
		})
	}
}

// postgresRate is how many inserts of such a commit a second PostgreSQL acknowledges, each a transaction of its own, with its
// defaults and synchronous_commit; 0 if it is not there. Its own pgbench is the client. It does not run as root: there it
// runs as the system's user nobody.
func postgresRate(b *testing.B, clients int) float64 {
	b.Helper()
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(bins) == 0 {
		return 0
	}
	bin := bins[len(bins)-1]
	if _, err := os.Stat(filepath.Join(bin, "pgbench")); err != nil {
		return 0
	}
	dir, err := os.MkdirTemp("", "postgres") //nolint:usetesting // beside the test's own folder, which others may not enter
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var as *syscall.Credential
	if os.Getuid() == 0 {
		const nobody = 65534
		as = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			b.Fatal(err)
		}
	}
	run := func(name string, args ...string) string {
		b.Helper()
		cmd := exec.CommandContext(context.Background(), filepath.Join(bin, name), args...)
		cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
		cmd.Env = append(os.Environ(), "PGHOST="+dir, "PGUSER=bench", "PGDATABASE=postgres", "PGPORT=54329")
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	data := filepath.Join(dir, "data")
	run("initdb", "-D", data, "-U", "bench", "-A", "trust", "--no-instructions")
	run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", "-c listen_addresses= -c unix_socket_directories="+dir+" -c port=54329 -c max_connections=300", "start")
	defer run("pg_ctl", "-D", data, "-m", "immediate", "stop")
	script := filepath.Join(dir, "insert.sql")
	text := "\\set s random(1, 1000000000)\ninsert into commits (stream, version, body) values (:s, :client_id, decode(repeat('ab', 1600), 'hex'));\n"
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	run("psql", "-c", "create table commits (position bigserial primary key, stream bigint, version bigint, body bytea, unique (stream, version))")
	out := run("pgbench", "-n", "-c", strconv.Itoa(clients), "-j", "2", "-T", "8", "-f", script)
	found := regexp.MustCompile(`tps = ([0-9.]+)`).FindStringSubmatch(out)
	if found == nil {
		b.Fatalf("pgbench says\n%s", out)
	}
	tps, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return tps
}

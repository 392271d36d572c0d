//go:build unix

package badgerlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/logtest"
	"golang.org/x/sys/unix"
)

// A sync that really fails, in either of the files that Badger writes to, is no acknowledgement and stops the log.
func TestLog_FailedSync(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/maps"); err != nil {
		t.Skip("needs /proc/self/maps to make a sync fail")
	}
	for _, file := range []string{".vlog", ".mem"} {
		t.Run(file[1:], func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			child, lines := startChild(t, file, dir)
			var said []string
			for lines.Scan() {
				said = append(said, lines.Text())
			}
			if err := child.Wait(); err != nil {
				t.Fatalf("child: %v", err)
			}
			if diff := cmp.Diff([]string{"refused as it should be"}, said); diff != "" {
				t.Fatalf("child said (-want +got):\n%s", diff)
			}

			l := openLog(t, dir)
			first, err := l.Append(t.Context(), syncedCommit(0))
			if err != nil || first.Position != 1 {
				t.Errorf("the acknowledged commit, repeated: %+v, %v", first, err)
			}
			// The others may have reached the disk or not: repeated, they are there once.
			for i := range uint64(unsynced) {
				if _, err := l.Append(t.Context(), syncedCommit(i+1)); err != nil {
					t.Errorf("append %d after reopening: %v", i+1, err)
				}
			}
			if got := logtest.Commits(t, l, unsynced+1); got[unsynced].Position != unsynced+1 {
				t.Errorf("last position %d, want %d", got[unsynced].Position, unsynced+1)
			}
			if _, head := l.Head(); head != unsynced+1 {
				t.Errorf("head %d, want %d", head, unsynced+1)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

const unsynced = 10

// syncedCommit has an event so large that it goes to Badger's value log.
func syncedCommit(i uint64) commitlog.Commit {
	c := logtest.Commit(fmt.Sprint("a/", i), 0, "id")
	c.Appends[0].Events[0].Public = make([]byte, 3000)
	return c
}

// appendWithoutSync runs in the child: it appends once, makes every further sync of a file fail, and says whether the
// log then behaves. It ends without closing the log, whose memory map is broken.
func appendWithoutSync(dir, file string) error {
	ctx := context.Background()
	l := openInChild(dir)
	if _, err := l.Append(ctx, syncedCommit(0)); err != nil {
		return err
	}
	follower := make(chan error, 1)
	go func() {
		for c, err := range l.Follow(ctx, 1) {
			if err == nil {
				err = fmt.Errorf("follower saw commit %d, which was not acknowledged", c.Position)
			}
			follower <- err
		}
	}()
	if err := breakMap(dir, file); err != nil {
		return err
	}
	errs := make([]error, unsynced)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = l.Append(ctx, syncedCommit(uint64(i)+1)) })
	}
	wg.Wait()
	for i, err := range append(errs, <-follower) {
		if !errors.Is(err, commitlog.ErrStopped) {
			return fmt.Errorf("caller %d got %w, want that the log has stopped", i, err)
		}
	}
	// What was acknowledged can still be read, and nothing else.
	if _, _, ok, err := l.Lookup(ctx, "a/0", "id"); !ok || err != nil {
		return fmt.Errorf("the acknowledged commit is not there: %w", err)
	}
	for i := range uint64(unsynced) {
		stream := fmt.Sprint("a/", i+1)
		if r, _, ok, err := l.Lookup(ctx, stream, "id"); ok || err != nil {
			return fmt.Errorf("commit %d was not acknowledged and is there: %w", r.Position, err)
		}
		for e, err := range l.Read(ctx, stream, 0) {
			return fmt.Errorf("version %d of %s was not acknowledged and is there: %w", e.Version, stream, err)
		}
	}
	if _, head := l.Head(); head != 1 {
		return fmt.Errorf("head is %d, want 1", head)
	}
	fmt.Fprintln(os.Stdout, "refused as it should be")
	return nil
}

// breakMap unmaps the last page of the map of one of Badger's files. Nothing is written there (the maps are twice as
// long as the files get), but a sync of the whole map fails from now on.
func breakMap(dir, file string) error {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if path := fields[len(fields)-1]; !strings.HasPrefix(path, dir) || !strings.HasSuffix(path, file) {
			continue
		}
		var from, to uintptr
		if _, err := fmt.Sscanf(fields[0], "%x-%x", &from, &to); err != nil {
			return err
		}
		page := uintptr(os.Getpagesize())
		return unix.MunmapPtr(unsafe.Add(unsafe.Pointer(nil), to-page), page)
	}
	return fmt.Errorf("no map of a %s file in %s", file, dir)
}

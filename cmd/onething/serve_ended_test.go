package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/siyiban/onething/engine/store"
)

// A server that is ended while it opens ends well, and leaves a folder that opens again.
func TestServe_EndedWhileItOpens(t *testing.T) {
	t.Parallel()
	folder := store.Folder(filepath.Join(t.TempDir(), "data"))
	bundles, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	open := func(ctx context.Context, free func(string) (uint64, error)) (*server, error) {
		issuer, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = issuer.Close() })
		return openServer(ctx, serverConfig{data: folder, development: true, clock: officeClock("2026-03-16"), place: "321323", bundles: bundles, withoutPlugins: true,
			issuerListener: issuer, logger: slog.New(slog.DiscardHandler), free: free})
	}
	// The log asks for the room on the disk first, and then before each commit that begins the store.
	for _, at := range []int64{1, 2} {
		ctx, end := context.WithCancel(t.Context())
		var asked atomic.Int64 // by the log's writer, too
		s, err := open(ctx, func(string) (uint64, error) {
			if asked.Add(1) == at {
				end()
			}
			return 100 << 30, nil
		})
		end()
		if err == nil && at > 1 { // it was open before it noticed
			err = errors.Join(s.close(), errEnded)
		}
		if !errors.Is(err, errEnded) || asked.Load() < at {
			t.Errorf("ended when the room was asked for the %d. of %d times: %v", at, asked.Load(), err)
		}
	}
	s, err := open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// The command is no failure then.
func TestServe_EndedAtOnce(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancel(t.Context())
	end()
	var out, progress bytes.Buffer
	code := run(ctx, []string{"serve", "--dev", "--without-plugins", "--listen", "127.0.0.1:0", "--dev-issuer", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data")}, &out, &progress)
	if code != 0 || out.Len() > 0 {
		t.Errorf("it ends with %d: %s%s", code, out.String(), progress.String())
	}
}

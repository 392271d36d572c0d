package badgerlog_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/commitlog/badgerlog"
)

// A command is committed once, however often it comes.
func Example() {
	dir, err := os.MkdirTemp("", "log")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log, err := badgerlog.Open(badgerlog.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = log.Close() }()

	ctx := context.Background()
	digest := sha256.Sum256([]byte("submit …")) // in earnest a keyed one: seal.Store.Digest
	commit := commitlog.Commit{
		RequestID: "0190f3a2-9c1e-7d34-8a55-3f0d6c1b2a77",
		Digest:    digest[:],
		At:        time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC),
		Appends: []commitlog.Append{{
			Stream: "application/42",
			Events: []commitlog.Event{{Type: "onething.application.v1.Event", Public: []byte("submitted")}},
		}},
	}
	for range 2 {
		receipt, err := log.Append(ctx, commit)
		fmt.Println(receipt.Position, receipt.Versions["application/42"], err)
	}
	commit.RequestID = "0190f3a2-a0b1-7c20-9d11-5e7f8a9b0c1d" // another command, decided on what was there before
	_, err = log.Append(ctx, commit)
	fmt.Println(err)
	for event, err := range log.Read(ctx, "application/42", 0) {
		fmt.Println(event.Version, string(event.Public), err)
	}
	// Output:
	// 1 1 <nil>
	// 1 1 <nil>
	// commitlog: version conflict: stream application/42 is at version 1, expected was 0
	// 1 submitted <nil>
}

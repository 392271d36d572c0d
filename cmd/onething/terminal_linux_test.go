package main

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Progress is shown at a terminal, in one line that the next one replaces, and nowhere else.
func TestNotes(t *testing.T) {
	t.Parallel()
	master, terminal := newTerminal(t)
	note := notes(terminal)
	note("starting")
	note("1/5 出生")
	note("")
	const want = "\r\x1b[Kstarting\r\x1b[K1/5 出生\r\x1b[K"
	got := make([]byte, len(want))
	if n, err := io.ReadFull(master, got); err != nil || string(got) != want { // a terminal hands on what there is, perhaps not all
		t.Errorf("on a terminal: %q, %v, want %q", got[:n], err, want)
	}

	var buffer bytes.Buffer
	notes(&buffer)("starting")
	if buffer.Len() > 0 {
		t.Errorf("in a buffer: %q", buffer.String())
	}
	file, err := os.Create(t.TempDir() + "/progress")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	notes(file)("starting")
	if info, err := file.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("in a file: %v, %v", info, err)
	}
}

// newTerminal returns a pseudo-terminal: what the first one reads is what was written to the second one.
func newTerminal(t *testing.T) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return master, terminal
}

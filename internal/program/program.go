// Package program runs a program that the owner's configuration names: one that
// signs, or one that changes records. What it reads, writes and takes is bounded.
// It does not show the command line in errors, which may have a secret in it.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/dnasign/dnasign/internal/text"
)

// maxComplaint is how much of a program's messages is shown, in bytes: the last of
// them.
const maxComplaint = 600

// A Program is what to run. Args, Patience and MaxOutput are required.
type Program struct {
	Args     []string // the program and its arguments; there is no shell
	Env      []string // nil: the caller's own
	Input    []byte   // for its standard input
	Patience time.Duration
	// MaxOutput is how much it may write to standard output, in bytes. Writing
	// more is an error.
	MaxOutput int
	// Unattended: it cannot ask anybody at the terminal. All that it has started is
	// killed with it.
	Unattended bool
}

// Run runs the program and returns what it wrote to standard output. What it wrote
// to standard error is in said, which is empty or follows another text. A program
// that takes too long is killed.
func (p Program) Run(ctx context.Context) (output []byte, said string, err error) {
	limited, cancel := context.WithTimeout(ctx, p.Patience)
	defer cancel()
	cmd := exec.CommandContext(limited, p.Args[0], p.Args[1:]...)
	if p.Unattended {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // which cannot read from the terminal
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	}
	cmd.WaitDelay = time.Second // for what it leaves running
	cmd.Env = p.Env
	cmd.Stdin = bytes.NewReader(p.Input)
	out, complaint := &bounded{most: p.MaxOutput + 1}, new(tail)
	cmd.Stdout, cmd.Stderr = out, complaint
	err = cmd.Run()
	if said = complaint.String(); said != "" {
		said = ": it says: " + said
	}
	switch {
	case len(out.taken) > p.MaxOutput:
		return nil, said, fmt.Errorf("wrote more than %d bytes to standard output", p.MaxOutput)
	case ctx.Err() != nil:
		return nil, said, fmt.Errorf("was stopped (%w)%s", ctx.Err(), said)
	case limited.Err() != nil:
		return nil, said, fmt.Errorf("did not end within %s%s", p.Patience, said)
	case errors.Is(err, exec.ErrWaitDelay):
		return nil, said, fmt.Errorf("ended, and something that it started goes on and holds its output%s", said)
	case err != nil:
		return nil, said, fmt.Errorf("failed (%w)%s", err, said)
	}
	return out.taken, said, nil
}

// A bounded writer takes so many bytes, and then fails.
type bounded struct {
	taken []byte
	most  int
}

func (b *bounded) Write(data []byte) (int, error) {
	free := b.most - len(b.taken)
	b.taken = append(b.taken, data[:min(free, len(data))]...)
	if len(data) > free {
		return len(data), io.ErrShortWrite
	}
	return len(data), nil
}

// A tail keeps the last of what a program says, where most say what is wrong.
type tail struct {
	kept []byte
	cut  bool
}

func (t *tail) Write(data []byte) (int, error) {
	t.kept = append(t.kept, data...)
	if more := len(t.kept) - maxComplaint; more > 0 {
		t.kept, t.cut = append([]byte(nil), t.kept[more:]...), true
	}
	return len(data), nil
}

// String is on one line.
func (t *tail) String() string {
	said := text.Printable(strings.TrimSpace(string(t.kept)))
	if t.cut {
		return "... " + said
	}
	return said
}

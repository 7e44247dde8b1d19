// Package program runs a program that the owner's configuration names: one that
// signs, or one that changes records. What it reads, writes and takes is bounded.
// It does not show the command line in errors, which may have a secret in it.
package program

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/dnasign/dnasign/internal/text"
)

// maxComplaint is how much of a program's messages is shown, in bytes.
const maxComplaint = 1000

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
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &bounded{&out, p.MaxOutput + 1, io.ErrShortWrite}, &bounded{&complaint, maxComplaint, nil}
	err = cmd.Run()
	if said = strings.TrimSpace(text.Printable(complaint.String())); said != "" {
		said = ": it says: " + said
	}
	switch {
	case out.Len() > p.MaxOutput:
		return nil, said, fmt.Errorf("wrote more than %d bytes to standard output", p.MaxOutput)
	case ctx.Err() != nil:
		return nil, said, fmt.Errorf("was stopped (%w)%s", ctx.Err(), said)
	case limited.Err() != nil:
		return nil, said, fmt.Errorf("did not end within %s%s", p.Patience, said)
	case err != nil:
		return nil, said, fmt.Errorf("failed (%w)%s", err, said)
	}
	return out.Bytes(), said, nil
}

// A bounded writer keeps the first bytes. What comes after them is lost, or ends
// the writing with an error.
type bounded struct {
	to   *bytes.Buffer
	most int
	full error
}

func (b *bounded) Write(data []byte) (int, error) {
	free := b.most - b.to.Len()
	b.to.Write(data[:min(free, len(data))])
	if len(data) > free {
		return len(data), b.full
	}
	return len(data), nil
}

package run

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dnasign/dnasign/internal/vectors"
)

const (
	// DefaultPatience is how long another program may take for one case. The
	// slowest operation, with five RSA certificates, takes milliseconds; what
	// starts a virtual machine needs seconds for the first.
	DefaultPatience = 10 * time.Second
	// maxLine bounds an answer in octets. An expected one has less than 10 KB.
	maxLine = 1 << 20
)

// A Harness is another verifier: a program that is given one case a line and
// says one answer a line. See testvectors/README.md. It is not for concurrent
// use.
type Harness struct {
	// Patience is how long an answer may take; 0 means DefaultPatience.
	Patience time.Duration

	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	lines  *bufio.Scanner
}

// Start starts a program by its command line, words between spaces; there is no
// shell and no quoting. What the program writes to standard error goes to
// messages. Close must be called.
func Start(ctx context.Context, command string, messages io.Writer) (*Harness, error) {
	words := strings.Fields(command)
	if len(words) == 0 {
		return nil, errors.New("no program is named")
	}
	h := &Harness{cmd: exec.CommandContext(ctx, words[0], words[1:]...)}
	h.cmd.Stderr = messages
	h.cmd.WaitDelay = time.Second
	var err error
	if h.stdin, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if h.stdout, err = h.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	h.lines = bufio.NewScanner(h.stdout)
	h.lines.Buffer(nil, maxLine)
	return h, h.cmd.Start()
}

// Answer is that of [Verifier]. After an error that is not ErrSkipped the program
// is killed, and there are no more answers.
func (h *Harness) Answer(_ context.Context, c vectors.Case) (Answer, error) {
	var late atomic.Bool
	timer := time.AfterFunc(h.patience(), func() {
		late.Store(true)
		h.kill()
	})
	defer timer.Stop()
	answer, err := h.answer(c)
	if late.Load() {
		err = fmt.Errorf("the program gave no answer in %v", h.patience())
	}
	if err != nil && !errors.Is(err, ErrSkipped) {
		h.kill()
		return nil, err
	}
	return answer, err
}

func (h *Harness) patience() time.Duration {
	if h.Patience == 0 {
		return DefaultPatience
	}
	return h.Patience
}

func (h *Harness) answer(c vectors.Case) (answer Answer, err error) {
	line, err := h.ask(c)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return nil, fmt.Errorf("the program's answer %.80q is no JSON object: %w", line, err)
	}
	if answer["id"] != c.ID {
		return nil, fmt.Errorf("the program answered a case %.80q", fmt.Sprint(answer["id"]))
	}
	if why, skipped := answer["skipped"]; skipped {
		return nil, fmt.Errorf("%w: %.200v", ErrSkipped, why)
	}
	return answer, nil
}

// ask sends a case and waits for a line.
func (h *Harness) ask(c vectors.Case) ([]byte, error) {
	line, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	if _, err := h.stdin.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("the program does not read: %w", err)
	}
	if !h.lines.Scan() {
		if err := h.lines.Err(); err != nil {
			return nil, fmt.Errorf("the program's answer cannot be read: %w", err)
		}
		return nil, errors.New("the program has ended")
	}
	return h.lines.Bytes(), nil
}

// kill ends the program, and with it reads and writes that wait. Errors say that
// it has ended already.
func (h *Harness) kill() {
	_ = h.cmd.Process.Kill()
	_ = h.stdout.Close()
}

// Close tells the program that there are no more cases and waits until it has
// ended, for as long as for an answer.
func (h *Harness) Close() error {
	timer := time.AfterFunc(h.patience(), h.kill)
	defer timer.Stop()
	return errors.Join(h.stdin.Close(), h.cmd.Wait())
}

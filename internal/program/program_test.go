package program

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name, script   string
		output, failed string // what it writes, or what is wrong
	}{
		{name: "echoes", script: "cat", output: "input"},
		{name: "says nothing", script: ":"},
		{name: "complains and ends well", script: "echo odd >&2; echo yes", output: "yes\n"},
		{name: "fails", script: "echo no such zone >&2; exit 4", failed: "failed (exit status 4): it says: no such zone"},
		{name: "leaves something behind", script: "sleep 3 &", failed: "ended, and something that it started goes on and holds its output"},
		{name: "writes much", script: "while :; do echo 0123456789; done", failed: "wrote more than 100 bytes to standard output"},
		{name: "complains much", script: "i=0; while [ $i -lt 2000 ]; do echo complaint >&2; i=$((i+1)); done; echo the cause >&2; exit 1", failed: "complaint?complaint?the cause"},
		{name: "complains much", script: "i=0; while [ $i -lt 2000 ]; do echo complaint >&2; i=$((i+1)); done; exit 1", failed: "failed (exit status 1): it says: ... "},
		{name: "terminal", script: `printf '\033[2J' >&2; exit 1`, failed: "it says: ?[2J"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Program{Args: []string{"sh", "-c", c.script}, Input: []byte("input"), Patience: patience, MaxOutput: 100}
			output, _, err := p.Run(t.Context())
			switch {
			case c.failed == "" && (err != nil || string(output) != c.output):
				t.Errorf("%q, %v, want %q", output, err, c.output)
			case c.failed != "" && (err == nil || !strings.Contains(err.Error(), c.failed) || output != nil || len(err.Error()) > maxComplaint+100):
				t.Errorf("%q, %v, want %q", output, err, c.failed)
			}
		})
	}
	if _, _, err := (Program{Args: []string{"./no-such-program"}, Patience: patience}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}

// TestEnvironment: it gets what it is given and nothing else.
func TestEnvironment(t *testing.T) {
	t.Setenv("SECRET", "of the caller")
	output, _, err := Program{Args: []string{"/usr/bin/env"}, Env: []string{"A=b"}, Patience: patience, MaxOutput: 100}.Run(t.Context())
	if err != nil || string(output) != "A=b\n" {
		t.Errorf("%q, %v", output, err)
	}
}

// TestStopped: a program that takes too long is ended, and an unattended one with
// what it has started, before that can do anything more.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	begun, late := filepath.Join(dir, "begun"), filepath.Join(dir, "late")
	// The second shell waits for a pipe that nobody opens, and then would write.
	script := "mkfifo '" + dir + "/pipe'; (: >'" + begun + "'; read -r x <'" + dir + "/pipe'; : >'" + late + "') & wait"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, _, err := Program{Args: []string{"sh", "-c", script}, Patience: patience, Unattended: true}.Run(ctx)
		ended <- err
	}()
	for {
		if _, err := os.Stat(begun); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "was stopped") {
		t.Error(err)
	}
	// As long as somebody waits for the pipe, it can be opened, and lets them go on.
	for {
		f, err := os.OpenFile(filepath.Join(dir, "pipe"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			break
		}
		f.Close()
		time.Sleep(time.Millisecond)
	}
	if _, err := os.Stat(late); err == nil {
		t.Error("something that it started went on")
	}

	_, _, err := Program{Args: []string{"sh", "-c", "echo waiting >&2; read -r x <'" + dir + "/pipe'"}, Patience: 50 * time.Millisecond, Unattended: true}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "did not end within 50ms") {
		t.Error(err)
	}
}

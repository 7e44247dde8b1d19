package realtest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Timeout is how long a server may take to answer first, and a tool to end.
const Timeout = 2 * time.Minute

// The ports that servers get are below those that systems give to clients
// (32768 or 49152 and up). So no client takes one between the check and the
// start of the server.
const (
	firstPort = 10000
	lastPort  = 32767
)

// Port returns a port that is free on 127.0.0.1, for UDP and TCP, right now. On
// Linux no other test gets it until this one ends, in this process or another.
func Port(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if runtime.GOOS == "linux" {
			// An abstract socket is a lock that ends with the process.
			lock, err := net.Listen("unix", fmt.Sprintf("@dna-test-port-%d", port))
			if err != nil {
				continue
			}
			t.Cleanup(func() { lock.Close() })
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		c, err := net.ListenPacket("udp", addr)
		l.Close()
		if err == nil {
			c.Close()
			return port
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return 0
}

// WriteFile writes a file into a folder and returns its path.
func WriteFile(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Output runs a program that must succeed and returns its standard output.
func Output(t testing.TB, dir, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", program, args, err, out, stderr.Bytes())
	}
	return string(out)
}

// A Process is a server that runs.
type Process struct {
	// Log is what it prints, on both outputs.
	Log *Log

	process *os.Process
	ended   chan struct{}
}

// Server starts a server that stays in the foreground and waits until ready
// says yes. It is stopped when the test ends or when stop is called, which
// waits for its end.
func Server(t testing.TB, ready func() bool, program string, args ...string) (stop func()) {
	t.Helper()
	return Start(t, ready, program, args...).Stop
}

// Start is [Server] for tests that look at its log or send it signals.
func Start(t testing.TB, ready func() bool, program string, args ...string) *Process {
	t.Helper()
	cmd := exec.Command(program, args...)
	p := &Process{Log: newLog(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.Log, p.Log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.process = cmd.Process
	go func() {
		cmd.Wait() // how it ended shows in its output
		close(p.ended)
	}()
	t.Cleanup(p.Stop)
	for deadline := time.Now().Add(Timeout); ; time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.ended:
			t.Fatalf("%s ended:\n%s", program, p.Log)
		default:
		}
		if ready() {
			return p
		}
		if time.Now().After(deadline) {
			p.process.Kill()
			<-p.ended
			t.Fatalf("%s does not answer after %v:\n%s", program, Timeout, p.Log)
		}
	}
}

// Stop ends the server, by its process ID, and returns when it has ended.
func (p *Process) Stop() {
	p.process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		p.process.Kill()
		<-p.ended
	}
}

// Signal sends the server a signal.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// open reports whether somebody listens at a TCP address.
func open(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/daemon"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// A served daemon is a process of its own.
type served struct {
	*testing.T
	cmd    *exec.Cmd
	stderr bytes.Buffer
	http   *http.Client
}

// serving starts a command that serves at a socket.
func serving(t *testing.T, socket string, cmd *exec.Cmd) *served {
	t.Helper()
	s := &served{T: t, cmd: cmd}
	cmd.Stderr = &s.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(syscall.SIGKILL) })
	s.http = &http.Client{Timeout: realtest.Timeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	for deadline := time.Now().Add(realtest.Timeout); ; time.Sleep(10 * time.Millisecond) {
		response, err := s.http.Get("http://daemon/healthz")
		if err == nil {
			response.Body.Close()
			return s
		}
		if time.Now().After(deadline) {
			s.end(syscall.SIGKILL)
			t.Fatalf("it does not answer: %v\n%s", err, s.stderr.Bytes())
		}
	}
}

// end ends the daemon and returns how it ended.
func (s *served) end(by syscall.Signal) error {
	if s.cmd.ProcessState != nil {
		return nil
	}
	_ = s.cmd.Process.Signal(by)
	return s.cmd.Wait()
}

// ask returns nil if the daemon is gone.
func (s *served) ask(source string, chain []byte) *daemon.Answer {
	body, err := json.Marshal(map[string]string{
		"source": source, "service": "xmpp-server", "direction": "incoming", "chain": string(chain),
	})
	if err != nil {
		s.Fatal(err)
	}
	response, err := s.http.Post("http://daemon/v1/check", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var a daemon.Answer
	if json.NewDecoder(response.Body).Decode(&a) != nil {
		return nil
	}
	return &a
}

// owners are those of the domains of one provider, each with a statement, and with
// an older one for a former provider.
type owners struct {
	domains       []string
	older, newer  []string // zone lines
	chain, former []byte   // of the two providers
	roots         []byte
}

func newOwners(t *testing.T, domains int) *owners {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	w := world.At(now)
	const former = "xmpp.former.example"
	chain := func(name string) []byte { return localca.PEM(w.Of(name).Chain()...) }
	p := &owners{chain: chain(world.Host), former: chain(former), roots: localca.PEM(w.CA.Root())}
	for i := range domains {
		domain := fmt.Sprintf("d%d.example", i)
		line := func(issued time.Time, host string) string {
			return world.Line(world.Statement(domain, world.Service, issued, host), w.Of(domain))
		}
		p.domains = append(p.domains, domain)
		p.older, p.newer = append(p.older, line(now.Add(-time.Hour), former)), append(p.newer, line(now.Add(-time.Minute), world.Host))
	}
	return p
}

// TestKill: a daemon that is killed under load has forgotten nothing that it
// has answered: neither the order of a statement nor the statement.
func TestKill(t *testing.T) {
	bin := build(t)
	p := newOwners(t, 40)
	resolver := setup.DNS(t)
	for _, answers := range []int{1, 10, 30} {
		t.Run(fmt.Sprint(answers), func(t *testing.T) {
			dir := t.TempDir()
			roots, socket := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "s")
			if err := os.WriteFile(roots, p.roots, 0o600); err != nil {
				t.Fatal(err)
			}
			command := func() *exec.Cmd {
				return exec.Command(filepath.Join(bin, "dnaverify"), "serve", "--listen", "unix:"+socket, "--store", filepath.Join(dir, "memory.db"),
					"--resolver", resolver.Addr, "--via", "dns", "--roots", roots)
			}
			if err := resolver.SetRecords(p.newer); err != nil {
				t.Fatal(err)
			}
			s := serving(t, socket, command())
			accepted := make(chan string, len(p.domains))
			enough, reached := make(chan struct{}), sync.Once{}
			var asking sync.WaitGroup
			for _, domain := range p.domains {
				asking.Go(func() {
					if a := s.ask(domain, p.chain); a != nil && a.Outcome == reasons.OutcomeVerified {
						accepted <- domain
						if len(accepted) >= answers {
							reached.Do(func() { close(enough) })
						}
					}
				})
			}
			select {
			case <-enough:
			case <-time.After(realtest.Timeout):
				t.Errorf("only %d answers", len(accepted))
			}
			s.end(syscall.SIGKILL)
			asking.Wait()
			close(accepted)

			if err := resolver.SetRecords(p.older); err != nil {
				t.Fatal(err)
			}
			s = serving(t, socket, command())
			n := 0
			for domain := range accepted {
				n++
				if a := s.ask(domain, p.former); a == nil || a.Outcome != reasons.OutcomeRefused || !a.Required {
					t.Errorf("%s: after the restart the former provider is told %+v", domain, a)
				}
				if a := s.ask(domain, p.chain); a == nil || a.Outcome != reasons.OutcomeVerified {
					t.Errorf("%s: after the restart the provider is told %+v", domain, a)
				}
			}
			if n < answers {
				t.Errorf("%d answers, want %d", n, answers)
			}
			if err := s.end(syscall.SIGTERM); err != nil {
				t.Errorf("%v\n%s", err, s.stderr.Bytes())
			}
		})
	}
}

// TestSocketActivation: the daemon takes the socket that it is given, and
// leaves it where it is.
func TestSocketActivation(t *testing.T) {
	bin, dir := build(t), t.TempDir()
	p := newOwners(t, 1)
	roots, socket := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "s")
	if err := os.WriteFile(roots, p.roots, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// LISTEN_PID is the daemon's own: the shell becomes it.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`, "sh",
		filepath.Join(bin, "dnaverify"), "serve", "--resolver", "127.0.0.1:9", "--via", "dns", "--roots", roots, "--listen", "nonsense")
	cmd.Env = append(os.Environ(), "STATE_DIRECTORY="+dir+":/elsewhere")
	cmd.ExtraFiles = []*os.File{file}
	s := serving(t, socket, cmd)
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, s.stderr.Bytes())
	}
	for _, name := range []string{socket, filepath.Join(dir, "memory.db")} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

// TestStores: what --store may name. A mistyped URL of a Redis may hold a
// password. It becomes neither the name of a file nor part of an error.
func TestStores(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, where := range []string{
		"", "ftp://b.example", "https://b.example", "none/memory.db",
		"redis:/user:secret@b.example", "redis:user:secret@b.example", "Rediss:/:secret@b.example", "unix:/secret",
	} {
		s, err := openStore(t.Context(), where, slog.New(slog.DiscardHandler))
		if err == nil {
			s.Close()
			t.Errorf("%q: no error", where)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", where, err)
		}
	}
	if files, err := os.ReadDir("."); err != nil || len(files) > 0 {
		t.Error(files, err)
	}
	s, err := openStore(t.Context(), "./redis:", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

package realtest

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/localca"
)

// A RedisServer is a real redis-server on 127.0.0.1 and a socket, with TLS and
// without. It writes every change to its disk.
type RedisServer struct {
	Addr     string // host:port, without TLS
	TLSAddr  string // host:port, with a certificate for 127.0.0.1
	Socket   string
	CAFile   string
	Password string

	config string
	stop   func()
}

// Redis starts a redis-server with a password, if it is not empty, and further
// lines of configuration, which win over those it has.
func Redis(t testing.TB, password string, lines ...string) *RedisServer {
	t.Helper()
	Need(t, "redis-server")
	// The path of a socket is at most 107 octets long (unix(7)), and that of a
	// test's own folder often longer.
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	port, tlsPort := Port(t), Port(t)
	r := &RedisServer{
		Addr: fmt.Sprintf("127.0.0.1:%d", port), TLSAddr: fmt.Sprintf("127.0.0.1:%d", tlsPort), Socket: filepath.Join(dir, "redis.sock"),
		Password: password,
	}
	r.CAFile = filepath.Join(dir, "ca.pem")
	if err := certify(dir); err != nil {
		t.Fatal(err)
	}
	config := []string{
		"bind 127.0.0.1", fmt.Sprintf("port %d", port), fmt.Sprintf("tls-port %d", tlsPort), "unixsocket " + r.Socket,
		"tls-cert-file " + filepath.Join(dir, "cert.pem"), "tls-key-file " + filepath.Join(dir, "key.pem"), "tls-auth-clients no",
		"dir " + dir, "appendonly yes", "appendfsync always",
	}
	if password != "" {
		config = append(config, fmt.Sprintf("requirepass %q", password))
	}
	r.config = WriteFile(t, dir, "redis.conf", strings.Join(append(config, lines...), "\n")+"\n")
	r.Start(t)
	return r
}

// certify writes ca.pem, and cert.pem and key.pem for 127.0.0.1.
func certify(dir string) error {
	now := time.Now()
	ca, err := localca.New("realtest", now)
	if err != nil {
		return err
	}
	leaf, err := ca.Issue("P-256", nil, now.Add(-time.Hour), now.Add(24*time.Hour), func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	})
	if err != nil {
		return err
	}
	key, err := localca.KeyPEM(leaf.Key())
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "ca.pem"), localca.PEM(ca.Root()), 0o600),
		os.WriteFile(filepath.Join(dir, "cert.pem"), localca.PEM(leaf.Chain()...), 0o600),
		os.WriteFile(filepath.Join(dir, "key.pem"), key, 0o600),
	)
}

// Start starts the server again, on the same ports and with what is on its
// disk.
func (r *RedisServer) Start(t testing.TB) {
	t.Helper()
	r.stop = Server(t, func() bool { return open(r.Addr) && open(r.TLSAddr) }, "redis-server", r.config)
}

// Stop stops the server and waits for its end.
func (r *RedisServer) Stop() { r.stop() }

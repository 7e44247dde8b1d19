package realtest

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/localca"
)

// A RedisServer is a real redis-server on 127.0.0.1 and a socket, with TLS and
// without. It writes every change to its disk.
type RedisServer struct {
	Addr     string // host:port, without TLS
	TLSAddr  string // host:port, with a certificate for 127.0.0.1
	Socket   string
	CAFile   string
	Password string
	// CertFile and KeyFile are the server's own, with which a client may come too.
	CertFile, KeyFile string

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
	ca := localca.Must(localca.New("realtest", time.Now()))
	r.certify(t, dir, ca, "127.0.0.1")
	config := append(r.files(dir),
		"bind 127.0.0.1", fmt.Sprintf("port %d", port), fmt.Sprintf("tls-port %d", tlsPort), "unixsocket "+r.Socket,
		"tls-auth-clients no", "appendonly yes", "appendfsync always",
	)
	if password != "" {
		config = append(config, fmt.Sprintf("requirepass %q", password))
	}
	r.config = WriteFile(t, dir, "redis.conf", strings.Join(append(config, lines...), "\n")+"\n")
	r.Start(t)
	return r
}

// files are the lines of configuration that say where its files are.
func (r *RedisServer) files(dir string) []string {
	return []string{"dir " + dir, "tls-cert-file " + r.CertFile, "tls-key-file " + r.KeyFile, "tls-ca-cert-file " + r.CAFile}
}

// certify writes ca.pem, and cert.pem and key.pem for an address.
func (r *RedisServer) certify(t testing.TB, dir string, ca *localca.Authority, address string) {
	t.Helper()
	now := time.Now()
	leaf, err := ca.Issue("P-256", nil, now.Add(-time.Hour), now.Add(24*time.Hour), func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.ParseIP(address)}
		c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	})
	if err != nil {
		t.Fatal(err)
	}
	key := localca.Must(localca.KeyPEM(leaf.Key()))
	r.CAFile = WriteFile(t, dir, "ca.pem", string(localca.PEM(ca.Root())))
	r.CertFile = WriteFile(t, dir, "cert.pem", string(localca.PEM(leaf.Chain()...)))
	r.KeyFile = WriteFile(t, dir, "key.pem", string(key))
}

// RedisCluster starts a cluster of so many nodes on 127.0.0.1, 127.0.0.2 and so on.
// They speak TLS only, each has a certificate for its own address, and clients need
// one of the same authority.
func RedisCluster(t testing.TB, nodes int, lines ...string) []*RedisServer {
	t.Helper()
	Need(t, "redis-server", "redis-cli")
	ca := localca.Must(localca.New("realtest", time.Now()))
	var list []*RedisServer
	create := []string{"--cluster", "create"}
	for i := range nodes {
		dir, address, port, bus := t.TempDir(), fmt.Sprintf("127.0.0.%d", i+1), Port(t), Port(t)
		r := &RedisServer{TLSAddr: fmt.Sprintf("%s:%d", address, port)}
		r.certify(t, dir, ca, address)
		config := append(r.files(dir),
			"bind "+address, "port 0", fmt.Sprintf("tls-port %d", port), "tls-auth-clients yes", "tls-cluster yes", "tls-replication yes",
			"cluster-enabled yes", "cluster-announce-ip "+address, fmt.Sprintf("cluster-port %d", bus), "appendonly yes", "appendfsync always",
		)
		r.config = WriteFile(t, dir, "redis.conf", strings.Join(append(config, lines...), "\n")+"\n")
		r.Start(t)
		list, create = append(list, r), append(create, fmt.Sprintf("%s@%d", r.TLSAddr, bus))
	}
	first := list[0]
	Output(t, t.TempDir(), "redis-cli", append(create, "--cluster-yes", "--tls", "--cacert", first.CAFile, "--cert", first.CertFile, "--key", first.KeyFile)...)
	return list
}

// Start starts the server again, on the same ports and with what is on its
// disk.
func (r *RedisServer) Start(t testing.TB) {
	t.Helper()
	r.stop = Server(t, func() bool { return (r.Addr == "" || open(r.Addr)) && open(r.TLSAddr) }, "redis-server", r.config)
}

// Stop stops the server and waits for its end.
func (r *RedisServer) Stop() { r.stop() }

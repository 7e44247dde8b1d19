package redisstore

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// withTLS is the URL of a server whose clients show a certificate.
func withTLS(server *realtest.RedisServer) string {
	options := url.Values{"ca-file": {server.CAFile}, "cert-file": {server.CertFile}, "key-file": {server.KeyFile}}
	return "rediss://" + server.TLSAddr + "?" + options.Encode()
}

// TestRedisTLSCluster: three nodes, each with a certificate for its own address.
func TestRedisTLSCluster(t *testing.T) {
	nodes := realtest.RedisCluster(t, 3)
	s := openSoon(t, withTLS(nodes[1]))
	f := floorlaws.Floor(0, 0, "x.example")
	for i := range 30 { // on all nodes, by their names
		name := fmt.Sprintf("b.x%d", i)
		floorlaws.MustRaise(t, s, name, f)
		if got := floorlaws.MustFloor(t, s, name); got != f {
			t.Error(got)
		}
	}
	w := floorlaws.Watch(t, s)
	w.Wait(t, true)
	w.Stop()
	if n, err := s.(*redisStore).prune(t.Context()); err != nil || n != 0 {
		t.Errorf("forgot %d, %v", n, err)
	}
	for _, node := range nodes {
		if n := keysOf(t, node); n == 0 {
			t.Errorf("%s has no key", node.TLSAddr)
		}
	}
}

// openSoon opens a cluster that is just being made.
func openSoon(t *testing.T, place string) floors.Store {
	t.Helper()
	for deadline := time.Now().Add(realtest.Timeout); ; time.Sleep(50 * time.Millisecond) {
		s, err := openAt(t.Context(), place, floorlaws.Plenty, nil)
		if err == nil {
			t.Cleanup(func() { s.Close() })
			return s
		}
		if !strings.Contains(err.Error(), "CLUSTERDOWN") || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// keysOf counts the keys of one node.
func keysOf(t *testing.T, node *realtest.RedisServer) (n int) {
	t.Helper()
	host, port, _ := strings.Cut(node.TLSAddr, ":")
	out := realtest.Output(t, t.TempDir(), "redis-cli", "-h", host, "-p", port, "--tls", "--cacert", node.CAFile, "--cert", node.CertFile, "--key", node.KeyFile, "DBSIZE")
	if _, err := fmt.Sscan(out, &n); err != nil {
		t.Fatal(out, err)
	}
	return n
}

// TestRedisClientCertificate: a server that wants a certificate of its clients.
func TestRedisClientCertificate(t *testing.T) {
	server := realtest.Redis(t, "", "tls-auth-clients yes")
	if log := logged(t, withTLS(server)); log != "" {
		t.Errorf("logged %s", log)
	}
	base := "rediss://" + server.TLSAddr + "?ca-file=" + url.QueryEscape(server.CAFile)
	cert, key := "&cert-file="+url.QueryEscape(server.CertFile), "&key-file="+url.QueryEscape(server.KeyFile)
	for options, want := range map[string]string{
		"":                          "the memory rediss://", // what the server says may be lost with the connection
		cert:                        "cert-file and key-file",
		key:                         "cert-file and key-file",
		cert + "&key-file=/nowhere": "/nowhere",
		cert + "&key-file=" + url.QueryEscape(server.CAFile): "key-file",
	} {
		s, err := Open(t.Context(), base+options, nil)
		if err == nil {
			s.Close()
			t.Errorf("%s: no error", options)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, without %q", options, err, want)
		}
	}
	if s, err := Open(t.Context(), "redis://"+server.Addr+"?x"+cert+key, nil); err == nil {
		s.Close()
		t.Error("a certificate without TLS")
	}
}

// TestRedisRefusesWrites: a server that cannot remember anything is told at the
// start.
func TestRedisRefusesWrites(t *testing.T) {
	refused := func(t *testing.T, want error, word string, options ...string) {
		t.Helper()
		s, err := Open(t.Context(), "redis://"+realtest.Redis(t, "", options...).Addr, nil)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, want) || !strings.Contains(err.Error(), word) {
			t.Error(err)
		}
	}
	t.Run("replica", func(t *testing.T) {
		refused(t, floors.ErrReadOnly, "replica", "replicaof "+strings.Replace(realtest.Redis(t, "").Addr, ":", " ", 1))
	})
	t.Run("evicting", func(t *testing.T) {
		refused(t, floors.ErrEvicts, "noeviction", "maxmemory-policy volatile-lru", "maxmemory 100mb")
	})
	t.Run("full", func(t *testing.T) {
		server := realtest.Redis(t, "", "maxmemory 1")
		s, log := openLogged(t, "redis://"+server.Addr)
		if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "its memory is full") {
			t.Errorf("logged %q", log)
		}
		if got := floorlaws.MustFloor(t, s, world.Source); !got.IsZero() {
			t.Error(got)
		}
	})
	t.Run("too few replicas", func(t *testing.T) {
		server := realtest.Redis(t, "", "min-replicas-to-write 1")
		if _, log := openLogged(t, "redis://"+server.Addr); !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "NOREPLICAS") {
			t.Errorf("logged %q", log)
		}
	})
	for _, right := range []string{"set", "eval", "scan", "zrem", "del"} {
		t.Run("no right to "+right, func(t *testing.T) {
			server := realtest.Redis(t, "")
			if err := admin(t, server).Do(t.Context(), "ACL", "SETUSER", "dnaverify", "on", ">s3cret", "~dna2:*", "+@all", "-"+right).Err(); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), "redis://dnaverify:s3cret@"+server.Addr, nil)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), "docs/operations.md") {
				t.Error(err)
			}
		})
	}
	t.Run("one full node of a cluster", func(t *testing.T) {
		nodes := realtest.RedisCluster(t, 3)
		openSoon(t, withTLS(nodes[0]))
		host, port, _ := strings.Cut(nodes[2].TLSAddr, ":")
		realtest.Output(t, t.TempDir(), "redis-cli", "-h", host, "-p", port, "--tls", "--cacert", nodes[2].CAFile, "--cert", nodes[2].CertFile, "--key", nodes[2].KeyFile,
			"CONFIG", "SET", "maxmemory", "1")
		if _, log := openLogged(t, withTLS(nodes[0])); !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "its memory is full") {
			t.Errorf("logged %q", log)
		}
	})
}

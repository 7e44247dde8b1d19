package realtest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A Zone is a zone for [Knot] to serve. Content is zone-file text below an SOA
// and an NS record, which are added.
type Zone struct {
	Name    string // without trailing dot
	Content string
	Signed  bool // DNSSEC, ECDSA P-256
	Broken  bool // and no key of the zone fits its DS record
	// Updated lets the key TSIGName, and no other that the server knows, update
	// the places of the statements of XMPP, as dnasign's help says.
	Updated bool
	// Services are those whose statements that key may update, such as
	// _xmpp-server._tcp. None means those that dnasign's help names.
	Services []string
	Listed   bool // the further lines of [KnotWith] configure it
}

// helped are the services in the lines for servers in dnasign's help.
var helped = []string{"_xmpp-server._tcp", "_xmpp-client._tcp"}

// The TSIG keys that [Knot] knows, all with the same secret, for HMAC with
// SHA-256.
const (
	TSIGName   = "owner-key" // may update statements
	TSIGIdle   = "idle-key"  // may do nothing
	TSIGAll    = "zone-key"  // may update every record
	TSIGSecret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	TSIGKey    = "hmac-sha256:" + TSIGName + ":" + TSIGSecret // as the one line of a file
)

// TSIGFile writes a key file, as tsig-keygen does, and returns its path.
func TSIGFile(t testing.TB, dir, name, secret string) string {
	t.Helper()
	return WriteFile(t, dir, name+".key", fmt.Sprintf("key %q {\n\talgorithm hmac-sha256;\n\tsecret %q;\n};\n", name, secret))
}

// KnotAndUnbound serves zones with a real knotd. They are resolved through a real
// unbound, which validates.
func KnotAndUnbound(t testing.TB, zones ...Zone) (authority, resolver string) {
	t.Helper()
	authority, anchors := Knot(t, zones...)
	var names []string
	for _, z := range zones {
		names = append(names, z.Name)
	}
	return authority, Unbound(t, authority, anchors, names...)
}

// Knot serves zones with a real knotd and returns its address and, for the
// signed ones, their DS records for a resolver.
func Knot(t testing.TB, zones ...Zone) (addr string, anchors []string) {
	t.Helper()
	return KnotWith(t, "", zones...)
}

// knotServer begins the configuration of a knotd in a folder of its own.
func knotServer(t testing.TB) (dir, addr string, conf *strings.Builder) {
	t.Helper()
	dir, conf = t.TempDir(), new(strings.Builder)
	port := Port(t)
	fmt.Fprintf(conf, `server:
    rundir: "%[1]s"
    listen: 127.0.0.1@%[2]d
database:
    storage: "%[1]s"
`, dir, port)
	return dir, fmt.Sprintf("127.0.0.1:%d", port), conf
}

// KnotWith is [Knot] with further lines of configuration.
func KnotWith(t testing.TB, lines string, zones ...Zone) (addr string, anchors []string) {
	t.Helper()
	Need(t, "knotd", "keymgr")
	dir, addr, conf := knotServer(t)
	fmt.Fprintf(conf, `policy:
  - id: p256
    algorithm: ecdsap256sha256
    single-type-signing: on
key:
  - id: %[1]s
    algorithm: hmac-sha256
    secret: %[3]s
  - id: %[2]s
    algorithm: hmac-sha256
    secret: %[3]s
  - id: %[4]s
    algorithm: hmac-sha256
    secret: %[3]s
acl:
  - id: administrator
    key: %[4]s
    action: update
  - id: secondaries
    address: 127.0.0.1
    action: transfer

`, TSIGName, TSIGIdle, TSIGSecret, TSIGAll)
	for i, z := range zones {
		services := z.Services
		if services == nil {
			services = helped
		}
		fmt.Fprintf(conf, `  - id: owner-%d
    key: %s
    action: update
    update-type: TXT
    update-owner: name
    update-owner-match: equal
    update-owner-name: [%s._dna]
`, i, TSIGName, strings.Join(services, "._dna, "))
	}
	fmt.Fprintf(conf, `template:
  - id: default
    storage: "%s"
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
zone:
`, dir)
	for i, z := range zones {
		WriteFile(t, dir, z.Name+".zone", "$ORIGIN "+z.Name+".\n"+zoneFile(z.Content))
		if z.Listed {
			continue
		}
		fmt.Fprintf(conf, "  - domain: %s\n    file: \"%s.zone\"\n", z.Name, z.Name)
		if z.Signed {
			conf.WriteString("    dnssec-signing: on\n    dnssec-policy: p256\n")
		}
		if z.Updated {
			fmt.Fprintf(conf, "    acl: [owner-%d, administrator, secondaries]\n", i)
		}
	}
	file := WriteFile(t, dir, "knot.conf", conf.String()+lines)
	Server(t, func() bool {
		for _, z := range zones {
			if !answers(addr, z.Name) {
				return false
			}
		}
		return true
	}, "knotd", "-c", file)
	for _, z := range zones {
		if !z.Signed {
			continue
		}
		for line := range strings.Lines(Output(t, dir, "keymgr", "-c", file, z.Name, "ds")) {
			if strings.Contains(line, " 13 2 ") {
				ds := strings.Replace(strings.TrimSpace(line), " DS ", " IN DS ", 1)
				if z.Broken {
					ds = spoiled(ds)
				}
				anchors = append(anchors, ds)
			}
		}
	}
	return addr, anchors
}

// spoiled changes the last digit.
func spoiled(ds string) string {
	last := "0"
	if strings.HasSuffix(ds, last) {
		last = "1"
	}
	return ds[:len(ds)-1] + last
}

// Port53 passes connections at port 53 of a loopback address on to a server, for
// programs that know no other port. It returns the address.
func Port53(t testing.TB, server string) (ip string) {
	t.Helper()
	var l net.Listener
	var err error
	for range 5 { // another process may have the address
		ip = fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
		if l, err = net.Listen("tcp", ip+":53"); err == nil {
			break
		}
	}
	if err != nil {
		missing(t, "the right", "to listen at port 53")
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { pass(in, server) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		open.Wait()
	})
	return ip
}

// pass passes on what comes, both ways, until both have ended or Timeout is over.
func pass(in net.Conn, server string) {
	defer in.Close()
	out, err := net.DialTimeout("tcp", server, Timeout)
	if err != nil {
		return
	}
	defer out.Close()
	deadline := time.Now().Add(Timeout)
	_, _ = in.SetDeadline(deadline), out.SetDeadline(deadline)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0])
			_ = way[1].(*net.TCPConn).CloseWrite()
		})
	}
	both.Wait()
}

// KnotSecondary serves copies of updated zones of a [Knot] with another knotd.
// After the first, it gets a copy only when transfer is called.
func KnotSecondary(t testing.TB, primary string, zones ...string) (addr string, transfer func()) {
	t.Helper()
	Need(t, "knotd", "knotc")
	dir, addr, conf := knotServer(t)
	fmt.Fprintf(conf, `remote:
  - id: primary
    address: %s
template:
  - id: default
    storage: "%s"
    zonefile-sync: -1
    master: primary
zone:
`, strings.Replace(primary, ":", "@", 1), dir)
	for _, z := range zones {
		fmt.Fprintf(conf, "  - domain: %s\n", z)
	}
	file := WriteFile(t, dir, "knot.conf", conf.String())
	Server(t, func() bool {
		for _, z := range zones {
			if !answers(addr, z) {
				return false
			}
		}
		return true
	}, "knotd", "-c", file)
	return addr, func() {
		for _, z := range zones {
			Output(t, dir, "knotc", "-c", file, "-b", "zone-refresh", z)
		}
	}
}

// Unbound resolves names of the zones through a real, validating unbound that
// asks an authoritative server and nobody else. No packet leaves the machine.
func Unbound(t testing.TB, authority string, anchors []string, zones ...string) (addr string) {
	t.Helper()
	Need(t, "unbound")
	dir, port := t.TempDir(), Port(t)
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	var conf strings.Builder
	fmt.Fprintf(&conf, `server:
    directory: "%[1]s"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    do-daemonize: no
    interface: 127.0.0.1@%[2]d
    outgoing-interface: 127.0.0.1
    do-ip6: no
    do-not-query-localhost: no
    ede: yes
    cache-max-negative-ttl: 1
    trust-anchor-file: "%[3]s"
    local-zone: "." refuse
`, dir, port, WriteFile(t, dir, "anchors.ds", strings.Join(anchors, "\n")+"\n"))
	for _, z := range zones {
		fmt.Fprintf(&conf, "    local-zone: \"%s.\" transparent\n", z)
	}
	host, authPort, _ := strings.Cut(authority, ":")
	for _, z := range zones {
		fmt.Fprintf(&conf, "stub-zone:\n    name: \"%s\"\n    stub-addr: %s@%s\n", z, host, authPort)
	}
	file := WriteFile(t, dir, "unbound.conf", conf.String())
	Server(t, func() bool { return answers(addr, zones[0]) }, "unbound", "-d", "-c", file)
	return addr
}

// answers reports whether a server has an SOA record for a zone.
func answers(addr, zone string) bool {
	m := new(dns.Msg)
	m.SetQuestion(zone+".", dns.TypeSOA)
	reply, _, err := (&dns.Client{Timeout: 500 * time.Millisecond}).Exchange(m, addr)
	return err == nil && len(reply.Answer) > 0
}

// Nginx serves a folder over TLS with a certificate and key, with the lines of
// configuration that dnasign's help gives, and returns its address.
func Nginx(t testing.TB, root, cert, key, location string) (addr string) {
	t.Helper()
	Need(t, "nginx")
	dir, port := t.TempDir(), Port(t)
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	for _, name := range []string{"logs", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := WriteFile(t, dir, "nginx.conf", fmt.Sprintf(`daemon off;
user root;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path %[1]s/tmp/body; proxy_temp_path %[1]s/tmp/proxy; fastcgi_temp_path %[1]s/tmp/fastcgi;
    uwsgi_temp_path %[1]s/tmp/uwsgi; scgi_temp_path %[1]s/tmp/scgi;
    default_type application/octet-stream;
    server {
        listen %[2]s ssl;
        ssl_certificate %[3]s;
        ssl_certificate_key %[4]s;
        root %[5]s;
        %[6]s
    }
}
`, dir, addr, cert, key, root, location))
	Server(t, func() bool { return open(addr) }, "nginx", "-p", dir, "-c", file)
	return addr
}

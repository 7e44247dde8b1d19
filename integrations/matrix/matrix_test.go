// Package matrix lets real servers of each kind meet each other, in both
// directions: by statements in each form and place, and without them.
package matrix

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
	"github.com/dnasign/dnasign/keys"
)

// A way is a form and a place of a statement.
type way string

const (
	jws    way = "jws" // in DNS
	ac     way = "ac"  // in DNS
	stream way = "stream"
)

var ways = []way{jws, ac, stream}

// A stage is what every pair goes through, in this order. The servers that verify log
// the text.
type stage struct{ name, text string }

var stages = []stage{
	{"refused without statement", `Certificate not accepted for %s: refused, no-statement: `},
	{"accepted", `%s may be served by [a-z.-]+ \(delegation, until `},
	{"refused with the daemon away", `Certificate not accepted for %s: undetermined, no-answer: `},
	{"refused after revocation", `Certificate not accepted for %s: refused, revoked: `},
}

const accepted = 1

// other is the kind of a second version of Prosody, if there is one. Then every pair
// has the first in it.
const other = "other"

// A kind is a software for servers.
type kind struct {
	name string
	// verifier and provider start a server. A verifier asks the daemon at a URL.
	verifier, provider func(*meeting, server) server
}

// A server hosts domains with the certificate of its host or, if it verifies, of
// its domain.
type server struct {
	kind    string
	domains []string
	host    string
	url     string // of its daemon, if it verifies
	handed  string // folder with statements that owners handed over

	port   int
	log    *realtest.Log
	send   func(pairs [][2]string) // messages that are not answered, from and to
	hangUp func()
}

// A meeting is all of them.
type meeting struct {
	*xmpptest.Site
	bin   string
	other string            // program of another version of Prosody, or ""
	hosts *dnsserver.Server // for servers: where to connect
	names *dnsserver.Server // for daemons: what is published, and for which host
	lines []string
	cells map[string]int
}

// TestMatrix: each kind of server meets each kind, in both directions. With
// DNA_OTHER_PROSODY, the path of another version of Prosody, that is a kind too.
func TestMatrix(t *testing.T) {
	realtest.Need(t, "prosody", "prosodyctl", "erlc", "erl", "ejabberdctl")
	realtest.NeedLua(t, "lunbound")
	m := &meeting{Site: xmpptest.NewSite(t), bin: t.TempDir(), hosts: setup.DNS(t), names: setup.DNS(t), cells: map[string]int{}}
	// ejabberd before 25.07 takes no certificate from who connects that is for
	// servers only.
	m.Edit = func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) }
	realtest.Output(t, ".", "go", "build", "-o", m.bin, "../../cmd/dnaverify")

	kinds := []kind{{"prosody", prosodyOf("prosody").verifier, prosodyOf("prosody").provider}, {"ejabberd", ejabberdVerifier, ejabberdProvider}}
	if m.other = os.Getenv("DNA_OTHER_PROSODY"); m.other != "" {
		kinds = append(kinds, kind{other, prosodyOf(m.other).verifier, prosodyOf(m.other).provider})
	}
	var verifiers, providers []server
	var daemons []*daemon
	for _, k := range kinds {
		d := &daemon{address: fmt.Sprintf("127.0.0.1:%d", realtest.Port(t)), store: filepath.Join(m.Dir, k.name+".db")}
		m.serve(d)
		daemons = append(daemons, d)
		v := server{kind: k.name, domains: []string{k.name + "-verifies.example"}, host: k.name + "-verifies.example", url: "http://" + d.address + "/v1/check"}
		verifiers = append(verifiers, k.verifier(m, v))
		p := server{kind: k.name, host: "xmpp." + k.name + "-provider.example", handed: t.TempDir()}
		for _, w := range ways {
			p.domains = append(p.domains, fmt.Sprintf("%s.%s.example", w, k.name))
		}
		providers = append(providers, k.provider(m, p))
	}
	var lead []string
	for _, s := range slices.Concat(verifiers, providers) {
		for _, d := range s.domains {
			// ejabberd looks hosts up with the system's resolver, which knows localhost.
			lead = append(lead, fmt.Sprintf("_xmpp-server._tcp.%s. SRV 0 0 %d localhost.", d, s.port))
		}
	}
	if err := m.hosts.SetRecords(lead); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, s := range slices.Concat(verifiers, providers) {
			t.Logf("log of %s of %s:\n%s", s.kind, s.host, s.log)
		}
	})

	owners := map[string]*keys.Signer{}
	for _, p := range providers {
		for _, d := range p.domains {
			owners[d], _, _ = m.Certify(d)
		}
	}
	for i, s := range stages {
		switch i {
		case accepted:
			m.publish(providers, owners, false)
		case 2:
			for _, d := range daemons {
				d.Stop()
			}
		case 3:
			for _, d := range daemons {
				m.serve(d)
			}
			m.publish(providers, owners, true)
		}
		if i != 2 {
			for _, d := range daemons {
				mark := d.Log.Mark()
				d.Signal(t, syscall.SIGHUP) // look again
				d.Log.Wait(t, mark, "reloaded")
			}
		}
		for _, v := range verifiers {
			m.meet(v, providers, s, true)
			m.meet(v, providers, s, false)
		}
	}
	for _, s := range stages {
		m.lines = append(m.lines, fmt.Sprintf("%3d cells %s", m.cells[s.name], s.name))
	}
	realtest.Table(t, "matrix", strings.Join(m.lines, "\n"))
}

// meet has a verifier meet all domains of the providers, in one direction.
func (m *meeting) meet(v server, providers []server, s stage, outgoing bool) {
	m.T.Helper()
	for _, p := range providers {
		if m.other != "" && v.kind != "prosody" && p.kind != "prosody" {
			continue // they met without the other version
		}
		v.hangUp()
		p.hangUp()
		var pairs [][2]string
		for _, d := range p.domains {
			if outgoing {
				pairs = append(pairs, [2]string{v.domains[0], d})
			} else {
				pairs = append(pairs, [2]string{d, v.domains[0]})
			}
		}
		from, direction := p, "incoming"
		if outgoing {
			from, direction = v, "outgoing"
		}
		mark := v.log.Mark()
		began := time.Now()
		for again := began; len(pairs) > 0; time.Sleep(50 * time.Millisecond) {
			if !time.Now().Before(again) {
				from.send(pairs) // also after a refusal, which a server may remember for a second
				again = time.Now().Add(3 * time.Second)
			}
			text := v.log.String()[mark:]
			pairs = slices.DeleteFunc(pairs, func(pair [2]string) bool {
				source := pair[1]
				if !outgoing {
					source = pair[0]
				}
				if !regexp.MustCompile(fmt.Sprintf(s.text, regexp.QuoteMeta(source))).MatchString(text) {
					return false
				}
				m.cells[s.name]++
				return true
			})
			if time.Since(began) > realtest.Timeout {
				m.T.Fatalf("%s, %s, %s of %s: %q are not %s:\n%s", v.kind, direction, p.kind, p.host, pairs, s.name, text)
			}
		}
		text := v.log.String()[mark:]
		for _, d := range p.domains {
			if s != stages[accepted] && strings.Contains(text, d+" may be served by ") {
				m.T.Errorf("%s, %s: %s was accepted, and should be %s", v.kind, direction, d, s.name)
			}
		}
		m.lines = append(m.lines, fmt.Sprintf("%-8s verifies %-8s %s, %s: %s", v.kind, p.kind, direction, s.name, strings.Join(p.domains, " ")))
	}
}

// publish has the owners delegate to their providers, or revoke. A statement for the
// stream is handed over, and its revocation stands in DNS.
func (m *meeting) publish(providers []server, owners map[string]*keys.Signer, revoke bool) {
	m.T.Helper()
	issued := time.Now().Add(-time.Minute)
	var lines []string
	for _, p := range providers {
		for i, d := range p.domains {
			s := world.Statement(d, world.Service, issued, p.host)
			s.Targets[0].Port = uint16(p.port)
			if revoke {
				s = world.Statement(d, world.Service, issued.Add(30*time.Second))
			}
			encoding := delegation.JWS
			if ways[i] == ac {
				encoding = delegation.AC
			}
			raw := world.Sign(s, encoding, owners[d])
			if ways[i] == stream && !revoke {
				folder := filepath.Join(p.handed, d)
				if err := os.Mkdir(folder, 0o755); err != nil {
					m.T.Fatal(err)
				}
				realtest.WriteFile(m.T, folder, s.Service+".jws", string(raw))
				continue
			}
			lines = append(lines, world.TextLine(d, s.Service, encoding.TXTRecord(raw)))
		}
	}
	if err := m.names.SetRecords(lines); err != nil {
		m.T.Fatal(err)
	}
}

// A daemon is one that is started again.
type daemon struct {
	*realtest.Process
	address, store string
}

func (m *meeting) serve(d *daemon) {
	m.T.Helper()
	d.Process = realtest.Start(m.T, func() bool {
		reply, err := http.Get("http://" + d.address + "/healthz")
		if err != nil {
			return false
		}
		reply.Body.Close()
		return reply.StatusCode == http.StatusOK
	}, filepath.Join(m.bin, "dnaverify"), "serve", "--listen", d.address, "--store", d.store,
		"--roots", m.Roots, "--resolver", m.names.Addr, "--allow-private-addresses", "--log-level", "debug")
}

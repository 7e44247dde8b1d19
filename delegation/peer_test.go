package delegation

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// A meeting is a TLS connection to a peer, after a statement was verified.
type meeting struct {
	*trial
	target Endpoint
	peer   *keys.Signer // whom the peer shows
	policy PeerPolicy
	server bool // the peer is the TLS client
}

// shows is a spoiler for the certificate of the peer.
func shows(edit func(c *x509.Certificate)) func(*meeting) {
	return func(m *meeting) { m.peer = m.issue("P-256", edit) }
}

func pinned(pins ...Pin) func(*meeting) {
	return func(m *meeting) { m.statement.Targets[0].SPKI = pins }
}

type peerCase struct {
	name  string
	spoil func(m *meeting)
	want  reasons.Reason
}

// peerCases are what the test vectors cannot say, and one of each kind for a real
// connection.
func peerCases() []peerCase {
	hosting := func(c *x509.Certificate) { c.DNSNames = []string{host} }
	return []peerCase{
		{"good", func(*meeting) {}, reasons.Verified},
		{"the peer connects to us", func(m *meeting) { m.server = true }, reasons.Verified},
		{"the last second", func(m *meeting) { m.policy.Now = clock(goodStatement().Expires.Add(-1)) }, reasons.Verified},

		{"no trust anchors", func(m *meeting) { m.policy.Roots = nil }, reasons.MissingInput},
		{"no clock", func(m *meeting) { m.policy.Now = nil }, reasons.MissingInput},
		{"zero policy", func(m *meeting) { m.policy = PeerPolicy{} }, reasons.MissingInput},
		{"clock that says nothing", func(m *meeting) { m.policy.Now = clock(time.Time{}) }, reasons.MissingInput},
		{"clock a nanosecond after zero", func(m *meeting) { m.policy.Now = clock(time.Time{}.Add(1)) }, reasons.MissingInput},
		{"proof has ended", func(m *meeting) { m.policy.Now = clock(goodStatement().Expires) }, reasons.ProofExpired},

		{"common name only", shows(func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, host }), reasons.PeerNameMismatch},
		{"for clientAuth only", shows(func(c *x509.Certificate) {
			hosting(c)
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), reasons.PeerUntrusted},
		{"for clientAuth only, the peer connects to us", func(m *meeting) {
			m.server = true
			shows(func(c *x509.Certificate) {
				hosting(c)
				c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
			})(m)
		}, reasons.PeerUntrusted},
		{"no certificate", func(m *meeting) { m.peer = nil }, reasons.PeerUntrusted},

		{"wrong pin", pinned(Pin{1}), reasons.PeerKeyMismatch},
		{"right pin, wrong name", func(m *meeting) {
			m.peer = m.issue("P-256", nil)
			pinned(pinOf(m.peer))(m)
		}, reasons.PeerNameMismatch},
	}
}

// checkAt is what a program does with the names that a result proves at an endpoint.
func checkAt(r *Result, at Endpoint, p PeerPolicy) func(tls.ConnectionState) error {
	var references []Reference
	for _, t := range r.Dial() {
		if t.Endpoint == at {
			references = append(references, Reference{Name: t.Host, SPKI: t.SPKI, Until: r.ValidUntil()})
		}
	}
	return func(cs tls.ConnectionState) error {
		_, err := p.Check(cs.PeerCertificates, references)
		return err
	}
}

// TestPeer holds real TLS connections to PeerPolicy.Check.
func TestPeer(t *testing.T) {
	for _, c := range peerCases() {
		t.Run(c.name, func(t *testing.T) {
			m := &meeting{trial: newTrial(t), target: endpoint}
			m.peer = m.issue("P-256", func(c *x509.Certificate) { c.DNSNames = []string{host} })
			m.policy = PeerPolicy{Roots: m.root.Pool(), Now: clock(now)}
			c.spoil(m)
			result, err := m.verify()
			wantEnd(t, reasons.Verified, result, err)
			check := checkAt(result, m.target, m.policy)
			if m.peer == nil {
				wantRefusal(t, c.want, check(tls.ConnectionState{}))
				return
			}
			err = m.connect(check)
			if c.want == reasons.Verified {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantRefusal(t, c.want, err)
		})
	}
}

// connect shakes hands on loopback and returns what our side says.
func (m *meeting) connect(check func(tls.ConnectionState) error) error {
	m.t.Helper()
	certificate := localca.TLS(m.peer)
	peersConfig := &tls.Config{Certificates: []tls.Certificate{certificate}, InsecureSkipVerify: true}
	ours := &tls.Config{
		Certificates: []tls.Certificate{certificate}, InsecureSkipVerify: true, ServerName: m.target.Host,
		ClientAuth: tls.RequireAnyClientCert, SessionTicketsDisabled: true, VerifyConnection: check,
	}
	here, there := loopback(m.t)
	defer here.Close()
	client, server := tls.Client(here, ours), tls.Server(there, peersConfig)
	if m.server {
		client, server = tls.Client(there, peersConfig), tls.Server(here, ours)
	}
	us, peer := client, server
	if m.server {
		us, peer = server, client
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer there.Close()
		// The outcome of our side is what counts; a refused peer sees an alert.
		if peer.Handshake() == nil {
			var last [1]byte
			_, _ = peer.Read(last[:])
		}
	}()
	err := us.Handshake()
	here.Close()
	<-done
	return err
}

// TestResumedSession: a session that is resumed after the proof has ended is
// refused, though its certificate was accepted before.
func TestResumedSession(t *testing.T) {
	tr := newTrial(t)
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
	peer := tr.issue("P-256", func(c *x509.Certificate) { c.DNSNames = []string{host} })
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{localca.TLS(peer)}, Time: clock(now)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("x")) // with the session ticket before it
			c.Close()
		}
	}()
	at, resumed := now, false
	check := checkAt(result, endpoint, PeerPolicy{Roots: tr.root.Pool(), Now: func() time.Time { return at }})
	config := &tls.Config{
		ServerName: host, InsecureSkipVerify: true, Time: clock(now), ClientSessionCache: tls.NewLRUClientSessionCache(1),
		VerifyConnection: func(cs tls.ConnectionState) error {
			resumed = cs.DidResume
			return check(cs)
		},
	}
	visit := func() error {
		c, err := tls.Dial("tcp", listener.Addr().String(), config)
		if err != nil {
			return err
		}
		defer c.Close()
		var x [1]byte
		_, err = c.Read(x[:])
		return err
	}
	if err := visit(); err != nil || resumed {
		t.Fatalf("the first time: %v, resumed = %t", err, resumed)
	}
	if err := visit(); err != nil || !resumed {
		t.Fatalf("the second time: %v, resumed = %t", err, resumed)
	}
	at = result.ValidUntil()
	wantRefusal(t, reasons.ProofExpired, visit())
}

// loopback is a connection that holds what is written until it is read, unlike
// net.Pipe. With net.Pipe, two sides that both write an alert would wait for
// ever.
func loopback(t testing.TB) (here, there net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if here, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if there, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return here, there
}

func pinOf(s *keys.Signer) Pin { return pinOfCertificate(s.Leaf()) }

func pinOfCertificate(c *x509.Certificate) Pin { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// TestFurthestReference: a refusal tells of the reference that got furthest.
func TestFurthestReference(t *testing.T) {
	lab := newLaboratory(t)
	peer := lab.issue("P-256", func(c *x509.Certificate) { c.DNSNames = []string{host, "*.b.example"} })
	policy := PeerPolicy{Roots: lab.root.Pool(), Now: clock(now)}
	var (
		other    = Reference{Name: "other.example"}
		ended    = Reference{Name: host, Until: now}
		unpinned = Reference{Name: "im.b.example", SPKI: []Pin{{1}}}
		good     = Reference{Name: host, SPKI: []Pin{{1}, pinOf(peer)}, Until: now.Add(time.Second)}
		forever  = Reference{Name: "im.b.example"}
	)
	for _, c := range []struct {
		name       string
		references []Reference
		want       reasons.Reason
		holds      int
		until      time.Time
	}{
		{"none", nil, reasons.PeerNameMismatch, -1, time.Time{}},
		{"another", []Reference{other}, reasons.PeerNameMismatch, -1, time.Time{}},
		{"another, ended", []Reference{other, ended}, reasons.ProofExpired, -1, time.Time{}},
		{"ended, another", []Reference{ended, other}, reasons.ProofExpired, -1, time.Time{}},
		{"ended, other key", []Reference{ended, unpinned}, reasons.PeerKeyMismatch, -1, time.Time{}},
		{"other key, ended, another", []Reference{unpinned, ended, other}, reasons.PeerKeyMismatch, -1, time.Time{}},
		{"all of them, and a good one", []Reference{unpinned, ended, other, good}, reasons.Verified, 3, now.Add(time.Second)},
		{"two good ones", []Reference{forever, good}, reasons.Verified, 0, peer.Leaf().NotAfter.Add(time.Second)},
	} {
		match, err := policy.Check(peer.Chain(), c.references)
		if match == nil {
			match = &PeerMatch{Index: -1}
		}
		if match.Index != c.holds || !match.Until.Equal(c.until) || match.TLSA != nil {
			t.Errorf("%s: %+v", c.name, match)
		}
		if c.want == reasons.Verified {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		wantRefusal(t, c.want, err)
	}
}

package delegation

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// recordFor makes a TLSA record for a certificate.
func recordFor(usage, selector, matching uint8, c *x509.Certificate) TLSARecord {
	data := localca.Must(hex.DecodeString(localca.Must(dns.CertificateToDANE(selector, matching, c))))
	return TLSARecord{usage, selector, matching, data}
}

// A tlsPeer is a server with a chain.
type tlsPeer struct {
	name  string
	chain []*x509.Certificate
	tls   tls.Certificate
}

func newTLSPeer(name string, s *keys.Signer, above ...*x509.Certificate) tlsPeer {
	p := tlsPeer{name: name, tls: localca.TLS(s)}
	p.chain = append(slices.Clone(s.Chain()), above...)
	p.tls.Certificate = nil
	for _, c := range p.chain {
		p.tls.Certificate = append(p.tls.Certificate, c.Raw)
	}
	return p
}

// serve answers TLS handshakes until the test ends.
func (p tlsPeer) serve(t *testing.T) (addr string) {
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{p.tls}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func(conn net.Conn) {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(time.Minute))
				_ = conn.(*tls.Conn).Handshake() // the other side tells how it went
				_, _ = conn.Read(make([]byte, 1))
			}(conn)
		}
	}()
	return l.Addr().String()
}

// TestDANEOpenSSL compares the judgement of a peer by TLSA records with that of
// OpenSSL, which has DANE of its own: every usage, selector and matching type, for
// every certificate that a peer shows and one that it does not.
func TestDANEOpenSSL(t *testing.T) {
	realtest.Need(t, "openssl")
	now := time.Now()
	begin, end := now.Add(-time.Hour), now.Add(time.Hour)
	public, private := localca.NewChain(now), localca.NewChain(now)
	leaf := func(a *localca.Authority, from, to time.Time, names ...string) *keys.Signer {
		return localca.Must(a.Issue("P-256", names, from, to, nil))
	}
	key := localca.Must(localca.NewKey("P-256"))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "self"}, DNSNames: []string{host}, NotBefore: begin, NotAfter: end}
	self := localca.Must(x509.ParseCertificate(localca.Must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))))
	peers := []tlsPeer{
		newTLSPeer("public", leaf(public, begin, end, host), public.Root()),
		newTLSPeer("public, without the root", leaf(public, begin, end, host)),
		newTLSPeer("public, another name", leaf(public, begin, end, "other.example"), public.Root()),
		newTLSPeer("public, ended", leaf(public, begin.Add(-time.Hour), begin, host), public.Root()),
		newTLSPeer("private", leaf(private, begin, end, host), private.Root()),
		newTLSPeer("private, another name", leaf(private, begin, end, "other.example"), private.Root()),
		newTLSPeer("private, ended", leaf(private, begin.Add(-time.Hour), begin, host), private.Root()),
		newTLSPeer("private, a stranger beside", leaf(private, begin, end, host), private.Root(), public.Root()),
		{"self-signed", []*x509.Certificate{self}, tls.Certificate{Certificate: [][]byte{self.Raw}, PrivateKey: key}},
	}
	stranger := localca.Must(localca.New("Stranger", now)).Root()
	dir := t.TempDir()
	realtest.WriteFile(t, dir, "roots.pem", string(localca.PEM(public.Root())))
	trials, matches := 0, 0
	for _, p := range peers {
		addr := p.serve(t)
		for usage := range uint8(4) {
			for selector := range uint8(2) {
				for i, c := range append(slices.Clone(p.chain), stranger) {
					record := recordFor(usage, selector, uint8(i+trials)%3, c)
					trials++
					policy := PeerPolicy{Roots: public.Pool(), Now: time.Now}
					d := &DANE{Records: []TLSARecord{record}, Source: host, Collected: now, TTL: 3600}
					match, err := policy.Check(p.chain, []Reference{{Name: host, DANE: d}})
					if reason := ReasonOf(err); err != nil && reason != reasons.DANEMismatch {
						t.Errorf("%s, %s of certificate %d: %v", p.name, record.Numbers(), i, err)
					}
					out, theirs := opensslDANE(t, dir, addr, record)
					if (err == nil) != theirs {
						t.Errorf("%s, %s of certificate %d: %t (%v), OpenSSL says %t:\n%s", p.name, record.Numbers(), i, err == nil, err, theirs, out)
					}
					if match != nil {
						matches++
					}
				}
			}
		}
	}
	t.Logf("%d trials, %d matches", trials, matches)
	if matches < 30 || trials-matches < 100 {
		t.Errorf("%d trials, %d matches", trials, matches)
	}
}

// opensslDANE reports whether OpenSSL accepts a server by a TLSA record.
func opensslDANE(t *testing.T, dir, addr string, r TLSARecord) (out string, ok bool) {
	cmd := exec.CommandContext(t.Context(), "openssl", "s_client", "-connect", addr, "-servername", host, "-brief", "-verify_return_error",
		"-CAfile", filepath.Join(dir, "roots.pem"), "-dane_tlsa_domain", host, "-dane_tlsa_rrdata", r.String(), "-dane_ee_no_namechecks")
	output, err := cmd.CombinedOutput()
	out = string(output)
	matched := strings.Contains(out, "DANE TLSA "+r.Numbers())
	if verified := strings.Contains(out, "Verification: OK"); verified != matched || verified != (err == nil) {
		t.Errorf("OpenSSL: verified %t, matched %t, %v", verified, matched, err)
	}
	return out, matched
}

// recordCases are records for the certificate of a peer, as they decide about it. The
// vectors of the family dane have all of them.
var recordCases = map[string]reasons.Reason{
	"3 1 1": reasons.Verified, "3 0 2": reasons.Verified, "1 1 0": reasons.Verified, "2 1 1": reasons.DANEMismatch, "0 0 1": reasons.DANEMismatch,
}

func TestTLSARecords(t *testing.T) {
	tr := newTrial(t)
	leaf := tr.signer.Leaf()
	for numbers, want := range recordCases {
		var usage, selector, matching uint8
		if _, err := fmt.Sscan(numbers, &usage, &selector, &matching); err != nil {
			t.Fatal(err)
		}
		d := &DANE{Records: []TLSARecord{recordFor(usage, selector, matching, leaf)}, Source: source, Collected: now, TTL: 3600}
		match, err := PeerPolicy{Roots: tr.policy.Roots, Now: clock(now)}.Check(tr.signer.Chain(), []Reference{{Name: host, DANE: d}})
		switch {
		case want != reasons.Verified:
			wantRefusal(t, want, err)
		case err != nil || match.TLSA.Numbers() != numbers || !match.Until.Equal(now.Add(time.Hour)):
			t.Errorf("%s: %+v, %v", numbers, match, err)
		}
	}
}

// TestManyTLSARecords: that a zone has thousands of records costs next to nothing, and
// sixteen that name every certificate of a peer cost one search for a chain.
func TestManyTLSARecords(t *testing.T) {
	tr := newTrial(t)
	chain := tr.signer.Chain()
	secure := Answer{Name: host, DNSSEC: Secure, TTL: 60}
	e := EndpointAnswer{Endpoint: Endpoint{host, 5269}, Collected: now, Address: AddressAnswer{Answer: secure}, TLSA: &TLSAAnswer{Answer: secure}}
	for range 4096 {
		e.TLSA.Records = append(e.TLSA.Records, recordFor(3, 1, 1, chain[0]))
	}
	if _, err := e.DANE(source); ReasonOf(err) != reasons.TooManyRecords {
		t.Errorf("got %v, want %s", err, reasons.TooManyRecords)
	}
	e.TLSA.Records = nil
	for i := range limits.MaxTLSARecords {
		r := recordFor(2, uint8(i%2), uint8(1+i/2%2), chain[len(chain)-1])
		r.Data[0] ^= byte(i)
		e.TLSA.Records = append(e.TLSA.Records, r)
	}
	d, err := e.DANE(source)
	if err != nil || len(d.Records) != limits.MaxTLSARecords {
		t.Fatal(d, err)
	}
	references := make([]Reference, 16)
	for i := range references {
		references[i] = Reference{Name: fmt.Sprintf("a%d.example", i), DANE: d}
	}
	p := PeerPolicy{Roots: x509.NewCertPool(), Now: clock(now)}
	s, refused := p.look(chain, references)
	if refused != nil {
		t.Fatal(refused)
	}
	for _, r := range references {
		if _, _, err := s.dane(r); err != nil && err.Reason != reasons.DANEMismatch {
			t.Errorf("got %v", err)
		}
	}
	if n := len(s.selected); n == 0 || n > 4*len(chain) {
		t.Errorf("%d selections were hashed for %d records and %d certificates", n, 16*16, len(chain))
	}
}

// TestTLSARecordText: a record is written as in a zone file.
func TestTLSARecordText(t *testing.T) {
	if got := (TLSARecord{3, 1, 1, []byte{0, 0xab}}).String(); got != "3 1 1 00ab" {
		t.Errorf("got %q", got)
	}
	if got := (Endpoint{host, 5269}).TLSAName(); got != "_5269._tcp."+host {
		t.Errorf("got %q", got)
	}
}

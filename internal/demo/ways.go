package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/netip"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// ways tells of what else can carry a statement, name its key or prove the peer.
// The demo has no validating resolver. So where DNSSEC is needed, it writes into the
// evidence what one would say.
func (s *story) ways() error {
	s.title("Other ways: statements in the stream, and zones that are signed.")
	for _, way := range []func() error{s.inStream, s.namedKey, s.dane, s.posh} {
		if err := way(); err != nil {
			return err
		}
	}
	return nil
}

// evidence is that of a domain about which nothing is published, but for the records.
func (s *story) evidence(dnssec delegation.DNSSEC, records ...string) *delegation.Evidence {
	e := world.Nothing(source, service, dnssec, s.Now)
	e.TXT[0].Records, e.SRV = records, nil
	return e
}

func (s *story) verify(e *delegation.Evidence) (*delegation.Result, error) {
	return delegation.Verify(delegation.Query{Source: source, Service: service}, e, s.policy)
}

// inStream: the peer brings the statement, which counts while nothing is published.
func (s *story) inStream() error {
	e := s.evidence(delegation.Insecure)
	e.Streams = []delegation.StreamStatement{{Encoding: delegation.AC, Body: s.ac}}
	result, err := s.verify(e)
	if err != nil {
		return err
	}
	s.line("brought in the XMPP stream", "verified until %s", text.Stamp(result.ValidUntil()))

	revocation := s.signed(delegation.JWS, s.Now, s.Now.Add(time.Hour))
	e.TXT[0].Records = []string{delegation.JWS.TXTRecord(revocation)}
	_, err = s.verify(e)
	return s.refused("the same, and a revocation in DNS", err, reasons.Revoked)
}

// own makes a key with a certificate of its own.
func (s *story) own(domain string) (*keys.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return keys.SelfIssue(key, domain, s.Now.Add(-time.Hour), s.Now.Add(24*time.Hour))
}

// namedKey: the zone names the key, which needs no authority then.
func (s *story) namedKey() error {
	own, err := s.own(source)
	if err != nil {
		return err
	}
	token := signedBy(own, source, delegation.JWS, s.Now, s.Now.Add(time.Hour), s.target)
	named := func(token []byte, leaf *x509.Certificate) error {
		e := s.evidence(delegation.Secure, delegation.JWS.TXTRecord(token))
		e.Signers = []delegation.TLSAAnswer{{
			Answer:  delegation.Answer{Name: delegation.SignerName(source, service), DNSSEC: delegation.Secure, TTL: 600},
			Records: []delegation.TLSARecord{delegation.SignerRecord(leaf)},
		}}
		_, err := s.verify(e)
		return err
	}
	if err := named(token, own.Leaf()); err != nil {
		return err
	}
	s.line("signed with a key that the zone names", "verified without any authority")
	return s.refused("signed with another key of the owner", named(s.jws, own.Leaf()), reasons.SignerNotNamed)
}

// dane: the provider's zone names the key of its server.
func (s *story) dane() error {
	own, err := s.own(host)
	if err != nil {
		return err
	}
	accept := func(peer *keys.Signer, named *x509.Certificate) error {
		endpoint := delegation.EndpointAnswer{Endpoint: s.target, Collected: time.Now()}
		endpoint.Address = delegation.AddressAnswer{Answer: delegation.Answer{Name: host, DNSSEC: delegation.Secure, TTL: 600}, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}
		endpoint.TLSA = &delegation.TLSAAnswer{
			Answer:  delegation.Answer{Name: s.target.TLSAName(), DNSSEC: delegation.Secure, TTL: 600},
			Records: []delegation.TLSARecord{delegation.SignerRecord(named)}, // 3 1 1, too
		}
		peers := delegation.PeerPolicy{Roots: s.CA.Pool(), Now: time.Now, Endpoints: []delegation.EndpointAnswer{endpoint}}
		_, err := s.decision.Accept(s.target, peers, peer.Chain())
		return err
	}
	if err := accept(own, own.Leaf()); err != nil {
		return err
	}
	s.line("a self-signed peer that TLSA names", "accepted by statement and TLSA record")
	return s.refused("a good certificate that it does not name", accept(s.Of(host), own.Leaf()), reasons.DANEMismatch)
}

// posh: the lowest of all ways, where there is no statement.
func (s *story) posh() error {
	own, err := s.own(host)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(own.Leaf().Raw)
	e := s.evidence(delegation.Insecure)
	e.POSH = []delegation.Document{{
		URL: delegation.POSHURL(source, service), Status: 200, MediaType: delegation.POSHMediaType, MaxAge: -1,
		Body: fmt.Appendf(nil, `{"fingerprints": [{"sha-256": %q}], "expires": 3600}`, base64.StdEncoding.EncodeToString(digest[:])),
	}}
	accept := func(e *delegation.Evidence) error {
		a, err := association.Decide(association.Question{Source: source, Service: service, Direction: association.Incoming}, e, s.policy)
		if err != nil {
			return err
		}
		_, err = a.Accept(delegation.Endpoint{}, delegation.PeerPolicy{Roots: s.CA.Pool(), Now: time.Now}, own.Chain())
		return err
	}
	if err := accept(e); err != nil {
		return err
	}
	s.line("a peer that a POSH file names", "accepted, as long as there is no statement")
	e.TXT[0].Records = []string{delegation.JWS.TXTRecord(s.jws)}
	return s.refused("the same, and a statement", accept(e), reasons.PeerUntrusted)
}

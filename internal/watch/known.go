package watch

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// Known are the certificates that an owner knows to be its own.
type Known struct{ digests map[delegation.Digest]bool }

// NewKnown makes a set of certificates.
func NewKnown(certificates []*x509.Certificate) *Known {
	k := &Known{map[delegation.Digest]bool{}}
	for _, c := range certificates {
		k.digests[sha256.Sum256(c.Raw)] = true
	}
	return k
}

// A certificate is one that leads to a trust anchor: a signer's, or that of the
// domain's web server.
type certificate struct {
	fingerprint      delegation.Digest // SHA-256 in DER
	notAfter         time.Time
	name, issuer, id string // for a person
}

func aboutCertificate(c *x509.Certificate) certificate {
	return certificate{
		fingerprint: sha256.Sum256(c.Raw), notAfter: c.NotAfter,
		name: keys.Name(c), issuer: text.Short(c.Issuer.String(), 200), id: fmt.Sprintf("%x", c.SerialNumber),
	}
}

// serveTime bounds the connection that only asks for the web server's certificate.
const serveTime = 5 * time.Second

// served connects to the web server of a domain and returns its certificate. It
// returns nil if there is none that leads to a trust anchor: that is a failure to
// look there, which is a finding of its own.
func served(ctx context.Context, c *discovery.Client, domain string) *x509.Certificate {
	ctx, cancel := context.WithTimeout(ctx, serveTime)
	defer cancel()
	raw, err := c.DialContext(ctx, "tcp", net.JoinHostPort(domain, "443"))
	if err != nil {
		return nil
	}
	defer raw.Close()
	conn := tls.Client(raw, &tls.Config{ServerName: domain, RootCAs: c.HTTPSRoots, MinVersion: tls.VersionTLS12})
	if conn.HandshakeContext(ctx) != nil {
		return nil
	}
	return conn.ConnectionState().PeerCertificates[0]
}

// strangers finds certificates for the domain that the owner does not know.
func (v *view) strangers(known *Known, found *findings) {
	if known == nil {
		return
	}
	add := func(c certificate, what string) {
		if c.fingerprint == (delegation.Digest{}) || known.digests[c.fingerprint] {
			return
		}
		found.add(Finding{
			Name: UnknownCertificate, Severity: SeverityError, Resolvers: []string{v.Resolver},
			Detail: fmt.Sprintf("%s has a certificate that is not among the known ones: %s, serial number %s, issued by %s, SHA-256 %s", what, c.name, c.id, c.issuer, c.fingerprint),
		})
	}
	for _, p := range v.places {
		for _, s := range p.found {
			add(s.certificate, "the signer of a statement")
		}
	}
	if v.Served != nil {
		add(aboutCertificate(v.Served), "the web server")
	}
}

package renew

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/starttls"
	"github.com/dnasign/dnasign/internal/publish"
)

// poshTime bounds the connections to the targets of one delegation.
const poshTime = 30 * time.Second

// posh keeps the POSH files beside the statement of a delegation, where the
// configuration wants them. A revocation removes them. What does not work is told,
// and leaves the files as they are: the statement does not depend on them.
func (r *Runner) posh(ctx context.Context, w *work) {
	var roots []string
	for _, c := range w.Publish {
		if c.POSH {
			roots = append(roots, c.Webroot)
		}
	}
	if len(roots) == 0 || w.raw == nil || delegation.POSHURL(w.Source, w.Service) == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, poshTime)
	defer cancel()
	var certificates []*x509.Certificate
	for _, t := range w.targets {
		c, err := r.certificateAt(ctx, w.Source, w.Service, t)
		if err != nil {
			w.note("the POSH file is left as it is: %s: %v", t.Endpoint, err)
			return
		}
		certificates = append(certificates, c)
	}
	for _, root := range roots {
		web := &publish.Web{Root: root}
		switch file, changed, err := web.POSH(ctx, w.Source, w.Service, certificates); {
		case err != nil:
			w.note("the POSH file is left as it is: %v", err)
		case changed && len(certificates) == 0:
			w.note("%s is removed, because the service is revoked", file)
		case changed:
			w.note("%s names the certificates of the targets", file)
		}
	}
}

func (w *work) note(format string, args ...any) {
	w.entry.Notes = append(w.entry.Notes, fmt.Sprintf(format, args...))
}

// certificateAt is what a target shows to somebody who wants the source. Only a
// certificate that would be accepted by the statement is worth naming.
func (r *Runner) certificateAt(ctx context.Context, source, service string, t delegation.Target) (*x509.Certificate, error) {
	conn, err := r.Client.DialContext(ctx, "tcp", t.Endpoint.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	role := delegation.RoleOf(service)
	config := &tls.Config{ServerName: source, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} // PeerPolicy judges
	switch role.StartOf(t) {
	case delegation.DirectTLS:
		config.NextProtos = []string{role.ALPN}
	default:
		if err := starttls.Negotiate(ctx, conn, starttls.Request{Role: role.Service, To: source}); err != nil {
			return nil, err
		}
	}
	peer := tls.Client(conn, config)
	if err := peer.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	chain := peer.ConnectionState().PeerCertificates
	policy := delegation.PeerPolicy{Roots: r.Roots, Now: r.now}
	if _, err := policy.Check(chain, []delegation.Reference{{Name: t.Host, SPKI: t.SPKI}, {Name: source}}); err != nil {
		return nil, err
	}
	return chain[0], nil
}

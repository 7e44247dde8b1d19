package association

import (
	"crypto/x509"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// AcceptFurther is [Association.Accept] for a connection that exists. It was opened
// for a question, and its peer shall count as the source of a too: rule R1 of
// docs/connections.md. The direction and the role must be those of the connection.
// For another source, only a name counts that is proven by dnssec or delegation. The
// certificate must carry it without a wildcard, or be what a TLSA record of usage 3
// at that endpoint names. The whole check of the certificate is made again.
//
// The error is a *delegation.Error: an error of Accept,
// [reasons.ServiceMismatch], or the reason why nothing was proven.
func (a *Association) AcceptFurther(opened Question, at delegation.Endpoint, p delegation.PeerPolicy, chain []*x509.Certificate) (*Acceptance, error) {
	q := a.question
	if role := delegation.RoleOf(opened.Service).Service; q.Direction != opened.Direction || q.Service != role {
		return nil, delegation.Errorf(reasons.ServiceMismatch, "the connection is %s for %s, the decision %s for %s", opened.Direction, role, q.Direction, q.Service)
	}
	if q.Source == opened.Source {
		return a.Accept(at, p, chain)
	}
	if err := a.checkPlace(at); err != nil {
		return nil, err
	}
	proven := false
	acceptance, err := a.accept(at, p, chain, func(r Reference) bool {
		proves := r.Method.ProvesEndpoints()
		proven = proven || proves
		return proves && (carries(chain, r.Name) || matchesKey(chain, r.DANE))
	})
	switch {
	case delegation.ReasonOf(err) != reasons.PeerNameMismatch:
		return acceptance, err
	case !proven:
		return nil, a.unproven()
	}
	return nil, delegation.Errorf(reasons.PeerNameMismatch, "the certificate carries no name that was proven for %s, or only by a wildcard", q.Source)
}

// carries reports whether the peer's certificate has a name as it stands.
func carries(chain []*x509.Certificate, name string) bool {
	return len(chain) > 0 && slices.ContainsFunc(chain[0].DNSNames, func(n string) bool { return strings.ToLower(n) == name })
}

// matchesKey reports whether a TLSA record of usage 3 names the peer's certificate
// itself, so that its names do not matter.
func matchesKey(chain []*x509.Certificate, dane *delegation.DANE) bool {
	return len(chain) > 0 && dane != nil && dane.NamesKeyOf(chain[0])
}

// unproven says why a has no name but the source's own. A lookup that failed may
// hide one, but it hides no revocation.
func (a *Association) unproven() error {
	err := delegation.Errorf(reasons.PeerNameMismatch, "only a certificate of %s itself counts", a.question.Source)
	for _, p := range a.proofs {
		if !p.Method.ProvesEndpoints() {
			continue
		}
		switch p.Reason {
		case reasons.Verified, reasons.NotSecure, reasons.NotUsed:
			continue
		}
		if delegation.ReasonOf(err).Outcome() == reasons.OutcomeRefused || p.Reason == reasons.Revoked {
			err = delegation.Errorf(p.Reason, "%s", p.Detail)
		}
	}
	return err
}

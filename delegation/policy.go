package delegation

import (
	"crypto/x509"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A Query is the question: does Source delegate Service, and to Target?
type Query struct {
	Source string // domain name in the form of CheckName
	// Service is a role, such as _xmpp-server._tcp. The second SRV label of a role
	// stands for the role.
	Service string
	// Target, if not zero, must be among the delegated targets, host and port.
	// It replaces the comparison with SRV records.
	Target Endpoint
	// AllTargets leaves the SRV records out of the comparison: all targets of the
	// statement count. Whether DNSSEC secures the SRV answers still matters for who
	// may sign.
	AllTargets bool
}

// check refuses what is no question, and puts the role for its second label.
func (q *Query) check() *Error {
	if q.Source == "" {
		return Errorf(reasons.MissingInput, "the query has no source")
	}
	if q.Service == "" {
		return Errorf(reasons.MissingInput, "the query has no service")
	}
	if err := CheckName(q.Source); err != nil {
		return Errorf(reasons.BadQuery, "source: %v", err)
	}
	if err := CheckService(q.Service); err != nil {
		return Errorf(reasons.BadQuery, "%v", err)
	}
	q.Service = RoleOf(q.Service).Service
	if err := CheckTXTName(q.Source, q.Service); err != nil {
		return Errorf(reasons.BadQuery, "%v", err)
	}
	if q.Target == (Endpoint{}) {
		return nil
	}
	if err := CheckName(q.Target.Host); err != nil {
		return Errorf(reasons.BadQuery, "target: %v", err)
	}
	if q.Target.Port == 0 {
		return Errorf(reasons.BadQuery, "target %s has no port", q.Target.Host)
	}
	return nil
}

// A Policy is what the verifier believes and what it remembers. The zero
// Policy refuses everything. A Policy is not changed by [Verify] and may serve
// many calls at once.
type Policy struct {
	// Roots are the trust anchors for the chains of signers. Required: nil is
	// refused, it does not mean the system's. See keys.LoadRoots.
	Roots *x509.CertPool
	// Time is the moment to verify for. Required: the zero time is refused, it
	// does not mean now.
	Time time.Time
	// MaxLife is the longest accepted lifetime of a statement, Expires -
	// Issued. 0 means limits.DefaultMaxLife, and limits.LongestMaxLife is the most.
	MaxLife time.Duration
	// Floor is what earlier verifications for this source and role gave to
	// remember: the [Floor.Join] of all of Result.Floor and Error.Floor.
	Floor Floor
	// Cache, if not nil, saves work and changes no answer. It must have been made
	// for Roots.
	Cache *Cache
	// SignerCheck, if not nil, sees the verified chain of the signer, leaf
	// first and trust anchor last, and may refuse it. Of a signer whose key DNSSEC
	// names it sees the leaf alone, which nobody may have vouched for. It is for pins,
	// revocation lists and certificate transparency. It must not change them.
	// Its use is noted in the Result.
	SignerCheck func(chain []*x509.Certificate) error
	// BelieveReplayedDNSSEC makes a DNSSEC state count that was read back from
	// JSON. Anybody who can write the file can then claim anything about DNSSEC,
	// so it is for tests and for evidence of one's own. Noted in the Result.
	BelieveReplayedDNSSEC bool
}

func (p *Policy) check() *Error {
	switch {
	case p.Roots == nil:
		return Errorf(reasons.MissingInput, "the policy has no trust anchors (Roots)")
	case p.Time.IsZero():
		return Errorf(reasons.MissingInput, "the policy has no time (Time)")
	case !p.Cache.serves(p.Roots):
		return Errorf(reasons.MissingInput, "the policy's cache (Cache) was made for other trust anchors than Roots")
	case p.MaxLife < 0 || p.MaxLife > limits.LongestMaxLife:
		return Errorf(reasons.MissingInput, "the policy's longest life %v is not between 0 and %v", p.MaxLife, limits.LongestMaxLife)
	}
	return nil
}

func (p *Policy) maxLife() time.Duration {
	if p.MaxLife == 0 {
		return limits.DefaultMaxLife
	}
	return p.MaxLife
}

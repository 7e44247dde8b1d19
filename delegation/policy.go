package delegation

import (
	"crypto/x509"
	"time"
)

// A Query is the question: does Source delegate Service, and to Target?
type Query struct {
	Source  string // domain name in the form of CheckName
	Service string // such as _xmpp-server._tcp
	// Target, if not zero, must be among the delegated targets, host and port.
	// It replaces the comparison with SRV records.
	Target Endpoint
}

func (q Query) check() *Error {
	if q.Source == "" {
		return refuse(MissingInput, "the query has no source")
	}
	if q.Service == "" {
		return refuse(MissingInput, "the query has no service")
	}
	if err := CheckName(q.Source); err != nil {
		return refuse(BadQuery, "source: %v", err)
	}
	if err := CheckService(q.Service); err != nil {
		return refuse(BadQuery, "%v", err)
	}
	if name := TXTName(q.Source, q.Service); len(name) > MaxNameLength {
		return refuse(BadQuery, "%s is longer than %d octets", name, MaxNameLength)
	}
	if q.Target == (Endpoint{}) {
		return nil
	}
	if err := CheckName(q.Target.Host); err != nil {
		return refuse(BadQuery, "target: %v", err)
	}
	if q.Target.Port == 0 {
		return refuse(BadQuery, "target %s has no port", q.Target.Host)
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
	// MaxLife is the longest life of a statement, Expires - Issued, that is
	// accepted; 0 means DefaultMaxLife, and LongestMaxLife is the most.
	MaxLife time.Duration
	// Floor is what earlier verifications for this source gave to remember
	// (Result.Floors, Error.Floors), at most one for each service. A Floor does
	// not name its source: keep those of different sources apart.
	Floor []Floor
	// Known, if not nil, saves work and changes no answer. It must have been made
	// for Roots.
	Known *KnownChains
	// SignerCheck, if not nil, sees the verified chain of the signer, leaf
	// first and trust anchor last, and may refuse it: for pins, revocation
	// lists, certificate transparency. Its use is noted in the Result.
	SignerCheck func(chain []*x509.Certificate) error
	// BelieveReplayedDNSSEC makes a DNSSEC state count that was read back from
	// JSON. Whoever can write the file can then claim anything about DNSSEC,
	// so it is for tests and for evidence of one's own. Noted in the Result.
	BelieveReplayedDNSSEC bool
}

func (p *Policy) check() *Error {
	switch {
	case p.Roots == nil:
		return refuse(MissingInput, "the policy has no trust anchors (Roots)")
	case p.Time.IsZero():
		return refuse(MissingInput, "the policy has no time (Time)")
	case p.Known != nil && p.Known.roots != p.Roots:
		return refuse(MissingInput, "the policy's known chains (Known) were made for other trust anchors than Roots")
	case p.MaxLife < 0 || p.MaxLife > LongestMaxLife:
		return refuse(MissingInput, "the policy's longest life %v is not between 0 and %v", p.MaxLife, LongestMaxLife)
	}
	return nil
}

func (p *Policy) maxLife() time.Duration {
	if p.MaxLife == 0 {
		return DefaultMaxLife
	}
	return p.MaxLife
}

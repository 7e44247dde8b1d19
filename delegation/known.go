package delegation

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/dnasign/dnasign/keys"
)

// maxKnown bounds what KnownChains holds: that many certificates of
// authorities, and as many chains of them, of about 5 KB each. The public
// authorities together have some thousands of intermediates, a verifier meets
// a few dozen of them.
const maxKnown = 1000

// KnownChains remembers the authorities' part of chains that led to a trust
// anchor, so that the next statement below the same intermediate costs two
// signature checks and not three. It never changes an answer. For
// [Policy.Known].
//
// It takes a shortcut only where crypto/x509, the judge of every chain
// (docs/spec.md, W7), could not come to another end: below exactly the same
// certificates, octet for octet, that it has led to an anchor of the same pool
// once, at a time when all of them are valid, none of which, nor the leaf, has
// an extension that concerns certificates below it, such as name constraints
// or policy constraints; see docs/decisions.md. Everything else goes to
// crypto/x509 as a whole.
//
// It is safe for concurrent use, grows to a few megabytes at most, and learns
// from successful verifications alone.
type KnownChains struct {
	roots *x509.CertPool

	mu     sync.RWMutex
	parsed map[string]*x509.Certificate // by DER
	proven map[upper]*proof
}

// upper is the authorities' certificates that a statement carries, the issuer
// of the leaf first, by their address in KnownChains.parsed.
type upper [keys.MaxChain - 1]*x509.Certificate

// A proof is what crypto/x509 said of an upper: where it leads, and when all of
// it is valid, the ends included.
type proof struct {
	chain    []*x509.Certificate // with the trust anchor
	from, to time.Time
	anchor   string // see path
}

// NewKnownChains makes a memory for one pool of trust anchors, which must not
// change from then on, and must not hold anchors with constraints of their own
// ([x509.CertPool.AddCertWithConstraint]): those are a function of the caller's,
// which a shortcut would not ask.
func NewKnownChains(roots *x509.CertPool) *KnownChains {
	return &KnownChains{roots: roots, parsed: map[string]*x509.Certificate{}, proven: map[upper]*proof{}}
}

// parse is parseCertificate, unless exactly these octets were parsed before.
func (k *KnownChains) parse(der []byte) (*x509.Certificate, error) {
	if k != nil {
		k.mu.RLock()
		c := k.parsed[string(der)]
		k.mu.RUnlock()
		if c != nil {
			return c, nil
		}
	}
	return parseCertificate(der)
}

// below tells where a chain leads at a time, unless that has to be found out.
func (k *KnownChains) below(chain []*x509.Certificate, at time.Time) (path, bool) {
	if k == nil || len(chain) < 2 || !plain(chain[0]) || platformVerifies {
		return path{}, false
	}
	k.mu.RLock()
	known := k.proven[upperOf(chain)]
	k.mu.RUnlock()
	if known == nil || at.Before(known.from) || at.After(known.to) {
		return path{}, false
	}
	// Without intermediates this makes no signature check, unless an anchor is
	// named like the issuer. It finds a leaf that is an anchor itself, or below
	// one directly, which makes another chain.
	if _, err := chain[0].Verify(k.options(at)); err == nil {
		return path{}, false
	}
	if chain[0].CheckSignatureFrom(known.chain[0]) != nil {
		return path{}, false
	}
	way := append([]*x509.Certificate{chain[0]}, known.chain...)
	return path{way, chainEnd(way), known.anchor}, true
}

func (k *KnownChains) options(at time.Time) x509.VerifyOptions {
	return x509.VerifyOptions{Roots: k.roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
}

// learn remembers the one way that crypto/x509 found from a chain to a trust
// anchor of a name, if a shortcut may stand for it later.
func (k *KnownChains) learn(chain []*x509.Certificate, ways [][]*x509.Certificate, anchor string) {
	if k == nil || len(chain) < 2 || len(ways) != 1 || len(ways[0]) != len(chain)+1 {
		return
	}
	way := ways[0]
	authorities := way[1:]
	for i, c := range authorities {
		sent := i+1 < len(chain)
		if !plain(c) || sent && (!bytes.Equal(c.Raw, chain[i+1].Raw) || bytes.Equal(c.RawSubject, c.RawIssuer)) {
			return
		}
	}
	known := &proof{chain: slices.Clone(authorities), from: authorities[0].NotBefore, to: authorities[0].NotAfter, anchor: anchor}
	for _, c := range authorities[1:] {
		if c.NotBefore.After(known.from) {
			known.from = c.NotBefore
		}
		if c.NotAfter.Before(known.to) {
			known.to = c.NotAfter
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.parsed)+len(chain) > maxKnown || len(k.proven) >= maxKnown {
		clear(k.parsed)
		clear(k.proven)
	}
	same := slices.Clone(chain)
	for i, c := range chain[1:] {
		if first := k.parsed[string(c.Raw)]; first != nil {
			same[i+1] = first
		} else {
			k.parsed[string(c.Raw)] = c
		}
	}
	k.proven[upperOf(same)] = known
}

func upperOf(chain []*x509.Certificate) (u upper) {
	copy(u[:], chain[1:])
	return u
}

// platformVerifies: there crypto/x509 may ask the system, which has rules of
// its own.
const platformVerifies = runtime.GOOS == "windows" || runtime.GOOS == "darwin" || runtime.GOOS == "ios"

// plain reports whether a certificate has only extensions that say nothing of
// certificates below it but what basicConstraints, keyUsage and extKeyUsage say.
func plain(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if !slices.ContainsFunc(plainExtensions, e.Id.Equal) {
			return false
		}
	}
	return len(c.UnhandledCriticalExtensions) == 0
}

var plainExtensions = []asn1.ObjectIdentifier{
	{2, 5, 29, 14},                     // subjectKeyIdentifier
	{2, 5, 29, 15},                     // keyUsage
	{2, 5, 29, 17},                     // subjectAltName
	{2, 5, 29, 19},                     // basicConstraints
	{2, 5, 29, 31},                     // cRLDistributionPoints
	{2, 5, 29, 32},                     // certificatePolicies: without constraints nobody asks for any
	{2, 5, 29, 35},                     // authorityKeyIdentifier
	{2, 5, 29, 37},                     // extKeyUsage
	{1, 3, 6, 1, 5, 5, 7, 1, 1},        // authorityInfoAccess
	{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, // signed certificate timestamps, RFC 6962
	{1, 3, 6, 1, 5, 5, 7, 1, 24},       // TLS feature, RFC 7633
}

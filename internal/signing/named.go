package signing

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// recordTTL is that of a record that names a key. A key that is taken out of the
// zone counts for so long.
const recordTTL = time.Hour

// NamingRecord is the zone line that names the key of a certificate for a role, "" if its
// name would be too long for DNS.
func NamingRecord(source, service string, leaf *x509.Certificate) string {
	name := delegation.SignerName(source, service)
	if name == "" {
		return ""
	}
	return fmt.Sprintf("%s. %d IN TLSA %s", name, recordTTL/time.Second, delegation.SignerRecord(leaf))
}

// IssuedItself reports whether no authority vouches for a certificate.
func IssuedItself(leaf *x509.Certificate) bool {
	issuance, err := delegation.Issuance(leaf)
	return err == nil && issuance.IsZero()
}

// Named holds a certificate to sign with to the keys that the zone names. The
// answer is what a resolver says, which this machine need not believe.
//
// The error says why nobody who validates DNSSEC, or nobody at all, accepts what it
// signs: [reasons.UntrustedSigner], [reasons.SignerNotNamed], or the reason of a
// lookup that failed where the key must be named. The note is for a person.
func Named(a delegation.TLSAAnswer, source, service string, leaf *x509.Certificate) (note string, err error) {
	own, line := IssuedItself(leaf), NamingRecord(source, service, leaf)
	keys := a.Keys()
	if a.Alias || a.Wildcard {
		keys = nil
	}
	ours := slices.Contains(keys, delegation.Pin(delegation.SignerRecord(leaf).Data))
	isSecure := a.DNSSEC == delegation.Secure
	untrusted := func(format string, args ...any) (string, error) {
		return "", delegation.Errorf(reasons.UntrustedSigner, "the certificate was issued by itself, and "+format, args...)
	}
	switch {
	case own && line == "":
		return untrusted("the name of the record that names its key would be too long for DNS; get a certificate from a certification authority")
	case own && a.Failure != nil:
		return "", delegation.Errorf(a.Failure.Reason, "it cannot be seen whether the zone names the key, without which nobody accepts what it signs: %s", a.Failure.Detail)
	case own && a.Alias:
		return untrusted("%s is an alias, which names no key; put this record in its place: %s", a.Name, line)
	case own && a.Wildcard:
		return untrusted("a wildcard answers for %s, which names no key; put this record into the zone: %s", a.Name, line)
	case own && len(keys) == 0:
		return untrusted("the zone does not name its key, so nobody accepts what it signs; put this record into the zone: %s", line)
	case own && ours && !isSecure:
		return "the zone names the key, and the resolver does not say that DNSSEC secures that. Only if the zone is signed does anybody accept what the key signs: see with dnaverify check --validating-resolver", nil
	case own && ours:
		return "only those who validate DNSSEC accept what this key signs, since no authority vouches for it", nil
	case len(keys) > 0 && !ours:
		err := delegation.Errorf(reasons.SignerNotNamed, "the zone names other keys at %s, so those who validate DNSSEC refuse what this one signs; put this record beside them: %s", a.Name, line)
		if own || isSecure {
			return "", err
		}
		return err.Detail, nil
	}
	return "", nil
}

package delegation

import (
	"bytes"
	"crypto/x509"
	encoding "encoding/asn1"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// oidSCTList is the extension with the SCTs that are embedded in a certificate.
var oidSCTList = encoding.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// lastMillisecond is the last of the year 9999, which RFC 3339 can still write.
const lastMillisecond = maxTime*1000 + 999

// Issuance is when a certificate was issued, in milliseconds: the latest
// timestamp of the version 1 SCTs embedded in it (RFC 6962, Section 3.3). A
// certificate without them was issued at its notBefore.
//
// Statements are ordered by this moment before their own times, see [Order].
// notBefore alone is not enough. Many authorities backdate it, by an hour or to
// midnight, and some let the applicant choose it. The timestamps come from the
// logs, and the authority's signature covers them. Their own signatures are not
// checked: the authority is believed here, as it is about notBefore.
//
// A certificate whose subject is its issuer has no authority to believe. A
// statement signed with it is ordered by its own time alone, and Issuance is
// the zero time.
//
// The error is an *[Error]. It is [reasons.MalformedCertificate] if the list of
// SCTs is malformed, and [reasons.SignerNotYetValid] if the moment is after the
// year 9999.
func Issuance(leaf *x509.Certificate) (time.Time, error) {
	t, err := issuance(leaf)
	if err != nil {
		return time.Time{}, err
	}
	return t, nil
}

func issuance(leaf *x509.Certificate) (time.Time, *Error) {
	logged, ok, err := lastLogged(leaf)
	switch {
	case err != nil:
		return time.Time{}, err
	case selfIssued(leaf):
		return time.Time{}, nil
	case ok:
		return logged, nil
	}
	return leaf.NotBefore.UTC(), nil
}

// issuance is the moment that orders the statement first, given its signer's
// certificate. A statement older than the certificate was not signed with it:
// without this check iat could be anything, and so could the order.
func (s *Statement) issuance(leaf *x509.Certificate) (time.Time, *Error) {
	if selfIssued(leaf) {
		return s.Issued.UTC(), nil
	}
	t, err := issuance(leaf)
	if err != nil {
		return time.Time{}, err
	}
	if s.Issued.Before(t.Add(-limits.ClockSkew)) {
		return time.Time{}, Errorf(reasons.IssuedBeforeSigner, "the statement was issued at %s, before the signer's certificate, which was issued at %s",
			text.FineStamp(s.Issued), text.FineStamp(t))
	}
	return t, nil
}

// signerUntil is the first moment at which the certificate has expired. For "no
// end" (RFC 5280, Section 4.1.2.5) it is the last second of the year 9999.
func signerUntil(leaf *x509.Certificate) time.Time {
	if last := time.Unix(maxTime, 0); !leaf.NotAfter.Before(last) {
		return last.UTC()
	}
	return leaf.NotAfter.Add(time.Second).UTC()
}

// selfIssued: RFC 5280, Section 3.2.
func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// lastLogged is the latest timestamp of the certificate's version 1 SCTs, if it
// has any.
func lastLogged(c *x509.Certificate) (t time.Time, ok bool, err *Error) {
	latest, ok, err := latestSCT(c)
	if err != nil || !ok {
		return time.Time{}, false, err
	}
	if latest > lastMillisecond {
		return time.Time{}, false, Errorf(reasons.SignerNotYetValid, "the signer's certificate has an SCT of %d ms after 1970, which is after the year 9999", latest)
	}
	return time.UnixMilli(int64(latest)).UTC(), true, nil
}

// latestSCT is lastLogged in milliseconds since 1970, of any size. It only
// refuses a list that is not in good form.
func latestSCT(c *x509.Certificate) (latest uint64, ok bool, err *Error) {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidSCTList) {
			continue
		}
		latest, ok, err := parseSCTList(e.Value)
		if err != nil {
			return 0, false, Errorf(reasons.MalformedCertificate, "the signer's certificate (%.100s): %v", keys.Name(c), err)
		}
		return latest, ok, nil
	}
	return 0, false, nil
}

var errSCTList = errors.New("the embedded SCTs are not a list in the form of RFC 6962, Section 3.3")

// parseSCTList finds the latest timestamp among the version 1 SCTs of an
// extension's value. Timestamps are compared as the unsigned numbers they are.
//
//	OCTET STRING, which holds a SignedCertificateTimestampList:
//
//	opaque SerializedSCT<1..2^16-1>;
//	struct { SerializedSCT sct_list <1..2^16-1>; } SignedCertificateTimestampList;
func parseSCTList(value []byte) (latest uint64, ok bool, err error) {
	input := cryptobyte.String(value)
	var octets, list cryptobyte.String
	if !input.ReadASN1(&octets, asn1.OCTET_STRING) || !input.Empty() ||
		!octets.ReadUint16LengthPrefixed(&list) || !octets.Empty() ||
		list.Empty() {
		return 0, false, errSCTList
	}
	for !list.Empty() {
		var sct cryptobyte.String
		var version uint8
		if !list.ReadUint16LengthPrefixed(&sct) || !sct.ReadUint8(&version) {
			return 0, false, errSCTList
		}
		if version != 0 {
			continue // RFC 6962 says nothing about its form
		}
		timestamp, good := readSCT(sct)
		if !good {
			return 0, false, errSCTList
		}
		latest, ok = max(latest, timestamp), true
	}
	return latest, ok, nil
}

// readSCT reads what follows the version in an SCT of version 1.
//
//	struct {
//	    Version sct_version;     // v1(0)
//	    LogID id;                // 32 octets
//	    uint64 timestamp;
//	    CtExtensions extensions; // opaque <0..2^16-1>
//	    digitally-signed struct { ... };
//	} SignedCertificateTimestamp;
//
// RFC 5246, Section 4.7: digitally-signed is two octets for the algorithm and
// opaque signature<0..2^16-1>.
func readSCT(sct cryptobyte.String) (timestamp uint64, ok bool) {
	var extensions, signature cryptobyte.String
	ok = sct.Skip(32) &&
		sct.ReadUint64(&timestamp) &&
		sct.ReadUint16LengthPrefixed(&extensions) &&
		sct.Skip(2) &&
		sct.ReadUint16LengthPrefixed(&signature) &&
		sct.Empty()
	return timestamp, ok
}

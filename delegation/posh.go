package delegation

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"regexp"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/strictjson"
	"github.com/dnasign/dnasign/internal/text"
)

// This file judges POSH files (RFC 7711): docs/posh.md. A POSH file names the
// certificates that the servers of a domain may show. Whoever controls the web server
// of the domain says so now, and nobody signs it. So it counts only where nothing else
// decides.

// POSHMediaType is the media type of a POSH file.
const POSHMediaType = "application/json"

// poshNames are the services that have a POSH file, by their roles (RFC 7712,
// Section 10.2).
var poshNames = map[string]string{"_xmpp-server._tcp": "xmpp-server", "_xmpp-client._tcp": "xmpp-client"}

// POSHURL is where the POSH file of a source and role is, or "" if the role has none.
func POSHURL(source, service string) string {
	name, ok := poshNames[service]
	if !ok {
		return ""
	}
	return "https://" + source + "/.well-known/posh/" + name + ".json"
}

// POSH is what the POSH files of a source say.
type POSH struct {
	// Until is when that ends, exclusive.
	Until time.Time

	certificates []poshCertificate // at least one
}

// A poshCertificate has the digests of one certificate. One of them may be nil.
type poshCertificate struct{ sha256, sha512 []byte }

// names reports whether the certificate is one of those that the file names. All
// digests of it must be right that are known here.
func (p *POSH) names(c *x509.Certificate) bool {
	sum256, sum512 := sha256.Sum256(c.Raw), sha512.Sum512(c.Raw)
	return slices.ContainsFunc(p.certificates, func(named poshCertificate) bool {
		return (named.sha256 == nil || bytes.Equal(named.sha256, sum256[:])) &&
			(named.sha512 == nil || bytes.Equal(named.sha512, sum512[:]))
	})
}

// check is what is asked of a certificate that the file names: that it is valid now.
// It says when that ends.
func (p *POSH) check(c *x509.Certificate, now time.Time) (end time.Time, err *Error) {
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return end, Errorf(reasons.PeerUntrusted, "the POSH file names the certificate, which is valid from %s to %s", text.Stamp(c.NotBefore), text.Stamp(c.NotAfter))
	}
	return c.NotAfter.Add(time.Second).UTC(), nil
}

// ReadPOSH reads the POSH files of evidence, at a time. It does not ask whether they
// count. The error is an *[Error]: [reasons.NoPOSH], [reasons.MalformedPOSH],
// [reasons.ProofExpired], or the reason of a failed lookup.
func (e *Evidence) ReadPOSH(at time.Time) (*POSH, error) {
	if len(e.POSH) == 0 {
		return nil, Errorf(reasons.NoPOSH, "no POSH file was asked for")
	}
	file, err := e.POSH[0].posh()
	if err != nil {
		return nil, err
	}
	expires := file.expires
	if file.url != "" {
		if len(e.POSH) < 2 || e.POSH[1].URL != file.url {
			return nil, Errorf(reasons.NoPOSH, "the POSH file leads to %.300q, which was not asked for", file.url)
		}
		if file, err = e.POSH[1].posh(); err != nil {
			return nil, err
		}
		if file.url != "" {
			return nil, Errorf(reasons.MalformedPOSH, "the POSH file leads to one that leads elsewhere again")
		}
		expires = min(expires, file.expires)
	}
	until := e.ProvenUntil(uint32(min(expires, int64(limits.MaxPOSHLife/time.Second))), at)
	if !at.Before(until) {
		return nil, Errorf(reasons.ProofExpired, "the POSH file is of %s, and %d seconds have passed", text.Stamp(e.Collected), expires)
	}
	return &POSH{until, file.certificates}, nil
}

// tellPOSH says what the POSH files have, for a person. Nothing of a statement depends
// on them.
func (v *verification) tellPOSH() {
	if len(v.evidence.POSH) == 0 {
		return
	}
	url := v.evidence.POSH[0].URL
	file, err := v.evidence.ReadPOSH(v.policy.Time)
	if err != nil {
		e := asError(err)
		v.log.info("posh", url, "%s: %s", e.Reason, e.Detail)
		return
	}
	v.log.info("posh", url, "certificates that a peer may show: %d, until %s", len(file.certificates), moment(file.Until))
}

// POSHTarget is the URL that a POSH file leads to, or "" if it leads nowhere.
func (d *Document) POSHTarget() string {
	file, err := d.posh()
	if err != nil {
		return ""
	}
	return file.url
}

// A poshFile is one file: the certificates, or where else to look.
type poshFile struct {
	expires      int64 // seconds, at least 1
	url          string
	certificates []poshCertificate
}

// posh reads a POSH file as it was served.
func (d *Document) posh() (*poshFile, error) {
	switch {
	case d.Failure != nil:
		return nil, d.Failure.error()
	case d.NoAddress:
		return nil, Errorf(reasons.NoPOSH, "the host of %.300q has no address", d.URL)
	case d.Status == statusNotFound || d.Status == statusGone:
		return nil, Errorf(reasons.NoPOSH, "there is no POSH file at %.300q (status %d)", d.URL, d.Status)
	case d.Status != statusOK:
		return nil, Errorf(reasons.HTTPSFailure, "%.300q: status %d", d.URL, d.Status)
	case d.MediaType != POSHMediaType:
		return nil, Errorf(reasons.NoPOSH, "what is at %.300q is served as %.100q, not %s", d.URL, d.MediaType, POSHMediaType)
	}
	file, err := parsePOSH(d.Body)
	if err != nil {
		return nil, Errorf(reasons.MalformedPOSH, "%.300q: %v", d.URL, err)
	}
	return file, nil
}

// parsePOSH reads a file. Certificates come before a URL (RFC 7711, Section 3.2).
func parsePOSH(body []byte) (*poshFile, error) {
	v, err := strictjson.Parse(body)
	if err != nil {
		return nil, err
	}
	f := v.Object("the file")
	file := &poshFile{expires: f.Integer("expires")}
	list, found := f.OptionalArray("fingerprints")
	if !found {
		file.url = f.String("url")
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	switch {
	case file.expires == 0:
		return nil, Errorf(reasons.MalformedPOSH, "expires is 0, which takes it back")
	case !found && !isPOSHURL(file.url):
		return nil, Errorf(reasons.MalformedPOSH, "it leads to %.300q, which is not https on port 443", file.url)
	}
	for _, item := range list {
		c, known, err := readPOSHCertificate(item)
		if err != nil {
			return nil, err
		}
		if known {
			file.certificates = append(file.certificates, c)
		}
	}
	if found && len(file.certificates) == 0 {
		return nil, Errorf(reasons.MalformedPOSH, "it names no certificate with sha-256 or sha-512")
	}
	return file, nil
}

// readPOSHCertificate reads one member of fingerprints. known says that it has a
// digest that is known here.
func readPOSHCertificate(v strictjson.Value) (c poshCertificate, known bool, err error) {
	f := v.Object("a fingerprint")
	for name, to := range map[string]*[]byte{"sha-256": &c.sha256, "sha-512": &c.sha512} {
		digest, there := f.OptionalString(name)
		if !there {
			continue
		}
		size := map[string]int{"sha-256": sha256.Size, "sha-512": sha512.Size}[name]
		if *to, err = strictBase64.DecodeString(digest); err != nil || len(*to) != size {
			return c, false, Errorf(reasons.MalformedPOSH, "a %s that is not %d bytes in canonical base64", name, size)
		}
		known = true
	}
	return c, known, f.Err()
}

// poshURL is the form of a URL that a POSH file may lead to.
var poshURL = regexp.MustCompile(`^https://([a-z0-9.-]+)(?::443)?(?:/[!-"$-~]*)?$`)

// isPOSHURL: what is fetched has the bounds of a redirect.
func isPOSHURL(url string) bool {
	m := poshURL.FindStringSubmatch(url)
	return m != nil && len(url) <= limits.MaxPOSHURL && CheckName(m[1]) == nil
}

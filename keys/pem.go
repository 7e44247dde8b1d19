package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/dnasign/dnasign/internal/text"
)

// A pemBlock is one block of a PEM file.
type pemBlock struct {
	*pem.Block
	line int // at which it begins, from 1
}

const (
	pemBegin, pemEnd, pemDashes = "-----BEGIN ", "-----END ", "-----"
	// byteOrderMark begins a text file that a Windows editor wrote as UTF-8.
	byteOrderMark = "\ufeff"
)

// marker finds what was meant to begin or end a block. Typical damage is
// hyphens lost or made dashes, a blank before them, a line end lost, or lower
// case.
var marker = regexp.MustCompile(`(?i)[-\x{2010}-\x{2015}\x{2212}](BEGIN|END) |^\s*(BEGIN|END) [A-Z0-9 ]*(CERTIFICATE|KEY)$`)

// readBlocks reads all blocks of a PEM file (RFC 7468) and passes over the text
// around them. Like OpenSSL it accepts blanks and CR at the ends of lines. It
// accepts one byte order mark before a block: at the start of the file, or
// where a file that began with one was added to another.
//
// [pem.Decode] passes over a block that it cannot read, and OpenSSL over one
// whose first line is not exactly right. A chain or a list of anchors would lose
// a certificate without a word, so here that is an error. Errors hold nothing of
// the file but the line's number.
func readBlocks(file string, data []byte) (blocks []pemBlock, err error) {
	broken := func(line int, format string, args ...any) ([]pemBlock, error) {
		return nil, fmt.Errorf("%w: %s has a broken PEM block in line %d: %s", ErrPEM, file, line, fmt.Sprintf(format, args...))
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("%w: %s is in UTF-16, and PEM is ASCII; run: iconv -f UTF-16 -t UTF-8 %[2]s", ErrPEM, file)
	}
	label, begin, first := "", 0, 0 // of the block that is open
	for at, number := 0, 1; at < len(data); number++ {
		end := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		line := bytes.TrimRight(data[at:end], " \t\r\n")
		if label == "" {
			unmarked := bytes.TrimPrefix(line, []byte(byteOrderMark))
			switch name, ok := labelOf(unmarked); {
			case ok:
				label, begin, first = name, at+len(line)-len(unmarked), number
			case marker.Match(line):
				return broken(number, "a block begins with a line that has -----BEGIN LABEL----- and nothing else, and ends with one that has -----END LABEL-----")
			}
		} else if bytes.Contains(line, []byte(pemDashes)) {
			if string(line) != pemEnd+label+pemDashes {
				return broken(number, "the block that begins in line %d must end with a line that has -----END %s----- and nothing else", first, label)
			}
			block, rest := pem.Decode(data[begin:end])
			if block == nil || len(rest) > 0 {
				return broken(first, "what is between its first and last line is not base64")
			}
			blocks = append(blocks, pemBlock{block, first})
			label = ""
		}
		at = end
	}
	if label != "" {
		return broken(first, "the end of it is missing (-----END %s-----)", label)
	}
	return blocks, nil
}

// maxLabel bounds a label in bytes; the longest known is that of an encrypted
// key. Messages quote the label, and a line of a secret is longer.
const maxLabel = 40

// labelOf reads the first line of a block.
func labelOf(line []byte) (label string, ok bool) {
	inner, ok := bytes.CutPrefix(line, []byte(pemBegin))
	if !ok {
		return "", false
	}
	inner, ok = bytes.CutSuffix(inner, []byte(pemDashes))
	return string(inner), ok && len(inner) > 0 && len(inner) <= maxLabel && !bytes.Contains(inner, []byte("-"))
}

// labels is what the blocks are, for a message. A label is a stranger's text.
func labels(blocks []pemBlock) string {
	var list []string
	for _, b := range blocks {
		if name := "-----BEGIN " + text.Printable(b.Type) + "-----"; !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return "there is no PEM block in it"
	}
	return "in it is " + strings.Join(list, ", ")
}

// parseCertificate reads the certificate of a block. trusts says whether the
// settings that OpenSSL keeps beside it, if any, let it stand for TLS servers.
// It returns nil for a block that holds no certificate and need not: keys,
// parameters of keys, requests. Anything else is an error: it may well hold
// certificates, or a revocation list that somebody relies on.
func parseCertificate(b pemBlock) (c *x509.Certificate, trusts bool, err error) {
	switch {
	case b.Type == "CERTIFICATE", b.Type == "X509 CERTIFICATE": // the second is OpenSSL's oldest
		c, err = x509.ParseCertificate(b.Bytes)
		return c, true, err
	case b.Type == "TRUSTED CERTIFICATE":
		var der cryptobyte.String
		settings := cryptobyte.String(b.Bytes)
		if !settings.ReadASN1Element(&der, asn1.SEQUENCE) {
			return nil, false, errors.New("it is not a certificate")
		}
		if c, err = x509.ParseCertificate(der); err != nil {
			return nil, false, err
		}
		trusts, err = trustsServers(settings)
		return c, trusts, err
	case strings.HasSuffix(b.Type, "PRIVATE KEY"), strings.HasSuffix(b.Type, "PUBLIC KEY"),
		strings.HasSuffix(b.Type, "PARAMETERS"), strings.HasSuffix(b.Type, "CERTIFICATE REQUEST"):
		return nil, false, nil
	case b.Type == "PKCS7", b.Type == "PKCS #7 SIGNED DATA", b.Type == "CMS":
		return nil, false, errors.New("certificates in CMS are not read; run: openssl pkcs7 -print_certs -in FILE -out NEWFILE")
	case strings.HasSuffix(b.Type, "CRL"):
		return nil, false, errors.New("revocation lists are not used; remove it")
	}
	return nil, false, errors.New("a block of this kind is not read; remove it, or give its certificates as -----BEGIN CERTIFICATE-----")
}

// trustsServers reads what OpenSSL writes behind a certificate:
//
//	X509_CERT_AUX ::= SEQUENCE {
//	    trust   SEQUENCE OF OBJECT IDENTIFIER OPTIONAL,
//	    reject  [0] SEQUENCE OF OBJECT IDENTIFIER OPTIONAL,
//	    alias   UTF8String OPTIONAL,
//	    keyid   OCTET STRING OPTIONAL,
//	    other   [1] SEQUENCE OF AlgorithmIdentifier OPTIONAL }
//
// What is rejected is not trusted, and a list of trusted purposes is the whole
// list (X509_check_trust).
func trustsServers(settings cryptobyte.String) (bool, error) {
	if settings.Empty() {
		return true, nil
	}
	var aux, trust, reject cryptobyte.String
	var hasTrust, hasReject bool
	if !settings.ReadASN1(&aux, asn1.SEQUENCE) || !settings.Empty() ||
		!aux.ReadOptionalASN1(&trust, &hasTrust, asn1.SEQUENCE) ||
		!aux.ReadOptionalASN1(&reject, &hasReject, asn1.Tag(0).ContextSpecific().Constructed()) {
		return false, errors.New("OpenSSL's trust settings behind it cannot be read")
	}
	rejected, err1 := coversServers(reject)
	trusted, err2 := coversServers(trust)
	return !rejected && (trusted || !hasTrust), errors.Join(err1, err2)
}

// The purposes that include TLS servers, in DER: serverAuth and
// anyExtendedKeyUsage (RFC 5280, Section 4.2.1.12).
var (
	serverAuth = []byte{0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01}
	anyPurpose = []byte{0x06, 0x04, 0x55, 0x1d, 0x25, 0x00}
)

func coversServers(purposes cryptobyte.String) (found bool, err error) {
	for !purposes.Empty() {
		var id cryptobyte.String
		if !purposes.ReadASN1Element(&id, asn1.OBJECT_IDENTIFIER) {
			return false, errors.New("OpenSSL's trust settings behind it cannot be read")
		}
		found = found || bytes.Equal(id, serverAuth) || bytes.Equal(id, anyPurpose)
	}
	return found, nil
}

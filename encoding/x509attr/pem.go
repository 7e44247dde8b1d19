package x509attr

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
)

// pemLabel is the label of RFC 7468, Section 9.
const pemLabel = "ATTRIBUTE CERTIFICATE"

// EncodePEM returns der as a PEM block with the label ATTRIBUTE CERTIFICATE
// (RFC 7468, Section 9). It does not look at der.
func EncodePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemLabel, Bytes: der})
}

// ParsePEM reads the one attribute certificate of a PEM text of at most 128
// KiB and parses it. The label has to be ATTRIBUTE CERTIFICATE. An error is an
// [*Error].
//
// Around the block and between the characters of its base64 there may be
// white space, and nothing else. RFC 7468, Section 2 would allow text before
// a block, and files may hold several; but then a person reads the text and
// a program the block, or two programs different blocks, and this package
// means one file to say one thing. Headers, missing or surplus padding and
// bits set beyond the last octet are refused as well.
func ParsePEM(text []byte) (*AttributeCertificate, error) {
	const (
		space = " \t\r\n"
		begin = "-----BEGIN " + pemLabel + "-----"
		end   = "-----END " + pemLabel + "-----"
	)
	if len(text) > maxPEMSize {
		return nil, fail(ProblemLimit, "PEM text has %d octets, more than %d", len(text), maxPEMSize)
	}
	body, ok := strings.CutPrefix(strings.Trim(string(text), space), begin)
	if !ok {
		return nil, fail(ProblemPEM, "PEM text does not begin with %q", begin)
	}
	if body, ok = strings.CutSuffix(body, end); !ok {
		return nil, fail(ProblemPEM, "PEM text does not end with %q", end)
	}
	// RFC 7468, Section 3: each boundary stands on a line of its own, after
	// which blanks are tolerated.
	body = strings.Trim(body, " \t")
	if first, last := strings.IndexAny(body, "\r\n"), strings.LastIndexAny(body, "\r\n"); first != 0 || last != len(body)-1 {
		return nil, fail(ProblemPEM, "PEM boundary does not stand on a line of its own")
	}
	characters := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(body)
	der, err := base64.StdEncoding.Strict().DecodeString(characters)
	if err != nil {
		return nil, fail(ProblemPEM, "PEM block is not base64")
	}
	return Parse(der)
}

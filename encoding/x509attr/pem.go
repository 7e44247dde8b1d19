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
// RFC 7468, Section 2 lets text for people stand before and after a block, and
// files of other software have it: it is passed over. But there may be one
// block only, of whatever label, since a file with two says two things.
// Between the characters of the base64 there may be white space. Headers,
// missing or surplus padding and bits set beyond the last octet are refused.
func ParsePEM(text []byte) (*AttributeCertificate, error) {
	const (
		begin = "-----BEGIN " + pemLabel + "-----"
		end   = "-----END " + pemLabel + "-----"
	)
	if len(text) > maxPEMSize {
		return nil, fail(ProblemLimit, "PEM text has %d octets, more than %d", len(text), maxPEMSize)
	}
	before, body, found := strings.Cut(string(text), begin)
	if !found || strings.Count(string(text), "-----BEGIN ") != 1 {
		return nil, fail(ProblemPEM, "PEM text does not have exactly one block, beginning with %q", begin)
	}
	body, after, found := strings.Cut(body, end)
	if !found || strings.Count(string(text), "-----END ") != 1 {
		return nil, fail(ProblemPEM, "PEM block does not end with %q", end)
	}
	if !lineEnds(before) || !lineBegins(after) {
		return nil, fail(ProblemPEM, "PEM boundary does not stand on a line of its own")
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

// lineEnds says whether the next character begins a line, after blanks.
func lineEnds(before string) bool {
	before = strings.TrimRight(before, " \t")
	return before == "" || strings.HasSuffix(before, "\n") || strings.HasSuffix(before, "\r")
}

// lineBegins says whether a line ends here, after blanks.
func lineBegins(after string) bool {
	after = strings.TrimLeft(after, " \t")
	return after == "" || after[0] == '\n' || after[0] == '\r'
}

package delegation

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// A TXT record of version 1, after its strings are concatenated (RFC 1035,
// Section 3.3.14):
//
//	record   = "v=DNA1; e=" encoding "; s=" value
//	encoding = 1*%x61-7A
//	value    = 1*( ALPHA / DIGIT / "-" / "_" / "." / "+" / "/" / "=" )
//
// For the encoding "jws" the value is a compact JWS, for "ac" the CMS message
// in base64.
const txtVersion = "v=DNA1"

// strictBase64 has one spelling for each value, but for line ends, which it passes over.
var strictBase64 = base64.StdEncoding.Strict()

// TXTRecord is the text of the TXT record for a signed statement.
func (e Encoding) TXTRecord(raw []byte) string {
	value := string(raw)
	if e == AC {
		value = base64.StdEncoding.EncodeToString(raw)
	}
	return txtVersion + "; e=" + string(e) + "; s=" + value
}

// TXTStrings is TXTRecord cut into the character-strings of a record, of at
// most 255 octets each (RFC 1035, Section 3.3). They hold no octet that needs
// an escape between quotes in a zone file (Section 5.1). Without quotes they
// would be cut at the first semicolon.
func (e Encoding) TXTStrings(raw []byte) []string {
	var list []string
	for piece := range slices.Chunk([]byte(e.TXTRecord(raw)), 255) {
		list = append(list, string(piece))
	}
	return list
}

// isTXTRecord reports whether a TXT record is of version 1, well-formed or not.
// It begins with the version, and no letter or digit follows.
func isTXTRecord(text string) bool {
	rest, ok := strings.CutPrefix(text, txtVersion)
	return ok && (rest == "" || !isAlphanumeric(rest[0]))
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// ofValue holds the octets that a value may have.
var ofValue = func() (table [256]bool) {
	for i := range table {
		c := byte(i)
		table[i] = isAlphanumeric(c) || strings.IndexByte("-_.+/=", c) >= 0
	}
	return table
}()

// notOfValue is where the first octet of a text is that no value may have.
func notOfValue(text string) int {
	for i := range len(text) {
		if !ofValue[text[i]] {
			return i
		}
	}
	return len(text)
}

// parseTXTRecord reads a record for which isTXTRecord holds.
func parseTXTRecord(text string) (Encoding, []byte, *Error) {
	rest, ok := strings.CutPrefix(text, txtVersion+"; e=")
	if !ok {
		if text == txtVersion {
			return "", nil, Errorf(reasons.MalformedRecord, "the record is only %q: in a zone file, a semicolon outside quotes starts a comment", text)
		}
		return "", nil, Errorf(reasons.MalformedRecord, "after %q comes %s, not \"; e=\"", txtVersion, shown(text[len(txtVersion):]))
	}
	encoding, value, ok := strings.Cut(rest, "; s=")
	if !ok || encoding == "" || strings.IndexFunc(encoding, func(c rune) bool { return c < 'a' || c > 'z' }) >= 0 {
		return "", nil, Errorf(reasons.MalformedRecord, "after %q comes %s, not an encoding such as jws, \"; s=\" and a statement", txtVersion+"; e=", shown(rest))
	}
	if value == "" {
		return "", nil, Errorf(reasons.MalformedRecord, "the statement after \"s=\" is empty")
	}
	if Encoding(encoding) == AC && strings.IndexByte(value, '\r') < 0 && strings.IndexByte(value, '\n') < 0 {
		// What this decodes has octets of a value only.
		if raw, err := strictBase64.DecodeString(value); err == nil {
			return AC, raw, nil
		}
	}
	if i := notOfValue(value); i < len(value) {
		return "", nil, Errorf(reasons.MalformedRecord, "after %d bytes of the statement comes %s, which no statement has", i, shown(value[i:]))
	}
	if Encoding(encoding) != AC {
		// A copy: a result that is kept must not keep the whole record alive.
		return Encoding(strings.Clone(encoding)), []byte(value), nil
	}
	return "", nil, Errorf(reasons.MalformedRecord, "the statement is not canonical base64")
}

package delegation

import (
	"fmt"
	"strings"
)

// People paste records into forms, and forms change them. They keep quotes or
// make them typographic, add blanks, cut the text, or make a record of each of
// its strings. None of that is a statement. The functions of this file say what
// was found, so that the person who pasted it sees why.

// maxShown bounds what is shown of a record, in bytes, and maxShownRecords how
// many of them are.
const (
	maxShown        = 40
	maxShownRecords = 3
)

// foreignRecords describes TXT records if none of them is of version 1. It is
// empty if there are none.
func foreignRecords(records []string) string {
	if len(records) == 0 {
		return ""
	}
	var list []string
	for _, r := range records[:min(len(records), maxShownRecords)] {
		list = append(list, shown(r))
	}
	if more := len(records) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	there := "1 TXT record"
	if len(records) > 1 {
		there = fmt.Sprintf("%d TXT records", len(records))
	}
	said := fmt.Sprintf("%s there, none begins with %s: %s", there, txtVersion, strings.Join(list, ", "))
	for _, r := range records {
		if why := notVersion1(r); why != "" {
			return said + "; " + why
		}
	}
	return said
}

// notVersion1 says why a record that looks much like one of version 1 is none.
// It is empty for any other.
func notVersion1(record string) string {
	before, rest, found := strings.Cut(record, txtVersion)
	switch {
	case found && before == "":
		return fmt.Sprintf("after %s comes %s", txtVersion, shown(rest))
	case found && len(before) > maxShown:
		return fmt.Sprintf("%s comes only after %d bytes", txtVersion, len(before))
	case found:
		// In ASCII, since what nobody can see may stand there.
		return fmt.Sprintf("before %s stands %+q", txtVersion, readable(before, maxShown))
	case len(record) >= len(txtVersion) && strings.EqualFold(record[:len(txtVersion)], txtVersion):
		return "capitals matter"
	case looksLikePiece(record):
		return fmt.Sprintf("a statement, or a piece of one, without \"%s; e=\" before it", txtVersion)
	}
	return ""
}

// looksLikePiece: nothing but base64, and longer than a token that proves
// somebody's control of the domain.
func looksLikePiece(record string) bool {
	return len(record) > 100 && notOfValue(record) == len(record)
}

// explain adds to an error about the form of a statement what a person needs to
// know about its TXT record.
func (c candidate) explain(e *Error) *Error {
	if c.channel != inDNS {
		return e
	}
	size := len(c.encoding.TXTRecord(c.raw))
	pieces := 0
	for _, r := range c.beside {
		if looksLikePiece(r) {
			pieces++
		}
	}
	switch pieces {
	case 0:
		return Errorf(e.Reason, "%s; the TXT record has %d bytes", e.Detail, size)
	case 1:
		return Errorf(e.Reason, "%s; the TXT record has %d bytes, and another one looks like a piece that belongs in it", e.Detail, size)
	}
	return Errorf(e.Reason, "%s; the TXT record has %d bytes, and %d others look like pieces that belong in it", e.Detail, size, pieces)
}

// shown is the beginning of a record, or of what is left of one, in quotes.
func shown(record string) string {
	s := readable(record, maxShown+1)
	if len(s) > maxShown {
		return fmt.Sprintf("%q...", strings.ToValidUTF8(s[:maxShown], ""))
	}
	return fmt.Sprintf("%q", s)
}

// readable undoes the escapes of presentation form (RFC 1035, Section 5.1), so
// that a quotation mark is one. It stops after limit bytes.
func readable(record string, limit int) string {
	var out []byte
	for i := 0; i < len(record) && len(out) < limit; i++ {
		c := record[i]
		if c == '\\' && i+1 < len(record) {
			i++
			c = record[i]
			if i+2 < len(record) && isDigits(record[i:i+3]) {
				c = byte(100*int(record[i]-'0') + 10*int(record[i+1]-'0') + int(record[i+2]-'0'))
				i += 2
			}
		}
		out = append(out, c)
	}
	return string(out)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

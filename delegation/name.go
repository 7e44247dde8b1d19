package delegation

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// MaxNameLength and MaxLabelLength are the limits of RFC 1035, Section 2.3.4,
// in octets of the textual form without a trailing dot.
const (
	MaxNameLength  = 253
	MaxLabelLength = 63
)

// txtSuffix stands between the service and the source in the owner name of a
// statement: RFC 8552, Section 1.2 wants the right-most underscored label to
// be the registered one.
const txtSuffix = "._dna."

// notGlobal are last labels under which nobody can own a name that others
// rely on: RFC 6761, RFC 6762, RFC 7686, and .internal, reserved by ICANN in
// 2024. test and example are fine: laboratories need them.
var notGlobal = map[string]bool{
	"localhost": true, "local": true, "onion": true, "internal": true, "invalid": true, "arpa": true,
}

// CheckName reports whether s is a domain name in the one form that
// statements, queries and comparisons use: at least two labels of lower-case
// ASCII letters, digits and inner hyphens (RFC 5890, Section 2.3.1), at most
// 63 octets a label and 253 in all, no trailing dot, no wildcard, not an IP
// address, not under a name for local use, and every label that begins with
// xn-- a valid A-label that converts to Unicode and back to itself. Names in
// this form are equal exactly when their octets are.
//
// What a person types is brought into this form at the edge of a program, by
// [ParseName]; this function converts nothing. Errors wrap a sentence for that person.
func CheckName(s string) error {
	if len(s) > MaxNameLength {
		return fmt.Errorf("a name of %d octets, at most %d", len(s), MaxNameLength)
	}
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return fmt.Errorf("%q has fewer than two labels", s)
	}
	for _, label := range labels {
		if err := checkLabel(label); err != nil {
			return fmt.Errorf("%q: %w", s, err)
		}
	}
	last := labels[len(labels)-1]
	if strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("%q ends in a number, as an IP address does", s)
	}
	if notGlobal[last] {
		return fmt.Errorf("%q is under .%s, which is for local use and belongs to nobody", s, last)
	}
	return nil
}

// ParseName reads a domain name as a person types it: Unicode and upper case
// are converted to the form of [CheckName] by IDNA2008 look-up rules (RFC 5891,
// UTS #46), and one trailing dot is taken off. It is for the edge of a program,
// never for names in statements or in answers.
func ParseName(s string) (string, error) {
	if strings.ContainsAny(s, "*:/@[] ") {
		return "", fmt.Errorf("%q: a wildcard, an address or a URL is no domain name", s)
	}
	name, err := typed.ToASCII(strings.TrimSuffix(s, "."))
	if err != nil {
		return "", fmt.Errorf("%q: %w", s, err)
	}
	return name, CheckName(name)
}

// lookup is the processing for look-ups of UTS #46, but for the rules about
// hyphens: the library counts octets where they mean characters. It is for one
// label. For a whole name there is typed, since the library has every label of a
// name meet the Bidi rule as soon as one is written from right to left, and
// 3com.xn--4dbrk0ce is legal.
var (
	lookup = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false))
	typed  = idna.New(idna.MapForLookup(), idna.CheckHyphens(false))
)

// misplacedHyphen: RFC 5891, Section 4.2.3.1.
func misplacedHyphen(label []rune) bool {
	n := len(label)
	return n > 0 && (label[0] == '-' || label[n-1] == '-') || n >= 4 && label[2] == '-' && label[3] == '-'
}

func checkLabel(label string) error {
	if label == "" {
		return fmt.Errorf("an empty label (a trailing or doubled dot?)")
	}
	if len(label) > MaxLabelLength {
		return fmt.Errorf("a label of %d octets, at most %d", len(label), MaxLabelLength)
	}
	for i := range len(label) {
		switch c := label[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' && i > 0 && i < len(label)-1:
		default:
			return fmt.Errorf("the octet %q is not allowed there (lower-case a-z, 0-9 and inner hyphens are)", c)
		}
	}
	if strings.HasPrefix(label, "xn--") {
		unicode, err := lookup.ToUnicode(label)
		if err != nil {
			return fmt.Errorf("%s is no valid A-label: %w", label, err)
		}
		if misplacedHyphen([]rune(unicode)) {
			return fmt.Errorf("%s is no valid A-label: its third and fourth characters, or an end, are hyphens", label)
		}
		if again, err := lookup.ToASCII(unicode); err != nil || again != label {
			return fmt.Errorf("%s does not convert to Unicode and back to itself", label)
		}
	}
	return nil
}

// CheckService reports whether s names a service as in RFC 2782: an
// underscore and a service name of RFC 6335, Section 5.1 (1 to 15 lower-case
// letters, digits and single inner hyphens, at least one letter), then ._tcp
// or ._udp.
func CheckService(s string) error {
	name, proto, _ := strings.Cut(s, ".")
	if proto != "_tcp" && proto != "_udp" {
		return fmt.Errorf("service %q does not end in ._tcp or ._udp", s)
	}
	name, underscored := strings.CutPrefix(name, "_")
	if !underscored || len(name) < 1 || len(name) > 15 || strings.Contains(name, "--") ||
		strings.Trim(name, "0123456789-") == "" || checkLabel(name) != nil {
		return fmt.Errorf("service %q is not an underscore and 1 to 15 lower-case letters, digits and hyphens", s)
	}
	return nil
}

// family: the two labels of one XMPP role (RFC 6120, Section 3.2.1 and
// XEP-0368). Names from a verified statement for either count for both.
var family = map[string]string{
	"_xmpp-server._tcp":  "_xmpps-server._tcp",
	"_xmpps-server._tcp": "_xmpp-server._tcp",
	"_xmpp-client._tcp":  "_xmpps-client._tcp",
	"_xmpps-client._tcp": "_xmpp-client._tcp",
}

// Services returns the labels under which statements and SRV records for a
// service are looked up: the service itself and, for the two labels of one
// XMPP role, the other.
func Services(service string) []string {
	if other, ok := family[service]; ok {
		return []string{service, other}
	}
	return []string{service}
}

// TXTName is the owner name of the TXT records that carry statements, without
// a trailing dot: service._dna.source.
func TXTName(source, service string) string { return service + txtSuffix + source }

// SRVName is the owner name of the SRV records (RFC 2782), without a trailing
// dot.
func SRVName(source, service string) string { return service + "." + source }

// DocumentURL is where a statement in that encoding is served over HTTPS
// (RFC 8615).
func DocumentURL(source, service string, e Encoding) string {
	return "https://" + source + DocumentPath(service, e)
}

// DocumentPath is the path of [DocumentURL], and of the file under a web root.
func DocumentPath(service string, e Encoding) string {
	return "/.well-known/dna/" + service + e.suffix()
}

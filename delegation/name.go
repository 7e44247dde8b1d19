package delegation

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/internal/text"
)

// txtSuffix stands between the service and the source in the owner name of a
// statement. RFC 8552, Section 1.2 wants the right-most underscored label to be
// the registered one.
const txtSuffix = "._dna."

// signerPrefix stands before the owner name of a statement in that of the TLSA
// records about its signers. At the name itself an owner can have a CNAME record
// to its provider, which could then name its own key.
const signerPrefix = "_signer."

// notGlobal are last labels under which nobody can own a name that others rely
// on. They are from RFC 6761, RFC 6762 and RFC 7686, and .internal was reserved
// by ICANN in 2024. test and example are fine: laboratories need them.
var notGlobal = map[string]bool{
	"localhost": true, "local": true, "onion": true, "internal": true, "invalid": true, "arpa": true,
}

// CheckName reports whether s is a domain name in the one form that statements,
// queries and comparisons use. It has at least two labels of lower-case ASCII
// letters, digits and inner hyphens (RFC 5890, Section 2.3.1). A label has at
// most 63 octets, the name at most 253. There is no trailing dot and no
// wildcard. It is not an IP address and not under a name for local use. A label
// that begins with xn-- is a valid A-label that converts to Unicode and back to
// itself. Names in this form are equal exactly when their octets are.
//
// [ParseName] converts what a person types to this form, at the edge of a
// program. This function converts nothing. Errors wrap a sentence for that
// person.
func CheckName(s string) error {
	if len(s) > limits.MaxNameLength {
		return fmt.Errorf("a name of %d octets, at most %d", len(s), limits.MaxNameLength)
	}
	if !strings.Contains(s, ".") {
		return fmt.Errorf("%q has fewer than two labels", s)
	}
	last := ""
	for last = range strings.SplitSeq(s, ".") {
		if err := checkLabel(last); err != nil {
			return fmt.Errorf("%q: %w", s, err)
		}
	}
	if strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("%q ends in a number, as an IP address does", s)
	}
	if notGlobal[last] {
		return fmt.Errorf("%q is under .%s, which is for local use and belongs to nobody", s, last)
	}
	return nil
}

// maxTyped bounds what may be a name in another form, in octets (RFC 7622,
// Section 3.2: the domain part of an address).
const maxTyped = 1023

// ParseName reads a domain name as a person types it. It converts Unicode and
// upper case to the form of [CheckName] by the IDNA2008 lookup rules (RFC 5891,
// UTS #46), and removes one trailing dot. It is for the edge of a program,
// never for names in statements or in answers.
func ParseName(s string) (string, error) {
	if len(s) > maxTyped {
		return "", fmt.Errorf("a name of %d octets, at most %d", len(s), maxTyped)
	}
	if strings.ContainsAny(s, "*:/@[] ") {
		return "", fmt.Errorf("%q: a wildcard, an address or a URL is not a domain name", s)
	}
	name, err := typed.ToASCII(strings.TrimSuffix(s, "."))
	if err != nil {
		return "", fmt.Errorf("%q: %w", s, err)
	}
	return name, CheckName(name)
}

// lookup is the lookup processing of UTS #46, without its rules about hyphens:
// the library counts octets instead of characters. It is for one label. typed,
// for whole names, omits the Bidi rule: the library applies it to every label
// once one is written from right to left. It would refuse 3com.xn--4dbrk0ce,
// which is legal.
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
	if len(label) > limits.MaxLabelLength {
		return fmt.Errorf("a label of %d octets, at most %d", len(label), limits.MaxLabelLength)
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
			return fmt.Errorf("%s is not a valid A-label: %w", label, err)
		}
		if misplacedHyphen([]rune(unicode)) {
			return fmt.Errorf("%s is not a valid A-label: its third and fourth characters, or an end, are hyphens", label)
		}
		if again, err := lookup.ToASCII(unicode); err != nil || again != label {
			return fmt.Errorf("%s does not convert to Unicode and back to itself", label)
		}
	}
	return nil
}

// CheckService reports whether s names a service as in RFC 2782: an underscore,
// a service name, then ._tcp or ._udp. The service name follows RFC 6335,
// Section 5.1: 1 to 15 lower-case letters, digits and single inner hyphens,
// with at least one letter.
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

// ParseService reads a service as a person types it: in upper case too, and
// xmpp-server for _xmpp-server._tcp. What it returns has the form of
// [CheckService].
func ParseService(s string) (string, error) {
	if CheckService(s) == nil {
		return s, nil
	}
	name, proto, found := strings.Cut(text.LowerASCII(s), ".")
	if !found {
		proto = "_tcp"
	}
	service := "_" + strings.TrimPrefix(name, "_") + "." + proto
	return service, CheckService(service)
}

// TXTName is the owner name of the TXT records that carry statements, without
// a trailing dot: service._dna.source.
func TXTName(source, service string) string { return service + txtSuffix + source }

// SignerName is the owner name of the TLSA records that name the keys which may
// sign for the role: _signer._xmpp-server._tcp._dna.b.example. It is empty if
// that is longer than [limits.MaxNameLength]: such a name cannot be asked for. See
// docs/signers.md.
func SignerName(source, service string) string {
	name := signerPrefix + TXTName(source, service)
	if len(name) > limits.MaxNameLength {
		return ""
	}
	return name
}

// CheckTXTName reports whether [TXTName] is a name that DNS can have: at most
// [limits.MaxNameLength] octets. It does not look at the source and the service alone.
func CheckTXTName(source, service string) error {
	if len(service)+len(txtSuffix)+len(source) > limits.MaxNameLength {
		return fmt.Errorf("%s is longer than %d octets", TXTName(source, service), limits.MaxNameLength)
	}
	return nil
}

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

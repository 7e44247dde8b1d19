package x509attr

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A NameKind is the alternative that a [GeneralName] uses. The values are
// the tag numbers of RFC 5280, Section 4.2.1.6.
type NameKind uint8

// The alternatives of GeneralName, each with what its Value holds.
const (
	NameOther        NameKind = 0 // type OID and [0] value, both in DER
	NameEmail        NameKind = 1 // rfc822Name in ASCII
	NameDNS          NameKind = 2 // dNSName in ASCII
	NameX400         NameKind = 3 // content of the ORAddress
	NameDirectory    NameKind = 4 // one Name in DER, as in x509.Certificate.RawSubject
	NameEDIParty     NameKind = 5 // content of the EDIPartyName
	NameURI          NameKind = 6 // uniformResourceIdentifier in ASCII
	NameIP           NameKind = 7 // iPAddress, 4 or 16 octets in practice
	NameRegisteredID NameKind = 8 // content of the OBJECT IDENTIFIER
)

// String returns the alternative's name in RFC 5280.
func (k NameKind) String() string {
	names := [...]string{
		"otherName", "rfc822Name", "dNSName", "x400Address", "directoryName",
		"ediPartyName", "uniformResourceIdentifier", "iPAddress", "registeredID",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("NameKind(%d)", uint8(k))
}

// constructed says whether the alternative's content is made of elements.
func (k NameKind) constructed() bool {
	return k == NameOther || k == NameX400 || k == NameDirectory || k == NameEDIParty
}

// A GeneralName is one name of the many kinds that X.509 knows (RFC 5280,
// Section 4.2.1.6). Kind and Value together are the whole encoding.
//
// In a parsed name, ASCII kinds hold ASCII, and the others have the structure
// of their types. An X.400 address is only known to be well-formed DER. Nothing
// is known of the meaning: a DNS name may be empty, an IP address of any
// length.
type GeneralName struct {
	Kind  NameKind
	Value []byte
}

// String returns the kind and the value for people to read: quoted where
// the value is text, in hexadecimal elsewhere.
func (n GeneralName) String() string {
	switch n.Kind {
	case NameEmail, NameDNS, NameURI:
		return fmt.Sprintf("%v:%q", n.Kind, n.Value)
	}
	return fmt.Sprintf("%v:%x", n.Kind, n.Value)
}

// readGeneralNames reads the content of a GeneralNames up to its end. The
// tag around it differs from place to place.
//
//	GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName
func readGeneralNames(s cryptobyte.String, part string) ([]GeneralName, error) {
	var names []GeneralName
	for !s.Empty() {
		if len(names) == maxNames {
			return nil, fail(ProblemLimit, "more than %d names in %s", maxNames, part)
		}
		var name GeneralName
		if !readGeneralName(&s, &name) {
			return nil, malformed("name in " + part)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, malformed(part + ": no name")
	}
	return names, nil
}

// readGeneralName reads one name. Its module has implicit tags, but a Name
// is itself a CHOICE, so directoryName alone is tagged explicitly.
//
//	GeneralName ::= CHOICE {
//	    otherName                 [0] OtherName,
//	    rfc822Name                [1] IA5String,
//	    dNSName                   [2] IA5String,
//	    x400Address               [3] ORAddress,
//	    directoryName             [4] Name,
//	    ediPartyName              [5] EDIPartyName,
//	    uniformResourceIdentifier [6] IA5String,
//	    iPAddress                 [7] OCTET STRING,
//	    registeredID              [8] OBJECT IDENTIFIER }
func readGeneralName(s *cryptobyte.String, out *GeneralName) bool {
	var content cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		return false
	}
	kind := NameKind(tag & 0x1f)
	if kind > NameRegisteredID || tag != tagContext(uint8(kind), kind.constructed()) {
		return false
	}
	*out = GeneralName{Kind: kind, Value: content}
	switch kind {
	case NameOther:
		return readOtherName(content)
	case NameEmail, NameDNS, NameURI:
		return !bytes.ContainsFunc(content, func(r rune) bool { return r > unicode.MaxASCII })
	case NameDirectory:
		return readName(&content) && content.Empty()
	case NameEDIParty:
		return readEDIPartyName(content)
	case NameX400:
		return validAll(content, maxDepth)
	case NameRegisteredID:
		_, ok := oidFrom(content)
		return ok
	}
	return true
}

// readOtherName reads the content of an OtherName up to its end.
//
//	OtherName ::= SEQUENCE {
//	    type-id OBJECT IDENTIFIER,
//	    value   [0] EXPLICIT ANY DEFINED BY type-id }
func readOtherName(s cryptobyte.String) bool {
	var id x509.OID
	var value cryptobyte.String
	return readOID(&s, &id) &&
		s.ReadASN1(&value, tagContext(0, true)) &&
		s.Empty() &&
		validAny(&value, maxDepth) &&
		value.Empty()
}

// readEDIPartyName reads the content of an EDIPartyName up to its end. A
// DirectoryString is a CHOICE of string types, so both tags are explicit.
//
//	EDIPartyName ::= SEQUENCE {
//	    nameAssigner [0] DirectoryString OPTIONAL,
//	    partyName    [1] DirectoryString }
func readEDIPartyName(s cryptobyte.String) bool {
	var assigner, party cryptobyte.String
	var hasAssigner bool
	if !s.ReadOptionalASN1(&assigner, &hasAssigner, tagContext(0, true)) ||
		hasAssigner && (!validAny(&assigner, maxDepth) || !assigner.Empty()) {
		return false
	}
	return s.ReadASN1(&party, tagContext(1, true)) &&
		s.Empty() &&
		validAny(&party, maxDepth) &&
		party.Empty()
}

// readName reads over one Name. A name stays in bytes, since it is compared in
// bytes. RFC 5280, Section 7.1 has a looser comparison, which ignores case and
// runs of spaces. But an issuer copies its own subject and has no reason to
// change it. An empty sequence is a Name.
//
//	Name ::= CHOICE { rdnSequence RDNSequence }
//	RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
//	RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
//	AttributeTypeAndValue ::= SEQUENCE {
//	    type  OBJECT IDENTIFIER,
//	    value ANY DEFINED BY type }
func readName(s *cryptobyte.String) bool {
	var rdns cryptobyte.String
	if !s.ReadASN1(&rdns, asn1.SEQUENCE) {
		return false
	}
	for !rdns.Empty() {
		var rdn cryptobyte.String
		if !rdns.ReadASN1(&rdn, asn1.SET) || rdn.Empty() {
			return false
		}
		var members [][]byte
		for !rdn.Empty() {
			var element, member cryptobyte.String
			var id x509.OID
			if !rdn.ReadASN1Element(&element, asn1.SEQUENCE) {
				return false
			}
			members = append(members, element)
			if !element.ReadASN1(&member, asn1.SEQUENCE) ||
				!readOID(&member, &id) ||
				!validAny(&member, maxDepth) ||
				!member.Empty() {
				return false
			}
		}
		if !inOrder(members) {
			return false
		}
	}
	return true
}

func addGeneralNames(b *cryptobyte.Builder, names []GeneralName, tag asn1.Tag) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		for _, n := range names {
			b.AddASN1(tagContext(uint8(n.Kind), n.Kind.constructed()), func(b *cryptobyte.Builder) {
				b.AddBytes(n.Value)
			})
		}
	})
}

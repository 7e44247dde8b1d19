package x509attr

import (
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// readExtensions reads the extensions into ac, and the fields that are made
// from them.
//
//	Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension
func readExtensions(s *cryptobyte.String, ac *AttributeCertificate) error {
	var list cryptobyte.String
	if !s.ReadASN1(&list, asn1.SEQUENCE) || list.Empty() {
		return malformed("extensions")
	}
	for !list.Empty() {
		if len(ac.Extensions) == maxExtensions {
			return fail(ProblemLimit, "more than %d extensions", maxExtensions)
		}
		var e Extension
		if !readExtension(&list, &e) {
			return malformed("extension")
		}
		// RFC 5280, Section 4.2: no extension twice.
		if slices.ContainsFunc(ac.Extensions, func(earlier Extension) bool { return earlier.ID.Equal(e.ID) }) {
			return fail(ProblemDuplicateExtension, "extension %d repeats an earlier one", len(ac.Extensions)+1)
		}
		if err := interpretExtension(e, ac); err != nil {
			return err
		}
		ac.Extensions = append(ac.Extensions, e)
	}
	return nil
}

// readExtension reads one extension.
//
//	Extension ::= SEQUENCE {
//	    extnID    OBJECT IDENTIFIER,
//	    critical  BOOLEAN DEFAULT FALSE,
//	    extnValue OCTET STRING }
func readExtension(s *cryptobyte.String, out *Extension) bool {
	var e, value cryptobyte.String
	if !s.ReadASN1(&e, asn1.SEQUENCE) || !readOID(&e, &out.ID) {
		return false
	}
	// X.690, Section 11.5: DER does not write a value that is the default, so
	// a boolean here can only be TRUE.
	if e.PeekASN1Tag(asn1.BOOLEAN) && (!e.ReadASN1Boolean(&out.Critical) || !out.Critical) {
		return false
	}
	if !e.ReadASN1(&value, asn1.OCTET_STRING) || !e.Empty() {
		return false
	}
	out.Value = value
	return true
}

// interpretExtension sets the field that an extension is for. A malformed
// value is an error: a field must not be empty for a certificate that
// meant to fill it.
func interpretExtension(e Extension, ac *AttributeCertificate) error {
	switch oidContent(e.ID) {
	case oidAuthorityKeyID:
		// RFC 5755, Section 4.3.3, RFC 5280, Section 4.2.1.1: not critical.
		if e.Critical {
			return fail(ProblemExtension, "authorityKeyIdentifier is critical")
		}
		keyID, ok := readAuthorityKeyID(e.Value)
		if !ok {
			return fail(ProblemExtension, "malformed authorityKeyIdentifier")
		}
		ac.AuthorityKeyID = keyID
	case oidNoRevAvail:
		// RFC 5755, Section 4.3.6: not critical, and its value is NULL.
		if e.Critical {
			return fail(ProblemExtension, "noRevAvail is critical")
		}
		if string(e.Value) != derNull {
			return fail(ProblemExtension, "malformed noRevAvail")
		}
		ac.NoRevAvail = true
	}
	return nil
}

// readAuthorityKeyID reads the value of an authorityKeyIdentifier and
// returns its keyIdentifier, nil where it has none.
//
//	AuthorityKeyIdentifier ::= SEQUENCE {
//	    keyIdentifier             [0] OCTET STRING OPTIONAL,
//	    authorityCertIssuer       [1] GeneralNames OPTIONAL,
//	    authorityCertSerialNumber [2] INTEGER OPTIONAL }
func readAuthorityKeyID(value []byte) ([]byte, bool) {
	s := cryptobyte.String(value)
	var aki, keyID, issuer cryptobyte.String
	var hasKeyID, hasIssuer bool
	if !s.ReadASN1(&aki, asn1.SEQUENCE) || !s.Empty() ||
		!aki.ReadOptionalASN1(&keyID, &hasKeyID, tagContext(0, false)) ||
		!aki.ReadOptionalASN1(&issuer, &hasIssuer, tagContext(1, true)) {
		return nil, false
	}
	if hasIssuer {
		if _, err := readGeneralNames(issuer, "authorityCertIssuer"); err != nil {
			return nil, false
		}
	}
	if serialTag := tagContext(2, false); aki.PeekASN1Tag(serialTag) {
		var serial *big.Int
		if !readInteger(&aki, &serial, serialTag) {
			return nil, false
		}
	}
	return keyID, aki.Empty()
}

func addExtensions(b *cryptobyte.Builder, extensions []Extension) {
	if len(extensions) == 0 {
		return
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range extensions {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addOID(b, e.ID)
				if e.Critical {
					b.AddASN1Boolean(true)
				}
				b.AddASN1OctetString(e.Value)
			})
		}
	})
}

// withFields returns the extensions of a template: its list, and after it
// those that only its fields ask for. An empty keyID asks for nothing.
func withFields(template *AttributeCertificate, keyID []byte) []Extension {
	listed := make(map[string]bool)
	extensions := make([]Extension, 0, len(template.Extensions)+2)
	for _, e := range template.Extensions {
		listed[oidContent(e.ID)] = true
		extensions = append(extensions, e)
	}
	if len(keyID) > 0 && !listed[oidAuthorityKeyID] {
		var b cryptobyte.Builder
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tagContext(0, false), func(b *cryptobyte.Builder) { b.AddBytes(keyID) })
		})
		extensions = append(extensions, Extension{ID: constOID(oidAuthorityKeyID), Value: b.BytesOrPanic()})
	}
	if template.NoRevAvail && !listed[oidNoRevAvail] {
		extensions = append(extensions, Extension{ID: constOID(oidNoRevAvail), Value: []byte(derNull)})
	}
	return extensions
}

package x509attr

import (
	"bytes"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// marshalInfo writes an AttributeCertificateInfo from the fields of ac, all of
// them, and nothing else. It is the reverse of parseInfo: from what that
// returns it makes the same octets again, which the tests hold it to. It does
// not judge values; Create has parseInfo read the result for that.
func marshalInfo(ac *AttributeCertificate) ([]byte, error) {
	if err := checkEncodable(ac); err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1) // v2
		addHolder(b, ac.Holder)
		b.AddASN1(tagContext(0, true), func(b *cryptobyte.Builder) {
			addGeneralNames(b, []GeneralName{{Kind: NameDirectory, Value: ac.RawIssuer}}, asn1.SEQUENCE)
		})
		addAlgorithmIdentifier(b, ac.SignatureAlgorithmID)
		b.AddASN1BigInt(ac.SerialNumber)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, ac.NotBefore)
			addTime(b, ac.NotAfter)
		})
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, attribute := range ac.Attributes {
				addAttribute(b, attribute)
			}
		})
		if ac.IssuerUniqueID != nil {
			addBitString(b, *ac.IssuerUniqueID)
		}
		addExtensions(b, ac.Extensions)
	})
	info, err := b.Bytes()
	if err != nil {
		return nil, fail(ProblemTemplate, "cannot encode template: %v", err)
	}
	return info, nil
}

// checkEncodable refuses what could not be written, or would be read as
// something else. For example, a value that is two elements would become two
// values.
func checkEncodable(ac *AttributeCertificate) error {
	if ac.SerialNumber == nil {
		return fail(ProblemTemplate, "template has no serial number")
	}
	if id := ac.Holder.BaseCertificateID; id != nil {
		if id.Serial == nil {
			return fail(ProblemTemplate, "holder baseCertificateID has no serial number")
		}
		if err := checkNames(id.Issuer); err != nil {
			return err
		}
	}
	if err := checkNames(ac.Holder.EntityName); err != nil {
		return err
	}
	for _, attribute := range ac.Attributes {
		for _, value := range attribute.Values {
			if !isElement(value) {
				return fail(ProblemTemplate, "attribute value is not one DER element")
			}
		}
	}
	return nil
}

// checkNames refuses a kind of name that is not one of the constants.
func checkNames(names []GeneralName) error {
	for _, name := range names {
		if name.Kind > NameRegisteredID {
			return fail(ProblemTemplate, "unknown kind of name: %v", name.Kind)
		}
	}
	return nil
}

// addTime writes a time as readTime reads it. A year outside its range comes
// out as something that readTime refuses.
func addTime(b *cryptobyte.Builder, t time.Time) {
	b.AddASN1(asn1.GeneralizedTime, func(b *cryptobyte.Builder) {
		b.AddBytes([]byte(t.UTC().Format(timeLayout)))
	})
}

// addAttribute writes an attribute, its values in the order of DER.
func addAttribute(b *cryptobyte.Builder, attribute Attribute) {
	values := slices.Clone(attribute.Values)
	slices.SortFunc(values, bytes.Compare)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, attribute.Type)
		b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
			for _, value := range values {
				b.AddBytes(value)
			}
		})
	})
}

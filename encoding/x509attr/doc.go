// Package x509attr reads, checks and issues X.509 attribute certificates as
// RFC 5755 profiles them.
//
// An attribute certificate is a signed statement that somebody, the holder, has
// certain attributes. It holds no key. Its issuer signs it with the key of an
// ordinary public key certificate. It names the holder by reference to such a
// certificate, by a name or by a digest. This package treats attributes as
// opaque: what a type means, and who may attest to it, is for the caller.
//
// # Issuing and verifying
//
// With a certificate and its key at hand, issuing takes one call:
//
//	der, err := x509attr.Create(rand.Reader, &x509attr.AttributeCertificate{
//		Holder: x509attr.Holder{EntityName: []x509attr.GeneralName{
//			{Kind: x509attr.NameDNS, Value: []byte("host.example")}}},
//		SerialNumber: serial,
//		NotBefore:    now,
//		NotAfter:     now.Add(24 * time.Hour),
//		Attributes:   []x509attr.Attribute{{Type: oid, Values: [][]byte{value}}},
//	}, issuerCert, issuerKey)
//
// The other side gets der and the issuer's certificate:
//
//	ac, err := x509attr.Parse(der)            // structure
//	err = ac.CheckSignatureFrom(issuerCert)   // signature
//	ok := ac.ValidAt(now)                     // time
//	ids := ac.UnhandledCriticalExtensions()   // not empty: refuse
//	chains, err := issuerCert.Verify(options) // trust in the issuer
//
// All of these steps are needed. After them the caller checks that this issuer
// may attest to these attributes, and that the party at hand is the holder. The
// Examples are complete programs.
//
// # Data flow
//
// [Parse] turns DER into an [AttributeCertificate] and keeps the signed octets,
// which are what [AttributeCertificate.CheckSignatureFrom] verifies, never a
// re-encoding. [EncodePEM] writes the text form of RFC 7468. [ParseBag] and
// [MarshalBag] carry attribute certificates together with public key
// certificates in a CMS message without signers (RFC 5652). Everything is a
// pure function, without input or output, clock or state. Any function may be
// called from many goroutines.
//
// Every error is an [*Error] whose [Problem] says what rule was broken.
//
// # What is refused
//
// Input is strict DER, with one way to write each value. What Parse accepts
// comes out the same when it is written again from the parsed fields. Only the
// content of attribute values and of unknown extensions is left alone. Beyond
// the structure, Parse enforces the rules of RFC 5755 without which its fields
// would be ambiguous or useless. These are version 2, one directory name as
// issuer, and a positive serial number of up to 20 octets. Times are in UTC and
// whole seconds, and no attribute type or extension comes twice. The caller
// enforces rules that only narrow a choice: which forms of holder and of names
// to use, and what attributes and extensions to expect. So certificates of
// other profiles, such as those for TPM platforms, can be read.
//
// # What is not checked
//
// Neither Parse nor CheckSignatureFrom looks at the time, at critical
// extensions, at revocation (RFC 5755, Section 6), or at the targets that a
// certificate is meant for (Section 4.3.2). Of the issuer's own certificate
// they check only the rules of Section 4.5. These are not supported: version 1
// attribute certificates, the v1Form of issuers, encrypted attributes, and
// chains of attribute certificates. RFC 5755 rules them out or makes them
// optional.
//
// # Deviation
//
// An issuer's name may be empty, against RFC 5755, Section 4.2.3; see
// [AttributeCertificate].RawIssuer.
package x509attr

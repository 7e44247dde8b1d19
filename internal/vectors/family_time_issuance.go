package vectors

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/internal/testkit/sct"
)

// milli is a moment in milliseconds, as an SCT has it.
func milli(at time.Time) uint64 { return uint64(at.UnixMilli()) }

// logged embeds SCTs in the signer's certificate. latest is what order they give
// it, worked out by hand; the zero time if they give it none.
func logged(latest time.Time, scts ...[]byte) step {
	return all(embedded(sct.Value(sct.List(scts...))), func(t *trial) { t.logged = latest })
}

// embedded puts a value into the extension for SCTs.
func embedded(value []byte, edits ...func(*x509.Certificate)) step {
	return leaf(append(edits, func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: sct.OID, Value: value})
	})...)
}

// loggedAt is a certificate with one SCT, and with that notBefore.
func loggedAt(at, notBefore time.Time) step {
	return all(embedded(sct.Value(sct.List(sct.V1(milli(at)))), lives(notBefore, ends)), func(t *trial) { t.logged = at })
}

// issuanceEntries are about when a certificate was issued, in both encodings.
func issuanceEntries() []entry {
	moment := begins.Add(time.Hour)
	one := sct.V1(milli(moment))
	foreign := append([]byte{1}, octets("an SCT of version 2", 90)...)
	list := sct.List(one)
	const malformed, future = "malformed-certificate", "signer-not-yet-valid"
	signedNow := func(steps ...step) step {
		return all(append([]step{says(func(s *statement) { s.issued = now })}, steps...)...)
	}
	cut := func(n int) step { return logged(time.Time{}, one[:n]) }
	return []entry{
		good("sct-one", "issuance", "one SCT, an hour after notBefore", logged(moment, one)),
		good("sct-several", "issuance", "three SCTs, the latest in the middle", logged(moment, sct.V1(milli(moment.Add(-time.Minute))), one, sct.V1(milli(moment.Add(-time.Hour))))),
		good("sct-milliseconds", "issuance", "an SCT with milliseconds", logged(moment.Add(250*time.Millisecond), one, sct.V1(milli(moment)+250))),
		good("sct-unknown-version", "issuance", "an SCT, and one of an unknown version in an unknown form, which is skipped", logged(moment, foreign, one)),
		good("sct-unknown-version-short", "issuance", "an SCT, and one of an unknown version that has no more than that", logged(moment, one, []byte{0xff})),
		good("sct-only-unknown-version", "issuance", "only an SCT of an unknown version: notBefore is the issuance", logged(time.Time{}, foreign)),
		good("sct-before-not-before", "issuance", "an SCT a day before notBefore", logged(begins.Add(-day), sct.V1(milli(begins.Add(-day))))),
		good("sct-1970", "issuance", "an SCT of the first millisecond of 1970", logged(time.UnixMilli(0).UTC(), sct.V1(0))),
		good("sct-extensions", "issuance", "an SCT with extensions", logged(moment, withExtensions(one))),

		bad("sct-empty-list", "issuance", malformed, "an empty list of SCTs", logged(time.Time{})),
		bad("sct-empty-octets", "issuance", malformed, "an OCTET STRING without octets", embedded(sct.Value(nil))),
		bad("sct-empty-value", "issuance", malformed, "an extension without a value", embedded(nil)),
		bad("sct-empty", "issuance", malformed, "an SCT without octets", logged(time.Time{}, one, nil)),
		bad("sct-cut-log", "issuance", malformed, "an SCT that ends within the log's identifier", cut(20)),
		bad("sct-cut-time", "issuance", malformed, "an SCT that ends within its timestamp", cut(40)),
		bad("sct-cut-signature", "issuance", malformed, "an SCT that ends within its signature", cut(len(one)-1)),
		bad("sct-second-cut", "issuance", malformed, "a good SCT, and one that is cut", logged(time.Time{}, one, one[:len(one)-1])),
		bad("sct-list-cut", "issuance", malformed, "a list that ends before it should", embedded(sct.Value(list[:len(list)-1]))),
		bad("sct-list-more", "issuance", malformed, "an octet after the list", embedded(sct.Value(append(slices.Clone(list), 0)))),
		bad("sct-value-more", "issuance", malformed, "an octet after the OCTET STRING", embedded(append(sct.Value(list), 0))),
		bad("sct-more", "issuance", malformed, "an octet after the signature of an SCT", logged(time.Time{}, append(slices.Clone(one), 0))),
		bad("sct-element-cut", "issuance", malformed, "a list that ends within the length of an SCT", embedded(sct.Value(lengthened(append(slices.Clone(list), 0))))),
		bad("sct-no-octet-string", "issuance", malformed, "a list without its OCTET STRING", embedded(list)),
		bad("sct-sequence", "issuance", malformed, "a SEQUENCE where the OCTET STRING should be", embedded(dertree.Primitive(acder.TagSequence, list...).Bytes())),
		bad("sct-bits", "issuance", malformed, "a BIT STRING where the OCTET STRING should be", embedded(acder.Bits(list).Bytes())),
		bad("sct-length", "issuance", malformed, "an OCTET STRING with an octet more of length than needed", embedded((&dertree.Node{Tag: acder.TagOctets, Content: list, Form: dertree.Padded}).Bytes())),
		bad("sct-extension-twice", "issuance", malformed, "the extension twice", chain(func(w *world, der [][]byte) [][]byte {
			return [][]byte{remade(der[0], w.ca.key, func(tbs *dertree.Node) {
				for range 2 {
					tbs.At(len(tbs.Children)-1, 0).Add(acder.Extension(sct.OID.String(), false, sct.Value(list)))
				}
			}), der[1]}
		})),
		good("sct-intermediate", "issuance", "an empty list of SCTs in the intermediate certificate: only the signer's is looked at", signedBy(func(w *world) *signer {
			return w.root.under("P-256", "Another Intermediate", func(c *x509.Certificate) {
				c.ExtraExtensions = []pkix.Extension{{Id: sct.OID, Value: sct.Value(sct.List())}}
			}).issue("P-256")
		})),

		good("sct-now-5", "issuance certificate", "an SCT 5 minutes in the future", signedNow(logged(now.Add(skew), sct.V1(milli(now.Add(skew)))))),
		bad("sct-now-5-more", "issuance certificate", future, "an SCT 5 minutes and a millisecond in the future", logged(time.Time{}, sct.V1(milli(now.Add(skew))+1)), signedNow()),
		bad("sct-one-future", "issuance certificate", future, "a good SCT, and one an hour in the future", logged(time.Time{}, one, sct.V1(milli(now.Add(time.Hour)))), signedNow()),
		bad("sct-year-10000", "issuance certificate", future, "an SCT of the year 10000", logged(time.Time{}, sct.V1(milli(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))))),
		bad("sct-2-63", "issuance certificate", future, "an SCT of 2^63 milliseconds, which a signed number takes for the distant past", logged(time.Time{}, sct.V1(1<<63))),
		bad("sct-2-63-beside", "issuance certificate", future, "a good SCT, and one of 2^63 milliseconds", logged(time.Time{}, one, sct.V1(1<<63))),
		bad("sct-2-64-less-1", "issuance certificate", future, "an SCT of 2^64-1 milliseconds", logged(time.Time{}, sct.V1(1<<64-1))),
		bad("sct-2-53", "issuance certificate", future, "an SCT of 2^53+1 milliseconds, which a floating-point number cannot hold", logged(time.Time{}, sct.V1(1<<53+1))),

		good("sct-issued-before", "issuance issued", "issued 5 minutes before the SCT", logged(issued.Add(skew), sct.V1(milli(issued.Add(skew))))),
		bad("sct-issued-long-before", "issuance issued", "issued-before-signer", "issued 5 minutes and a millisecond before the SCT", logged(time.Time{}, sct.V1(milli(issued.Add(skew))+1))),
		good("sct-issued-after-not-before", "issuance issued", "issued 10 minutes before notBefore, and after the SCT: notBefore is post-dated", all(
			loggedAt(issued.Add(-time.Hour), issued.Add(10*time.Minute)), at(issued.Add(10*time.Minute)))),
	}
}

// withExtensions gives an SCT three octets of extensions.
func withExtensions(v1 []byte) []byte {
	const before = 1 + 32 + 8 // version, log, timestamp
	return slices.Concat(v1[:before], []byte{0, 3, 'x', 'y', 'z'}, v1[before+2:])
}

// lengthened corrects the length of a list to which octets were added.
func lengthened(list []byte) []byte {
	list[0], list[1] = byte((len(list)-2)>>8), byte(len(list)-2)
	return list
}

// issuanceOrderEntries are about the order that the issuance makes, in both
// encodings.
func issuanceOrderEntries() []entry {
	at := begins.Add(time.Hour)
	ms := func(n int) step { m := at.Add(time.Duration(n) * time.Millisecond); return loggedAt(m, begins) }
	floor := func(n int, iat time.Duration, targets []target) step {
		f := floorAt(0, iat, targets)
		f.Order.Issuance = at.Add(time.Duration(n) * time.Millisecond)
		return remembered(f)
	}
	same := goodStatement().targets
	other := []target{{host: elsewhere, port: port}}
	midnight := begins.Truncate(day)
	// Both certificates were issued on one day, the stolen one two hours earlier.
	stolen, replacement := midnight.Add(8*time.Hour), midnight.Add(10*time.Hour)
	signedLate := all(elsewhereTo, later(time.Minute))
	return []entry{
		good("sct-order", "issuance order", "a statement by a certificate that was logged a millisecond later", all(ms(1), beside(ms(2), elsewhereTo)), counts(ms(2), elsewhereTo)),
		good("sct-order-iat", "issuance order", "a statement by a certificate that was logged a millisecond earlier, issued later", all(ms(2), beside(ms(1), signedLate))),
		good("sct-order-same", "issuance order", "two certificates that were logged in one millisecond: iat decides", all(ms(1), beside(ms(1), signedLate)), counts(ms(1), signedLate)),
		bad("sct-conflict", "issuance conflict", "conflict", "two certificates that were logged in one millisecond, one iat, other targets", beside(all(loggedAt(at, begins.Add(-day)), elsewhereTo)), ms(0)).contradicts(ms(0)),
		good("sct-and-none", "issuance order", "a certificate without SCTs, with a notBefore a second after the SCT of the other", all(ms(0), beside(certified(time.Hour+time.Second), elsewhereTo)),
			counts(certified(time.Hour+time.Second), elsewhereTo)),
		good("none-and-sct", "issuance order", "a certificate without SCTs, with a notBefore a second before the SCT of the other", all(ms(0), beside(certified(time.Hour-time.Second), signedLate))),
		good("backdated-hour", "issuance order rollover", "a stolen certificate, and a replacement that was issued later, whose authority backdates notBefore by three hours", all(loggedAt(replacement, replacement.Add(-3*time.Hour)),
			beside(loggedAt(stolen, stolen), signedLate))),
		good("backdated-midnight", "issuance order rollover", "a stolen certificate, and a replacement that was issued later, with a notBefore of midnight", all(loggedAt(replacement, midnight), beside(loggedAt(stolen, midnight.Add(time.Hour)), signedLate))),
		good("backdated-equal", "issuance order rollover", "both certificates have a notBefore of midnight", all(loggedAt(replacement, midnight), beside(loggedAt(stolen, midnight), signedLate))),
		good("post-dated", "issuance order rollover", "a stolen certificate with a notBefore that the thief post-dated by a day, and a replacement", all(loggedAt(replacement, replacement), beside(loggedAt(stolen, stolen.Add(day)), signedLate))),

		good("sct-floor-below", "issuance floor", "the floor is of a certificate that was logged a millisecond earlier", all(ms(1), floor(0, day, other))),
		good("sct-floor-equal", "issuance floor", "the floor is this very statement, with milliseconds", all(ms(1), floor(1, 0, same))),
		bad("sct-floor-equal-other", "issuance floor", "conflict", "the floor is of the same millisecond and iat, with other targets", floor(1, 0, other), ms(1)),
		bad("sct-floor-above", "issuance floor", "superseded", "the floor is of a certificate that was logged a millisecond later", floor(2, -day, same), ms(1)),
		bad("backdated-floor", "issuance floor rollover", "superseded", "a replacement is remembered, whose authority backdates; a stolen certificate with a later notBefore signs", all(
			loggedAt(stolen, stolen), signedLate, func(t *trial) {
				f := floorAt(0, 0, same)
				f.Order.Issuance = replacement
				t.policy.Floor = &f
			})),
	}
}

// selfIssuedEntries are about a signer's certificate whose subject is its
// issuer.
func selfIssuedEntries() []entry {
	const untrusted = "untrusted-signer"
	// rooted is issued by the trust anchor, and has its name.
	rooted := func(edits ...func(*x509.Certificate)) step {
		return signedBy(func(w *world) *signer {
			return w.root.issue("P-256", append(edits, commonName(w.root.certificate.Subject.CommonName))...)
		})
	}
	floor := func(issuance time.Time) step {
		f := floorAt(0, -time.Minute, nil)
		f.Order.Issuance = issuance
		return remembered(f)
	}
	list := func(value []byte) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{{Id: sct.OID, Value: value}} }
	}
	return []entry{
		bad("self-issued", "self-issued", untrusted, "a certificate that the trust anchor issued to its own name", rooted()),
		bad("self-issued-floor-below", "self-issued floor", untrusted, "the floor is after notBefore and a second before iat, which is the issuance of such a certificate", all(rooted(), floor(issued.Add(-time.Second)))),
		bad("self-issued-floor-above", "self-issued floor", "superseded", "the floor is a second after iat, which is the issuance of such a certificate", all(rooted(), floor(issued.Add(time.Second)))),
		bad("self-issued-issued-before", "self-issued issued", untrusted, "issued an hour before its SCT, which gives such a certificate no issuance", rooted(list(sct.Value(sct.List(sct.V1(milli(now))))))),
		bad("self-issued-malformed", "self-issued issuance", "malformed-certificate", "an empty list of SCTs in such a certificate", rooted(list(sct.Value(sct.List())))),
		bad("self-issued-self-signed", "self-issued", untrusted, "a certificate that signed itself", func(t *trial) {
			key := newKey("P-256", "leaf")
			template := &x509.Certificate{DNSNames: []string{source}, NotBefore: begins, NotAfter: ends, Subject: pkix.Name{CommonName: source}}
			t.signer = &signer{leaf: sign(template, template, key, key), key: key, ca: t.root}
		}),
		good("self-issued-and-good", "self-issued", "a later statement by such a certificate, beside a good one", beside(rooted(), signedLater)),
	}
}

var signedLater = all(elsewhereTo, later(time.Minute))

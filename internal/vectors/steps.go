package vectors

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

// Steps that several families use.

// header replaces a part of the header before it is signed.
func header(old, with string) step { return headerText(replaced(old, with)) }

func headerText(edit func(json string) string) step {
	return func(t *trial) { t.jwsEdits.header = append(t.jwsEdits.header, edit) }
}

// payload replaces a part of the claims before they are signed.
func payload(old, with string) step { return payloadText(replaced(old, with)) }

func payloadText(edit func(json string) string) step {
	return func(t *trial) { t.jwsEdits.payload = append(t.jwsEdits.payload, edit) }
}

// part changes one of the three parts of the signed token.
func part(i int, edit func(part string) string) step {
	return func(t *trial) {
		t.parts = append(t.parts, func(parts []string) { parts[i] = edit(parts[i]) })
	}
}

// token changes the signed token.
func token(edit func(compact string) string) step {
	return func(t *trial) { t.token = append(t.token, edit) }
}

// says changes the statement.
func says(edit func(s *statement)) step { return func(t *trial) { edit(&t.statement) } }

// delegatesTo replaces the targets.
func delegatesTo(targets ...target) step {
	return says(func(s *statement) { s.targets = targets })
}

func revokes(s *statement) { s.targets = nil }

// signedBy has another signer.
func signedBy(make func(w *world) *signer) step {
	return func(t *trial) { t.signer = make(t.world) }
}

// needs says which optional part of the specification the case is about.
func needs(feature string) step {
	return func(t *trial) { t.features = append(t.features, feature) }
}

// leaf signs with another certificate of the same authority and kind of key.
func leaf(edits ...func(c *x509.Certificate)) step {
	return signedBy(func(w *world) *signer { return w.ca.issue("P-256", edits...) })
}

// ofKind signs with a key of a kind.
func ofKind(kind string) step {
	return signedBy(func(w *world) *signer { return w.ca.issue(kind) })
}

// chain changes the certificates that are sent.
func chain(edit func(w *world, der [][]byte) [][]byte) step {
	return func(t *trial) {
		t.chain = append(t.chain, func(der [][]byte) [][]byte { return edit(t.world, der) })
	}
}

// at asks for another time.
func at(when time.Time) step { return func(t *trial) { t.policy.Time = stamp(when) } }

// place has the statement found elsewhere.
func place(where string) step { return func(t *trial) { t.place = where } }

func encoded(encoding string) step { return func(t *trial) { t.encoding = encoding } }

// has changes the evidence.
func has(edit func(e *evidence)) step {
	return func(t *trial) { t.evidence = append(t.evidence, edit) }
}

// hasSRV has answers to SRV.
func hasSRV(answers ...srvAnswer) step {
	return has(func(e *evidence) { e.SRV = answers })
}

// believes lets DNSSEC states of the evidence count.
func believes(t *trial) { t.policy.BelieveReplayedDNSSEC = true }

// beside adds a second statement, in a TXT record.
func beside(steps ...step) step {
	return func(t *trial) {
		other := t.world.trial(func(o *trial) { o.encoding = t.encoding }, all(steps...))
		t.evidence = append(t.evidence, func(e *evidence) { e.addRecord(other.record()) })
	}
}

// addRecord puts a TXT record where the others are.
func (e *evidence) addRecord(text string) {
	if len(e.TXT) == 0 {
		e.TXT = append(e.TXT, txtAt(service))
	}
	e.TXT[0].Records = append(e.TXT[0].Records, text)
}

// info changes acinfo before it is signed.
func info(edit func(info *dertree.Node)) step {
	return func(t *trial) { t.info = append(t.info, edit) }
}

// signedAC changes the attribute certificate after it was signed.
func signedAC(edit func(ac *dertree.Node)) step {
	return func(t *trial) { t.acEdits.ac = append(t.acEdits.ac, edit) }
}

// message changes the SignedData of the CMS message.
func message(edit func(signed *dertree.Node)) step {
	return func(t *trial) { t.bag = append(t.bag, edit) }
}

// der changes the octets of the message.
func der(edit func(der []byte) []byte) step {
	return func(t *trial) { t.octets = append(t.octets, edit) }
}

// set replaces one part of acinfo.
func set(with *dertree.Node, path ...int) step {
	return info(func(info *dertree.Node) { *info.At(path...) = *with })
}

// content replaces the content of one primitive part of acinfo.
func content(text string, path ...int) step {
	return info(func(info *dertree.Node) { info.At(path...).Content = []byte(text) })
}

// tagged replaces the tag of one part of acinfo.
func tagged(tag byte, path ...int) step {
	return info(func(info *dertree.Node) { info.At(path...).Tag = tag })
}

// adds appends to a constructed part of acinfo.
func adds(child *dertree.Node, path ...int) step {
	return info(func(info *dertree.Node) { info.At(path...).Add(child) })
}

// removes takes a child of a part of acinfo away.
func removes(i int, path ...int) step {
	return info(func(info *dertree.Node) { info.At(path...).Remove(i) })
}

// in is a path below another one.
func in(path []int, more ...int) []int { return slices.Concat(path, more) }

// Expectations.

// until: the proof ends then.
func until(end time.Time) expectation {
	return func(_ *trial, e *Expect) {
		e.Expires = &end
		e.Floor.Floor.ValidUntil = end
	}
}

// refreshed: it is looked up again then.
func refreshed(when time.Time) expectation {
	return func(_ *trial, e *Expect) { e.RefreshAt = &when }
}

// dials: where to connect, in order.
func dials(list string) expectation {
	return func(_ *trial, e *Expect) { e.Dial = strings.Fields(list) }
}

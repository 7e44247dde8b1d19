package delegation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// threeOneOne is the TLSA record for the key of a certificate.
func threeOneOne(leaf *x509.Certificate) TLSARecord {
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return TLSARecord{Usage: 3, Selector: 1, Matching: 1, Data: sum[:]}
}

// ownSigner has a certificate of its own.
func ownSigner(kind string) *keys.Signer {
	return localca.Must(keys.SelfIssue(keyOf(kind), source, now.Add(-10*day), now.Add(80*day)))
}

// inSignedZone has DNSSEC secure the TXT answer, and the zone name keys.
func (tr *trial) inSignedZone(records ...TLSARecord) {
	tr.adjust = func(e *Evidence) {
		e.TXT[0].DNSSEC = Secure
		e.Signers = []TLSAAnswer{{Answer: Answer{Name: SignerName(source, service), DNSSEC: Secure, TTL: 3600}, Records: records}}
	}
}

// TestNamedKeyRemembered: what is remembered of a statement by a named key
// does not take the place of the record, and the other way round.
func TestNamedKeyRemembered(t *testing.T) {
	tr := newTrial(t)
	tr.policy.Cache = NewCache(tr.policy.Roots)
	tr.signer = ownSigner("P-256")
	tr.inSignedZone(threeOneOne(tr.signer.Leaf()))
	for range 2 {
		result, err := tr.verify()
		wantEnd(t, reasons.Verified, result, err)
	}
	tr.inSignedZone() // the record is gone
	_, err := tr.verify()
	wantRefusal(t, reasons.UntrustedSigner, err)

	usual := cachedTrial(t)
	usual.inSignedZone(threeOneOne(tr.signer.Leaf())) // another key has come
	_, err = usual.verify()
	wantRefusal(t, reasons.SignerNotNamed, err)
}

// TestNamedKeyResult: the proof rests on the key alone, which the policy's own
// check sees, and the result and its floor say so.
func TestNamedKeyResult(t *testing.T) {
	tr := newTrial(t)
	tr.inSignedZone(threeOneOne(tr.signer.Leaf()))
	tr.policy.SignerCheck = func(chain []*x509.Certificate) error {
		if len(chain) != 1 || !bytes.Equal(chain[0].Raw, tr.signer.Leaf().Raw) {
			return fmt.Errorf("%d certificates", len(chain))
		}
		return nil
	}
	result, err := tr.verify()
	if err != nil {
		t.Fatal(err)
	}
	end := now.Add(time.Hour)
	if p := result.Proven(); !p.Named || !p.ValidUntil.Equal(end) || !p.Floor.SignerUntil.Equal(end) || !p.Floor.ValidUntil.Equal(end) {
		t.Errorf("%+v", p)
	}
	tr.inSignedZone()
	tr.policy.SignerCheck = nil
	if result, err = tr.verify(); err != nil || result.Proven().Named {
		t.Errorf("%v, named without a record", err)
	}
}

// TestSignerName: a name that DNS cannot have is none.
func TestSignerName(t *testing.T) {
	if got := SignerName(source, service); got != "_signer._xmpp-server._tcp._dna.b.example" {
		t.Error(got)
	}
	long := string(bytes.Repeat([]byte("a"), 253-len("_signer._xmpp-server._tcp._dna.")))
	if SignerName(long, service) == "" || SignerName(long+"a", service) != "" {
		t.Error("another limit than 253")
	}
}

// TestExclusive is the law of named keys: whatever else an answer has, a secure
// record 3 1 1 shuts out every other key, and none lets a certificate of its own
// in without one.
func TestExclusive(t *testing.T) {
	own := ownSigner("P-256")
	base := newTrial(t)
	byOwn, byUsual := newTrial(t), base
	byOwn.signer = own
	tokens := map[bool]string{true: JWS.TXTRecord(byOwn.sign()), false: JWS.TXTRecord(byUsual.sign())}
	pins := map[bool]TLSARecord{true: threeOneOne(own.Leaf()), false: threeOneOne(base.signer.Leaf())}
	rapid.Check(t, func(t *rapid.T) {
		isOwn := rapid.Bool().Draw(t, "signed by the own key")
		var records []TLSARecord
		named, none := false, true
		for range rapid.IntRange(0, 8).Draw(t, "records") {
			record := pins[rapid.Bool().Draw(t, "own")]
			record.Data = slices.Clone(record.Data)
			record.Usage = rapid.SampledFrom([]uint8{3, 3, 3, 2, 255}).Draw(t, "usage")
			record.Selector = rapid.SampledFrom([]uint8{1, 1, 1, 0}).Draw(t, "selector")
			record.Matching = rapid.SampledFrom([]uint8{1, 1, 1, 2}).Draw(t, "matching")
			record.Data = record.Data[:rapid.SampledFrom([]int{32, 32, 32, 31, 0}).Draw(t, "length")]
			if record.Usage == 3 && record.Selector == 1 && record.Matching == 1 && len(record.Data) == 32 {
				none = false
				named = named || bytes.Equal(record.Data, pins[isOwn].Data)
			}
			records = append(records, record)
		}
		e := evidenceOf(txtAnswer(tokens[isOwn]))
		e.TXT[0].DNSSEC = Secure
		e.Signers = []TLSAAnswer{{Answer: Answer{Name: SignerName(source, service), DNSSEC: Secure, TTL: 60}, Records: records}}
		want := reasons.SignerNotNamed
		switch {
		case named, none && !isOwn:
			want = reasons.Verified
		case none:
			want = reasons.UntrustedSigner
		}
		_, err := Verify(base.query, e, base.policy)
		got := reasons.Verified
		if err != nil {
			got = ReasonOf(err)
		}
		if got != want {
			t.Fatalf("%s, want %s, of %v", got, want, records)
		}
	})
}

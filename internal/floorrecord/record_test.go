package floorrecord

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
)

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
	client  = "_xmpp-client._tcp"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// floor is that of a statement by a certificate of day signer, issued at hour
// issued, with some targets.
func floor(signer, issued int, targets delegation.Digest) delegation.Floor {
	return delegation.Floor{
		Order: delegation.Order{
			Issuance: t0.AddDate(0, 0, signer).Add(123 * time.Millisecond), Issued: t0.Add(time.Duration(issued) * time.Hour),
		},
		Targets:    targets,
		ValidUntil: t0.AddDate(0, 0, 14), SignerUntil: t0.AddDate(0, 0, 90),
	}
}

// FuzzRecord: what is accepted is what would be written, octet by octet, and
// only for its own subject.
func FuzzRecord(f *testing.F) {
	about := About(source, service)
	host := delegation.DigestTargets([]delegation.Target{{Endpoint: delegation.Endpoint{Host: "x.example", Port: 5269}}})
	odd := floor(0, 0, delegation.Contradiction)
	odd.ValidUntil, odd.SignerUntil = time.Time{}, afterAll
	for _, r := range []Record{{t0, floor(0, 0, host)}, {t0, floor(3, 9, delegation.DigestTargets(nil))}, {time.Time{}, odd}} {
		f.Add(r.Encode(about)[:checkAt])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		// The check is put right: no fuzzer would guess it.
		encoded := binary.BigEndian.AppendUint32(bytes.Clone(body), recordSum(about, body))
		r, err := Decode(about, encoded)
		if err != nil {
			return
		}
		if again := r.Encode(about); !bytes.Equal(again, encoded) {
			t.Errorf("%x is written as %x", encoded, again)
		}
		if err := CheckFloor(r.Floor); err != nil {
			t.Errorf("no Raise leads to %v: %v", r, err)
		}
		for _, other := range []Subject{{"a." + source, service}, {source, client}} {
			if _, err := Decode(other, encoded); err == nil {
				t.Errorf("it is taken for that of %s", other)
			}
		}
		if got, at, err := ParseMessage(about.String() + " " + string(encoded)); got != about || at != r || err != nil {
			t.Errorf("a message is read as %v, %v, %v", got, at, err)
		}
		if next, changed := r.Raise(r.Floor, r.Raised); changed || next != r {
			t.Error("a record raised by itself changes")
		}
	})
}

func TestCrowds(t *testing.T) {
	l := Limits{1, 2, 3}
	for source, want := range map[string][]Crowd{
		"b.example":                              {{"b.example", 2}},
		"a.b.example":                            {{"b.example", 2}},
		"b.co.uk":                                {{"b.co.uk", 2}},
		"co.uk":                                  nil,
		"b.github.io":                            {{"b.github.io", 2}, {"github.io", 3}},
		"a.b.github.io":                          {{"b.github.io", 2}, {"github.io", 3}},
		"github.io":                              {{"github.io", 3}},
		"b.s3.amazonaws.com":                     {{"b.s3.amazonaws.com", 2}, {"amazonaws.com", 3}},
		"b.unlisted.test":                        {{"unlisted.test", 2}},
		"xn--bcher-kva.xn--vermgensberatung-pwb": {{"xn--bcher-kva.xn--vermgensberatung-pwb", 2}},
	} {
		got := l.Crowds(source)
		if !gocmp.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", source, got, want)
		}
	}
}

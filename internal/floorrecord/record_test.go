package floorrecord

import (
	"bytes"
	"encoding/binary"
	"reflect"
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
	for _, r := range []Record{
		{t0, Newest{Floor: floor(0, 0, host)}}, {t0, Newest{Floor: floor(3, 9, delegation.DigestTargets(nil))}}, {time.Time{}, Newest{Floor: odd}},
		{t0, Newest{floor(0, 0, host), nil, t0}}, {t0, Newest{floor(0, 0, host), []byte("a statement"), t0}},
		{t0, Newest{odd, nil, t0}}, {t0, Newest{odd, []byte("a statement"), t0}},
	} {
		encoded := r.Encode(about)
		f.Add(encoded[:len(encoded)-checkSize])
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
		if got, at, err := ParseMessage(r.Message(about)); got != about || !reflect.DeepEqual(at, r.Bare()) || err != nil {
			t.Errorf("a message is read as %v, %v, %v", got, at, err)
		}
		if next, changed := r.Raise(r.Newest, r.Raised); changed || !reflect.DeepEqual(next, r) {
			t.Error("a record raised by itself changes")
		}
	})
}

// TestJoin: the order of joining does not matter, and joining twice changes nothing.
func TestJoin(t *testing.T) {
	host, other := delegation.DigestTargets([]delegation.Target{{Endpoint: delegation.Endpoint{Host: "x.example", Port: 5269}}}), delegation.DigestTargets(nil)
	var all []Newest
	for _, f := range []delegation.Floor{floor(0, 0, host), floor(0, 0, other), floor(0, 1, host), floor(1, 0, host)} {
		for _, seen := range []time.Time{t0, t0.Add(time.Hour)} {
			all = append(all, Newest{f, nil, seen}, Newest{f, []byte("a"), seen}, Newest{f, []byte("b"), seen})
		}
		longer := f
		longer.ValidUntil = f.ValidUntil.AddDate(1, 0, 0)
		all = append(all, Newest{Floor: f}, Newest{Floor: longer}, Newest{longer, []byte("c"), t0})
	}
	all = append(all, Newest{})
	for _, a := range all {
		if got := a.Join(a); !reflect.DeepEqual(got, a) {
			t.Fatalf("%v joined with itself is %v", a, got)
		}
		for _, b := range all {
			ab := a.Join(b)
			if ba := b.Join(a); !reflect.DeepEqual(ab, ba) {
				t.Fatalf("%v and %v: %v or %v", a, b, ab, ba)
			}
			if ab.Floor != a.Floor.Join(b.Floor) {
				t.Fatalf("%v and %v: the floor is %v", a, b, ab.Floor)
			}
			for _, c := range all {
				if left, right := ab.Join(c), a.Join(b.Join(c)); !reflect.DeepEqual(left, right) {
					t.Fatalf("%v, %v and %v: %v or %v", a, b, c, left, right)
				}
			}
		}
	}
}

// TestSeenEvery: a statement that is seen again is written once an hour.
func TestSeenEvery(t *testing.T) {
	f := floor(0, 0, delegation.DigestTargets(nil))
	r, changed := Record{}.Raise(Newest{f, []byte("a"), t0}, t0)
	if !changed {
		t.Fatal("the first is not written")
	}
	for _, c := range []struct {
		n    Newest
		want bool
	}{
		{Newest{f, []byte("a"), t0.Add(SeenEvery - time.Second)}, false},
		{Newest{f, []byte("b"), t0.Add(SeenEvery - time.Second)}, false},
		{Newest{f, []byte("a"), t0.Add(SeenEvery)}, true},
		{Newest{f, nil, t0.Add(time.Second)}, true},
		{Newest{f, nil, t0.Add(-time.Second)}, false},
		{Newest{f, make([]byte, MaxStatement+1), t0.Add(time.Second)}, true},
		{Newest{Floor: f}, false},
	} {
		if _, changed := r.Raise(c.n, t0); changed != c.want {
			t.Errorf("%v: written %t, want %t", c.n.Seen, changed, c.want)
		}
	}
}

func TestCrowds(t *testing.T) {
	l := Limits{Records: 1, Domain: 2, Shared: 3}
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

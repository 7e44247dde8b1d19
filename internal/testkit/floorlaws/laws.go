// Package floorlaws holds the laws that every floor store keeps, as tests that
// run over any of them, and what the tests of the stores share.
package floorlaws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// A Kind is a kind of store.
type Kind struct {
	// Fresh gives the place of an empty store.
	Fresh func() string
	Open  Opener
	// Shared says that several stores may use one place at once.
	Shared bool
	// Lasting says that what was raised is there when the place is opened again.
	Lasting bool
	// Statements says that the store keeps them where it can.
	Statements bool
}

// All runs every law that each store keeps, each on a store of its own.
func All(t *testing.T, kind func(*testing.T) Kind) {
	for name, law := range map[string]func(*testing.T, Kind){
		"floors": Laws, "model": Model, "concurrent": Concurrent, "statements": Statements, "full": Full, "absurd": Absurd, "watch": Watched,
	} {
		t.Run(name, func(t *testing.T) { law(t, kind(t)) })
	}
}

// Laws raises floors one after the other, and opens the store again.
func Laws(t *testing.T, k Kind) {
	type sequence []delegation.Floor
	end, signer := world.Noon.AddDate(0, 0, 14), world.Noon.AddDate(0, 0, 90)
	base, newer := Floor(0, 1, "xmpp.hosting.example"), Floor(0, 2, "x.example")
	elsewhere := Floor(0, 1, "evil.example")
	millisecond := base
	millisecond.Order.Issuance = base.Order.Issuance.Add(time.Millisecond)
	odd := Until(Floor(-20000, 0, "x.example"), time.Time{}, afterAll)
	odd.Order.Issued = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	laws := []struct {
		name  string
		raise sequence
		want  delegation.Floor
	}{
		{"nothing", nil, delegation.Floor{}},
		{"first", sequence{base}, base},
		{"again", sequence{base, base}, base},
		{"issued later", sequence{base, newer}, newer},
		{"issued earlier", sequence{base, Floor(0, 0, "x.example")}, base},
		{"newer certificate, issued earlier", sequence{base, Floor(1, 0, "x.example")}, Floor(1, 0, "x.example")},
		{"older certificate, issued later", sequence{base, Floor(-1, 9, "x.example")}, base},
		{"a certificate newer by a millisecond", sequence{base, millisecond}, millisecond},
		{"a certificate older by a millisecond", sequence{millisecond, base}, millisecond},
		{"same order, other targets", sequence{base, elsewhere}, Contradiction(base)},
		{"same order, other targets, longer", sequence{base, Until(elsewhere, end.AddDate(1, 0, 0), signer)}, Contradiction(Until(base, end.AddDate(1, 0, 0), signer))},
		{"contradiction, then one of the two", sequence{base, elsewhere, base}, Contradiction(base)},
		{"contradiction, then a newer one", sequence{base, elsewhere, newer}, newer},
		{"same statement, longer", sequence{base, Until(base, end.AddDate(1, 0, 0), signer)}, Until(base, end.AddDate(1, 0, 0), signer)},
		{"same statement, shorter", sequence{base, Until(base, world.Noon, world.Noon)}, base},
		{"same statement, another certificate of the same moment", sequence{base, Until(base, end, signer.AddDate(1, 0, 0))}, Until(base, end, signer.AddDate(1, 0, 0))},
		{"newer, shorter", sequence{base, Until(newer, world.Noon, world.Noon)}, Until(newer, world.Noon, world.Noon)},
		{"revocation", sequence{base, Floor(0, 2, "")}, Floor(0, 2, "")},
		{"revocation, then an older statement", sequence{Floor(0, 2, ""), base}, Floor(0, 2, "")},
		{"revocation, then a newer statement", sequence{Floor(0, 0, ""), base}, base},
		{"revocation of one order with a statement", sequence{base, Floor(0, 1, "")}, Contradiction(base)},
		{"every field", sequence{odd}, odd},
		{"another place on earth", sequence{Until(base, end.In(time.FixedZone("", 3600)), signer)}, base},
	}
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) {
			place := k.Fresh()
			s := k.Open.Must(t, place, Plenty, nil)
			MustRaise(t, s, "other.example", Floor(5, 5, "other.hosting.example"))
			if _, err := s.Raise(t.Context(), world.Source, Client, floors.Record{Floor: Floor(6, 6, "c.example")}); err != nil {
				t.Fatal(err)
			}
			for _, f := range law.raise {
				got := MustRaise(t, s, world.Source, f)
				if have := MustFloor(t, s, world.Source); got != have {
					t.Errorf("Raise returns %v, and remembered is %v", got, have)
				}
			}
			for range 2 {
				if got := MustFloor(t, s, world.Source); !gocmp.Equal(got, law.want) {
					t.Error(gocmp.Diff(law.want, got))
				}
				if got, err := s.Load(t.Context(), world.Source, Client); err != nil || got.Floor != Floor(6, 6, "c.example") {
					t.Errorf("the other role: %v, %v", got, err)
				}
				s = k.again(t, s, place)
			}
		})
	}
}

// Model compares stores with a map, whatever is done to them.
func Model(t *testing.T, k Kind) {
	rapid.Check(t, func(r *rapid.T) {
		place := k.Fresh()
		s := k.Open.Must(t, place, Plenty, nil)
		defer func() { s.Close() }()
		model := map[floorrecord.Subject]delegation.Floor{}
		sources := []string{"b.example", "a.b.example", "b-c.example", "xmpp.co.uk"}
		services := []string{world.Service, Client, "_turn._udp"}
		r.Repeat(map[string]func(*rapid.T){
			"raise": func(r *rapid.T) {
				about := floorrecord.About(rapid.SampledFrom(sources).Draw(r, "source"), rapid.SampledFrom(services).Draw(r, "service"))
				f := Floor(rapid.IntRange(0, 2).Draw(r, "signer"), rapid.IntRange(0, 2).Draw(r, "issued"),
					rapid.SampledFrom([]string{"", "x.example", "y.example"}).Draw(r, "host"))
				f = Until(f, world.Noon.AddDate(0, 0, rapid.IntRange(0, 2).Draw(r, "proof")), world.Noon.AddDate(0, 0, rapid.IntRange(0, 2).Draw(r, "signer until")))
				model[about] = model[about].Join(f)
				if got, err := s.Raise(t.Context(), about.Source, about.Service, floors.Record{Floor: f}); err != nil || got != model[about] {
					r.Fatal(err, gocmp.Diff(model[about], got))
				}
			},
			"open again": func(*rapid.T) {
				s = k.again(t, s, place)
			},
			"floors": func(r *rapid.T) {
				for _, source := range sources {
					for _, service := range services {
						want := model[floorrecord.About(source, service)]
						if got, err := s.Load(t.Context(), source, service); err != nil || got.Floor != want {
							r.Fatal(err, gocmp.Diff(want, got.Floor))
						}
					}
				}
			},
		})
	})
}

// Statements raises records with statements. What is loaded was raised, with a
// floor of the same statement. A store that keeps statements has the right one.
func Statements(t *testing.T, k Kind) {
	f, newer, elsewhere := Floor(0, 1, "x.example"), Floor(0, 2, "y.example"), Floor(0, 1, "z.example")
	longer := Until(f, f.ValidUntil.AddDate(0, 0, 1), f.SignerUntil)
	at := func(f delegation.Floor, statement string, hours int) floors.Record {
		r := floors.Record{Floor: f, Seen: world.Noon.Add(time.Duration(hours) * time.Hour)}
		if statement != "" {
			r.Statement = []byte(statement)
		}
		return r
	}
	long := strings.Repeat("x", floorrecord.MaxStatement)
	for _, law := range []struct {
		name  string
		raise []floors.Record
		want  floors.Record
	}{
		{"one", []floors.Record{at(f, "one", 0)}, at(f, "one", 0)},
		{"the longest", []floors.Record{at(f, long, 0)}, at(f, long, 0)},
		{"one that is too long", []floors.Record{at(f, long+"x", 0)}, at(f, "", 0)},
		{"it comes later", []floors.Record{{Floor: f}, at(f, "one", 0)}, at(f, "one", 0)},
		{"a floor alone removes nothing", []floors.Record{at(f, "one", 0), {Floor: f}}, at(f, "one", 0)},
		{"seen again much later", []floors.Record{at(f, "one", 0), at(f, "other", 2)}, at(f, "other", 2)},
		{"seen much earlier", []floors.Record{at(f, "one", 2), at(f, "other", 0)}, at(f, "one", 2)},
		{"none, seen later", []floors.Record{at(f, "one", 0), at(f, "", 2)}, at(f, "", 2)},
		{"none, seen earlier", []floors.Record{at(f, "one", 2), at(f, "", 0)}, at(f, "one", 2)},
		{"the same, longer", []floors.Record{at(f, "one", 0), at(longer, "other", 1)}, at(longer, "other", 1)},
		{"the same, longer, a floor alone", []floors.Record{at(f, "one", 0), {Floor: longer}}, at(longer, "one", 0)},
		{"a newer one", []floors.Record{at(f, "one", 2), at(newer, "new", 0)}, at(newer, "new", 0)},
		{"an older one", []floors.Record{at(newer, "new", 0), at(f, "one", 2)}, at(newer, "new", 0)},
		{"a newer floor alone", []floors.Record{at(f, "one", 0), {Floor: newer}}, floors.Record{Floor: newer}},
		{"a revocation", []floors.Record{at(f, "one", 0), {Floor: Floor(0, 2, "")}}, floors.Record{Floor: Floor(0, 2, "")}},
		{"a contradiction", []floors.Record{at(f, "one", 0), at(elsewhere, "two", 2)}, floors.Record{Floor: Contradiction(f)}},
		{"a contradiction, then one of the two", []floors.Record{at(f, "one", 0), {Floor: elsewhere}, at(f, "one", 2)}, floors.Record{Floor: Contradiction(f)}},
	} {
		t.Run(law.name, func(t *testing.T) {
			place := k.Fresh()
			s := k.Open.Must(t, place, Plenty, NewClock(world.Noon).Now)
			MustKeep(t, s, "other.example", at(f, "of another", 9))
			for i, r := range law.raise {
				MustKeep(t, s, world.Source, r)
				got := MustLoad(t, s, world.Source)
				raised := slices.ContainsFunc(law.raise[:i+1], func(r floors.Record) bool {
					return bytes.Equal(r.Statement, got.Statement) && r.Seen.Equal(got.Seen) && r.Floor.CheckAgainst(got.Floor) == nil && got.Floor.CheckAgainst(r.Floor) == nil
				})
				if len(got.Statement) > 0 && !raised {
					t.Errorf("nobody raised %.100q", got)
				}
			}
			if !k.Statements {
				return
			}
			for range 2 {
				if got := MustLoad(t, s, world.Source); !gocmp.Equal(got, law.want) {
					t.Error(gocmp.Diff(law.want, got))
				}
				s = k.again(t, s, place)
			}
		})
	}
	s := k.Open.Must(t, k.Fresh(), Plenty, nil)
	if _, err := s.Raise(t.Context(), world.Source, world.Service, floors.Record{Floor: f, Statement: []byte("never seen")}); err == nil {
		t.Error("a statement that was never seen is no error")
	}
	if got := MustFloor(t, s, world.Source); !got.IsZero() {
		t.Error(got)
	}
	if !k.Statements {
		return
	}
	// Beyond a number of records, only those that have a statement keep one.
	s = k.Open.Must(t, k.Fresh(), floorrecord.Limits{Records: 9, Domain: 9, Shared: 9, Statements: 2}, NewClock(world.Noon).Now)
	for _, name := range []string{"a.example", "b.example", "c.example"} {
		MustKeep(t, s, name, at(f, "one", 0))
	}
	for _, name := range []string{"a.example", "b.example", "c.example"} {
		MustKeep(t, s, name, at(newer, "new", 0))
	}
	for name, want := range map[string]floors.Record{"a.example": at(newer, "new", 0), "b.example": at(newer, "new", 0), "c.example": at(newer, "", 0)} {
		if got := MustLoad(t, s, name); !gocmp.Equal(got, want) {
			t.Error(name, gocmp.Diff(want, got))
		}
	}
}

// Concurrent raises one source from many goroutines, and from several
// stores where several may use one place.
func Concurrent(t *testing.T, k Kind) {
	place := k.Fresh()
	stores := []floors.Store{k.Open.Must(t, place, Plenty, nil)}
	if k.Shared {
		stores = append(stores, k.Open.Must(t, place, Plenty, nil), k.Open.Must(t, place, Plenty, nil))
	}
	const workers, rounds = 8, 25
	last := Floor(0, rounds-1, "x.example")
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			s, highest := stores[w%len(stores)], delegation.Order{}
			for i := range rounds {
				// All of a round agree on the order and not on the host.
				got, err := s.Raise(t.Context(), world.Source, world.Service, floors.Record{Floor: Floor(0, i, fmt.Sprintf("w%d.example", w))})
				if err != nil {
					t.Error(err)
					return
				}
				if got.Order.Compare(highest) < 0 || got.Order.Compare(Floor(0, i, "").Order) < 0 {
					t.Errorf("went down to %v", got)
				}
				highest = got.Order
				if _, err := s.Raise(t.Context(), fmt.Sprintf("w%d.b.example", w), world.Service, floors.Record{Floor: Floor(0, i, "x.example")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		if got := MustFloor(t, s, world.Source); got != Contradiction(last) {
			t.Errorf("got %v", got)
		}
	}
	for w := range workers {
		if got := MustFloor(t, stores[0], fmt.Sprintf("w%d.b.example", w)); got != last {
			t.Errorf("got %v", got)
		}
	}
}

// Full fills a store up to each of its limits.
func Full(t *testing.T, k Kind) {
	f, later := Floor(0, 0, "x.example"), Floor(0, 1, "")
	for _, tt := range []struct {
		name   string
		limits floorrecord.Limits
		fill   []string
		full   []string
		room   []string
	}{
		{"domain", limits(100, 3, 100), []string{"b.example", "a.b.example", "c.d.b.example"},
			[]string{"e.b.example", "a.a.b.example"}, []string{"b-c.example", "bb.example", "example.b.test"}},
		{"domain below a suffix of two labels", limits(100, 1, 100), []string{"b.co.uk"}, []string{"a.b.co.uk"}, []string{"c.co.uk", "co.uk"}},
		{"domain below a private suffix", limits(100, 1, 3), []string{"a.github.io", "b.github.io", "c.github.io"},
			[]string{"d.github.io", "x.a.github.io", "github.io"}, []string{"b.io"}},
		{"everything", limits(3, 100, 100), []string{"a.example", "b.example", "c.example"}, []string{"d.example"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := k.Open.Must(t, k.Fresh(), tt.limits, nil) // in a Redis, records take two keys each here
			for _, name := range tt.fill {
				MustRaise(t, s, name, f)
			}
			for _, name := range tt.full {
				if got, err := s.Raise(t.Context(), name, world.Service, floors.Record{Floor: f}); !errors.Is(err, floors.ErrFull) || !got.IsZero() {
					t.Errorf("%s: got %v, %v, want ErrFull", name, got, err)
				}
				if got := MustFloor(t, s, name); !got.IsZero() {
					t.Errorf("%s is remembered: %v", name, got)
				}
			}
			for _, name := range append(tt.room, tt.fill...) {
				if got := MustRaise(t, s, name, later); got != later.Join(MustFloor(t, s, name)) {
					t.Errorf("%s: got %v", name, got)
				}
			}
		})
	}
	// Each role is a record.
	s := k.Open.Must(t, k.Fresh(), limits(100, 1, 100), nil)
	MustRaise(t, s, world.Source, f)
	if got, err := s.Raise(t.Context(), world.Source, Client, floors.Record{Floor: f}); !errors.Is(err, floors.ErrFull) {
		t.Errorf("got %v, %v, want ErrFull", got, err)
	}
}

// Absurd: what no verified statement can have led to is an error, and
// leaves nothing.
func Absurd(t *testing.T, k Kind) {
	good := Floor(0, 0, "x.example")
	fraction, small, late := good, good, good
	fraction.Order.Issued = world.Noon.Add(time.Millisecond)
	small.Order.Issuance = world.Noon.Add(time.Microsecond)
	late.SignerUntil = afterAll.Add(time.Second)
	s := k.Open.Must(t, k.Fresh(), Plenty, nil)
	absurd := func(name string, err error) {
		t.Helper()
		if err == nil || errors.Is(err, floors.ErrFull) || errors.Is(err, floors.ErrDamaged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, f := range map[string]delegation.Floor{"nothing": {}, "a fraction": fraction, "a microsecond": small, "the year 10000": late} {
		_, err := s.Raise(t.Context(), world.Source, world.Service, floors.Record{Floor: f})
		absurd(name, err)
	}
	for _, about := range []floorrecord.Subject{
		floorrecord.About("", world.Service), floorrecord.About("b", world.Service), floorrecord.About("B.example", world.Service), floorrecord.About("b.example.", world.Service), floorrecord.About("b..example", world.Service), floorrecord.About("{b.example}.x", world.Service),
		floorrecord.About(world.Source, ""), floorrecord.About(world.Source, "xmpp-server"), floorrecord.About(world.Source, "_xmpps-server._tcp"),
	} {
		_, err := s.Raise(t.Context(), about.Source, about.Service, floors.Record{Floor: good})
		absurd("Raise of "+about.String(), err)
		_, err = s.Load(t.Context(), about.Source, about.Service)
		absurd("Load of "+about.String(), err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := s.Raise(ended, world.Source, world.Service, floors.Record{Floor: good}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := s.Load(ended, world.Source, world.Service); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := MustFloor(t, s, world.Source); !got.IsZero() {
		t.Error(got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Raise(t.Context(), world.Source, world.Service, floors.Record{Floor: good}); err == nil {
		t.Error("Raise after Close: no error")
	}
	if _, err := s.Load(t.Context(), world.Source, world.Service); err == nil {
		t.Error("Load after Close: no error")
	}
}

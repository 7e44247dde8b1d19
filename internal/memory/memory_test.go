package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/realtest"
)

// TestMain runs the test binary again as another process that uses a memory, if
// the environment says so.
func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		os.Exit(children[name]())
	}
	goleak.VerifyTestMain(m)
}

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
	direct  = "_xmpps-server._tcp"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// floor is that of a statement by a certificate of day signer, issued at hour
// issued, for one host, or of a revocation if host is "".
func floor(service string, signer, issued int, host string) delegation.Floor {
	var targets []delegation.Target
	if host != "" {
		targets = []delegation.Target{{Endpoint: delegation.Endpoint{Host: host, Port: 5269}}}
	}
	return delegation.Floor{
		Service: service,
		Order: delegation.Order{
			SignerNotBefore: t0.AddDate(0, 0, signer), Issued: t0.Add(time.Duration(issued) * time.Hour),
		},
		Targets:    delegation.DigestTargets(targets),
		ValidUntil: t0.AddDate(0, 0, 14),
	}
}

func until(f delegation.Floor, at time.Time) delegation.Floor {
	f.ValidUntil = at
	return f
}

type floors []delegation.Floor

// plenty is more than a test needs.
var plenty = limits{1000, 1000, 1000}

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// eachStore runs a test with every kind of store. fresh gives the place of an
// empty one.
func eachStore(t *testing.T, f func(t *testing.T, fresh func() string)) {
	t.Run("file", func(t *testing.T) {
		f(t, func() string { return filepath.Join(t.TempDir(), "memory.db") })
	})
	t.Run("redis", func(t *testing.T) {
		server, n := realtest.Redis(t, "", "databases 1000"), 0
		f(t, func() string { n++; return fmt.Sprintf("redis://%s/%d", server.Addr, n) })
	})
}

func mustOpen(t *testing.T, place string, l limits, now func() time.Time) Store {
	t.Helper()
	s, err := open(t.Context(), place, Options{Now: now}, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustRaise(t *testing.T, s Store, source string, list ...delegation.Floor) []delegation.Floor {
	t.Helper()
	got, err := s.Raise(t.Context(), source, list)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func mustFloors(t *testing.T, s Store, source string) []delegation.Floor {
	t.Helper()
	got, err := s.Floors(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestLaws(t *testing.T) {
	base := floor(service, 0, 1, "xmpp.hosting.example")
	elsewhere := floor(service, 0, 1, "evil.example")
	odd := until(floor("_a._udp", -20000, -200000, "x.example"), time.Time{})
	odd.Order.Issued = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	laws := []struct {
		name  string
		raise []floors
		want  floors
	}{
		{"nothing", nil, nil},
		{"no floors", []floors{{}}, nil},
		{"first", []floors{{base}}, floors{base}},
		{"again", []floors{{base}, {base}}, floors{base}},
		{"issued later", []floors{{base}, {floor(service, 0, 2, "x.example")}}, floors{floor(service, 0, 2, "x.example")}},
		{"issued earlier", []floors{{base}, {floor(service, 0, 0, "x.example")}}, floors{base}},
		{"newer certificate, issued earlier", []floors{{base}, {floor(service, 1, 0, "x.example")}}, floors{floor(service, 1, 0, "x.example")}},
		{"older certificate, issued later", []floors{{base}, {floor(service, -1, 9, "x.example")}}, floors{base}},
		{"same order, other targets", []floors{{base}, {elsewhere}}, floors{base}},
		{"same order, other targets, in one call", []floors{{base, elsewhere}}, floors{base}},
		{"same order, other targets, longer", []floors{{base}, {until(elsewhere, t0.AddDate(1, 0, 0))}}, floors{base}},
		{"same statement, longer", []floors{{base}, {until(base, t0.AddDate(1, 0, 0))}}, floors{until(base, t0.AddDate(1, 0, 0))}},
		{"same statement, shorter", []floors{{base}, {until(base, t0)}}, floors{base}},
		{"newer, shorter", []floors{{base}, {until(floor(service, 0, 2, "x.example"), t0)}}, floors{until(floor(service, 0, 2, "x.example"), t0)}},
		{"both labels", []floors{{base}, {floor(direct, 0, 0, "x.example")}}, floors{base, floor(direct, 0, 0, "x.example")}},
		{"both labels at once, in the other order", []floors{{floor(direct, 0, 0, "x.example"), base}}, floors{base, floor(direct, 0, 0, "x.example")}},
		{"one label of two", []floors{{base, floor(direct, 0, 0, "x.example")}, {floor(direct, 0, 3, "x.example")}}, floors{base, floor(direct, 0, 3, "x.example")}},
		{"revocation", []floors{{base}, {floor(service, 0, 2, "")}}, floors{floor(service, 0, 2, "")}},
		{"revocation, then an older statement", []floors{{floor(service, 0, 2, "")}, {base}}, floors{floor(service, 0, 2, "")}},
		{"revocation, then a newer statement", []floors{{floor(service, 0, 0, "")}, {base}}, floors{base}},
		{"revocation of one order with a statement", []floors{{base}, {floor(service, 0, 1, "")}}, floors{base}},
		{"every field", []floors{{odd, base}}, floors{odd, base}},
		{"another place on earth", []floors{{until(base, base.ValidUntil.In(time.FixedZone("", 3600)))}}, floors{base}},
	}
	eachStore(t, func(t *testing.T, fresh func() string) {
		for _, law := range laws {
			t.Run(law.name, func(t *testing.T) {
				place := fresh()
				s := mustOpen(t, place, plenty, nil)
				mustRaise(t, s, "other.example", floor(service, 5, 5, "other.hosting.example"))
				var got floors
				for _, list := range law.raise {
					got = mustRaise(t, s, source, list...)
				}
				if len(law.raise) > 0 && !gocmp.Equal(got, law.want, emptyIsNil) {
					t.Error("Raise:", gocmp.Diff(law.want, got, emptyIsNil))
				}
				if got := floors(mustFloors(t, s, source)); !gocmp.Equal(got, law.want, emptyIsNil) {
					t.Error("Floors:", gocmp.Diff(law.want, got, emptyIsNil))
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = mustOpen(t, place, plenty, nil)
				if got := floors(mustFloors(t, s, source)); !gocmp.Equal(got, law.want, emptyIsNil) {
					t.Error("Floors after opening again:", gocmp.Diff(law.want, got, emptyIsNil))
				}
			})
		}
	})
}

var emptyIsNil = gocmp.FilterValues(func(a, b floors) bool { return len(a)+len(b) == 0 }, gocmp.Ignore())

// TestModel compares stores with a map, whatever is done to them.
func TestModel(t *testing.T) {
	eachStore(t, func(t *testing.T, fresh func() string) {
		rapid.Check(t, func(r *rapid.T) {
			place := fresh()
			s := mustOpen(t, place, plenty, nil)
			defer func() { s.Close() }()
			model := map[string]map[string]delegation.Floor{}
			sources := []string{"b.example", "a.b.example", "b-c.example", "xmpp.co.uk"}
			services := []string{service, direct, "_turn._udp"}
			draw := rapid.Custom(func(r *rapid.T) delegation.Floor {
				f := floor(rapid.SampledFrom(services).Draw(r, "service"), rapid.IntRange(0, 2).Draw(r, "signer"),
					rapid.IntRange(0, 2).Draw(r, "issued"), rapid.SampledFrom([]string{"", "x.example", "y.example"}).Draw(r, "host"))
				return until(f, t0.AddDate(0, 0, rapid.IntRange(0, 2).Draw(r, "until")))
			})
			want := func(source string) (list floors) {
				for _, f := range model[source] {
					list = append(list, f)
				}
				slices.SortFunc(list, func(a, b delegation.Floor) int { return cmp.Compare(a.Service, b.Service) })
				return list
			}
			r.Repeat(map[string]func(*rapid.T){
				"raise": func(r *rapid.T) {
					source := rapid.SampledFrom(sources).Draw(r, "source")
					list := rapid.SliceOfN(draw, 0, 3).Draw(r, "floors")
					for _, f := range list {
						if model[source] == nil {
							model[source] = map[string]delegation.Floor{}
						}
						have, known := model[source][f.Service]
						c := f.Order.Compare(have.Order)
						if !known || c > 0 || c == 0 && f.Targets == have.Targets && f.ValidUntil.After(have.ValidUntil) {
							model[source][f.Service] = f
						}
					}
					if got := floors(mustRaise(t, s, source, list...)); !gocmp.Equal(got, want(source), emptyIsNil) {
						r.Fatal(gocmp.Diff(want(source), got))
					}
				},
				"open again": func(*rapid.T) {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					s = mustOpen(t, place, plenty, nil)
				},
				"floors": func(r *rapid.T) {
					for _, source := range sources {
						if got := floors(mustFloors(t, s, source)); !gocmp.Equal(got, want(source), emptyIsNil) {
							r.Fatal(gocmp.Diff(want(source), got))
						}
					}
				},
			})
		})
	})
}

// TestConcurrent raises one source from many goroutines, and from several
// stores where several may use one place.
func TestConcurrent(t *testing.T) {
	eachStore(t, func(t *testing.T, fresh func() string) {
		place := fresh()
		stores := []Store{mustOpen(t, place, plenty, nil)}
		if t.Name() == "TestConcurrent/redis" {
			stores = append(stores, mustOpen(t, place, plenty, nil), mustOpen(t, place, plenty, nil))
		}
		const workers, rounds = 8, 25
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				s, highest := stores[w%len(stores)], delegation.Order{}
				for i := range rounds {
					// All of a round agree on the order and not on the host.
					got, err := s.Raise(t.Context(), source, floors{floor(service, 0, i, fmt.Sprintf("w%d.example", w))})
					if err != nil {
						t.Error(err)
						return
					}
					if got[0].Order.Compare(highest) < 0 || got[0].Order.Compare(floor(service, 0, i, "").Order) < 0 {
						t.Errorf("went down to %v", got[0])
					}
					highest = got[0].Order
					if _, err := s.Raise(t.Context(), fmt.Sprintf("w%d.b.example", w), floors{floor(service, 0, i, "x.example")}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		final := mustFloors(t, stores[0], source)
		for _, s := range stores {
			if got := mustFloors(t, s, source); !gocmp.Equal(got, final) || got[0].Order != floor(service, 0, rounds-1, "").Order {
				t.Error(got, final)
			}
		}
		for w := range workers {
			if got := mustFloors(t, stores[0], fmt.Sprintf("w%d.b.example", w)); !gocmp.Equal(got, []delegation.Floor{floor(service, 0, rounds-1, "x.example")}) {
				t.Error(got)
			}
		}
	})
}

// TestFirstOfEqual: of many that disagree at one order, all are told of the
// same one.
func TestFirstOfEqual(t *testing.T) {
	eachStore(t, func(t *testing.T, fresh func() string) {
		s := mustOpen(t, fresh(), plenty, nil)
		results := make([][]delegation.Floor, 10)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				results[i], _ = s.Raise(t.Context(), source, floors{floor(service, 0, 0, fmt.Sprintf("w%d.example", i))})
			})
		}
		wg.Wait()
		for _, got := range results {
			if len(got) != 1 || !gocmp.Equal(got, results[0]) {
				t.Error(got, results[0])
			}
		}
	})
}

func TestFull(t *testing.T) {
	f := floor(service, 0, 0, "x.example")
	later := floor(service, 0, 1, "")
	eachStore(t, func(t *testing.T, fresh func() string) {
		for _, tt := range []struct {
			name   string
			limits limits
			fill   []string
			full   []string
			room   []string
		}{
			{"domain", limits{100, 3, 100}, []string{"b.example", "a.b.example", "c.d.b.example"},
				[]string{"e.b.example", "a.a.b.example"}, []string{"b-c.example", "bb.example", "example.b.test"}},
			{"domain below a suffix of two labels", limits{100, 1, 100}, []string{"b.co.uk"}, []string{"a.b.co.uk"}, []string{"c.co.uk", "co.uk"}},
			{"domain below a private suffix", limits{100, 1, 3}, []string{"a.github.io", "b.github.io", "c.github.io"},
				[]string{"d.github.io", "x.a.github.io", "github.io"}, []string{"b.io"}},
			{"everything", limits{3, 100, 100}, []string{"a.example", "b.example", "c.example"}, []string{"d.example"}, nil},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s := mustOpen(t, fresh(), tt.limits, nil)
				if r, ok := s.(*redisStore); ok && tt.name == "everything" {
					r.limits.sources = 3 // 6 keys, and these take 2 each
				}
				for _, name := range tt.fill {
					mustRaise(t, s, name, f)
				}
				for _, name := range tt.full {
					if got, err := s.Raise(t.Context(), name, floors{f}); !errors.Is(err, ErrFull) || len(got) != 0 {
						t.Errorf("%s: got %v, %v, want ErrFull", name, got, err)
					}
					if got := mustFloors(t, s, name); len(got) != 0 {
						t.Errorf("%s is remembered: %v", name, got)
					}
				}
				for _, name := range append(tt.room, tt.fill...) {
					if got := mustRaise(t, s, name, later); !gocmp.Equal(got, []delegation.Floor{later}) {
						t.Errorf("%s: got %v", name, got)
					}
				}
			})
		}
		t.Run("services", func(t *testing.T) {
			s := mustOpen(t, fresh(), plenty, nil)
			var list, want floors
			for i := range MaxServices + 1 {
				list = append(list, floor(fmt.Sprintf("_s%02d._tcp", i), 0, 0, "x.example"))
			}
			want = list[:MaxServices]
			if got, err := s.Raise(t.Context(), source, list); !errors.Is(err, ErrFull) || !gocmp.Equal(floors(got), want) {
				t.Error(gocmp.Diff(want, floors(got)), err)
			}
			list[3] = floor(list[3].Service, 0, 1, "")
			got, err := s.Raise(t.Context(), source, floors{list[MaxServices], list[3]})
			if !errors.Is(err, ErrFull) || !gocmp.Equal(floors(got), want) || !gocmp.Equal(floors(mustFloors(t, s, source)), want) {
				t.Error(gocmp.Diff(want, floors(got)), err)
			}
		})
	})
}

// TestAbsurd: what no verified statement can have led to is an error, and
// leaves nothing.
func TestAbsurd(t *testing.T) {
	good := floor(service, 0, 0, "x.example")
	fraction, late := good, good
	fraction.Order.Issued = t0.Add(1)
	late.Order.SignerNotBefore = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	eachStore(t, func(t *testing.T, fresh func() string) {
		s := mustOpen(t, fresh(), plenty, nil)
		for name, f := range map[string]delegation.Floor{
			"no service": {Order: good.Order}, "a fraction": fraction, "the year 10000": late,
		} {
			if _, err := s.Raise(t.Context(), source, floors{good, f}); err == nil || errors.Is(err, ErrFull) || errors.Is(err, ErrDamaged) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		for _, name := range []string{"", "b", "B.example", "b.example.", "b..example", "{b.example}.x"} {
			if _, err := s.Raise(t.Context(), name, floors{good}); err == nil {
				t.Errorf("Raise of %q: no error", name)
			}
			if _, err := s.Floors(t.Context(), name); err == nil {
				t.Errorf("Floors of %q: no error", name)
			}
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if _, err := s.Raise(ended, source, floors{good}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := s.Floors(ended, source); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if got := mustFloors(t, s, source); len(got) != 0 {
			t.Error(got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Raise(t.Context(), source, floors{good}); err == nil {
			t.Error("Raise after Close: no error")
		}
		if _, err := s.Floors(t.Context(), source); err == nil {
			t.Error("Floors after Close: no error")
		}
	})
}

func TestOpenNowhere(t *testing.T) {
	for _, place := range []string{"", "ftp://b.example", "https://b.example", t.TempDir(), filepath.Join(t.TempDir(), "none", "memory.db")} {
		if s, err := Open(t.Context(), place, Options{}); err == nil {
			s.Close()
			t.Errorf("%q: no error", place)
		}
	}
}

// TestSchemes: what Open takes for a mistyped URL is one when it is typed well.
func TestSchemes(t *testing.T) {
	for _, scheme := range redisSchemes {
		where := scheme + "://192.0.2.1"
		if strings.HasSuffix(scheme, "unix") {
			where = scheme + ":///run/redis.sock"
		}
		if _, err := parseRedis(where); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// TestAlmostAURL: a URL that is mistyped becomes neither the name of a file nor
// part of an error, since it may hold a password.
func TestAlmostAURL(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, place := range []string{"redis:/user:secret@b.example", "redis:user:secret@b.example", "Rediss:/:secret@b.example", "unix:/secret"} {
		s, err := Open(t.Context(), place, Options{})
		if err == nil {
			s.Close()
			t.Errorf("%q: no error", place)
		} else if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "two slashes") {
			t.Errorf("%q: %v", place, err)
		}
	}
	if files, err := os.ReadDir("."); err != nil || len(files) > 0 {
		t.Error(files, err)
	}
}

func TestCrowds(t *testing.T) {
	l := limits{1, 2, 3}
	for source, want := range map[string][]crowd{
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
		got := l.crowds(source)
		if !gocmp.Equal(got, want, gocmp.AllowUnexported(crowd{})) {
			t.Errorf("%s: got %v, want %v", source, got, want)
		}
		for _, c := range got {
			if redisTag(c.domain) != redisTag(source) {
				t.Errorf("%s and its crowd %s would be on two nodes", source, c.domain)
			}
		}
	}
}

package floors_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kind is a store that only one process has, and that does not last.
func kind(*testing.T) floorlaws.Kind {
	return floorlaws.Kind{Fresh: func() string { return "" }, Open: open}
}

func open(_ context.Context, _ string, l floorrecord.Limits, now func() time.Time) (floors.Store, error) {
	if now == nil {
		now = time.Now
	}
	return floors.NewInMemory(l, now), nil
}

func TestLaws(t *testing.T) { floorlaws.All(t, kind) }

// TestForget: a record is forgotten 400 days after its last Raise, and makes
// room. A clock that is far ahead makes none forgotten.
func TestForget(t *testing.T) {
	const day = 24 * time.Hour
	c := floorlaws.NewClock(world.Noon)
	s := floors.NewInMemory(floorrecord.Limits{Records: 100, Domain: 1, Shared: 2}, c.Now)
	defer s.Close()
	f := floorlaws.Floor(0, 0, "x.example")
	raise := func(source string) error {
		_, err := s.Raise(t.Context(), source, world.Service, floors.Record{Floor: f})
		return err
	}
	for _, source := range []string{"b.example", "a.github.io", "b.github.io"} {
		floorlaws.MustRaise(t, s, source, f)
	}
	full := func() {
		t.Helper()
		for _, source := range []string{"a.b.example", "c.github.io"} {
			if err := raise(source); !errors.Is(err, floors.ErrFull) {
				t.Errorf("%s: %v", source, err)
			}
		}
	}
	c.Set(world.Noon.AddDate(30, 0, 0)) // nothing was raised at that time
	full()
	c.Set(world.Noon.Add(400 * day))
	full()
	floorlaws.MustRaise(t, s, "new.example", f)
	c.Set(world.Noon.Add(402 * day))
	floorlaws.MustRaise(t, s, "newer.example", f)
	c.Set(world.Noon.Add(403 * day))
	for _, source := range []string{"a.b.example", "c.github.io"} {
		floorlaws.MustRaise(t, s, source, f)
	}
	for source, want := range map[string]delegation.Floor{"b.example": {}, "a.github.io": {}, "new.example": f} {
		if got := floorlaws.MustFloor(t, s, source); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}

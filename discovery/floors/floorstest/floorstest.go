// Package floorstest checks a floor store against the laws of [floors.Store].
//
//	func TestStore(t *testing.T) {
//		open := func(place string) (floors.Store, error) { return mystore.Open(place) }
//		floorstest.Test(t, open, floorstest.Properties{Lasts: true})
//	}
//
// The stores of this module pass the same laws. What the package does not check:
// crashes, limits, damage, and how long a floor is kept.
package floorstest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
)

// Properties say what a store promises beyond the laws. The zero value is a
// store that promises nothing.
type Properties struct {
	// Lasts: floors are there when their place is closed and opened again.
	Lasts bool
	// Shared: several stores, also of other processes, may have one place open.
	Shared bool
	// Watches: Watch tells of raised floors, within a second. A store without it
	// must say so: it calls Watching(false), and never Watching(true).
	Watches bool
}

// Test checks a store in subtests, with some hundred places.
//
// open opens the store in a place, such as a file or a database of that name. A
// place that Test names for the first time must be empty. Its name has lower-case
// letters and digits and begins with a letter; it is different in each subtest,
// and the same in each run.
func Test(t *testing.T, open func(place string) (floors.Store, error), p Properties) {
	watch := floorlaws.Unwatched
	if p.Watches {
		watch = floorlaws.Watched
	}
	for _, law := range []struct {
		name  string
		check func(*testing.T, floorlaws.Kind)
	}{
		{"Laws", floorlaws.Laws},
		{"Model", floorlaws.Model},
		{"Concurrent", floorlaws.Concurrent},
		{"Statements", floorlaws.Statements},
		{"Absurd", floorlaws.Absurd},
		{"Watch", watch},
	} {
		t.Run(law.name, func(t *testing.T) {
			n := 0
			law.check(t, floorlaws.Kind{
				Fresh: func() string { n++; return fmt.Sprintf("%s%d", strings.ToLower(law.name), n) },
				Open: func(_ context.Context, place string, _ floorrecord.Limits, _ func() time.Time) (floors.Store, error) {
					return open(place)
				},
				Lasting: p.Lasts, Shared: p.Shared,
			})
		})
	}
}

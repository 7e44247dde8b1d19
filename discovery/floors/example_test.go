package floors_test

import (
	"context"
	"fmt"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
)

// A floor is raised by a newer statement, and an older one is rejected from then
// on.
func Example() {
	ctx := context.Background()
	store := floors.InMemory()
	defer store.Close()

	// This is what Result.Floor gives for a statement that was issued on a day.
	issued := func(day int) delegation.Floor {
		return delegation.Floor{
			Order:   delegation.Order{Issuance: march(1), Issued: march(day)},
			Targets: delegation.DigestTargets([]delegation.Target{{Endpoint: delegation.Endpoint{Host: "xmpp.hosting.example", Port: 5269}}}),
		}
	}
	for _, day := range []int{2, 9, 4} {
		verified := issued(day)
		known, err := store.Raise(ctx, "b.example", "_xmpp-server._tcp", floors.Record{Floor: verified})
		if err != nil {
			fmt.Println(err) // no decision, unless it is ErrFull
			return
		}
		if err := verified.CheckAgainst(known); err != nil {
			fmt.Println("issued on day", day, "rejected:", delegation.ReasonOf(err))
		} else {
			fmt.Println("issued on day", day, "accepted")
		}
	}

	last, err := store.Load(ctx, "b.example", "_xmpp-server._tcp")
	fmt.Println("remembered: day", last.Floor.Order.Issued.Day(), err)
	// Output:
	// issued on day 2 accepted
	// issued on day 9 accepted
	// issued on day 4 rejected: superseded
	// remembered: day 9 <nil>
}

func march(day int) time.Time { return time.Date(2026, time.March, day, 0, 0, 0, 0, time.UTC) }

package dial_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/discovery/dial"
	"github.com/dnasign/dnasign/keys"
)

// A mail program connects to the IMAP server of b.example, wherever it is.
func ExampleDialer() {
	roots, err := keys.LoadRoots("") // those of the system
	if err != nil {
		fmt.Println(err)
		return
	}
	dialer := &dial.Dialer{
		Client: &discovery.Client{Resolver: "127.0.0.1:53", Validating: true, HTTPSRoots: roots},
		Policy: func(source, service string) delegation.Policy {
			return delegation.Policy{Roots: roots, Time: time.Now()}
		},
		Peers: delegation.PeerPolicy{Roots: roots, Now: time.Now},
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // so that this example asks nobody
	conn, err := dialer.Dial(ctx, "b.example", "_imaps._tcp")
	if err != nil {
		fmt.Println(delegation.ReasonOf(err))
		return
	}
	defer conn.Close()
	slog.Info("connected", "to", conn.To.Endpoint, "by", conn.Acceptance.Reference.Method, "until", conn.Acceptance.Until)
	// Output: unanswered
}

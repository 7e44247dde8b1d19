package main

import (
	"context"
	"io"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// strangers: one peer comes with many domains that nobody has seen before.
var strangers = scenario{
	name: "new", about: "one peer comes with many new domains in a second",
	options: options{domains: 600, over: time.Second, distance: 20 * time.Millisecond, encoding: delegation.JWS},
	run:     runStrangers,
}

func runStrangers(ctx context.Context, out io.Writer, o options) error {
	return withNewDaemon(o, func(r *running) error {
		y, err := r.all(ctx, o.over, func(int) string { return "192.0.2.1" })
		if err != nil {
			return err
		}
		return y.print(out, 1, 10*time.Second)
	})
}

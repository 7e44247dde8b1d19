package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
)

// strangers: one peer comes with many domains that nobody has seen before.
var strangers = scenario{
	name: "new", about: "one peer comes with many new domains in a second",
	options: options{domains: 600, over: time.Second, distance: 20 * time.Millisecond, encoding: delegation.JWS},
	run:     runStrangers,
}

func runStrangers(ctx context.Context, out io.Writer, o options) (err error) {
	w, err := newWorld(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.dns.Close()) }()
	if err := w.resolver(dnsserver.Fault{Delay: o.distance, Drop: o.silent}); err != nil {
		return err
	}
	store := floors.InMemory()
	defer store.Close()
	r, err := w.start(store)
	if err != nil {
		return err
	}
	defer r.stop()
	y, err := r.all(ctx, o.over, func(int) string { return "192.0.2.1" })
	if err != nil {
		return err
	}
	return y.print(out, 1, 10*time.Second)
}

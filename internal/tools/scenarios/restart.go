package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors/filestore"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
)

// restart: a daemon has verified many domains and is started again. All of them come
// back within a minute.
var restart = scenario{
	name: "restart", about: "all domains that the memory holds are asked about within a minute of a start",
	options: options{domains: 10_000, over: time.Minute, distance: 20 * time.Millisecond, encoding: delegation.JWS},
	run:     runRestart,
}

// patience is how long the slowest answer may take after a start.
const patience = 5 * time.Second

func runRestart(ctx context.Context, out io.Writer, o options) (err error) {
	w, err := newRegion(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.dns.Close()) }()
	dir, err := os.MkdirTemp("", "scenario")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "memory.db")
	if err := session(ctx, w, file, func(r *running) error { return r.fill(ctx) }); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d domains, statements of %d bytes (%s); the file has %d bytes for each\n", o.domains, w.bytes, o.encoding, info.Size()/int64(o.domains))
	if err := w.resolver(dnsserver.Fault{Delay: o.distance, Drop: o.silent}); err != nil {
		return err
	}
	begun := time.Now()
	return session(ctx, w, file, func(r *running) error {
		fmt.Fprintf(out, "started in %s; all are asked about within %s; the resolver is %s away, silent: %t\n", round(time.Since(begun)), o.over, o.distance, o.silent)
		y, err := r.all(ctx, o.over, address)
		if err != nil {
			return err
		}
		return y.print(out, 1, patience)
	})
}

// session runs a daemon with the memory in a file.
func session(ctx context.Context, w *region, file string, do func(*running) error) (err error) {
	store, err := filestore.Open(ctx, file, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	r, err := w.start(store)
	if err != nil {
		return err
	}
	defer r.stop()
	return do(r)
}

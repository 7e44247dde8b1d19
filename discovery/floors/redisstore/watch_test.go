package redisstore

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// A relay passes connections on to a server, until it is told not to.
type relay struct {
	net.Listener
	mu     sync.Mutex
	silent bool // nothing is passed on any more
	conns  []net.Conn
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l}
	var running sync.WaitGroup
	pass := func(to, from net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				to.Close()
				return
			}
			r.mu.Lock()
			silent := r.silent
			r.mu.Unlock()
			if !silent {
				if _, err := to.Write(buffer[:n]); err != nil {
					io.Copy(io.Discard, from)
					return
				}
			}
		}
	}
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			r.mu.Lock()
			r.conns = append(r.conns, near, far)
			r.mu.Unlock()
			running.Go(func() { pass(far, near) })
			running.Go(func() { pass(near, far) })
		}
	})
	t.Cleanup(func() { l.Close(); r.cut(); running.Wait() })
	return r
}

// cut ends all connections.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Close()
	}
	r.conns = nil
}

func (r *relay) silence(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = on
}

// TestWatchCut: whoever may have missed something knows it within a second, and
// knows when nothing is missed again.
func TestWatchCut(t *testing.T) {
	server := realtest.Redis(t, password)
	user := url.UserPassword("", password).String()
	r := newRelay(t, server.Addr)
	w := floorlaws.Watch(t, mustOpen(t, "redis://"+user+"@"+r.Addr().String(), floorlaws.Plenty, nil))
	w.Wait(t, true)
	other := mustOpen(t, "redis://"+user+"@"+server.Addr, floorlaws.Plenty, nil)
	about, hour := floorrecord.About(world.Source, world.Service), 0
	again := func(begun int) {
		t.Helper()
		w.Until(t, "watching again", func() bool { return w.On && w.Begun >= begun })
		hour++
		w.Told(t, about, floorlaws.MustRaise(t, other, world.Source, floorlaws.Floor(0, hour, "x.example")))
	}
	again(1)
	for name, cut := range map[string]func() (mend func()){
		"cut off": func() func() { r.cut(); return func() {} },
		"silent": func() func() {
			r.silence(true)
			return func() { r.silence(false) }
		},
		"restarted": func() func() {
			server.Stop()
			return func() { server.Start(t) }
		},
	} {
		begun := w.Times()
		mend := cut()
		w.Until(t, name+" is noticed", func() bool { return !w.On || w.Begun > begun })
		mend()
		again(begun + 1)
	}
}

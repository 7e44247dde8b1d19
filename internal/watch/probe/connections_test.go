package probe

import (
	"errors"
	"net"
	"testing"
)

// visitors is a listener to which somebody comes from each address in turn.
type visitors struct {
	net.Listener
	from   []string
	closed map[string]int
}

type visitor struct {
	net.Conn
	from string
	all  *visitors
}

func (v visitor) RemoteAddr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", v.from)
	if err != nil {
		panic(err)
	}
	return a
}

func (v visitor) Close() error { v.all.closed[v.from]++; return nil }

var errNobody = errors.New("nobody comes any more")

func (v *visitors) Accept() (net.Conn, error) {
	if len(v.from) == 0 {
		return nil, errNobody
	}
	from := v.from[0]
	v.from = v.from[1:]
	return visitor{from: from, all: v}, nil
}

// TestShareOfConnections: one network cannot take all connections, a proxy on this
// machine can, and what is closed makes room.
func TestShareOfConnections(t *testing.T) {
	const one, other, proxy = "192.0.2.1:1", "[2001:db8::1]:1", "127.0.0.1:1"
	v := &visitors{closed: map[string]int{}}
	l := share(v)
	accept := func(from string, n, want int) (open []net.Conn) {
		t.Helper()
		for range n {
			v.from = append(v.from, from)
		}
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			open = append(open, c)
		}
		if len(open) != want {
			t.Fatalf("%d of %d from %s, want %d", len(open), n, from, want)
		}
		return open
	}
	open := accept(one, maxConnections, maxConnectionsPerNetwork)
	if v.closed[one] != maxConnections-maxConnectionsPerNetwork {
		t.Errorf("%d are closed", v.closed[one])
	}
	accept("[::ffff:192.0.2.99]:1", 1, 0)
	accept(other, 1, 1)
	accept(proxy, maxConnections, maxConnections)
	for range 2 { // the second does not count
		if err := open[0].Close(); err != nil {
			t.Error(err)
		}
	}
	accept(one, 3, 1)
}

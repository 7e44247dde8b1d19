package probe

import (
	"net"
	"net/netip"
	"sync"
)

// maxConnectionsPerNetwork is how many of the connections one network may have.
const maxConnectionsPerNetwork = maxConnections / 4

// A shared listener closes what one network opens beyond its share. Those of this
// machine are passed on: a proxy speaks for many.
type shared struct {
	net.Listener

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func share(l net.Listener) *shared { return &shared{Listener: l, open: map[netip.Prefix]int{}} }

// Accept implements [net.Listener].
func (s *shared) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := peerOf(c.RemoteAddr().String())
		if !peer.IsValid() || peer.IsLoopback() {
			return c, nil
		}
		network := networkOf(peer)
		s.mu.Lock()
		full := s.open[network] >= maxConnectionsPerNetwork
		if !full {
			s.open[network]++
		}
		s.mu.Unlock()
		if !full {
			return &counted{Conn: c, closed: sync.OnceFunc(func() { s.leave(network) })}, nil
		}
		c.Close()
	}
}

func (s *shared) leave(network netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[network]--; s.open[network] == 0 {
		delete(s.open, network)
	}
}

// A counted connection says when it is closed.
type counted struct {
	net.Conn
	closed func()
}

// Close implements [net.Conn].
func (c *counted) Close() error {
	defer c.closed()
	return c.Conn.Close()
}

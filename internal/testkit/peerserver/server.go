// Package peerserver plays servers on the loopback address up to TLS, for tests
// of STARTTLS and of TLS from the first byte. They can be told to misbehave. After
// the handshake they wait for the peer to leave, or play a bit of XMPP ([Server.Offer]).
package peerserver

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"
)

// HangUp is a part of a dialogue that ends the connection at once.
const HangUp = "\x00hang up"

// patience bounds how long the server waits for a peer.
const patience = time.Minute

// dialogues are what a server in good order says before TLS.
var dialogues = map[string][]string{
	"_imap._tcp":       {"* OK ready\r\n", "* CAPABILITY IMAP4rev2 STARTTLS LOGINDISABLED\r\na OK done\r\n", "b OK begin\r\n"},
	"_pop3._tcp":       {"+OK ready\r\n", "+OK\r\nUIDL\r\nSTLS\r\n.\r\n", "+OK begin\r\n"},
	"_submission._tcp": {"220 mail.example ready\r\n", "250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n", "220 begin\r\n"},
	"_ldap._tcp":       {"", "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"},
}

// Dialogue is what a server of a role in good order says before TLS.
func Dialogue(role string) []string { return append([]string(nil), dialogues[role]...) }

// A Server serves until Close.
type Server struct {
	// Addr is the address and port it listens on.
	Addr string

	config   *tls.Config
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool // nil: closed
	heard  []string
	states []tls.ConnectionState
	offers string // features of XMPP, after TLS
}

// Start starts a server that says each part when the peer has said something,
// the first at once, and then begins TLS. Without a configuration it keeps
// listening instead. Without parts, TLS begins with the first byte.
func Start(config *tls.Config, parts ...string) (*Server, error) {
	return start(config, func(s *Server, c net.Conn) error { return s.say(c, parts) })
}

// start has every connection played. The peer's side says what went wrong there.
func start(config *tls.Config, play func(*Server, net.Conn) error) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: l.Addr().String(), config: config, listener: l, conns: map[net.Conn]bool{}}
	s.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			if s.conns == nil {
				c.Close()
			} else {
				s.conns[c] = true
			}
			s.mu.Unlock()
			s.running.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(patience))
				_ = play(s, c)
			})
		}
	})
	return s, nil
}

// Close ends all connections and returns when the server has stopped.
func (s *Server) Close() {
	s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	s.running.Wait()
}

// Heard is what peers said in clear text, piece by piece. Of XMPP it is the stream
// header of each.
func (s *Server) Heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heard...)
}

// States are those of the finished handshakes.
func (s *Server) States() []tls.ConnectionState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]tls.ConnectionState(nil), s.states...)
}

func (s *Server) hear(words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, words)
}

// listen hears one piece.
func (s *Server) listen(c net.Conn) error {
	buffer := make([]byte, 4096)
	n, err := c.Read(buffer)
	if err == nil {
		s.hear(string(buffer[:n]))
	}
	return err
}

func (s *Server) say(c net.Conn, parts []string) error {
	for i, part := range parts {
		if part == HangUp {
			return nil
		}
		if i > 0 {
			if err := s.listen(c); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(c, part); err != nil {
			return err
		}
	}
	if s.config != nil {
		return s.handshake(c)
	}
	for {
		if err := s.listen(c); err != nil {
			return err
		}
	}
}

func (s *Server) handshake(c net.Conn) error {
	conn := tls.Server(c, s.config)
	if err := conn.Handshake(); err != nil {
		return err
	}
	s.mu.Lock()
	s.states = append(s.states, conn.ConnectionState())
	offers := s.offers
	s.mu.Unlock()
	if offers != "" {
		return s.after(conn, offers)
	}
	_, err := io.Copy(io.Discard, conn)
	return err
}

package starttls

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	server = "_xmpp-server._tcp"
	client = "_xmpp-client._tcp"
)

// A peer is a server and what becomes of it.
type peer struct {
	name   string
	says   []string       // the next one when it was spoken to; see peerserver
	reason reasons.Reason // "": TLS begins
	detail string         // is in the error
}

// peers are servers in good order and hostile ones, by role.
var peers = map[string][]peer{
	server: xmppPeers, client: xmppPeers, "_imap._tcp": imapPeers, "_pop3._tcp": pop3Peers, "_submission._tcp": submissionPeers, "_ldap._tcp": ldapPeers,
}

// good is what a server in good order says.
func good(role string) []string {
	if role == server || role == client {
		return []string{"", open + offer, proceed}
	}
	return peerserver.Dialogue(role)
}

func request(role string) Request { return Request{Role: role, To: "b.example"} }

// play lets a peer say the parts. It gives what the peer heard before TLS, and
// what is left in the connection if TLS may begin and the peer hangs up.
func play(t *testing.T, r Request, parts ...string) (heard, left string, err error) {
	t.Helper()
	s, err := peerserver.Start(nil, parts...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = Negotiate(t.Context(), conn, r)
	if err == nil {
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		left = string(rest)
	}
	conn.Close()
	s.Close()
	return strings.Join(s.Heard(), ""), left, err
}

// TestRoles: every role that begins in clear text is known here, and no other.
func TestRoles(t *testing.T) {
	known := 0
	for _, role := range delegation.Roles() {
		if role.Start == delegation.STARTTLS {
			known++
			if protocols[role.Service] == nil {
				t.Errorf("nobody knows how TLS begins for %s", role.Service)
			}
		}
	}
	if known < 6 || known != len(protocols) || known != len(peers) {
		t.Errorf("%d roles begin in clear text, %d protocols are known, %d tested", known, len(protocols), len(peers))
	}
	for _, role := range []string{"", "_sips._tcp", "_imaps._tcp", "imap"} {
		if err := Negotiate(t.Context(), nil, request(role)); delegation.ReasonOf(err) != reasons.NoTLSStart {
			t.Errorf("%s: got %v, want %s", role, err, reasons.NoTLSStart)
		}
	}
}

// TestPeers: what a peer says leads to TLS, or to a reason.
func TestPeers(t *testing.T) {
	for role, list := range peers {
		if len(list) < 10 {
			t.Errorf("%s: only %d peers", role, len(list))
		}
		for _, c := range list {
			t.Run(role+"/"+c.name, func(t *testing.T) {
				_, left, err := play(t, request(role), c.says...)
				if got := delegation.ReasonOf(err); got != c.reason || c.reason == "" && err != nil {
					t.Fatalf("got %v, want reason %q", err, c.reason)
				}
				if err != nil && !strings.Contains(err.Error(), c.detail) {
					t.Errorf("%v does not contain %q", err, c.detail)
				}
				if left != "" {
					t.Errorf("%q is left", left)
				}
			})
		}
	}
}

// TestConversation: this and nothing else is said before TLS.
func TestConversation(t *testing.T) {
	for role, want := range map[string]string{
		"_imap._tcp":       "a CAPABILITY\r\nb STARTTLS\r\n",
		"_pop3._tcp":       "CAPA\r\nSTLS\r\n",
		"_submission._tcp": "EHLO [127.0.0.1]\r\nSTARTTLS\r\n",
		"_ldap._tcp":       "0\x1d\x02\x01\x01w\x18\x80\x161.3.6.1.4.1.1466.20037",
	} {
		if heard, _, err := play(t, Request{role, "b.example", "a.example"}, good(role)...); err != nil || heard != want {
			t.Errorf("%s: the peer heard %q, want %q (%v)", role, heard, want, err)
		}
	}
}

// TestInjection: what comes with the peer's consent or behind it is not read: TLS
// finds it in the connection, octet for octet.
func TestInjection(t *testing.T) {
	for role := range peers {
		for _, planted := range []string{"\n", "b OK again\r\n", "* CAPABILITY IMAP4rev2 AUTH=PLAIN\r\n", "250 AUTH PLAIN\r\n", "+OK\r\n",
			"\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00", "<iq/>", strings.Repeat("x", 2*maxOctets)} {
			parts := good(role)
			parts[len(parts)-1] += planted
			if _, left, err := play(t, request(role), parts...); err != nil || left != planted {
				t.Errorf("%s: %.40q is left of %.40q (%v)", role, left, planted, err)
			}
		}
	}
}

// TestHangUp: a peer that leaves, wherever it does, cannot be connected to.
func TestHangUp(t *testing.T) {
	for role := range peers {
		parts := good(role)
		for i := range parts {
			_, _, err := play(t, request(role), append(slices.Clone(parts[:i]), peerserver.HangUp)...)
			if delegation.ReasonOf(err) != reasons.ConnectFailed {
				t.Errorf("%s, after %d parts: got %v, want %s", role, i, err, reasons.ConnectFailed)
			}
			if hint := "TLS begins with the first byte"; strings.Contains(err.Error(), hint) != (strings.Join(parts[:i], "") == "") {
				t.Errorf("%s, after %d parts: %v", role, i, err)
			}
		}
	}
}

// TestDirect: a peer that speaks TLS from the first byte is told apart.
func TestDirect(t *testing.T) {
	for role := range peers {
		for _, record := range []string{"\x15\x03\x01\x00\x02\x02\x46", "\x16\x03\x01\x00\x05"} {
			parts := []string{record}
			if good(role)[0] == "" { // it waits for us
				parts = []string{"", record}
			}
			_, _, err := play(t, request(role), parts...)
			if delegation.ReasonOf(err) != reasons.STARTTLSFailed || !strings.Contains(err.Error(), "TLS from the first byte") {
				t.Errorf("%s: got %v, want %s", role, err, reasons.STARTTLSFailed)
			}
		}
	}
}

// TestStalls: a peer that keeps silent, or says an octet now and then, costs no
// more than the time given, wherever it stops.
func TestStalls(t *testing.T) {
	for role := range peers {
		parts := good(role)
		for i := range parts {
			for _, given := range []time.Duration{time.Second, time.Hour} {
				for _, more := range []string{"", " "} {
					synctest.Test(t, func(t *testing.T) {
						ours, theirs := net.Pipe()
						var running sync.WaitGroup
						running.Go(func() { _, _ = io.Copy(io.Discard, theirs) })
						running.Go(func() {
							defer theirs.Close()
							if _, err := io.WriteString(theirs, strings.Join(parts[:i], "")); err != nil {
								return
							}
							for {
								time.Sleep(900 * time.Millisecond)
								if _, err := io.WriteString(theirs, more); err != nil {
									return
								}
							}
						})
						ctx, cancel := context.WithTimeout(t.Context(), given)
						defer cancel()
						start := time.Now()
						err := Negotiate(ctx, ours, request(role))
						took, want := time.Since(start), min(given, maxTime)
						slow := more != "" && delegation.ReasonOf(err) == reasons.STARTTLSFailed // the space is no answer
						if !slow && (delegation.ReasonOf(err) != reasons.ConnectTimeout || took != want) || took > want {
							t.Errorf("%s, after %d parts: %v after %v, want %s after %v", role, i, err, took, reasons.ConnectTimeout, want)
						}
						ours.Close()
						running.Wait()
					})
				}
			}
		}
	}
}

// A lateConn ends the context in the moment of the consent.
type lateConn struct {
	net.Conn
	words  io.Reader
	cancel func()
}

func (c *lateConn) Write(p []byte) (int, error) { return len(p), nil }
func (c *lateConn) SetDeadline(time.Time) error { return nil }
func (c *lateConn) Read(p []byte) (int, error) {
	n, err := c.words.Read(p)
	if c.words.(*strings.Reader).Len() == 0 {
		c.cancel()
	}
	return n, err
}

// TestLate: a consent in the moment at which the time ends is too late, since the
// connection has a deadline in the past then.
func TestLate(t *testing.T) {
	for role := range peers {
		ctx, cancel := context.WithCancel(t.Context())
		err := Negotiate(ctx, &lateConn{words: strings.NewReader(strings.Join(good(role), "")), cancel: cancel}, request(role))
		cancel()
		if delegation.ReasonOf(err) != reasons.ConnectTimeout {
			t.Errorf("%s: got %v, want %s", role, err, reasons.ConnectTimeout)
		}
	}
}

// TestErrors: an error is one of package delegation, with its outcome.
func TestErrors(t *testing.T) {
	var e *delegation.Error
	_, _, err := play(t, request("_imap._tcp"), "* BYE go away\r\n")
	if !errors.As(err, &e) || e.Outcome != reasons.OutcomeRefused || e.Detail != `what should be the greeting is "* BYE go away"` {
		t.Errorf("got %v", err)
	}
}

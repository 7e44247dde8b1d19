package xmpp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// A recording is a peer whose every word is known before: it gives pieces of
// at most so many octets and takes whatever it is told.
type recording struct {
	net.Conn
	words io.Reader
	piece int
}

func (r *recording) Read(p []byte) (int, error)      { return r.words.Read(p[:min(len(p), r.piece)]) }
func (r *recording) Write(p []byte) (int, error)     { return len(p), nil }
func (r *recording) SetDeadline(time.Time) error     { return nil }
func (r *recording) SetReadDeadline(time.Time) error { return nil }

// FuzzStartTLS has three laws. What a peer says ends in TLS or in a reason, and
// TLS only if it offered and agreed. In whatever pieces it comes, the end is the
// same. And octets after the agreement are either refused or left in the
// socket, where they are no TLS.
func FuzzStartTLS(f *testing.F) {
	for _, words := range []string{
		open + offer + proceed, open + offer + proceed + "\x16\x03\x01", " " + open + "\n" + offer + " " + proceed,
		open + offer + "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", open + "<stream:features/>", open + "</stream:stream>",
		open + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text>no</text></stream:error>",
		open + offer + "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'><x/></proceed>", "220 mail.example ESMTP\r\n",
		"<!DOCTYPE x [<!ENTITY a 'b'>]>" + open, open + "<!-- c -->" + offer, open + strings.Repeat("<a>", maxDepth+1), open + "&lt;", "",
	} {
		f.Add([]byte(words))
	}
	allowed := []delegation.Reason{delegation.STARTTLSMissing, delegation.STARTTLSFailed, delegation.STARTTLSInjection, delegation.ConnectFailed}
	f.Fuzz(func(t *testing.T, words []byte) {
		say := func(piece int) (delegation.Reason, int) {
			left := bytes.NewReader(words)
			err := StartTLS(t.Context(), &recording{words: left, piece: piece}, between)
			var e *delegation.Error
			if err != nil && (!errors.As(err, &e) || !slices.Contains(allowed, e.Reason) || e.Detail == "") {
				t.Fatalf("%v", err)
			}
			return delegation.ReasonOf(err), left.Len()
		}
		whole, _ := say(len(words) + 1)
		byOctets, left := say(1)
		switch {
		case whole == delegation.STARTTLSInjection:
			if byOctets != "" || left == 0 {
				t.Fatalf("%d octets too many, but octet by octet %q, and %d are left", left, byOctets, left)
			}
		case whole != byOctets:
			t.Fatalf("%q, but octet by octet %q", whole, byOctets)
		}
		if byOctets == "" && (!bytes.Contains(words, []byte("starttls")) || !bytes.HasSuffix(words[:len(words)-left], []byte(">")) ||
			!bytes.Contains(words, []byte("proceed")) || !bytes.Contains(words, []byte(namespaceTLS))) {
			t.Fatalf("TLS begins after %q", words)
		}
	})
}

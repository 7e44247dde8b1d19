package starttls

import (
	"bytes"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A recording is a peer whose every word is known before. It takes whatever it is
// told.
type recording struct {
	net.Conn
	words *bytes.Reader
	most  int // octets that were asked for at once
}

func (r *recording) Read(p []byte) (int, error) {
	r.most = max(r.most, len(p))
	return r.words.Read(p)
}
func (r *recording) Write(p []byte) (int, error) { return len(p), nil }
func (r *recording) SetDeadline(time.Time) error { return nil }

// consents are what the last line or element of a peer's words is, and what came
// before, where TLS begins: by role, in upper case.
var consents = map[string]struct{ offer, answer string }{
	server:             {"STARTTLS", "PROCEED"},
	client:             {"STARTTLS", "PROCEED"},
	"_imap._tcp":       {"* CAPABILITY", "\r\nB OK"},
	"_pop3._tcp":       {"\r\nSTLS", "\r\n+OK"},
	"_submission._tcp": {"STARTTLS", "\r\n220"},
	"_ldap._tcp":       {"\x02\x01\x01", "\x0a\x01\x00"},
}

// FuzzNegotiate has four laws. What a peer says ends in TLS or in a reason. TLS
// begins only after an offer and a consent. Only single octets are read, and the
// consent ends with the last of them: with one octet less there is none. What
// follows changes nothing and stays in the connection.
func FuzzNegotiate(f *testing.F) {
	roles := slices.Sorted(maps.Keys(peers))
	for i, role := range roles {
		for _, p := range peers[role] {
			if words := strings.Join(p.says, ""); len(words) < maxLine {
				f.Add(byte(i), []byte(words))
			}
		}
	}
	const other = "\r\nb OK +OK 220 <proceed/>"
	allowed := []reasons.Reason{reasons.STARTTLSMissing, reasons.STARTTLSFailed, reasons.ConnectFailed}
	f.Fuzz(func(t *testing.T, which byte, words []byte) {
		role := roles[int(which)%len(roles)]
		say := func(words []byte) (reasons.Reason, int) {
			peer := &recording{words: bytes.NewReader(words)}
			err := Negotiate(t.Context(), peer, request(role))
			var e *delegation.Error
			if err != nil && (!errors.As(err, &e) || !slices.Contains(allowed, e.Reason) || e.Detail == "") {
				t.Fatalf("%v", err)
			}
			if peer.most > 1 {
				t.Fatalf("%d octets were read at once", peer.most)
			}
			return delegation.ReasonOf(err), peer.words.Len()
		}
		reason, left := say(words)
		read := words[:len(words)-left]
		if reason != "" {
			return
		}
		if again, n := say(append(slices.Clone(read), other...)); again != "" || n != len(other) {
			t.Fatalf("TLS begins, but with other words behind the consent %q with %d octets left of %d", again, n, len(other))
		}
		if before, _ := say(read[:len(read)-1]); before != reasons.ConnectFailed {
			t.Fatalf("an octet before the end of the consent it ends with %q", before)
		}
		upper := bytes.ToUpper(read)
		offer, answer := bytes.Index(upper, []byte(consents[role].offer)), bytes.LastIndex(upper, []byte(consents[role].answer))
		if offer < 0 || answer < offer {
			t.Fatalf("TLS begins after %q", read)
		}
	})
}

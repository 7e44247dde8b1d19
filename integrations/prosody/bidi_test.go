package prosody

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/xmpptest"
)

// TestBidi: one stream serves both directions (XEP-0288). The peer is checked once,
// in the direction in which the stream was opened, and a revocation ends both.
func TestBidi(t *testing.T) {
	for direction, open := range map[string]func(a, b *user) (from, to *user){
		"outgoing": func(a, b *user) (from, to *user) { return a, b },
		"incoming": func(a, b *user) (from, to *user) { return b, a },
	} {
		t.Run(direction, func(t *testing.T) {
			t.Parallel()
			var over atomic.Bool
			url, questions := xmpptest.Daemon(t, func(q fakedaemon.Question) any {
				if over.Load() {
					return q.Answer("refused", "revoked").With("required", true)
				}
				return q.Verified(hostB).With("refresh_at", fakedaemon.In(2*time.Second))
			})
			bidi := options{"modules_disabled": `{ "offline" }`}
			p := newPair(t, withModule(t, url).and(bidi).and(options{"modules_enabled": `{ "tls", "saslauth", "dialback", "admin_shell", "s2s_bidi", "s2s_auth_dna" }`}),
				bidi.and(options{"modules_enabled": `{ "tls", "saslauth", "dialback", "admin_shell", "s2s_bidi" }`}))
			from, to := open(p.users())
			delivered(from, to, "there")
			delivered(to, from, "and back")
			over.Store(true)
			p.a.Log.Tells(p.T, 0, "Certificate no longer accepted for b.example: ", "refused, revoked: ")
			for _, server := range []*realtest.ProsodyServer{p.a, p.b} {
				server.Log.Wait(t, 0, `s2s stream .* closed: .*not accepted`)
			}
			for i := 0; len(questions) > 0; i++ {
				if q := <-questions; q.Direction != direction || q.Recheck != (i > 0) {
					t.Errorf("question %d: direction %s, recheck %t", i+1, q.Direction, q.Recheck)
				}
			}
			bounced(from, to, "still there?")
			bounced(to, from, "still there?")
		})
	}
}

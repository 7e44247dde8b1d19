package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dnasign/dnasign/delegation"
)

// FuzzTarget: a target that is read is written and read again as the same; a
// mistake is a wrong call.
func FuzzTarget(f *testing.F) {
	for _, text := range []string{
		"xmpp.hosting.example:5269", "XMPP.Hosting.example.:5269/10/5", "bücher.example:1/65535/0", "h.example", "h.example:0", "h.example:1/2",
		"h.example:1/2/65536", "[::1]:5269", "h.example:1/2/3/4", ":1", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := Target(text)
		if err != nil {
			var usage UsageError
			if !errors.As(err, &usage) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if delegation.CheckName(target.Host) != nil || target.Port == 0 || len(target.SPKI) > 0 {
			t.Fatalf("%q is read as %+v", text, target)
		}
		written := fmt.Sprintf("%s:%d/%d/%d", target.Host, target.Port, target.Priority, target.Weight)
		if again, err := Target(written); err != nil || again.Endpoint != target.Endpoint || again.Priority != target.Priority || again.Weight != target.Weight {
			t.Fatalf("%q is written as %q and that read as %+v, %v", text, written, again, err)
		}
	})
}

// FuzzWords: a service is in the form of statements or a wrong call, and a life
// is a second at least.
func FuzzWords(f *testing.F) {
	for _, text := range []string{"xmpp-server", "_XMPP-server._tcp", "sip.udp", "__x", "14d", "336h", "0d", "-1h", "99999d", "1e9h", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if service, err := Service(text); err == nil {
			if again, err := Service(service); err != nil || again != service || delegation.CheckService(service) != nil {
				t.Fatalf("%q is read as %q, and that as %q, %v", text, service, again, err)
			}
		}
		if life, err := Life(text); err == nil && life < 1e9 {
			t.Fatalf("%q is %v", text, life)
		}
	})
}

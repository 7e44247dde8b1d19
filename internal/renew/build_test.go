package renew

import (
	"strings"
	"testing"
)

// TestLongLife: a life that verifiers do not accept is told of where it is
// written, once.
func TestLongLife(t *testing.T) {
	const head = "defaults: {services: [xmpp-server], targets: [\"h.example:1\"], cert: c, key: k, publish: [file: \"{domain}\"]"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"usual", head + "}\ndomains: [b.example]", nil},
		{"31 days", head + ", valid: 31d}\ndomains: [b.example]", nil},
		{"one second more", head + ", valid: 2678401s}\ndomains: [b.example]", []string{"dna.yaml:1: valid: 744h0m1s is longer than the 31 days that verifiers accept; "}},
		{"by default", head + ", valid: 60d}\ndomains: [b.example, c.example]", []string{"dna.yaml:1: valid: 60d is longer than the 31 days that verifiers accept; "}},
		{"of a domain", head + "}\ndomains:\n  - {domain: b.example, valid: 90d}\n  - c.example", []string{"dna.yaml:3: valid: 90d is longer"}},
		{"of both", head + ", valid: 60d}\ndomains:\n  - {domain: b.example, valid: 90d}\n  - c.example", []string{"dna.yaml:3: valid: 90d", "dna.yaml:1: valid: 60d"}},
		{"mended by the domain", head + ", valid: 60d}\ndomains: [{domain: b.example, valid: 14d}]", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := parseConfig("dna.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if len(config.Warnings) != len(c.want) {
				t.Fatalf("warnings %v, want %q", config.Warnings, c.want)
			}
			for i, w := range config.Warnings {
				if got := w.String(); !strings.HasPrefix(got, c.want[i]) || !strings.HasSuffix(got, `(life-too-long). Write "valid: 31d" or less`) {
					t.Errorf("got %q, want %q", got, c.want[i])
				}
			}
		})
	}
}

package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/dnasign/dnasign/delegation"
)

// FuzzTarget: a target that is read is written and read again as the same; a
// mistake is a wrong call.
func FuzzTarget(f *testing.F) {
	for _, text := range []string{
		"xmpp.hosting.example:5269", "XMPP.Hosting.example.:5269/10/5", "bücher.example:1/65535/0", "h.example", "h.example:0", "h.example:1/2",
		"h.example:1/2/65536", "[::1]:5269", "h.example:1/2/3/4", ":1", "", "h.example:5270/direct", "h.example:5270/1/2/direct",
		"h.example:1/direct/2", "h.example:1/direct/direct", "h.example:1/starttls", "h.example/direct", "/direct",
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
		if target.TLS == delegation.Direct {
			written += "/direct"
		}
		if strings.HasSuffix(text, "/direct") != (target.TLS == delegation.Direct) {
			t.Fatalf("%q is read as %+v", text, target)
		}
		if again, err := Target(written); err != nil || again.Endpoint != target.Endpoint || again.Priority != target.Priority || again.Weight != target.Weight || again.TLS != target.TLS {
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

// FuzzConfig: a file sets options that exist, each once, to what it says. It
// never sets those that were given or that it may not set. A mistake is a wrong
// call and names the line.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"listen: 127.0.0.1:1\n", "# none\n", "listen: a\nlisten: b\n", "trust:\n  - a\n  - b\n", "given: 1\n", "config: x\n", "unknown: 1\n",
		"listen: [a]\n", "listen: ''\n", "number: many\n", "number: 7\n", "a: &a b\nlisten: *a\n", "---\nlisten: a\n---\nlisten: b\n",
		"listen: {a: b}\n", "<<: {listen: a}\n", "? [a]\n: b\n", "[", "\xff",
	} {
		f.Add([]byte(text))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(dir, "config.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		listen := flags.String("listen", "", "")
		trust := flags.StringArray("trust", nil, "")
		number := flags.Int("number", 3, "")
		given := flags.String("given", "", "")
		config := flags.String("config", "", "")
		if err := flags.Set("given", "here"); err != nil {
			t.Fatal(err)
		}
		err := ApplyConfig(flags, file, "config")
		if *given != "here" || *config != "" {
			t.Fatalf("given %q, config %q", *given, *config)
		}
		if err != nil {
			var usage UsageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), file) {
				t.Fatal(err)
			}
			return
		}
		for _, value := range append(*trust, *listen) {
			if !utf8.ValidString(value) {
				t.Fatalf("%q", value)
			}
		}
		if flags.Changed("listen") != (*listen != "") || !flags.Changed("number") && *number != 3 {
			t.Fatalf("listen %q, number %d", *listen, *number)
		}
	})
}

// TestTarget: the ways to write a target, and to write none.
func TestTarget(t *testing.T) {
	target := func(priority, weight uint16, tls delegation.TLSMode) *delegation.Target {
		return &delegation.Target{Endpoint: delegation.Endpoint{Host: "h.example", Port: 5270}, Priority: priority, Weight: weight, TLS: tls}
	}
	for text, want := range map[string]*delegation.Target{
		"h.example:5270":               target(0, 0, ""),
		"H.Example.:5270/1/2":          target(1, 2, ""),
		"h.example:5270/direct":        target(0, 0, delegation.Direct),
		"h.example:5270/1/2/direct":    target(1, 2, delegation.Direct),
		"h.example:5270/1":             nil,
		"h.example:5270/1/direct":      nil,
		"h.example:5270/direct/1/2":    nil,
		"h.example:5270/direct/direct": nil,
		"h.example:5270/Direct":        nil,
		"h.example:5270/starttls":      nil,
		"h.example:5270/":              nil,
		"h.example/direct":             nil,
	} {
		got, err := Target(text)
		var usage UsageError
		switch {
		case want == nil && !errors.As(err, &usage):
			t.Errorf("%q: %+v, %v, want a usage error", text, got, err)
		case want != nil && (err != nil || fmt.Sprint(got) != fmt.Sprint(*want)):
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, *want)
		}
	}
}

package main

import (
	"encoding/base64"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

var (
	downloadLink  = regexp.MustCompile(`href="data:application/json;base64,([^"]+)" download="([^"]+)"`)
	replayCommand = regexp.MustCompile(`(?s)<pre>(dnaverify check .*?)</pre>`)
)

// replay does what a page says: it saves the evidence, and runs the command. It
// returns what that printed.
func (s *session) replay(code int, page string) string {
	s.t.Helper()
	link, command := downloadLink.FindStringSubmatch(page), replayCommand.FindStringSubmatch(page)
	if link == nil || command == nil {
		s.t.Fatalf("there is nothing to download, or no command:\n%s", page)
	}
	data, err := base64.StdEncoding.DecodeString(html.UnescapeString(link[1]))
	if err != nil {
		s.t.Fatal(err)
	}
	realtest.WriteFile(s.t, s.dir, link[2], string(data))
	out, _ := s.run(code, strings.ReplaceAll(html.UnescapeString(command[1]), "\\\n", ""))
	return out
}

// TestPage writes the page about three domains. The verdict of the command stands
// in it, and the evidence in it gives the same verdict again.
func TestPage(t *testing.T) {
	s, dns := watched(t)
	if err := dns.Fault("_xmpp-server._tcp._dna.d.example", "TXT", dnsserver.Fault{Rcode: 2}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		domain, says string
		code         int
	}{
		{"b.example", "b.example has delegated xmpp-server to xmpp.hosting.example, and the proof holds.", 0},
		{"c.example", "c.example is not verified: the domain has published no delegation that could be found.", 1},
		{"d.example", "d.example cannot be judged at the moment: the name servers gave no usable answer.", 3},
	} {
		line := fmt.Sprintf("dnaverify check %s --via dns --roots roots.pem --resolver %s --html ", c.domain, dns.Addr)
		out, _ := s.run(c.code, line+"page.html")
		file, err := os.ReadFile(filepath.Join(s.dir, "page.html"))
		if err != nil {
			t.Fatal(err)
		}
		page := string(file)
		if !strings.Contains(page, "<h1>"+c.says+"</h1>") || !strings.Contains(page, "through "+dns.Addr) {
			t.Errorf("%s: %s", c.domain, page)
		}
		first, _, _ := strings.Cut(out, "\n")
		if again := s.replay(c.code, page); !strings.HasPrefix(again, first+"\n") {
			t.Errorf("%s: %s, and from the page %s", c.domain, out, again)
		}
		// On standard output it moves the verdict away.
		out, errout := s.run(c.code, line+"-")
		if !strings.HasPrefix(out, "<!DOCTYPE html>") || !strings.HasPrefix(errout, first+"\n") {
			t.Errorf("%s: %.80s, %s", c.domain, out, errout)
		}
	}
	// Of a file, too.
	s.run(0, "dnaverify check b.example --evidence b.example.json --roots roots.pem --html again.html")
	if again, err := os.ReadFile(filepath.Join(s.dir, "again.html")); err != nil || !strings.Contains(string(again), "Note: replayed evidence") {
		t.Errorf("%v %s", err, again)
	}
	for line, says := range map[string]string{
		"b.example --save-evidence - --html -": "only one of --save-evidence and --html",
		"b.example c.example --html page.html": "are about one domain",
		"b.example --html ":                    "flag needs an argument",
		"b.example --evidence b.example.json --roots roots.pem --html b.example.json":   "which was read",
		"b.example --evidence b.example.json --roots roots.pem --html no-folder/x.html": "no-folder",
	} {
		out, errout := s.run(2, "dnaverify check "+line)
		if out != "" || !strings.Contains(errout, says) {
			t.Errorf("%s: %s%s", line, out, errout)
		}
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// An owner reads docs/owners.md and does what it says.
type owner struct {
	*laboratory
	blocks []block
	name   string // where the form of the DNS provider puts the TXT record
}

// page does what one section says. It types commands, writes the configuration
// into the file, and adds lines for the web server to the configuration of a
// real one.
func (o *owner) page(section string) {
	o.t.Helper()
	did := 0
	for _, b := range o.blocks {
		if b.section != section {
			continue
		}
		did++
		switch b.kind {
		case "console":
			for line := range strings.Lines(b.text) {
				command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
				if !ok {
					o.t.Fatalf("%s: %q is no command", section, line)
				}
				if strings.HasPrefix(command, "dnaverify check ") {
					o.patiently(command)
					continue
				}
				out := o.run(command)
				if strings.Contains(command, "publish zone --value") {
					o.paste(serviceOfFile.FindString(command), strings.TrimSpace(out))
				}
			}
		case "yaml":
			o.configure(b.text)
		case "nginx":
			const live = "/etc/letsencrypt/live/b.example/"
			o.serve(realtest.Nginx(o.t, o.path("/var/www/b.example"), o.path(live+"fullchain.pem"), o.path(live+"privkey.pem"), b.text))
		case "dns": // the zone has it already
		default:
			o.t.Fatalf("%s: nobody knows what to do with %q", section, b.kind)
		}
	}
	if did == 0 {
		o.t.Fatalf("%s has no section %q with something to do", ownersDoc, section)
	}
}

// serviceOfFile is the service in the name of a statement's file.
var serviceOfFile = regexp.MustCompile(`_xmpp-(server|client)\._tcp`)

// patiently runs a command until it succeeds, as a person does who waits for a
// resolver to forget that there was no record.
func (o *owner) patiently(command string) {
	o.t.Helper()
	for deadline := time.Now().Add(realtest.Timeout); ; time.Sleep(50 * time.Millisecond) {
		out, errout, err := o.try(command)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("%s: %v\n%s%s", command, err, out, errout)
		}
	}
}

// configure writes a part of the page in place of what stands under publish.
func (o *owner) configure(part string) {
	o.t.Helper()
	const file = "/etc/dnasign/dna.yaml"
	old, err := os.ReadFile(o.path(file))
	if err != nil {
		o.t.Fatal(err)
	}
	// The servers of the page are on port 53, and these here are not.
	part = strings.Replace(o.rooted(part), `server: "192.0.2.53:53"`, fmt.Sprintf(`server: %q, authority: [%[1]q], ttl: 1`, o.knot), 1)
	o.write(file, inPlaceOfPublish(o.t, string(old), part))
}

// paste is the form of the DNS provider: it sets the TXT record of a service, or
// removes it if value is empty.
func (o *owner) paste(service, value string) {
	o.t.Helper()
	name := strings.Replace(o.name, "_xmpp-server._tcp", service, 1)
	_, zone, _ := strings.Cut(name, "_dna.")
	m := new(dns.Msg)
	m.SetUpdate(dns.Fqdn(zone))
	m.RemoveRRset([]dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: dns.Fqdn(name), Rrtype: dns.TypeTXT}}})
	if value != "" {
		txt := &dns.TXT{Hdr: dns.RR_Header{Name: dns.Fqdn(name), Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 1}}
		for rest := value; rest != ""; {
			n := min(255, len(rest))
			txt.Txt, rest = append(txt.Txt, rest[:n]), rest[n:]
		}
		m.Insert([]dns.RR{txt})
	}
	m.SetTsig(realtest.TSIGName+".", dns.HmacSHA256, 300, time.Now().Unix())
	client := &dns.Client{Net: "tcp", Timeout: realtest.Timeout, TsigSecret: map[string]string{realtest.TSIGName + ".": realtest.TSIGSecret}}
	reply, _, err := client.Exchange(m, o.knot)
	if err != nil || reply.Rcode != dns.RcodeSuccess {
		o.t.Fatalf("the form: %v, %v", reply, err)
	}
}

// TestOwners follows docs/owners.md in each of the ways that it offers. It ends
// with a certificate that is renewed with a new key, and the statement with it.
func TestOwners(t *testing.T) {
	page := blocks(t, ownersDoc)
	const (
		certFile = "/etc/letsencrypt/live/b.example/fullchain.pem"
		keyFile  = "/etc/letsencrypt/live/b.example/privkey.pem"
		name     = "_xmpp-server._tcp._dna.b.example"
	)
	zone := realtest.Zone{Name: "b.example", Content: zoneOfB, Signed: true, Updated: true}
	alias := realtest.Zone{Name: "b.example", Content: zoneOfB + "dyn NS ns\n", Signed: true}
	for _, b := range page {
		if b.kind == "dns" {
			alias.Content += b.text
		}
	}
	done, ways := map[string]bool{}, 0
	for _, c := range []struct {
		way   string // section of the page
		via   discovery.Via
		zones []realtest.Zone
		form  string // the name that the form of the DNS provider leads to
	}{
		{"The web root", discovery.ViaHTTPS, []realtest.Zone{zone}, name},
		{"DNS updates", discovery.ViaDNS, []realtest.Zone{zone}, name},
		{"An alias", discovery.ViaDNS, []realtest.Zone{alias, {Name: "dyn.b.example", Updated: true}}, strings.Replace(name, "b.example", "dyn.b.example", 1)},
	} {
		t.Run(strings.ReplaceAll(c.way, " ", "-"), func(t *testing.T) {
			o := &owner{laboratory: newLaboratory(t, c.zones...), blocks: page, name: c.form}
			o.acme.Certbot(t, o.bin, o.path("/etc/letsencrypt"))
			o.systemctl()
			follow := func(section string) {
				t.Helper()
				o.page(section)
				done[section] = true
			}
			follow("1. A certificate")
			follow("2. Sign")
			follow("3. Paste")
			cert, key := o.fingerprints(certFile, keyFile)
			o.wantOthersFind(discovery.ViaDNS, cert)
			follow(c.way)
			switch c.way {
			case "The web root":
				o.paste("_xmpp-server._tcp", "") // as the page says
				o.paste("_xmpp-client._tcp", "")
			case "An alias":
				follow("DNS updates")
			}
			o.wantOthersFind(c.via, cert)
			o.patiently("dnaverify check b.example --service xmpp-client --via " + string(c.via))
			follow("5. Let it run")
			newCert, newKey := o.fingerprints(certFile, keyFile)
			if newCert == cert || newKey == key {
				t.Fatal("the certificate or its key is the old one")
			}
			o.wantOthersFind(c.via, newCert)
			o.wantOthersFind(discovery.ViaBoth, newCert) // nothing is left of the old one
			ways++
		})
	}
	for _, b := range page {
		if ways == 3 && !done[b.section] {
			t.Errorf("nobody followed the section %q", b.section)
		}
	}
}

// systemctl replaces systemd, which a container does not have. It starts the
// service of a timer that is enabled, if both are where they belong.
func (o *owner) systemctl() {
	o.t.Helper()
	source, err := filepath.Abs("../../integrations")
	if err != nil {
		o.t.Fatal(err)
	}
	if err := os.Symlink(source, o.path("integrations")); err != nil {
		o.t.Fatal(err)
	}
	units := o.path("/etc/systemd/system")
	if err := os.MkdirAll(units, 0o755); err != nil {
		o.t.Fatal(err)
	}
	for _, dir := range []string{"/var/www/b.example", "/etc/letsencrypt/renewal-hooks/deploy"} {
		if err := os.MkdirAll(o.path(dir), 0o755); err != nil {
			o.t.Fatal(err)
		}
	}
	script := fmt.Sprintf(`#!/bin/sh
set -e
test "$1 $2 $3" = "enable --now dnasign-renew.timer"
grep -q '^OnCalendar=' '%[1]s/dnasign-renew.timer'
exec sh -c "$(sed -n 's|^ExecStart=\(.*\) /etc/|\1 %[2]s/etc/|p' '%[1]s/dnasign-renew.service')"
`, units, o.root)
	if err := os.Chmod(realtest.WriteFile(o.t, o.bin, "systemctl", script), 0o755); err != nil {
		o.t.Fatal(err)
	}
}

package delegation

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// poshSeeds are files of the vectors, and what only a fuzz target asks.
func poshSeeds(t testing.TB) [][]byte {
	var seeds [][]byte
	for _, raw := range vectorSeeds(t).Evidence {
		var e Evidence
		if json.Unmarshal(raw, &e) != nil {
			continue
		}
		for _, d := range e.POSH {
			seeds = append(seeds, d.Body)
		}
	}
	if len(seeds) < 50 {
		t.Fatalf("only %d POSH files", len(seeds))
	}
	return seeds
}

// FuzzPOSH: a file that is read says the same to encoding/json, names certificates by
// whole digests or leads to an address that a redirect may lead to, and counts.
func FuzzPOSH(f *testing.F) {
	for _, body := range poshSeeds(f) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		file, err := parsePOSH(body)
		if err != nil {
			return
		}
		var other map[string]json.RawMessage
		if err := json.Unmarshal(body, &other); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if got := strings.TrimSpace(string(other["expires"])); got != fmt.Sprint(file.expires) {
			t.Fatalf("%q: expires %d, encoding/json reads %s", body, file.expires, got)
		}
		if file.expires < 1 || (file.url == "") == (len(file.certificates) == 0) {
			t.Fatalf("%q: %+v", body, file)
		}
		if file.url != "" && (!strings.HasPrefix(file.url, "https://") || !isPOSHURL(file.url)) {
			t.Fatalf("leads to %q", file.url)
		}
		for _, c := range file.certificates {
			if c.sha256 == nil && c.sha512 == nil {
				t.Fatalf("%q names any certificate", body)
			}
		}
	})
}

// TestPOSHNames: no certificate but the one that was named is.
func TestPOSHNames(t *testing.T) {
	lab := newLaboratory(t)
	leaf, other := lab.signer.Leaf(), lab.issue("P-256", nil).Leaf()
	sum := sha256.Sum256(leaf.Raw)
	file, err := parsePOSH(fmt.Appendf(nil, `{"expires":1,"fingerprints":[{"sha-256":%q}]}`, base64.StdEncoding.EncodeToString(sum[:])))
	if err != nil {
		t.Fatal(err)
	}
	p := &POSH{certificates: file.certificates}
	if !p.names(leaf) || p.names(other) || p.names(lab.intermediate.Root()) {
		t.Error("it names another certificate, or not this one")
	}
}

// TestPOSHURL: only the roles of XMPP have a file.
func TestPOSHURL(t *testing.T) {
	with := 0
	for _, r := range append(Roles(), RoleOf("_sips._tcp")) {
		url := POSHURL(source, r.Service)
		if (url != "") != strings.HasPrefix(r.Service, "_xmpp-") {
			t.Errorf("%s: %q", r.Service, url)
		}
		if url != "" {
			with++
			if !isPOSHURL(url) {
				t.Errorf("%q is no legal address", url)
			}
		}
		if second := r.Second; second != "" && POSHURL(source, second) != "" {
			t.Errorf("%s has a file of its own", second)
		}
	}
	if with != 2 {
		t.Errorf("%d roles have a file", with)
	}
}

// TestPOSHWithoutFile: what is no file, and why.
func TestPOSHWithoutFile(t *testing.T) {
	url := POSHURL(source, service)
	for _, c := range []struct {
		document Document
		want     reasons.Reason
	}{
		{Document{URL: url, Status: 404}, reasons.NoPOSH},
		{Document{URL: url, NoAddress: true}, reasons.NoPOSH},
		{Document{URL: url, Status: 200, MediaType: "text/html"}, reasons.NoPOSH},
		{Document{URL: url, Status: 200, MediaType: POSHMediaType}, reasons.MalformedPOSH},
		{Document{URL: url, Status: 301}, reasons.HTTPSFailure},
		{Document{URL: url, Failure: &Failure{reasons.DocumentTooLarge, "x"}}, reasons.DocumentTooLarge},
	} {
		e := &Evidence{Collected: now, POSH: []Document{c.document}}
		if _, err := e.ReadPOSH(now); ReasonOf(err) != c.want || c.document.POSHTarget() != "" {
			t.Errorf("%+v: %v, want %s", c.document, err, c.want)
		}
	}
}

package delegation

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// legal draws any legal statement.
func legal() *rapid.Generator[Statement] {
	return rapid.Custom(func(t *rapid.T) Statement {
		name := rapid.StringMatching(`[a-z]([a-z0-9-]{0,20}[a-z0-9])?\.[a-z]{2,8}`).Filter(func(s string) bool { return CheckName(s) == nil })
		service := rapid.StringMatching(`_[a-z][a-z0-9]{0,10}(-[a-z0-9]{1,2})?\._(tcp|udp)`)
		pin := rapid.Custom(func(t *rapid.T) Pin {
			return Pin(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "pin"))
		})
		target := rapid.Custom(func(t *rapid.T) Target {
			return Target{
				Endpoint: Endpoint{name.Draw(t, "host"), rapid.Uint16Min(1).Draw(t, "port")},
				Priority: rapid.Uint16().Draw(t, "priority"),
				Weight:   rapid.Uint16().Draw(t, "weight"),
				SPKI:     emptyIsNil(rapid.SliceOfN(pin, 0, limits.MaxPins).Draw(t, "spki")),
			}
		})
		issued := rapid.Int64Range(0, maxTime-1).Draw(t, "iat")
		s := Statement{
			Source:  name.Draw(t, "iss"),
			Service: service.Draw(t, "service"),
			Targets: emptyIsNil(rapid.SliceOfNDistinct(target, 0, limits.MaxTargets, func(t Target) Endpoint { return t.Endpoint }).Draw(t, "targets")),
			Issued:  time.Unix(issued, 0).UTC(),
			Expires: time.Unix(rapid.Int64Range(issued+1, maxTime).Draw(t, "exp"), 0).UTC(),
		}
		copy(s.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "jti"))
		s.ID[0] &= 0x7f
		s.ID[15] |= 1
		return s
	})
}

func emptyIsNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// TestClaimsRoundTrip: what is encoded decodes to the same statement, and
// encodes to the same octets.
func TestClaimsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := legal().Draw(t, "statement")
		if err := s.check(); err != nil {
			t.Fatalf("the generator made an illegal one: %v", err)
		}
		text := encodeClaims(s)
		again, err := decodeClaims(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(s, *again); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		if !bytes.Equal(text, encodeClaims(*again)) {
			t.Fatal("encodes to other octets")
		}
	})
}

// TestClaimsLayout: order of members and white space mean nothing.
func TestClaimsLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := legal().Draw(t, "statement")
		text := shuffled(t, encodeClaims(s))
		again, err := decodeClaims([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(s, *again); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

// shuffled writes JSON with its members in another order and white space
// between all tokens.
func shuffled(t *rapid.T, text []byte) string {
	space := rapid.StringMatching(`[ \t\r\n]{0,3}`)
	var write func(raw json.RawMessage) string
	list := func(open, closing string, items []string) string {
		return open + space.Draw(t, "space") + strings.Join(items, space.Draw(t, "space")+","+space.Draw(t, "space")) + space.Draw(t, "space") + closing
	}
	write = func(raw json.RawMessage) string {
		var items []string
		switch raw[0] {
		case '{':
			var members map[string]json.RawMessage
			if err := json.Unmarshal(raw, &members); err != nil {
				t.Fatal(err)
			}
			for name, value := range members {
				items = append(items, `"`+name+`"`+space.Draw(t, "space")+":"+space.Draw(t, "space")+write(value))
			}
			return list("{", "}", items)
		case '[':
			var elements []json.RawMessage
			if err := json.Unmarshal(raw, &elements); err != nil {
				t.Fatal(err)
			}
			for _, e := range elements {
				items = append(items, write(e))
			}
			return list("[", "]", items)
		}
		return string(raw)
	}
	return space.Draw(t, "space") + write(text) + space.Draw(t, "space")
}

// TestDigestTargets: no order matters, every difference does.
func TestDigestTargets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		targets := legal().Draw(t, "statement").Targets
		digest := DigestTargets(targets)
		mixed := cloneTargets(rapid.Permutation(targets).Draw(t, "targets"))
		for i := range mixed {
			mixed[i].SPKI = rapid.Permutation(mixed[i].SPKI).Draw(t, "spki")
		}
		before := cloneTargets(mixed)
		if DigestTargets(mixed) != digest {
			t.Fatal("depends on the order")
		}
		if diff := cmp.Diff(before, mixed); diff != "" {
			t.Fatalf("changes what it is given:\n%s", diff)
		}
		if len(mixed) == 0 {
			return
		}
		x := &mixed[rapid.IntRange(0, len(mixed)-1).Draw(t, "which")]
		switch rapid.IntRange(0, 6).Draw(t, "what") {
		case 0:
			x.Host = "a" + x.Host
		case 1:
			x.Port++
		case 2:
			x.Priority++
		case 3:
			x.Weight++
		case 4:
			x.SPKI = append(x.SPKI, Pin{1})
		case 5:
			mixed = append(mixed, Target{Endpoint: Endpoint{"more.example", 1}})
		case 6:
			x.Host, x.SPKI = x.Host+"x", nil
		}
		if DigestTargets(mixed) == digest {
			t.Fatal("a difference is not seen")
		}
	})
}

// TestDigestForm is the example of the specification's form.
func TestDigestForm(t *testing.T) {
	for _, c := range []struct {
		name    string
		targets []Target
		want    string // printf '...' | sha256sum
	}{
		{"none", nil, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"sorted by host as octets and by port as a number", []Target{
			{Endpoint{"b.example", 10000}, 0, 0, "", nil}, {Endpoint{"b.example", 5269}, 10, 5, "", []Pin{{0xff}, {0x0f}}}, {Endpoint{"a-b.example", 1}, 1, 2, "", nil},
		}, "90e6d4ec41828454f133a87958537ce70737706c862dba3ab446053be5be742c"},
		{"with direct TLS", []Target{
			{Endpoint{"b.example", 5269}, 10, 5, Direct, []Pin{{0x0f}}}, {Endpoint{"a-b.example", 1}, 1, 2, Direct, nil},
		}, "aecd8de01d81f97262e3fea8bdc32cc8b7b6125f948a109832a761b6d4c5f641"},
	} {
		if got := Pin(DigestTargets(c.targets)).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestFlippedBit: a token with any one bit changed is not verified.
func TestFlippedBit(t *testing.T) {
	tr := newTrial(t)
	good := tr.sign()
	rapid.Check(t, func(t *rapid.T) {
		bit := rapid.IntRange(0, 8*len(good)-1).Draw(t, "bit")
		spoiled := bytes.Clone(good)
		spoiled[bit/8] ^= 1 << (bit % 8)
		result, err := Verify(tr.query, evidenceOf(document(spoiled)), tr.policy)
		if err == nil || result != nil {
			t.Fatalf("verified with bit %d changed", bit)
		}
	})
	// And all bits of the signature, which rapid may not hit.
	parts := bytes.Split(good, []byte("."))
	raw, err := base64.RawURLEncoding.DecodeString(string(parts[2]))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		spoiled := bytes.Clone(raw)
		spoiled[bit/8] ^= 1 << (bit % 8)
		token := bytes.Join([][]byte{parts[0], parts[1], []byte(base64.RawURLEncoding.EncodeToString(spoiled))}, []byte("."))
		if _, err := Verify(tr.query, evidenceOf(document(token)), tr.policy); ReasonOf(err) != reasons.BadSignature {
			t.Fatalf("bit %d of the signature: %v", bit, err)
		}
	}
}

// TestGoJose: whatever Verify accepts, go-jose accepts, and the payload means
// the same to encoding/json.
func TestGoJose(t *testing.T) {
	accepted := 0
	for _, table := range tables() {
		for _, c := range table.cases {
			if c.want != reasons.Verified {
				continue
			}
			tr := newTrial(t)
			c.spoil(tr)
			if _, err := tr.verify(); err != nil {
				t.Errorf("%s/%s: %v", table.name, c.name, err)
			}
			for _, raw := range tokensIn(tr.evidence) {
				tr.evidence.TXT, tr.evidence.Documents = nil, []Document{{File: "token", Body: raw}}
				result, err := Verify(tr.query, tr.evidence, tr.policy)
				if err != nil {
					continue // a bad or older one beside the good
				}
				if result.Proven().Named {
					continue // by DNSSEC, which go-jose does not know
				}
				at := wholeSecond(tr.policy.Time)
				in, err := Inspect(raw)
				if err != nil {
					t.Fatal(err)
				}
				if start := in.Certificates[0].NotBefore; at.Before(start) {
					at = start // as trustChain does
				}
				payload, err := acceptedByGoJose(raw, x509.VerifyOptions{Roots: tr.policy.Roots, CurrentTime: at})
				if err != nil {
					t.Errorf("%s/%s: %v", table.name, c.name, err)
					continue
				}
				if diff := cmp.Diff(result.Proven().Statement, plainStatement(t, payload)); diff != "" {
					t.Errorf("%s/%s: (-ours +go-jose and encoding/json)\n%s", table.name, c.name, diff)
				}
				accepted++
			}
		}
	}
	if accepted < 100 {
		t.Errorf("only %d accepted", accepted)
	}
}

// tokensIn gives what may be a token in evidence.
func tokensIn(e *Evidence) [][]byte {
	var list [][]byte
	for _, a := range e.TXT {
		for _, r := range a.Records {
			if _, raw, ok := strings.Cut(r, "; e=jws; s="); ok {
				list = append(list, []byte(raw))
			}
		}
	}
	for _, d := range e.Documents {
		if sniff(d.Body) == JWS {
			list = append(list, bytes.TrimRight(d.Body, "\r\n"))
		}
	}
	return list
}

func acceptedByGoJose(raw []byte, opts x509.VerifyOptions) ([]byte, error) {
	object, err := jose.ParseSignedCompact(string(raw), []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.RS256, jose.PS256, jose.EdDSA})
	if err != nil {
		return nil, err
	}
	chains, err := object.Signatures[0].Header.Certificates(opts)
	if err != nil {
		return nil, err
	}
	return object.Verify(chains[0][0].PublicKey)
}

// plainStatement decodes claims with encoding/json.
func plainStatement(t testing.TB, payload []byte) Statement {
	t.Helper()
	var claims struct {
		Iss, Service, JTI string
		Targets           []struct {
			Endpoint
			Priority, Weight uint16
			TLS              TLSMode
			SPKI             []string
		}
		IAT, Exp int64
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	s := Statement{
		Source: claims.Iss, Service: claims.Service,
		Issued: time.Unix(claims.IAT, 0).UTC(), Expires: time.Unix(claims.Exp, 0).UTC(),
		ID: ID(octets(t, claims.JTI)),
	}
	for _, target := range claims.Targets {
		x := Target{Endpoint: target.Endpoint, Priority: target.Priority, Weight: target.Weight, TLS: target.TLS}
		for _, pin := range target.SPKI {
			x.SPKI = append(x.SPKI, Pin(octets(t, pin)))
		}
		s.Targets = append(s.Targets, x)
	}
	return s
}

func octets(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// FuzzClaims: what decodes, encodes, and decodes to the same statement, and is
// what encoding/json reads.
func FuzzClaims(f *testing.F) {
	f.Add(encodeClaims(goodStatement()))
	seeds := 1
	good := string(encodeClaims(goodStatement()))
	for _, old := range []string{goodIAT, goodEXP, goodJTI, `"port":5269`, source, service} {
		for _, with := range []string{"", "1", `""`, "null", `"jti":`} {
			f.Add([]byte(strings.Replace(good, old, with, 1)))
			seeds++
		}
	}
	for _, token := range vectorSeeds(f).Tokens {
		if parts := bytes.Split(token, []byte(".")); len(parts) == 3 {
			if payload, err := base64.RawURLEncoding.DecodeString(string(parts[1])); err == nil {
				f.Add(payload)
				seeds++
			}
		}
	}
	if seeds < 130 {
		f.Fatalf("only %d seeds", seeds)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := decodeClaims(payload)
		if err != nil {
			if s != nil || err.Outcome != reasons.OutcomeRefused {
				t.Fatalf("%v beside %v", s, err)
			}
			return
		}
		again, err := decodeClaims(encodeClaims(*s))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Fatalf("(-first +again)\n%s", diff)
		}
		if diff := cmp.Diff(*s, plainStatement(t, payload)); diff != "" {
			t.Fatalf("(-ours +encoding/json)\n%s", diff)
		}
	})
}

// FuzzEvidence: no evidence makes Verify panic, and none is verified that does
// not hold the good token. Keys differ from process to process, so inputs have
// marks in place of the token.
func FuzzEvidence(f *testing.F) {
	tr := newTrial(f)
	good := tr.sign()
	marks := strings.NewReplacer(string(good), "@TEXT@", base64.StdEncoding.EncodeToString(good), "@BASE64@")
	tokens := strings.NewReplacer("@TEXT@", string(good), "@BASE64@", base64.StdEncoding.EncodeToString(good))
	seeds := 0
	for _, e := range []*Evidence{
		evidenceOf(txtAnswer(JWS.TXTRecord(good)), srvAnswer(Insecure, evil, SRVRecord{1, 2, 5269, host})),
		evidenceOf(document(good)),
		evidenceOf(txtAnswer("v=DNA1", "v=DNA1; e=jws; s=a.b.c"), Document{URL: documentPlace, Failure: &Failure{reasons.HTTPSTimeout, "x"}}),
		evidenceOf(Document{File: "f", Body: bytes.Replace(good, []byte("."), []byte("A."), 1)}),
	} {
		data, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(marks.Replace(string(data)))
		seeds++
	}
	for _, data := range vectorSeeds(f).Evidence {
		f.Add(string(data))
		seeds++
	}
	if seeds < 100 {
		f.Fatalf("only %d seeds", seeds)
	}
	f.Fuzz(func(t *testing.T, data string) {
		e := new(Evidence)
		if json.Unmarshal([]byte(tokens.Replace(data)), e) != nil {
			return
		}
		result, err := Verify(tr.query, e, tr.policy)
		report := NewReport(tr.query, result, err)
		if _, err := json.Marshal(report); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			if result != nil || report.Outcome == reasons.OutcomeVerified || !report.Reason.Known() {
				t.Fatalf("%v beside %v", result, err)
			}
			return
		}
		for _, raw := range tokensIn(e) {
			if bytes.Equal(raw, good) {
				return
			}
		}
		t.Fatalf("verified without the good token: %s", data)
	})
}

package jws_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/keys"
)

// TestParse: what a token says comes out as it was put in.
func TestParse(t *testing.T) {
	for _, a := range keys.Algorithms() {
		signer := signerFor(t, a)
		token := seal(t, url([]byte(header(a, signer))), url(payload), a, signer.Key())
		mustAgree(t, token, signer.Leaf().PublicKey, payload)
		u, err := jws.Parse([]byte(token), typ)
		if err != nil {
			t.Fatal(err)
		}
		if u.Algorithm != a || !bytes.Equal(u.UnverifiedPayload(), payload) {
			t.Errorf("%s: got %s, %q", a, u.Algorithm, u.UnverifiedPayload())
		}
		if !slices.EqualFunc(u.Certificates, signer.Chain(), func(der []byte, c *x509.Certificate) bool {
			return bytes.Equal(der, c.Raw)
		}) {
			t.Errorf("%s: other certificates", a)
		}
		other := signerFor(t, keys.Algorithms()[0])
		if other == signer {
			other = signerFor(t, keys.EdDSA)
		}
		if got, err := u.Verify(other.Leaf().PublicKey); got != nil || !errors.Is(err, keys.ErrAlgorithmMismatch) {
			t.Errorf("%s: another key: got %q, %v", a, got, err)
		}
		if got, err := u.Verify(nil); got != nil || !errors.Is(err, keys.ErrAlgorithmMismatch) {
			t.Errorf("%s: no key: got %q, %v", a, got, err)
		}
	}
}

// TestParseWith: a known header changes no answer, whatever is done to a token.
func TestParseWith(t *testing.T) {
	signer := signerFor(t, keys.ES256)
	token := []byte(seal(t, url([]byte(header(keys.ES256, signer))), url(payload), keys.ES256, signer.Key()))
	u, err := jws.Parse(token, typ)
	if err != nil {
		t.Fatal(err)
	}
	known := u.Header()
	if text, _, _ := bytes.Cut(token, []byte(".")); known.Text() != string(text) {
		t.Errorf("the header is %.100q", known.Text())
	}
	same := func(token []byte, typ string) {
		t.Helper()
		want, wantErr := jws.Parse(token, typ)
		got, err := jws.ParseWith(known, token, typ)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
			t.Fatalf("%.100q of typ %q: %v, want %v", token, typ, err, wantErr)
		}
	}
	same(token, typ)
	same(token, "other")
	same(token, "")
	for i := range token {
		for _, c := range []byte("A.\n") {
			changed := bytes.Clone(token)
			changed[i] = c
			same(changed, typ)
		}
		same(token[:i], typ)
		same(token[i:], typ)
	}
	clear(token) // the header is not part of it
	if !strings.HasPrefix(known.Text(), "ey") {
		t.Errorf("the header is %.100q", known.Text())
	}
}

// TestParseNoType: a caller who forgot to say which typ gets no token, not
// even one with an empty typ.
func TestParseNoType(t *testing.T) {
	signer := signerFor(t, keys.ES256)
	for _, value := range []string{typ, ""} {
		text := strings.Replace(header(keys.ES256, signer), typ, value, 1)
		token := seal(t, url([]byte(text)), url(payload), keys.ES256, signer.Key())
		if _, err := jws.Parse([]byte(token), ""); !errors.Is(err, jws.ErrType) {
			t.Errorf("typ %q: got %v, want ErrType", value, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	signer := signerFor(t, keys.ES256)
	// sized is a good token of that size. White space fills the header, and the
	// payload a little, since no base64 text has a length of 4n+1.
	sized := func(size int) string {
		text := header(keys.ES256, signer)
		for _, pad := range []string{"", " ", "  "} {
			p := url(append([]byte(pad), payload...))
			rest := size - len(p) - 2 - len(url(make([]byte, 64)))
			if octets := rest * 3 / 4; len(url(make([]byte, octets))) == rest {
				return seal(t, url([]byte(text+strings.Repeat(" ", octets-len(text)))), p, keys.ES256, signer.Key())
			}
		}
		t.Fatalf("no token of %d octets", size)
		return ""
	}
	for size, want := range map[int]error{
		jws.MaxSize - 1: nil, jws.MaxSize: nil, jws.MaxSize + 1: jws.ErrTooLarge, jws.MaxSize + 2: jws.ErrTooLarge,
		4 * jws.MaxSize: jws.ErrTooLarge,
	} {
		token := sized(size)
		if len(token) != size {
			t.Fatalf("a token of %d octets, want %d", len(token), size)
		}
		if _, err := read(token, signer.Leaf().PublicKey); !errors.Is(err, want) {
			t.Errorf("%d octets: got %v, want %v", size, err, want)
		}
		if _, err := joseRead(token, signer.Leaf().PublicKey); err != nil {
			t.Errorf("%d octets: go-jose: %v", size, err)
		}
	}
}

// TestAgreement: we accept a good token, and go-jose accepts it with the same
// payload. The payload, the chain, the key, the order of the header's members
// and its white space may be any.
func TestAgreement(t *testing.T) {
	for _, a := range keys.Algorithms() {
		signerFor(t, a)
	}
	rapid.Check(t, func(r *rapid.T) {
		a := rapid.SampledFrom(keys.Algorithms()).Draw(r, "algorithm")
		signer := signerFor(t, a)
		payload := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(r, "payload")
		chain := []*x509.Certificate{signer.Leaf()}
		for range rapid.IntRange(0, keys.MaxChain-1).Draw(r, "further certificates") {
			of := rapid.SampledFrom(keys.Algorithms()).Draw(r, "certificate")
			chain = append(chain, rapid.SampledFrom(signerFor(t, of).Chain()).Draw(r, "of chain"))
		}
		space := func() string {
			return rapid.StringOfN(rapid.SampledFrom([]rune(" \t\r\n")), 0, 3, -1).Draw(r, "space")
		}
		var list []string
		for _, c := range chain {
			list = append(list, space()+`"`+std(c.Raw)+`"`+space())
		}
		members := rapid.Permutation([]string{
			`"alg"` + space() + `:` + space() + `"` + string(a) + `"` + space(),
			`"typ"` + space() + `:` + space() + `"` + typ + `"` + space(),
			`"x5c"` + space() + `:` + space() + `[` + strings.Join(list, ",") + `]` + space(),
		}).Draw(r, "members")
		text := space() + `{` + space() + strings.Join(members, ","+space()) + `}` + space()
		mustAgree(r, seal(t, url([]byte(text)), url(payload), a, signer.Key()), signer.Leaf().PublicKey, payload)
	})
}

// TestOneOctet: a token with any one octet changed, left out or put in is
// refused.
func TestOneOctet(t *testing.T) {
	tokens := map[keys.Algorithm]string{}
	for _, a := range keys.Algorithms() {
		signer := signerFor(t, a)
		tokens[a] = seal(t, url([]byte(header(a, signer))), url(payload), a, signer.Key())
	}
	rapid.Check(t, func(r *rapid.T) {
		a := rapid.SampledFrom(keys.Algorithms()).Draw(r, "algorithm")
		token := tokens[a]
		at := rapid.IntRange(0, len(token)-1).Draw(r, "at")
		if rapid.Bool().Draw(r, "near the end") {
			at = len(token) - 1 - at%100
		}
		c := rapid.OneOf(rapid.ByteRange('-', 'z'), rapid.Byte()).Draw(r, "octet")
		for what, changed := range map[string]string{
			"changed":  token[:at] + string([]byte{c}) + token[at+1:],
			"left out": token[:at] + token[at+1:],
			"put in":   token[:at] + string([]byte{c}) + token[at:],
		} {
			if changed == token {
				continue
			}
			if _, err := read(changed, signerFor(t, a).Leaf().PublicKey); err == nil {
				r.Fatalf("%s: octet %d %s (%q): accepted", a, at, what, c)
			}
		}
	})
}

package jws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// Other implementations of JWS. Each must accept what we sign, with the header
// that we meant, and refuse it when changed. Each must sign what we accept.

func TestNpmJose(t *testing.T) {
	const dir = "testdata/npm"
	t.Logf("to install: npm ci --prefix encoding/jws/%s", dir)
	realtest.Need(t, "node")
	realtest.NeedFile(t, dir+"/node_modules/jose/package.json")
	interoperate(t, []string{"node", dir + "/verify.mjs"}, []string{"node", dir + "/sign.mjs"})
}

func TestJwcrypto(t *testing.T) {
	const python = "/usr/bin/python3" // the one that has the modules of the distribution
	t.Log("to install: apt-get install python3-jwcrypto")
	realtest.Need(t, python)
	realtest.NeedFile(t, "/usr/lib/python3/dist-packages/jwcrypto/jws.py")
	interoperate(t, []string{python, "testdata/python/verify.py"}, []string{python, "testdata/python/sign.py"})
}

// A request asks a signer's program for a token.
type request struct {
	Header  map[string]any `json:"header"`
	Key     string         `json:"key"`
	Payload []byte         `json:"payload"`
}

// interoperate runs two programs, one that verifies and one that signs, on
// tokens of all algorithms.
func interoperate(t *testing.T, verifier, signer []string) {
	algorithms := keys.Algorithms()
	var tokens []string
	var requests []request
	for _, a := range algorithms {
		token := ours(t, a)
		tokens = append(append(tokens, token), alterations(t, token)...)
		key := localca.Must(localca.KeyPEM(signerFor(t, a).Key()))
		requests = append(requests, request{headerMembers(t, a), string(key), payload})
	}
	var verdicts []struct {
		Header  map[string]any
		Payload []byte
		Error   string
	}
	var signed []string
	runJSON(t, verifier, tokens, &verdicts)
	runJSON(t, signer, requests, &signed)
	each := len(tokens) / len(algorithms)
	if len(verdicts) != len(tokens) || each < 4 || len(signed) != len(algorithms) {
		t.Fatalf("%d verdicts on %d tokens and %d tokens signed", len(verdicts), len(tokens), len(signed))
	}
	for i, a := range algorithms {
		t.Run(string(a), func(t *testing.T) {
			v := verdicts[i*each]
			if v.Error != "" || !bytes.Equal(v.Payload, payload) {
				t.Errorf("of ours it reads %q (%s)", v.Payload, v.Error)
			}
			if diff := cmp.Diff(headerMembers(t, a), v.Header); diff != "" {
				t.Errorf("of our header it reads (-ours +its)\n%s", diff)
			}
			for _, v := range verdicts[i*each+1 : (i+1)*each] {
				if v.Error == "" {
					t.Errorf("it accepts a changed token with %q", v.Payload)
				}
			}
			mustAgree(t, signed[i], signerFor(t, a).Leaf().PublicKey, payload)
			for _, changed := range alterations(t, signed[i]) {
				if _, err := read(changed, signerFor(t, a).Leaf().PublicKey); err == nil {
					t.Errorf("we accept a changed token: %s", changed)
				}
			}
		})
	}
}

// TestLatchset: the command jose of the C implementation knows all algorithms
// but EdDSA.
func TestLatchset(t *testing.T) {
	t.Log("to install: apt-get install jose")
	realtest.Need(t, "jose")
	dir := t.TempDir()
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, a := range []keys.Algorithm{keys.ES256, keys.ES384, keys.RS256, keys.PS256} {
		t.Run(string(a), func(t *testing.T) {
			signer := signerFor(t, a)
			pub, private := file("pub.jwk", jwk(t, signer.Leaf().PublicKey)), file("private.jwk", jwk(t, signer.Key()))
			verify := func(token string) ([]byte, error) {
				return run(t, []string{"jose", "jws", "ver", "-i", file("token.jws", token), "-k", pub, "-O", "-"}, nil)
			}
			token := ours(t, a)
			if got, err := verify(token); err != nil || !bytes.Equal(got, payload) {
				t.Errorf("of ours it reads %q (%v)", got, err)
			}
			for _, changed := range alterations(t, token) {
				if got, err := verify(changed); err == nil {
					t.Errorf("it accepts a changed token with %q", got)
				}
			}
			template, err := json.Marshal(map[string]any{"protected": headerMembers(t, a)})
			if err != nil {
				t.Fatal(err)
			}
			signed, err := run(t, []string{
				"jose", "jws", "sig", "-I", file("payload", string(payload)), "-k", private,
				"-s", file("template.json", string(template)), "-c", "-o", "-",
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			mustAgree(t, strings.TrimSuffix(string(signed), "\n"), signer.Leaf().PublicKey, payload)
		})
	}
}

// ours is a token that we signed.
func ours(t *testing.T, a keys.Algorithm) string {
	t.Helper()
	token, err := jws.Sign(payload, typ, a, signerFor(t, a))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// headerMembers is a good protected header as decoded JSON.
func headerMembers(t *testing.T, a keys.Algorithm) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(header(a, signerFor(t, a))), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// alterations changes each part of a token and leaves it in good form.
func alterations(t *testing.T, token string) []string {
	p, parts := strings.Split(token, "."), parts(t, []byte(token))
	head, signature := parts[0], parts[2]
	signature[len(signature)/2] ^= 1
	return []string{
		url(append(head, ' ')) + "." + p[1] + "." + p[2],
		p[0] + "." + url([]byte(`{"iss":"c.example"}`)) + "." + p[2],
		p[0] + "." + p[1] + "." + url(signature),
	}
}

func jwk(t *testing.T, key any) string {
	t.Helper()
	text, err := jose.JSONWebKey{Key: key}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// runJSON runs a program that reads and writes one JSON value.
func runJSON(t *testing.T, command []string, in, out any) {
	t.Helper()
	input, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	output, err := run(t, command, input)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(output, out); err != nil {
		t.Fatalf("%v in %.200q", err, output)
	}
}

// run runs a program for a bounded time and returns its standard output, or an
// error with what it complained of.
func run(t *testing.T, command []string, input []byte) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), realtest.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if ctx.Err() != nil {
		t.Fatalf("%v took longer than %v", command, realtest.Timeout)
	}
	if err != nil {
		return nil, fmt.Errorf("%v: %w: %s", command, err, stderr.Bytes())
	}
	return output, nil
}

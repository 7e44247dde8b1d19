package publish

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// FuzzTSIGKey: a key that is read is written in every form and read again as
// the same. It signs for the DNS library. Neither it nor an error shows its
// secret.
func FuzzTSIGKey(f *testing.F) {
	for _, text := range goodKeys {
		f.Add([]byte(text))
	}
	for _, text := range []string{
		"", "key", "key \"k\" {", "key:\n  - id: [", "hmac-md5:k:" + secret, "hmac-sha256:k:" + secret + "\nhmac-sha256:l:" + secret,
		"key:\n- &a {id: k, algorithm: hmac-sha256, secret: " + secret + "}\n- *a\n", "hmac-sha256:k:AAAA", "/* key",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		key, err := parseTSIGKey(file)
		if err != nil {
			if key != nil {
				t.Fatalf("a key beside %v", err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Fatalf("the error holds the secret: %v", err)
			}
			return
		}
		raw, err := base64.StdEncoding.DecodeString(key.secret)
		if err != nil || len(raw) < minSecret || len(raw) > maxSecret || !strings.HasPrefix(key.algorithm, "hmac-sha") {
			t.Fatalf("%s, a secret of %d octets, %v", key, len(raw), err)
		}
		if shown := fmt.Sprintf("%v %+v %#v %s %d", key, *key, key, key, key); strings.Contains(shown, key.secret) {
			t.Fatal("shows its secret")
		}
		message := new(dns.Msg).SetUpdate("b.example.")
		message.SetTsig(key.name, key.algorithm, 300, 0)
		if _, _, err := dns.TsigGenerate(message, key.secret, "", false); err != nil {
			t.Fatalf("cannot sign: %v", err)
		}
		name, algorithm := strings.TrimSuffix(key.name, "."), strings.TrimSuffix(key.algorithm, ".")
		if strings.ContainsAny(name, "\":#;{}") || strings.Contains(name, "//") || strings.Contains(name, "/*") {
			return // a name that a form would have to quote
		}
		for _, text := range []string{
			fmt.Sprintf("%s:%s:%s", algorithm, name, key.secret),
			fmt.Sprintf("key %q {\nalgorithm %s;\nsecret %q;\n};\n", name, algorithm, key.secret),
		} {
			again, err := parseTSIGKey([]byte(text))
			if err != nil || *again != *key {
				t.Fatalf("written as %q and read as %v, %v", text, again, err)
			}
		}
	})
}

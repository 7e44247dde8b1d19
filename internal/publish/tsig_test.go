package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// ddnsConfgen is what ddns-confgen -z b.example prints (BIND 9.18).
const ddnsConfgen = `# To activate this key, place the following in named.conf, and
# in a separate keyfile on the system or systems from which nsupdate
# will be run:
key "owner-key" {
	algorithm hmac-sha256;
	secret "` + secret + `";
};

# Then, in the "zone" definition statement for "b.example",
# place an "update-policy" statement like this one, adjusted as 
# needed for your preferred permissions:
update-policy {
	  grant owner-key zonesub ANY;
};

# After the keyfile has been placed, the following command will
# execute nsupdate using this key:
nsupdate -k <keyfile>
`

// goodKeys are the three forms, and what people do to them.
var goodKeys = map[string]string{
	"tsig-keygen":           "key \"owner-key\" {\n\talgorithm hmac-sha256;\n\tsecret \"" + secret + "\";\n};\n",
	"one line":              `key owner-key { algorithm "HMAC-SHA256"; secret ` + secret + `; };`,
	"other order":           `key "Owner-Key." { secret "` + secret + `"; algorithm hmac-sha256. }`,
	"comments":              "# one\n// two\n/* three\n*/ key \"owner-key\" { // four\n algorithm hmac-sha256; # five\n secret \"" + secret + "\"; /* six */ };",
	"capitals":              `KEY owner-key{ALGORITHM hmac-sha256;SECRET"` + secret + `";};`,
	"glued":                 `key"owner-key"{algorithm hmac-sha256#one` + "\n;secret " + secret + "#two\n;}/* three */;//",
	"two lines":             "key owner-key { algorithm hmac-sha256; secret \"" + secret[:20] + "\n\t" + secret[20:] + "\"; };",
	"comment at a name, #":  "key owner-key#old\n{ algorithm hmac-sha256; secret \"" + secret + "\"; };",
	"comment at a name, //": "key owner-key//old\n{ algorithm hmac-sha256; secret \"" + secret + "\"; };",
	"keymgr":                "# hmac-sha256:owner-key:" + secret + "\nkey:\n  - id: owner-key\n    algorithm: hmac-sha256\n    secret: " + secret + "\n",
	"knot, quoted":          "key:\n- id: \"owner-key.\"\n  algorithm: \"hmac-sha256\"\n  secret: \"" + secret + "\"\n",
	"line":                  "hmac-sha256:owner-key:" + secret,
	"ddns-confgen":          ddnsConfgen,
	"CR LF":                 strings.ReplaceAll(ddnsConfgen, "\n", "\r\n"),
	"BOM, BIND":             "\ufeff" + ddnsConfgen,
	"BOM, Knot":             "\ufeffkey:\n- id: owner-key\n  algorithm: hmac-sha256\n  secret: " + secret + "\n",
	"BOM, line":             "\ufeffhmac-sha256:owner-key:" + secret,
	"line, ended":           "# a comment\n\nHMAC-SHA256:owner-key:" + secret + "\r\n",
}

func TestKeyForms(t *testing.T) {
	if len(goodKeys) < 13 {
		t.Fatal("too few forms")
	}
	for name, text := range goodKeys {
		key, err := parseTSIGKey([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if key.name != "owner-key." || key.algorithm != "hmac-sha256." || key.secret != secret {
			t.Errorf("%s: %s, %s", name, key, key.secret)
		}
	}
	// Slashes are base64, and begin no comment.
	slashes := "//" + strings.Repeat("/", 40) + "8="
	for name, text := range map[string]string{
		"BIND": `key "k" { algorithm hmac-sha512; secret "` + slashes + `"; };`,
		"Knot": "key:\n  - id: k\n    algorithm: hmac-sha512\n    secret: " + slashes + "\n",
		"line": "hmac-sha512:k:" + slashes,
	} {
		if key, err := parseTSIGKey([]byte(text)); err != nil || key.secret != slashes || key.algorithm != "hmac-sha512." {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

func TestBadKeys(t *testing.T) {
	bad := map[string]string{
		"empty":                "",
		"words":                "this is no key",
		"line end in it":       "key:\n  - id: k\n    algorithm: hmac-sha256\n    secret: \"" + secret[:8] + "\\r" + secret[8:] + "\"\n",
		"name of controls":     "hmac-sha256:owner\x1b[2Jkey:" + secret,
		"name with escapes":    `hmac-sha256:owner\\\\\\:` + secret,
		"name not in ASCII":    "key \"owner\x80key\" { algorithm hmac-sha256; secret \"" + secret + "\"; };",
		"md5":                  "hmac-md5:k:" + secret,
		"sha1":                 `key "k" { algorithm hmac-sha1; secret "` + secret + `"; };`,
		"md5, full name":       "hmac-md5.sig-alg.reg.int:k:" + secret,
		"short secret":         "hmac-sha256:k:AAAA",
		"no base64":            "hmac-sha256:k:" + strings.Repeat("*", 40),
		"secret cut":           "hmac-sha256:k:" + secret[:41],
		"no name":              "hmac-sha256::" + secret,
		"bad name":             "hmac-sha256:" + strings.Repeat("k", 64) + ":" + secret,
		"two lines":            "hmac-sha256:k:" + secret + "\nhmac-sha256:l:" + secret,
		"two BIND keys":        goodKeys["tsig-keygen"] + goodKeys["tsig-keygen"],
		"line, other order":    secret + ":k:hmac-sha256",
		"BIND, swapped":        `key "k" { algorithm "` + secret + `"; secret hmac-sha256; };`,
		"BIND, cut":            goodKeys["tsig-keygen"][:40],
		"BIND, more":           `key "k" { algorithm hmac-sha256; secret "` + secret + `"; other "x"; };`,
		"BIND, twice":          `key "k" { algorithm hmac-sha256; secret "` + secret + `"; secret "` + secret + `"; };`,
		"two of ddns-confgen":  ddnsConfgen + ddnsConfgen,
		"another command":      strings.Replace(ddnsConfgen, "nsupdate -k", "nsupdate -y", 1),
		"a policy alone":       "update-policy { grant k zonesub ANY; };",
		"two policies":         strings.Replace(ddnsConfgen, "nsupdate", "update-policy { grant k zonesub ANY; };\nnsupdate", 1),
		"two BOMs":             "\ufeff\ufeff" + ddnsConfgen,
		"BIND, no secret":      `key "k" { algorithm hmac-sha256; };`,
		"BIND, named.conf":     goodKeys["tsig-keygen"] + "zone \"b.example\" { type primary; };",
		"two Knot keys":        goodKeys["knot, quoted"] + "- id: l\n  algorithm: hmac-sha256\n  secret: " + secret + "\n",
		"Knot, more":           "key:\n- id: k\n  algorithm: hmac-sha256\n  secret: " + secret + "\n  other: x\n",
		"Knot, knot.conf":      goodKeys["keymgr"] + "zone:\n  - domain: b.example\n",
		"Knot, two documents":  goodKeys["keymgr"] + "---\nkey:\n- id: l\n  algorithm: hmac-sha256\n  secret: " + secret + "\n",
		"Knot, and garbage":    goodKeys["keymgr"] + "---\n{{{",
		"BIND, comment within": `key a/*b*/c { algorithm hmac-sha256; secret "` + secret + `"; };`,
		"BIND, quote open":     `key k { algorithm hmac-sha256; secret "` + secret + `; };`,
		"BIND, comment open":   goodKeys["tsig-keygen"] + "/* ",
		"BIND, empty secret":   `key k { algorithm hmac-sha256; secret ""; };`,
		"BIND, no mark":        `key k { algorithm hmac-sha256 secret "` + secret + `"; };`,
		"BIND, quoted word":    `"key" k { algorithm hmac-sha256; secret "` + secret + `"; };`,
		"BIND, policy open":    goodKeys["tsig-keygen"] + "update-policy { grant k zonesub ANY;",
		"BIND, include":        `include "real.key";`,
		"Knot, not a list":     "key: " + secret,
		"Knot, no YAML":        "key:\n\t- {" + secret,
		"Knot, no secret":      "key:\n- id: k\n  algorithm: hmac-sha256\n",
		"a PEM private key":    "-----BEGIN PRIVATE KEY-----\n" + secret + "\n-----END PRIVATE KEY-----\n",
	}
	if len(bad) < 20 {
		t.Fatal("too few cases")
	}
	for name, text := range bad {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		key, _, err := LoadTSIGKey(keys.Loader{}, file)
		if key != nil || delegation.ReasonOf(err) != reasons.BadTSIGKey {
			t.Errorf("%s: %v, %v", name, key, err)
			continue
		}
		if strings.Contains(err.Error(), secret[:20]) {
			t.Errorf("%s: the message shows the secret: %v", name, err)
		}
	}
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	if err := os.WriteFile(file, []byte(goodKeys["tsig-keygen"]), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[fs.FileMode]reasons.Reason{
		0o600: "", 0o640: "", 0o644: reasons.KeyReadable, 0o604: reasons.KeyReadable, 0o602: reasons.KeyReadable,
	} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		_, warnings, err := LoadTSIGKey(keys.Loader{}, file)
		if delegation.ReasonOf(err) != want || (len(warnings) > 0) != (mode == 0o640) {
			t.Errorf("%o: %v, %q", mode, err, warnings)
		}
	}
	if _, _, err := LoadTSIGKey(keys.Loader{}, filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, _, err := LoadTSIGKey(keys.Loader{}, dir); delegation.ReasonOf(err) != reasons.BadTSIGKey {
		t.Error(err)
	}
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, []byte(goodKeys["line"]+strings.Repeat("\n", maxKeyFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadTSIGKey(keys.Loader{}, large); delegation.ReasonOf(err) != reasons.BadTSIGKey {
		t.Error(err)
	}
}

// TestSecretNotShown: whatever prints a key.
func TestSecretNotShown(t *testing.T) {
	key := goodKey(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{key, *key, &DNS{Key: key}, []*TSIGKey{key}} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s of %T shows the secret", verb, value)
			}
		}
	}
	if got := key.String(); got != "owner-key (hmac-sha256)" {
		t.Error(got)
	}
}

// TestGenerators: what the programs that make keys print is a key file as it is.
func TestGenerators(t *testing.T) {
	for _, line := range []string{
		"tsig-keygen owner-key", "tsig-keygen -a hmac-sha512 owner-key",
		"ddns-confgen", "ddns-confgen -q", "ddns-confgen -k owner-key", "ddns-confgen -z b.example", "ddns-confgen -s x.b.example", "ddns-confgen -a hmac-sha384",
		"keymgr -t owner-key", "keymgr -t owner-key hmac-sha512",
	} {
		t.Run(line, func(t *testing.T) {
			args := strings.Fields(line)
			realtest.Need(t, args[0])
			out, err := exec.Command(args[0], args[1:]...).Output()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(file, out, 0o600); err != nil {
				t.Fatal(err)
			}
			key, warnings, err := LoadTSIGKey(keys.Loader{}, file)
			if err != nil || len(warnings) > 0 {
				t.Fatalf("%v, %q", err, warnings)
			}
			if !strings.Contains(string(out), key.secret) || !strings.Contains(string(out), strings.TrimSuffix(key.name, ".")) {
				t.Errorf("read as %s", key)
			}
		})
	}
}

// TestBINDReads: BIND reads the same key out of each file that we take for one of its
// own. We take a missing semicolon at the end and what ddns-confgen says to put
// elsewhere, too.
func TestBINDReads(t *testing.T) {
	realtest.Need(t, "named-checkconf")
	for name, text := range goodKeys {
		tokens, _ := bindTokens(text)
		r := bindReader(tokens)
		if !r.take("key") || name == "other order" || strings.Contains(text, "update-policy") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			printed, err := exec.Command("named-checkconf", "-p", file).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, printed)
			}
			want, err := parseTSIGKey([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseTSIGKey(printed)
			if err != nil || *got != *want {
				t.Errorf("BIND prints %s, read as %s, %v", printed, got, err)
			}
		})
	}
}

package publish

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/miekg/dns"
	"go.yaml.in/yaml/v3"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

const (
	// maxKeyFile bounds a TSIG key file in octets: it holds one key.
	maxKeyFile = 4 << 10
	// minSecret and maxSecret bound a TSIG secret in octets. 16 is what nobody
	// can guess; servers write as many as the hash has, at most 64.
	minSecret, maxSecret = 16, 512
)

// tsigAlgorithms are those of RFC 8945, Section 6, that are recommended there
// for use. MD5 and SHA-1 are not.
var tsigAlgorithms = map[string]string{
	"hmac-sha256": dns.HmacSHA256, "hmac-sha384": dns.HmacSHA384, "hmac-sha512": dns.HmacSHA512,
}

// A TSIGKey signs updates and checks the replies (RFC 8945). It shows its
// secret to nobody, fmt included.
type TSIGKey struct {
	name, algorithm string // canonical, with the trailing dot
	secret          string // base64
}

// String is the name and the algorithm.
func (k TSIGKey) String() string {
	return strings.TrimSuffix(k.name, ".") + " (" + strings.TrimSuffix(k.algorithm, ".") + ")"
}

// Format is String for every verb, so that no way to print a key shows its
// secret.
func (k TSIGKey) Format(s fmt.State, _ rune) { fmt.Fprint(s, k.String()) }

// LoadTSIGKey reads a key file. It may be in the form of BIND (named.conf, all
// that tsig-keygen or ddns-confgen prints) or of Knot DNS (the section "key" of
// knot.conf, keymgr -t). It may also be one line algorithm:name:secret. It must
// hold one key, for HMAC with SHA-256, SHA-384 or SHA-512, and nothing else but
// comments. One byte order mark is passed over.
//
// Like a private key, the file is refused with [reasons.KeyReadable] if every
// user can read it, unless the loader allows that. That its group can is a
// warning, a sentence for the person who runs the program. All else that is wrong
// with it is [reasons.BadTSIGKey], or an [io/fs] error.
func LoadTSIGKey(loader keys.Loader, file string) (key *TSIGKey, warnings []string, err error) {
	data, warnings, err := loader.ReadPrivate(file)
	switch {
	case errors.Is(err, keys.ErrPEM):
		return nil, nil, delegation.Errorf(reasons.BadTSIGKey, "%s is a directory, or too large", file)
	case err != nil:
		return nil, nil, err
	}
	defer clear(data)
	if len(data) > maxKeyFile {
		return nil, nil, delegation.Errorf(reasons.BadTSIGKey, "%s is larger than %d octets; give a file with the key alone", file, maxKeyFile)
	}
	key, err = parseTSIGKey(data)
	if err != nil {
		return nil, nil, delegation.Errorf(reasons.BadTSIGKey, "%s: %v", file, err)
	}
	return key, warnings, nil
}

// parseTSIGKey tells the forms apart by what none of the others begins with.
// Its errors hold nothing of the secret.
func parseTSIGKey(data []byte) (*TSIGKey, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	text := string(data)
	tokens, whole := bindTokens(text)
	r := bindReader(tokens)
	switch {
	case r.take("key"):
		if !whole {
			return nil, errBINDKey
		}
		return parseBIND(r)
	case r.take("include"):
		return nil, errors.New("it includes another file; give the file that holds the key itself")
	case knotBegin.MatchString(text):
		return parseKnot(data)
	}
	return parseLine(text)
}

var knotBegin = regexp.MustCompile(`(?m)^key:`)

func parseKnot(data []byte) (*TSIGKey, error) {
	var file struct {
		Key []struct {
			ID        string `yaml:"id"`
			Algorithm string `yaml:"algorithm"`
			Secret    string `yaml:"secret"`
		} `yaml:"key"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	err := decoder.Decode(&file)
	if err != nil || len(file.Key) != 1 || decoder.Decode(new(any)) != io.EOF {
		// The library's errors quote the file, and so the secret.
		return nil, errors.New("it begins as a key of Knot DNS and is not one item of it with id, algorithm and secret")
	}
	k := file.Key[0]
	return newTSIGKey(k.ID, k.Algorithm, k.Secret)
}

func parseLine(text string) (*TSIGKey, error) {
	var found *TSIGKey
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		parts := strings.Split(line, ":")
		if len(parts) != 3 || found != nil {
			return nil, errors.New("it is not a key of BIND or Knot DNS, nor one line algorithm:name:secret")
		}
		key, err := newTSIGKey(parts[1], parts[0], parts[2])
		if err != nil {
			return nil, err
		}
		found = key
	}
	if found == nil {
		return nil, errors.New("it holds no key")
	}
	return found, nil
}

func newTSIGKey(name, algorithm, secret string) (*TSIGKey, error) {
	// Printable ASCII without escapes: the DNS library takes a name that ends in
	// a lone backslash, and cannot sign with it.
	strange := func(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII || r == '\\' }
	if _, ok := dns.IsDomainName(name); !ok || name == "" || name == "." || strings.ContainsFunc(name, strange) {
		return nil, errors.New("the key's name is missing or is not a domain name")
	}
	canonical := tsigAlgorithms[strings.TrimSuffix(strings.ToLower(algorithm), ".")]
	switch {
	case canonical == "" && !strings.HasPrefix(strings.ToLower(algorithm), "hmac-"): // perhaps the secret, in the wrong place
		return nil, errors.New("the algorithm is missing or unknown; give one such as hmac-sha256")
	case canonical == "":
		return nil, fmt.Errorf("the algorithm %.40q is not accepted; make a key for hmac-sha256, as tsig-keygen and keymgr do without options", algorithm)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(secret)
	defer clear(raw)
	if err != nil || strings.ContainsAny(secret, "\r\n") { // which the decoder passes over
		return nil, errors.New("the secret is not base64")
	}
	if len(raw) < minSecret || len(raw) > maxSecret {
		return nil, fmt.Errorf("the secret has %d octets, which is not between %d and %d; make a new key with tsig-keygen or keymgr -t", len(raw), minSecret, maxSecret)
	}
	return &TSIGKey{name: dns.CanonicalName(name), algorithm: canonical, secret: secret}, nil
}

package keysource

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/keys"
)

// A uri names a private key in a token (RFC 7512).
type uri struct {
	module        string // path of the token's library
	token, serial string // one of them is there
	object, id    string // one of them at least is there
	pinFile       string // path; empty: the token wants none
}

// maxPIN bounds a PIN, in bytes.
const maxPIN = 256

// attributes are those of RFC 7512, Section 2.3, that are understood. Another one
// would select another key, so it is an error.
var attributes = []string{"token", "serial", "object", "id", "type", "module-path", "pin-source"}

// parseURI reads what comes after pkcs11: in a URI such as
//
//	pkcs11:token=dna;object=b.example?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/dnasign/pin
func parseURI(text string) (u uri, err error) {
	path, query, _ := strings.Cut(text, "?")
	given := map[string]string{}
	for _, part := range slices.Concat(split(path, ";"), split(query, "&")) {
		key, value, ok := strings.Cut(part, "=")
		value, bad := url.PathUnescape(value)
		_, twice := given[key]
		switch {
		case key == "pin-value":
			return u, fmt.Errorf("the key's URI has a PIN in it, which other users can see; write it to a file and give pin-source=FILE")
		case !slices.Contains(attributes, key):
			return u, fmt.Errorf("the key's URI has the unknown attribute %.40q (want some of %s)", key, strings.Join(attributes, ", "))
		case !ok || bad != nil || twice || value == "":
			return u, fmt.Errorf("the key's URI needs the attribute %q once, with a value", key)
		}
		given[key] = value
	}
	u = uri{
		module: given["module-path"], token: given["token"], serial: given["serial"],
		object: given["object"], id: given["id"], pinFile: strings.TrimPrefix(given["pin-source"], "file:"),
	}
	switch kind := given["type"]; {
	case kind != "" && kind != "private":
		return u, fmt.Errorf("the key's URI is for an object of type %q, not for a private key", kind)
	case (u.token == "") == (u.serial == ""):
		return u, fmt.Errorf("the key's URI needs token or serial, and not both")
	case u.object == "" && u.id == "":
		return u, fmt.Errorf("the key's URI needs object or id")
	case !filepath.IsAbs(u.module):
		return u, fmt.Errorf("the key's URI needs module-path, with the whole path of the token's library, such as ?module-path=/usr/lib/softhsm/libsofthsm2.so")
	}
	return u, nil
}

func split(list, by string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, by)
}

// label is what a person calls the token.
func (u uri) label() string { return u.token + u.serial }

// pin reads the PIN, which no other user may read.
func (u uri) pin() (string, error) {
	if u.pinFile == "" {
		return "", nil
	}
	data, _, err := keys.Loader{}.ReadPrivate(u.pinFile)
	if err != nil {
		return "", err
	}
	defer clear(data)
	pin := strings.TrimRight(string(data), "\r\n")
	if len(pin) > maxPIN || strings.ContainsAny(pin, "\r\n") {
		return "", fmt.Errorf("%s is no file with a PIN of at most %d bytes on one line", u.pinFile, maxPIN)
	}
	return pin, nil
}

// Package keysource opens private keys that are not in a file on this machine: a
// program signs (command:), or a token does (pkcs11:). What it returns only
// signs. Package keys checks every signature with the certificate's public key.
//
//	name of a key -> Open -> crypto.Signer
//
// docs/keys.md is the page for users, and has the contract of a program.
package keysource

import (
	"crypto"
	"fmt"
	"strings"
	"sync"
)

// Command and PKCS11 begin the names of keys.
const (
	Command = "command:"
	PKCS11  = "pkcs11:"
)

// A Source opens keys. The zero value is ready to use, also by many goroutines.
type Source struct {
	mu     sync.Mutex
	tokens map[uri]token // those logged in to, by what they have in common
}

// Open opens the key of a certificate's public key by its name:
//
//	command:LINE   a command line for sh. It reads what is to be signed from
//	               standard input, and writes the signature to standard output.
//	pkcs11:...     a URI of RFC 7512
//
// The program runs once for each signature. The login to a token is kept.
func (s *Source) Open(name string, public crypto.PublicKey) (crypto.Signer, error) {
	if line, ok := strings.CutPrefix(name, Command); ok {
		if strings.TrimSpace(line) == "" {
			return nil, fmt.Errorf("the key %q has no command line", name)
		}
		return command{line, public}, nil
	}
	rest, ok := strings.CutPrefix(name, PKCS11)
	if !ok {
		scheme, _, _ := strings.Cut(name, ":")
		return nil, fmt.Errorf("unknown kind of key %q (want %s or %s; write ./ before the name of a file)", scheme+":", Command, PKCS11)
	}
	u, err := parseURI(rest)
	if err != nil {
		return nil, err
	}
	return s.find(u, public)
}

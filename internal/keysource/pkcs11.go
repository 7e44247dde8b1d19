//go:build cgo

package keysource

import (
	"crypto"
	"fmt"

	"github.com/ThalesGroup/crypto11"
)

type token = *crypto11.Context

// find finds a key in its token. The login ends with the program.
func (s *Source) find(u uri, public crypto.PublicKey) (crypto.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := uri{module: u.module, token: u.token, serial: u.serial, pinFile: u.pinFile}
	if s.tokens[in] == nil {
		t, err := in.login()
		if err != nil {
			return nil, err
		}
		if s.tokens == nil {
			s.tokens = map[uri]token{}
		}
		s.tokens[in] = t
	}
	key, err := s.tokens[in].FindKeyPair(optional(u.id), optional(u.object))
	switch pub, comparable := public.(interface{ Equal(crypto.PublicKey) bool }); {
	case err != nil:
		return nil, fmt.Errorf("the token %q: %w (a private and a public key are wanted; list them: pkcs11-tool --module %s --login -O)", u.label(), err, u.module)
	case !comparable || !pub.Equal(key.Public()):
		return nil, fmt.Errorf("the token %q has another key with object=%q and id=%x than the certificate's", u.label(), u.object, u.id)
	}
	return key, nil
}

func (u uri) login() (token, error) {
	pin, err := u.pin()
	if err != nil {
		return nil, err
	}
	t, err := crypto11.Configure(&crypto11.Config{
		Path: u.module, TokenLabel: u.token, TokenSerial: u.serial, Pin: pin, LoginNotSupported: pin == "",
	})
	if err != nil {
		return nil, fmt.Errorf("the token %q by %s: %w", u.label(), u.module, err)
	}
	return t, nil
}

// optional is nil where an attribute selects nothing.
func optional(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

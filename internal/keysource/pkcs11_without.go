//go:build !cgo

package keysource

import (
	"crypto"
	"errors"
)

type token = struct{}

func (*Source) find(uri, crypto.PublicKey) (crypto.Signer, error) {
	return nil, errors.New("this program was built without cgo, so it cannot load the library of a token; " +
		"build it with CGO_ENABLED=1, or sign with a program (--key-command)")
}

package keysource

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dnasign/dnasign/internal/program"
)

const (
	// patience is how long a program may take to sign. A person may have to
	// confirm it.
	patience = time.Minute
	// maxSignature is what a program may write, in bytes. An RSA key of 16,384
	// bits gives 2,048.
	maxSignature = 4096
)

// A command is a key that a program signs with.
type command struct {
	line   string // for sh -c
	public crypto.PublicKey
}

func (c command) Public() crypto.PublicKey { return c.public }

// Sign writes the digest to the program and returns what the program writes. Errors
// do not show the command line, which may have a secret in it.
func (c command) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, pss := opts.(*rsa.PSSOptions); pss {
		return nil, errors.New("a key command signs RSA with PKCS #1 v1.5, and not with PSS")
	}
	signature, said, err := program.Program{
		Args: []string{"sh", "-c", c.line}, Input: digest, Patience: patience, MaxOutput: maxSignature,
	}.Run(context.Background())
	switch {
	case err != nil:
		return nil, fmt.Errorf("the key command %w", err)
	case len(signature) == 0:
		return nil, fmt.Errorf("the key command wrote no signature to standard output%s", said)
	}
	return signature, nil
}

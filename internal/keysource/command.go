package keysource

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/dnasign/dnasign/internal/text"
)

const (
	// patience is how long a program may take to sign. A person may have to
	// confirm it.
	patience = time.Minute
	// maxSignature is what a program may write, in bytes. An RSA key of 16,384
	// bits gives 2,048.
	maxSignature = 4096
	// maxComplaint is how much of a program's messages is shown, in bytes.
	maxComplaint = 1000
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
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	program := exec.CommandContext(ctx, "sh", "-c", c.line)
	program.WaitDelay = time.Second // for what it leaves running
	program.Stdin = bytes.NewReader(digest)
	var signature, complaint bytes.Buffer
	program.Stdout, program.Stderr = &bounded{&signature, maxSignature + 1, io.ErrShortWrite}, &bounded{&complaint, maxComplaint, nil}
	err := program.Run()
	said := strings.TrimSpace(text.Printable(complaint.String()))
	if said != "" {
		said = ": it says: " + said
	}
	switch {
	case signature.Len() > maxSignature:
		return nil, fmt.Errorf("the key command wrote more than %d bytes, which is no signature", maxSignature)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the key command did not end within %s%s", patience, said)
	case err != nil:
		return nil, fmt.Errorf("the key command failed (%w)%s", err, said)
	case signature.Len() == 0:
		return nil, fmt.Errorf("the key command wrote no signature to standard output%s", said)
	}
	return signature.Bytes(), nil
}

// A bounded writer keeps the first bytes. What comes after them is lost, or ends
// the writing with an error.
type bounded struct {
	to   *bytes.Buffer
	most int
	full error
}

func (b *bounded) Write(data []byte) (int, error) {
	free := b.most - b.to.Len()
	b.to.Write(data[:min(free, len(data))])
	if len(data) > free {
		return len(data), b.full
	}
	return len(data), nil
}

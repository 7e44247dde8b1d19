package run

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/keys"
)

// address is rule H6.
func address(_ context.Context, c vectors.Case) (*vectors.Expect, error) {
	a, err := netip.ParseAddr(c.Address)
	if err != nil {
		return nil, fmt.Errorf("the address: %w", err)
	}
	if err := discovery.CheckAddress(a); err != nil {
		return reason(reasons.AddressNotAllowed), nil
	}
	return reason(reasons.Verified), nil
}

// signerFiles writes the two files into a folder of their own, which is gone
// afterwards. Their keys are those of the test vectors, and no secrets.
func signerFiles(_ context.Context, c vectors.Case) (_ *vectors.Expect, err error) {
	mode, err := strconv.ParseUint(c.Mode, 8, 9)
	if err != nil {
		return nil, fmt.Errorf("the mode: %w", err)
	}
	dir, err := os.MkdirTemp("", "vectors")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	names := [2]string{filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")}
	for i, text := range []*string{c.Certificate, c.Key} {
		if text == nil {
			continue
		}
		if err := os.WriteFile(names[i], []byte(*text), 0o600); err != nil {
			return nil, err
		}
	}
	if c.Key != nil {
		if err := os.Chmod(names[1], os.FileMode(mode)); err != nil {
			return nil, err
		}
	}
	_, _, refused := keys.LoadSigner(names[0], names[1])
	return ended(refused)
}

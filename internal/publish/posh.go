package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/wholefile"
)

// poshExpires is how many seconds a POSH file counts at those who read it. A provider
// that renews its certificate is not accepted by them until they have the next file.
const poshExpires = 3600

// POSH puts a POSH file (RFC 7711) for a source and service into the web root. It names
// the certificates, in any order; without any, the file is removed. It returns the
// name of the file, and whether that was changed. A role without a POSH file is an
// empty name.
func (w *Web) POSH(ctx context.Context, source, service string, certificates []*x509.Certificate) (file string, changed bool, err error) {
	name := strings.TrimPrefix(delegation.POSHURL(source, service), "https://"+source+"/")
	if name == "" {
		return "", false, nil
	}
	file = filepath.Join(w.Root, filepath.FromSlash(name))
	root, err := wholefile.OpenRoot(w.Root)
	if err != nil {
		return file, false, err
	}
	defer root.Close()
	there, _, err := read(root, name)
	absent := errors.Is(err, fs.ErrNotExist)
	content := poshFile(certificates)
	switch {
	case err != nil && !absent:
		return file, false, explain(root, name, err)
	case absent && content == nil, !absent && content != nil && bytes.Equal(there, content):
		return file, false, nil
	case content == nil:
		return file, true, explain(root, name, root.Remove(name))
	}
	if err := makeWellKnown(root, path.Dir(name)); err != nil {
		return file, false, explain(root, name, err)
	}
	unlock, err := (&Files{Leftovers: wholefile.Leftovers}).lock(ctx, root, name)
	if err != nil {
		return file, false, explain(root, name, err)
	}
	defer unlock()
	return file, true, explain(root, name, wholefile.WriteIn(root, name, content, 0o644))
}

// poshFile is the text of a file, the same for the same certificates; nil without any.
func poshFile(certificates []*x509.Certificate) []byte {
	type fingerprint struct {
		SHA256 []byte `json:"sha-256"`
		SHA512 []byte `json:"sha-512"`
	}
	var list []fingerprint
	for _, c := range certificates {
		short, long := sha256.Sum256(c.Raw), sha512.Sum512(c.Raw)
		list = append(list, fingerprint{short[:], long[:]})
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b fingerprint) int { return bytes.Compare(a.SHA256, b.SHA256) })
	list = slices.CompactFunc(list, func(a, b fingerprint) bool { return bytes.Equal(a.SHA256, b.SHA256) })
	text, _ := json.Marshal(struct { // there is nothing in it that cannot be marshalled
		Fingerprints []fingerprint `json:"fingerprints"`
		Expires      int           `json:"expires"`
	}{list, poshExpires})
	return append(text, '\n')
}

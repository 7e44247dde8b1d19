package setup

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// A Site is the world of today, with a folder and a DNS server that is the primary of
// all domains and a resolver too.
type Site struct {
	testing.TB
	*world.World
	Dir   string
	Roots string // the file with the trust anchors, roots.pem
	DNS   *dnsserver.Server
}

// NewSite makes one that ends with the test.
func NewSite(t testing.TB, zone ...string) *Site {
	t.Helper()
	s := &Site{TB: t, World: world.At(time.Now()), Dir: t.TempDir(), DNS: DNS(t, zone...)}
	s.Roots = s.Write("roots.pem", string(localca.PEM(s.CA.Root())))
	return s
}

// Must ends the test if there is an error.
func (s *Site) Must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// Path is where something in the folder is.
func (s *Site) Path(name string) string { return filepath.Join(s.Dir, name) }

// Write writes a file of the folder and gives its path.
func (s *Site) Write(name, text string) string {
	s.Helper()
	file := s.Path(name)
	s.Must(os.MkdirAll(filepath.Dir(file), 0o755))
	s.Must(os.WriteFile(file, []byte(text), 0o600))
	return file
}

// WriteKeys writes a certificate chain and its key into the files name.pem and
// name.key.
func (s *Site) WriteKeys(name string, of *keys.Signer) (cert, key string) {
	s.Helper()
	return s.Write(name+".pem", string(localca.PEM(of.Chain()...))), s.Write(name+".key", string(localca.Must(localca.KeyPEM(of.Key()))))
}

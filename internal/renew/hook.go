package renew

import (
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/keys"
)

// A Hook is what a certificate client says in the environment about the
// certificate that it has just renewed. Clients call a hook once for each
// certificate, so a run from a hook is about that one.
type Hook struct {
	domains []string // of the certificate, as far as is known
	cert    string   // its file, or the folder with it; "" if it is not said

	files []fs.FileInfo     // the certificate and what else is in its folder, behind links
	leaf  *x509.Certificate // nil if it cannot be read
}

// variables are those of the clients: where the certificate is, and its names,
// separated by blanks or commas.
var variables = [][2]string{
	{"RENEWED_LINEAGE", "RENEWED_DOMAINS"},            // certbot
	{"LEGO_HOOK_CERT_PATH", "LEGO_HOOK_CERT_DOMAINS"}, // lego 5
	{"LEGO_CERT_PATH", "LEGO_CERT_DOMAIN"},            // lego 4
}

// HookFrom reads the variables of certbot and lego. It returns nil if there are
// none.
func HookFrom(getenv func(string) string) *Hook {
	for _, v := range variables {
		h := &Hook{cert: getenv(v[0])}
		for _, name := range strings.FieldsFunc(getenv(v[1]), func(r rune) bool { return r == ',' || r == ' ' }) {
			if name, err := delegation.ParseName(name); err == nil { // a wildcard signs nothing
				h.domains = append(h.domains, name)
			}
		}
		if h.cert == "" && getenv(v[1]) == "" {
			continue
		}
		h.read()
		return h
	}
	return nil
}

// read finds out which files the client means. certbot names a folder.
func (h *Hook) read() {
	if h.cert == "" {
		return
	}
	names := []string{h.cert}
	if info, err := os.Stat(h.cert); err == nil && info.IsDir() {
		h.files = append(h.files, info)
		names = []string{filepath.Join(h.cert, "fullchain.pem"), filepath.Join(h.cert, "cert.pem")}
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			h.files = append(h.files, info)
		}
		if list, err := keys.LoadCertificates(name); err == nil && h.leaf == nil {
			h.leaf = list[0]
		}
	}
}

// Concerns reports whether a delegation is signed with the certificate: its
// file is the client's, by whatever links, is in the client's folder, or is a
// copy. Where the client's file cannot be read, the names decide.
func (h *Hook) Concerns(d *Delegation) bool {
	if h.cert != "" && h.sameFile(d.Cert) {
		return true
	}
	if h.leaf == nil {
		return h.names(d)
	}
	list, err := keys.LoadCertificates(d.Cert)
	return err == nil && slices.ContainsFunc(list, h.leaf.Equal)
}

func (h *Hook) names(d *Delegation) bool { return slices.Contains(h.domains, d.Source) }

func (h *Hook) sameFile(cert string) bool {
	for _, name := range []string{cert, filepath.Dir(cert)} {
		if info, err := os.Stat(name); err == nil && slices.ContainsFunc(h.files, func(f fs.FileInfo) bool { return os.SameFile(f, info) }) {
			return true
		}
	}
	// Files that are not there yet, or may not be read, are compared by name.
	cert, err1 := filepath.Abs(cert)
	renewed, err2 := filepath.Abs(h.cert)
	return err1 == nil && err2 == nil && (cert == renewed || filepath.Dir(cert) == renewed)
}

// Nothing says why a hook concerns nothing of a configuration, and what to do.
func (h *Hook) Nothing(c *Config) string {
	what := fmt.Sprintf("%s has nothing that is signed with the renewed certificate of %s", c.File, h)
	for _, d := range c.Delegations {
		if h.names(&d) {
			return fmt.Sprintf("%s: %s is signed with %s, which is another; write the renewed one under cert and key, or leave this hook out", what, d.Source, d.Cert)
		}
	}
	return what + "; list its domains in the configuration, or add --hook-for-all if the hook is called for every certificate of this machine"
}

func (h *Hook) String() string {
	names := strings.Join(h.domains, ", ")
	if names == "" || h.cert == "" {
		return names + h.cert
	}
	return fmt.Sprintf("%s (%s)", names, h.cert)
}

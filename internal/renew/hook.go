package renew

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A Hook is what a certificate client says in the environment about the
// certificate that it has just renewed. Clients call a hook once for each
// certificate, so a run from a hook is about that one.
type Hook struct {
	domains []string // of the certificate, as far as is known
	cert    string   // its file, or the folder with it
}

// HookFrom reads the variables of certbot (RENEWED_LINEAGE, RENEWED_DOMAINS) or
// lego (LEGO_CERT_DOMAIN, LEGO_CERT_PATH). It returns nil if there are none.
func HookFrom(getenv func(string) string) *Hook {
	h := &Hook{cert: getenv("RENEWED_LINEAGE"), domains: strings.Fields(getenv("RENEWED_DOMAINS"))}
	if h.cert == "" && len(h.domains) == 0 {
		h = &Hook{cert: getenv("LEGO_CERT_PATH"), domains: strings.Fields(getenv("LEGO_CERT_DOMAIN"))}
	}
	if h.cert == "" && len(h.domains) == 0 {
		return nil
	}
	return h
}

// Concerns reports whether a delegation is signed with the certificate: it is
// of one of the domains, or its certificate is that file or in that folder.
func (h *Hook) Concerns(d *Delegation) bool {
	if slices.Contains(h.domains, d.Source) {
		return true
	}
	if h.cert == "" {
		return false
	}
	cert, err1 := filepath.Abs(d.Cert)
	renewed, err2 := filepath.Abs(h.cert)
	return err1 == nil && err2 == nil && (cert == renewed || filepath.Dir(cert) == renewed)
}

func (h *Hook) String() string {
	return fmt.Sprintf("%s (%s)", strings.Join(h.domains, ", "), h.cert)
}

package realtest

import (
	"fmt"
	"path/filepath"
	"testing"
)

// Kamailio runs a real kamailio, and returns its port for SIP over TLS.
func Kamailio(t testing.TB, cert, key string) int {
	t.Helper()
	Need(t, "kamailio")
	modules, err := filepath.Glob("/usr/lib/*/kamailio/modules/tls.so")
	if err != nil || len(modules) == 0 {
		missing(t, "file", "/usr/lib/*/kamailio/modules/tls.so")
	}
	dir, port := t.TempDir(), Port(t)
	config := WriteFile(t, dir, "kamailio.cfg", fmt.Sprintf(`#!KAMAILIO
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
auto_aliases=no
listen=tls:127.0.0.1:%d
mpath=%q
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", %q)
modparam("tls", "private_key", %q)
request_route { exit; }
`, port, filepath.Dir(modules[0])+"/", cert, key))
	Server(t, func() bool { return open(fmt.Sprintf("127.0.0.1:%d", port)) },
		"kamailio", "-DD", "-E", "-f", config, "-Y", dir, "-m", "32", "-M", "4")
	return port
}

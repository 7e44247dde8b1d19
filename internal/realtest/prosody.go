package realtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ProsodyPorts are the ports of 127.0.0.1 that a [Prosody] serves.
type ProsodyPorts struct {
	Server, Client             int // STARTTLS
	ServerDirect, ClientDirect int // TLS at once
}

// Prosody hosts XMPP domains with a real prosody, all of them with one
// certificate and key, as a provider does.
func Prosody(t testing.TB, cert, key string, domains ...string) ProsodyPorts {
	t.Helper()
	Need(t, "prosody")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	ports := ProsodyPorts{Port(t), Port(t), Port(t), Port(t)}
	var conf strings.Builder
	// It refuses to run as root unless told so; a container has often nobody
	// else. Without the shell and with one interface it opens no other port.
	fmt.Fprintf(&conf, `run_as_root = true
data_path = "%[1]s/data"
certificates = "%[1]s"
log = { info = "*console" }
interfaces = { "127.0.0.1" }
modules_enabled = { "tls", "saslauth" }
modules_disabled = { "admin_shell", "offline", "s2s_bidi" }
s2s_ports = { %[2]d }
c2s_ports = { %[3]d }
s2s_direct_tls_ports = { %[4]d }
c2s_direct_tls_ports = { %[5]d }
c2s_require_encryption = true
s2s_require_encryption = true
s2s_secure_auth = true
ssl = { certificate = "%[6]s", key = "%[7]s" }
`, dir, ports.Server, ports.Client, ports.ServerDirect, ports.ClientDirect, cert, key)
	for _, d := range domains {
		fmt.Fprintf(&conf, "VirtualHost %q\n    ssl = { certificate = %q, key = %q }\n", d, cert, key)
	}
	file := WriteFile(t, dir, "prosody.cfg.lua", conf.String())
	Server(t, func() bool {
		for _, port := range []int{ports.Server, ports.Client, ports.ServerDirect, ports.ClientDirect} {
			if !open(fmt.Sprintf("127.0.0.1:%d", port)) {
				return false
			}
		}
		return true
	}, "prosody", "-F", "--config", file)
	return ports
}

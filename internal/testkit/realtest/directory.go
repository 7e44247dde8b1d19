package realtest

import (
	"fmt"
	"testing"
)

// Slapd runs a real slapd, with an empty directory.
func Slapd(t testing.TB, cert, key string) Ports {
	t.Helper()
	Need(t, "slapd")
	NeedFile(t, "/etc/ldap/schema/core.schema")
	dir, p := t.TempDir(), Ports{Port(t), Port(t)}
	config := WriteFile(t, dir, "slapd.conf", fmt.Sprintf(`include /etc/ldap/schema/core.schema
pidfile %[1]s/slapd.pid
argsfile %[1]s/slapd.args
TLSCertificateFile %[2]s
TLSCertificateKeyFile %[3]s
database ldif
suffix dc=b,dc=example
directory %[1]s
`, dir, cert, key))
	Server(t, p.ready, "slapd", "-d", "0", "-f", config,
		"-h", fmt.Sprintf("ldap://127.0.0.1:%d ldaps://127.0.0.1:%d", p.STARTTLS, p.Direct))
	return p
}

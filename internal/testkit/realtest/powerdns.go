package realtest

import (
	"fmt"
	"testing"
)

// powerDNSSchema makes the tables of its database.
const powerDNSSchema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

// PowerDNS serves zones with a real pdns_server. Anybody who has the key TSIGName
// may change everything in zones that are Updated: it knows no finer rule.
func PowerDNS(t testing.TB, zones ...Zone) (addr string) {
	t.Helper()
	Need(t, "pdns_server", "pdnsutil", "sqlite3")
	NeedFile(t, powerDNSSchema)
	dir, port := t.TempDir(), Port(t)
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	WriteFile(t, dir, "pdns.conf", fmt.Sprintf(`launch=gsqlite3
gsqlite3-database=%[1]s/zones.sqlite3
socket-dir=%[1]s
local-address=127.0.0.1
local-port=%[2]d
dnsupdate=yes
dname-processing=yes
allow-dnsupdate-from=127.0.0.0/8
daemon=no
guardian=no
`, dir, port))
	Output(t, dir, "sqlite3", "zones.sqlite3", ".read "+powerDNSSchema)
	util := func(args ...string) { Output(t, dir, "pdnsutil", append([]string{"--config-dir=" + dir}, args...)...) }
	util("import-tsig-key", TSIGName, "hmac-sha256", TSIGSecret)
	for _, z := range zones {
		util("load-zone", z.Name, WriteFile(t, dir, z.Name+".zone", "$ORIGIN "+z.Name+".\n"+zoneFile(z.Content)))
		if z.Updated {
			util("set-meta", z.Name, "TSIG-ALLOW-DNSUPDATE", TSIGName)
		}
	}
	Server(t, func() bool { return answers(addr, zones[0].Name) }, "pdns_server", "--config-dir="+dir)
	return addr
}

package realtest

import (
	"fmt"
	"strings"
	"testing"
)

// Bind serves with a real named what config says, which is text of a named.conf:
// zones, or views with zones. The keys of [Knot] are known there. Files are zone
// files by name, each with text below an SOA and an NS record, which are added.
func Bind(t testing.TB, config string, files map[string]string) (addr string) {
	t.Helper()
	Need(t, "named")
	dir, port := t.TempDir(), Port(t)
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	var conf strings.Builder
	fmt.Fprintf(&conf, `options {
	directory %q;
	listen-on port %d { 127.0.0.1; };
	listen-on-v6 { none; };
	pid-file none;
	session-keyfile none;
	recursion no;
	notify no;
	dnssec-validation no;
};
controls { };
`, dir, port)
	for _, key := range []string{TSIGName, TSIGIdle, TSIGAll} {
		fmt.Fprintf(&conf, "key %q { algorithm hmac-sha256; secret %q; };\n", key, TSIGSecret)
	}
	conf.WriteString(config)
	for name, content := range files {
		WriteFile(t, dir, name, zoneFile(content))
	}
	server := Start(t, func() bool { return open(addr) }, "named", "-g", "-n", "1", "-c", WriteFile(t, dir, "named.conf", conf.String()))
	server.Log.Wait(t, 0, "running$") // the zones are there
	return addr
}

// zoneFile is content below the records that every zone has.
func zoneFile(content string) string {
	return "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n" + content
}

package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// TestPython: the client of integrations/python reads the greeting of a real
// dovecot, which has a certificate for the provider alone. It does so by direct
// TLS and by STARTTLS. It reads nothing from a server that nobody delegated to.
func TestPython(t *testing.T) {
	realtest.Need(t, "python3", "dovecot", "knotd", "keymgr", "unbound")
	h := newHosting(t)
	imap := realtest.Dovecot(t, h.cert, h.key)["_imap._tcp"]
	_, resolver := realtest.KnotAndUnbound(t,
		realtest.Zone{Name: "b.example", Content: h.srv("_imaps._tcp", 0, imap.Direct) + h.txt("b.example", "_imap._tcp", provider, time.Hour, imap.STARTTLS, imap.Direct)},
		realtest.Zone{Name: "c.example", Content: h.srv("_imaps._tcp", 0, imap.Direct)})
	socket := filepath.Join(h.dir, "s")
	serving(t, socket, exec.Command(filepath.Join(h.bin, "dnaverify"), "serve", "--listen", "unix:"+socket, "--store", filepath.Join(h.dir, "memory.db"),
		"--resolver", resolver, "--via", "dns", "--roots", h.Roots))
	folder, err := filepath.Abs("../../integrations/python")
	if err != nil {
		t.Fatal(err)
	}
	script := realtest.WriteFile(t, h.dir, "client.py", `
import socket, ssl, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import dna

def dial(target): # this test has no names for addresses
    return socket.create_connection(("127.0.0.1", target[1]))

def starttls(sock, source):
    read = sock.makefile("rb", buffering=0).readline
    read()
    sock.sendall(b"a STARTTLS\r\n")
    if not read().startswith(b"a OK"):
        raise dna.Refused("no STARTTLS")

for source, way in (("b.example", None), ("b.example", starttls), ("c.example", None)):
    try:
        conn = dna.connect(source, "imap", sys.argv[2], ssl.create_default_context(cafile=sys.argv[3]), dial, way)
        conn.sendall(b"a NOOP\r\n")
        conn.settimeout(60)
        print(source, any(line.startswith(b"a OK") for line in conn.makefile("rb"))) # after a greeting, or without
        conn.close()
    except dna.Refused as e:
        print(e)
`)
	out := realtest.Output(t, h.dir, "python3", script, folder, socket, h.Roots)
	want(t, out, fmt.Sprintf(`(?s)^b.example True\nb.example True\nc.example is refused \(no-statement\): .*%s`, provider))
}

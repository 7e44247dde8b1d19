package realtest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A ProsodyServer is a real prosody on ports of 127.0.0.1.
type ProsodyServer struct {
	*Process
	Server, Client             int // ports with STARTTLS
	ServerDirect, ClientDirect int // ports with TLS at once

	Config string // file

	program string // of Prosody; that of its shell has ctl at the end
	start   func() *Process
}

// Prosody hosts XMPP domains with a real prosody, all of them with one
// certificate and key, as a provider does. Options of its configuration, Lua
// expressions by name, win over those below.
func Prosody(t testing.TB, cert, key string, options map[string]string, domains ...string) *ProsodyServer {
	t.Helper()
	return ProsodyOf(t, "prosody", cert, key, options, domains...)
}

// ProsodyOf is [Prosody] with another program, such as that of another version.
func ProsodyOf(t testing.TB, program, cert, key string, options map[string]string, domains ...string) *ProsodyServer {
	t.Helper()
	Need(t, program)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := &ProsodyServer{program: program, Server: Port(t), Client: Port(t), ServerDirect: Port(t), ClientDirect: Port(t)}
	// It refuses to run as root unless told so; a container has often nobody
	// else. With one interface it opens no other port.
	config := map[string]string{
		"run_as_root":            "true",
		"data_path":              strconv.Quote(filepath.Join(dir, "data")),
		"certificates":           strconv.Quote(dir),
		"log":                    `{ info = "*console" }`,
		"interfaces":             `{ "127.0.0.1" }`,
		"modules_enabled":        `{ "tls", "saslauth", "dialback", "admin_shell" }`,
		"modules_disabled":       `{ "offline", "s2s_bidi" }`,
		"s2s_ports":              fmt.Sprintf("{ %d }", p.Server),
		"c2s_ports":              fmt.Sprintf("{ %d }", p.Client),
		"s2s_direct_tls_ports":   fmt.Sprintf("{ %d }", p.ServerDirect),
		"c2s_direct_tls_ports":   fmt.Sprintf("{ %d }", p.ClientDirect),
		"c2s_require_encryption": "true",
		"s2s_require_encryption": "true",
		"s2s_secure_auth":        "true",
		"ssl":                    fmt.Sprintf("{ certificate = %q, key = %q }", cert, key),
	}
	maps.Copy(config, options)
	var conf strings.Builder
	for _, name := range slices.Sorted(maps.Keys(config)) {
		fmt.Fprintf(&conf, "%s = %s\n", name, config[name])
	}
	for _, d := range domains {
		fmt.Fprintf(&conf, "VirtualHost %q\n    ssl = { certificate = %q, key = %q }\n", d, cert, key)
	}
	p.Config = WriteFile(t, dir, "prosody.cfg.lua", conf.String())
	p.start = func() *Process { return Start(t, p.ready, program, "-F", "--config", p.Config) }
	p.Process = p.start()
	return p
}

// Restart ends it and starts it again.
func (p *ProsodyServer) Restart() {
	p.Stop()
	p.Process = p.start()
}

func (p *ProsodyServer) ready() bool {
	for _, port := range []int{p.Server, p.Client, p.ServerDirect, p.ClientDirect} {
		if !open(fmt.Sprintf("127.0.0.1:%d", port)) {
			return false
		}
	}
	return true
}

// Shell runs a command of prosody's shell, as an administrator does with
// prosodyctl, and returns what it says.
func (p *ProsodyServer) Shell(t testing.TB, command ...string) string {
	t.Helper()
	Need(t, p.program+"ctl")
	return Output(t, filepath.Dir(p.Config), p.program+"ctl", append([]string{"--config", p.Config, "shell"}, command...)...)
}

// NeedLua skips the test unless prosody's Lua has a library.
func NeedLua(t testing.TB, library string) {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/*/lua/*/" + library + ".so", "/usr/local/lib/lua/*/" + library + ".so"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return
		}
	}
	NeedFile(t, "/usr/lib/lua/"+library+".so")
}

package matrix

import (
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// prosodyOf is the program of a version of Prosody.
type prosodyOf string

// verifier has the module that asks the daemon.
func (of prosodyOf) verifier(m *meeting, s server) server {
	return of.start(m, s, map[string]string{
		"plugin_paths":    fmt.Sprintf("{ %q }", m.path("../prosody")),
		"modules_enabled": `{ "tls", "saslauth", "dialback", "admin_shell", "s2s_auth_dna" }`,
		"dna_url":         strconv.Quote(s.url),
	})
}

// provider shows the statements that were handed over.
func (of prosodyOf) provider(m *meeting, s server) server {
	return of.start(m, s, map[string]string{
		"plugin_paths":    fmt.Sprintf("{ %q }", m.path("../prosody")),
		"modules_enabled": `{ "tls", "saslauth", "dialback", "admin_shell", "s2s_dna_statements" }`,
		"dna_statements":  strconv.Quote(s.handed),
	})
}

func (of prosodyOf) start(m *meeting, s server, options map[string]string) server {
	m.T.Helper()
	_, cert, key := m.Certify(s.host)
	all := map[string]string{
		"s2s_ssl":           fmt.Sprintf("{ cafile = %q }", m.Roots),
		"s2s_close_timeout": "1",
		"unbound": fmt.Sprintf(`{ resolvconf = false; hoststxt = false; forward = %q; options = { ["do-not-query-localhost:"] = "no" } }`,
			strings.Replace(m.hosts.Addr, ":", "@", 1)),
	}
	maps.Copy(all, options)
	p := realtest.ProsodyOf(m.T, string(of), cert, key, all, s.domains...)
	s.port, s.log = p.Server, p.Log
	s.send = func(pairs [][2]string) {
		var lua strings.Builder
		for _, pair := range pairs {
			fmt.Fprintf(&lua, "prosody.core_post_stanza(prosody.hosts[%q], require'util.stanza'.message({from=%q,to=%q,type='error'}));", pair[0], pair[0], "user@"+pair[1])
		}
		p.Shell(m.T, "> "+lua.String()+" return true")
	}
	s.hangUp = func() {
		p.Shell(m.T, "> for s in pairs(prosody.incoming_s2s) do s:close() end for _, h in pairs(prosody.hosts) do for _, s in pairs(h.s2sout) do s:close() end end return true")
	}
	return s
}

// ejabberdVerifier has the module that asks the daemon.
func ejabberdVerifier(m *meeting, s server) server {
	return ejabberd(m, s, fmt.Sprintf("  mod_s2s_dna:\n    url: %q\n    timeout: 5\n", s.url))
}

// ejabberdProvider shows the statements that were handed over.
func ejabberdProvider(m *meeting, s server) server {
	return ejabberd(m, s, fmt.Sprintf("  mod_s2s_dna_statements:\n    statements: %q\n", s.handed))
}

func ejabberd(m *meeting, s server, module string) server {
	m.T.Helper()
	_, cert, key := m.Certify(s.host)
	address, port, _ := strings.Cut(m.hosts.Addr, ":")
	inetrc := realtest.WriteFile(m.T, m.T.TempDir(), "inetrc", fmt.Sprintf("{resolv_conf, \"\"}.\n{hosts_file, \"\"}.\n{lookup, [dns]}.\n{nameserver, {%s}, %s}.\n", strings.ReplaceAll(address, ".", ","), port))
	lines := fmt.Sprintf("hosts: [%s]\ncertfiles: [%q, %q]\nca_file: %q\ns2s_max_retry_delay: 1\noutgoing_s2s_families: [ipv4]\n"+
		"api_permissions:\n  test:\n    from: mod_http_api\n    who: all\n    what: \"*\"\n"+
		"modules:\n  mod_admin_extra: {}\n  mod_s2s_dialback: {}\n%s", strings.Join(s.domains, ", "), cert, key, m.Roots, module)
	e := realtest.Ejabberd(m.T, lines, "-pa", realtest.EjabberdModules(m.T, m.path("../..")), "-kernel", "inetrc", fmt.Sprintf("%q", inetrc))
	s.port, s.log = e.Server, e.Log
	s.send = func(pairs [][2]string) {
		for _, pair := range pairs {
			e.Command(m.T, "send_stanza", fmt.Sprintf(`{"from":"user@%s/x","to":"user@%s","stanza":"<message type='error'/>"}`, pair[0], pair[1]))
		}
	}
	s.hangUp = func() { e.Command(m.T, "stop_s2s_connections", "{}") }
	return s
}

// path is the path of a file that is named from here.
func (m *meeting) path(name string) string {
	m.T.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		m.T.Fatal(err)
	}
	return path
}

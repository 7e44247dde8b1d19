package realtest

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An EjabberdServer is a real ejabberd on ports of 127.0.0.1.
type EjabberdServer struct {
	*Process
	Server, ServerDirect int // for servers, with STARTTLS and with TLS at once
	API                  int // for commands over HTTP

	Config string // file
}

// Ejabberd runs a real ejabberd with Debian's configuration, in which the lines
// that are given replace the sections that they begin with. The arguments are
// for Erlang.
func Ejabberd(t testing.TB, lines string, arguments ...string) *EjabberdServer {
	t.Helper()
	const debian = "/etc/ejabberd/ejabberd.yml"
	Need(t, "erl", "ejabberdctl")
	NeedFile(t, debian)
	libraries, err := filepath.Glob("/usr/lib/*/ejabberd-*")
	if err != nil || len(libraries) == 0 {
		t.Fatalf("ejabberd's libraries are not where Debian has them: %v", err)
	}
	dir := t.TempDir()
	data, err := os.ReadFile(debian)
	if err != nil {
		t.Fatal(err)
	}
	e := &EjabberdServer{Server: Port(t), ServerDirect: Port(t), API: Port(t)}
	lines += fmt.Sprintf("\nlisten:\n  - port: %d\n    ip: 127.0.0.1\n    module: ejabberd_s2s_in\n"+
		"  - port: %d\n    ip: 127.0.0.1\n    module: ejabberd_s2s_in\n    tls: true\n"+
		"  - port: %d\n    ip: 127.0.0.1\n    module: ejabberd_http\n    request_handlers:\n      /api: mod_http_api\n", e.Server, e.ServerDirect, e.API)
	config := string(data)
	for _, name := range regexp.MustCompile(`(?m)^[a-z0-9_]+:`).FindAllString(lines, -1) {
		section := regexp.MustCompile(`(?m)^` + name + `.*\n(?:(?: .*|#.*)?\n)*`)
		config = section.ReplaceAllString(config, "")
	}
	e.Config = WriteFile(t, dir, "ejabberd.yml", config+lines)
	env := []string{
		"EJABBERD_CONFIG_PATH=" + e.Config, "EJABBERD_LOG_PATH=" + filepath.Join(dir, "ejabberd.log"),
		"ERL_LIBS=" + filepath.Dir(libraries[0]), "HOME=" + dir, "ERL_CRASH_DUMP=" + filepath.Join(dir, "crash"),
	}
	// As ejabberdctl foreground does, without a name in the network and as the
	// user of the test.
	args := append(env, "erl", "-noinput", "-mnesia", "dir", strconv.Quote(filepath.Join(dir, "mnesia")), "-s", "ejabberd")
	e.Process = Start(t, func() bool {
		for _, port := range []int{e.Server, e.ServerDirect, e.API} {
			if !open(fmt.Sprintf("127.0.0.1:%d", port)) {
				return false
			}
		}
		return true
	}, "env", append(args, arguments...)...)
	return e
}

// EjabberdModules returns a folder with the modules of a checkout, compiled as
// their page says.
func EjabberdModules(t testing.TB, checkout string) string {
	t.Helper()
	Need(t, "erlc", "ejabberdctl")
	folder := filepath.Join(checkout, "integrations", "ejabberd")
	page, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^\$ (erlc .*)$`).FindStringSubmatch(string(page))
	if command == nil {
		t.Fatal("the page compiles nothing")
	}
	// So that go test knows that the modules are part of what was tested.
	for _, file := range []string{"mod_s2s_dna.erl", "mod_s2s_dna_features.erl", "mod_s2s_dna_statements.erl"} {
		if _, err := os.Stat(filepath.Join(folder, file)); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if out := Output(t, checkout, "sh", "-c", strings.Replace(command[1], "/usr/local/lib/ejabberd/ebin", dir, 1)); out != "" {
		t.Fatalf("erlc says: %s", out)
	}
	return dir
}

// Command runs a command of ejabberd by its API, as an administrator does with
// ejabberdctl. Its arguments are JSON.
func (e *EjabberdServer) Command(t testing.TB, name, arguments string) string {
	t.Helper()
	reply, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/api/%s", e.API, name), "application/json", strings.NewReader(arguments))
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d, %v: %s", name, arguments, reply.StatusCode, err, body)
	}
	return string(body)
}

// DebianProsody runs a real prosody with Debian's configuration, the
// certificates of a folder and the text of a file in conf.d. It returns the
// port for servers with STARTTLS and the one with direct TLS.
func DebianProsody(t testing.TB, certs, customers string) (starttls, direct int) {
	t.Helper()
	const debian = "/etc/prosody/prosody.cfg.lua"
	Need(t, "prosody")
	NeedFile(t, debian)
	dir := t.TempDir()
	for _, name := range []string{"data", "conf.d"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(debian)
	if err != nil {
		t.Fatal(err)
	}
	starttls, direct = Port(t), Port(t)
	config := string(data)
	for pattern, with := range map[string]string{
		`(?m)^pidfile = .*$`:      "",
		`(?ms)^log = \{.*?^\}$`:   "",
		`(?m)^certificates = .*$`: fmt.Sprintf("certificates = %q", certs),
	} {
		r := regexp.MustCompile(pattern)
		if !r.MatchString(config) {
			t.Fatalf("%s has no %s", debian, pattern)
		}
		config = r.ReplaceAllLiteralString(config, with)
	}
	if !strings.Contains(config, `Include "conf.d/*.cfg.lua"`) {
		t.Fatalf("%s does not read conf.d", debian)
	}
	config = fmt.Sprintf("run_as_root = true\ndata_path = %q\nlog = { info = \"*console\" }\ninterfaces = { \"127.0.0.1\" }\n"+
		"s2s_ports = { %d }\ns2s_direct_tls_ports = { %d }\nc2s_ports = { %d }\nc2s_direct_tls_ports = { %d }\n",
		filepath.Join(dir, "data"), starttls, direct, Port(t), Port(t)) + config
	WriteFile(t, filepath.Join(dir, "conf.d"), "customers.cfg.lua", customers)
	Start(t, func() bool {
		return open(fmt.Sprintf("127.0.0.1:%d", starttls)) && open(fmt.Sprintf("127.0.0.1:%d", direct))
	}, "prosody", "-F", "--config", WriteFile(t, dir, "prosody.cfg.lua", config))
	return starttls, direct
}

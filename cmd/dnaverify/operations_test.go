package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/daemon"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

const integrations = "../../integrations"

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestExampleConfiguration reads the example as the daemon does, as it is and
// with everything that it proposes.
func TestExampleConfiguration(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	example := read(t, integrations+"/systemd/dnaverify.yaml")
	proposal := regexp.MustCompile(`(?m)^# ([a-z-]+: .*)$`)
	proposed := proposal.FindAllString(example, -1)
	if len(proposed) < 4 {
		t.Errorf("only %d proposals", len(proposed))
	}
	for name, content := range map[string]string{
		"as it is": example,
		"with all": strings.Replace(proposal.ReplaceAllString(example, "$1"), "GOOD,BOGUS", "good.example,bogus.example", 1),
	} {
		file := realtest.WriteFile(t, t.TempDir(), "dnaverify.yaml", content)
		var f serveFlags
		cmd := &cobra.Command{}
		f.define(cmd)
		if err := cmd.Flags().Set("config", file); err != nil {
			t.Fatal(err)
		}
		got, err := load(cmd.Flags())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.validating != "127.0.0.1:53" || got.cacheSize != 256 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// metrics are the daemon's, each with the series it has from the beginning.
func metrics(t *testing.T) map[string][]string {
	t.Helper()
	w := httptest.NewRecorder()
	request := httptest.NewRequest("GET", "http://localhost/metrics", nil)
	daemon.NewHandler(daemon.NewMetrics(), nil).ServeHTTP(w, request)
	found := map[string][]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			found[name] = nil
		} else if name, labels, ok := strings.Cut(strings.TrimSpace(line), "{"); ok {
			name = strings.TrimSuffix(name, "_bucket") // of a histogram
			found[name] = append(found[name], labels)
		}
	}
	// Those that have no series before the first question or request.
	for _, name := range []string{"dnaverify_questions_total", "dnaverify_answer_seconds", "dnaverify_bad_requests_total"} {
		if _, ok := found[name]; !ok {
			found[name] = nil
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %d metrics:\n%s", len(found), w.Body)
	}
	return found
}

var (
	metricName = regexp.MustCompile(`\b(?:dnaverify|process|go)_[a-z_]+`)
	matcher    = regexp.MustCompile(`\b((?:dnaverify|process|go)_[a-z_]+)\{([^}]*)\}`)
	label      = regexp.MustCompile(`([a-z]+)(=|=~)"([^"$]+)"`)
)

// checkExpression holds an expression of PromQL to the metrics there are and
// returns those it names.
func checkExpression(t *testing.T, expression string, known map[string][]string) (names []string) {
	t.Helper()
	for _, name := range metricName.FindAllString(expression, -1) {
		name = strings.TrimSuffix(name, "_bucket")
		if _, ok := known[name]; !ok {
			t.Errorf("there is no metric %s: %s", name, expression)
		}
		names = append(names, name)
	}
	if len(names) == 0 && !strings.HasPrefix(expression, "up{") {
		t.Errorf("no metric in %s", expression)
	}
	for _, m := range matcher.FindAllStringSubmatch(expression, -1) {
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			for value := range strings.SplitSeq(l[3], "|") {
				series := known[m[1]]
				has := func(s string) bool { return strings.Contains(s, fmt.Sprintf("%s=%q", l[1], value)) }
				if len(series) > 0 && !slices.ContainsFunc(series, has) {
					t.Errorf("%s has no series with %s=%q: %s", m[1], l[1], value, expression)
				}
			}
		}
	}
	return names
}

// TestBoard: the board asks for metrics that the daemon has, and shows all of
// the daemon's own.
func TestBoard(t *testing.T) {
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, integrations+"/grafana/dnaverify.json")), &board); err != nil {
		t.Fatal(err)
	}
	known, shown, expressions := metrics(t), []string{}, []string{}
	for i, p := range board.Panels {
		if p.ID != i+1 || p.Title == "" {
			t.Errorf("panel %d is %d, %q", i+1, p.ID, p.Title)
		}
		for _, target := range p.Targets {
			shown = append(shown, checkExpression(t, target.Expr, known)...)
			expressions = append(expressions, target.Expr)
		}
	}
	for name := range known {
		if strings.HasPrefix(name, "dnaverify_") && !slices.Contains(shown, name) {
			t.Errorf("%s is not shown", name)
		}
	}
	if len(expressions) < 15 {
		t.Errorf("only %d expressions", len(expressions))
	}
	t.Run("promtool", func(t *testing.T) { checkRules(t, asRules(expressions)) })
}

// asRules makes rules of the expressions of a board, for promtool to read.
func asRules(expressions []string) string {
	replace := strings.NewReplacer("$__rate_interval", "5m", "$job", "dnaverify")
	var rules []map[string]string
	for i, e := range expressions {
		rules = append(rules, map[string]string{"record": fmt.Sprintf("board:%d", i), "expr": replace.Replace(e)})
	}
	out, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "board", "rules": rules}}})
	if err != nil {
		panic(err) // of maps of strings
	}
	return string(out)
}

func checkRules(t *testing.T, rules string) {
	t.Helper()
	realtest.Need(t, "promtool")
	dir := t.TempDir()
	realtest.Output(t, dir, "promtool", "check", "rules", realtest.WriteFile(t, dir, "rules.yml", rules))
}

// TestAlerts: the alerts ask for metrics that the daemon has, and each is
// explained.
func TestAlerts(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	text := read(t, integrations+"/prometheus/dnaverify.rules.yml")
	if err := yaml.Unmarshal([]byte(text), &rules); err != nil {
		t.Fatal(err)
	}
	known, page, alerts := metrics(t), read(t, "../../docs/operations.md"), 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			checkExpression(t, r.Expr, known)
			if !strings.Contains(page, "`"+r.Alert+"`") {
				t.Errorf("docs/operations.md does not say what %s means", r.Alert)
			}
			alerts++
		}
	}
	if alerts < 5 {
		t.Errorf("only %d alerts", alerts)
	}
	t.Run("promtool", func(t *testing.T) { checkRules(t, text) })
}

// TestUnits lets systemd read the units, and say how much a break-in would
// reach.
func TestUnits(t *testing.T) {
	realtest.Need(t, "systemd-analyze")
	dir := t.TempDir()
	bin := realtest.WriteFile(t, dir, "dnaverify", "")
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, name := range []string{"dnaverify.service", "dnaverify.socket", "dnaverify-page.service", "dnaverify-watch.service", "dnaverify-watch.timer"} {
		text := read(t, filepath.Join(integrations, "systemd", name))
		files = append(files, realtest.WriteFile(t, dir, name, strings.ReplaceAll(text, "ExecStart=dnaverify", "ExecStart="+bin)))
	}
	realtest.Output(t, dir, "systemd-analyze", append([]string{"verify", "--man=no"}, files...)...)
	realtest.Output(t, dir, "systemd-analyze", "security", "--offline=true", "--threshold=12", files[0], files[2], files[3]) // of 100
	service := read(t, files[0])
	command := regexp.MustCompile(`(?m)^ExecStart=\S+ serve --config (\S+)$`).FindStringSubmatch(service)
	if command == nil || !strings.Contains(read(t, integrations+"/systemd/dnaverify.yaml"), command[1]) {
		t.Error("the unit and the example disagree on where the configuration is")
	}
	if socket := read(t, files[1]); !strings.Contains(socket, "\nListenStream="+strings.TrimPrefix(defaultSocket, "unix:")+"\n") {
		t.Errorf("the socket is not %s", defaultSocket)
	}
	for _, unit := range []string{service, read(t, files[2])} {
		if !strings.Contains(unit, fmt.Sprintf("\nRestartPreventExitStatus=%d\n", cli.ExitUsage)) {
			t.Error("a wrong call is tried again")
		}
	}
	page := regexp.MustCompile(`(?m)^ExecStart=\S+ watch (.+)$`).FindStringSubmatch(read(t, files[2]))
	if page == nil {
		t.Fatal("the unit of the page does not watch")
	}
	if err := watchCommand().ParseFlags(strings.Fields(page[1])); err != nil {
		t.Error(err)
	}
}

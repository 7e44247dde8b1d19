package spectest

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
)

var write = flag.Bool("write", false, "write the tables of docs/reasons.md")

// TestReasonsPage: the two tables of docs/reasons.md are made from the code.
// With -write the test makes them.
func TestReasonsPage(t *testing.T) {
	name := filepath.Join(root, "docs", reasonsPage)
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	all, says := reasons.Reasons(), meanings(t)
	if len(all) < 95 || len(says) != len(all) {
		t.Fatalf("%d reasons, %d comments", len(all), len(says))
	}
	programs := slices.Index(all, reasons.Verified) + 1
	want := string(page)
	want = replaceTable(t, want, "<!-- reasons of a verification", all[:programs], says)
	want = replaceTable(t, want, "<!-- reasons of programs", all[programs:], says)
	switch {
	case want == string(page):
	case *write:
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what delegation/reasons says: run go test ./internal/tools/spectest -run TestReasonsPage -write", reasonsPage)
	}
}

// meanings are the comments of the reasons, without name and full stop.
func meanings(t *testing.T) map[reasons.Reason]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "delegation/reasons/reasons.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	says := map[reasons.Reason]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Reason" {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		comment, named := strings.CutPrefix(strings.Join(strings.Fields(spec.Doc.Text()), " "), spec.Names[0].Name+": ")
		comment, ended := strings.CutSuffix(comment, ".")
		if !named || !ended || strings.Contains(comment, "|") {
			t.Errorf("the comment of %s is not its name, a colon, and a sentence", spec.Names[0].Name)
		}
		says[reasons.Reason(value)] = comment
		return true
	})
	return says
}

// replaceTable puts a table into a page, behind a comment that begins so.
func replaceTable(t *testing.T, page, comment string, list []reasons.Reason, says map[reasons.Reason]string) string {
	t.Helper()
	at := regexp.MustCompile(regexp.QuoteMeta(comment) + `.*\n((?:\|.*\n)*)`).FindStringSubmatchIndex(page)
	if at == nil {
		t.Fatalf("%s has no %q", reasonsPage, comment)
	}
	table := "| reason | outcome | meaning |\n| --- | --- | --- |\n"
	for _, r := range list {
		table += fmt.Sprintf("| `%s` | %s | %s |\n", r, r.Outcome(), says[r])
	}
	return page[:at[2]] + table + page[at[3]:]
}

// TestReasonsOfSteps: the algorithm ends with reasons of the list.
func TestReasonsOfSteps(t *testing.T) {
	steps := section(t, specification, "The algorithm") + section(t, reasonsPage, "The order of form errors")
	found := regexp.MustCompile("`([a-z]+(-[a-z]+)+)`").FindAllStringSubmatch(steps, -1)
	if len(found) < 30 {
		t.Errorf("only %d reasons", len(found))
	}
	for _, m := range found {
		if !reasons.Reason(m[1]).Known() {
			t.Errorf("the algorithm says %s, which is no reason", m[1])
		}
	}
}

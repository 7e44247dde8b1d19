package spectest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/internal/strictjson"
	"github.com/dnasign/dnasign/internal/vectors/run"
	"github.com/dnasign/dnasign/keys"
	"github.com/dnasign/dnasign/testvectors"
)

const root = "../../.."

// The pages of the specification. Rules stand in the first two.
const (
	specification = "spec.md"
	connections   = "connections.md"
	reasonsPage   = "reasons.md"
	testsPage     = "rules-and-tests.md"
)

// page is the text of a page in docs/, from its first numbered heading. What
// stands before it is an introduction without rules.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	if name == testsPage {
		return string(text)
	}
	_, rules, found := strings.Cut(string(text), "\n## 1. ")
	if !found {
		t.Fatalf("%s has no section 1", name)
	}
	return "\n## 1. " + rules
}

// section is the part of a page from one heading to the next of its level. The
// title is without its number.
func section(t *testing.T, name, title string) string {
	t.Helper()
	text := page(t, name)
	at := regexp.MustCompile(`\n## \d+\. ` + regexp.QuoteMeta(title) + `\n`).FindStringIndex(text)
	if at == nil {
		t.Fatalf("%s has no section %q", name, title)
	}
	body, _, _ := strings.Cut(text[at[1]:], "\n## ")
	return body
}

// rows are the cells of the first table of a text, without its head.
func rows(t *testing.T, text string, columns int) [][]string {
	t.Helper()
	var list [][]string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			if len(list) > 0 {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != columns {
			t.Fatalf("%d cells, want %d: %s", len(cells), columns, line)
		}
		list = append(list, cells)
	}
	if len(list) < 3 {
		t.Fatal("no table")
	}
	return list[2:]
}

var (
	// definition begins a paragraph or a row of a table. A rule is N2, or has
	// parts, N1a and so on.
	definition = regexp.MustCompile(`(?m)^(?:\| )?\*\*([A-Z][0-9]+)([a-z]?)\*\*`)
	function   = regexp.MustCompile(`\.(Test|Fuzz|Example)\w*`)
	code       = regexp.MustCompile("`([^`]+)`")
)

// rulePages are those that define rules.
var rulePages = []string{specification, connections, "signers.md", "stream.md", "posh.md"}

// TestRules: every rule is defined once and has tests that exist. The parts of a
// rule are in the order of their letters, and none is left out.
func TestRules(t *testing.T) {
	defined, parts := map[string]string{}, 0 // the last part of each rule
	for _, name := range rulePages {
		for _, m := range definition.FindAllStringSubmatch(page(t, name), -1) {
			rule, part := m[1], m[2]
			last, known := defined[rule]
			switch {
			case part == "" && known, part != "" && known && last == "" && part != "a":
				t.Errorf("%s%s is defined twice, or out of order", rule, part)
			case part != "" && part != nextPart(last):
				t.Errorf("%s%s follows %s%s", rule, part, rule, last)
			}
			defined[rule] = part
			parts++
		}
	}
	if len(defined) < 60 || parts < 150 {
		t.Errorf("only %d rules and %d parts", len(defined), parts)
	}
	covered := map[string]bool{}
	references := 0
	for _, row := range rows(t, page(t, testsPage), 2) {
		rule, tests := row[0], code.FindAllStringSubmatch(row[1], -1)
		if _, ok := defined[rule]; !ok {
			t.Errorf("%s has a row and no definition", rule)
		}
		if covered[rule] {
			t.Errorf("%s has two rows", rule)
		}
		covered[rule] = true
		if len(tests) == 0 {
			t.Errorf("%s has no test", rule)
		}
		for _, test := range tests {
			references++
			if err := exists(t, test[1]); err != nil {
				t.Errorf("%s: %v", rule, err)
			}
		}
	}
	for rule := range defined {
		if !covered[rule] {
			t.Errorf("%s has no row", rule)
		}
	}
	if references < 270 {
		t.Errorf("only %d tests are named", references)
	}
}

// nextPart is the letter after that of the last part.
func nextPart(last string) string {
	if last == "" {
		return "a"
	}
	return string(last[0] + 1)
}

// TestEveryMust: a MUST stands in a rule, in the paragraph that defines it.
func TestEveryMust(t *testing.T) {
	musts := 0
	for _, name := range rulePages {
		for paragraph := range strings.SplitSeq(page(t, name), "\n\n") {
			n := strings.Count(paragraph, "MUST")
			musts += n
			if at := definition.FindStringIndex(paragraph); n > 0 && (at == nil || at[0] != 0) {
				t.Errorf("%s: a MUST outside of a rule: %s", name, paragraph)
			}
		}
	}
	if musts < 150 {
		t.Errorf("only %d MUSTs", musts)
	}
}

// TestLength: the specification stays short enough to be read in an hour.
func TestLength(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", specification))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(strings.Fields(string(text))); n > 6000 || n < 3000 {
		t.Errorf("%s has %d words, at most 6,000 are wanted", specification, n)
	}
}

// testFiles are the parsed test files of a package, by its path in the module.
var testFiles = map[string]*testPackage{}

type testPackage struct {
	functions map[string]bool
	literals  map[string]bool
}

// exists reports whether a test such as "delegation.TestTXT/no space" is there:
// the function in the package's test files, and the case as a string literal.
func exists(t *testing.T, name string) error {
	t.Helper()
	at := function.FindStringIndex(name)
	if at == nil {
		return fmt.Errorf("%s names no test function", name)
	}
	pkg, called, testCase := name[:at[0]], name[at[0]+1:at[1]], strings.TrimPrefix(name[at[1]:], "/")
	p := testFiles[pkg]
	if p == nil {
		p = parseTests(t, pkg)
		testFiles[pkg] = p
	}
	if !p.functions[called] {
		return fmt.Errorf("%s has no %s", pkg, called)
	}
	literals := p.literals
	if called == "TestVectors" {
		var err error
		if literals, err = vectorIDs(); err != nil {
			return err
		}
	}
	if testCase != "" && !literals[testCase] {
		return fmt.Errorf("%s has no case %q", pkg, testCase)
	}
	return nil
}

// vectorIDs are the IDs of the test vectors, which TestVectors has as subtests.
var vectorIDs = sync.OnceValues(func() (map[string]bool, error) {
	files, err := run.Load(testvectors.Files)
	ids := map[string]bool{}
	for _, f := range files {
		for _, c := range f.Cases {
			ids[c.ID] = true
		}
	}
	return ids, err
})

func parseTests(t *testing.T, pkg string) *testPackage {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pkg), "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", pkg, err)
	}
	p := &testPackage{map[string]bool{}, map[string]bool{}}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil {
					p.functions[n.Name.Name] = true
				}
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					p.literals[text] = true
				}
			}
			return true
		})
	}
	return p
}

// TestAlgorithms: the table of algorithms is that of package keys.
func TestAlgorithms(t *testing.T) {
	table := rows(t, section(t, specification, "The JWS encoding"), 3)
	var names []string
	for _, a := range keys.Algorithms() {
		names = append(names, "`"+string(a)+"`")
	}
	if len(table) != len(names) || len(names) < 5 {
		t.Fatalf("%d rows, %d algorithms", len(table), len(names))
	}
	for i, row := range table {
		if row[0] != names[i] {
			t.Errorf("row %d is %s, want %s", i+1, row[0], names[i])
		}
	}
}

// TestLimits: the numbers of the limits are the constants of the code.
func TestLimits(t *testing.T) {
	days := func(d time.Duration) string { return strconv.Itoa(int(d / (24 * time.Hour))) }
	want := map[string]string{
		"a statement as carried":                                thousands(limits.MaxStatementSize) + " bytes",
		"targets of a statement":                                strconv.Itoa(limits.MaxTargets),
		"pins of a target":                                      strconv.Itoa(limits.MaxPins),
		"certificates of a statement":                           strconv.Itoa(keys.MaxChain),
		"nesting, members, elements of JSON":                    fmt.Sprintf("%d, %d, %d", strictjson.MaxDepth, strictjson.MaxMembers, strictjson.MaxItems),
		"RSA keys":                                              fmt.Sprintf("%d to %d bits", keys.MinRSABits, keys.MaxRSABits),
		"TXT records of version 1 at a name":                    strconv.Itoa(limits.MaxTXTRecords),
		"SRV records at a name":                                 strconv.Itoa(limits.MaxSRVRecords),
		"certificates of a peer":                                strconv.Itoa(limits.MaxPeerCertificates),
		"clock skew":                                            fmt.Sprintf("%d min", limits.ClockSkew/time.Minute),
		"lifetime of a statement":                               days(limits.DefaultMaxLife) + " days, by policy up to " + days(limits.LongestMaxLife),
		"signature checks for statements that they refuse (V3)": fmt.Sprintf("%[1]d for DNS, %[1]d for documents, 6 for a stream", limits.MaxFailedChecks),
		"signature checks that a peer's certificates ask for by their names (P1)": strconv.Itoa(limits.MaxPeerChecks),
	}
	found := 0
	for _, row := range rows(t, section(t, reasonsPage, "Limits"), 3) {
		if limit, ok := want[row[0]]; ok {
			found++
			if row[1] != limit {
				t.Errorf("%s: %s in the text, %s in the code", row[0], row[1], limit)
			}
		}
		if row[2] == "" {
			t.Errorf("%s has no reason", row[0])
		}
	}
	if found != len(want) {
		t.Errorf("%d of %d limits are in the text", found, len(want))
	}
}

// thousands writes a number below a million as the text does.
func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }

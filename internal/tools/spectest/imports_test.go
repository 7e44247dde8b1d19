package spectest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/dnasign/dnasign/"

// list asks the go command about packages: the first field of each line is one,
// the rest is what it imports.
func list(t *testing.T, args ...string) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-f", `{{.ImportPath}} {{join .Imports " "}}`}, args...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		imports[strings.TrimPrefix(fields[0], module)] = fields[1:]
	}
	if len(imports) < 40 {
		t.Fatalf("only %d packages of %q", len(imports), args)
	}
	return imports
}

// order has the packages of the product: each imports those of earlier rows only.
var order = [][]string{
	{"internal/dnsexchange", "internal/lru", "internal/strictjson", "internal/text", "internal/wholefile"},
	{"delegation/limits", "delegation/reasons", "keys"},
	{"internal/hints", "internal/program"},
	{"encoding/jws", "encoding/x509attr", "internal/keysource"},
	{"delegation"},
	{"internal/floorrecord"},
	{"discovery/floors"},
	{"discovery/floors/filestore", "discovery/floors/redisstore"},
	{"delegation/association", "discovery", "internal/publish", "internal/signing", "discovery/starttls"},
	{"discovery/verifier", "internal/watch"},
	{"internal/cli", "internal/daemon", "internal/page"},
	{"internal/renew", "internal/watch/news", "internal/watch/probe"},
	{"cmd/dnasign", "cmd/dnaverify"},
}

// tools are folders with packages beside the product. Only commands import them,
// and among themselves they may import anything.
var tools = []string{"docs/demo", "docs/example", "integrations", "internal/demo", "internal/testkit", "internal/tools", "internal/vectors", "testvectors", "discovery/floors/floorstest"}

// TestImportOrder: no package imports one that is above it or beside it, and
// none of the product imports what is for tests.
func TestImportOrder(t *testing.T) {
	rows := map[string]int{}
	for row, packages := range order {
		for _, pkg := range packages {
			rows[pkg] = row
		}
	}
	isTool := func(pkg string) bool {
		return slices.ContainsFunc(tools, func(folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") })
	}
	found := 0
	for pkg, imports := range list(t, "./...") {
		row, ours := rows[pkg]
		switch {
		case !ours && !isTool(pkg):
			t.Errorf("%s has no place in the order of imports", pkg)
		case !ours:
			continue
		}
		found++
		for _, path := range imports {
			dep, internal := strings.CutPrefix(path, module)
			if !internal {
				continue
			}
			if below, ok := rows[dep]; ok && below >= row {
				t.Errorf("%s imports %s, which is not below it", pkg, dep)
			}
			// The commands have the demonstration and the vectors built in.
			if isTool(dep) && (row < len(order)-1 || strings.HasPrefix(dep, "internal/testkit")) {
				t.Errorf("%s imports %s, which is no part of the product", pkg, dep)
			}
		}
	}
	if found != len(rows) {
		t.Errorf("%d of %d packages", found, len(rows))
	}
}

// TestDependencies: whoever imports a package does not get what it has no need of.
func TestDependencies(t *testing.T) {
	const bbolt, redis, prometheus = "go.etcd.io/bbolt", "github.com/redis/go-redis/v9", "github.com/prometheus/client_golang/prometheus"
	for _, c := range []struct {
		pkg       string
		links     []string
		forbidden []string
	}{
		{"delegation", nil, []string{"net/http", "github.com/miekg/dns"}},
		{"discovery/floors", nil, []string{bbolt, redis}},
		{"discovery/floors/filestore", []string{bbolt}, []string{redis}},
		{"discovery/floors/redisstore", []string{redis}, []string{bbolt}},
		{"discovery/verifier", nil, []string{bbolt, redis, prometheus}},
		{"internal/daemon", []string{prometheus}, []string{bbolt, redis}},
		{"cmd/dnasign", nil, []string{bbolt, redis, prometheus, "testvectors", "internal/testkit/dnsserver"}},
		{"cmd/dnaverify", []string{bbolt, redis, prometheus}, []string{"testvectors"}},
		// The generator of the test vectors does not use what the vectors test.
		{"internal/vectors", nil, []string{"delegation", "encoding/jws", "encoding/x509attr", "keys", "discovery", "testvectors"}},
	} {
		deps := list(t, "-deps", "./"+c.pkg)
		for _, pkg := range c.links {
			if deps[pkg] == nil {
				t.Errorf("%s has ceased to link %s", c.pkg, pkg)
			}
		}
		for _, pkg := range c.forbidden {
			if _, linked := deps[pkg]; linked {
				t.Errorf("%s links %s", c.pkg, pkg)
			}
		}
	}
}

// TestExportedTypes: the public packages show types of theirs and of the
// standard library only. So a program depends on no other library through them.
func TestExportedTypes(t *testing.T) {
	checked := 0
	files := sources(t, "keys", "encoding/*", "delegation", "delegation/*", "discovery", "discovery/*", "discovery/floors/*")
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		foreign := map[string]bool{} // by the name in this file
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if host, _, _ := strings.Cut(path, "/"); !strings.Contains(host, ".") || strings.HasPrefix(path, module) && !strings.Contains(path, "/internal/") {
				continue
			}
			elements := strings.Split(path, "/")
			name := elements[len(elements)-1]
			if len(name) == 2 && name[0] == 'v' {
				name = elements[len(elements)-2]
			}
			if spec.Name != nil {
				name = spec.Name.Name
			}
			foreign[strings.TrimPrefix(name, "go-")] = true
		}
		ast.FileExports(f)
		for _, decl := range f.Decls {
			checked++
			if fn, ok := decl.(*ast.FuncDecl); ok {
				if fn.Recv != nil && !ast.IsExported(receiver(fn)) {
					continue
				}
				fn.Body = nil
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && foreign[x.Name] {
						t.Errorf("%s: %s.%s is in the exported API", file, x.Name, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
	if checked < 300 {
		t.Errorf("only %d declarations in %d files", checked, len(files))
	}
}

// receiver is the name of the type that a method belongs to.
func receiver(fn *ast.FuncDecl) (name string) {
	ast.Inspect(fn.Recv.List[0].Type, func(n ast.Node) bool {
		if x, ok := n.(*ast.Ident); ok && name == "" {
			name = x.Name
		}
		return name == ""
	})
	return name
}

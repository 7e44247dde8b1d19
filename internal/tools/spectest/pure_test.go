package spectest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// impure are packages through which files, the network or other programs can
// be reached.
var impure = []string{"os", "os/exec", "os/signal", "io/ioutil", "net", "net/http", "syscall", "plugin", "log", "log/slog", "path/filepath"}

// clocks are the functions of package time that read the clock.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// TestPure: delegation, what is below it and encoding/* do no I/O and read no clock.
func TestPure(t *testing.T) {
	files := sources(t, "delegation", "delegation/association", "encoding/*")
	if len(files) < 19 {
		t.Errorf("only %d files", len(files))
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(impure, path) {
				t.Errorf("%s imports %s", file, path)
			}
			if path == "time" && spec.Name != nil {
				t.Errorf("%s gives package time another name", file)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, s.Sel.Name) {
					t.Errorf("%s uses time.%s", file, s.Sel.Name)
				}
			}
			return true
		})
	}
}

// sources are the files of packages without their tests.
func sources(t *testing.T, packages ...string) []string {
	t.Helper()
	var list []string
	for _, pkg := range packages {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pkg), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, files...)
	}
	return slices.DeleteFunc(list, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
}

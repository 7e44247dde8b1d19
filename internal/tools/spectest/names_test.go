package spectest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestNames: a package has few exported names, so that somebody can read them all.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		pkg         string
		least, most int
	}{{"delegation", 60, 90}, {"discovery/verifier", 15, 25}} {
		var names []string
		for _, file := range sources(t, c.pkg) {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.FileExports(f)
			for _, d := range f.Decls {
				names = append(names, declared(d)...)
			}
		}
		if len(names) < c.least || len(names) > c.most {
			t.Errorf("%s has %d names, want %d to %d: %q", c.pkg, len(names), c.least, c.most, names)
		}
	}
}

// TestVerbs: no name stands for functions of more than three packages, so that a
// search finds what is meant.
func TestVerbs(t *testing.T) {
	where := map[string][]string{}
	for _, row := range order {
		for _, pkg := range row {
			for _, file := range sources(t, pkg) {
				f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range f.Decls {
					fn, ok := d.(*ast.FuncDecl)
					if !ok || fn.Recv != nil || fn.Name.Name == "main" {
						continue
					}
					name := strings.ToLower(fn.Name.Name)
					if !slices.Contains(where[name], pkg) { // a file for each system has its own
						where[name] = append(where[name], pkg)
					}
				}
			}
		}
	}
	if len(where) < 500 {
		t.Errorf("only %d names", len(where))
	}
	for name, packages := range where {
		if len(packages) > 3 {
			t.Errorf("%s is a function of %q", name, packages)
		}
	}
}

// declared are the names of a declaration, without methods.
func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}

package spectest

import (
	"go/ast"
	"go/parser"
	"go/token"
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

package spectest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fuzzTarget = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// TestFuzzTargets: every fuzz target has a corpus in the tree and a law in
// docs/fuzzing.md.
func TestFuzzTargets(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "fuzzing.md"))
	if err != nil {
		t.Fatal(err)
	}
	laws, _, found := strings.Cut(string(text), "## What it found")
	if !found {
		t.Fatal("docs/fuzzing.md has another form")
	}
	targets := 0
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		source, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		for _, m := range fuzzTarget.FindAllStringSubmatch(string(source), -1) {
			targets++
			dir := path.Dir(name)
			if !strings.Contains(laws, "`"+dir+"."+m[1]+"`") {
				t.Errorf("docs/fuzzing.md does not tell the law of %s.%s", dir, m[1])
			}
			corpus, err := filepath.Glob(filepath.Join(root, dir, "testdata", "fuzz", m[1], "*"))
			if err != nil || len(corpus) < 5 {
				t.Errorf("%s.%s has %d inputs under testdata/fuzz", dir, m[1], len(corpus))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if targets < 32 {
		t.Errorf("only %d fuzz targets", targets)
	}
}

package spectest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// texts gives every text of the project that people write: pages, comments and
// configurations, by path.
func texts(t *testing.T) map[string]string {
	t.Helper()
	kinds := []string{".md", ".go", ".js", ".java", ".lua", ".yaml", ".yml", ".sh", ".txtar", ".service"}
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "build"):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains(kinds, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		found[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil || len(found) < 300 {
		t.Fatalf("%d texts, %v", len(found), err)
	}
	return found
}

var (
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	number  = regexp.MustCompile(`^(\d+(?:\.\d+)*)\.? `)
	// numbered is a section of a page: "spec.md, section 11", "docs/reasons.md), section 3".
	numbered = regexp.MustCompile("([a-z-]+)\\.md`?\\)?,?\\s+(?://\\s*|\\*\\s*)?[Ss]ections? (\\d+(?:\\.\\d+)*)")
	// bare is a section of the specification, in the verifiers written from it.
	bare = regexp.MustCompile(`(.{0,60})\b[Ss]ection (\d+(?:\.\d+)*)`)
	// ofAnother is what stands before the section of another document.
	ofAnother = regexp.MustCompile(`(?i)(rfc \d+|xep-\d+|x\.\d+|\.md)[,)]*\s*$`)
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	named     = regexp.MustCompile("`((?:cmd|internal|docs|integrations|delegation|discovery|encoding|keys|testvectors)/[\\w./-]+)`")
	cited     = regexp.MustCompile(`\[([A-Z]\d{1,2}[a-z]?)\]|\b[Rr]ules? ([A-Z]\d{1,2}[a-z]?)\b`)
	fenced    = regexp.MustCompile("(?ms)^```.*?^```")
)

// sections are the numbers of the headings of a page.
func sections(text string) (list []string) {
	for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		if n := number.FindStringSubmatch(h[1]); n != nil {
			list = append(list, n[1])
		}
	}
	return list
}

// TestSections: a numbered section that a page or a comment refers to exists.
func TestSections(t *testing.T) {
	all := texts(t)
	checked := 0
	for path, text := range all {
		check := func(page, section string) {
			checked++
			if !slices.Contains(sections(all["docs/"+page+".md"]), section) {
				t.Errorf("%s: %s.md has no section %s", path, page, section)
			}
		}
		if path == "docs/decisions.md" { // it tells of the first edition, too
			continue
		}
		for _, m := range numbered.FindAllStringSubmatch(text, -1) {
			if _, ours := all["docs/"+m[1]+".md"]; ours {
				check(m[1], m[2])
			}
		}
		page := ""
		switch {
		case strings.HasPrefix(path, "integrations/java/src/"), strings.HasPrefix(path, "integrations/javascript/src/"):
			page = "spec"
		case path == "docs/spec.md", path == "docs/connections.md", path == "docs/reports.md":
			page = strings.TrimSuffix(filepath.Base(path), ".md")
		default:
			continue
		}
		for _, m := range bare.FindAllStringSubmatch(text, -1) {
			if !ofAnother.MatchString(m[1]) {
				check(page, m[2])
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d sections are referred to", checked)
	}
}

// TestCitedRules: a rule that a page or a comment names is defined.
func TestCitedRules(t *testing.T) {
	defined := map[string]bool{}
	for _, name := range rulePages {
		for _, m := range definition.FindAllStringSubmatch(page(t, name), -1) {
			defined[m[1]], defined[m[1]+m[2]] = true, true
		}
	}
	checked := 0
	for path, text := range texts(t) {
		if path == "docs/decisions.md" || path == "CHANGELOG.md" || strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, m := range cited.FindAllStringSubmatch(text, -1) {
			checked++
			if rule := m[1] + m[2]; !defined[rule] {
				t.Errorf("%s: there is no rule %s", path, rule)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d rules are named", checked)
	}
}

// anchor is what GitHub makes of a heading.
func anchor(title string) string {
	title = regexp.MustCompile("[`*]|\\]\\([^)]*\\)|\\[").ReplaceAllString(strings.ToLower(title), "")
	title = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(title, "")
	return strings.ReplaceAll(title, " ", "-")
}

// TestLinks: a link of a page leads to a file of the project, and to a heading
// of it. A path that it names exists.
func TestLinks(t *testing.T) {
	all := texts(t)
	checked, anchors, paths := 0, 0, 0
	for path, text := range all {
		if filepath.Ext(path) != ".md" {
			continue
		}
		if path != "docs/decisions.md" && path != "CHANGELOG.md" { // which tell of what is gone, too
			for _, m := range named.FindAllStringSubmatch(text, -1) {
				paths++
				_, err := os.Stat(filepath.Join(root, m[1]))
				if function.MatchString(m[1]) {
					err = exists(t, m[1])
				}
				if err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		}
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			checked++
			file, name, hasName := strings.Cut(m[1], "#")
			to := filepath.ToSlash(filepath.Join(filepath.Dir(path), file))
			if file == "" {
				to = path
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if !hasName {
				continue
			}
			anchors++
			if !slices.ContainsFunc(heading.FindAllStringSubmatch(fenced.ReplaceAllString(all[to], ""), -1), func(h []string) bool { return anchor(h[1]) == name }) {
				t.Errorf("%s: %s has no heading for #%s", path, to, name)
			}
		}
	}
	if checked < 60 || anchors < 3 || paths < 100 {
		t.Errorf("only %d links, %d of them to a heading, and %d paths", checked, anchors, paths)
	}
}

package vectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Elsewhere are the rules that no case can break, since they are about live
// connections, the order of work or what happens as time passes. README.md of
// testvectors says what tests them.
var Elsewhere = []string{"H1", "D3", "C10", "P2", "R2"}

// fewest is how many cases there are at least.
const fewest = 300

// idForm is that of IDs: words of lower-case letters and digits.
var idForm = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)

// enums are the closed lists of the schema.
type enums struct {
	Defs struct {
		Rule, Reason struct{ Enum []string }
	} `json:"$defs"`
}

// Lint holds files to what README.md of testvectors promises and a schema
// cannot say. bases are the refused cases without their defects. The error has
// one line for each fault.
func Lint(files []File, bases []Case) error {
	var closed enums
	if err := json.Unmarshal(Schema, &closed); err != nil {
		return err
	}
	l := &linter{ids: map[string]bool{}, rules: map[string]bool{}, reasons: map[string]bool{}}
	for _, f := range files {
		l.file(f)
	}
	l.defects(files, bases)
	if len(l.ids) < fewest {
		l.fault("%d cases, at least %d are wanted", len(l.ids), fewest)
	}
	for _, rule := range closed.Defs.Rule.Enum {
		if elsewhere := slices.Contains(Elsewhere, rule); l.rules[rule] == elsewhere {
			l.fault("%s: in cases is %t, elsewhere is %t", rule, l.rules[rule], elsewhere)
		}
	}
	for _, reason := range closed.Defs.Reason.Enum {
		if !l.reasons[reason] {
			l.fault("no case ends with %s", reason)
		}
	}
	return errors.Join(l.faults...)
}

type linter struct {
	faults              []error
	ids, rules, reasons map[string]bool // seen
}

func (l *linter) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Errorf(format, args...))
}

func (l *linter) file(f File) {
	used := map[string]bool{}
	for _, c := range f.Cases {
		switch {
		case l.ids[c.ID]:
			l.fault("%s: the ID is there twice", c.ID)
		case !idForm.MatchString(c.ID) || !strings.HasPrefix(c.ID, f.Family+"-"):
			l.fault("%s: not the form of an ID of %s", c.ID, f.Family)
		case c.Comment == "":
			l.fault("%s: no comment", c.ID)
		case len(c.Flags) == 0:
			l.fault("%s: no flag", c.ID)
		}
		l.ids[c.ID] = true
		l.reasons[c.Expect.Reason] = true
		for _, reason := range c.Expect.Methods {
			l.reasons[reason] = true
		}
		for i, flag := range c.Flags {
			if _, explained := f.Notes[flag]; !explained || slices.Contains(c.Flags[:i], flag) {
				l.fault("%s: the flag %s is not explained, or there twice", c.ID, flag)
			}
			used[flag] = true
		}
	}
	for flag, note := range f.Notes {
		if !used[flag] {
			l.fault("%s: no case has the flag %s", f.Family, flag)
		}
		if len(note.Rules) == 0 || note.About == "" || note.Attack == "" {
			l.fault("%s: the flag %s is not explained", f.Family, flag)
		}
		for _, rule := range note.Rules {
			l.rules[rule] = true
		}
	}
}

// defects: a case of verify that does not verify has a base that differs from
// it, in one change of the generator.
func (l *linter) defects(files []File, bases []Case) {
	base := map[string]Case{}
	for _, c := range bases {
		base[c.ID] = c
	}
	for _, f := range files {
		for _, c := range f.Cases {
			without, ok := base[c.ID]
			if c.Operation != "verify" || c.Expect.Outcome == "verified" {
				continue
			}
			if !ok || without.Expect.Outcome != "verified" || sameInput(c, without) {
				l.fault("%s: no valid case is known from which one change makes it", c.ID)
			}
		}
	}
}

// sameInput reports whether two cases ask the same.
func sameInput(a, b Case) bool {
	input := func(c Case) string {
		c.ID, c.Comment, c.Flags, c.Expect = "", "", nil, nil
		text, err := json.Marshal(c)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	return input(a) == input(b)
}

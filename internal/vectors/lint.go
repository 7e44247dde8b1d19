package vectors

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// idForm is that of IDs: the family, and words of lower-case letters and digits.
var idForm = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)

// Lint holds files to what README.md of testvectors promises and a schema
// cannot say. The error has one line for each fault.
func Lint(files []File) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	ids := map[string]bool{}
	for _, f := range files {
		used := map[string]bool{}
		for _, c := range f.Cases {
			switch {
			case ids[c.ID]:
				fault("%s: the ID is there twice", c.ID)
			case !idForm.MatchString(c.ID):
				fault("%s: not the form of an ID", c.ID)
			case c.Comment == "":
				fault("%s: no comment", c.ID)
			case len(c.Flags) == 0:
				fault("%s: no flag", c.ID)
			}
			ids[c.ID] = true
			for i, flag := range c.Flags {
				if _, explained := f.Notes[flag]; !explained || slices.Contains(c.Flags[:i], flag) {
					fault("%s: the flag %s is not explained, or there twice", c.ID, flag)
				}
				used[flag] = true
			}
		}
		for flag, note := range f.Notes {
			if !used[flag] {
				fault("%s: no case has the flag %s", f.Family, flag)
			}
			if len(note.Rules) == 0 || note.About == "" || note.Attack == "" {
				fault("%s: the flag %s is not explained", f.Family, flag)
			}
		}
	}
	return errors.Join(faults...)
}

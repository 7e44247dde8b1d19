package main

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// tests are those of packages in Go. For their faults, vectors is a package and a
// regular expression of tests, with a space between.
type tests struct{ goVerifier }

func (tests) list() []fault { return testFaults }

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// try runs tests up to the first that fails. Without a fault it runs all that are
// named.
func (tests) try(ctx context.Context, dir string, texts map[string]string, which string) ([]string, error) {
	overlay, err := writeOverlay(dir, texts)
	if err != nil {
		return nil, err
	}
	named := []string{which}
	if which == "" {
		named = nil
		for _, f := range testFaults {
			if !slices.Contains(named, f.vectors) {
				named = append(named, f.vectors)
			}
		}
	}
	var list []string
	for _, which := range named {
		pkg, names, _ := strings.Cut(which, " ")
		args := []string{"test", quickBuild, "-vet=off", "-failfast", "-timeout", "5m", "-overlay", overlay, "-run", "^(" + names + ")$", "./" + pkg}
		if pkg == "delegation" {
			args = append(args, "-rapid.nofailfile") // nothing is left in the tree
		}
		output, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
		var exit *exec.ExitError
		switch found := failedTest.FindAllSubmatch(output, -1); {
		case err != nil && !errors.As(err, &exit):
			return nil, err
		case err != nil && len(found) == 0, strings.Contains(string(output), "no tests to run"):
			return nil, errors.New(string(output))
		default:
			for _, test := range found {
				list = append(list, string(test[1]))
			}
		}
	}
	return list, nil
}

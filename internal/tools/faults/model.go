package main

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"slices"
)

// A model is a test that explores what can happen, and holds the code in Go to laws.
// For its faults, vectors is a regular expression of scenarios, or, where there are
// none, the law.
type model struct {
	goVerifier
	pkg, test string
	scenarios string // without a fault
	faults    []fault
}

// worlds are those of owners, thieves and nodes; machine is that of one role in an
// engine.
var (
	worlds  = model{pkg: "./internal/tools/model", test: "^TestModel$", scenarios: "an_honest_network", faults: modelFaults}
	machine = model{pkg: "./discovery/verifier", test: "^TestMachine$", scenarios: "all", faults: machineFaults}
)

func (m model) list() []fault { return m.faults }

var brokenLaw = regexp.MustCompile(`(?m)^ *(?:explore|laws)_test\.go:\d+: (\w+) is broken:$`)

// try runs scenarios, and gives the laws that are broken.
func (m model) try(ctx context.Context, dir string, texts map[string]string, scenarios string) ([]string, error) {
	overlay, err := writeOverlay(dir, texts)
	if err != nil {
		return nil, err
	}
	if scenarios == "" {
		scenarios = m.scenarios
	}
	output, err := exec.CommandContext(ctx, "go", "test", quickBuild, "-vet=off", "-overlay", overlay, "-run", m.test+"/"+scenarios, m.pkg).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	var laws []string
	for _, found := range brokenLaw.FindAllSubmatch(output, -1) {
		if law := "law " + string(found[1]); !slices.Contains(laws, law) {
			laws = append(laws, law)
		}
	}
	if err != nil && len(laws) == 0 {
		return nil, errors.New(string(output))
	}
	return laws, nil
}

// modelFaults are rules of the first edition, or of no edition, that let the wrong
// peer in or lock the owner out.
var modelFaults = []fault{
	mistake("put the family rule back: a statement for each label, and the verdict joins both", "statements_for_the_second_label|a_former_provider",
		inGo("delegation/judge.go", "\tif err := s.checkRole(); err != nil {\n\t\treturn err\n\t}\n\tif s.Service != q.Service {",
			"\tif RoleOf(s.Service).Service != q.Service {"),
		inGo("delegation/judge.go", "if err := floor.checkAgainst(p.Floor); err != nil {",
			"if err := floor.checkAgainst(p.Floor); err != nil && s.Service == q.Service {"),
		inGo("delegation/verify.go", "\tchosen, floor, conflict := newest(v.proven, &v.log)\n", familyRule)),
	mistake("order by notBefore", "the_key_is_stolen",
		inGo("delegation/issuance.go", "\tcase ok:\n\t\treturn logged, nil\n", "\tcase ok && logged.IsZero():\n\t\treturn logged, nil\n")),
	mistake("leave the floor where it is after a contradiction", "the_stolen_key_signs_at_the_owner's_moment",
		inGo("delegation/verify.go", "err.Floor = v.log.written(), v.unverified, floor\n",
			"err.Floor = v.log.written(), v.unverified, floor\n\t\tif conflict != nil {\n\t\t\terr.Floor = Floor{}\n\t\t}\n")),
	mistake("do not ask for the floor when somebody connects", "two_nodes_with_a_common_store",
		inGo("delegation/peer.go", "if p.Floor == nil || f.IsZero() {", "if true {")),
	mistake("sign above the last statement with a newer certificate too", "the_owner's_clock_was_ahead",
		inGo("internal/signing/signing.go", "later >= 0 && next.After(issued) {", "next.After(issued) {")),
}

// familyRule chooses the newest statement of each label, and joins their targets.
const familyRule = `
	var first, second []*Proven
	for _, proven := range v.proven {
		if proven.Statement.Service == q.Service {
			first = append(first, proven)
		} else {
			second = append(second, proven)
		}
	}
	chosen, floor, conflict := newest(first, &v.log)
	if other, _, _ := newest(second, &v.log); other != nil && (chosen == nil || other.Statement.Revoked()) {
		chosen, floor = other, Floor{}
	} else if other != nil {
		chosen.Statement.Targets = append(cloneTargets(chosen.Statement.Targets), other.Statement.Targets...)
	}
`

package spectest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/internal/vectors/run"
	"github.com/dnasign/dnasign/testvectors"
)

// TestVectorSchema: the closed lists of the schema of the test vectors, by which
// they are held to cover everything, are those of the text and of the code.
func TestVectorSchema(t *testing.T) {
	var schema struct {
		Defs map[string]struct{ Enum []string } `json:"$defs"`
	}
	if err := json.Unmarshal(vectors.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	var rules, ends, lookups []string
	for _, name := range rulePages {
		for _, m := range definition.FindAllStringSubmatch(page(t, name), -1) {
			// The rules G are for those who sign. No case asks them.
			if m[1][0] != 'G' && !slices.Contains(rules, m[1]) {
				rules = append(rules, m[1])
			}
		}
	}
	among := false
	for _, r := range reasons.Reasons() {
		ends = append(ends, string(r))
		among = among || r == reasons.Unanswered
		if among {
			lookups = append(lookups, string(r))
		}
		among = among && r != reasons.AddressNotAllowed
		if r == reasons.Verified {
			break // what comes after is of programs around a verifier
		}
	}
	for name, want := range map[string][]string{"rule": rules, "reason": ends, "reasonOfLookup": lookups} {
		if got := schema.Defs[name].Enum; len(want) < 10 || !slices.Equal(got, want) {
			t.Errorf("%s: the schema has\n%q, want\n%q", name, got, want)
		}
	}
}

// TestVectorREADME: the tables of testvectors/README.md are about the rules that
// no case can break, with tests that exist, and about the features of the cases.
func TestVectorREADME(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "testvectors", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	after := func(heading string) string {
		_, text, found := strings.Cut(string(data), "\n## "+heading+"\n")
		if !found {
			t.Fatalf("no section %q", heading)
		}
		return text
	}
	var listed []string
	for _, row := range rows(t, after("Rules without a case"), 3) {
		listed = append(listed, row[0])
		tests := code.FindAllStringSubmatch(row[2], -1)
		if len(tests) == 0 {
			t.Errorf("%s has no test", row[0])
		}
		for _, test := range tests {
			if err := exists(t, test[1]); err != nil {
				t.Errorf("%s: %v", row[0], err)
			}
		}
	}
	for _, rule := range vectors.Elsewhere {
		if !slices.Contains(listed, rule) {
			t.Errorf("%s is not listed", rule)
		}
	}
	files, err := run.Load(testvectors.Files)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, f := range files {
		for _, c := range f.Cases {
			for _, feature := range c.Features {
				count++
				if !regexp.MustCompile("\\| `" + regexp.QuoteMeta(feature) + "` \\|").MatchString(after("Features")) {
					t.Errorf("the feature %s is not listed", feature)
				}
			}
		}
		if !strings.Contains(after("Families"), "| `"+f.Family+"` |") {
			t.Errorf("the family %s is not listed", f.Family)
		}
	}
	t.Logf("%d features", count)
}

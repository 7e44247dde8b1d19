package cli

import (
	"encoding/json"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/hints"
)

// Checks have a hint in JSON for each that failed.
type Checks []delegation.Check

// MarshalJSON gives a list, empty if there are none.
func (c Checks) MarshalJSON() ([]byte, error) {
	type check struct {
		delegation.Check
		Hint string `json:"hint,omitempty"`
	}
	list := []check{}
	for _, one := range c {
		list = append(list, check{one, hintOf(one)})
	}
	return json.Marshal(list)
}

// Explained is a report with hints: of the verdict, and of each check that failed.
type Explained struct {
	delegation.Report
	Hint   string `json:"hint,omitempty"`
	Checks Checks `json:"checks"`
}

// Explain adds the hints to a report.
func Explain(r delegation.Report) Explained {
	return Explained{Report: r, Hint: hints.For(r.Reason), Checks: r.Checks}
}

func hintOf(c delegation.Check) string {
	if c.Outcome != delegation.CheckFail {
		return ""
	}
	return hints.For(c.Reason)
}

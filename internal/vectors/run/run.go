package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/dnasign/dnasign/internal/vectors"
)

// An Answer is what a verifier says to a case: the members of expect that it
// can tell, by their names.
type Answer map[string]any

// A Verifier answers cases.
type Verifier interface {
	// Answer answers a case, of which it sees neither what is expected nor the
	// comment and the flags. The error is [ErrSkipped] with the cause where the
	// verifier does not have what the case needs. Any other error ends the run.
	Answer(ctx context.Context, c vectors.Case) (Answer, error)
}

// ErrSkipped: the verifier does not have what a case needs.
var ErrSkipped = errors.New("skipped")

// A Result is how one case went.
type Result struct {
	ID      string `json:"id"`
	Family  string `json:"family"`
	Skipped string `json:"skipped,omitempty"` // why
	// Differences are the members that are not as expected; none: passed.
	Differences []Difference `json:"differences,omitempty"`
}

// A Difference is one member of what is expected that came out otherwise.
type Difference struct {
	Member string `json:"member"`
	Got    any    `json:"got"`
	Want   any    `json:"want"`
}

// Passed reports whether everything that was said is as expected.
func (r Result) Passed() bool { return r.Skipped == "" && len(r.Differences) == 0 }

// Run has a verifier answer all cases of files in their order and calls done
// with each result. The error is that of the verifier, or of ctx.
func Run(ctx context.Context, v Verifier, files []vectors.File, done func(vectors.Case, Result)) error {
	for _, f := range files {
		for _, c := range f.Cases {
			if err := ctx.Err(); err != nil {
				return err
			}
			r, err := one(ctx, v, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.ID, err)
			}
			r.Family = f.Family
			done(c, r)
		}
	}
	return nil
}

// one has one case answered.
func one(ctx context.Context, v Verifier, c vectors.Case) (Result, error) {
	want, err := members(c.Expect)
	if err != nil {
		return Result{}, err
	}
	asked := c
	asked.Expect, asked.Comment, asked.Flags = nil, "", nil
	got, err := v.Answer(ctx, asked)
	switch {
	case errors.Is(err, ErrSkipped):
		return Result{ID: c.ID, Skipped: err.Error()}, nil
	case err != nil:
		return Result{}, err
	}
	return Result{ID: c.ID, Differences: compare(got, want)}, nil
}

// members gives a value its JSON form.
func members(v any) (Answer, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var a Answer
	return a, json.Unmarshal(data, &a)
}

// compare compares an answer with what is expected: outcome and reason always,
// and of the rest what the answer has. Times are equal if they mean the same
// moment.
func compare(got, want Answer) []Difference {
	var list []Difference
	for _, member := range slices.Sorted(maps.Keys(want)) {
		value, given := got[member]
		if !given && member != "outcome" && member != "reason" {
			continue
		}
		if !reflect.DeepEqual(moments(value), moments(want[member])) {
			list = append(list, Difference{member, value, want[member]})
		}
	}
	return list
}

// moments replaces texts that are times by those times, at every depth.
func moments(v any) any {
	switch v := v.(type) {
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.UnixNano()
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = moments(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name := range v {
			out[name] = moments(v[name])
		}
		return out
	}
	return v
}

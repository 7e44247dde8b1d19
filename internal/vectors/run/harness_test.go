package run

import (
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/internal/vectors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var small = vectors.Case{ID: "https-a", Operation: "address", Address: "8.8.8.8"}

// TestHarness: programs that keep to the protocol and such that do not.
func TestHarness(t *testing.T) {
	large := small
	large.Address = strings.Repeat("8", 1<<20) // more than a pipe holds
	for _, c := range []struct {
		name, command string
		patience      time.Duration
		asked         vectors.Case
		want          string // in the error; none: an answer
	}{
		{"echo", "cat", 0, small, ""},
		{"silent", "sleep 1000", 20 * time.Millisecond, small, "no answer in 20ms"},
		{"silent, and does not read", "sleep 1000", 20 * time.Millisecond, large, "no answer in 20ms"},
		{"dead", "true", 0, small, "the program "},
		{"a line without an end", "cat /dev/zero", 0, small, "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := Start(t.Context(), c.command, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			h.Patience = c.patience
			answer, err := h.Answer(t.Context(), c.asked)
			switch {
			case c.want == "" && (err != nil || answer["address"] != "8.8.8.8"):
				t.Errorf("got %v, %v", answer, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	for _, command := range []string{"", "  ", "no-such-program"} {
		if _, err := Start(t.Context(), command, io.Discard); err == nil {
			t.Errorf("%q was started", command)
		}
	}
}

// TestHidden: a verifier sees neither what is expected nor what a case is about.
func TestHidden(t *testing.T) {
	c := small
	c.Comment, c.Flags, c.Expect = "secret", []string{"secret"}, &vectors.Expect{Outcome: "verified", Reason: "verified"}
	files := []vectors.File{{Family: "https", Cases: []vectors.Case{c}}}
	seen := spy{}
	if err := Run(t.Context(), &seen, files, func(vectors.Case, Result) {}); err != nil {
		t.Fatal(err)
	}
	if seen.c.Comment != "" || seen.c.Flags != nil || seen.c.Expect != nil || seen.c.Address != c.Address {
		t.Errorf("seen: %+v", seen.c)
	}
}

// TestCompare: what is compared, and how.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want string
		differ    string
	}{
		{"equal", `{"outcome":"a","reason":"b"}`, `{"outcome":"a","reason":"b"}`, ""},
		{"more is said", `{"outcome":"a","reason":"b","x":1}`, `{"outcome":"a","reason":"b"}`, ""},
		{"less is said", `{"outcome":"a","reason":"b"}`, `{"outcome":"a","reason":"b","targets":["x"]}`, ""},
		{"no reason", `{"outcome":"a"}`, `{"outcome":"a","reason":"b"}`, "reason"},
		{"another outcome", `{"outcome":"b","reason":"b"}`, `{"outcome":"a","reason":"b"}`, "outcome"},
		{"lists have an order", `{"outcome":"a","reason":"b","dial":["x","y"]}`, `{"outcome":"a","reason":"b","dial":["y","x"]}`, "dial"},
		{"the same floor", `{"outcome":"a","reason":"b","floor":{"x":1,"y":2}}`, `{"outcome":"a","reason":"b","floor":{"y":2,"x":1}}`, ""},
		{"another floor", `{"outcome":"a","reason":"b","floor":{"x":1}}`, `{"outcome":"a","reason":"b","floor":{"x":2}}`, "floor"},
		{"a floor for none", `{"outcome":"a","reason":"b","floor":{"x":1}}`, `{"outcome":"a","reason":"b","floor":null}`, "floor"},
		{"none for a floor", `{"outcome":"a","reason":"b","floor":null}`, `{"outcome":"a","reason":"b","floor":{"x":1}}`, "floor"},
		{"no floor at all", `{"outcome":"a","reason":"b","floor":null}`, `{"outcome":"a","reason":"b","floor":null}`, ""},
		{"the same moment", `{"outcome":"a","reason":"b","expires":"2026-07-01T12:00:00.000Z"}`, `{"outcome":"a","reason":"b","expires":"2026-07-01T12:00:00Z"}`, ""},
		{"another moment", `{"outcome":"a","reason":"b","expires":"2026-07-01T12:00:00.001Z"}`, `{"outcome":"a","reason":"b","expires":"2026-07-01T12:00:00Z"}`, "expires"},
		{"null for nothing", `{"outcome":"a","reason":"b","expires":null}`, `{"outcome":"a","reason":"b","expires":"2026-07-01T12:00:00Z"}`, "expires"},
		{"required is false", `{"outcome":"a","reason":"b","required":true}`, `{"outcome":"a","reason":"b","required":false}`, "required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got, want Answer
			unmarshal(t, c.got, &got)
			unmarshal(t, c.want, &want)
			var members []string
			for _, d := range compare(got, want) {
				members = append(members, d.Member)
			}
			if strings.Join(members, " ") != c.differ {
				t.Errorf("got %q, want %q", members, c.differ)
			}
		})
	}
}

// TestLoadLimits: what is too much is refused.
func TestLoadLimits(t *testing.T) {
	files := fstest.MapFS{}
	for i := range MaxFiles + 1 {
		files[strings.Repeat("a", i+1)+".json"] = &fstest.MapFile{}
	}
	if _, err := Load(files); err == nil || !strings.Contains(err.Error(), "at most 64") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(fstest.MapFS{"jws.json": {Data: make([]byte, MaxFileSize+1)}}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(fstest.MapFS{SchemaFile: {}}); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("got %v", err)
	}
}

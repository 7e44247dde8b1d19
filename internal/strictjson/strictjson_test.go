package strictjson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/testvectors"
)

var good = []string{
	`{}`, `[]`, `""`, `0`, `9007199254740991`, " {\t\"a\" :\r\n [ 1 , \"x\" ] } ",
	`{"a":{"b":[{"c":1}]}}`, `{"iss":"b.example","targets":[{"host":"h.example","port":5269}]}`,
}

var bad = map[string]string{
	"empty":               ``,
	"only space":          " \n",
	"null":                `{"a":null}`,
	"true":                `{"a":true}`,
	"minus":               `-1`,
	"fraction":            `1.0`,
	"exponent":            `1e3`,
	"leading zero":        `01`,
	"too big":             `9007199254740992`,
	"far too big":         strings.Repeat("9", 40),
	"duplicate":           `{"a":1,"a":1}`,
	"escape in a value":   `{"a":"\u0062"}`,
	"escape in a name":    `{"\u0061":1}`,
	"escaped duplicate":   `{"a":1,"\u0061":1}`,
	"control":             "\"a\nb\"",
	"not ASCII":           `"é"`,
	"invalid UTF-8":       "\"\xff\"",
	"DEL":                 "\"\x7f\"",
	"byte order mark":     "\ufeff{}",
	"trailing data":       `{} {}`,
	"trailing comma":      `{"a":1,}`,
	"trailing comma [":    `[1,]`,
	"missing comma":       `[1 2]`,
	"missing colon":       `{"a" 1}`,
	"missing name":        `{1:1}`,
	"single quotes":       `{'a':1}`,
	"comment":             `{}//`,
	"unclosed object":     `{"a":1`,
	"unclosed array":      `[1`,
	"unclosed string":     `"a`,
	"NUL":                 "{}\x00",
	"depth 5":             `[[[[[]]]]]`,
	"very deep":           strings.Repeat("[", 1<<16),
	"33 elements":         `[` + strings.Repeat("1,", 32) + `1]`,
	"infinity and beyond": `Infinity`,
}

func TestParse(t *testing.T) {
	for _, text := range good {
		v, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, plain(v)); diff != "" {
			t.Errorf("%s: (-encoding/json +ours)\n%s", text, diff)
		}
	}
	for name, text := range bad {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: got %v, want ErrSyntax", name, err)
		}
	}
}

func TestMembersLimit(t *testing.T) {
	var b strings.Builder
	for i := range MaxMembers + 1 {
		b.WriteString(`,"` + string(rune('a'+i)) + `":1`)
	}
	all := b.String()[1:]
	if _, err := Parse([]byte("{" + all[:len(all)-len(`,"q":1`)] + "}")); err != nil {
		t.Errorf("%d members: %v", MaxMembers, err)
	}
	if _, err := Parse([]byte("{" + all + "}")); !errors.Is(err, ErrSyntax) {
		t.Errorf("%d members: got %v, want ErrSyntax", MaxMembers+1, err)
	}
}

func TestFields(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // part of the error, empty for none
	}{
		"all there":        {`{"n":1,"s":"x","l":[]}`, ""},
		"optional":         {`{"n":1,"s":"x","l":[],"o":[1]}`, ""},
		"not an object":    {`[]`, "not an object"},
		"missing":          {`{"s":"x","l":[]}`, `no "n"`},
		"wrong kind":       {`{"n":"1","s":"x","l":[]}`, "a string, not an integer"},
		"optional, wrong":  {`{"n":1,"s":"x","l":[],"o":1}`, "an integer, not an array"},
		"unknown":          {`{"n":1,"s":"x","l":[],"x":1}`, `unknown name "x"`},
		"other case":       {`{"N":1,"s":"x","l":[]}`, `no "n"`},
		"other case twice": {`{"n":1,"N":1,"s":"x","l":[]}`, `unknown name "N"`},
	} {
		v, err := Parse([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		f := v.Object("the test")
		f.Integer("n")
		f.String("s")
		f.Array("l")
		f.OptionalArray("o")
		err = f.End()
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// FuzzParse: what we accept, encoding/json reads as the same value.
func FuzzParse(f *testing.F) {
	for _, text := range good {
		f.Add([]byte(text))
	}
	for _, text := range bad {
		f.Add([]byte(text))
	}
	seeds, err := testvectors.ReadSeeds()
	if err != nil {
		f.Fatal(err)
	}
	for _, token := range seeds.Tokens {
		for part := range bytes.SplitSeq(token, []byte(".")) {
			if text, err := base64.RawURLEncoding.DecodeString(string(part)); err == nil {
				f.Add(text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrSyntax) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("we accept, encoding/json refuses: %v", err)
		}
		if diff := cmp.Diff(want, plain(v)); diff != "" {
			t.Fatalf("(-encoding/json +ours)\n%s", diff)
		}
	})
}

// plain is v as encoding/json gives it.
func plain(v Value) any {
	switch v.Kind {
	case Object:
		m := map[string]any{}
		for _, member := range v.Members {
			m[member.Name] = plain(member.Value)
		}
		return m
	case Array:
		list := []any{}
		for _, item := range v.Items {
			list = append(list, plain(item))
		}
		return list
	case String:
		return v.Text
	}
	return float64(v.Number)
}

package vectors_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/testvectors"
)

// generated makes the files once.
var generated = sync.OnceValues(vectors.Generate)

// TestTree: what is in the tree is what is generated, octet for octet, on a
// second run as well.
func TestTree(t *testing.T) {
	first, _ := generated()
	second, _ := vectors.Generate()
	if len(first) < 8 || len(first) != len(second) {
		t.Fatalf("%d files, then %d", len(first), len(second))
	}
	want := map[string][]byte{"schema.json": vectors.Schema}
	for i, f := range first {
		want[f.Family+".json"] = marshal(t, f)
		if !bytes.Equal(marshal(t, second[i]), want[f.Family+".json"]) {
			t.Errorf("%s is another one each time", f.Family)
		}
	}
	entries, err := testvectors.Files.ReadDir(".")
	if err != nil || len(entries) != len(want) {
		t.Fatalf("%d files in the tree, want %d: %v", len(entries), len(want), err)
	}
	for _, e := range entries {
		data, err := testvectors.Files.ReadFile(e.Name())
		if err != nil || !bytes.Equal(data, want[e.Name()]) {
			t.Errorf("%s is not what is generated (%v): run dnasign vectors --out testvectors", e.Name(), err)
		}
	}
}

func marshal(t *testing.T, f vectors.File) []byte {
	t.Helper()
	data, err := vectors.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// validate holds a file to the schema.
func validate(t *testing.T, data []byte) error {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return schema(t).Validate(document)
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(vectors.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// TestSchema: every file is as the schema says.
func TestSchema(t *testing.T) {
	files, _ := generated()
	for _, f := range files {
		if err := validate(t, marshal(t, f)); err != nil {
			t.Errorf("%s: %.4000s", f.Family, err)
		}
	}
}

// TestSchemaCloses: every object of the schema is closed.
func TestSchemaCloses(t *testing.T) {
	var tree any
	if err := json.Unmarshal(vectors.Schema, &tree); err != nil {
		t.Fatal(err)
	}
	closed := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, ok := v["properties"]; ok && v["type"] == "object" && path != "/$defs/case" {
				if v["additionalProperties"] == nil {
					t.Errorf("%s is open", path)
				}
				closed++
			}
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(path+"/"+name, v[name])
			}
		case []any:
			for _, item := range v {
				walk(path, item)
			}
		}
	}
	walk("", tree)
	if closed < 30 {
		t.Errorf("only %d objects", closed)
	}
}

// TestSchemaRefuses: one change of a good file each.
func TestSchemaRefuses(t *testing.T) {
	files, _ := generated()
	text := map[string]string{}
	for _, f := range files {
		f.Cases = f.Cases[:1]
		text[f.Family] = string(marshal(t, f))
		if err := validate(t, []byte(text[f.Family])); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, family, old, with string }{
		{"member of the file", "jws", `"family"`, `"x": 1, "family"`},
		{"member of a case", "jws", `"operation"`, `"x": 1, "operation"`},
		{"member of another operation", "jws", `"operation"`, `"address": "8.8.8.8", "operation"`},
		{"member of the evidence", "jws", `"collected"`, `"x": 1, "collected"`},
		{"operation", "jws", `"verify"`, `"check"`},
		{"outcome", "jws", `"outcome": "verified"`, `"outcome": "refused"`},
		{"reason", "jws", `"reason": "verified"`, `"reason": "because"`},
		{"no query", "jws", `"query"`, `"question"`},
		{"no expires", "jws", `"expires": "2026`, `"features": "2026`},
		{"rule", "jws", `"S1"`, `"S9"`},
		{"time", "jws", `"2026-07-01T12:00:00Z"`, `"2026-07-01T12:00:00+00:00"`},
		{"state", "txt", `"insecure"`, `"safe"`},
		{"base64", "jws", `"MII`, `"-MII`},
		{"id", "jws", `"jws-usual"`, `"JWS"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(text[c.family], c.old) {
				t.Fatalf("no %s in the file", c.old)
			}
			if validate(t, []byte(strings.Replace(text[c.family], c.old, c.with, 1))) == nil {
				t.Error("accepted")
			}
		})
	}
}

// TestLint: what is generated has no fault.
func TestLint(t *testing.T) {
	if err := vectors.Lint(generated()); err != nil {
		t.Error(err)
	}
}

// TestLintFinds: one fault each.
func TestLintFinds(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(files []vectors.File, bases []vectors.Case)
		want  string
	}{
		{"an ID twice", func(f []vectors.File, _ []vectors.Case) { f[0].Cases[1].ID = f[0].Cases[0].ID }, "twice"},
		{"an ID of another family", func(f []vectors.File, _ []vectors.Case) { f[0].Cases[0].ID = "txt-something" }, "form of an ID"},
		{"no comment", func(f []vectors.File, _ []vectors.Case) { f[0].Cases[0].Comment = "" }, "no comment"},
		{"no flag", func(f []vectors.File, _ []vectors.Case) { f[0].Cases[0].Flags = nil }, "no flag"},
		{"a flag without a note", func(f []vectors.File, _ []vectors.Case) { f[0].Cases[0].Flags = []string{"x"} }, "not explained"},
		{"a note without a case", func(f []vectors.File, _ []vectors.Case) { f[0].Notes["x"] = f[0].Notes["valid"] }, "no case has the flag x"},
		{"a note that says nothing", func(f []vectors.File, _ []vectors.Case) { f[0].Notes["valid"] = vectors.Note{} }, "not explained"},
		{"a rule without a case", func(f []vectors.File, _ []vectors.Case) {
			for i := range f {
				for flag, note := range f[i].Notes {
					note.Rules = slices.DeleteFunc(slices.Clone(note.Rules), func(r string) bool { return r == "J9" })
					f[i].Notes[flag] = note
				}
			}
		}, "J9: in cases is false"},
		{"a reason without a case", func(f []vectors.File, _ []vectors.Case) {
			for i := range f {
				f[i].Cases = slices.DeleteFunc(f[i].Cases, func(c vectors.Case) bool { return c.Expect.Reason == "bag-duplicate" })
			}
		}, "no case ends with bag-duplicate"},
		{"a refused case without its base", func(_ []vectors.File, b []vectors.Case) { b[0].ID = "x" }, "no valid case is known"},
		{"too few", func(f []vectors.File, _ []vectors.Case) {
			for i := range f {
				f[i].Cases = f[i].Cases[:20]
			}
		}, "at least 300"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files, bases := generated()
			var spoiled []vectors.File
			for _, f := range files {
				f.Cases, f.Notes = slices.Clone(f.Cases), maps.Clone(f.Notes)
				spoiled = append(spoiled, f)
			}
			bases = slices.Clone(bases)
			c.spoil(spoiled, bases)
			if err := vectors.Lint(spoiled, bases); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

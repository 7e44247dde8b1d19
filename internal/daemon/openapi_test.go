package daemon

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A schema is what the test reads of one in the description.
type schema struct {
	AdditionalProperties *bool             `yaml:"additionalProperties"`
	Required             []string          `yaml:"required"`
	Properties           map[string]schema `yaml:"properties"`
	Enum                 []string          `yaml:"enum"`
	Pattern              string            `yaml:"pattern"`
	MaxLength            int               `yaml:"maxLength"`
}

// TestOpenAPI compares the description with the code: members, which of them
// are always there, and enumerations.
func TestOpenAPI(t *testing.T) {
	data, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		OpenAPI    string         `yaml:"openapi"`
		Paths      map[string]any `yaml:"paths"`
		Components struct {
			Schemas map[string]schema `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	if document.OpenAPI != "3.1.0" || len(document.Paths) != 4 {
		t.Errorf("version %s, %d paths", document.OpenAPI, len(document.Paths))
	}
	schemas := document.Components.Schemas
	for name, of := range map[string]reflect.Type{
		"Answer": reflect.TypeFor[Answer](), "Name": reflect.TypeFor[Name](), "Target": reflect.TypeFor[Target](),
		"HealthReport": reflect.TypeFor[HealthReport](), "HealthCheck": reflect.TypeFor[HealthCheck](),
	} {
		var all, always []string
		for f := range of.Fields() {
			member, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			all = append(all, member)
			if options != "omitempty" {
				always = append(always, member)
			}
		}
		equal(t, name+": members", all, keysOf(schemas[name].Properties))
		equal(t, name+": required", always, schemas[name].Required)
	}

	place := schemas["PlaceQuestion"]
	equal(t, "PlaceQuestion: required", []string{"source", "service"}, place.Required)
	equal(t, "PlaceQuestion: members", []string{"source", "service", "peer", "evidence"}, keysOf(place.Properties))
	equal(t, "TargetName: members", append(keysOf(schemas["Name"].Properties), "pins"), keysOf(schemas["TargetName"].Properties))
	equal(t, "starts", []string{"direct", "starttls", "unknown"}, schemas["Target"].Properties["start"].Enum)

	// A question has the members that the decoder takes, and no other.
	question := schemas["Question"]
	members := []string{"source", "service", "direction", "chain"}
	equal(t, "Question: required", members, question.Required)
	equal(t, "Question: members", append(members, "target", "peer", "evidence", "recheck", "chain_verified", "statement"), keysOf(question.Properties))
	equal(t, "target", []string{"host", "port"}, question.Properties["target"].Required)
	equal(t, "statement", []string{"encoding", "text"}, question.Properties["statement"].Required)
	equal(t, "found", []string{"dns", "https", "stream", "store"}, slices.DeleteFunc(schemas["Answer"].Properties["found"].Enum, func(s string) bool { return s == "" }))
	for _, s := range []schema{question, question.Properties["target"], question.Properties["statement"]} {
		if s.AdditionalProperties == nil || *s.AdditionalProperties {
			t.Error("a question may have other members")
		}
	}
	for name, value := range map[string]string{
		"target": `{"host":"x.example","port":1}`, "peer": `"192.0.2.1"`, "evidence": "true", "recheck": "true", "chain_verified": "false",
		"statement": `{"encoding":"jws","text":"x.y.z"}`,
	} {
		if _, err := readQuestion([]byte(with(`"direction":"outgoing"`, `"`+name+`":`+value)), newChains()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	// Reasons and methods are open lists, in a form that all of them have.
	for _, r := range reasons.Reasons() {
		matches(t, schemas["Reason"], string(r))
	}
	for _, m := range []association.Method{association.PKIX, association.DNSSEC, association.Delegation, association.POSH} {
		matches(t, schemas["Method"], string(m))
	}
	equal(t, "outcomes", []string{string(reasons.OutcomeVerified), string(reasons.OutcomeRefused), string(reasons.OutcomeUndetermined)}, schemas["Outcome"].Enum)
	equal(t, "who verified the path", []string{"daemon", "caller"}, slices.DeleteFunc(schemas["Answer"].Properties["chain_verified_by"].Enum, func(s string) bool { return s == "" }))
	equal(t, "directions", []string{string(association.Incoming), string(association.Outgoing)}, question.Properties["direction"].Enum)
	if n := question.Properties["source"].MaxLength; n != limits.MaxNameLength {
		t.Errorf("names of %d octets", n)
	}
}

func matches(t *testing.T, s schema, value string) {
	t.Helper()
	if s.Pattern == "" || s.Enum != nil || !regexp.MustCompile(s.Pattern).MatchString(value) {
		t.Errorf("%q is not of the form %q, or the list %q is closed", value, s.Pattern, s.Enum)
	}
}

func keysOf(m map[string]schema) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

func equal(t *testing.T, what string, want, got []string) {
	t.Helper()
	want, got = slices.Clone(want), slices.Clone(got)
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(want, got) {
		t.Errorf("%s: the code has %q, the description %q", what, want, got)
	}
}

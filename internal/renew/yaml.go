package renew

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// maxConfig bounds a configuration file and a list of domains, in octets:
	// 10,000 domains with all their settings are about 3 MB.
	maxConfig = 16 << 20
	// maxDomains bounds the domains of one configuration.
	maxDomains = 100_000
	// maxProblems is how many mistakes are told at once.
	maxProblems = 20
)

// A reader reads the nodes of a YAML document and collects what is wrong with
// them, so that all mistakes are told at once.
type reader struct {
	file string
	err  ConfigError
}

func (r *reader) problem(line int, format string, args ...any) {
	r.problemIn(r.file, line, format, args...)
}

func (r *reader) problemIn(file string, line int, format string, args ...any) {
	if len(r.err.Problems) == maxProblems {
		r.err.More++
		return
	}
	r.err.Problems = append(r.err.Problems, Problem{file, line, fmt.Sprintf(format, args...)})
}

// A field is a key that a mapping may have, and what reads its value.
type field struct {
	name string
	read func(*yaml.Node)
}

// mapping reads a mapping that has no other keys than the fields, none of them
// twice, and returns the line of each key that is there.
func (r *reader) mapping(n *yaml.Node, what string, fields ...field) map[string]int {
	lines := map[string]int{}
	if n.Kind != yaml.MappingNode {
		r.wrongKind(n, what, "keys and values, such as \""+fields[0].name+": ...\"")
		return lines
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == key.Value })
		switch earlier, twice := lines[key.Value]; {
		case key.Kind != yaml.ScalarNode || at < 0:
			r.problem(key.Line, "%s has no key %.40q; its keys are %s", what, key.Value, names(fields))
		case twice:
			r.problem(key.Line, "%s is there twice, the first time in line %d; keep one", key.Value, earlier)
		default:
			lines[key.Value] = key.Line
			fields[at].read(value)
		}
	}
	return lines
}

func names(fields []field) string {
	var list []string
	for _, f := range fields {
		list = append(list, f.name)
	}
	return strings.Join(list, ", ")
}

// list reads a sequence of at least one element.
func (r *reader) list(n *yaml.Node, what, example string, read func(*yaml.Node)) {
	switch {
	case n.Kind != yaml.SequenceNode:
		r.wrongKind(n, what, "a list, such as "+example)
	case len(n.Content) == 0:
		r.problem(n.Line, "%s is empty; write for example %s, or leave it out", what, example)
	}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			read(item)
		}
	}
}

// text reads a scalar that is not empty. What YAML takes it for does not
// matter: the domain no is a domain.
func (r *reader) text(n *yaml.Node, what string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.wrongKind(n, what, "one value")
	case n.Value == "" || n.Tag == "!!null":
		r.problem(n.Line, "%s is empty; write a value, or leave the key out", what)
	default:
		return n.Value, true
	}
	return "", false
}

// value reads a scalar in a form of its own.
func value[T any](r *reader, n *yaml.Node, what string, parse func(string) (T, error)) (v T, ok bool) {
	text, ok := r.text(n, what)
	if !ok {
		return v, false
	}
	v, err := parse(text)
	if err != nil {
		r.problem(n.Line, "%s: %v", what, err)
		return v, false
	}
	return v, true
}

func (r *reader) wrongKind(n *yaml.Node, what, want string) {
	if n.Kind == yaml.AliasNode {
		r.problem(n.Line, "%s is an alias (*%s), which is not read here; what many domains share belongs under defaults", what, n.Value)
		return
	}
	r.problem(n.Line, "%s must be %s", what, want)
}

// why is the text of an error without the path that stands before it anyway.
func why(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// maxConfig bounds a configuration file in octets.
const maxConfig = 64 << 10

// ApplyConfig reads a configuration file in YAML, with the names of flags as
// keys. Each has a value, or a list if the flag can be repeated. Flags that
// were given on the command line win. An error is a [UsageError] that names the
// line.
func ApplyConfig(flags *pflag.FlagSet, file string, except ...string) error {
	data, err := ReadFile(file, maxConfig)
	if err != nil {
		return err
	}
	wrong := func(n *yaml.Node, format string, args ...any) error {
		return Usagef("%s:%d: %s", file, n.Line, fmt.Sprintf(format, args...))
	}
	if len(data) > maxConfig {
		return Usagef("%s has more than %d octets", file, maxConfig)
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil // nothing but comments
	case err != nil:
		return Usagef("%s: %w", file, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Usagef("%s: there is to be one document", file)
	}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		return wrong(top, "it is to be lines of NAME: VALUE")
	}
	var seen []string
	for i := 0; i < len(top.Content); i += 2 {
		name, value := top.Content[i], top.Content[i+1]
		flag := flags.Lookup(name.Value)
		switch {
		case flag == nil || slices.Contains(except, name.Value):
			return wrong(name, "there is no option %q", name.Value)
		case slices.Contains(seen, name.Value):
			return wrong(name, "%s is there twice", name.Value)
		}
		seen = append(seen, name.Value)
		values, err := scalars(flag, value)
		if err != nil {
			return wrong(value, "%s: %v", name.Value, err)
		}
		given := flag.Changed
		for _, v := range values {
			if v == "" {
				return wrong(value, "%s is empty", name.Value)
			}
			if given {
				continue
			}
			if err := flags.Set(name.Value, v); err != nil {
				return wrong(value, "%s: %v", name.Value, err)
			}
		}
	}
	return nil
}

func scalars(flag *pflag.Flag, n *yaml.Node) ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}, nil
	}
	if _, repeated := flag.Value.(pflag.SliceValue); n.Kind != yaml.SequenceNode || !repeated {
		return nil, fmt.Errorf("one value is needed")
	}
	var values []string
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("a list of values is needed")
		}
		values = append(values, item.Value)
	}
	return values, nil
}

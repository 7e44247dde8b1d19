package run

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/dnasign/dnasign/internal/strictjson"
	"github.com/dnasign/dnasign/internal/vectors"
)

// Limits of what is read. Those files that belong to the specification have
// less than 3 MB and 700 cases each.
const (
	MaxFiles    = 64
	MaxFileSize = 32 << 20 // octets
	MaxCases    = 10_000   // of all files
)

// SchemaFile is the one JSON file in a directory that holds no cases.
const SchemaFile = "schema.json"

// Load reads the files of cases in a directory, in the order of their names.
// There must be one at least. A family names the file it is in.
func Load(dir fs.FS) ([]vectors.File, error) {
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == SchemaFile })
	switch {
	case len(names) == 0:
		return nil, errors.New("no file of test vectors (*.json) is there")
	case len(names) > MaxFiles:
		return nil, fmt.Errorf("%d files, at most %d", len(names), MaxFiles)
	}
	var files []vectors.File
	cases := 0
	seen := map[string]bool{}
	for _, name := range names {
		f, err := load(dir, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, c := range f.Cases {
			switch {
			case c.ID == "" || c.Operation == "" || c.Expect == nil || c.Expect.Outcome == "" || c.Expect.Reason == "":
				return nil, fmt.Errorf("%s: the case %q lacks an id, an operation or what is expected", name, c.ID)
			case seen[c.ID]:
				return nil, fmt.Errorf("%s: two cases are called %s", name, c.ID)
			}
			seen[c.ID] = true
		}
		if cases += len(f.Cases); cases > MaxCases {
			return nil, fmt.Errorf("more than %d cases", MaxCases)
		}
		files = append(files, f)
	}
	return files, nil
}

func load(dir fs.FS, name string) (f vectors.File, err error) {
	file, err := dir.Open(name)
	if err != nil {
		return f, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxFileSize+1))
	switch {
	case err != nil:
		return f, err
	case len(data) > MaxFileSize:
		return f, fmt.Errorf("larger than %d octets", MaxFileSize)
	}
	if err := strictjson.Decode(data, &f); err != nil {
		return f, err
	}
	if f.Family+path.Ext(name) != name || len(f.Cases) == 0 {
		return f, fmt.Errorf("the family %q with %d cases", f.Family, len(f.Cases))
	}
	return f, nil
}

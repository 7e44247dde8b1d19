package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/dnasign/dnasign/internal/wholefile"
)

// Standard is the name of a file that stands for standard input or output.
const Standard = "-"

// Input is the path of a file to read: "-" is standard input.
func Input(name string) string {
	if name == Standard {
		return "/dev/stdin"
	}
	return name
}

// OneInput refuses that several files are standard input, which can be read
// only once.
func OneInput(files ...string) error {
	if i := slices.Index(files, Standard); i >= 0 && slices.Contains(files[i+1:], Standard) {
		return Usagef("only one file can be -, which is standard input")
	}
	return nil
}

// ReadFile reads a file of at most limit octets, or standard input if its name
// is "-". Of a larger one it returns one octet more than the limit, for the
// caller to refuse with a reason.
func ReadFile(name string, limit int64) ([]byte, error) {
	f := os.Stdin
	if name != Standard {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// WriteFile writes a file whole or not at all, see [wholefile.Write]. It does
// not replace anything but a regular file, so no device and no link. It does
// not replace any of the files that were read.
func WriteFile(name string, data []byte, read ...string) error {
	old, err := os.Lstat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	mode, err := WriteMode(name, old, read...)
	if err != nil {
		return err
	}
	return wholefile.Write(name, data, mode)
}

// WriteMode is the mode of a file that is written in the place of old, which is
// nil if there is none. An existing file keeps its mode, a new one has mode 0644,
// since what the commands write is public.
func WriteMode(name string, old fs.FileInfo, read ...string) (fs.FileMode, error) {
	if old == nil {
		return 0o644, nil
	}
	if !old.Mode().IsRegular() {
		return 0, Usagef("%s is not a regular file, so it is not written to", name)
	}
	for _, input := range read {
		if other, err := os.Stat(input); err == nil && os.SameFile(old, other) {
			return 0, Usagef("%s is also %s, which was read, so it is not written to", name, input)
		}
	}
	return old.Mode().Perm(), nil
}

package cli

import (
	"os"

	"github.com/dnasign/dnasign/internal/wholefile"
)

// WriteFile writes a file whole or not at all, see [wholefile.Write]. An
// existing file keeps its mode, a new one has mode 0644, since what the
// commands write is public. What is no regular file, such as a device or a
// link, is not replaced, nor is any of the files that were read.
func WriteFile(name string, data []byte, read ...string) error {
	mode := os.FileMode(0o644)
	if info, err := os.Lstat(name); err == nil {
		if !info.Mode().IsRegular() {
			return Usagef("%s is not a regular file, so it is not written to", name)
		}
		for _, input := range read {
			if other, err := os.Stat(input); err == nil && os.SameFile(info, other) {
				return Usagef("%s is also %s, which was read, so it is not written to", name, input)
			}
		}
		mode = info.Mode().Perm()
	}
	return wholefile.Write(name, data, mode)
}

package cli

import (
	"os"
	"path/filepath"
)

// WriteFile writes a file whole or not at all: into a new file beside it,
// flushed to the disk, then renamed. An existing file keeps its mode, a new
// one has mode 0644, since what the commands write is public. What is no
// regular file, such as a device or a link, is not replaced, nor is any of the
// files that were read.
func WriteFile(name string, data []byte, read ...string) (err error) {
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
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

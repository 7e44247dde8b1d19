// Package wholefile writes files whole or not at all, and locks folders
// against other processes that do the same.
package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Write puts data into the place of a file, which need not be there: into a
// new file beside it, flushed to the disk, then renamed. No reader ever sees a
// part. On an error the file is what it was, and nothing is left beside it. The
// file gets the mode whatever the umask. A process that is killed leaves at
// most a file for [Leftovers].
func Write(name string, data []byte, mode fs.FileMode) (err error) {
	dir, base := filepath.Split(name)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, pattern(base))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreClosed(f.Close()), ignoreGone(os.Remove(f.Name())))
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
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return SyncDir(dir)
}

// pattern is that of a temporary file; in the place of the star comes a
// decimal number.
func pattern(base string) string { return "." + base + ".*.tmp" }

// SyncDir flushes the names in a folder to the disk: a file that was renamed
// into it stays there after a power failure.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Leftovers are the files beside name that a Write to it left when it was
// killed. Only one who has locked the folder can tell them from those of a
// Write that goes on.
func Leftovers(name string) ([]string, error) {
	dir, base := filepath.Split(name)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	before, after, _ := strings.Cut(pattern(base), "*")
	temporary := regexp.MustCompile("^" + regexp.QuoteMeta(before) + "[0-9]+" + regexp.QuoteMeta(after) + "$")
	var list []string
	for _, e := range entries {
		if e.Type().IsRegular() && temporary.MatchString(e.Name()) {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return list, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Package wholefile writes files whole or not at all, and locks folders
// against other processes that do the same.
//
// A folder may be somebody else's. With the functions that take an [os.Root],
// no link in it leads out of it. They do not wait for anything in it, such as a
// pipe.
package wholefile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// openTries is how often another name for a temporary file is tried.
const openTries = 100

// OpenRoot is [os.OpenRoot] of a folder. What is none is an error at once: to
// open a pipe would wait for a writer.
func OpenRoot(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir + string(filepath.Separator) + ".")
	if e := new(fs.PathError); errors.As(err, &e) {
		e.Path = dir
	}
	return root, err
}

// Write replaces a file, which need not exist. It writes data into a new file
// beside it, flushes that to the disk, then renames it. No reader ever sees a
// part. On an error the file is what it was, and nothing is left beside it. The
// file gets the mode whatever the umask. A process that is killed leaves at
// most a file for [Leftovers].
func Write(name string, data []byte, mode fs.FileMode) error {
	return About(name, write(name, data, mode))
}

// About makes an error about a temporary file one about the file that was to be
// written: nobody knows the other.
func About(name string, err error) error {
	var cause error
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		cause = path.Err
	case errors.As(err, &link):
		cause = link.Err
	default:
		return err
	}
	return &fs.PathError{Op: "write", Path: name, Err: cause}
}

func write(name string, data []byte, mode fs.FileMode) error {
	dir, base := filepath.Split(name)
	if dir == "" {
		dir = "."
	}
	root, err := OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return WriteIn(root, base, data, mode)
}

// WriteIn is [Write] below a folder. The name has slashes.
func WriteIn(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	return About(filepath.Join(root.Name(), name), writeIn(root, name, data, mode))
}

func writeIn(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	f, temporary, err := createTemp(root, name)
	if err != nil {
		return err
	}
	if err = errors.Join(fill(f, data, mode), f.Close()); err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	return SyncDir(root, path.Dir(name))
}

func fill(f *os.File, data []byte, mode fs.FileMode) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return f.Sync()
}

// createTemp makes a new file beside another one.
func createTemp(root *os.Root, name string) (f *os.File, temporary string, err error) {
	dir, base := path.Split(name)
	before, after, _ := strings.Cut(pattern(base), "*")
	for range openTries {
		temporary = fmt.Sprintf("%s%s%d%s", dir, before, rand.Uint32(), after)
		f, err = root.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, temporary, err
		}
	}
	return nil, "", err
}

// pattern is that of a temporary file; in the place of the star comes a
// decimal number.
func pattern(base string) string { return "." + base + ".*.tmp" }

// SyncDir flushes the names in a folder to the disk: a file that was renamed
// into it stays there after a power failure.
func SyncDir(root *os.Root, dir string) error {
	d, err := OpenDir(root, dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Leftovers are the files beside name, below a folder, that a Write to it left
// when it was killed. Only one who has locked the folder can tell them from
// those of a Write that goes on.
func Leftovers(root *os.Root, name string) ([]string, error) {
	dir, base := path.Split(name)
	d, err := OpenDir(root, path.Clean(dir))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	before, after, _ := strings.Cut(pattern(base), "*")
	temporary := regexp.MustCompile("^" + regexp.QuoteMeta(before) + "[0-9]+" + regexp.QuoteMeta(after) + "$")
	var list []string
	for _, e := range entries {
		if e.Type().IsRegular() && temporary.MatchString(e.Name()) {
			list = append(list, dir+e.Name())
		}
	}
	return list, nil
}

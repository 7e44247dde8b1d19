//go:build unix

package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Writable returns nil if files can be made in a folder below another one. If it
// is not there, that is whether it could be made. Nothing is made to find out.
func Writable(root *os.Root, dir string) error {
	d, err := OpenDir(root, dir)
	if errors.Is(err, fs.ErrNotExist) && dir != "." {
		if _, err := root.Lstat(dir); err == nil {
			return &fs.PathError{Op: "open", Path: dir, Err: errors.New("it is a link that leads nowhere")}
		}
		return Writable(root, path.Dir(dir))
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := unix.Faccessat(int(d.Fd()), ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "write to", Path: d.Name(), Err: err}
	}
	return nil
}

package publish

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/wholefile"
)

// lockTime bounds how long one process waits for another that writes to the
// same folder: that takes milliseconds. Who has the lock for longer is stuck, or
// wants to keep statements from being renewed, as every user can who can read
// the folder; then it is done without the lock.
const lockTime = 10 * time.Second

// Web is a folder that a web server serves as / of one domain. The zero Web
// cannot be used.
type Web struct {
	// Root is the folder. It must be there.
	Root string
	// Now gives the time that statements are held to. Nil means time.Now.
	Now func() time.Time

	lockTime time.Duration // that of tests; zero means lockTime
}

// Place is the files of a source and a service below the web root.
func (w *Web) Place(source, service string) *Files { return &Files{w, source, service} }

// Files is a [Place] on disk.
type Files struct {
	web             *Web
	source, service string
}

// String implements [Place].
func (f *Files) String() string {
	return filepath.Join(filepath.Dir(f.name(delegation.JWS)), f.service)
}

// name is the file for an encoding.
func (f *Files) name(e delegation.Encoding) string {
	return filepath.Join(f.web.Root, filepath.FromSlash(delegation.DocumentPath(f.service, e)))
}

// Publish implements [Place]: a new file beside the old one, flushed to the
// disk, then renamed. The file has mode 0644 and folders that are made 0755,
// whatever the umask, since a web server must read them. It refuses, with
// [delegation.SourceMismatch], to replace a statement of another domain. One
// process at a time changes the folder; others wait, but not for ever.
func (f *Files) Publish(ctx context.Context, statement []byte) (Change, error) {
	in, err := prepare(statement, f.source, f.service, now(f.web.Now))
	if err != nil {
		return Change{}, err
	}
	name := f.name(in.Encoding)
	dir := filepath.Dir(name)
	if err := f.makeDir(dir); err != nil {
		return Change{}, err
	}
	unlock, locked, err := wholefile.LockFor(ctx, dir, cmp.Or(f.web.lockTime, lockTime))
	if err != nil {
		return Change{}, err
	}
	defer unlock()
	if locked {
		if err := f.tidy(name); err != nil {
			return Change{}, err
		}
	}
	change := Change{Where: name}
	there, err := read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return Change{}, err
	default:
		if err := f.mayReplace(name, there, in); err != nil {
			return Change{}, err
		}
		if bytes.Equal(there, in.Raw) {
			return change, nil
		}
		change.Replaced = 1
	}
	if err := wholefile.Write(name, in.Raw, 0o644); err != nil {
		return Change{}, err
	}
	change.Changed = true
	return change, nil
}

// mayReplace is about a file that is there; what is no statement may go.
func (f *Files) mayReplace(name string, there []byte, in *delegation.Inspection) error {
	old, err := delegation.Inspect(there)
	if err != nil {
		return nil
	}
	at := now(f.web.Now)
	if other := old.Statement.Source; other != f.source && old.Check(at) == nil {
		return failure(delegation.SourceMismatch, "%s holds a statement of %s, and a web root serves one domain; remove it first if you mean it", name, other)
	}
	return mayReplace(name, old, in, at)
}

// makeDir makes the folder that statements are in, below the web root.
func (f *Files) makeDir(dir string) error {
	info, err := os.Stat(f.web.Root)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "publish below", Path: f.web.Root, Err: errors.New("it is not a directory")}
	}
	for _, d := range []string{filepath.Dir(dir), dir} { // .well-known and dna in it
		if err := makePublic(d); err != nil {
			return err
		}
	}
	return nil
}

// makePublic makes a folder that everybody can read, whatever the umask, unless
// it is there.
func makePublic(dir string) error {
	switch err := os.Mkdir(dir, 0o755); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	if err := openUp(dir); err != nil {
		return err
	}
	return wholefile.SyncDir(filepath.Dir(dir))
}

// openUp lets everybody read a folder that was made. The folder above may be
// somebody's who must not be given the rights of whoever publishes, and a link
// be in its place by now: it is not followed out of there.
func openUp(dir string) error {
	above, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer above.Close()
	return above.Chmod(filepath.Base(dir), 0o755)
}

// tidy removes what runs that were killed left beside a file.
func (f *Files) tidy(name string) error {
	left, err := wholefile.Leftovers(name)
	for _, file := range left {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}

// read reads a file that may be a statement. What is no regular file is an
// error: a link or a device is nobody's statement, and is not replaced.
func read(name string) ([]byte, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "publish to", Path: name, Err: errors.New("it is not a regular file")}
	}
	return readAs(name, info)
}

// readAs reads the file that info is about. Whoever owns the folder may have put
// something else there by now, such as a pipe, which would wait for a writer.
func readAs(name string, info fs.FileInfo) ([]byte, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if opened, err := file.Stat(); err != nil || !os.SameFile(info, opened) {
		return nil, &fs.PathError{Op: "publish to", Path: name, Err: errors.Join(errors.New("it was replaced meanwhile"), err)}
	}
	// A line end may follow; a longer file is for Inspect to refuse.
	return io.ReadAll(io.LimitReader(file, delegation.MaxStatementSize+2))
}

// Check implements [Place] by reading the file back. That the web server serves
// it is for package discovery to see.
func (f *Files) Check(_ context.Context, statement []byte) error {
	in, err := delegation.Inspect(statement)
	if err != nil {
		return err
	}
	name := f.name(in.Encoding)
	there, err := read(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil || !bytes.Equal(there, in.Raw) {
		return failure(delegation.NotEverywhere, "%s does not hold the statement", name)
	}
	return nil
}

// Current implements [Place]; there is one View.
func (f *Files) Current(context.Context) ([]View, error) {
	v := View{Where: filepath.Dir(f.name(delegation.JWS))}
	for _, e := range delegation.Encodings() {
		name := f.name(e)
		raw, err := read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			v.Err = errors.Join(v.Err, err)
			continue
		}
		found := Found{Where: name}
		found.Statement, found.Err = delegation.Inspect(raw)
		if found.Err == nil && found.Statement.Encoding != e {
			found.Statement, found.Err = nil, fmt.Errorf("%s holds a statement of another encoding", name)
		}
		v.Found = append(v.Found, found)
	}
	return []View{v}, nil
}

// now is the time by a clock that may be nil.
func now(clock func() time.Time) time.Time {
	if clock == nil {
		return time.Now()
	}
	return clock()
}

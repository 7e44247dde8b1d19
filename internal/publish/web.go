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
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/wholefile"
)

// lockTime bounds how long one process waits for another that writes to the
// same folder: that takes milliseconds. A process that has the lock for longer
// is stuck, or wants to stop renewals. Every user who can read the folder can
// do that. The file is then written without the lock.
const lockTime = 10 * time.Second

// ErrBusy: another process has locked the folder. See [Files.NoWait].
var ErrBusy = delegation.Errorf(reasons.UpdateFailed, "another process has locked the folder")

// Web is a folder that a web server serves as / of one domain. The zero Web
// cannot be used.
//
// The folder may belong to a user who must not get the rights of the publishing
// user. Everything below it is done through an [os.Root].
type Web struct {
	Owner
	// Root is the folder. It must be there.
	Root string
}

// Place is the files of a source and a service below the web root.
func (w *Web) Place(source, service string) *Files {
	document := func(e delegation.Encoding) string {
		return strings.TrimPrefix(delegation.DocumentPath(service, e), "/")
	}
	return &Files{
		Owner: w.Owner, Source: source, Service: service,
		Title:     filepath.Join(w.Root, filepath.FromSlash(path.Dir(document(delegation.JWS))), service),
		File:      func(e delegation.Encoding) (string, string) { return w.Root, document(e) },
		MakeDir:   makeWellKnown,
		Mode:      func(string, fs.FileInfo) (fs.FileMode, error) { return 0o644, nil }, // a web server must read it
		Leftovers: wholefile.Leftovers,
	}
}

// Files is a [Place] on disk: a file for each encoding.
type Files struct {
	Owner
	Source, Service string

	Title string // for a person
	// File is where the file of an encoding is: in a folder, and its name below
	// that, with slashes. No link leads out of the folder.
	File func(delegation.Encoding) (folder, name string)
	// MakeDir makes the folder of a file, below that of File. Nil makes that of
	// File itself.
	MakeDir func(root *os.Root, dir string) error
	// Mode is the mode of a file that replaces an old one. The old one is nil
	// if there is none. The error says why that must stay.
	Mode func(name string, old fs.FileInfo) (fs.FileMode, error)
	// Leftovers are what killed runs left beside a file.
	Leftovers func(root *os.Root, name string) ([]string, error)
	// LockTime is how long Publish waits for another process that has locked the
	// folder, before it goes on without the lock. Zero is long enough for every
	// process that means well. With NoWait it returns [ErrBusy] instead.
	LockTime time.Duration
	NoWait   bool

	written func() // for tests: called when a file was written
}

// String implements [Place].
func (f *Files) String() string { return f.Title }

// path is the name of a file for a person.
func (f *Files) path(e delegation.Encoding) string {
	folder, name := f.File(e)
	return filepath.Join(folder, filepath.FromSlash(name))
}

// open opens the folder of an encoding and returns the name of the file in it.
func (f *Files) open(e delegation.Encoding) (root *os.Root, name string, err error) {
	folder, name := f.File(e)
	root, err = wholefile.OpenRoot(folder)
	return root, name, err
}

// Publish implements [Place]: a new file beside the old one, flushed to the
// disk, then renamed. One process at a time changes the folder. Others wait,
// but not for ever. So what was written is read back: the later writer wins.
func (f *Files) Publish(ctx context.Context, statement []byte) (Change, error) {
	in, err := f.prepare(statement, f.Source, f.Service)
	if err != nil {
		return Change{}, err
	}
	if f.MakeDir == nil {
		folder, _ := f.File(in.Encoding)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return Change{}, err
		}
	}
	root, name, err := f.open(in.Encoding)
	if err != nil {
		return Change{}, err
	}
	defer root.Close()
	change, err := f.publishIn(ctx, root, name, in)
	return change, explain(root, name, err)
}

func (f *Files) publishIn(ctx context.Context, root *os.Root, name string, in *delegation.Inspection) (Change, error) {
	if f.MakeDir != nil {
		if err := f.MakeDir(root, path.Dir(name)); err != nil {
			return Change{}, err
		}
	}
	unlock, err := f.lock(ctx, root, name)
	if err != nil {
		return Change{}, err
	}
	defer unlock()
	change := Change{Where: f.path(in.Encoding)}
	there, info, err := read(root, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return Change{}, err
	case bytes.Equal(there, in.Raw):
		return change, nil
	default:
		if err := f.mayReplaceFile(change.Where, there, in); err != nil {
			return Change{}, err
		}
		change.Replaced = 1
	}
	mode, err := f.Mode(change.Where, info)
	if err != nil {
		return Change{}, err
	}
	if err := wholefile.WriteIn(root, name, in.Raw, mode); err != nil {
		return Change{}, err
	}
	if f.written != nil {
		f.written()
	}
	change.Changed = true
	return change, f.readBack(root, name, in)
}

// lock locks the folder of a file and removes what killed runs left beside it.
// Without the lock, that could be the work of another process.
func (f *Files) lock(ctx context.Context, root *os.Root, name string) (unlock func(), err error) {
	wait := cmp.Or(f.LockTime, lockTime)
	if f.NoWait {
		wait = 0
	}
	unlock, locked, err := wholefile.LockIn(ctx, root, path.Dir(name), wait)
	switch {
	case err != nil:
		return nil, err
	case !locked && f.NoWait:
		return nil, ErrBusy
	case !locked:
		return unlock, nil
	}
	left, err := f.Leftovers(root, name)
	for _, file := range left {
		if e := root.Remove(file); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// Writable returns the folder of an encoding, and why Publish could not write
// there. It writes nothing.
func (f *Files) Writable(e delegation.Encoding) (dir string, err error) {
	root, name, err := f.open(e)
	if errors.Is(err, fs.ErrNotExist) && f.MakeDir == nil {
		folder, _ := f.File(e)
		return folder, f.couldMake(folder)
	}
	if err != nil {
		return "", err
	}
	defer root.Close()
	dir = filepath.Dir(f.path(e))
	if err := wholefile.Writable(root, path.Dir(name)); err != nil {
		return dir, explain(root, name, err)
	}
	if _, _, err := read(root, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return dir, explain(root, name, err)
	}
	return dir, nil
}

// couldMake is about a folder that is not there.
func (f *Files) couldMake(folder string) error {
	above := filepath.Dir(folder)
	root, err := wholefile.OpenRoot(above)
	if errors.Is(err, fs.ErrNotExist) && above != folder {
		return f.couldMake(above)
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return wholefile.Writable(root, ".")
}

// Remove implements [Place].
func (f *Files) Remove(ctx context.Context, ours func(*delegation.Inspection) bool) (change Change, err error) {
	for _, e := range delegation.Encodings() {
		root, name, err := f.open(e)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return change, err
		}
		removed, err := f.removeIn(ctx, root, name, ours)
		err = explain(root, name, err)
		root.Close()
		if err != nil {
			return change, err
		}
		if removed {
			change.Changed, change.Where = true, f.path(e)
			change.Replaced++
		}
	}
	return change, nil
}

func (f *Files) removeIn(ctx context.Context, root *os.Root, name string, ours func(*delegation.Inspection) bool) (removed bool, err error) {
	isOurs := func() bool {
		raw, _, err := read(root, name)
		if err != nil {
			return false // nothing, or nothing that anybody published
		}
		in, err := delegation.Inspect(raw)
		return err == nil && ours(in)
	}
	if !isOurs() {
		return false, nil
	}
	unlock, err := f.lock(ctx, root, name)
	if err != nil {
		return false, err
	}
	defer unlock()
	if !isOurs() {
		return false, nil
	}
	if err := root.Remove(name); err != nil {
		return false, err
	}
	return true, wholefile.SyncDir(root, path.Dir(name))
}

// mayReplaceFile is about a file that is there; what is no statement may go.
func (f *Files) mayReplaceFile(where string, there []byte, in *delegation.Inspection) error {
	old, err := delegation.Inspect(there)
	if err != nil {
		return nil
	}
	owner := f.Owner
	owner.Leaf = in.Certificates[0]
	return owner.mayReplace(where, old, in)
}

// readBack sees that nobody has written something newer meanwhile.
func (f *Files) readBack(root *os.Root, name string, in *delegation.Inspection) error {
	there, _, err := read(root, name)
	if err != nil {
		return err
	}
	if bytes.Equal(there, in.Raw) {
		return nil
	}
	where := f.path(in.Encoding)
	if err := f.mayReplaceFile(where, there, in); err != nil {
		return err
	}
	return delegation.Errorf(reasons.UpdateRaced, "%s was written by somebody else at the same time", where)
}

// makeWellKnown makes .well-known and a folder in it.
func makeWellKnown(root *os.Root, dir string) error {
	for _, d := range []string{path.Dir(dir), dir} {
		if err := makePublic(root, d); err != nil {
			return err
		}
	}
	return nil
}

// makePublic makes a folder that everybody can read, whatever the umask, unless
// it is there.
func makePublic(root *os.Root, dir string) error {
	switch err := root.Mkdir(dir, 0o755); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	if err := openUp(root, dir); err != nil {
		return err
	}
	return wholefile.SyncDir(root, path.Dir(dir))
}

// openUp lets everybody read a folder that was made. Anybody who owns the folder
// above may have put something else in its place by now: a link is not followed,
// and what is no folder, or has something in it, stays as it is. Who owns the folder
// above can remove an empty one anyway.
func openUp(root *os.Root, dir string) error {
	made, err := root.Lstat(dir)
	if err != nil {
		return err
	}
	d, err := wholefile.OpenDir(root, dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if opened, err := d.Stat(); err != nil || !os.SameFile(made, opened) {
		return errors.Join(replaced(dir), err)
	}
	if made.Mode().Perm() == 0o755 {
		return nil
	}
	if there, err := d.Readdirnames(1); len(there) > 0 || err != io.EOF {
		return replaced(dir)
	}
	return d.Chmod(0o755)
}

func replaced(name string) error {
	return &fs.PathError{Op: "publish to", Path: name, Err: errors.New("it was replaced meanwhile")}
}

// explain makes an error about a file below a folder readable for a person. It
// has the whole path, and says so if a link leads out of the folder.
func explain(root *os.Root, name string, err error) error {
	if err == nil {
		return nil
	}
	folder := filepath.Clean(root.Name())
	for i, c := range name {
		if c != '/' {
			continue
		}
		dir := name[:i]
		info, e := root.Lstat(dir)
		if e != nil || info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		if _, e := root.Stat(dir); e != nil {
			return &fs.PathError{Op: "publish below", Path: filepath.Join(folder, dir), Err: fmt.Errorf(
				"it is a link that leads out of %s, or nowhere, and is not followed; make it a folder, or name the folder with the real one as the web root", folder)}
		}
	}
	if e := new(fs.PathError); errors.As(err, &e) && !filepath.IsAbs(e.Path) {
		e.Path = filepath.Join(folder, e.Path)
	}
	return err
}

// read reads a file that may be a statement. What is no regular file is an
// error: a link or a device is nobody's statement, and is not replaced.
func read(root *os.Root, name string) ([]byte, fs.FileInfo, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, &fs.PathError{Op: "publish to", Path: name, Err: errors.New("it is not a regular file; remove it if you did not put it there")}
	}
	raw, err := readAs(root, name, info)
	return raw, info, err
}

// readAs reads the file that info is about. Anybody who owns the folder may have put
// something else there by now, such as a pipe, which would wait for a writer.
func readAs(root *os.Root, name string, info fs.FileInfo) ([]byte, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if opened, err := file.Stat(); err != nil || !os.SameFile(info, opened) {
		return nil, errors.Join(replaced(name), err)
	}
	// A line end may follow; a longer file is for Inspect to refuse.
	return io.ReadAll(io.LimitReader(file, limits.MaxStatementSize+2))
}

// Check implements [Place] by reading the file back. That the web server serves
// it is for package discovery to see.
func (f *Files) Check(_ context.Context, statement []byte) error {
	in, err := delegation.Inspect(statement)
	if err != nil {
		return err
	}
	there, err := f.current(in.Encoding)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil || !bytes.Equal(there, in.Raw) {
		return delegation.Errorf(reasons.NotEverywhere, "%s does not hold the statement", f.path(in.Encoding))
	}
	return nil
}

// current is what is in the file of an encoding.
func (f *Files) current(e delegation.Encoding) ([]byte, error) {
	root, name, err := f.open(e)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	raw, _, err := read(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return raw, explain(root, name, err)
}

// Current implements [Place]; there is one View.
func (f *Files) Current(context.Context) ([]View, error) {
	v := View{Where: f.String()}
	for _, e := range delegation.Encodings() {
		raw, err := f.current(e)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			v.Err = errors.Join(v.Err, err)
			continue
		}
		found := Found{Where: f.path(e)}
		found.Statement, found.Err = delegation.Inspect(raw)
		if found.Err == nil && found.Statement.Encoding != e {
			found.Statement, found.Err = nil, fmt.Errorf("%s holds a statement of another encoding", found.Where)
		}
		v.Found = append(v.Found, found)
	}
	return []View{v}, nil
}

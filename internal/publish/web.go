package publish

import (
	"context"
	"errors"
	"time"
)

// Web is a folder that a web server serves as / of one domain. The zero Web
// cannot be used.
type Web struct {
	// Root is the folder. It must be there.
	Root string
	// Now gives the time that statements are held to. Nil means time.Now.
	Now func() time.Time
}

// Place is the files of a source and a service below the web root.
func (w *Web) Place(source, service string) *Files { return &Files{w, source, service} }

// Files is a [Place] on disk.
type Files struct {
	web             *Web
	source, service string
}

// Publish implements [Place]: a new file beside the old one, flushed to the
// disk, then renamed. The file has mode 0644 and folders that are made 0755,
// whatever the umask, since a web server must read them. It refuses, with
// [delegation.SourceMismatch], to replace a statement of another domain. One
// process at a time changes the folder; others wait.
func (f *Files) Publish(ctx context.Context, statement []byte) (Change, error) {
	return Change{}, errors.ErrUnsupported
}

// Check implements [Place] by reading the file back. That the web server serves
// it is for package discovery to see.
func (f *Files) Check(ctx context.Context, statement []byte) error { return errors.ErrUnsupported }

// Current implements [Place]; there is one View.
func (f *Files) Current(ctx context.Context) ([]View, error) { return nil, errors.ErrUnsupported }

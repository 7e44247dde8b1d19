//go:build !unix

package wholefile

import (
	"context"
	"os"
	"time"
)

// Lock does nothing on a system without flock(2): there, who publishes twice
// at once may find the older of two statements.
func Lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

// LockFor does nothing either.
func LockFor(context.Context, string, time.Duration) (unlock func(), locked bool, err error) {
	return func() {}, true, nil
}

// LockIn does nothing either.
func LockIn(context.Context, *os.Root, string, time.Duration) (unlock func(), locked bool, err error) {
	return func() {}, true, nil
}

// LockFile does nothing either.
func LockFile(context.Context, string, time.Duration) (unlock func(), locked bool, err error) {
	return func() {}, true, nil
}

// OpenDir opens a folder below another one.
func OpenDir(root *os.Root, dir string) (*os.File, error) { return root.Open(dir) }

// Writable cannot find out.
func Writable(*os.Root, string) error { return nil }

//go:build !unix

package wholefile

import (
	"context"
	"time"
)

// Lock does nothing on a system without flock(2): there, who publishes twice
// at once may find the older of two statements.
func Lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

// LockFor does nothing either.
func LockFor(context.Context, string, time.Duration) (unlock func(), locked bool, err error) {
	return func() {}, true, nil
}

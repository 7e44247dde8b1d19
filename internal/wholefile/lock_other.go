//go:build !unix

package wholefile

import "context"

// Lock does nothing on a system without flock(2): there, who publishes twice
// at once may find the older of two statements.
func Lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

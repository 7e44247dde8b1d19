//go:build !linux

package keys

import "os"

// readOnlyMount is known on Linux only, where containers are.
func readOnlyMount(*os.File) bool { return false }

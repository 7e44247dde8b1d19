package keys

import (
	"os"

	"golang.org/x/sys/unix"
)

// readOnlyMount reports whether a file is on a mount that nobody can write to.
func readOnlyMount(f *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && st.Flags&unix.ST_RDONLY != 0
}

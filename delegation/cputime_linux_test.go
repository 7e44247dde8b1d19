package delegation

import (
	"syscall"
	"time"
	"unsafe"
)

// threadClock is CLOCK_THREAD_CPUTIME_ID of clock_gettime(2).
const threadClock = 3

// cpuTime is the processor time that this thread has used. What other programs
// do to the clock does not count.
func cpuTime() time.Duration {
	var at syscall.Timespec
	if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&at)), 0); e != 0 {
		panic(e)
	}
	return time.Duration(at.Nano())
}

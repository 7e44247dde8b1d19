//go:build !linux

package delegation

import "time"

var begin = time.Now()

// cpuTime is the clock where the processor time of a thread is not to be had.
func cpuTime() time.Duration { return time.Since(begin) }

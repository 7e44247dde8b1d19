// Package allocs tells which functions ran, by the memory that they allocated.
// So a test can see that no signature was checked, without a counter in the
// code that it tests.
package allocs

import (
	"runtime"
	"testing"
)

// Functions of the standard library that allocate each time: a check of a
// signature with ECDSA, and the parser of certificates.
const (
	SignatureCheck     = "crypto/ecdsa.VerifyASN1"
	ParsedCertificates = "crypto/x509.parseCertificate"
)

// In runs something and returns how often memory was allocated in a function,
// by any goroutine meanwhile. No other test may run at the same time.
func In(t testing.TB, function string, run func()) int64 {
	t.Helper()
	rate := runtime.MemProfileRate
	runtime.MemProfileRate = 1
	defer func() { runtime.MemProfileRate = rate }()
	before := count(t, function)
	run()
	return count(t, function) - before
}

func count(t testing.TB, function string) (n int64) {
	t.Helper()
	runtime.GC() // which is when the profile is published,
	runtime.GC() // after a cycle
	records := make([]runtime.MemProfileRecord, 1<<16)
	found, ok := runtime.MemProfile(records, true)
	if !ok {
		t.Fatalf("the profile has %d records", found)
	}
	for _, r := range records[:found] {
		if names(r.Stack(), function) {
			n += r.AllocObjects
		}
	}
	return n
}

// names reports whether a stack has a function, inlined or not.
func names(stack []uintptr, function string) bool {
	frames := runtime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		if frame.Function == function || !more {
			return frame.Function == function
		}
	}
}

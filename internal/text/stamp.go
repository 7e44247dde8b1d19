package text

import "time"

// Stamp writes a time to the second, in UTC (RFC 3339).
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// FineStamp writes a time in UTC (RFC 3339), with milliseconds if it has some.
func FineStamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999Z07:00") }

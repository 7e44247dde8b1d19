// Package testvectors holds the test vectors of the specification for the tests
// of this module, and nothing else imports it. Others read the files: see
// README.md.
package testvectors

import "embed"

// Files are the files of cases, by the names of their families, and the
// schema of all of them.
//
//go:embed *.json
var Files embed.FS

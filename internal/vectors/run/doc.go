// Package run has a verifier answer the test vectors of a directory, and
// compares. The verifier is this one, through the same code that everybody else
// calls, or another program, over the protocol of testvectors/README.md.
//
//	Load -> []vectors.File -> Run(Verifier) -> Report
//
// It reads files from anywhere and starts programs, so everything is bounded.
// It does not know what is right: the files say so.
package run

// Package spectest holds tests that tie docs/spec.md to the code: every rule
// has a row in the table of section 16 and every row names tests that exist,
// the reasons, algorithms and limits of the text are those of the code, and
// the pure packages are pure. It has nothing to import.
package spectest

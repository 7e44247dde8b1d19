// Package spectest holds tests that tie the specification in docs/ to the code.
// Every rule has a row in docs/rules-and-tests.md, and every row names tests
// that exist. The reasons, algorithms and limits of the text are those of the
// code. The pure packages are pure. It has nothing to import.
package spectest

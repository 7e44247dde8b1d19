// Package vectors makes the test vectors of docs/spec.md: the files in
// testvectors, octet for octet the same each time.
//
//	world -> trial (the usual case, and steps that change it) -> entry -> book -> File
//
// A trial is one call of verify on its way to a case: statement, signer,
// encoding, place, question, policy. A step changes one thing of it. A book
// collects the cases of one family. The tables in the files family_*.go have a
// line for each case: its ID, its flags, the expected reason, one sentence and
// the step. Somebody wrote the reason by hand, from the specification. Two
// larger tables are matrices: what a decision comes to (family_association_table.go)
// and what two SRV labels come to (family_association_rows.go). The cases of
// paths.go are about signers and peers alike.
//
// [Lint] and the schema check what testvectors/README.md promises.
//
// The package uses nothing that the vectors test: it writes claims, attribute
// certificates, evidence and digests by itself. Its keys are public.
package vectors

// Package vectors makes the test vectors of docs/spec.md: the files in
// testvectors, octet for octet the same each time.
//
//	world -> trial (the usual case, and steps that change it) -> entry -> book -> File
//
// A trial is one call of verify on its way to a case: statement, signer,
// encoding, place, question, policy. A step changes one thing of it. A book
// collects the cases of one family; the tables in the files family_*.go have a
// line for each, with its ID, its flags, the reason that is expected, which
// somebody wrote there by hand from the specification, one sentence and the
// step. [Lint] and the schema hold all of them to what testvectors/README.md
// promises.
//
// It uses nothing that the vectors test: claims, attribute certificates,
// evidence and digests are written here a second time. Its keys are public.
package vectors

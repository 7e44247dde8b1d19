// Package model explores small worlds exhaustively, with the verifier itself.
//
// A world is one role of one source. It has an owner with certificates, who
// publishes statements, and verifiers with a memory. Its network shows them
// anything ever signed, in any order, or nothing. And a thief holds a key.
// [delegation.Verify], the association, the floors and the owner's rule for
// signing are the real ones. A test goes through every order of their steps
// within bounds, states the laws of docs/spec.md, and prints how many states it
// has seen.
//
// Time is a whole number of units of 30 seconds: 10 units are the 5 minutes of
// tolerance. Getting a certificate, or signing, takes a unit, so no two acts
// share a moment.
//
// Laws, each with its name in the tests:
//
//	S1   nobody is accepted later than 5 minutes after the end of every statement that names him
//	S2   nothing below the highest order that the cluster has seen is accepted, unless that says the same
//	S2r  no provider is accepted against a later word of the owner that was seen
//	S3   no thief is accepted after a statement by a later certificate of the owner was seen
//	L1   without an attacker, what is published is neither superseded nor in conflict
//	L1r  nor with one, if it was signed with a certificate later than all in wrong hands
//	L1i  without an attacker, what the owner published last is what counts
//	L2   a new certificate and statement work at once, whatever the thief did
//	L4   what is published is never signed by a certificate that is not yet valid
//
// Not modelled: parsing, chains, SRV records, open streams, a broken store, and
// a thief who gets one certificate after another. Clocks of verifiers that are
// wrong by more than 5 minutes are not modelled either.
package model

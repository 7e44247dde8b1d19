// Package memory remembers, for each source domain, the newest statements that
// were verified: the floors of docs/spec.md, section 10. What stands below a
// floor is not accepted again, so an attacker who shows an old statement to
// somebody who has seen a newer one gains nothing.
//
// There are two stores behind one interface: a file of one process, and a
// Redis (or Valkey) that many nodes share.
//
//	verified statement -> Raise -> store -> Floors -> delegation.Policy.Floor
//
// A memory that cannot be read is an error, never an empty memory. What a
// store cannot tell is whether it was replaced by an older copy of itself:
// whoever can write the file, or to the Redis, can make a verifier forget.
//
// The package judges nothing: it remembers what it is given. That only
// verified statements are given is the caller's to see to.
package memory

// Package floors remembers the newest verified statement of each domain, so
// that nobody can show an older one later.
//
//	store, err := filestore.Open(ctx, "/var/lib/im/floors.db", nil)       // one process
//	store, err := redisstore.Open(ctx, "rediss://cache.example", nil)     // many nodes
//	store := floors.InMemory()                                            // until the process ends
//
// A floor ([delegation.Floor]) is the place of a statement in the order of
// statements, with the digest of its targets. A verifier rejects every
// statement below the floor. So an attacker who kept a statement that was
// replaced or revoked gains nothing by showing it again.
//
// A verifier loads the floor, verifies, and raises the floor. It raises it also
// after an error that has a floor: that is how a revocation is remembered.
//
//	have, err := store.Load(ctx, source, service)
//	policy.Floor = have.Floor
//	result, err := delegation.Verify(query, evidence, policy)
//	if err == nil {
//		known, err := store.Raise(ctx, source, service, floors.Record{Floor: result.Floor()})
//		err = result.Floor().CheckAgainst(known) // somebody may have raised it meanwhile
//	} else if e, ok := errors.AsType[*delegation.Error](err); ok && !e.Floor.IsZero() {
//		_, err = store.Raise(ctx, source, service, floors.Record{Floor: e.Floor})
//	}
//
// A store judges nothing. Its caller raises only what was verified.
//
// A [Record] can also hold the newest statement itself. A program that has just
// started need not look up everything at once then: it verifies the statement
// that it loads, and looks up in the background.
//
// # Keys
//
// A store keeps one floor for each source and role. A source is a name as
// [delegation.CheckName] wants it: lower case, A-labels, no dot at the end. A
// role is named by its first label, as [delegation.RoleOf] gives it:
// "_xmpp-server._tcp", and not "_xmpps-server._tcp". Every other key is an
// error.
//
// # Limits
//
// Names below a domain cost its owner nothing, and domains cost little, so
// anybody who wants to fill a store can try. The stores of this module therefore
// remember at most
//
//   - 1,000,000 floors: about 200 MB in a file, 500 MB in a Redis, 350 MB in memory
//   - 1,000 floors under one registrable domain (a name directly below a suffix
//     of the Public Suffix List)
//   - 10,000 floors under a domain whose owner gives names below it to others
//     (the private part of that list: web hosts, dynamic DNS)
//   - 100,000 statements of at most 8 KiB each: usually 2 to 7 KB in a file or a Redis. A
//     longer one, and one beyond that number, is left out. Its floor is kept
//
// A new source or role beyond a limit is [ErrFull]. What is remembered never
// makes room for something new. It is forgotten when its time is over
// ([delegation.Floor.KeepUntil]): at least 400 days after the last Raise that
// verified its statement.
//
// # What a store cannot see
//
// A store cannot tell that it was replaced by an older copy of itself. Whoever
// can write the file, or to the Redis, can make a verifier forget.
//
// # A store of your own
//
// Implement [Store] and let package floorstest check it. What is easy to get
// wrong:
//
//   - Raise reads, joins and writes in one step. A Load, a Join and a write
//     without a transaction lose floors when two verifiers raise at once.
//   - "Nothing is stored" and "it cannot be read" are different results. A
//     zero Floor after a failure makes a verifier accept a revoked statement.
//   - The Issuance of a floor has milliseconds, the other times have seconds,
//     years reach from 1 to 10000, and a floor that is loaded must equal (==)
//     the floor that was raised, with its times in UTC.
//   - Most raises change nothing, since a verifier raises after each
//     verification. They should cost a read and no write.
//   - A Raise that changes nothing still says that the statement was verified
//     now. Note the time, once a day is enough: the 400 days begin with it.
//   - A statement may be left out. One of another floor may not be there, so a
//     higher floor and a contradiction remove it.
//   - A store that others can raise tells of it (Watch), or says that it does
//     not: it calls Watching(false) once and waits for the end of ctx. The
//     verifier then loads the floor for each decision.
//
// The stores of this module are in packages of their own, except for the one in
// memory. So a program links bbolt or a Redis client only if it uses one.
package floors

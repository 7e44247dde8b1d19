// Package filestore keeps the floors of one process in a file.
//
//	store, err := filestore.Open(ctx, "/var/lib/im/floors.db", nil)
//
// The file is a bbolt database. Raises that wait at the same time share one
// transaction and one fsync. A Raise that returns without an error is on the
// disk. One process at a time can use the file. Several need package redisstore.
//
// Open checks every page and every record. It refuses a file that is truncated,
// has pages of an older copy, or holds records that were changed
// ([floors.ErrDamaged]). It does not notice an older copy of the whole file:
// anybody who can write the file can make a verifier forget.
//
// A record takes about 200 bytes, and 2 to 7 KB with its statement.
//
// The store forgets a floor when its time is over ([delegation.Floor.KeepUntil]).
// It looks once a day, and when it is opened. A clock that is years ahead makes
// it forget nothing.
//
// The package needs a Unix system, since it looks at the owner of the file.
package filestore

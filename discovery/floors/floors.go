package floors

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// Errors of a store. A store wraps them, so compare with errors.Is. Any other
// error comes from the file system, the network or the context of the call, or
// says which argument is wrong.
//
// Only after ErrFull may a verifier use the statement that it verified. After
// every other error of Load or Raise it does not know the newest statement, so
// it gives no decision and may ask again.
var (
	// ErrFull is an error of Raise: a limit is reached, and nothing is remembered
	// of this source and role. Nothing else is wrong. The caller is in the place
	// of a verifier that meets the source for the first time. Nothing that is
	// remembered makes room, else an attacker could make a verifier forget.
	ErrFull = errors.New("the memory is full")
	// ErrDamaged is an error of opening, Load and Raise: what is stored is not
	// what was written. Restore a copy, or start with an empty store and accept
	// that replaced and revoked statements count again until they expire.
	ErrDamaged = errors.New("the memory is damaged")
	// ErrVersion is an error of opening: another version of the program wrote the
	// store in another format. Use that version, or start with an empty store.
	ErrVersion = errors.New("the memory has another version")
	// ErrReadOnly is an error of opening: the server is a replica, which takes no
	// writes. Give the address of its primary.
	ErrReadOnly = errors.New("the memory cannot be written")
	// ErrEvicts is an error of opening: the server forgets what it was told to
	// remember when it is full. Forbid that in its configuration.
	ErrEvicts = errors.New("the memory forgets when it is full")
	// ErrLocked is an error of opening: another process uses the file. Stop that
	// process, or let both use a Redis.
	ErrLocked = errors.New("another process uses the memory")
)

// Options of the stores that last. The zero value is fine.
type Options struct {
	Logger *slog.Logger     // for what an operator should know; nil discards
	Now    func() time.Time // nil is time.Now
}

// WithDefaults returns the options with the default in each field that is nil. o
// may be nil.
func (o *Options) WithDefaults() Options {
	var with Options
	if o != nil {
		with = *o
	}
	if with.Logger == nil {
		with.Logger = slog.New(slog.DiscardHandler)
	}
	if with.Now == nil {
		with.Now = time.Now
	}
	return with
}

// A Record is what a store remembers of a role of a source.
type Record struct {
	// Floor is the newest statement's place in the order. It is the memory: what
	// follows may be missing.
	Floor delegation.Floor
	// Statement is the document of a statement at this floor, for those who have to
	// look it up after a start. It proves itself: whoever loads it verifies it
	// again. Nil means that there is none to answer with.
	Statement []byte
	// Seen is when a lookup last found that. Zero means that nothing is known about
	// a statement. A statement needs a Seen.
	Seen time.Time
}

// A Store remembers one record for each source and role. Many goroutines may use
// it at once.
//
// These laws hold for every store, also if several processes share it. "⊔" is
// [delegation.Floor.Join], and "have" is the floor that the store holds:
//
//	Load()            = have                  the zero Floor if nothing was raised
//	Raise(f)          = have ⊔ f              and from then on have is that
//	Raise(f) Raise(f) = Raise(f)
//	Raise(f) Raise(g) = Raise(g) Raise(f)     in whatever order, or at once
//
// So a floor never goes down, and two statements of the same place in the order
// become a [delegation.Contradiction], no matter who raised them.
//
// A store may forget a statement at any time, and need not keep any. Its law: what
// Load returns as Statement and Seen was raised together, with a floor of the same
// order and targets as the floor that Load returns. Of several, it is the one that
// was seen last, give or take an hour. A Raise whose Seen is later and that has no
// Statement removes the statement.
type Store interface {
	// Load returns the record of a role of a source, or the zero Record if none is
	// remembered. A store that cannot be read returns an error, never the zero
	// Record without one.
	//
	// A Load that begins after a Raise has returned sees that Raise, in every
	// process that shares the store.
	Load(ctx context.Context, source, service string) (Record, error)

	// Raise joins a record of what was verified to the one that is remembered, in
	// one atomic step, and returns the floor that results. The caller compares it
	// with its own (r.Floor.CheckAgainst) and so learns of a newer or contradicting
	// statement that somebody else has verified.
	//
	// When the error is nil, a store that lasts has written the result to where
	// it outlives a crash. A Raise that changes nothing may skip the write.
	//
	// The zero Floor, and a time that no statement can have, are errors.
	//
	// After [ErrFull] nothing is remembered. After any other error, which
	// includes the end of ctx, r may be remembered or not; a caller may raise it
	// again. The floor that is returned with an error is zero.
	Raise(ctx context.Context, source, service string, r Record) (delegation.Floor, error)

	// Watch tells w of every floor that is raised, here or by another process
	// that shares the store, until ctx ends. It connects again by itself. A
	// store may have several watchers.
	Watch(ctx context.Context, w Watcher)

	// Close ends the use of the store, after what is under way. Load and Raise
	// return errors from then on. End every Watch before, by its context.
	Close() error
}

// A Watcher is told what happens to a store. A caller that keeps floors in a
// cache need not ask the store while it is watching. Watcher's methods are
// called one at a time and must not call the store.
type Watcher interface {
	// Raised tells which floor is remembered now of a source and role. Load has the
	// statement.
	Raised(source, service string, f delegation.Floor)
	// Watching(true) says that Raised is called for every change from now on.
	// Changes before that may have been missed: load again what is in use.
	// Watching(true) may be called several times, with the same meaning.
	//
	// Watching(false) says that changes may be missed from now on, or have been
	// missed for up to a second. Load floors before each use until the next
	// Watching(true). Nothing is watched before the first call.
	Watching(on bool)
}

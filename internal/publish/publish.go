// Package publish puts signed statements where others look for them, and keeps
// that place in order. A place is a TXT record set or a folder under a web
// root. It changes record sets by DNS update (RFC 2136), signed with TSIG (RFC
// 8945).
//
//	statement -> Place.Publish -> Change      one step, old one out and new one in
//	             Place.Check                  do all who serve it show it?
//	             Place.Current -> []View      what is there, at each who serves it
//
// There is a statement at every moment. In DNS one transaction exchanges old
// and new, on a disk one rename does. Two processes that publish at the same
// time lose nothing. A DNS update is made only if the record set is still what
// was read, and a folder is locked.
//
// An existing statement stops a new one only if it leads to the owner's own
// trust anchors. [Owner] is the one home of that rule.
//
// Errors carry a [reasons.Reason], see [delegation.ReasonOf].
package publish

import (
	"context"

	"github.com/dnasign/dnasign/delegation"
)

// A Place is where the statements of one source and service are kept, one for
// each encoding. Its methods are safe for use by several goroutines, and by
// several processes at once.
type Place interface {
	// Publish puts a statement into the place of whatever statement of the same
	// source, service and encoding is there. Everything else stays, except
	// records that claim to be statements and cannot be read, such as half of
	// one.
	//
	// A statement that is there already is not written again. It is refused if
	// it does not fit its own certificate, with that reason. It is refused with
	// [reasons.Superseded] if it would replace a newer one that counts (see
	// [Owner.Rank]). It is refused with [reasons.Conflict] beside one of the
	// same order with other targets. A valid statement for another source or
	// service in its place is not destroyed: [reasons.SourceMismatch] or
	// [reasons.ServiceMismatch]. [Owner.Force] replaces all of these.
	//
	// When it fails, the old statement is still there. Only after
	// [reasons.UpdateFailed] it may be the old or the new one, never a part of
	// either.
	Publish(ctx context.Context, statement []byte) (Change, error)

	// Remove takes away the statements that are ours, which must be of the source
	// and service. Verifiers that have seen them accept them until they expire.
	Remove(ctx context.Context, ours func(*delegation.Inspection) bool) (Change, error)

	// Check returns nil when all who serve the place show the statement, and no
	// older one of its encoding. In DNS it waits for servers that lag, as long
	// as [DNS.Wait] says. Then it returns [reasons.NotEverywhere], with the
	// servers and what they show. That undoes nothing.
	Check(ctx context.Context, statement []byte) error

	// Current is what is there now, a View for each who serves it, in a stable
	// order. The error is about finding who that is; one of them that does not
	// answer has it in View.Err.
	Current(ctx context.Context) ([]View, error)

	// String tells a person where it is.
	String() string
}

// A Change is what Publish did.
type Change struct {
	Changed  bool   // false: the statement was there already, and nothing was written
	Where    string // the server that was updated, as address and port; or the file
	Name     string // of the record set in DNS, with the trailing dot, aliases followed
	Replaced int    // how many old records or files gave way
}

// A View is what one server or folder shows at a place.
type View struct {
	Where string // the server, as address and port; or the folder
	Found []Found
	Err   error // why Found is not known
}

// A Found is a record or a file that counts as a statement, in good form or
// not.
type Found struct {
	// Where in the View: the name of the record, or the file.
	Where string
	// Statement is what it says. Nothing in it is verified; see
	// [delegation.Inspection.Check]. Nil if it cannot be read.
	Statement *delegation.Inspection
	// Err is why Statement is nil.
	Err error
}

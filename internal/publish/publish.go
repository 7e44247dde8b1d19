// Package publish puts signed statements where others look for them, and keeps
// that place in order: a TXT record set, changed by DNS update (RFC 2136) signed
// with TSIG (RFC 8945), or a folder under a web root.
//
//	statement -> Place.Publish -> Change      one step, old one out and new one in
//	             Place.Check                  do all who serve it show it?
//	             Place.Current -> []View      what is there, at each who serves it
//
// At no moment is there no statement: in DNS old and new change places in one
// transaction, on a disk in one rename. Who publishes twice at once loses
// nothing: a DNS update is made only if the record set is still what was read,
// and a folder is locked.
//
// It trusts no statement it publishes or finds: [delegation.Inspection.Check]
// holds a new one to its own certificate, and what is there counts only if it
// passes too. Whether others accept a statement needs trust anchors, and
// package delegation says it.
//
// Errors carry a [delegation.Reason], see [delegation.ReasonOf].
package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// A Place is where the statements of one source and service are kept, one for
// each encoding. Its methods are safe for use by several goroutines, and by
// several processes at once.
type Place interface {
	// Publish puts a statement into the place of whatever statement of the same
	// source, service and encoding is there. Everything else stays, but for
	// records that claim to be statements and cannot be read, such as half of
	// one.
	//
	// A statement that is there already is not written again. One that does
	// not hold by its own certificate is refused with the reason, one that
	// would replace a newer one with [delegation.Superseded], one of the same
	// second as another with other targets with [delegation.Conflict], one for
	// another source or service with [delegation.SourceMismatch] or
	// [delegation.ServiceMismatch].
	//
	// When it fails, what was there is there still; only after
	// [delegation.UpdateFailed] it is not known whether the old or the new
	// statement is there, never a part of either.
	Publish(ctx context.Context, statement []byte) (Change, error)

	// Check returns nil when all who serve the place show the statement, and
	// no older one of its encoding. In DNS it waits for servers that lag, as
	// long as [DNS.Wait] says, and then returns [delegation.NotEverywhere],
	// with the servers and what they show. That undoes nothing.
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

// prepare reads a statement to be published and holds it to the place and to
// its own certificate.
func prepare(raw []byte, source, service string, now time.Time) (*delegation.Inspection, error) {
	in, err := delegation.Inspect(raw)
	if err != nil {
		return nil, err
	}
	switch s := in.Statement; {
	case s.Source != source:
		return nil, failure(delegation.SourceMismatch, "the statement is of %s, the place of %s", s.Source, source)
	case s.Service != service:
		return nil, failure(delegation.ServiceMismatch, "the statement is for %s, the place for %s", s.Service, service)
	}
	if err := in.Check(now); err != nil {
		return nil, err
	}
	return in, nil
}

// mayReplace refuses to replace a statement that counts by an older one: an
// old file must not undo a revocation.
func mayReplace(where string, old, in *delegation.Inspection, now time.Time) error {
	if old.Order().Compare(in.Order()) > 0 && old.Check(now) == nil {
		return failure(delegation.Superseded, "%s holds a newer statement, issued %s; sign a new one if you mean it", where, issued(old))
	}
	return mayStandBeside(where, old, in, now)
}

// mayStandBeside refuses a statement of the same second as another one that
// counts, with other targets: whoever has seen both accepts neither.
func mayStandBeside(where string, other, in *delegation.Inspection, now time.Time) error {
	if other.Order().Compare(in.Order()) == 0 && other.Check(now) == nil &&
		delegation.DigestTargets(other.Statement.Targets) != delegation.DigestTargets(in.Statement.Targets) {
		return failure(delegation.Conflict, "%s holds a statement of the same second, issued %s, with other targets; sign again", where, issued(other))
	}
	return nil
}

// issued is when a statement says it was issued, for a person.
func issued(in *delegation.Inspection) string { return in.Statement.Issued.Format(time.RFC3339) }

// failure makes an error with a reason.
func failure(reason delegation.Reason, format string, args ...any) error {
	return &delegation.Error{Outcome: reason.Outcome(), Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// detail is what an error says, without its reason.
func detail(err error) string {
	var e *delegation.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}

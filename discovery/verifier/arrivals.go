package verifier

import (
	"slices"

	"github.com/dnasign/dnasign/delegation"
)

// maxEarly is how often evidence that is still coming in is judged, if it may
// hold a statement. What comes later is judged with the rest. A stranger who
// sends many answers one after the other must not choose how often all of them
// are verified again.
const maxEarly = 2

// arrivals say when evidence that is still coming in is worth judging. The zero
// value is ready, for one question.
type arrivals struct {
	begun  bool
	judged int // what the last evidence that was worth it held
	times  int
}

// worth reports whether to judge the evidence now. The SRV answers must be
// there: without them nobody knows which targets a statement leaves. So must the
// answer about signers, if it was asked for. Something
// that may be a statement must have come since worth last said yes. And worth
// says yes at most maxEarly times. Evidence that holds nothing is worth it
// once: secure SRV records may be enough.
func (a *arrivals) worth(e *delegation.Evidence) bool {
	if awaitsDNS(e) || a.begun && a.seen(e) {
		return false
	}
	n := candidates(e)
	if n > 0 {
		if a.times == maxEarly {
			return false
		}
		a.times++
	}
	a.begun, a.judged = true, n
	return true
}

// seen reports whether the evidence holds nothing that may be a statement but
// what was there when worth last said so.
func (a *arrivals) seen(e *delegation.Evidence) bool { return candidates(e) == a.judged }

// awaitsDNS reports whether an answer about SRV records or signers is still to come.
func awaitsDNS(e *delegation.Evidence) bool {
	return e.AwaitsSRV() || slices.ContainsFunc(e.Signers, func(a delegation.TLSAAnswer) bool { return a.Unanswered() })
}

// candidates counts what may be a statement. Answers come, and none goes.
func candidates(e *delegation.Evidence) int {
	n := 0
	for _, a := range e.TXT {
		n += len(a.Records)
	}
	for _, d := range e.Documents {
		if len(d.Body) > 0 {
			n++
		}
	}
	return n
}

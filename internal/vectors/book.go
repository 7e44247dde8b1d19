package vectors

import (
	"fmt"
	"strings"
)

// A book collects the cases of one family.
type book struct {
	*world
	file File
	// bases are, for each refused case of verify, the case without its defect.
	bases []Case
}

func newBook(w *world, family string, notes map[string]Note) *book {
	return &book{world: w, file: File{Family: family, Notes: notes}}
}

// add takes a case in.
func (b *book) add(id, flags, comment string, c Case, expect *Expect) {
	if m := expect.Methods; m != nil && m["posh"] == "" {
		m["posh"] = "not-used" // but in its own family, no case can use a POSH file
	}
	c.ID, c.Comment, c.Flags, c.Expect = id, comment, strings.Fields(flags), expect
	b.file.Cases = append(b.file.Cases, c)
}

// An entry is a case of verify. The usual case and its base step together are
// valid; the change makes the case what its comment says.
type entry struct {
	id, flags, reason, comment string
	base, change               step
	expect                     []expectation
}

// An expectation changes what is expected of a verified statement.
type expectation func(t *trial, e *Expect)

// bad is a case whose one defect is the change.
func bad(id, flags, reason, comment string, change step, base ...step) entry {
	return entry{id: id, flags: flags, reason: reason, comment: comment, base: all(base...), change: change}
}

// good is a case that verifies.
func good(id, flags, comment string, change step, expect ...expectation) entry {
	return entry{id: id, flags: flags, reason: "verified", comment: comment, change: change, expect: expect}
}

// verify takes entries in, each built on a prelude.
func (b *book) verify(prelude step, entries ...entry) {
	for _, e := range entries {
		t := b.trial(prelude, e.base, e.change)
		expect := ending(e.reason)
		if e.reason == "verified" {
			expect = t.verified()
		} else {
			base := b.trial(prelude, e.base).build()
			base.ID, base.Expect = b.file.Family+"-"+e.id, ending("verified")
			b.bases = append(b.bases, base)
		}
		for _, change := range e.expect {
			change(t, expect)
		}
		b.add(b.file.Family+"-"+e.id, e.flags, e.comment, t.build(), expect)
	}
}

// both takes entries in once for each encoding.
func (b *book) both(prelude step, entries ...entry) {
	for _, encoding := range []string{jwsEncoding, acEncoding} {
		for _, e := range entries {
			e.id = fmt.Sprintf("%s-%s", e.id, encoding)
			b.verify(all(func(t *trial) { t.encoding = encoding }, prelude), e)
		}
	}
}

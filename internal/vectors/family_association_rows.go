package vectors

import (
	"slices"
	"strings"
	"time"
)

// rows is the table of two SRV labels, worked out by hand: a line for what the
// role's own label says, a column for what the second one says.
//
//	X W  the records of the row: of the own label, of the second one
//	s    the row is secure
//	.    the service is not available
//	-    there are no records
//	own  the lookup failed, with the reason of the own label
//	2nd  with the reason of the second one
//	!    a failed lookup was passed over: look again after 5 minutes
const rows = `
own\second  unasked absent insecure useless timeout bogus many secure  secure-useless secure-absent
unasked     -       -      W        .       2nd     2nd   2nd  s_W     s_.            -
absent      -       -      W        .       2nd     2nd   2nd  s_W     s_.            -
insecure    X       X      X_W      X       X_!     X_!   X_!  s_W     s_.            X
useless     .       .      W        .       2nd     2nd   2nd  s_W     s_.            .
timeout     own     own    own      own     own     own   own  s_W_!   s_._!          own
bogus       own     own    own      own     own     own   own  s_W_!   s_._!          own
many        own     own    own      own     own     own   own  s_W_!   s_._!          own
secure      s_X     s_X    s_X      s_X     s_X_!   s_X_! s_X_! s_X_W  s_X            s_X
secure-useless s_.  s_.    s_.      s_.     s_._!   s_._! s_._! s_W    s_.            s_.
secure-absent  -    -      W        .       2nd     2nd   2nd  s_W     s_.            -
`

// ofLabel makes the answer for a label, with a record for a letter.
var ofLabel = map[string]struct {
	answer func(label, letter string) []srvAnswer
	reason string
}{
	"unasked":        {func(string, string) []srvAnswer { return nil }, ""},
	"absent":         {func(label, _ string) []srvAnswer { return []srvAnswer{srvAt(label, insecure)} }, ""},
	"insecure":       {func(label, letter string) []srvAnswer { return []srvAnswer{srvAt(label, insecure, entries(letter)...)} }, ""},
	"useless":        {func(label, _ string) []srvAnswer { return []srvAnswer{srvAt(label, insecure, to(".", 0))} }, ""},
	"timeout":        {func(label, _ string) []srvAnswer { return []srvAnswer{srvFailed(label, "dns-timeout")} }, "dns-timeout"},
	"bogus":          {func(label, letter string) []srvAnswer { return []srvAnswer{srvAt(label, bogus, entries(letter)...)} }, "dns-bogus"},
	"secure":         {func(label, letter string) []srvAnswer { return []srvAnswer{srvAt(label, secure, entries(letter)...)} }, ""},
	"secure-useless": {func(label, _ string) []srvAnswer { return []srvAnswer{srvAt(label, secure, to(".", 0))} }, ""},
	"secure-absent":  {func(label, _ string) []srvAnswer { return []srvAnswer{srvAt(label, secure)} }, ""},
	"many": {func(label, letter string) []srvAnswer {
		return []srvAnswer{srvAt(label, insecure, slices.Repeat(entries(letter), 33)...)}
	}, "too-many-records"},
}

// rowTable has each cell of the table as a case without a statement.
func (b *book) rowTable() {
	lines := strings.Split(strings.TrimSpace(rows), "\n")
	columns := strings.Fields(lines[0])[1:]
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		for i, cell := range cells[1:] {
			b.row(cells[0], columns[i], strings.Split(cell, "_"))
		}
	}
}

func (b *book) row(own, other string, cell []string) {
	mine, theirs := ofLabel[own], ofLabel[other]
	answers := append(append([]srvAnswer{}, mine.answer(service, "X")...), theirs.answer(second, "W")...)
	isSecure, again := cell[0] == "s", cell[len(cell)-1] == "!"
	names := []string{source}
	var dial []Dial
	var reason string
	for _, c := range cell {
		switch c {
		case "X", "W":
			start := map[string]string{"X": "starttls", "W": "direct"}[c]
			dial = append(dial, Dial{letters[c], source, start})
			if isSecure {
				names = append(names, letters[c].Host)
			}
		case "-":
			dial = append(dial, Dial{letters["B"], source, "starttls"})
		case ".":
			reason = "service-not-available"
		case "own":
			reason = mine.reason
		case "2nd":
			reason = theirs.reason
		}
	}
	e := dialled(dial...)
	dnssec := "not-secure"
	if reason != "" {
		e = ending(reason)
	}
	switch {
	case isSecure && reason == "":
		dnssec = "verified"
	case isSecure || reason != "" && reason != "service-not-available":
		dnssec = reason
	}
	delegation := "no-statement"
	if isSecure {
		delegation = "not-used"
	}
	e.Methods = map[string]string{"pkix": "verified", "dnssec": dnssec, "delegation": delegation}
	slices.Sort(names)
	e.References = names
	switch wait := 5 * time.Minute; {
	case isSecure && !again && reason != "": // nothing says how long a denial lasts
	case isSecure && !again:
		wait = hour
		fallthrough
	default:
		at := now.Add(wait)
		e.RefreshAt = &at
	}
	d := b.deal(silent, on(believes, hasSRV(answers...)))
	b.add(b.file.Family+"-row-"+own+"-"+other, "row", "the role's own label: "+own+"; the second label: "+other, d.build(), e)
}

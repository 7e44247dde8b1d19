package publish

import (
	"fmt"
	"slices"
	"strings"
)

// String shows the update to a person: what must be there, what goes and what
// comes.
func (u *Update) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "server %s\nzone %s\n", u.Server, u.Zone)
	for _, record := range u.Present {
		mark := " "
		if slices.Contains(u.Remove, record) {
			mark = "-"
		}
		fmt.Fprintf(&b, "%s %s\n", mark, record)
	}
	for _, record := range u.Add {
		fmt.Fprintf(&b, "+ %s\n", record)
	}
	if u.Nothing() {
		b.WriteString("nothing to be done\n")
	}
	return b.String()
}

// Script is the update as commands for nsupdate(1), or knsupdate(1). Whoever
// runs it gives the key.
func (u *Update) Script() string {
	var b strings.Builder
	if u.Nothing() {
		fmt.Fprintf(&b, "; %s has the statement already\n", u.Name)
		return b.String()
	}
	fmt.Fprintf(&b, "server %s %d\nzone %s\n", u.server.Addr(), u.server.Port(), u.Zone)
	if len(u.present) == 0 {
		fmt.Fprintf(&b, "prereq nxrrset %s IN TXT\n", u.Name)
	}
	for _, rr := range u.present {
		fmt.Fprintf(&b, "prereq yxrrset %s IN TXT %s\n", u.Name, data(rr))
	}
	if u.clears() {
		fmt.Fprintf(&b, "update delete %s IN TXT\n", u.Name)
	} else {
		for _, rr := range u.remove {
			fmt.Fprintf(&b, "update delete %s IN TXT %s\n", u.Name, data(rr))
		}
	}
	for _, rr := range u.add {
		fmt.Fprintf(&b, "update add %s %d IN TXT %s\n", u.Name, rr.Header().Ttl, data(rr))
	}
	b.WriteString("send\n")
	return b.String()
}

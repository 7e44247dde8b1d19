package publish

import (
	"fmt"
	"strings"
)

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
	for _, rr := range u.remove {
		fmt.Fprintf(&b, "update delete %s IN TXT %s\n", u.Name, data(rr))
	}
	for _, rr := range u.add {
		fmt.Fprintf(&b, "update add %s %d IN TXT %s\n", u.Name, rr.Header().Ttl, data(rr))
	}
	b.WriteString("send\n")
	return b.String()
}

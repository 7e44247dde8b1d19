package publish

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// firstPause and longestPause are the times between two looks at servers that
// lag. A zone transfer takes a fraction of a second, or minutes.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

// Current implements [Place] at every authoritative server, as anybody sees it.
// If the server that is updated shows something else to the key, that is a View
// of its own.
func (r *Records) Current(ctx context.Context) ([]View, error) {
	at, servers, err := r.servers(ctx)
	if err != nil {
		return nil, err
	}
	var ours textSet
	var asking sync.WaitGroup
	asking.Go(func() { ours = r.withKey(ctx, at) })
	sets := look(ctx, servers, at.owner)
	asking.Wait()
	var views []View
	for i, set := range sets {
		switch {
		case !r.dns.updates(servers[i], at) || ours.err != nil:
		case servers[i].hidden(set):
			set, ours.err = ours, errSeen
		case sameTexts(set.texts, ours.texts):
			ours.err = errSeen
		}
		views = append(views, set.view(servers[i].String(), at.owner))
	}
	if ours.err == nil {
		views = append(views, ours.view(ours.server.String()+" (with the key)", at.owner))
	}
	return views, nil
}

// errSeen: what the key sees is told already.
var errSeen = errors.New("it is what others see")

func (s textSet) view(where, owner string) View {
	v := View{Where: where, Err: s.err}
	for _, record := range s.texts {
		if in, counts, err := delegation.InspectTXT(record); counts {
			v.Found = append(v.Found, Found{owner, in, err})
		}
	}
	return v
}

// withKey is what the server that is updated shows to the key. The error is
// there, too, if there is no key or the server does not know it.
func (r *Records) withKey(ctx context.Context, at spot) textSet {
	if r.dns.Key == nil {
		return textSet{err: errors.New("there is no key")}
	}
	finding, cancel := r.dns.finding(ctx)
	defer cancel()
	server, err := r.dns.primary(finding, at)
	if err != nil {
		return textSet{err: err}
	}
	set, from, key, err := server.readSet(ctx, at.owner, r.dns.keyed)
	if err == nil && !key.known {
		err = errors.New("the key is not known")
	}
	return textSet{texts: textsOf(set), err: err, server: from.address}
}

// updates reports whether updates of a zone go to a server.
func (d *DNS) updates(s nameServer, at spot) bool {
	if d.Server == "" {
		return s.name != "" && s.name == at.primary
	}
	updated, err := parseServer(d.Server)
	return err == nil && slices.Contains(s.addresses, updated)
}

// hidden reports whether a server that the caller named answers only some
// clients. Then only the key needs to see what it has.
func (s nameServer) hidden(set textSet) bool {
	return s.name == "" && delegation.ReasonOf(set.err) == reasons.DNSFailure
}

func (r *Records) servers(ctx context.Context) (spot, []nameServer, error) {
	ctx, cancel := r.dns.finding(ctx)
	defer cancel()
	at, err := r.dns.locate(ctx, r.name())
	if err != nil {
		return at, nil, err
	}
	servers, err := r.dns.authorities(ctx, at)
	return at, servers, err
}

// Check implements [Place] at every authoritative server.
func (r *Records) Check(ctx context.Context, statement []byte) error {
	in, err := delegation.Inspect(statement)
	if err != nil {
		return err
	}
	at, servers, err := r.servers(ctx)
	if err != nil {
		return err
	}
	var wrong []string
	if until(ctx, r.dns.Wait, func() bool {
		wrong = nil
		for i, set := range look(ctx, servers, at.owner) {
			if problem := r.missing(ctx, at, servers[i], set, in); problem != "" {
				wrong = append(wrong, fmt.Sprintf("%s %s", servers[i], problem))
			}
		}
		return len(wrong) == 0
	}) {
		return nil
	}
	return delegation.Errorf(reasons.NotEverywhere, "%s: %s", at.owner, strings.Join(wrong, "; "))
}

// until looks again until all is well, and reports whether it was within the time.
func until(ctx context.Context, patience time.Duration, well func() bool) bool {
	deadline := time.After(patience)
	for pause := firstPause; !well(); pause = min(2*pause, longestPause) {
		select {
		case <-time.After(pause):
		case <-deadline:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// missing returns "" if a server shows the statement to anybody who asks it, and
// otherwise what it does instead.
func (r *Records) missing(ctx context.Context, at spot, server nameServer, set textSet, in *delegation.Inspection) string {
	problem := set.shows(r, in)
	if problem == "" || !r.dns.updates(server, at) {
		return problem
	}
	if ours := r.withKey(ctx, at); ours.err != nil || ours.shows(r, in) != "" {
		return problem
	}
	if server.hidden(set) {
		return ""
	}
	return problem + ", and shows it to the key: others see another view of the zone, or an access list (allow-query) shuts them out"
}

// A textSet is the texts of the TXT records that a server has.
type textSet struct {
	texts  []string
	err    error
	server netip.AddrPort // that of withKey
}

// look asks all servers at once; there are at most maxServers of them. It asks as
// everybody does, without a key.
func look(ctx context.Context, servers []nameServer, owner string) []textSet {
	sets := make([]textSet, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() {
			set, _, _, err := server.readSet(ctx, owner, func(a netip.AddrPort) asker { return asker{address: a} })
			sets[i] = textSet{texts: textsOf(set), err: err}
		})
	}
	all.Wait()
	return sets
}

func textsOf(set []dns.RR) (texts []string) {
	for _, rr := range set {
		texts = append(texts, strings.Join(rr.(*dns.TXT).Txt, ""))
	}
	return texts
}

// shows returns "" if a server has the statement and no other of its source,
// service and encoding. Otherwise it says what the server does instead.
func (s textSet) shows(r *Records, in *delegation.Inspection) string {
	if s.err != nil {
		return "cannot be read: " + detail(s.err)
	}
	there, other := false, ""
	for _, record := range s.texts {
		found, counts, err := delegation.InspectTXT(record)
		switch {
		case record == in.Encoding.TXTRecord(in.Raw):
			there = true
		case !counts || err != nil:
		case found.Statement.Source == r.source && found.Statement.Service == r.service && found.Encoding == in.Encoding:
			other = "the statement issued " + text.FineStamp(found.Statement.Issued)
			if found.Order().Compare(in.Order()) > 0 {
				other = "a newer one, issued " + text.FineStamp(found.Statement.Issued)
			}
		}
	}
	switch {
	case there && other == "":
		return ""
	case there:
		return "shows it, and " + other + " besides"
	case other != "":
		return "shows " + other
	}
	return "does not show it"
}

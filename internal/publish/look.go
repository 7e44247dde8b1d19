package publish

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
)

// firstPause and longestPause are the time between two looks at servers that
// lag: a zone transfer takes a fraction of a second, or minutes.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

// Current implements [Place] at every authoritative server.
func (r *Records) Current(ctx context.Context) ([]View, error) {
	at, servers, err := r.servers(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]View, len(servers))
	for i, set := range look(ctx, servers, at.owner) {
		views[i].Where, views[i].Err = servers[i].String(), set.err
		for _, text := range set.texts {
			in, counts, err := delegation.InspectTXT(text)
			if counts {
				views[i].Found = append(views[i].Found, Found{at.owner, in, err})
			}
		}
	}
	return views, nil
}

func (r *Records) servers(ctx context.Context) (spot, []nameServer, error) {
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
	deadline := time.After(r.dns.Wait)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		var wrong []string
		for i, set := range look(ctx, servers, at.owner) {
			if problem := set.shows(r, in); problem != "" {
				wrong = append(wrong, fmt.Sprintf("%s %s", servers[i], problem))
			}
		}
		if len(wrong) == 0 {
			return nil
		}
		late := failure(delegation.NotEverywhere, "%s: %s", at.owner, strings.Join(wrong, "; "))
		if r.dns.Wait == 0 {
			return late
		}
		select {
		case <-time.After(pause):
		case <-deadline:
			return late
		case <-ctx.Done():
			return late
		}
	}
}

// A textSet is the texts of the TXT records that a server has.
type textSet struct {
	texts []string
	err   error
}

// look asks all servers at once; there are at most maxServers of them.
func look(ctx context.Context, servers []nameServer, owner string) []textSet {
	sets := make([]textSet, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() {
			set, _, err := server.readSet(ctx, owner)
			sets[i].err = err
			for _, rr := range set {
				sets[i].texts = append(sets[i].texts, strings.Join(rr.(*dns.TXT).Txt, ""))
			}
		})
	}
	all.Wait()
	return sets
}

// shows returns "" if a server has the statement and no other of its source,
// service and encoding, and otherwise what it does instead.
func (s textSet) shows(r *Records, in *delegation.Inspection) string {
	if s.err != nil {
		return "cannot be read: " + detail(s.err)
	}
	there, other := false, ""
	for _, text := range s.texts {
		found, counts, err := delegation.InspectTXT(text)
		switch {
		case text == delegation.TXTRecord(in.Encoding, in.Raw):
			there = true
		case !counts || err != nil:
		case found.Statement.Source == r.source && found.Statement.Service == r.service && found.Encoding == in.Encoding:
			other = "the statement issued " + issued(found)
			if found.Order().Compare(in.Order()) > 0 {
				other = "a newer one, issued " + issued(found)
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

package watch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
)

// good are the statements of a channel that verify by themselves, revocations
// among them. An encoding of "" means any.
func (v *view) good(c channel, encoding delegation.Encoding) []*statement {
	var list []*statement
	for i := range v.places {
		p := &v.places[i]
		if p.channel != c {
			continue
		}
		for j := range p.found {
			s := &p.found[j]
			if s.err == nil && (encoding == "" || s.encoding == encoding) {
				list = append(list, s)
			}
		}
	}
	return list
}

// newest is the one that comes last in the order, nil of none.
func newest(list []*statement) *statement {
	var top *statement
	for _, s := range list {
		if top == nil || s.floor.Order.Compare(top.floor.Order) > 0 {
			top = s
		}
	}
	return top
}

// differ compares two statements. Different targets are an error, since the
// verifiers that find the older one go on believing it. A different place in the
// order is a warning, since the older one expires first.
func differ(a, b *statement) (Severity, bool) {
	switch {
	case a == nil || b == nil:
		return "", false
	case a.floor.Targets != b.floor.Targets:
		return SeverityError, true
	case a.floor.Order.Compare(b.floor.Order) != 0:
		return SeverityWarning, true
	}
	return "", false
}

var channels = []channel{channelDNS, channelHTTPS}

// compareResolvers finds what differs between resolvers. It compares all with
// the first that has something.
func compareResolvers(found *findings, views []view) {
	for _, c := range channels {
		var first *statement
		var through string
		for _, v := range views {
			s := newest(v.good(c, ""))
			if severity, differs := differ(first, s); differs {
				found.add(Finding{Name: ResolversDiffer, Severity: severity, Resolvers: []string{through, v.Resolver}, Detail: fmt.Sprintf(
					"over %s: through %s %s, through %s %s", c.name(), through, first.describe(), v.Resolver, s.describe())})
			}
			if first == nil && s != nil {
				first, through = s, v.Resolver
			}
		}
	}
	var first *view
	for i := range views {
		v := &views[i]
		switch names := v.srvNames(); {
		case len(names) == 0:
		case first == nil:
			first = v
		case !slices.Equal(names, first.srvNames()):
			found.add(Finding{Name: SRVDiffers, Severity: SeverityWarning, Resolvers: []string{first.Resolver, v.Resolver}, Detail: fmt.Sprintf(
				"through %s %s, through %s %s", first.Resolver, strings.Join(first.srvNames(), " "), v.Resolver, strings.Join(names, " "))})
		}
	}
}

// srvNames are the endpoints of the SRV records, sorted.
func (v *view) srvNames() []string {
	var names []string
	for _, e := range v.srv.Entries {
		names = append(names, e.Target.Endpoint.String())
	}
	slices.Sort(names)
	return names
}

// comparePlaces finds what contradicts itself through one resolver.
func (v *view) comparePlaces(found *findings) {
	add := func(name Name, severity Severity, reason reasons.Reason, format string, args ...any) {
		found.add(Finding{Name: name, Severity: severity, Reason: reason, Detail: fmt.Sprintf(format, args...), Resolvers: []string{v.Resolver}})
	}
	dns, https := newest(v.good(channelDNS, "")), newest(v.good(channelHTTPS, ""))
	if severity, differs := differ(dns, https); differs {
		add(ChannelsDiffer, severity, "", "DNS has %s, HTTPS %s", dns.describe(), https.describe())
	}
	for _, c := range channels {
		jws, ac := newest(v.good(c, delegation.JWS)), newest(v.good(c, delegation.AC))
		if severity, differs := differ(jws, ac); differs {
			add(EncodingsDiffer, severity, "", "over %s: the JWS is %s, the attribute certificate %s", c.name(), jws.describe(), ac.describe())
		}
		for _, e := range delegation.Encodings() {
			v.leftOver(found, v.good(c, e))
		}
	}
	for _, p := range v.places {
		// A place that was not waited for is nobody's fault.
		if p.failure != nil && p.failure.Reason != reasons.Unanswered && v.err == nil {
			add(ChannelFailed, SeverityWarning, p.failure.Reason, "%s", p.failure.Detail)
		}
		for _, s := range p.found {
			v.bad(found, &s)
		}
	}
	for i, c := range channels {
		other := channels[1-i]
		if len(v.good(other, "")) > 0 && v.isEmpty(c) {
			add(ChannelMissing, SeverityWarning, "", "%s has a statement, %s has none", other.name(), c.name())
		}
	}
}

// alias finds an alias with no statement at its end. That is an error if nothing is
// found elsewhere.
func (v *view) alias(found *findings) {
	if v.Evidence == nil {
		return
	}
	for _, a := range v.Evidence.TXT {
		if a.Alias == "" || a.Failure != nil || !v.isEmpty(channelDNS) {
			continue
		}
		severity := SeverityWarning
		if v.err != nil {
			severity = severityOf(v.err.Outcome)
		}
		found.add(Finding{Name: AliasEmpty, Severity: severity, Resolvers: []string{v.Resolver}, Detail: fmt.Sprintf(
			"%s is an alias of %s, where there is no statement", a.Name, a.Alias)})
	}
}

// leftOver finds statements that a newer one in the same encoding and channel
// has replaced.
func (v *view) leftOver(found *findings, list []*statement) {
	top := newest(list)
	for _, s := range list {
		if s.floor.Order.Compare(top.floor.Order) < 0 {
			found.add(Finding{Name: LeftOver, Severity: SeverityWarning, Resolvers: []string{v.Resolver}, Detail: fmt.Sprintf(
				"%s: %s, replaced by %s", s.origin, s.describe(), top.describe())})
		}
	}
}

// bad finds a statement that nobody accepts, unless the verdict says so anyway.
func (v *view) bad(found *findings, s *statement) {
	if s.err == nil || v.err != nil && v.err.Reason == s.err.Reason {
		return
	}
	f := Finding{Name: BadStatement, Severity: SeverityWarning, Reason: s.err.Reason, Detail: s.origin + ": " + s.err.Detail, Hint: hints.ForOwner(s.err.Reason), Resolvers: []string{v.Resolver}}
	if s.err.Reason == reasons.Expired || s.err.Reason == reasons.SignerExpired {
		f.Name, f.Hint = LeftOver, LeftOver.hint()
	}
	found.add(f)
}

// isEmpty reports whether every place of a channel was looked at and has
// nothing. A channel that was not asked is not empty.
func (v *view) isEmpty(c channel) bool {
	asked := false
	for _, p := range v.places {
		if p.channel == c {
			if asked = true; p.failure != nil || len(p.found) > 0 {
				return false
			}
		}
	}
	return asked
}

// compareSRV finds what the SRV records and a verified statement do not have in
// common. Where they have nothing in common at all, the verdict says it.
func (v *view) compareSRV(found *findings) {
	if v.result == nil || len(v.srv.Entries) == 0 {
		return
	}
	role := delegation.RoleOf(v.result.Service())
	agreed := map[delegation.Endpoint]delegation.Start{}
	for _, t := range v.result.Dial() {
		agreed[t.Endpoint] = role.StartOf(t)
	}
	var left, idle, otherwise []string
	for _, e := range v.srv.Entries {
		start, ok := agreed[e.Target.Endpoint]
		switch {
		case !ok:
			left = append(left, e.Target.Endpoint.String())
		case start != role.StartAt(e.Label):
			otherwise = append(otherwise, fmt.Sprintf("%s (%s)", e.Target.Endpoint, e.Label))
		}
	}
	for _, t := range v.result.Targets() {
		if _, ok := agreed[t.Endpoint]; !ok {
			idle = append(idle, t.Endpoint.String())
		}
	}
	var parts []string
	if len(left) > 0 {
		parts = append(parts, "in SRV and not delegated to: "+strings.Join(left, " "))
	}
	if len(idle) > 0 {
		parts = append(parts, "delegated to and not in SRV: "+strings.Join(idle, " "))
	}
	if len(otherwise) > 0 {
		parts = append(parts, "TLS begins otherwise than the SRV label says, at: "+strings.Join(otherwise, " "))
	}
	if len(parts) > 0 {
		found.add(Finding{Name: SRVDisagrees, Severity: SeverityWarning, Resolvers: []string{v.Resolver}, Detail: strings.Join(parts, "; ")})
	}
}

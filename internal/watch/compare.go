package watch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
)

// good are the statements of a channel that hold by themselves, revocations
// among them, for a label; an encoding of "" means any.
func (v *view) good(c channel, label string, encoding delegation.Encoding) []*statement {
	var list []*statement
	for i := range v.places {
		p := &v.places[i]
		if p.channel != c {
			continue
		}
		for j := range p.found {
			s := &p.found[j]
			if s.err == nil && s.floor.Service == label && (encoding == "" || s.encoding == encoding) {
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

// differ compares two statements about one label: other targets are an error,
// since others then believe something else; another place in the order is a
// warning, since the older one dies first.
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

// labels are those of which any view has a good statement, in their order.
func labels(views ...view) []string {
	var list []string
	for _, v := range views {
		if v.Evidence == nil {
			continue
		}
		for _, service := range delegation.Services(v.Evidence.Service) {
			for _, c := range channels {
				if !slices.Contains(list, service) && len(v.good(c, service, "")) > 0 {
					list = append(list, service)
				}
			}
		}
	}
	return list
}

var channels = []channel{channelDNS, channelHTTPS}

// compareResolvers finds what is another thing through each resolver. All are
// compared with the first that has something.
func compareResolvers(found *findings, views []view) {
	for _, label := range labels(views...) {
		for _, c := range channels {
			var first *statement
			var through string
			for _, v := range views {
				s := newest(v.good(c, label, ""))
				if severity, differs := differ(first, s); differs {
					found.add(Finding{Name: ResolversDiffer, Severity: severity, Resolvers: []string{through, v.Resolver}, Detail: fmt.Sprintf(
						"%s over %s: through %s %s, through %s %s", label, c.name(), through, first.describe(), v.Resolver, s.describe())})
				}
				if first == nil && s != nil {
					first, through = s, v.Resolver
				}
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
	add := func(name Name, severity Severity, reason delegation.Reason, format string, args ...any) {
		found.add(Finding{Name: name, Severity: severity, Reason: reason, Detail: fmt.Sprintf(format, args...), Resolvers: []string{v.Resolver}})
	}
	for _, label := range labels(*v) {
		dns, https := newest(v.good(channelDNS, label, "")), newest(v.good(channelHTTPS, label, ""))
		if severity, differs := differ(dns, https); differs {
			add(ChannelsDiffer, severity, "", "%s: DNS has %s, HTTPS %s", label, dns.describe(), https.describe())
		}
		for _, c := range channels {
			jws, ac := newest(v.good(c, label, delegation.JWS)), newest(v.good(c, label, delegation.AC))
			if severity, differs := differ(jws, ac); differs {
				add(EncodingsDiffer, severity, "", "%s over %s: the JWS is %s, the attribute certificate %s", label, c.name(), jws.describe(), ac.describe())
			}
			for _, e := range delegation.Encodings() {
				v.leftOver(found, v.good(c, label, e))
			}
		}
	}
	for _, p := range v.places {
		if p.failure != nil && v.err == nil {
			add(ChannelFailed, SeverityWarning, p.failure.Reason, "%s", p.failure.Detail)
		}
		for _, s := range p.found {
			v.bad(found, &s)
		}
	}
	for i, c := range channels {
		other := channels[1-i]
		if v.hasGood(other) && v.isEmpty(c) {
			add(ChannelMissing, SeverityWarning, "", "%s has a statement, %s has none", other.name(), c.name())
		}
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
	f := Finding{Name: BadStatement, Severity: SeverityWarning, Reason: s.err.Reason, Detail: s.origin + ": " + s.err.Detail, Hint: s.err.Reason.Hint(), Resolvers: []string{v.Resolver}}
	if s.err.Reason == delegation.Expired || s.err.Reason == delegation.SignerExpired {
		f.Name, f.Hint = LeftOver, LeftOver.hint()
	}
	found.add(f)
}

func (v *view) hasGood(c channel) bool {
	return slices.ContainsFunc(labels(*v), func(label string) bool { return len(v.good(c, label, "")) > 0 })
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
	agreed := map[delegation.Endpoint]bool{}
	for _, t := range v.result.Dial() {
		agreed[t.Endpoint] = true
	}
	var left, idle []string
	for _, e := range v.srv.Entries {
		if !agreed[e.Target.Endpoint] {
			left = append(left, e.Target.Endpoint.String())
		}
	}
	for _, t := range v.result.Targets() {
		if !agreed[t.Endpoint] {
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
	if len(parts) > 0 {
		found.add(Finding{Name: SRVDisagrees, Severity: SeverityWarning, Resolvers: []string{v.Resolver}, Detail: strings.Join(parts, "; ")})
	}
}

package association

import (
	"errors"
	"slices"

	"github.com/dnasign/dnasign/delegation"
)

// needsSTARTTLS are the labels at which a connection begins in clear text
// (RFC 6120, Section 5); at all others TLS comes first.
var needsSTARTTLS = map[string]bool{"_xmpp-server._tcp": true, "_xmpp-client._tcp": true}

// defaultPorts are where to connect to the source itself if there are no SRV
// records (RFC 6120, Section 3.2.2).
var defaultPorts = map[string]uint16{"_xmpp-server._tcp": 5269, "_xmpp-client._tcp": 5222}

// dial lists where to connect: rule C3 of docs/spec.md.
func (d *decision) dial(row rule) ([]Dial, error) {
	delegated := slices.Contains(row.methods, Delegation) && d.result != nil
	switch {
	case row.stop && !(d.question.StatementFirst && delegated):
		return nil, d.srvErr
	case delegated:
		return d.dialTargets(), nil
	case d.srvErr != nil:
		return nil, d.srvErr // not available
	}
	var list []Dial
	for _, e := range d.srv.Entries {
		list = append(list, newDial(e.Target, e.Service, d.question.Source))
	}
	if port, ok := defaultPorts[d.question.Service]; ok && len(list) == 0 {
		t := delegation.Target{Endpoint: delegation.Endpoint{Host: d.question.Source, Port: port}}
		list = append(list, newDial(t, d.question.Service, d.question.Source))
	}
	switch {
	case len(list) > 0:
		return list, nil
	case d.failed != nil:
		return nil, bare(d.failed)
	default:
		return nil, refuse(delegation.NoStatement, "there are neither SRV records nor a statement to say where %s of %s is", d.question.Service, d.question.Source)
	}
}

// bare is why, without what was found: an association is kept for long, and
// what strangers publish must not be kept with it.
func bare(err error) error {
	var e *delegation.Error
	if !errors.As(err, &e) {
		return err
	}
	return &delegation.Error{Outcome: e.Outcome, Reason: e.Reason, Detail: e.Detail}
}

func (d *decision) dialTargets() []Dial {
	var list []Dial
	for _, t := range d.result.Dial() {
		list = append(list, newDial(t, d.labelOf(t.Endpoint), t.Host))
	}
	return list
}

// labelOf finds the label an endpoint stands at: that of its SRV record, else
// that of the statement that lists it.
func (d *decision) labelOf(e delegation.Endpoint) string {
	if !d.question.StatementFirst {
		for _, service := range delegation.Services(d.question.Service) {
			if d.srvNames(service, e) {
				return service
			}
		}
	}
	for _, p := range d.result.Statements() {
		for _, t := range p.Statement.Targets {
			if t.Endpoint == e {
				return p.Statement.Service
			}
		}
	}
	return d.question.Service
}

// srvNames reports whether the SRV records of a label, in whatever DNSSEC
// state, name an endpoint.
func (d *decision) srvNames(service string, e delegation.Endpoint) bool {
	name := delegation.SRVName(d.question.Source, service)
	return slices.ContainsFunc(d.evidence.SRV, func(a delegation.SRVAnswer) bool {
		return a.Name == name && slices.ContainsFunc(a.Records, func(r delegation.SRVRecord) bool {
			return r.Target == e.Host && r.Port == e.Port
		})
	})
}

func newDial(t delegation.Target, service, serverName string) Dial {
	return Dial{Target: t, Service: service, ServerName: serverName, Direct: !needsSTARTTLS[service]}
}

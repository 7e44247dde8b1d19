package association

import (
	"errors"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// dial lists where to connect: rule C3 of docs/connections.md.
func (d *decision) dial() ([]Dial, error) {
	delegated := givesNames(Delegation, d.state) && d.result != nil
	switch {
	case d.state.stops() && !(d.question.StatementFirst && delegated):
		return nil, d.srvErr
	case delegated:
		return d.dialTargets(), nil
	case d.srvErr != nil:
		return nil, d.srvErr // not available
	}
	var list []Dial
	for _, e := range d.srv.Entries {
		list = append(list, Dial{Target: e.Target, ServerName: d.question.Source, Start: d.role.StartAt(e.Label)})
	}
	if port := d.role.DefaultPort; port != 0 && len(list) == 0 {
		t := delegation.Target{Endpoint: delegation.Endpoint{Host: d.question.Source, Port: port}}
		list = append(list, Dial{Target: t, ServerName: d.question.Source, Start: d.role.Start})
	}
	switch {
	case len(list) > 0:
		return list, nil
	case d.failed != nil:
		return nil, bare(d.failed)
	default:
		return nil, delegation.Errorf(reasons.NoStatement, "there are neither SRV records nor a statement to say where %s of %s is", d.question.Service, d.question.Source)
	}
}

// bare is why, without what was found. An association is kept for long, and
// must not keep what strangers publish.
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
		list = append(list, Dial{Target: t, ServerName: t.Host, Start: d.role.StartOf(t)})
	}
	return list
}

package daemon

import (
	"context"
	"encoding/hex"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
)

// A Target is somewhere to connect to, and what a server there must show.
type Target struct {
	Host string `json:"host"`
	Port uint16 `json:"port"`
	// Start is how TLS begins: "direct", "starttls" or "unknown". Nobody should
	// connect to an unknown one.
	Start string `json:"start"`
	// ServerName is for SNI.
	ServerName string `json:"server_name"`
	// Names are those that the server's certificate may carry, one of them.
	Names []TargetName `json:"names"`
}

// A TargetName is a name that counts at one target.
type TargetName struct {
	Name
	// Pins are SHA-256 digests of SubjectPublicKeyInfo in hexadecimal. If there are
	// any, the certificate has one of these keys.
	Pins []string `json:"pins"`
}

// starts are the texts of how TLS begins.
var starts = map[delegation.Start]string{delegation.DirectTLS: "direct", delegation.STARTTLS: "starttls", delegation.UnknownStart: "unknown"}

// readPlace reads a question about where to connect. It is as strict as
// [readQuestion], with the same errors.
func readPlace(body []byte, _ *chains) (question, error) {
	q := question{direction: association.Outgoing}
	var service string
	r := &reader{text: body}
	err := r.whole(func(name string) error { return r.member(name, &q, &service) }, "source", "service")
	if err != nil {
		return q, err
	}
	return q, q.about(service)
}

// place answers where to connect. Verified means that there is somewhere.
func (s *State) place(ctx context.Context, h *Handler, q question) (*Answer, verifier.Mark) {
	a := newAnswer(q)
	d, err := s.Verifier.Decide(ctx, verifier.Question{Source: q.source, Service: q.service, Direction: q.direction, Addr: q.peer})
	if err != nil {
		return a.failed(h, q, err), verifier.Mark{}
	}
	a.decided(h, q, d)
	if _, err := d.Association.Dial(); err != nil {
		return a.refused(err), verifier.Mark{}
	}
	references := d.Association.References()
	for _, to := range d.Targets() {
		t := Target{Host: to.Host, Port: to.Port, Start: starts[to.Start], ServerName: to.ServerName, Names: []TargetName{}}
		for _, r := range references {
			if r.Endpoint != (delegation.Endpoint{}) && r.Endpoint != to.Endpoint {
				continue
			}
			n := TargetName{Name: nameOf(r), Pins: []string{}}
			for _, pin := range r.SPKI {
				n.Pins = append(n.Pins, hex.EncodeToString(pin[:]))
			}
			t.Names = append(t.Names, n)
		}
		a.Targets = append(a.Targets, t)
	}
	a.Outcome, a.Reason = reasons.OutcomeVerified, reasons.Verified
	a.Detail = "a server at one of the targets may act for the source if its certificate has a name of that target"
	a.Message = a.Source + ": " + a.Detail
	return a, verifier.Mark{}
}

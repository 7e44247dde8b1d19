package verifier

import (
	"time"
	"weak"

	"github.com/dnasign/dnasign/delegation/association"
)

// A Mark is what is left of a proof to tell later whether it is still the answer. It
// keeps neither the decision nor the certificates in memory. The zero Mark stands for
// no proof.
type Mark struct {
	key         key
	decision    weak.Pointer[Decision]
	from, until time.Time
}

// Mark gives that of a proof. It is the zero Mark where the answer rests on more than
// the decision and the peer's certificates: on TLSA records, on a POSH file, or on
// nothing that was decided.
func (d *Verifier) Mark(p *Proof) Mark {
	if p.Decision == nil || p.from.IsZero() || p.peer.opened != nil || p.Reference.Method == association.POSH || p.TLSA != nil || d.bindsSource(p.peer) {
		return Mark{}
	}
	k := keyOf(Question{Source: p.Source, Service: p.Service, Direction: p.Direction})
	return Mark{k, weak.Make(p.Decision), p.from, p.Until}
}

// Stands reports whether Check would give the proof of a mark again at this moment,
// by the same decision and for the same peer. The decision is still the fresh answer
// and no newer statement is known, which is certain. The time is within what the
// certificates and the proof were found good for. If it reports false, that says
// nothing: Check tells. It asks nobody and waits for nobody.
func (d *Verifier) Stands(m Mark) bool {
	decision := m.decision.Value()
	if now := d.config.Now(); decision == nil || now.Before(m.from) || !now.Before(m.until) {
		return false
	}
	d.mu.Lock()
	known, certain := d.fresh(m.key, false)
	d.mu.Unlock()
	if known != decision || !certain {
		return false
	}
	d.config.Metrics.Count("questions", "hit")
	return true
}

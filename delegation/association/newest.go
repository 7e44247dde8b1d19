package association

import (
	"slices"

	"github.com/dnasign/dnasign/delegation"
)

// A subject is what the floors of a decision are about: all labels of a role.
type subject struct{ source, role string }

// A told is the newest that a table was told of a subject: for each label the
// highest floor.
type told struct {
	subject subject
	floors  []delegation.Floor
}

// tell holds a decision to the newest statements that the table was told of,
// and remembers its own. The error, superseded or conflict, says that it must
// not let anybody in. It is stale if it also brings nothing new: then it comes
// too late, and says nothing of what there is. It is called with the lock held.
func (t *Table[C]) tell(a *Association) (stale bool, err error) {
	if len(a.floors) == 0 || t.limits.Pairs <= 0 {
		return false, nil
	}
	k := subject{a.question.Source, roleOf(a.question.Service)}
	at := t.newest[k]
	if at == nil {
		at = t.order.PushBack(&told{subject: k})
		t.newest[k] = at
		t.forget()
	}
	t.order.MoveToBack(at)
	known := at.Value.(*told)
	for _, f := range a.floors {
		if err == nil || delegation.ReasonOf(err) == delegation.Conflict {
			if refused := f.CheckAgainst(known.floors); refused != nil {
				err = refused
			}
		}
	}
	news := false
	for _, f := range a.floors {
		i := slices.IndexFunc(known.floors, func(r delegation.Floor) bool { return r.Service == f.Service })
		switch {
		case i < 0:
			known.floors, news = append(known.floors, f), true
		case f.Order.Compare(known.floors[i].Order) > 0:
			known.floors[i], news = f, true
		}
	}
	return delegation.ReasonOf(err) == delegation.Superseded && !news, err
}

// forget keeps what the table was told of twice as many subjects as it may hold
// pairs, so that there is always one without pairs to forget: that of which it
// was told longest ago, or of which that was not known when its turn came.
func (t *Table[C]) forget() {
	for t.order.Len()/2 > t.limits.Pairs {
		oldest := t.order.Front()
		k := oldest.Value.(*told).subject
		if t.serves(k) {
			t.order.MoveToBack(oldest)
			continue
		}
		t.order.Remove(oldest)
		delete(t.newest, k)
	}
}

// serves reports whether there are pairs of a subject.
func (t *Table[C]) serves(k subject) bool {
	for _, r := range t.rows {
		if r.place.role == k.role && len(r.sources[k.source]) > 0 {
			return true
		}
	}
	return false
}

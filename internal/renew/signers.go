package renew

import (
	"sync"

	"github.com/dnasign/dnasign/keys"
)

// signers reads each pair of certificate and key once, when it is first needed.
// It forgets the pair after the announced number of uses.
type signers struct {
	loader keys.Loader
	mu     sync.Mutex
	pairs  map[[2]string]*pair
}

type pair struct {
	once     sync.Once
	uses     int
	signer   *keys.Signer
	warnings []string
	err      error
}

func newSigners(loader keys.Loader, all []Delegation) *signers {
	s := &signers{loader: loader, pairs: map[[2]string]*pair{}}
	for _, d := range all {
		name := [2]string{d.Cert, d.Key}
		if s.pairs[name] == nil {
			s.pairs[name] = &pair{}
		}
		s.pairs[name].uses++
	}
	return s
}

// take returns the signer of a delegation; it is called once for each.
func (s *signers) take(d *Delegation) (*keys.Signer, []string, error) {
	name := [2]string{d.Cert, d.Key}
	s.mu.Lock()
	p := s.pairs[name]
	if p.uses--; p.uses == 0 {
		delete(s.pairs, name)
	}
	s.mu.Unlock()
	p.once.Do(func() { p.signer, p.warnings, p.err = s.loader.LoadSigner(d.Cert, d.Key) })
	return p.signer, p.warnings, p.err
}

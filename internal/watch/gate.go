package watch

import (
	"context"

	"golang.org/x/time/rate"
)

// A gate bounds how much is under way, and how much is begun in a second.
// Callers wait at it before the lookup and its timeouts begin. So our own
// limits never look like the failure of others.
type gate struct {
	slots chan struct{}
	rate  *rate.Limiter
}

func newGate(atOnce int, perSecond float64) *gate {
	return &gate{make(chan struct{}, atOnce), rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond/10)))}
}

// enter waits for its turn. leave must be called unless there is an error. The
// error is that of ctx, or says that ctx ends before the turn would come.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := g.rate.Wait(ctx); err != nil {
		<-g.slots
		return nil, err
	}
	return func() { <-g.slots }, nil
}

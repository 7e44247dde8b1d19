package renew

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dnasign/dnasign/internal/wholefile"
)

// ErrLocked: another run works with the same configuration file.
var ErrLocked = errors.New("another run is at work with this configuration")

// Lock lets one run at a time work with a configuration. Others wait, as long
// as wait says, and then get [ErrLocked]. It locks the configuration file
// itself. So a killed run leaves nothing behind, and no folder need be
// writable. Anybody who can read the file can lock it too.
//
// It saves work and keeps reports true; what is published is safe without it.
func Lock(ctx context.Context, file string, wait time.Duration) (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, wait, ErrLocked)
	defer cancel()
	if unlock, err = wholefile.Lock(ctx, file); errors.Is(err, ErrLocked) {
		return nil, fmt.Errorf("%w, for more than %v", ErrLocked, wait)
	}
	return unlock, err
}

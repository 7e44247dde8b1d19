package news

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/dnasign/dnasign/internal/strictjson"
	"github.com/dnasign/dnasign/internal/watch"
	"github.com/dnasign/dnasign/internal/wholefile"
)

const (
	// maxState bounds a state file, in bytes: 50,000 domains with ten findings each
	// have less.
	maxState = 256 << 20
	// stateVersion is that of the file.
	stateVersion = 1
	// lockTime bounds how long one run waits for another to tell its news.
	lockTime = 2 * time.Minute
)

// A Teller sends news to somebody.
type Teller interface {
	Tell(ctx context.Context, items []Item) error
}

// document is the form of a state file.
type document struct {
	Version int                `json:"version"`
	Domains map[string]*Domain `json:"domains"`
}

// Tell compares reports with a state file, which need not be there, tells everybody
// what is new, and writes the file. If telling fails, the next run tells it again.
func Tell(ctx context.Context, file string, reports []watch.Report, now time.Time, tellers []Teller) error {
	unlock, locked, err := wholefile.LockFor(ctx, filepath.Dir(file), lockTime)
	if err != nil {
		return err
	}
	defer unlock()
	if !locked {
		return fmt.Errorf("another program has locked %s for %s", filepath.Dir(file), lockTime)
	}
	old, err := read(file)
	if err != nil {
		return err
	}
	items, next := Compare(old, reports, now)
	if len(items) > 0 {
		var failed []error
		for _, t := range tellers {
			failed = append(failed, t.Tell(ctx, items))
		}
		if err := errors.Join(failed...); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(document{stateVersion, next.Domains}, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(file, append(data, '\n'), 0o600)
}

func read(file string) (State, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return State{}, err
	}
	if len(data) > maxState {
		return State{}, fmt.Errorf("%s has more than %d bytes", file, maxState)
	}
	var d document
	if err := strictjson.Decode(data, &d); err != nil {
		return State{}, fmt.Errorf("%s is damaged: %w; remove it, and the next run begins anew", file, err)
	}
	if d.Version != stateVersion {
		return State{}, fmt.Errorf("%s has version %d, and this program reads version %d", file, d.Version, stateVersion)
	}
	for key, domain := range d.Domains {
		if domain == nil {
			return State{}, fmt.Errorf("%s is damaged: nothing about %q; remove it, and the next run begins anew", file, key)
		}
	}
	return State{d.Domains}, nil
}

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
	"slices"
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

// maxOwed bounds the items that somebody who cannot be told is owed: the last ones.
const maxOwed = 1000

// A Teller sends news to somebody.
type Teller interface {
	Tell(ctx context.Context, items []Item) error
	// To says to whom, for the state file. It has no secret.
	To() string
}

// document is the form of a state file.
type document struct {
	Version int                `json:"version"`
	Domains map[string]*Domain `json:"domains"`
	Owed    map[string][]Item  `json:"owed,omitempty"` // by to whom: what could not be told
}

// Tell compares reports with a state file, which need not be there, tells everybody
// what is new, and writes the file. If telling somebody fails, the next run tries again.
// It does not tell the others again.
func Tell(ctx context.Context, file string, reports []watch.Report, now time.Time, tellers []Teller) error {
	unlock, locked, err := wholefile.LockFor(ctx, filepath.Dir(file), lockTime)
	if err != nil {
		return err
	}
	defer unlock()
	if !locked {
		return fmt.Errorf("another program has locked %s for %s", filepath.Dir(file), lockTime)
	}
	d, err := read(file)
	if err != nil {
		return err
	}
	items, next := Compare(State{d.Domains}, reports, now)
	if len(items) > 0 || len(d.Owed) > 0 {
		// What cannot be noted would be told by every run.
		if err := d.write(file); err != nil {
			return err
		}
	}
	d.Domains = next.Domains
	if d.Owed == nil {
		d.Owed = map[string][]Item{}
	}
	var failed []error
	for _, t := range tellers {
		to := t.To()
		all := slices.Concat(d.Owed[to], items)
		delete(d.Owed, to)
		if len(all) == 0 {
			continue
		}
		if err := t.Tell(ctx, all); err != nil {
			failed = append(failed, err)
			d.Owed[to] = all[max(0, len(all)-maxOwed):]
		}
	}
	return errors.Join(append(failed, d.write(file))...)
}

func (d document) write(file string) error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(file, append(data, '\n'), 0o600)
}

func read(file string) (document, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return document{Version: stateVersion}, nil
	}
	if err != nil {
		return document{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return document{}, err
	}
	if len(data) > maxState {
		return document{}, fmt.Errorf("%s has more than %d bytes", file, maxState)
	}
	var d document
	if err := strictjson.Decode(data, &d); err != nil {
		return document{}, fmt.Errorf("%s is damaged: %w; remove it, and the next run begins anew", file, err)
	}
	if d.Version != stateVersion {
		return document{}, fmt.Errorf("%s has version %d, and this program reads version %d", file, d.Version, stateVersion)
	}
	for key, domain := range d.Domains {
		if domain == nil {
			return document{}, fmt.Errorf("%s is damaged: nothing about %q; remove it, and the next run begins anew", file, key)
		}
	}
	return d, nil
}

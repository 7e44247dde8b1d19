package renew

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/wholefile"
)

// updatesPerServer is how many updates are under way at one server at a time:
// each makes it write its journal, sign a zone and tell its secondaries.
const updatesPerServer = 4

// lockTime bounds how long one process waits for another that writes to the
// same folder, before it goes on without the lock.
const lockTime = 10 * time.Second

// places makes publication places of a configuration. It reads each TSIG key and
// each folder once, and counts what is under way at each server.
type places struct {
	runner *Runner

	mu        sync.Mutex
	keys      map[string]*tsigKey
	turns     map[string]chan struct{}       // by server or folder
	leftovers map[string]map[string][]string // by folder and file: what killed runs left
}

func newPlaces(r *Runner) *places {
	return &places{
		runner: r, keys: map[string]*tsigKey{}, turns: map[string]chan struct{}{}, leftovers: map[string]map[string][]string{},
	}
}

type tsigKey struct {
	once     sync.Once
	key      *publish.TSIGKey
	warnings []string
	err      error
}

// place makes one place; wait is for servers that lag.
func (p *places) place(c PlaceConfig, d *Delegation, wait time.Duration) (publish.Place, error) {
	switch {
	case c.Webroot != "":
		return (&publish.Web{Root: c.Webroot, Now: p.runner.Now}).Place(d.Source, d.Service), nil
	case c.Pattern != "":
		return &carried{places: p, config: c, d: d}, nil
	}
	records := &publish.DNS{
		Server: c.DNS.Server, Authorities: c.DNS.Authorities, Resolver: p.runner.Client.Resolver,
		TTL: time.Duration(c.DNS.TTL) * time.Second, Wait: wait, Logger: p.runner.Logger, Now: p.runner.Now,
	}
	if c.DNS.TSIG != "" {
		k := p.key(c.DNS.TSIG)
		if k.err != nil {
			return nil, k.err
		}
		records.Key = k.key
	}
	return records.Place(d.Source, d.Service), nil
}

func (p *places) key(file string) *tsigKey {
	p.mu.Lock()
	k := p.keys[file]
	if k == nil {
		k = &tsigKey{}
		p.keys[file] = k
	}
	p.mu.Unlock()
	k.once.Do(func() { k.key, k.warnings, k.err = publish.LoadTSIGKey(file) })
	return k
}

// enter waits until something may be changed at a place, and returns what to
// call when that is done. Domains without a server named share one turn: as a
// rule, one server is the primary of all. One file at a time is written to a
// folder, which is locked for that.
func (p *places) enter(c PlaceConfig) (leave func()) {
	var name string
	most := 1
	switch {
	case c.DNS != nil:
		name, most = "dns "+c.DNS.Server, updatesPerServer
	case c.Pattern != "":
		name = "folder " + filepath.Dir(c.Pattern)
	default:
		return func() {} // a web root is one domain's
	}
	p.mu.Lock()
	turn := p.turns[name]
	if turn == nil {
		turn = make(chan struct{}, most)
		p.turns[name] = turn
	}
	p.mu.Unlock()
	turn <- struct{}{}
	return func() { <-turn }
}

// leftoversOf are the files beside name that killed runs left. The folder must
// be locked: what is found when it is first read is nobody's work any more.
func (p *places) leftoversOf(name string) ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	dir, base := filepath.Dir(name), filepath.Base(name)
	known := p.leftovers[dir]
	if known == nil {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		known = map[string][]string{}
		for _, e := range entries {
			if m := temporary.FindStringSubmatch(e.Name()); m != nil && e.Type().IsRegular() {
				known[m[1]] = append(known[m[1]], filepath.Join(dir, e.Name()))
			}
		}
		p.leftovers[dir] = known
	}
	return known[base], nil
}

// temporary is what wholefile.Write calls a file until it is whole.
var temporary = regexp.MustCompile(`^\.(.+)\.[0-9]+\.tmp$`)

// warnings are those about the key files that were read.
func (p *places) warnings() (list []string) {
	for _, k := range p.keys {
		list = append(list, k.warnings...)
	}
	slices.Sort(list)
	return list
}

// carried is a [publish.Place] of files that somebody carries further: into a
// form of a DNS provider, or by other software.
type carried struct {
	places *places
	config PlaceConfig
	d      *Delegation
}

// Publish implements [publish.Place]. One process at a time changes the folder.
func (c *carried) Publish(ctx context.Context, statement []byte) (publish.Change, error) {
	in, err := delegation.Inspect(statement)
	if err != nil {
		return publish.Change{}, err
	}
	name := c.config.file(c.d.Service, in.Encoding)
	change := publish.Change{Where: name}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return publish.Change{}, err
	}
	unlock, locked, err := wholefile.LockFor(ctx, filepath.Dir(name), lockTime)
	if err != nil {
		return publish.Change{}, err
	}
	defer unlock()
	if there, err := c.read(in.Encoding); err == nil {
		if old := there.Statement; old != nil {
			if bytes.Equal(old.Raw, in.Raw) {
				return change, nil
			}
			// Another run was faster, and knows better, such as of a revocation.
			if old.Statement.Source == c.d.Source && old.Statement.Service == c.d.Service &&
				old.Order().Compare(in.Order()) > 0 && old.Check(c.places.runner.now()) == nil {
				return publish.Change{}, refuse(delegation.Superseded, "%s holds a newer statement, issued %s", name, stamp(old.Statement.Issued))
			}
		}
		change.Replaced = 1
	}
	if locked {
		leftovers, e := c.places.leftoversOf(name)
		for _, leftover := range leftovers {
			e = errors.Join(e, os.Remove(leftover))
		}
		err = e
	}
	if err == nil {
		err = cli.WriteFile(name, in.Raw, c.d.Cert, c.d.Key)
	}
	change.Changed = err == nil
	return change, err
}

// Check implements [publish.Place]: the file was written, and is nobody else's.
func (c *carried) Check(context.Context, []byte) error { return nil }

// Current implements [publish.Place].
func (c *carried) Current(context.Context) ([]publish.View, error) {
	view := publish.View{Where: c.config.Pattern}
	for _, e := range delegation.Encodings() {
		found, err := c.read(e)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			view.Err = err
		default:
			view.Found = append(view.Found, found)
		}
	}
	return []publish.View{view}, nil
}

func (c *carried) read(e delegation.Encoding) (publish.Found, error) {
	name := c.config.file(c.d.Service, e)
	raw, err := cli.ReadFile(name, delegation.MaxStatementSize+2)
	if err != nil {
		return publish.Found{}, err
	}
	f := publish.Found{Where: name}
	f.Statement, f.Err = delegation.Inspect(raw)
	return f, nil
}

// String implements [publish.Place].
func (c *carried) String() string { return c.config.Pattern }

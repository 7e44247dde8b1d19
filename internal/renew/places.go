package renew

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/publish"
)

// updatesPerServer is how many updates are under way at one server at a time.
// Each makes the server write its journal, sign a zone and tell its
// secondaries.
const updatesPerServer = 4

// places makes publication places of a configuration. It reads each TSIG key and
// each folder once, and counts what is under way at each server.
type places struct {
	runner *Runner
	// until is how long a folder that another process has locked is waited for.
	// While it is zero, such a folder is for later.
	until time.Time

	inputs func() map[string]bool // files that no statement may take the place of, by absolute name

	keys      once[tsigKey]
	turns     once[chan struct{}] // by server or folder
	leftovers once[leftovers]     // by folder
}

func newPlaces(r *Runner) *places { return &places{runner: r, inputs: sync.OnceValue(r.inputs)} }

// inputs are the files that a run needs: the configuration, the memory, and all
// certificates and keys.
func (r *Runner) inputs() map[string]bool {
	all := map[string]bool{}
	add := func(file string) {
		if name, err := filepath.Abs(file); file != "" && err == nil {
			all[name] = true
		}
	}
	add(r.Config.File)
	if r.State != nil {
		add(r.State.File())
	}
	for _, d := range r.Config.Delegations {
		add(d.Cert)
		add(d.Key)
		for _, c := range d.Publish {
			if c.DNS != nil {
				add(c.DNS.TSIG)
			}
		}
	}
	return all
}

// A once has values by name. Each is made once, when it is first needed.
type once[V any] struct {
	mu    sync.Mutex // not held while a value is made
	makes map[string]func() V
}

func (o *once[V]) of(name string, make func() V) V {
	o.mu.Lock()
	if o.makes == nil {
		o.makes = map[string]func() V{}
	}
	if o.makes[name] == nil {
		o.makes[name] = sync.OnceValue(make)
	}
	value := o.makes[name]
	o.mu.Unlock()
	return value()
}

type tsigKey struct {
	key      *publish.TSIGKey
	warnings []string
	err      error
}

// place makes one place; wait is for servers that lag.
func (p *places) place(c PlaceConfig, d *Delegation, wait time.Duration) (publish.Place, error) {
	if c.DNS != nil {
		return p.records(c, d, wait)
	}
	return p.files(c, d), nil
}

// A zonePlace is a place in DNS.
type zonePlace interface {
	publish.Place
	Try(ctx context.Context) (publish.Change, error)
}

// records is a place in DNS.
func (p *places) records(c PlaceConfig, d *Delegation, wait time.Duration) (zonePlace, error) {
	dns := &publish.DNS{
		Owner: p.runner.owner(), Server: c.DNS.Server, Authorities: c.DNS.Authorities, Resolver: p.runner.Client.Resolver,
		TTL: time.Duration(c.DNS.TTL) * time.Second, Wait: wait, Logger: p.runner.Logger,
	}
	if c.DNS.Command != nil {
		return dns.Commanded(d.Source, d.Service, c.DNS.Command), nil
	}
	if c.DNS.TSIG != "" {
		k := p.key(c.DNS.TSIG)
		if k.err != nil {
			return nil, k.err
		}
		dns.Key = k.key
	}
	return dns.Place(d.Source, d.Service), nil
}

// files is a place on disk: below a web root, or files that somebody carries
// further, for example into the form of a DNS provider. None of these takes the
// place of a file that the run needs.
func (p *places) files(c PlaceConfig, d *Delegation) *publish.Files {
	var files *publish.Files
	if c.Webroot != "" {
		files = (&publish.Web{Owner: p.runner.owner(), Root: c.Webroot}).Place(d.Source, d.Service)
	} else {
		files = &publish.Files{
			Owner: p.runner.owner(), Source: d.Source, Service: d.Service, Title: c.Pattern,
			File: func(e delegation.Encoding) (folder, name string) {
				file := c.file(d.Service, e)
				return filepath.Dir(file), filepath.Base(file)
			},
			Mode: func(name string, old fs.FileInfo) (fs.FileMode, error) {
				if own, err := filepath.Abs(name); err != nil || p.inputs()[own] {
					return 0, cli.Usagef("%s is a file that this configuration needs, so it is not written to", name)
				}
				return cli.WriteMode(name, old, d.Cert, d.Key)
			},
			Leftovers: p.leftoversOf,
		}
	}
	files.NoWait = p.until.IsZero()
	files.LockTime = max(time.Until(p.until), time.Millisecond)
	return files
}

func (p *places) key(file string) tsigKey {
	return p.keys.of(file, func() (k tsigKey) {
		k.key, k.warnings, k.err = publish.LoadTSIGKey(p.runner.loader(), file)
		return k
	})
}

// enter waits until something may be changed at a place, and returns what to
// call when that is done. Domains without a server named share one turn: as a
// rule, one server is the primary of all. One file at a time is written to a
// folder, which is locked for that.
func (p *places) enter(c PlaceConfig) (leave func()) {
	var name string
	most := 1
	switch {
	case c.DNS != nil && c.DNS.Command != nil:
		name = "command " + strings.Join(c.DNS.Command, " ") // some write a whole zone
	case c.DNS != nil:
		name, most = "dns "+c.DNS.Server, updatesPerServer
	case c.Pattern != "":
		name = "folder " + filepath.Dir(c.Pattern)
	default:
		return func() {} // a web root is one domain's
	}
	turn := p.turns.of(name, func() chan struct{} { return make(chan struct{}, most) })
	turn <- struct{}{}
	return func() { <-turn }
}

// leftovers are what killed runs left in a folder, by the file that they are
// beside.
type leftovers struct {
	files map[string][]string
	err   error
}

// leftoversOf are the files beside name that killed runs left. The folder must
// be locked: what is found when it is first read is nobody's work any more.
func (p *places) leftoversOf(root *os.Root, name string) ([]string, error) {
	left := p.leftovers.of(root.Name(), func() leftovers {
		entries, err := fs.ReadDir(root.FS(), ".")
		files := map[string][]string{}
		for _, e := range entries {
			if m := temporary.FindStringSubmatch(e.Name()); m != nil && e.Type().IsRegular() {
				files[m[1]] = append(files[m[1]], e.Name())
			}
		}
		return leftovers{files, err}
	})
	return left.files[name], left.err
}

// temporary is what wholefile.Write calls a file until it is whole.
var temporary = regexp.MustCompile(`^\.(.+)\.[0-9]+\.tmp$`)

// warnings are those about the key files that were read.
func (p *places) warnings() (list []string) {
	for _, key := range p.keys.makes {
		list = append(list, key().warnings...)
	}
	slices.Sort(list)
	return list
}

package publish

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/program"
)

const (
	// commandTime bounds one call of a program that changes records. It may have to
	// log in somewhere, and list a large zone.
	commandTime = 2 * time.Minute
	// showTime is how long after that a name server may take to show the change.
	// Providers copy zones to their servers in seconds, some in a minute.
	showTime = 2 * time.Minute
	// maxChatter is what a program may write to standard output, which nobody reads.
	maxChatter = 1 << 20
	// maxRemoved is how many records a program is told to remove at a time. A
	// stranger may have put hundreds there, or into the answer.
	maxRemoved = 2 * limits.MaxTXTRecords
)

// A program is given names and texts of these characters only.
const (
	letters        = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	nameCharacters = letters + "-_."
	textCharacters = letters + "-_.+/=; "
)

// The actions of a program, see docs/publish.md.
const (
	actionPresent = "present"
	actionAbsent  = "absent"
	actionCheck   = "check"
)

// Commanded is a [Place] in DNS whose records a program changes. What it says of
// its success is not believed: the name servers are asked.
//
// There is no transaction. So the new record is added first, and the old one is
// removed once a name server shows the new one. Whoever publishes at the same time
// is seen when the records are read again.
type Commanded struct {
	*Records
	args []string
}

// Commanded is the TXT record set of a source and a service, changed by a program
// with these arguments. The Server and Key of d are not used.
func (d *DNS) Commanded(source, service string, args []string) *Commanded {
	look := *d
	look.Server, look.Key = "", nil
	return &Commanded{look.Place(source, service), args}
}

// Publish implements [Place].
func (c *Commanded) Publish(ctx context.Context, statement []byte) (Change, error) {
	in, err := c.dns.prepare(statement, c.source, c.service)
	if err != nil {
		return Change{}, err
	}
	s, err := c.find(ctx)
	if err != nil {
		return Change{}, err
	}
	decide := func(u *Update) error { return u.decide(c.Records, in) }
	add, remove, err := s.plan(ctx, decide)
	if err != nil {
		return Change{}, err
	}
	change := Change{Where: c.program(), Name: s.at.owner, Changed: add || len(remove) > 0}
	text := in.Encoding.TXTRecord(in.Raw)
	if add {
		if !providerOf(s.servers).together(append(slices.Clone(remove), text)) {
			return s.exchange(ctx, change, text, remove)
		}
		if err := s.present(ctx, text); err != nil {
			return Change{}, err
		}
		// Somebody may have published a newer one meanwhile, which stays.
		if _, remove, err = s.plan(ctx, decide); err != nil {
			return Change{}, err
		}
	}
	if len(remove) == 0 {
		return change, nil
	}
	change.Replaced = len(remove)
	err = s.removeAll(ctx, remove)
	if err == nil && s.shown(func(texts []string) bool { return slices.Contains(texts, text) && !containsAny(texts, remove) }) {
		return change, nil
	}
	// The program may have removed more than the old one: all records of the name.
	again := s.present(context.WithoutCancel(ctx), text)
	if err = cmp.Or(err, again); err != nil {
		return Change{}, err
	}
	return change, nil
}

// exchange removes old records before it adds the new one, where the provider has
// no room for both. If the new one cannot be added, the old ones come back. It does
// not wait until they are gone everywhere: it is the provider who needs the room.
func (s *scene) exchange(ctx context.Context, change Change, text string, old []string) (Change, error) {
	change.Replaced = len(old)
	err := s.runAll(ctx, actionAbsent, old)
	if err == nil {
		err = s.present(ctx, text)
	}
	if err == nil {
		return change, nil
	}
	if again := s.runAll(context.WithoutCancel(ctx), actionPresent, old); again != nil {
		return Change{}, delegation.Errorf(delegation.ReasonOf(err), "%s; the old record was removed before, and could not be put back: %s", detail(err), detail(again))
	}
	return Change{}, err
}

// Remove implements [Place].
func (c *Commanded) Remove(ctx context.Context, ours func(*delegation.Inspection) bool) (Change, error) {
	s, err := c.find(ctx)
	if err != nil {
		return Change{}, err
	}
	_, remove, err := s.plan(ctx, removing(ours))
	if err != nil {
		return Change{}, err
	}
	change := Change{Where: c.program(), Name: s.at.owner, Changed: len(remove) > 0, Replaced: len(remove)}
	return change, s.removeAll(ctx, remove)
}

// Try has the program try what it can without changing anything.
func (c *Commanded) Try(ctx context.Context) (Change, error) {
	s, err := c.find(ctx)
	if err != nil {
		return Change{}, err
	}
	return Change{Where: c.program(), Name: s.at.owner}, s.run(ctx, actionCheck, "")
}

// program is how a message names the program. Its arguments may have a secret.
func (c *Commanded) program() string { return filepath.Base(c.args[0]) }

// A scene is a place and what its name servers show.
type scene struct {
	*Commanded
	at      spot
	servers []nameServer
	sets    []textSet // by server
}

func (c *Commanded) find(ctx context.Context) (*scene, error) {
	at, servers, err := c.Records.servers(ctx)
	if err != nil {
		return nil, err
	}
	// An alias leads to a name that somebody else chose. It goes to a program, and
	// maybe from there to a shell.
	for _, name := range []string{at.owner, at.zone} {
		if strings.Trim(name, nameCharacters) != "" || strings.HasPrefix(name, "-") {
			return nil, delegation.Errorf(reasons.UpdateRefused, "the name %s has characters that no program is given", name)
		}
	}
	return &scene{Commanded: c, at: at, servers: servers}, nil
}

// look asks all name servers. It is an error if none answers.
func (s *scene) look(ctx context.Context) error {
	s.sets = look(ctx, s.servers, s.at.owner)
	var failed error
	for _, set := range s.sets {
		if set.err == nil {
			return nil
		}
		failed = cmp.Or(failed, set.err)
	}
	return failed
}

// shown reports whether a server shows what is wanted.
func (s *scene) shown(wanted func(texts []string) bool) bool {
	return slices.ContainsFunc(s.sets, func(set textSet) bool { return set.err == nil && wanted(set.texts) })
}

// plan asks what is there and decides what to change. What any of the servers shows
// is there.
func (s *scene) plan(ctx context.Context, decide func(*Update) error) (add bool, remove []string, err error) {
	if err := s.look(ctx); err != nil {
		return false, nil, err
	}
	u := &Update{Zone: s.at.zone, Name: s.at.owner}
	seen := map[string]bool{}
	for _, set := range s.sets {
		for _, text := range set.texts {
			if !seen[text] {
				u.present = append(u.present, &dns.TXT{Hdr: dns.RR_Header{Name: s.at.owner, Rrtype: dns.TypeTXT}, Txt: []string{text}})
			}
			seen[text] = true
		}
	}
	if err := decide(u); err != nil {
		return false, nil, err
	}
	for _, text := range textsOf(u.remove) {
		// What has other characters than a statement stays. Nobody believes it, and it
		// would go to a program, and maybe from there to a shell or into a pattern.
		if strings.Trim(text, textCharacters) == "" && len(remove) < maxRemoved {
			remove = append(remove, text)
		}
	}
	return len(u.add) > 0, remove, nil
}

// present adds a record, and waits until a name server shows it.
func (s *scene) present(ctx context.Context, text string) error {
	if err := s.run(ctx, actionPresent, text); err != nil {
		if too := providerOf(s.servers).Exceeded(text); too != "" {
			return delegation.Errorf(reasons.UpdateTooLarge, "%s; %s", detail(err), too)
		}
		return err
	}
	return s.await(ctx, actionPresent, func(texts []string) bool { return slices.Contains(texts, text) })
}

// removeAll removes records, and waits until a name server shows none of them.
func (s *scene) removeAll(ctx context.Context, remove []string) error {
	if len(remove) == 0 {
		return nil
	}
	if err := s.runAll(ctx, actionAbsent, remove); err != nil {
		return err
	}
	return s.await(ctx, actionAbsent, func(texts []string) bool { return !containsAny(texts, remove) })
}

// await looks until a name server shows what is wanted.
func (s *scene) await(ctx context.Context, action string, wanted func(texts []string) bool) error {
	patience := cmp.Or(s.dns.showTime, showTime)
	var err error
	if until(ctx, patience, func() bool {
		err = s.look(ctx)
		return s.shown(wanted)
	}) {
		return nil
	}
	if err != nil {
		return delegation.Errorf(reasons.UpdateFailed, "%s has ended well, and no name server answers: %s", s.program(), detail(err))
	}
	what := "shows the record"
	if action == actionAbsent {
		what = "has ceased to show the old record"
	}
	return delegation.Errorf(reasons.UpdateFailed, "%s has ended well after %s, and no name server of %s %s within %s",
		s.program(), action, strings.TrimSuffix(s.at.zone, "."), what, patience)
}

// runAll calls the program for each record. One that fails does not stop the others.
func (s *scene) runAll(ctx context.Context, action string, texts []string) (failed error) {
	for _, text := range texts {
		failed = cmp.Or(failed, s.run(ctx, action, text))
	}
	return failed
}

// run calls the program once.
func (s *scene) run(ctx context.Context, action, text string) error {
	name, zone := strings.TrimSuffix(s.at.owner, "."), strings.TrimSuffix(s.at.zone, ".")
	args := append(slices.Clone(s.args), action, name, zone, strconv.Itoa(int(s.dns.ttl()/time.Second)))
	var input []byte
	if text != "" {
		input = []byte(text + "\n")
	}
	_, _, err := program.Program{
		Args: args, Env: environment(), Input: input, Patience: commandTime, MaxOutput: maxChatter, Unattended: true,
	}.Run(ctx)
	s.dns.logger().Info("command", "program", s.program(), "action", action, "name", name, "error", err)
	if err != nil {
		return delegation.Errorf(reasons.UpdateFailed, "%s %s %s %v", s.program(), action, name, err)
	}
	return nil
}

// passed are the variables that a program gets, if they are there: where it finds
// other programs and its files, and how it gets to the network. It has no need of
// others, which may be secrets.
var passed = []string{
	"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
}

func environment() []string {
	list := []string{}
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			list = append(list, fmt.Sprintf("%s=%s", name, value))
		}
	}
	return list
}

func containsAny(texts, of []string) bool {
	return slices.ContainsFunc(of, func(text string) bool { return slices.Contains(texts, text) })
}

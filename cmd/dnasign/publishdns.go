package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/keys"
)

// maxTTL bounds --ttl: a revocation spreads as slowly as this.
const maxTTL = 24 * time.Hour

type dnsFlags struct {
	ownerFlags
	server, tsig, resolver string
	authorities            []string
	ttl, wait              time.Duration
	dryRun, readable       bool
	print                  string
	json                   bool
	command                []string // in place of updates
}

// A dnsResult is what became of one file; its JSON form is part of the
// interface.
type dnsResult struct {
	File     string              `json:"file"`
	Name     string              `json:"name,omitempty"`     // of the TXT record that was changed
	Alias    string              `json:"alias,omitempty"`    // the name that leads there, if it is another one
	Encoding delegation.Encoding `json:"encoding,omitempty"` // of the statement
	Server   string              `json:"server,omitempty"`   // that was updated
	Changed  bool                `json:"changed"`            // false: it was there already
	Warning  string              `json:"warning,omitempty"`  // the provider is known to take no record of that size
	Replaced int                 `json:"replaced"`           // old records that gave way
	Checked  bool                `json:"checked"`            // all authoritative servers show it
	Update   *publish.Update     `json:"update,omitempty"`   // with --dry-run: what would be sent
	Reason   reasons.Reason      `json:"reason,omitempty"`   // why not
	Detail   string              `json:"detail,omitempty"`

	err error
}

func publishDNSCommand() *cobra.Command {
	var f dnsFlags
	cmd := &cobra.Command{
		Use:   "dns --tsig FILE FILE ...",
		Short: "Update the zone's server (RFC 2136)",
		Long: `Put each statement into DNS by an update signed with TSIG. One transaction removes
the old record and adds the new one, so there is a statement at every moment.
Other TXT records stay. Afterwards every authoritative server is asked for it.

A statement that ranks below the published one is not sent. Neither is one that
would replace a valid statement of somebody else. --force sends both. A record
that does not lead to your trust anchors (--roots) is replaced: anybody could
have put it there.

Several statements can be of several domains. One that fails does not stop the
others. An alias (CNAME) at the name is followed, so a domain can point it at a
zone that its provider updates. An alias made by a wildcard is not followed: the
record is then put at the name itself.

The key file is one of BIND (tsig-keygen, ddns-confgen), of Knot DNS (keymgr -t), or one line
algorithm:name:secret, for hmac-sha256, hmac-sha384 or hmac-sha512. A server lets
the key change nothing but the names of the services; for BIND

  update-policy {
    grant KEY name _xmpp-server._tcp._dna.b.example. TXT;
    grant KEY name _xmpp-client._tcp._dna.b.example. TXT;
  };

and for Knot DNS, in an acl with the key

  action: update
  update-type: TXT
  update-owner: name
  update-owner-match: equal
  update-owner-name: [_xmpp-server._tcp._dna, _xmpp-client._tcp._dna]

The zone is read with the key too, since a server can show others another one.`,
		Example: `  dnasign publish dns --tsig owner.key b.example.jws
  dnasign publish dns --server 192.0.2.1 --tsig owner.key *.jws
  dnasign publish dns --print nsupdate b.example.jws | nsupdate -k owner.key`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return publishDNS(cmd, f, args) },
	}
	f.define(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.server, "server", "", "server to update, ADDRESS or ADDRESS:PORT, instead of the zone's primary (SOA MNAME)")
	flags.StringVar(&f.tsig, "tsig", "", "file with the TSIG key")
	allowReadable(flags, &f.readable)
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would be sent, and send nothing")
	flags.StringVar(&f.print, "print", "", "print a script and send nothing: nsupdate")
	cli.Complete(cmd, "print", "nsupdate")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "print")
	cmd.MarkFlagsMutuallyExclusive("json", "print")
	return cmd
}

// define defines the flags of every command that changes records.
func (f *dnsFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.authorities, "authority", nil, "server to check afterwards, instead of the zone's name servers; repeat for more")
	flags.StringVar(&f.resolver, "resolver", "", "resolver to find the zone and its servers with, instead of the system's")
	flags.DurationVar(&f.ttl, "ttl", publish.DefaultTTL, "TTL of the record, if there are no records at the name yet")
	flags.DurationVar(&f.wait, "wait", time.Minute, "how long to wait for servers that lag; 0 looks once")
	flags.BoolVar(&f.json, "json", false, "say as JSON what became of each file")
	f.ownerFlags.define(cmd)
}

// servers is what the flags say.
func (f dnsFlags) servers(cmd *cobra.Command) (*publish.DNS, error) {
	switch {
	case f.print != "" && f.print != "nsupdate":
		return nil, cli.Usagef("--print is nsupdate, not %q", f.print)
	case f.ttl < time.Second || f.ttl > maxTTL:
		return nil, cli.Usagef("--ttl is between 1s and %s, so that a revocation spreads soon", maxTTL)
	case f.wait < 0:
		return nil, cli.Usagef("--wait is 0 or more")
	case f.tsig == "" && !f.sendsNothing() && f.command == nil:
		return nil, cli.Usagef("--tsig FILE is needed: an update without a key could be anybody's; make one with tsig-keygen, or look first with --dry-run")
	}
	owner, err := f.owner()
	if err != nil {
		return nil, err
	}
	d := &publish.DNS{Owner: owner, Server: f.server, Authorities: f.authorities, Resolver: f.resolver, TTL: f.ttl, Wait: f.wait}
	if err := d.Valid(); err != nil {
		return nil, cli.Usagef("%w", err)
	}
	if f.tsig == "" {
		return d, nil
	}
	key, warnings, err := publish.LoadTSIGKey(keys.Loader{AllowReadable: f.readable}, cli.Input(f.tsig))
	warn(cmd, warnings...)
	d.Key = key
	return d, err
}

func (f dnsFlags) sendsNothing() bool { return f.dryRun || f.print != "" }

func publishDNS(cmd *cobra.Command, f dnsFlags, files []string) error {
	defer untilStopped(cmd)()
	if err := cli.OneInput(append(files, f.tsig, f.roots)...); err != nil {
		return err
	}
	d, err := f.servers(cmd)
	if err != nil {
		return err
	}
	step := cli.Progress(cmd.ErrOrStderr(), "publishing")(len(files))
	var results []dnsResult
	var failed []error
	for _, file := range files {
		r := f.publish(cmd.Context(), d, file)
		step()
		if r.err != nil {
			failed = append(failed, r.err)
			r.Reason, r.Detail = delegation.ReasonOf(r.err), r.err.Error()
			var e *delegation.Error
			if errors.As(r.err, &e) {
				r.Detail = e.Detail
			}
		}
		results = append(results, r)
	}
	if f.json {
		if err := cli.WriteJSON(cmd.OutOrStdout(), results); err != nil {
			return err
		}
		return cli.ReportedErrors(failed)
	}
	for _, r := range results {
		if err := r.tell(cmd, f); err != nil {
			return err
		}
	}
	return cli.ReportedErrors(failed)
}

// publish does one file.
func (f dnsFlags) publish(ctx context.Context, d *publish.DNS, file string) (r dnsResult) {
	r.File = file
	in, err := loadToPublish(file)
	if err != nil {
		r.err = err
		return r
	}
	defer func() {
		if r.err != nil {
			r.err = fmt.Errorf("%s: %w", file, r.err)
		}
	}()
	s := in.Statement
	place := d.Place(s.Source, s.Service)
	r.Name, r.Encoding = delegation.TXTName(s.Source, s.Service)+".", in.Encoding
	if f.sendsNothing() {
		if r.Update, r.err = place.Plan(ctx, in.Raw); r.err == nil {
			r.at(r.Update.Name)
		}
		return r
	}
	if too := place.Provider(ctx).Exceeded(in.Encoding.TXTRecord(in.Raw)); too != "" {
		r.Warning = too + ": " + publish.Advice(in.Encoding)
	}
	var records publish.Place = place
	if f.command != nil {
		records = d.Commanded(s.Source, s.Service, f.command)
	}
	change, err := records.Publish(ctx, in.Raw)
	if err != nil {
		r.err = err
		return r
	}
	r.at(change.Name)
	r.Server, r.Changed, r.Replaced = change.Where, change.Changed, change.Replaced
	r.err = records.Check(ctx, in.Raw)
	r.Checked = r.err == nil
	return r
}

// at notes the name of the record that is changed.
func (r *dnsResult) at(name string) {
	if name != r.Name {
		r.Alias, r.Name = r.Name, name
	}
}

// tell tells a person what became of a file: what would be sent on standard
// output, everything else on standard error.
func (r dnsResult) tell(cmd *cobra.Command, f dnsFlags) error {
	if r.Update != nil {
		text := r.Update.String()
		if f.print != "" {
			text = r.Update.Script()
		}
		_, err := io.WriteString(cmd.OutOrStdout(), text)
		return err
	}
	if r.Warning != "" {
		warn(cmd, r.File+": "+r.Warning)
	}
	name := r.Name
	if r.Alias != "" {
		name += " (to which " + r.Alias + " leads)"
	}
	switch {
	case r.Changed:
		say(cmd, "%s: updated %s at %s, old records removed: %d", r.File, name, r.Server, r.Replaced)
	case r.Server != "":
		say(cmd, "%s: %s at %s has it already; nothing was sent", r.File, name, r.Server)
	}
	if r.err != nil {
		cli.WriteError(cmd, r.err)
		return nil
	}
	say(cmd, "%s: all authoritative servers show it", r.File)
	return nil
}

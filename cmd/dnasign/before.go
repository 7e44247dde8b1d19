package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// lookTime bounds how long a command that signs looks at what is published.
const lookTime = 5 * time.Second

// noState is the value of --state for remembering nothing.
const noState = "none"

// beforeFlags are how a command that signs knows what was signed before: from
// what is published, and from its own memory.
type beforeFlags struct {
	strangerFlags
	state       string
	authorities []string
	offline     bool
	force       bool
}

func (f *beforeFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.state, "state", "", "file that remembers what was signed; by default the certificate's name and .signed.json; \"none\" remembers nothing")
	flags.StringArrayVar(&f.authorities, "authority", nil, "server to look at, instead of the zone's name servers; repeat for more")
	flags.BoolVar(&f.offline, "offline", false, "do not look at what is published; the memory is still used")
	flags.BoolVar(&f.force, "force", false, "sign even if verifiers rank something else higher")
	f.strangerFlags.define(cmd)
}

// memory reads what was signed before with a certificate in a file.
func (f beforeFlags) memory(cert string) (*signing.State, error) {
	switch f.state {
	case "":
		return signing.ReadState(signing.StateFile(cert))
	case noState:
		return signing.ReadState("")
	}
	return signing.ReadState(f.state)
}

// A before is what a command that signs knows of the time before.
type before struct {
	earlier  []signing.Earlier // what the statement must rank above
	warnings []string          // for a person
	provider *publish.Provider // of the zone, nil if it is not known to have a limit
	formats  []delegation.Encoding
}

// about are warnings about the statement that has been signed.
func (b before) about(in *delegation.Inspection) (warnings []string) {
	if too := b.provider.Exceeded(in.Encoding.TXTRecord(in.Raw)); too != "" {
		warnings = append(warnings, too+": "+publish.Advice(in.Encoding))
	}
	if len(b.formats) > 0 && !slices.Contains(b.formats, in.Encoding) {
		warnings = append(warnings, fmt.Sprintf("the published statement has the format %s, and this one has %s: it stands beside that one and does not replace it; sign with --format %[1]s", b.formats[0], in.Encoding))
	}
	return warnings
}

// before looks at what is published.
func (f beforeFlags) before(ctx context.Context, s delegation.Statement, signer *keys.Signer, record *signing.Record) (b before, err error) {
	b.earlier = record.Earlier()
	if f.offline {
		if leaf := signer.Leaf(); signing.IssuedItself(leaf) {
			b.warnings = append(b.warnings, "the certificate was issued by itself; only those who validate DNSSEC accept what it signs, and only if the zone has this record: "+signing.NamingRecord(s.Source, s.Service, leaf))
		}
		return b, nil
	}
	client, roots, err := f.stranger()
	if err != nil {
		return b, err
	}
	owner := publish.Owner{Roots: roots, Leaf: signer.Leaf()}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	dns := &publish.DNS{Owner: owner, Resolver: client.Resolver, Authorities: f.authorities}
	if err := dns.Valid(); err != nil {
		return b, cli.Usagef("%w", err)
	}
	named, asking := make(chan string), *client
	go func() { named <- namedWarning(ctx, &asking, s, signer) }()
	found, provider, err := published(ctx, dns, client, s)
	if warning := <-named; warning != "" {
		b.warnings = append(b.warnings, warning)
	}
	b.provider = provider
	if err != nil {
		b.warnings = append(b.warnings, fmt.Sprintf("what is published in DNS cannot be seen, so the statement is compared only with those that were signed here (--offline does not look): %v", err))
	}
	var newest *delegation.Inspection
	for _, in := range found {
		rank := owner.Rank(in, s.Source, s.Service)
		if rank != publish.Counts && rank != publish.Ahead {
			continue
		}
		b.earlier = append(b.earlier, signing.EarlierOf(in, "published"))
		b.formats = append(b.formats, in.Encoding)
		if newest == nil || in.Order().Compare(newest.Order()) > 0 {
			newest = in
		}
	}
	if err == nil && record.Unpublished(newest) {
		b.warnings = append(b.warnings, fmt.Sprintf("the statement that was signed here at %s, with the id %s, is not published; anybody who has it can show it until it is replaced: publish this one",
			text.Stamp(record.Newest.Order.Issued), record.Newest.ID))
	}
	return b, nil
}

// namedWarning tells what there is to know about the signer and the keys that the
// zone names, as far as the resolver says.
func namedWarning(ctx context.Context, client *discovery.Client, s delegation.Statement, signer *keys.Signer) string {
	a, err := client.GatherSigners(ctx, s.Source, s.Service)
	if err != nil {
		return fmt.Sprintf("it cannot be seen which keys the zone names: %v", err)
	}
	note, err := signing.Named(a, s.Source, s.Service, signer.Leaf())
	if err != nil {
		return err.Error()
	}
	return note
}

// published is what claims to be a statement for a source and role, in DNS and on
// the web server, and the provider of the zone if that has a limit. The error is about
// DNS. That there is no web server is nothing unusual.
func published(ctx context.Context, dns *publish.DNS, client *discovery.Client, s delegation.Statement) (found []*delegation.Inspection, provider *publish.Provider, err error) {
	documents := make(chan []*delegation.Inspection)
	go func() { documents <- onTheWeb(ctx, client, s) }()
	views, err := dns.Place(s.Source, s.Service).Current(ctx)
	var names []string
	for _, v := range views {
		names = append(names, v.Where)
		err = errors.Join(err, v.Err)
		for _, f := range v.Found {
			if f.Statement != nil {
				found = append(found, f.Statement)
			}
		}
	}
	if slices.ContainsFunc(views, func(v publish.View) bool { return v.Err == nil }) {
		err = nil // one name server is enough to know
	}
	return append(found, <-documents...), publish.ProviderOf(names...), err
}

func onTheWeb(ctx context.Context, client *discovery.Client, s delegation.Statement) (found []*delegation.Inspection) {
	client.Via = discovery.ViaHTTPS
	e, err := client.Gather(ctx, s.Source, s.Service, nil)
	if err != nil {
		return nil
	}
	for _, d := range e.Documents {
		if in, err := delegation.Inspect(d.Body); err == nil {
			found = append(found, in)
		}
	}
	return found
}

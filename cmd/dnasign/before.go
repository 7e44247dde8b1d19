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

// earlier is what the statement that is to be signed must rank above. The
// warnings are for a person.
func (f beforeFlags) earlier(ctx context.Context, s delegation.Statement, signer *keys.Signer, record *signing.Record) (list []signing.Earlier, warnings []string, err error) {
	list = record.Earlier()
	if f.offline {
		return list, nil, nil
	}
	client, roots, err := f.stranger()
	if err != nil {
		return nil, nil, err
	}
	owner := publish.Owner{Roots: roots, Leaf: signer.Leaf()}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	dns := &publish.DNS{Owner: owner, Resolver: client.Resolver, Authorities: f.authorities}
	if err := dns.Valid(); err != nil {
		return nil, nil, cli.Usagef("%w", err)
	}
	found, err := published(ctx, dns, client, s)
	if err != nil {
		warnings = append(warnings, fmt.Sprintf("what is published in DNS cannot be seen, so the statement is compared only with those that were signed here (--offline does not look): %v", err))
	}
	var newest *delegation.Inspection
	for _, in := range found {
		rank := owner.Rank(in, s.Source, s.Service)
		if rank != publish.Counts && rank != publish.Ahead {
			continue
		}
		list = append(list, signing.EarlierOf(in, "published"))
		if newest == nil || in.Order().Compare(newest.Order()) > 0 {
			newest = in
		}
	}
	if err == nil && record.Unpublished(newest) {
		warnings = append(warnings, fmt.Sprintf("the statement that was signed here at %s, with the id %s, is not published; anybody who has it can show it until it is replaced: publish this one",
			text.Stamp(record.Newest.Order.Issued), record.Newest.ID))
	}
	return list, warnings, nil
}

// published is what claims to be a statement for a source and role, in DNS and
// on the web server. The error is about DNS. That there is no web server is
// nothing unusual.
func published(ctx context.Context, dns *publish.DNS, client *discovery.Client, s delegation.Statement) (found []*delegation.Inspection, err error) {
	documents := make(chan []*delegation.Inspection)
	go func() { documents <- onTheWeb(ctx, client, s) }()
	views, err := dns.Place(s.Source, s.Service).Current(ctx)
	for _, v := range views {
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
	return append(found, <-documents...), err
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

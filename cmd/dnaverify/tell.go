package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/watch"
	"github.com/dnasign/dnasign/internal/watch/news"
	"github.com/dnasign/dnasign/keys"
)

// maxKnown bounds the files with known certificates. certbot keeps one for each
// renewal of each certificate.
const maxKnown = 10_000

// tellFlags say whom to tell what is new, and what an owner knows already.
type tellFlags struct {
	mail           []string
	webhook, state string
	known          []string
}

func (f *tellFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.mail, "mail", nil, "mail what is new to this address; repeatable")
	flags.StringVar(&f.webhook, "webhook", "", "post what is new to this URL, as JSON")
	flags.StringVar(&f.state, "state", "", "file that remembers what was told; by default watch.json in the folder that systemd gives (StateDirectory=)")
	flags.StringArrayVar(&f.known, "known", nil, "pattern of PEM files with your certificates, such as '/etc/letsencrypt/archive/*/cert*.pem'; repeatable")
}

// teller makes what tells the news. It is nil if nobody is to be told.
func (f *tellFlags) teller() (func(context.Context, []watch.Report) error, error) {
	var to []news.Teller
	if len(f.mail) > 0 {
		m, err := news.NewMail(f.mail)
		if err != nil {
			return nil, cli.Usagef("--mail: %w", err)
		}
		to = append(to, m)
	}
	if f.webhook != "" {
		h, err := news.NewWebhook(f.webhook)
		if err != nil {
			return nil, cli.Usagef("--webhook: %w", err)
		}
		to = append(to, h)
	}
	file := cmp.Or(f.state, stateFile("watch.json"))
	switch {
	case len(to) == 0 && f.state != "":
		return nil, cli.Usagef("--state goes with --mail or --webhook")
	case len(to) == 0:
		return nil, nil
	case file == "":
		return nil, cli.Usagef("--mail and --webhook tell what is new, so they need --state FILE to remember what was told")
	}
	return func(ctx context.Context, reports []watch.Report) error {
		return news.Tell(ctx, file, reports, time.Now(), to)
	}, nil
}

// ownCertificates are those that an owner says it knows, nil if it says nothing.
func (f *tellFlags) ownCertificates() (*watch.Known, error) {
	if len(f.known) == 0 {
		return nil, nil
	}
	var all []*x509.Certificate
	files := 0
	for _, pattern := range f.known {
		names, err := filepath.Glob(pattern)
		if err != nil {
			return nil, cli.Usagef("--known %q: %w", pattern, err)
		}
		if len(names) == 0 {
			return nil, cli.Usagef("--known %q: there is no such file", pattern)
		}
		if files += len(names); files > maxKnown {
			return nil, cli.Usagef("--known names more than %d files", maxKnown)
		}
		for _, name := range names {
			certificates, err := keys.LoadCertificates(name)
			if err != nil {
				return nil, cli.Usagef("--known: %w", err)
			}
			all = append(all, certificates...)
		}
	}
	return watch.NewKnown(all), nil
}

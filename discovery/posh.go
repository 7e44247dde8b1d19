package discovery

import (
	"context"
	"slices"

	"github.com/dnasign/dnasign/delegation"
)

// askForPOSH begins the lookup of the POSH file (docs/posh.md), once every place has
// answered that it has no statement, and the SRV records are neither secure nor
// failed: only then can it count, so nobody else pays for it.
func (l *lookups) askForPOSH(ctx context.Context) {
	e := l.evidence
	url := delegation.POSHURL(e.Source, e.Service)
	if url == "" || len(e.POSH) > 0 || !e.Unpublished() || slices.ContainsFunc(e.SRV, noRoomForPOSH) {
		return
	}
	e.POSH = []delegation.Document{{URL: url, Failure: pending()}}
	l.begin(ctx, func(ctx context.Context) arrival {
		files := l.fetcher.posh(ctx, url)
		return func() { e.POSH = files }
	})
}

func noRoomForPOSH(a delegation.SRVAnswer) bool {
	return a.Failure != nil || a.DNSSEC == delegation.Bogus || a.DNSSEC == delegation.Secure && len(a.Records) > 0
}

// posh gets a POSH file and the one that it leads to, in the time of one document.
func (f *fetcher) posh(ctx context.Context, url string) []delegation.Document {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	files := []delegation.Document{f.fetch(ctx, url, delegation.POSHMediaType)}
	if next := files[0].POSHTarget(); next != "" {
		files = append(files, f.fetch(ctx, next, delegation.POSHMediaType))
	}
	return files
}

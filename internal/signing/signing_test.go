package signing

import (
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

const (
	source  = world.Source
	service = world.Service
	day     = world.Day
)

// A bench is a world in which something is signed.
type bench struct {
	testing.TB
	*world.World
}

func newBench(t testing.TB) *bench {
	return &bench{t, world.At(time.Date(2026, 6, 10, 12, 0, 0, 500, time.UTC))}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// certificate begins so long before now.
func (b *bench) certificate(ago time.Duration) *keys.Signer { return b.Issue(-ago, 60*day-ago, source) }

// statement was issued so long before now.
func (b *bench) statement(s *keys.Signer, ago time.Duration, hosts ...string) *delegation.Inspection {
	b.Helper()
	st := b.Statement(ago, hosts...)
	raw, err := Sign(&st, []delegation.Encoding{delegation.JWS}, s)
	b.must(err)
	in, err := delegation.Inspect(raw[delegation.JWS])
	b.must(err)
	return in
}

func TestMoment(t *testing.T) {
	b := newBench(t)
	own := b.certificate(10 * time.Minute)
	older, newer, twin := b.certificate(2*day), b.certificate(time.Minute), b.certificate(10*time.Minute)
	at := func(s *keys.Signer, ago time.Duration) Earlier { return EarlierOf(b.statement(s, ago), "published") }
	midnight, backdated := b.certificate(b.Now.Sub(b.Now.Truncate(day))), b.certificate(time.Hour+500)
	for _, c := range []struct {
		name    string
		signer  *keys.Signer
		earlier []Earlier
		force   bool
		want    time.Duration // after now
		reason  reasons.Reason
		says    string // in a note, or in the error
	}{
		{name: "the first", signer: own},
		{name: "an older statement", signer: own, earlier: []Earlier{at(own, 5*time.Minute)}},
		{name: "one of this second", signer: own, earlier: []Earlier{at(own, 0)}, want: time.Second},
		{name: "a clock that was fast", signer: own, earlier: []Earlier{at(own, -2*time.Minute)}, want: 2*time.Minute + time.Second},
		{name: "from the future", signer: own, earlier: []Earlier{at(own, -time.Hour)}, reason: reasons.ClockMismatch, says: "2026-06-10T13:00:00Z, and this machine's clock says 2026-06-10T12:00:00Z"},
		{name: "from the future, forced", signer: own, earlier: []Earlier{at(own, -time.Hour)}, force: true},
		{name: "from the future, by an older certificate", signer: own, earlier: []Earlier{at(older, -time.Hour)}},
		{name: "by a newer certificate", signer: own, earlier: []Earlier{at(newer, 0)}, reason: reasons.Superseded, says: "was issued at 2026-06-10T11:59:00Z, and the one to sign with at 2026-06-10T11:50:00Z"},
		{name: "by a newer certificate, forced", signer: own, earlier: []Earlier{at(newer, 0)}, force: true, want: time.Second, says: "ranks below"},
		{name: "a newer certificate that signed before", signer: own, earlier: []Earlier{{Order: delegation.Order{Issuance: b.Now}, Where: "signed here"}}, reason: reasons.Superseded, says: "a certificate that signed before (signed here)"},
		{name: "another certificate of the same moment", signer: own, earlier: []Earlier{at(twin, 0)}, want: time.Second, says: "can still sign above it"},
		{name: "a certificate of this second", signer: b.certificate(-200 * time.Millisecond)},
		{name: "a clock that is slow", signer: b.certificate(-4 * time.Minute), want: 4 * time.Minute},
		{name: "a clock that is too slow", signer: b.certificate(-6 * time.Minute), reason: reasons.SignerNotYetValid, says: "issued at 2026-06-10T12:06:00Z, and this machine's clock says 2026-06-10T12:00:00Z"},
		{name: "expired", signer: b.certificate(61 * day), reason: reasons.SignerExpired},
		{name: "backdated by an hour", signer: backdated, earlier: []Earlier{at(newer, 0)}, reason: reasons.Superseded, says: "wait until 2026-06-10T12:59:01Z, get a new certificate then and sign with that, or use an authority that embeds SCTs"},
		{name: "backdated to midnight", signer: midnight, earlier: []Earlier{at(backdated, 0)}, reason: reasons.Superseded, says: "wait until 2026-06-11T00:00:00Z, "},
		{name: "an old file", signer: older, earlier: []Earlier{at(b.certificate(day), 0)}, reason: reasons.Superseded, says: "; get a new certificate and sign with that"},
	} {
		t.Run(c.name, func(t *testing.T) {
			issued, notes, err := Moment(c.signer.Leaf(), b.Now, c.earlier, c.force)
			text := strings.Join(notes, "\n")
			if err != nil {
				text = err.Error()
			}
			if delegation.ReasonOf(err) != c.reason || !strings.Contains(text, c.says) || (c.says == "") != (text == "") && c.reason == "" {
				t.Fatalf("%q, notes %q, want %s and %q", err, notes, c.reason, c.says)
			}
			if want := b.Now.Truncate(time.Second).Add(c.want); err == nil && !issued.Equal(want) {
				t.Errorf("issued %s, want %s", issued, want)
			}
		})
	}
}

// TestIssuedByItself: the time of a statement by such a certificate is its
// issuance too. So it rises above whatever was signed earlier, by any certificate.
func TestIssuedByItself(t *testing.T) {
	b := newBench(t)
	now := b.Now.Truncate(time.Second)
	own, err := keys.SelfIssue(b.certificate(time.Hour).Key(), "b.example", now.Add(-time.Hour), now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	at := func(issuance, issued time.Duration) []Earlier {
		return []Earlier{{Order: delegation.Order{Issuance: now.Add(issuance), Issued: now.Add(issued)}, Where: "published"}}
	}
	for name, c := range map[string]struct {
		earlier []Earlier
		force   bool
		want    time.Duration
		reason  reasons.Reason
	}{
		"the first":                    {nil, false, 0, ""},
		"after one of an hour ago":     {at(-time.Hour, -time.Hour), false, 0, ""},
		"in the same second":           {at(0, 0), false, time.Second, ""},
		"after an SCT of the second":   {at(300*time.Millisecond, time.Minute), false, time.Second, ""},
		"after one of a fast clock":    {at(4*time.Minute, 4*time.Minute), false, 4*time.Minute + time.Second, ""},
		"after an old certificate":     {at(-time.Hour, 4*time.Minute), false, 0, ""},
		"after one of a wrong clock":   {at(time.Hour, time.Hour), false, 0, reasons.ClockMismatch},
		"the same, all the same":       {at(time.Hour, time.Hour), true, 0, ""},
		"after a certificate of later": {at(time.Hour, 0), false, 0, reasons.ClockMismatch},
	} {
		issued, notes, err := Moment(own.Leaf(), b.Now, c.earlier, c.force)
		if delegation.ReasonOf(err) != c.reason || len(notes) != 0 || err == nil && !issued.Equal(now.Add(c.want)) {
			t.Errorf("%s: issued %s, notes %q, %v", name, issued, notes, err)
		}
	}
	for name, when := range map[string]time.Duration{"too early": -2 * time.Hour, "too late": 2 * time.Hour} {
		if _, _, err := Moment(own.Leaf(), b.Now.Add(when), nil, false); err == nil {
			t.Errorf("%s, and no error", name)
		}
	}
}

// TestAbove: whatever was signed earlier and is not refused, the order rises.
func TestAbove(t *testing.T) {
	b := newBench(t)
	var signers []*keys.Signer
	for _, ago := range []time.Duration{3 * time.Hour, time.Hour, time.Hour, time.Minute, -time.Minute} {
		signers = append(signers, b.certificate(ago))
	}
	signed := 0
	for _, first := range signers {
		for _, ago := range []time.Duration{time.Hour, 0, -time.Minute} {
			if first.Leaf().NotBefore.After(b.Now.Add(limits.ClockSkew - ago)) {
				continue
			}
			earlier := b.statement(first, ago)
			for _, second := range signers {
				issued, _, err := Moment(second.Leaf(), b.Now, []Earlier{EarlierOf(earlier, "published")}, false)
				if err != nil {
					continue
				}
				signed++
				order := b.statement(second, b.Now.Truncate(time.Second).Sub(issued)).Order()
				if order.Compare(earlier.Order()) <= 0 {
					t.Errorf("%+v is not above %+v", order, earlier.Order())
				}
			}
		}
	}
	if signed < 20 {
		t.Errorf("%d were signed", signed)
	}
}

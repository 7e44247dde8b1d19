package renew

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// signed is a statement of a domain by a certificate, issued so long ago, to
// hosts.
func (l *lab) signed(s *keys.Signer, domain string, ago time.Duration, hosts ...string) []byte {
	l.Helper()
	st := world.Statement(domain, "_xmpp-server._tcp", l.Now.Add(-ago), hosts...)
	return localca.Must(signing.Sign(&st, []delegation.Encoding{delegation.JWS}, s))[delegation.JWS]
}

// remembering gives a run the memory of what was signed, in a file.
func (l *lab) remembering(name string) func(*Runner) {
	return func(r *Runner) {
		l.Helper()
		s, err := signing.ReadState(l.Path(name))
		l.Must(err)
		r.State = s
	}
}

// fileOf is the configuration of b.example with one file.
const fileOf = `domains: [{domain: b.example, publish: [file: "b.jws"]}]`

// TestForeignStatement: a valid statement of another domain is in the place of
// ours. It is replaced, with a word about it: a stranger who can write there must
// not end the renewal.
func TestForeignStatement(t *testing.T) {
	l := newLab(t, "b.example")
	l.config(fileOf)
	l.Write("b.jws", string(l.signed(l.Issue(-day, 60*day, "c.example"), "c.example", time.Hour, "h.example")))
	e := l.entry()
	l.want(e, Signed, Unusable, verified)
	if !slices.ContainsFunc(e.Notes, func(n string) bool { return strings.Contains(n, "a valid statement of c.example") }) {
		t.Errorf("notes %q", e.Notes)
	}
}

// TestOurOtherStatement: a valid statement of another domain of the owner's is in
// the place of this one's. It is not destroyed, unless somebody insists.
func TestOurOtherStatement(t *testing.T) {
	l := newLab(t, "b.example")
	l.config(fileOf)
	other := l.signed(l.Issue(-day, 60*day, "c.example"), "c.example", time.Hour, "h.example")
	l.Write("b.jws", string(other))
	signedHere := func(r *Runner) {
		l.remembering("mine.json")(r)
		in, err := delegation.Inspect(other)
		l.Must(err)
		r.State.Add(in, false)
	}
	e := l.entry(signedHere)
	if e.Action != Failed || len(e.troubles()) == 0 || e.troubles()[0].Reason != reasons.SourceMismatch || !strings.Contains(e.troubles()[0].Detail, "c.example") {
		t.Errorf("%s, %+v", e.Action, e.troubles())
	}
	if there, err := os.ReadFile(l.Path("b.jws")); err != nil || string(there) != string(other) {
		t.Errorf("the statement of another domain is gone: %v", err)
	}
	l.want(l.entry(signedHere, func(r *Runner) { r.Force = true }), Signed, Forced, verified)
}

// TestPlanted: whatever a stranger put into the place cannot lock the owner out.
func TestPlanted(t *testing.T) {
	strangers := world.At(time.Now())
	for name, planted := range map[string]func(l *lab) []byte{
		"for the domain, by a stranger's authority, newer": func(l *lab) []byte {
			return l.signed(strangers.Issue(-time.Minute, 60*day, "b.example"), "b.example", 0, "evil.example")
		},
		"a revocation by a stranger's authority": func(l *lab) []byte {
			return l.signed(strangers.Issue(-time.Minute, 60*day, "b.example"), "b.example", 0)
		},
		"for another domain, by a stranger's authority": func(l *lab) []byte {
			return l.signed(strangers.Issue(-time.Minute, 60*day, "c.example"), "c.example", 0, "evil.example")
		},
		"expired": func(l *lab) []byte {
			return l.signed(l.Issue(-20*day, 60*day, "b.example"), "b.example", 15*day, "h.example")
		},
		"half of one": func(l *lab) []byte {
			return l.signed(l.Issue(-day, 60*day, "b.example"), "b.example", 0, "h.example")[:300]
		},
		"no statement": func(*lab) []byte { return []byte("hello\n") },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "b.example")
			l.config(fileOf)
			l.Write("b.jws", string(planted(l)))
			l.want(l.entry(), Signed, Unusable, verified)
			l.want(l.entry(), Kept, "", verified)
		})
	}
}

// TestStandby: two machines with certificates of their own do not fail each
// other. The one with the newest signs.
func TestStandby(t *testing.T) {
	l := newLab(t, "b.example")
	l.config("domains: [b.example]")
	older, newer := l.Issue(-2*day, 60*day, "b.example"), l.Issue(-day, 60*day, "b.example")
	one, two := l.remembering("one.json"), l.remembering("two.json")
	l.WriteKeys("b.example", older)
	first := l.entry(one)
	l.want(first, Signed, Missing, verified)
	l.WriteKeys("b.example", newer)
	second := l.entry(two)
	l.want(second, Signed, CertificateChanged, verified)
	l.WriteKeys("b.example", older)
	e := l.entry(one)
	l.want(e, Standby, "", verified)
	if e.ID != second.ID || l.updates() != 2 {
		t.Errorf("%s, %d updates", e.ID, l.updates())
	}
	// It renews its certificate, and now it is the one that signs.
	l.WriteKeys("b.example", l.Issue(-time.Hour, 60*day, "b.example"))
	l.want(l.entry(one), Signed, CertificateChanged, verified)
	l.WriteKeys("b.example", newer)
	l.want(l.entry(two), Standby, "", verified)
	// Somebody who is to sign something else cannot.
	l.config("domains: [{domain: b.example, targets: [g.example:5269]}]")
	l.want(l.entry(two), Failed, "", refused, reasons.Superseded, reasons.TargetMismatch)
}

// TestStandbyFormats: the machine that signs does not sign the format of this
// one, which is no failure either.
func TestStandbyFormats(t *testing.T) {
	l := newLab(t, "b.example")
	l.config("domains: [b.example]")
	l.WriteKeys("b.example", l.Issue(-day, 60*day, "b.example"))
	l.want(l.entry(), Signed, Missing, verified)
	l.config("domains: [{domain: b.example, formats: [ac]}]")
	l.WriteKeys("b.example", l.Issue(-2*day, 60*day, "b.example"))
	l.want(l.entry(), Standby, "", verified)
	if l.updates() != 1 {
		t.Errorf("%d updates", l.updates())
	}
}

// TestRevokedByHand: renew does not undo it, however often it runs.
func TestRevokedByHand(t *testing.T) {
	l := newLab(t, "b.example")
	l.config("domains: [b.example]")
	mine := l.remembering("mine.json")
	l.want(l.entry(mine), Signed, Missing, verified)
	signer, err := keysOf(l, "b.example")
	l.Must(err)
	dns := &publish.DNS{Owner: publish.Owner{Roots: l.CA.Pool()}, Server: l.DNS.Addr, Authorities: []string{l.DNS.Addr}}
	dns.Key, _, err = publish.LoadTSIGKey(keys.Loader{}, l.Path("tsig.key"))
	l.Must(err)
	_, err = dns.Place("b.example", "_xmpp-server._tcp").Publish(t.Context(), l.signed(signer, "b.example", -2*time.Second))
	l.Must(err)

	e := l.entry(mine)
	l.want(e, Kept, "", verified)
	if len(e.Notes) != 1 || !strings.Contains(e.Notes[0], "--domain b.example --force") {
		t.Errorf("notes %q", e.Notes)
	}
	// With a new certificate the revocation is signed again, and again after that.
	for i := range 2 {
		l.certificate("b.example", time.Duration(i-10)*time.Minute, 60*day)
		e := l.entry(mine)
		l.want(e, Signed, CertificateChanged, verified)
		if len(e.Notes) == 0 || !strings.Contains(e.Notes[0], "it stays revoked") {
			t.Errorf("notes %q", e.Notes)
		}
	}
	l.want(l.entry(mine), Kept, "", verified)
	// What is told to be typed.
	l.want(l.entry(mine, func(r *Runner) { r.Force = true }), Signed, Forced, verified)
	l.want(l.entry(mine), Kept, "", verified)
	// A revocation that the configuration asked for ends with the configuration.
	l.config("domains: [{domain: b.example, revoke: true}]")
	l.want(l.entry(mine), Signed, TargetsChanged, verified)
	l.config("domains: [b.example]")
	l.want(l.entry(mine), Signed, TargetsChanged, verified)
}

// shownAgain puts back an old statement of the owner's, after a newer one.
func shownAgain(t *testing.T, hosts ...string) (l *lab, mine func(*Runner), signer *keys.Signer, old []byte) {
	l = newLab(t, "b.example")
	l.config(fileOf)
	mine = l.remembering("mine.json")
	signer, err := keysOf(l, "b.example")
	l.Must(err)
	old = l.signed(signer, "b.example", time.Hour, hosts...)
	l.Write("b.jws", string(old))
	l.want(l.entry(mine), Kept, "", verified)
	l.want(l.entry(mine, func(r *Runner) { r.Force = true }), Signed, Forced, verified)
	l.Write("b.jws", string(old))
	return l, mine, signer, old
}

// TestOldRevocation: a stranger who writes to the place shows an old revocation
// of the owner's. It does not end the delegation that was signed after it.
func TestOldRevocation(t *testing.T) {
	l, mine, signer, old := shownAgain(t)
	l.want(l.entry(mine), Signed, TargetsChanged, verified)
	// Nor with a newer certificate.
	l.Write("b.jws", string(old))
	l.certificate("b.example", -time.Minute, 60*day)
	l.want(l.entry(mine), Signed, TargetsChanged, verified)
	l.want(l.entry(mine), Kept, "", verified)
	// Nor one that was made later, with the older certificate: whoever has stolen
	// that one must not be able to end the delegation.
	l.Write("b.jws", string(l.signed(signer, "b.example", -time.Minute)))
	l.want(l.entry(mine), Signed, TargetsChanged, verified)
}

// TestOldStatement: a stranger who writes to the place puts back an old statement
// of the owner's. Those who have seen the new one refuse it, so it is replaced.
func TestOldStatement(t *testing.T) {
	l, mine, _, _ := shownAgain(t, "h.example")
	l.want(l.entry(mine), Signed, Replaced, verified)
	l.want(l.entry(mine), Kept, "", verified)
}

func keysOf(l *lab, domain string) (*keys.Signer, error) {
	s, _, err := keys.LoadSigner(l.Path(domain+".pem"), l.Path(domain+".key"))
	return s, err
}

// TestRemembered: what was signed is on the disk before anybody can see it, and
// nothing is published that could not be remembered.
func TestRemembered(t *testing.T) {
	l := newLab(t, "b.example")
	l.config(fileOf)
	l.want(l.entry(l.remembering("state.json")), Signed, Missing, verified)
	s, err := signing.ReadState(l.Path("state.json"))
	l.Must(err)
	there, err := os.ReadFile(l.Path("b.jws"))
	l.Must(err)
	in, err := delegation.Inspect(there)
	l.Must(err)
	if r := s.Of("b.example", "_xmpp-server._tcp"); r == nil || !r.Is(in) || r.Newest.Order != in.Order() {
		t.Errorf("remembered %+v", r)
	}
	// The newest certificate that signed here counts, though nothing is published.
	l.Must(os.Remove(l.Path("b.jws")))
	l.certificate("b.example", -2*day, 60*day)
	e := l.entry(l.remembering("state.json"))
	if e.Action != Failed || e.Problem == nil || e.Problem.Reason != reasons.Superseded || !strings.Contains(e.Problem.Detail, "get a new certificate") {
		t.Errorf("%s, %+v", e.Action, e.Problem)
	}
	// A memory that cannot be written.
	l.Must(os.Mkdir(l.Path("away"), 0o700))
	state, err := signing.ReadState(l.Path("away/state.json"))
	l.Must(err)
	l.Must(os.Remove(l.Path("away")))
	e = l.entry(func(r *Runner) { r.State = state })
	if e.Action != Failed || e.Problem == nil || e.Problem.Reason != reasons.BadFile || !strings.Contains(e.Problem.Detail, "cannot be remembered") {
		t.Errorf("%s, %+v", e.Action, e.Problem)
	}
	if _, err := os.Stat(l.Path("b.jws")); err == nil {
		t.Error("published, and not remembered")
	}
}

// TestOvertaken: somebody else publishes a newer statement between looking and
// writing. It is signed again, above that one.
func TestOvertaken(t *testing.T) {
	l := newLab(t, "b.example")
	l.config(fileOf)
	l.want(l.entry(), Signed, Missing, verified)
	signer, err := keysOf(l, "b.example")
	l.Must(err)
	c, err := ReadConfig(l.Path("dna.yaml"))
	l.Must(err)
	r := &Runner{Config: c, Roots: l.CA.Pool(), Force: false}
	w := &work{Delegation: &c.Delegations[0], signer: signer}
	w.Targets = []delegation.Target{{Endpoint: delegation.Endpoint{Host: "g.example", Port: 5269}}}
	p := newPlaces(r)
	l.Must(r.sign(t.Context(), w, p))
	first := w.issued
	l.Write("b.jws", string(l.signed(signer, "b.example", -time.Minute, "other.example")))
	r.publish(t.Context(), w, p)
	if w.entry.Action != Signed || !w.issued.After(first.Add(30*time.Second)) || len(w.entry.troubles()) > 0 {
		t.Errorf("%s, issued %s after %s, %+v", w.entry.Action, w.issued, first, w.entry.troubles())
	}
	there, err := os.ReadFile(l.Path("b.jws"))
	l.Must(err)
	if string(there) != string(w.raw[delegation.JWS]) {
		t.Error("another statement is there")
	}
}

// TestLessTrusted: a certificate that the owner's trust anchors do not accept, such as
// that of a test authority or one without its chain, does not replace a statement that
// they accept, and is not remembered. With the right one back, all is as before.
func TestLessTrusted(t *testing.T) {
	elsewhere := world.At(time.Now())
	for name, wrong := range map[string]func(l *lab){
		"another authority": func(l *lab) { l.WriteKeys("b.example", elsewhere.Issue(-time.Hour, 60*day, "b.example")) },
		"no chain": func(l *lab) {
			s := l.Issue(-time.Hour, 60*day, "b.example")
			l.WriteKeys("b.example", localca.Must(keys.NewSigner(s.Chain()[:1], s.Key())))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "b.example")
			l.config(fileOf)
			state := l.remembering("signed.json")
			l.want(l.entry(state), Signed, Missing, verified)
			before, cert, key := localca.Must(os.ReadFile(l.Path("b.jws"))), localca.Must(os.ReadFile(l.Path("b.example.pem"))), localca.Must(os.ReadFile(l.Path("b.example.key")))
			wrong(l)
			e := l.entry(state)
			if e.Action != Failed || e.Problem == nil || e.Problem.Reason != reasons.UntrustedSigner || !strings.Contains(e.Problem.Detail, "--force") {
				t.Errorf("%s, %+v", e.Action, e.Problem)
			}
			if there, err := os.ReadFile(l.Path("b.jws")); err != nil || string(there) != string(before) {
				t.Errorf("the good statement is gone: %v", err)
			}
			l.Write("b.example.pem", string(cert))
			l.Write("b.example.key", string(key))
			l.want(l.entry(state), Kept, "", verified)
			wrong(l)
			l.want(l.entry(state, func(r *Runner) { r.Force = true }), Signed, Forced, reasons.OutcomeRefused, reasons.UntrustedSigner)
		})
	}
}

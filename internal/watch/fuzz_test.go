package watch

import (
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// FuzzConclude: whatever strangers published, the status says well only if
// every verdict is verified; what is found twice alike differs in nothing; and
// the report can be written.
func FuzzConclude(f *testing.F) {
	jws := sign(around.Of(source), delegation.JWS, time.Hour, 14*day, provider)
	ac := sign(around.Of(source), delegation.AC, 2*time.Hour, 14*day, former)
	for _, e := range []*delegation.Evidence{
		found(),
		found(txt(delegation.JWS, jws), web(delegation.AC, ac), srv(provider, former)),
		found(txt(delegation.JWS, jws), txt(delegation.AC, ac), record("v=DNA1"), webFails),
		found(txtFails(reasons.DNSBogus), web(delegation.JWS, jws)),
	} {
		data, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e delegation.Evidence
		if json.Unmarshal(data, &e) != nil {
			return
		}
		// The authority is another in each process that fuzzes: what it signed
		// is put in here.
		if len(data)%2 == 0 && len(e.TXT) > 0 {
			txt(delegation.JWS, jws)(&e)
		}
		q := Question{Query: delegation.Query{Source: source, Service: service, Target: provider}}
		r := Conclude(q, []Observation{{Resolver: "one", Evidence: &e}, {Resolver: "two", Evidence: &e}}, around.Policy())
		well := r.Status == StatusOK || r.Status == StatusWarning
		for _, v := range r.Verdicts {
			if well && (v.Outcome != reasons.OutcomeVerified || v.Host.Outcome != reasons.OutcomeVerified) {
				t.Errorf("%s with the verdict %+v", r.Status, v)
			}
		}
		if r.Agreeing != 2 || len(r.Verdicts) != 2 {
			t.Errorf("%d agree of %d", r.Agreeing, len(r.Verdicts))
		}
		for _, f := range r.Findings {
			if f.Name == ResolversDiffer || f.Name == SRVDiffers || len(f.Resolvers) != 2 {
				t.Errorf("%+v", f)
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		tap, err := NewTAP(io.Discard, 1, false)
		if err == nil {
			err = tap.Write(r)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

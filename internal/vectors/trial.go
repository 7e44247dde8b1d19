package vectors

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A trial is a verification on its way to a case: the usual one, to which steps
// are applied.
type trial struct {
	*world
	encoding  string
	place     string // where the statement is found
	statement statement
	signer    *signer
	logged    time.Time                     // the latest SCT of the signer's certificate; zero: it has none
	key       crypto.Signer                 // signs instead of the signer's
	chain     []func(der [][]byte) [][]byte // changes of the certificates that are sent
	jwsEdits
	acEdits

	features []string // that the case needs
	query    Query
	policy   Policy
	evidence []func(e *evidence) // changes of the evidence with the statement in it
	raw      func(evidence json.RawMessage) json.RawMessage
}

// A step is a change of the usual case.
type step func(t *trial)

// The places where a statement is found.
const (
	inTXT      = "txt"
	inDocument = "document"
	inFile     = "file"
	inStream   = "stream" // and in no other place: all were asked, and have nothing
	nowhere    = ""
)

func (w *world) trial(steps ...step) *trial {
	roots := [][]byte{w.root.certificate.Raw}
	t := &trial{
		world: w, encoding: jwsEncoding, place: inDocument,
		statement: goodStatement(), signer: w.signer,
		query:  Query{Source: source, Service: service},
		policy: Policy{Time: stamp(now), Roots: &roots},
	}
	all(steps...)(t)
	return t
}

// all applies steps, in order; nil ones do nothing.
func all(steps ...step) step {
	return func(t *trial) {
		for _, s := range steps {
			if s != nil {
				s(t)
			}
		}
	}
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func (t *trial) signingKey() crypto.Signer {
	if t.key != nil {
		return t.key
	}
	return t.signer.key
}

// certificates are what is sent, the signer's first.
func (t *trial) certificates() [][]byte {
	list := t.signer.chain()
	for _, edit := range t.chain {
		list = edit(list)
	}
	return list
}

// signed is the statement in its encoding.
func (t *trial) signed() []byte {
	if t.encoding == acEncoding {
		return t.ac()
	}
	return t.jws()
}

// record is the statement as the text of a TXT record.
func (t *trial) record() string {
	value := string(t.signed())
	if t.encoding == acEncoding {
		value = base64.StdEncoding.EncodeToString([]byte(value))
	}
	return "v=DNA1; e=" + t.encoding + "; s=" + value
}

// found is the evidence.
func (t *trial) found() *evidence {
	e := &evidence{
		Version: 2, Source: t.query.Source, Service: roleOf(t.query.Service), Collected: now,
		SRV: []srvAnswer{}, TXT: []txtAnswer{}, Documents: []document{},
	}
	if e.Source == "" {
		e.Source = source
	}
	if e.Service == "" {
		e.Service = service
	}
	switch t.place {
	case inTXT:
		e.TXT = append(e.TXT, txtAt(service, t.record()))
	case inDocument:
		e.Documents = append(e.Documents, documentAt(service, t.encoding, t.signed()))
	case inFile:
		e.Documents = append(e.Documents, document{File: "statement", Body: t.signed()})
	case inStream:
		e.TXT = append(e.TXT, txtAt(service))
		e.Documents = append(e.Documents, nothingAt(jwsEncoding), nothingAt(acEncoding))
		e.Streams = append(e.Streams, streamStatement{t.encoding, t.signed()})
	}
	for _, edit := range t.evidence {
		edit(e)
	}
	return e
}

// build makes the case, without what is expected of it.
func (t *trial) build() Case {
	raw := json.RawMessage(must(json.Marshal(t.found())))
	if t.raw != nil {
		raw = t.raw(raw)
	}
	query, policy := t.query, t.policy
	return Case{Features: t.features, Operation: "verify", Query: &query, Policy: &policy, Evidence: raw}
}

// verified is what is expected of a statement that verifies, found in one place
// and compared with nothing, for as long as it says.
func (t *trial) verified() *Expect {
	end, s := t.statement.expires, t.statement
	at := must(time.Parse(time.RFC3339Nano, t.policy.Time)).Truncate(time.Second)
	refresh := at.Add(ttl * time.Second)
	if end.Before(refresh) {
		refresh = end
	}
	e := &Expect{Outcome: "verified", Reason: "verified", Expires: &end, RefreshAt: &refresh, Floor: Remembered{true, t.floor()}}
	var dial []string
	for _, to := range s.targets {
		dial = append(dial, fmt.Sprintf("%s:%d", to.host, to.port))
	}
	e.Dial = dial
	e.Targets = slices.Sorted(slices.Values(dial))
	return e
}

// floor is what is to be remembered of the statement if it verifies, and its
// proof ends when it says.
func (t *trial) floor() *Floor {
	issuance := t.signer.leaf.NotBefore
	if !t.logged.IsZero() {
		issuance = t.logged
	}
	if bytes.Equal(t.signer.leaf.RawSubject, t.signer.leaf.RawIssuer) {
		issuance = t.statement.issued // O1f
	}
	return &Floor{
		Order: Order{Issuance: issuance, Issued: t.statement.issued}, Targets: digest(t.statement.targets),
		ValidUntil: t.statement.expires, SignerUntil: t.signer.leaf.NotAfter.Add(time.Second),
	}
}

// outcomes of the reasons that are no refusal.
var undetermined = []string{
	"unanswered", "dns-timeout", "dns-failure", "dns-bogus", "alias-loop", "https-timeout", "https-failure",
	"bad-redirect", "document-too-large", "address-not-allowed", "self-test-failed", "connect-failed", "connect-timeout",
}

// ending is what is expected where the reason is all.
func ending(reason string) *Expect {
	outcome := "refused"
	switch {
	case reason == "verified":
		outcome = reason
	case slices.Contains(undetermined, reason):
		outcome = "undetermined"
	}
	return &Expect{Outcome: outcome, Reason: reason}
}

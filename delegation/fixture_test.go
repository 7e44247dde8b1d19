package delegation

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
	"github.com/dnasign/dnasign/testvectors"
)

// The base case of every table: b.example delegates its XMPP server to a
// hosting provider. All times are relative to now, which is fixed.
const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
	direct  = "_xmpps-server._tcp" // the other label of the role
	host    = "xmpp.hosting.example"
)

var (
	now      = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	endpoint = Endpoint{host, 5269}

	txtPlace      = TXTName(source, service)
	srvPlace      = SRVName(source, service)
	documentPlace = DocumentURL(source, service, JWS)
)

const day = 24 * time.Hour

// A laboratory holds the keys and certificates that cases share, since making
// them takes time. (The world of other tests, internal/testkit/world, imports this
// package.)
type laboratory struct {
	t            testing.TB
	root         *localca.Authority
	intermediate *localca.Authority
	signer       *keys.Signer // of the base case
}

var sharedLaboratory = sync.OnceValue(func() *laboratory {
	root := localca.Must(localca.New("Test Root", now))
	intermediate := localca.Must(root.Intermediate("Test Intermediate", now, nil))
	signer := localca.Must(intermediate.Issue("P-256", []string{source}, now.Add(-10*day), now.Add(80*day), nil))
	return &laboratory{root: root, intermediate: intermediate, signer: signer}
})

var (
	sharedKeys sync.Mutex
	keyOfKind  = map[string]crypto.Signer{}
)

// keyOf gives the one key of a kind, or, after the word "other", another one.
func keyOf(kind string) crypto.Signer {
	sharedKeys.Lock()
	defer sharedKeys.Unlock()
	if keyOfKind[kind] == nil {
		key := localca.Must(localca.NewKey(strings.TrimPrefix(kind, "other ")))
		keyOfKind[kind] = key
	}
	return keyOfKind[kind]
}

func newLaboratory(t testing.TB) *laboratory {
	lab := *sharedLaboratory()
	lab.t = t
	return &lab
}

// issue makes another signer for the source, below the intermediate.
func (lab *laboratory) issue(kind string, edit func(*x509.Certificate)) *keys.Signer {
	return lab.issueBelow(lab.intermediate, kind, edit)
}

func (lab *laboratory) issueBelow(ca *localca.Authority, kind string, edit func(*x509.Certificate)) *keys.Signer {
	lab.t.Helper()
	return localca.Must(ca.IssueFor(keyOf(kind), []string{source}, now.Add(-10*day), now.Add(80*day), edit))
}

// authority makes an intermediate authority below another one.
func (lab *laboratory) authority(above *localca.Authority, name string, edit func(*x509.Certificate)) *localca.Authority {
	lab.t.Helper()
	return localca.Must(above.Intermediate(name, now, edit))
}

func goodStatement() Statement {
	return Statement{
		Source:  source,
		Service: service,
		Targets: []Target{{Endpoint: endpoint, Priority: 10, Weight: 5}},
		Issued:  now.Add(-time.Hour),
		Expires: now.Add(13 * day),
		ID:      ID{0x01, 15: 0x02},
	}
}

// A draft is a statement on its way to a token. A case may spoil each part of
// it, also in ways that Sign refuses.
type draft struct {
	*laboratory
	statement Statement
	signer    *keys.Signer
	algorithm keys.Algorithm              // "" for the one that fits
	chain     [][]byte                    // nil for the signer's
	payload   func(json string) string    // nil to change nothing
	header    func(json string) string    // the same
	token     func(compact string) string // the same
}

func (lab *laboratory) draft() *draft {
	return &draft{laboratory: lab, statement: goodStatement(), signer: lab.signer}
}

// sign makes the token. Where the algorithm does not fit the key, the
// signature is of the right size and wrong.
func (d *draft) sign() []byte {
	d.t.Helper()
	fitting, err := keys.AlgorithmFor(d.signer.Leaf().PublicKey)
	if d.algorithm == "" {
		d.algorithm = fitting
	}
	if err != nil && d.algorithm == "" {
		d.t.Fatal(err)
	}
	if d.chain == nil {
		for _, c := range d.signer.Chain() {
			d.chain = append(d.chain, c.Raw)
		}
	}
	x5c, err := json.Marshal(d.chain) // []byte marshals as base64 with padding
	if err != nil {
		d.t.Fatal(err)
	}
	header := edit(d.header, `{"alg":"`+string(d.algorithm)+`","typ":"dna+jwt","x5c":`+string(x5c)+`}`)
	payload := edit(d.payload, string(encodeClaims(d.statement)))
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	signature := make([]byte, 96)
	if d.algorithm.Fits(d.signer.Leaf().PublicKey) == nil {
		if signature, err = d.algorithm.Sign(d.signer.Key(), []byte(input)); err != nil {
			d.t.Fatal(err)
		}
	}
	return []byte(edit(d.token, input+"."+base64.RawURLEncoding.EncodeToString(signature)))
}

func edit(change func(string) string, text string) string {
	if change == nil {
		return text
	}
	return change(text)
}

// replace is an edit that must find what it replaces.
func replace(t testing.TB, old, with string) func(string) string {
	return func(text string) string {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("the base case has no %q", old)
		}
		return strings.Replace(text, old, with, 1)
	}
}

// A trial is one call of Verify.
type trial struct {
	*draft
	query    Query
	evidence *Evidence // nil for the token in a TXT record
	policy   Policy
	// adjust changes the evidence, with the token in it, last.
	adjust func(e *Evidence)
}

func newTrial(t testing.TB) *trial {
	lab := newLaboratory(t)
	return &trial{
		draft:  lab.draft(),
		query:  Query{Source: source, Service: service},
		policy: Policy{Roots: lab.root.Pool(), Time: now},
	}
}

func (tr *trial) verify() (*Result, error) {
	tr.t.Helper()
	if tr.evidence == nil {
		tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(tr.sign())))
	}
	if tr.adjust != nil {
		tr.adjust(tr.evidence)
	}
	return Verify(tr.query, tr.evidence, tr.policy)
}

// evidenceOf is evidence about the base question, with answers of any kind.
func evidenceOf(answers ...any) *Evidence {
	e := &Evidence{Version: EvidenceVersion, Source: source, Service: service, Collected: now}
	for _, a := range answers {
		switch a := a.(type) {
		case TXTAnswer:
			e.TXT = append(e.TXT, a)
		case SRVAnswer:
			e.SRV = append(e.SRV, a)
		case Document:
			e.Documents = append(e.Documents, a)
		default:
			panic("no such answer")
		}
	}
	return e
}

func txtAnswer(records ...string) TXTAnswer {
	return TXTAnswer{Answer: Answer{Name: txtPlace, DNSSEC: Insecure, TTL: 3600}, Records: records}
}

func srvAnswer(state DNSSEC, records ...SRVRecord) SRVAnswer {
	return SRVAnswer{Answer{Name: srvPlace, DNSSEC: state, TTL: 3600}, records}
}

func document(body []byte) Document {
	return Document{URL: documentPlace, Status: 200, MediaType: JWS.MediaType(), MaxAge: -1, Body: body}
}

// A verifyCase is the base case with exactly one defect, and how it ends.
type verifyCase struct {
	name  string
	spoil func(tr *trial)
	want  reasons.Reason
}

// runCases runs a table that has at least so many cases.
func runCases(t *testing.T, atLeast int, cases []verifyCase) {
	t.Helper()
	if len(cases) < atLeast {
		t.Errorf("%d cases, want at least %d", len(cases), atLeast)
	}
	names := map[string]bool{}
	for _, c := range cases {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			c.spoil(tr)
			result, err := tr.verify()
			wantEnd(t, c.want, result, err)
			sameWithCache(t, tr, result, err)
		})
	}
}

// wantEnd checks what Verify returned against the reason it should end with.
func wantEnd(t testing.TB, want reasons.Reason, result *Result, err error) {
	t.Helper()
	if want == reasons.Verified {
		if err != nil || result == nil {
			t.Fatalf("got %v, want verified", err)
		}
		return
	}
	wantRefusal(t, want, err)
	if result != nil {
		t.Errorf("a result beside the error %v", err)
	}
}

// wantRefusal checks that an error is a typed one with a reason and the
// outcome that belongs to it, and that it explains itself.
func wantRefusal(t testing.TB, want reasons.Reason, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v (%T), want an *Error with %s", err, err, want)
	}
	if e.Reason != want {
		t.Fatalf("got %v, want %s", e, want)
	}
	if e.Outcome != want.Outcome() || e.Outcome == reasons.OutcomeVerified {
		t.Errorf("outcome %s with reason %s", e.Outcome, e.Reason)
	}
	if e.Detail == "" {
		t.Errorf("%s without a detail", e.Reason)
	}
	return e
}

// vectorSeeds are what the test vectors have for fuzz targets.
func vectorSeeds(t testing.TB) *testvectors.Seeds {
	t.Helper()
	seeds, err := testvectors.ReadSeeds()
	if err != nil {
		t.Fatal(err)
	}
	return seeds
}

var errRejected = errors.New("not one of our pins")

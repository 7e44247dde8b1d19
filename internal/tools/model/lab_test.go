package model

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/sct"
	"github.com/dnasign/dnasign/keys"
)

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
	unit    = 30 * time.Second
	skew    = int16(limits.ClockSkew / unit)
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(t int16) time.Time { return start.Add(time.Duration(t) * unit) }

// seconds is a time of a statement, in seconds since the start: one certificate
// can sign every second.
type seconds int32

func secondsOf(t time.Time) seconds { return seconds(t.Sub(start) / time.Second) }

func (s seconds) time() time.Time { return start.Add(time.Duration(s) * time.Second) }

// An actor is who holds a certificate's key.
type actor byte

const (
	owner  actor = 'o'
	both   actor = 's' // the owner's, and it is stolen
	second actor = 'p' // the owner's second machine
	thief  actor = 't' // a former owner, or somebody who hijacked a validation
)

// A cert is a certificate, with when it was really issued.
type cert struct {
	who                          actor
	begins, logged, ends, issued int16 // logged: the SCT; none without one
}

const none = int16(-30000)

// issuance is what orders statements; no law may look at it.
func (c cert) issuance() int16 {
	if c.logged != none {
		return c.logged
	}
	return c.begins
}

// A target is who is delegated to; nobody makes a revocation.
type target byte

const nobody target = 0

// A statement is what somebody signed, with when that really was.
type statement struct {
	cert            cert
	issued, expires seconds
	to              target // 'A' and 'B' are providers, 'E' is the thief's host
	second          bool   // for the second label of the role, as the first edition allowed
	by              actor
	signed          int16
}

// A lab turns the things of a world into real ones and runs the real code on
// them. It remembers what the code said: the same question comes up in many
// worlds.
type lab struct {
	t     testing.TB
	roots *x509.CertPool
	ca    *localca.Authority
	key   crypto.Signer
	peers map[target][]*x509.Certificate

	certs      []cert // by id; 0 is none
	signers    map[cert]*keys.Signer
	statements []statement // by id; 0 is none
	ids        map[statement]uint16
	records    []string // by id of the statement
	floors     []delegation.Floor
	floorIDs   map[delegation.Floor]uint16
	decisions  []decision // by id; 0 is none
	decisionID map[decision]uint16
	proofs     []*association.Association // by id of the decision
	looks      map[question]look
	accepted   map[connection]bool
}

// A decision proves that a statement delegates to its target until an end.
type decision struct {
	statement uint16
	until     time.Time
}

func newLab(t testing.TB) *lab {
	t.Helper()
	root, err := localca.New("Root", start)
	if err != nil {
		t.Fatal(err)
	}
	key, err := localca.NewKey("P-256")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{
		t: t, ca: root, roots: root.Pool(), key: key, peers: map[target][]*x509.Certificate{},
		certs: make([]cert, 1), signers: map[cert]*keys.Signer{}, statements: make([]statement, 1), ids: map[statement]uint16{}, records: make([]string, 1),
		floors: make([]delegation.Floor, 1), floorIDs: map[delegation.Floor]uint16{{}: 0},
		decisions: make([]decision, 1), decisionID: map[decision]uint16{}, proofs: make([]*association.Association, 1),
		looks: map[question]look{}, accepted: map[connection]bool{},
	}
	for _, to := range []target{'A', 'B', 'E'} {
		signer, err := root.IssueFor(key, []string{host(to)}, at(-1000), at(1000), nil)
		if err != nil {
			t.Fatal(err)
		}
		l.peers[to] = signer.Chain()
	}
	return l
}

func host(to target) string {
	return "xmpp." + map[target]string{'A': "a", 'B': "b", 'E': "evil"}[to] + ".example"
}

func targets(to target) []delegation.Target {
	if to == nobody {
		return nil
	}
	return []delegation.Target{{Endpoint: delegation.Endpoint{Host: host(to), Port: 5269}}}
}

// cert gives the id of a certificate.
func (l *lab) cert(c cert) uint8 {
	i := slices.Index(l.certs, c)
	if i < 0 {
		i = len(l.certs)
		l.certs = append(l.certs, c)
	}
	return uint8(i)
}

// certsOf are the certificates that exist in a world, in the order of issue.
func (l *lab) certsOf(w *world) []cert {
	var list []cert
	for _, id := range w.certs {
		if id != 0 {
			list = append(list, l.certs[id])
		}
	}
	return list
}

// signer makes the certificate. All have one key, which makes no difference to
// anybody.
func (l *lab) signer(c cert) *keys.Signer {
	if s := l.signers[c]; s != nil {
		return s
	}
	s, err := l.ca.IssueFor(l.key, []string{source}, at(c.begins), at(c.ends), func(x *x509.Certificate) {
		if c.logged != none {
			x.ExtraExtensions = []pkix.Extension{sct.Extension(sct.V1(uint64(at(c.logged).UnixMilli())))}
		}
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.signers[c] = s
	return s
}

// id signs a statement, with the code that owners use where it does. It gives 0
// for one that no signer would make.
func (l *lab) id(s statement) uint16 {
	if id, ok := l.ids[s]; ok {
		return id
	}
	n := len(l.statements)
	signed := delegation.Statement{
		Source: source, Service: service, Targets: targets(s.to), Issued: s.issued.time(), Expires: s.expires.time(),
		ID: delegation.ID{1, 14: byte(n >> 8), 15: byte(n)},
	}
	raw, err := l.sign(signed, s)
	if err != nil {
		l.ids[s] = 0
		return 0
	}
	l.ids[s] = uint16(n)
	l.statements = append(l.statements, s)
	l.records = append(l.records, delegation.JWS.TXTRecord(raw))
	return uint16(n)
}

// floor gives the id of a floor.
func (l *lab) floor(f delegation.Floor) uint16 {
	id, ok := l.floorIDs[f]
	if !ok {
		id = uint16(len(l.floors))
		l.floors = append(l.floors, f)
		l.floorIDs[f] = id
	}
	return id
}

func (l *lab) join(a, b uint16) uint16 {
	if a == b || b == 0 {
		return a
	}
	return l.floor(l.floors[a].Join(l.floors[b]))
}

// below reports whether floor a stands below b.
func (l *lab) below(a, b uint16) bool { return l.floors[a].Order.Compare(l.floors[b].Order) < 0 }

// A question is what a verifier asks itself: statements that it was shown, the
// time, and what it remembers.
type question struct {
	shown [2]uint16
	t     int16
	floor uint16
}

// A look is what the verifier concludes.
type look struct {
	reason    reasons.Reason
	decision  uint16 // what is proven, 0 if nothing is
	used      uint16 // the statement that decides, a revocation too
	floor     uint16 // of what was verified, 0 if nothing was
	authentic bool
}

// look runs the verifier.
func (l *lab) look(q question) look {
	if known, ok := l.looks[q]; ok {
		return known
	}
	e := &delegation.Evidence{
		Version: delegation.EvidenceVersion, Source: source, Service: service, Collected: at(q.t),
		TXT: []delegation.TXTAnswer{{Answer: delegation.Answer{Name: delegation.TXTName(source, service), DNSSEC: delegation.Insecure, TTL: 60}}},
	}
	for _, id := range q.shown {
		if id != 0 {
			e.TXT[0].Records = append(e.TXT[0].Records, l.records[id])
		}
	}
	a, err := association.Decide(
		association.Question{Source: source, Service: service, Direction: association.Incoming}, e,
		delegation.Policy{Roots: l.roots, Time: at(q.t), Floor: l.floors[q.floor]},
	)
	if err != nil {
		l.t.Fatal(err)
	}
	found := look{floor: l.floor(a.Floor()), authentic: a.Authentic()}
	for _, p := range a.Proofs() {
		if p.Method == association.Delegation {
			found.reason = p.Reason
		}
	}
	for _, id := range q.shown {
		s := l.statements[id]
		if id != 0 && found.floor != 0 && s.issued.time().Equal(a.Floor().Order.Issued) && delegation.DigestTargets(targets(s.to)) == a.Floor().Targets {
			found.used = id
		}
	}
	if result, err := a.Statement(); err == nil {
		id := result.Proven().Statement.ID
		found.used = uint16(id[14])<<8 | uint16(id[15])
		d := decision{found.used, result.ValidUntil()}
		if found.decision = l.decisionID[d]; found.decision == 0 {
			found.decision = uint16(len(l.decisions))
			l.decisions, l.proofs = append(l.decisions, d), append(l.proofs, a)
			l.decisionID[d] = found.decision
		}
	}
	l.looks[q] = found
	return found
}

// A connection is one that a target makes at a time to a verifier that knows of
// a floor.
type connection struct {
	decision uint16
	to       target
	t        int16
	floor    uint16
}

// accepts runs the check of a peer's certificate.
func (l *lab) accepts(c connection) bool {
	if c.decision == 0 || c.to == nobody {
		return false
	}
	if known, ok := l.accepted[c]; ok {
		return known
	}
	_, err := l.proofs[c.decision].Accept(delegation.Endpoint{}, delegation.PeerPolicy{
		Roots: l.roots,
		Now:   func() time.Time { return at(c.t) },
		Floor: func(string, string) delegation.Floor { return l.floors[c.floor] },
	}, l.peers[c.to])
	l.accepted[c] = err == nil
	return err == nil
}

// passes reports whether a decision is still the newest.
func (l *lab) passes(d, floor uint16) bool {
	return l.proofs[d].Floor().CheckAgainst(l.floors[floor]) == nil
}

// sign signs as the owner's tools do. A statement for the second label is signed
// as the first edition did.
func (l *lab) sign(signed delegation.Statement, s statement) ([]byte, error) {
	signer := l.signer(s.cert)
	if !s.second {
		return delegation.Sign(signed, delegation.JWS, signer)
	}
	raw, err := delegation.Sign(signed, delegation.JWS, signer)
	if err != nil {
		return nil, err
	}
	_, payload, _ := strings.Cut(string(raw), ".")
	payload, _, _ = strings.Cut(payload, ".")
	claims, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, err
	}
	claims = bytes.Replace(claims, []byte(service), []byte(delegation.RoleOf(service).Second), 1)
	algorithm, err := keys.AlgorithmFor(signer.Leaf().PublicKey)
	if err != nil {
		return nil, err
	}
	return jws.Sign(claims, delegation.Type, algorithm, signer)
}

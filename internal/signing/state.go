package signing

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/strictjson"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/internal/wholefile"
)

const (
	// maxState bounds a state file, in octets: 100,000 delegations with all
	// their certificates have about 150 MB.
	maxState = 256 << 20
	// maxCertificates bounds what is kept of one delegation. An owner gets a
	// certificate every one or two months, and verifiers remember for 400 days.
	maxCertificates = 8
	// stateVersion is that of the file.
	stateVersion = 1
	// lockTime bounds how long one process waits for another that writes the
	// file, before it goes on without the lock.
	lockTime = 10 * time.Second
)

// A State remembers what was signed: for each delegation the certificates it was
// signed with and the newest statement. It holds no keys and no statements.
type State struct {
	file   string // "": nothing is remembered
	signed map[subject]*Record
}

type subject struct{ source, service string }

// A Record is what is remembered of one delegation.
type Record struct {
	Source       string        `json:"source"`
	Service      string        `json:"service"`
	Newest       Signed        `json:"newest"`
	Certificates []Certificate `json:"certificates"` // by issuance, the newest first

	added  bool   // since the file was read
	before Signed // the newest statement then
}

// Signed is the newest statement that was signed here.
type Signed struct {
	Order       delegation.Order  `json:"order"`
	Targets     delegation.Digest `json:"targets"`
	ID          string            `json:"id"` // base64url, as jti
	Certificate delegation.Digest `json:"certificate"`
	// Kept says that it renews a revocation that somebody made by hand.
	Kept bool `json:"kept,omitempty"`
	// Expires is its end.
	Expires time.Time `json:"expires,omitzero"`
	// Config is the absolute path of the configuration that it was signed for,
	// empty if it was signed by hand.
	Config string `json:"config,omitempty"`
}

// A Certificate is one that signed here.
type Certificate struct {
	SHA256   delegation.Digest `json:"sha256"`
	Issuance time.Time         `json:"issuance"`
	NotAfter time.Time         `json:"not_after"`
	// Issued is the time of the last statement that it signed. That is not the
	// one of Newest where an older certificate was forced to sign since.
	Issued time.Time `json:"issued"`
}

// StateFile is where the state of what a file says is kept: beside it.
func StateFile(beside string) string { return beside + ".signed.json" }

// File is where it is kept, "" if nothing is remembered.
func (s *State) File() string { return s.file }

// ReadState reads a state file, which need not be there. No name makes a State
// that remembers nothing.
func ReadState(file string) (*State, error) {
	s := &State{file, map[subject]*Record{}}
	if file == "" {
		return s, nil
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return nil, err
	}
	if err := s.parse(data); err != nil {
		return nil, delegation.Errorf(reasons.BadFile, "%s is damaged: %v; it remembers what was signed, so restore it, or remove it if you know that the certificate in use is the newest", file, err)
	}
	return s, nil
}

func (s *State) parse(data []byte) error {
	var doc document
	if len(data) > maxState {
		return fmt.Errorf("it has more than %d octets", maxState)
	}
	if err := strictjson.Decode(data, &doc); err != nil {
		return err
	}
	if doc.Version != stateVersion {
		return fmt.Errorf("it has version %d, not %d", doc.Version, stateVersion)
	}
	for _, r := range doc.Signed {
		if err := r.check(); err != nil {
			return err
		}
		if s.signed[r.subject()] != nil {
			return fmt.Errorf("%s of %s is there twice", r.Service, r.Source)
		}
		s.signed[r.subject()] = &r
	}
	return nil
}

// A document is the whole file.
type document struct {
	Version int      `json:"version"`
	Signed  []Record `json:"signed"`
}

func (r *Record) subject() subject { return subject{r.Source, r.Service} }

func (r *Record) check() error {
	if err := cmp.Or(delegation.CheckName(r.Source), delegation.CheckService(r.Service)); err != nil {
		return err
	}
	id, err := base64.RawURLEncoding.DecodeString(r.Newest.ID)
	if err != nil || len(id) != len(delegation.ID{}) || len(r.Certificates) == 0 {
		return fmt.Errorf("%s of %s: no id, or no certificate", r.Service, r.Source)
	}
	return nil
}

// Of is what is remembered of a delegation, nil if it was never signed here.
func (s *State) Of(source, service string) *Record { return s.signed[subject{source, service}] }

// Earlier is what a new statement must be above.
func (r *Record) Earlier() (list []Earlier) {
	if r == nil {
		return nil
	}
	const here = "signed here"
	list = append(list, Earlier{r.Newest.Order, r.Newest.Certificate, here})
	for _, c := range r.Certificates {
		if c.SHA256 != r.Newest.Certificate {
			list = append(list, Earlier{delegation.Order{Issuance: c.Issuance, Issued: c.Issued}, c.SHA256, here})
		}
	}
	return list
}

// Is reports whether a statement is the newest that was signed here. Both
// encodings of one statement are the same.
func (r *Record) Is(in *delegation.Inspection) bool {
	return r != nil && r.Newest.ID == IDText(in.Statement.ID)
}

// Unpublished reports whether something was signed here that ranks above a
// published statement, or above nothing if there is none.
func (r *Record) Unpublished(published *delegation.Inspection) bool {
	switch {
	case r == nil:
		return false
	case published == nil:
		return true
	}
	return !r.Is(published) && r.Newest.Order.Compare(published.Order()) > 0
}

// IDText is how a statement's id is written.
func IDText(id delegation.ID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// All are all that are remembered, by source and service.
func (s *State) All() []*Record {
	return slices.SortedFunc(maps.Values(s.signed), func(a, b *Record) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Service, b.Service))
	})
}

// Add notes a statement that was signed with a certificate, and returns what is
// remembered now. Call [State.Save] before anybody can see the statement.
func (s *State) Add(in *delegation.Inspection, kept bool) *Record {
	leaf, order := in.Certificates[0], in.Order()
	r := &Record{Source: in.Statement.Source, Service: in.Statement.Service, added: true}
	if known := s.signed[r.subject()]; known != nil {
		r.Certificates, r.before = known.Certificates, known.before
		if !known.added {
			r.before = known.Newest
		}
	}
	r.Newest = Signed{
		Order: order, Targets: delegation.DigestTargets(in.Statement.Targets), ID: IDText(in.Statement.ID), Certificate: Fingerprint(leaf),
		Kept: kept, Expires: in.Statement.Expires.UTC(),
	}
	r.addCertificates(Certificate{Fingerprint(leaf), order.Issuance, leaf.NotAfter.UTC(), order.Issued})
	s.signed[r.subject()] = r
	return r
}

// addCertificates keeps the newest.
func (r *Record) addCertificates(list ...Certificate) {
	all := slices.Clone(r.Certificates)
	for _, c := range list {
		i := slices.IndexFunc(all, func(k Certificate) bool { return k.SHA256 == c.SHA256 })
		switch {
		case i < 0:
			all = append(all, c)
		case c.Issued.After(all[i].Issued):
			all[i] = c // of one that issued itself, its issuance too
		}
	}
	slices.SortStableFunc(all, func(a, b Certificate) int { return b.Issuance.Compare(a.Issuance) })
	r.Certificates = all[:min(len(all), maxCertificates)]
}

// join adds what was signed since the file was read. Somebody else may have
// written a newer statement to it meanwhile. The error, [reasons.Conflict],
// is about one of the same moment with other targets.
func (s *State) join(r *Record) error {
	joined := &Record{Source: r.Source, Service: r.Service, Newest: r.Newest, Certificates: r.Certificates}
	if there := s.signed[r.subject()]; there != nil {
		joined.addCertificates(there.Certificates...)
		if meanwhile := there.Newest; meanwhile != r.before {
			switch c := meanwhile.Order.Compare(r.Newest.Order); {
			case c == 0 && meanwhile.Targets != r.Newest.Targets:
				return delegation.Errorf(reasons.Conflict, "another process signed %s of %s with other targets in the same second, %s; sign again", r.Service, r.Source, text.FineStamp(meanwhile.Order.Issued))
			case c > 0:
				joined.Newest = meanwhile
			}
		}
	}
	s.signed[r.subject()] = joined
	return nil
}

// lock locks the file, which nobody else can read and so lock. Only while it is
// not there yet it is its folder, which others can lock for as long as they like.
// Who waited for the folder while somebody wrote the first file locks that file.
func (s *State) lock(ctx context.Context) (unlock func(), err error) {
	for {
		unlock, _, err = wholefile.LockFile(ctx, s.file, lockTime)
		if !errors.Is(err, fs.ErrNotExist) {
			return unlock, err
		}
		if unlock, _, err = wholefile.LockFor(ctx, filepath.Dir(s.file), lockTime); err != nil {
			return nil, err
		}
		if _, err := os.Stat(s.file); errors.Is(err, fs.ErrNotExist) {
			return unlock, nil
		}
		unlock()
	}
}

// Save writes the file, whole or not at all, for its owner only. What another
// process has written meanwhile stays. The error is [reasons.Conflict] if that
// is a statement of the same second with other targets; then nothing is written.
func (s *State) Save(ctx context.Context) error {
	if s.file == "" {
		return nil
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	there, err := ReadState(s.file)
	if err != nil {
		return err
	}
	for _, r := range s.signed {
		if !r.added {
			continue
		}
		if err := there.join(r); err != nil {
			return err
		}
	}
	s.signed = there.signed
	doc := document{Version: stateVersion}
	for _, r := range s.All() {
		doc.Signed = append(doc.Signed, *r)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	if len(data) > maxState {
		return delegation.Errorf(reasons.BadFile, "%s would have %d octets, at most %d; divide the domains among several configurations", s.file, len(data), maxState)
	}
	return wholefile.Write(s.file, append(data, '\n'), 0o600)
}

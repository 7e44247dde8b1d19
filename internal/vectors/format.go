package vectors

import (
	"encoding/json"
	"time"
)

// A File is all cases of one family.
type File struct {
	Family string          `json:"family"`
	Notes  map[string]Note `json:"notes"` // by flag
	Cases  []Case          `json:"cases"`
}

// A Note explains a flag.
type Note struct {
	Rules  []string `json:"rules"` // of docs/spec.md, such as J2
	About  string   `json:"about"`
	Attack string   `json:"attack"` // what goes wrong with a verifier that does not do this
}

// A Case is one question with everything that belongs to it, and the answer.
// Which members it has depends on the operation: see testvectors/README.md.
type Case struct {
	ID        string   `json:"id"`
	Comment   string   `json:"comment,omitempty"`
	Flags     []string `json:"flags,omitempty"`
	Features  []string `json:"features,omitempty"`
	Operation string   `json:"operation"`

	Query    *Query          `json:"query,omitempty"`
	Question *Question       `json:"question,omitempty"`
	Policy   *Policy         `json:"policy,omitempty"`
	Evidence json.RawMessage `json:"evidence,omitempty"` // section 13.3, and sometimes not quite
	Peer     *Peer           `json:"peer,omitempty"`

	Connection *Connection `json:"connection,omitempty"` // reuse

	Validating *bool   `json:"validating,omitempty"` // dnssec
	Replies    []Reply `json:"replies,omitempty"`

	Good  string `json:"good,omitempty"` // self-test
	Bogus string `json:"bogus,omitempty"`

	Attempts    []string `json:"attempts,omitempty"`
	Unavailable string   `json:"unavailable,omitempty"`

	Address string `json:"address,omitempty"`

	Certificate *string `json:"certificate,omitempty"` // signer-files
	Key         *string `json:"key,omitempty"`
	Mode        string  `json:"mode,omitempty"`

	Expect *Expect `json:"expect,omitempty"`
}

// A Query is what verify is asked.
type Query struct {
	Source  string    `json:"source,omitempty"`
	Service string    `json:"service,omitempty"`
	Target  *Endpoint `json:"target,omitempty"`
}

// An Endpoint is a host and a port.
type Endpoint struct {
	Host string `json:"host"`
	Port uint16 `json:"port"`
}

// A Question is what associate and reuse are asked.
type Question struct {
	Source         string `json:"source,omitempty"`
	Service        string `json:"service,omitempty"`
	Direction      string `json:"direction,omitempty"`
	StatementFirst bool   `json:"statement_first,omitempty"`
}

// A Policy is what the verifier believes and remembers. Time is a text, since
// it may be missing.
type Policy struct {
	Time                  string    `json:"time,omitempty"`
	Roots                 *[][]byte `json:"roots,omitempty"`    // null: none are given, which is not an empty list
	MaxLife               *int64    `json:"max_life,omitempty"` // seconds
	Floor                 *Floor    `json:"floor,omitempty"`    // absent: nothing is remembered
	SignerCheck           string    `json:"signer_check,omitempty"`
	BelieveReplayedDNSSEC bool      `json:"believe_replayed_dnssec,omitempty"`
}

// A Floor is what is remembered of a source and role.
type Floor struct {
	Order       Order     `json:"order"`
	Targets     string    `json:"targets"` // the digest of the targets, hexadecimal
	ValidUntil  time.Time `json:"valid_until"`
	SignerUntil time.Time `json:"signer_until"`
}

// An Order is the place of a statement among others.
type Order struct {
	Issuance time.Time `json:"issuance"` // of the signer's certificate, in milliseconds
	Issued   time.Time `json:"issued"`
}

// Remembered is what an answer says about a floor: one, or, as JSON null, none.
// The zero value says nothing.
type Remembered struct {
	Said  bool
	Floor *Floor
}

// IsZero is for the option omitzero.
func (r Remembered) IsZero() bool { return !r.Said }

// MarshalJSON writes the floor or null.
func (r Remembered) MarshalJSON() ([]byte, error) { return json.Marshal(r.Floor) }

// UnmarshalJSON reads a floor or null.
func (r *Remembered) UnmarshalJSON(data []byte) error {
	r.Said = true
	return json.Unmarshal(data, &r.Floor)
}

// A Peer is what is known of the other end of a connection.
type Peer struct {
	Chain    [][]byte  `json:"chain,omitempty"`
	Roots    [][]byte  `json:"roots"`
	Time     string    `json:"time"`
	Endpoint *Endpoint `json:"endpoint,omitempty"`
	Floor    *Floor    `json:"floor,omitempty"` // what is known at the moment of the connection
	// Endpoints is what DNS says of endpoints.
	Endpoints []EndpointAnswer `json:"endpoints,omitempty"`
}

// A Connection is one that exists.
type Connection struct {
	Service   string    `json:"service"`
	Direction string    `json:"direction"`
	Endpoint  *Endpoint `json:"endpoint,omitempty"`
	Chain     [][]byte  `json:"chain"`
	OpenedFor OpenedFor `json:"opened_for"`
}

// OpenedFor is the decision by which a connection was opened.
type OpenedFor struct {
	Source   string          `json:"source"`
	Evidence json.RawMessage `json:"evidence"`
}

// A Reply is what a resolver said.
type Reply struct {
	Rcode   string   `json:"rcode"`
	AD      bool     `json:"ad"`
	EDE     []uint16 `json:"ede,omitempty"`
	CDRcode string   `json:"cd_rcode,omitempty"`
}

// An Expect is the answer. Outcome and Reason are always there.
type Expect struct {
	Outcome    string            `json:"outcome"`
	Reason     string            `json:"reason"`
	Targets    []string          `json:"targets,omitempty"`
	Dial       any               `json:"dial,omitempty"` // []string of verify, []Dial of associate
	Expires    *time.Time        `json:"expires,omitempty"`
	RefreshAt  *time.Time        `json:"refresh_at,omitempty"`
	Floor      Remembered        `json:"floor,omitzero"`
	Methods    map[string]string `json:"methods,omitempty"`
	References []string          `json:"references,omitempty"`
	Required   *bool             `json:"required,omitempty"`
	Accepted   *Accepted         `json:"accepted,omitempty"`
	State      string            `json:"state,omitempty"`
}

// A Dial is somewhere to connect to.
type Dial struct {
	Endpoint
	ServerName string `json:"server_name"`
	Start      string `json:"start"` // starttls, direct, or "": nobody connects
}

// Accepted says by what right a peer counts.
type Accepted struct {
	Name   string    `json:"name"`
	Method string    `json:"method"`
	Until  time.Time `json:"until"`
	// TLSA are the numbers of the record that was used, such as 3 1 1.
	TLSA string `json:"tlsa,omitempty"`
}

package delegation

import "fmt"

// A TLSARecord is one TLSA record (RFC 6698, Section 2.1), with the numbers of
// RFC 7218. A record may have any numbers and any data.
type TLSARecord struct {
	Usage    uint8  `json:"usage"`    // 3 is DANE-EE
	Selector uint8  `json:"selector"` // 1 is SPKI
	Matching uint8  `json:"matching"` // 1 is SHA2-256
	Data     []byte `json:"data"`     // certificate association data
}

// Numbers are those of usage, selector and matching type, such as 3 1 1.
func (r TLSARecord) Numbers() string {
	return fmt.Sprintf("%d %d %d", r.Usage, r.Selector, r.Matching)
}

// String is the record as zone files have it (RFC 6698, Section 2.2).
func (r TLSARecord) String() string { return fmt.Sprintf("%s %x", r.Numbers(), r.Data) }

// A TLSAAnswer is the answer to one TLSA question, CNAME records followed.
type TLSAAnswer struct {
	Answer
	// Alias says that the name is an alias (CNAME or DNAME).
	Alias bool `json:"alias,omitempty"`
	// Wildcard says that the records come from a wildcard (RFC 4035, Section 5.3.4).
	Wildcard bool         `json:"wildcard,omitempty"`
	Records  []TLSARecord `json:"records"`
}

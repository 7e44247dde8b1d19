package vectors

import "time"

// An evidence is section 13.3 of the specification.
type evidence struct {
	Version   int         `json:"version"`
	Source    string      `json:"source"`
	Service   string      `json:"service"`
	Collected time.Time   `json:"collected"`
	SRV       []srvAnswer `json:"srv"`
	TXT       []txtAnswer `json:"txt"`
	Documents []document  `json:"documents"`

	POSH    []document        `json:"posh,omitempty"`
	Streams []streamStatement `json:"streams,omitempty"`
	Signers []tlsaAnswer      `json:"signers,omitempty"`
}

type failure struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// An answer is what DNS says of a name. Only a TLSA answer has an alias or a wildcard.
type answer[R any] struct {
	Name     string   `json:"name"`
	Resolver string   `json:"resolver,omitempty"`
	DNSSEC   string   `json:"dnssec"`
	TTL      uint32   `json:"ttl"`
	Alias    bool     `json:"alias,omitempty"`
	Wildcard bool     `json:"wildcard,omitempty"`
	Failure  *failure `json:"failure,omitempty"`
	Records  []R      `json:"records,omitzero"`
}

type (
	srvAnswer  = answer[srvRecord]
	txtAnswer  = answer[string]
	tlsaAnswer = answer[tlsaRecord]
)

type srvRecord struct {
	Priority uint16 `json:"priority"`
	Weight   uint16 `json:"weight"`
	Port     uint16 `json:"port"`
	Target   string `json:"target"`
}

type tlsaRecord struct {
	Usage    int    `json:"usage"`
	Selector int    `json:"selector"`
	Matching int    `json:"matching"`
	Data     []byte `json:"data"`
}

type document struct {
	URL       string   `json:"url,omitempty"`
	File      string   `json:"file,omitempty"`
	Status    int      `json:"status,omitempty"`
	MediaType string   `json:"media_type,omitempty"`
	MaxAge    *int64   `json:"max_age,omitempty"`
	NoAddress bool     `json:"no_address,omitempty"`
	NoServer  bool     `json:"no_server,omitempty"`
	Body      []byte   `json:"body,omitempty"`
	Failure   *failure `json:"failure,omitempty"`
}

// A streamStatement is what a peer brought in its XMPP stream.
type streamStatement struct {
	Encoding string `json:"encoding"`
	Body     []byte `json:"body"`
}

// The states of D1.
const (
	secure        = "secure"
	insecure      = "insecure"
	bogus         = "bogus"
	indeterminate = "indeterminate"
)

const ttl = 3600 // seconds, of every answer and document of the usual case

// Where statements are.
func txtName(service string) string    { return service + "._dna." + source }
func signerName(service string) string { return "_signer." + txtName(service) }
func srvName(service string) string    { return service + "." + source }
func documentURL(service, encoding string) string {
	return "https://" + source + "/.well-known/dna/" + service + suffixes[encoding]
}

const (
	jwsEncoding = "jws"
	acEncoding  = "ac"
)

var (
	suffixes   = map[string]string{jwsEncoding: ".jws", acEncoding: ".p7c"}
	mediaTypes = map[string]string{jwsEncoding: "application/dna+jwt", acEncoding: "application/pkcs7-mime"}
)

func txtAt(service string, records ...string) txtAnswer {
	return txtAnswer{Name: txtName(service), DNSSEC: insecure, TTL: ttl, Records: append([]string{}, records...)}
}

func srvAt(service, state string, records ...srvRecord) srvAnswer {
	return srvAnswer{Name: srvName(service), DNSSEC: state, TTL: ttl, Records: append([]srvRecord{}, records...)}
}

// srvFailed is an SRV look-up that failed.
func srvFailed(service, reason string) srvAnswer {
	return srvAnswer{Name: srvName(service), DNSSEC: indeterminate, Failure: &failure{reason, "it did not work"}}
}

func documentAt(service, encoding string, body []byte) document {
	age := int64(ttl)
	return document{URL: documentURL(service, encoding), Status: 200, MediaType: mediaTypes[encoding], MaxAge: &age, Body: body}
}

// nothingAt is what a web server says that does not have the document.
func nothingAt(encoding string) document {
	return document{URL: documentURL(service, encoding), Status: 404}
}

// to is an SRV record.
func to(host string, port uint16) srvRecord {
	return srvRecord{Priority: 1, Weight: 2, Port: port, Target: host}
}

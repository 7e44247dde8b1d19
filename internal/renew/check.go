package renew

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/signing"
	words "github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/internal/wholefile"
	"github.com/dnasign/dnasign/keys"
)

// The kinds of check.
const (
	checkCertificate = "certificate" // it signs, and others would trust that
	checkSigners     = "signers"     // the zone names the key, where it names any or must
	checkMemory      = "memory"      // what is signed can be remembered
	checkKey         = "key"         // the server would make an update with it
	checkCommand     = "command"     // the program says that it could change the records
	checkSize        = "size"        // the record is not larger than the DNS provider takes
	checkServers     = "servers"     // the name servers that must show the statement answer
	checkWebRoot     = "web-root"    // it can be written to
	checkFolder      = "folder"      // the same of files that somebody carries further
	checkWebServer   = "web-server"  // it answers where others look for the statement
	checkResolver    = "resolver"    // it answers, and the SRV records fit the targets
)

// A CheckReport is what a run would meet that had something to do. Nothing is
// changed to find out. Its JSON form is described in docs/renew.md.
type CheckReport struct {
	Version int             `json:"version"`
	Config  string          `json:"config"`
	Outcome reasons.Outcome `json:"outcome"` // the worst
	Checks  []CheckResult   `json:"checks"`
}

// A CheckResult is one check.
type CheckResult struct {
	Check   string          `json:"check"`
	Of      string          `json:"of"` // what was checked: a domain, a record, a folder
	Outcome reasons.Outcome `json:"outcome"`
	Detail  string          `json:"detail,omitempty"` // if all is well
	Problem *Trouble        `json:"problem,omitempty"`
}

// A checker runs the checks of a configuration.
type checker struct {
	*Runner
	places *places
	signed []map[delegation.Encoding][]byte // by delegation; nil if it cannot be signed
	signer []*keys.Signer                   // the same
}

// Check tries everything that a run needs: certificates and keys, web roots,
// name servers and the resolver. It tries the TSIG keys with an update that
// changes nothing. So a mistake shows on the day it is made, and not when
// something is due.
func (r *Runner) Check(ctx context.Context) *CheckReport {
	n := len(r.Config.Delegations)
	c := &checker{r, newPlaces(r), make([]map[delegation.Encoding][]byte, n), make([]*keys.Signer, n)}
	report := &CheckReport{Version: ReportVersion, Config: r.Config.File, Outcome: reasons.OutcomeVerified}
	report.Checks = append(c.certificates(), c.memory()...)
	parts := make([][]CheckResult, n)
	seen := map[string]bool{}
	var once [][]PlaceConfig // of each delegation, what no other one has
	for _, d := range r.Config.Delegations {
		once = append(once, slices.DeleteFunc(slices.Clone(d.Publish), func(p PlaceConfig) bool {
			folder := p.folder(d.Service)
			again := folder != "" && seen[folder]
			seen[folder] = true
			return again
		}))
	}
	some(n, func(i int) {
		d := &r.Config.Delegations[i]
		for _, p := range once[i] {
			parts[i] = append(parts[i], c.place(ctx, d, p, c.signed[i])...)
		}
		parts[i] = append(parts[i], c.found(ctx, i)...)
	})
	report.Checks = append(report.Checks, slices.Concat(parts...)...)
	for _, one := range report.Checks {
		report.Outcome = worse(report.Outcome, one.Outcome)
	}
	return report
}

// folder is where files are put, "" for DNS.
func (p PlaceConfig) folder(service string) string {
	switch {
	case p.Webroot != "":
		return p.Webroot
	case p.Pattern != "":
		return filepath.Dir(p.file(service, delegation.JWS))
	}
	return ""
}

func result(check, of, detail string, err error) CheckResult {
	one := CheckResult{Check: check, Of: of, Outcome: reasons.OutcomeVerified, Detail: detail}
	if err != nil {
		one.Problem = trouble(err)
		one.Outcome, one.Detail = one.Problem.Outcome, ""
	}
	return one
}

// certificates signs a statement for each delegation and throws it away. A
// certificate that is good for all services of a domain is told of once.
func (c *checker) certificates() (list []CheckResult) {
	signers := newSigners(c.loader(), c.Config.Delegations)
	for i := range c.Config.Delegations {
		d := &c.Config.Delegations[i]
		signer, warnings, err := signers.take(d)
		of, detail := d.Source, ""
		if err == nil {
			detail = fmt.Sprintf("%s, valid until %s", d.Cert, words.Stamp(signer.Leaf().NotAfter))
			if len(warnings) > 0 {
				detail += "; " + strings.Join(warnings, "; ")
			}
			if c.signed[i], err = c.sign(d, signer); err == nil {
				c.signer[i] = signer
			}
		}
		if err != nil {
			of = d.String()
		}
		one := result(checkCertificate, of, detail, err)
		if !slices.ContainsFunc(list, func(o CheckResult) bool { return o.Problem == nil && o.Of == one.Of && o.Detail == one.Detail }) {
			list = append(list, one)
		}
	}
	return list
}

// sign makes a statement as a run would make it now, and holds it to the owner's
// trust anchors.
func (c *checker) sign(d *Delegation, signer *keys.Signer) (map[delegation.Encoding][]byte, error) {
	issued, _, err := signing.Moment(signer.Leaf(), c.now(), c.record(d.Source, d.Service).Earlier(), c.Force)
	if err != nil {
		return nil, err
	}
	expires, _ := signing.Expires(issued, lifeOf(d, d.Targets), signer.Leaf())
	s := delegation.Statement{Source: d.Source, Service: d.Service, Targets: d.Targets, Issued: issued, Expires: expires}
	raw, err := signing.Sign(&s, d.Formats, signer)
	if err != nil {
		return nil, err
	}
	if signing.IssuedItself(signer.Leaf()) {
		return raw, nil // others look whether the zone names its key: see found
	}
	q := delegation.Query{Source: d.Source, Service: d.Service}
	for _, e := range d.Formats {
		if err := c.accepts(d, q.FileEvidence("the statement", raw[e])); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// accepts returns nil if a stranger would accept the statement in the evidence,
// which may be a revocation.
func (c *checker) accepts(d *Delegation, e *delegation.Evidence) error {
	_, err := delegation.Verify(delegation.Query{Source: d.Source, Service: d.Service}, e, c.policy(d))
	if delegation.ReasonOf(err) == reasons.Revoked && len(d.Targets) == 0 {
		return nil
	}
	return err
}

// memory sees whether what is signed can be remembered.
func (c *checker) memory() []CheckResult {
	if c.State == nil || c.State.File() == "" {
		return nil
	}
	file := c.State.File()
	return []CheckResult{result(checkMemory, file, "can be written", writable(filepath.Dir(file), "."))}
}

// writable returns nil if files can be made in a folder below another one, or the
// folder itself if it is not there.
func writable(folder, name string) error {
	root, err := wholefile.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	return wholefile.Writable(root, name)
}

// place checks one place of a delegation.
func (c *checker) place(ctx context.Context, d *Delegation, p PlaceConfig, signed map[delegation.Encoding][]byte) []CheckResult {
	if p.DNS == nil {
		dir, err := c.places.files(p, d).Writable(delegation.JWS)
		if p.Webroot != "" {
			return []CheckResult{result(checkWebRoot, p.Webroot, dir+" can be written to", err)}
		}
		return []CheckResult{result(checkFolder, dir, "can be written to", err)}
	}
	of := "TXT " + delegation.TXTName(d.Source, d.Service)
	records, err := c.places.records(p, d, 0)
	if err != nil {
		return []CheckResult{result(checkKey, of, "", err)}
	}
	leave := c.places.enter(p)
	change, err := records.Try(ctx)
	leave()
	if p.DNS.Command != nil {
		command := result(checkCommand, of, fmt.Sprintf("%s says that it could change %s", change.Where, strings.TrimSuffix(change.Name, ".")), err)
		hintAtCommand(command.Problem)
		return append([]CheckResult{command}, c.servers(ctx, records, of, signed)...)
	}
	detail := ""
	if err == nil {
		detail = fmt.Sprintf("%s would let %s change it", change.Where, c.places.key(p.DNS.TSIG).key)
		if name := strings.TrimSuffix(change.Name, "."); "TXT "+name != of {
			detail = fmt.Sprintf("it is an alias, and %s would let %s change TXT %s", change.Where, c.places.key(p.DNS.TSIG).key, name)
		}
	}
	key := result(checkKey, of, detail, err)
	c.hintAtKey(key.Problem, d)
	return append([]CheckResult{key}, c.servers(ctx, records, of, signed)...)
}

// hintAtKey says what to do when a key may not change the record of a service.
func (r *Runner) hintAtKey(t *Trouble, d *Delegation) {
	instead := fmt.Sprintf(", or, if nobody is to run %s, take it out of %s", d, r.Config.File)
	switch {
	case t == nil:
	case t.Reason == reasons.UpdateRefused:
		t.Hint = "let the key change this record at the server (\"dnasign publish dns --help\" has the lines)" + instead
	case t.Reason == reasons.TSIGRejected:
		t.Hint += "; if they are right, the key may not change this record: let it" + instead
	}
}

// hintAtCommand says what to do when a program has not changed the records.
func hintAtCommand(t *Trouble) {
	if t != nil && t.Reason == reasons.UpdateFailed {
		t.Hint = "call the program by hand, as docs/publish.md says; the next run tries again"
	}
}

// servers sees whether the name servers that must show a statement answer, and
// whether the DNS provider is known to take no record of that size.
func (c *checker) servers(ctx context.Context, records zonePlace, of string, signed map[delegation.Encoding][]byte) []CheckResult {
	views, err := records.Current(ctx)
	var good []string
	for _, v := range views {
		if err = errors.Join(err, v.Err); v.Err == nil {
			good = append(good, v.Where)
		}
	}
	list := []CheckResult{result(checkServers, of, strings.Join(good, ", ")+" can be asked", err)}
	for _, note := range tooLarge(views, signed) {
		list = append(list, result(checkSize, of, "", delegation.Errorf(reasons.UpdateTooLarge, "%s", note)))
	}
	return list
}

// found looks the way others do, as far as it may before a statement is
// published. It must not ask the resolver for a record that is still to come.
func (c *checker) found(ctx context.Context, i int) (list []CheckResult) {
	d := &c.Config.Delegations[i]
	client := c.Client
	client.Via = discovery.ViaDNS
	e, err := client.GatherSRV(ctx, d.Source, d.Service)
	detail := ""
	if err == nil {
		detail, err = srv(e)
	}
	if raw := c.signed[i]; err == nil && raw != nil {
		q := delegation.Query{Source: d.Source, Service: d.Service}
		e.Documents = q.FileEvidence("the statement", raw[d.Formats[0]]).Documents
		n := c.keysOf(ctx, d, c.signer[i].Leaf())
		if n.own {
			e = n.validated(e)
		}
		list = append(list, c.named(d, n)...)
		err = c.accepts(d, e)
	}
	list = append(list, result(checkResolver, "SRV "+d.Service+"."+d.Source, detail, err))
	if !slices.Contains(d.ways(), viaHTTPS) {
		return list
	}
	client.Via = discovery.ViaHTTPS
	all, err := client.Gather(ctx, d.Source, d.Service, nil)
	if err != nil {
		return append(list, result(checkWebServer, "https://"+d.Source, "", err))
	}
	for _, doc := range all.Documents {
		for _, f := range d.Formats {
			if doc.URL == delegation.DocumentURL(d.Source, d.Service, f) {
				detail, err := answered(doc)
				list = append(list, result(checkWebServer, doc.URL, detail, err))
			}
		}
	}
	return list
}

// named tells whether the zone names the key, if it names any or must.
func (c *checker) named(d *Delegation, n named) []CheckResult {
	if n.err == nil && n.note == "" && len(n.answer.Keys()) == 0 {
		return nil
	}
	detail := "it names the key"
	if n.note != "" {
		detail = n.note
	}
	return []CheckResult{result(checkSigners, "TLSA "+delegation.SignerName(d.Source, d.Service), detail, n.err)}
}

func srv(e *delegation.Evidence) (string, error) {
	var hosts []string
	for _, a := range e.SRV {
		if a.Failure != nil {
			return "", delegation.Errorf(a.Failure.Reason, "%s: %s", a.Name, a.Failure.Detail)
		}
		for _, r := range a.Records {
			hosts = append(hosts, fmt.Sprintf("%s:%d", r.Target, r.Port))
		}
	}
	if len(hosts) == 0 {
		return "it answers, and there are no SRV records", nil
	}
	return "it leads to " + strings.Join(hosts, ", "), nil
}

// answered tells what a web server said. That there is nothing yet is no fault.
func answered(doc delegation.Document) (string, error) {
	switch {
	case doc.Failure != nil:
		return "", delegation.Errorf(doc.Failure.Reason, "%s", doc.Failure.Detail)
	case doc.NoAddress:
		return "", delegation.Errorf(reasons.HTTPSFailure, "the host has no address")
	case doc.Status == http.StatusOK:
		return "it answers, as " + doc.MediaType, nil
	case doc.Status == http.StatusNotFound, doc.Status == http.StatusGone:
		return "it answers, and has nothing there", nil
	}
	return "", delegation.Errorf(reasons.HTTPSFailure, "it answers with status %d", doc.Status)
}

// WriteText tells a person: a line for each check, and the sum.
func (r *CheckReport) WriteText(w io.Writer) error {
	var b strings.Builder
	counts := map[reasons.Outcome]int{}
	for _, one := range r.Checks {
		counts[one.Outcome]++
		if one.Problem == nil {
			fmt.Fprintf(&b, "%-12s  %-11s  %s: %s\n", "ok", one.Check, one.Of, one.Detail)
			continue
		}
		fmt.Fprintf(&b, "%-12s  %-11s  %s\n", one.Outcome, one.Check, one.Of)
		one.Problem.text(&b)
	}
	fmt.Fprintf(&b, "%d checks, %d refused, %d to be tried again; nothing was changed\n",
		len(r.Checks), counts[reasons.OutcomeRefused], counts[reasons.OutcomeUndetermined])
	_, err := io.WriteString(w, b.String())
	return err
}

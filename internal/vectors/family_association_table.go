package vectors

import (
	"slices"
	"strings"
	"time"
)

// decisions is the table of section 12 worked out by hand. Every line holds for
// all combinations of its first four columns.
//
// X and W are the SRV entries; the matching statement lists X and Y, the foreign
// one Z, those that contradict each other X and Z. Small letters are the same hosts on any port. B is the source on its
// default port. ! is the reason that the SRV look-up ended with.
const decisions = `
secure                         | out | no yes | matching | X W        | not-used        | X W  | yes
secure                         | out | no     | foreign  | X W        | conflict        | X W  | yes
secure                         | out | no     | revoked  | X W        | not-used        | X W  | yes
secure                         | out | no     | none     | X W        | not-used        | X W  | no
secure                         | out | no     | failed   | X W        | not-used        | X W  | no
secure                         | out | no     | expired  | X W        | not-used        | X W  | no
secure                         | in  | no     | matching | x w        | not-used        | -    | yes
secure                         | in  | no     | foreign  | x w        | conflict        | -    | yes
secure                         | in  | no     | revoked  | x w        | not-used        | -    | yes
secure                         | in  | no     | none     | x w        | not-used        | -    | no
unavailable-securely           | out | no yes | matching | !          | not-used        | !    | yes
unavailable-securely           | out | no     | none     | !          | not-used        | !    | no
unavailable-securely           | in  | no     | matching | !          | not-used        | -    | yes
insecure                       | out | no     | matching | not-secure | X               | X    | yes
insecure                       | out | no     | foreign  | not-secure | target-mismatch | X W  | yes
insecure                       | out | yes    | matching | not-secure | X Y             | X Y  | yes
insecure                       | out | yes    | foreign  | not-secure | Z               | Z    | yes
insecure                       | out | no yes | revoked  | not-secure | revoked         | X W  | yes
insecure                       | out | no     | contradicting | not-secure | conflict   | X W  | yes
insecure                       | out | no     | none     | not-secure | no-statement    | X W  | no
insecure                       | out | no     | failed   | not-secure | dns-failure     | X W  | no
insecure                       | out | no     | expired  | not-secure | expired         | X W  | no
unavailable                    | out | no     | matching | not-secure | !               | !    | yes
unavailable                    | out | yes    | matching | not-secure | X Y             | X Y  | yes
unavailable                    | out | yes    | revoked  | not-secure | revoked         | !    | yes
unavailable                    | out | no     | none     | not-secure | no-statement    | !    | no
absent absent-securely unasked | out | no     | matching | not-secure | X Y             | X Y  | yes
absent absent-securely unasked | out | no     | revoked  | not-secure | revoked         | B    | yes
absent                         | out | yes    | foreign  | not-secure | Z               | Z    | yes
absent                         | out | no     | none     | not-secure | no-statement    | B    | no
absent                         | out | no     | contradicting | not-secure | conflict   | B    | yes
absent                         | out | no     | failed   | not-secure | dns-failure     | B    | no
absent                         | out | no     | expired  | not-secure | expired         | B    | no
insecure unavailable absent absent-securely unasked | in | no | matching | not-secure | x y | - | yes
insecure                       | in  | no     | foreign  | not-secure | z               | -    | yes
insecure                       | in  | no     | revoked  | not-secure | revoked         | -    | yes
insecure                       | in  | no     | contradicting | not-secure | conflict   | -    | yes
insecure                       | in  | no     | none     | not-secure | no-statement    | -    | no
insecure                       | in  | no     | failed   | not-secure | dns-failure     | -    | no
absent                         | in  | no     | expired  | not-secure | expired         | -    | no
bogus timeout too-many         | out | no     | matching | !          | !               | !    | yes
bogus timeout too-many         | out | yes    | matching | !          | X Y             | X Y  | yes
bogus                          | out | no     | foreign  | !          | !               | !    | yes
bogus                          | out | yes    | foreign  | !          | Z               | Z    | yes
bogus                          | out | yes    | revoked  | !          | revoked         | !    | yes
bogus                          | out | yes    | none     | !          | no-statement    | !    | no
bogus                          | out | no     | failed   | !          | dns-failure     | !    | no
bogus timeout too-many         | in  | no     | matching | !          | x y             | -    | yes
bogus                          | in  | no     | foreign  | !          | z               | -    | yes
bogus                          | in  | no     | revoked  | !          | revoked         | -    | yes
bogus                          | in  | no     | none     | !          | no-statement    | -    | no
`

var letters = map[string]Endpoint{
	"X": {host, 5269}, "Y": {"backup.hosting.example", 5270}, "Z": {elsewhere, 5269},
	"W": {"second.hosting.example", 5269}, "B": {source, 5269},
}

// lookups are what a look-up of SRV records comes to, and the reason.
var lookups = map[string]struct {
	answers []srvAnswer
	reason  string
}{
	"secure":               {[]srvAnswer{srvAt(service, secure, entries("X", "W")...)}, ""},
	"insecure":             {[]srvAnswer{srvAt(service, insecure, entries("X", "W")...)}, ""},
	"absent":               {[]srvAnswer{srvAt(service, insecure)}, ""},
	"absent-securely":      {[]srvAnswer{srvAt(service, secure)}, ""},
	"unasked":              {[]srvAnswer{}, ""},
	"bogus":                {[]srvAnswer{srvAt(service, bogus)}, "dns-bogus"},
	"timeout":              {[]srvAnswer{srvFailed(service, "dns-timeout")}, "dns-timeout"},
	"too-many":             {[]srvAnswer{srvAt(service, insecure, slices.Repeat(entries("X"), 33)...)}, "too-many-records"},
	"unavailable":          {[]srvAnswer{srvAt(service, insecure, to(".", 0))}, "service-not-available"},
	"unavailable-securely": {[]srvAnswer{srvAt(service, secure, to(".", 0))}, "service-not-available"},
}

func entries(letter ...string) []srvRecord {
	var list []srvRecord
	for _, l := range letter {
		list = append(list, to(letters[l].Host, letters[l].Port))
	}
	return list
}

// statements are what a look-up of statements comes to.
var statements = map[string]step{
	"matching": delegatesTo(targetAt(host, 5269), targetAt("backup.hosting.example", 5270)),
	"foreign":  delegatesTo(targetAt(elsewhere, 5269)),
	"revoked":  says(revokes),
	// Of the same order, with other targets.
	"contradicting": all(delegatesTo(targetAt(host, 5269)), beside(delegatesTo(targetAt(elsewhere, 5269)))),
	"expired":       says(func(s *statement) { s.issued, s.expires = now.Add(-5*day), now }),
	"none":          all(place(nowhere), has(func(e *evidence) { e.TXT = append(e.TXT, txtAt(service)) })),
	"failed": has(func(e *evidence) {
		e.TXT[0] = txtAnswer{Name: txtName(service), DNSSEC: indeterminate, Failure: &failure{"dns-failure", "SERVFAIL"}}
	}),
}

// decisionTable has every combination of every line as a case.
func (b *book) decisionTable() {
	for line := range strings.Lines(strings.TrimSpace(decisions)) {
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		for _, kind := range strings.Fields(cells[0]) {
			for _, statementFirst := range strings.Fields(cells[2]) {
				b.decision(kind, cells[1], statementFirst, cells[3], cells[4], cells[5], cells[6], cells[7])
			}
		}
	}
}

func (b *book) decision(kind, direction, statementFirst, found, dnssec, delegation, dial, required string) {
	lookup := lookups[kind]
	if dnssec == "!" {
		dnssec = lookup.reason
	}
	if delegation == "!" {
		delegation = lookup.reason
	}
	d := b.deal(on(believes, statements[found], hasSRV(lookup.answers...)))
	flags, id := "table dial required", "table-"+kind+"-"+direction+"-"+found
	comment := "SRV " + kind + ", " + direction + "going, the statement: " + found
	if direction == "in" {
		incoming(d)
		flags, comment = "table required", "SRV "+kind+", incoming, the statement: "+found
	}
	if statementFirst == "yes" {
		first(d)
		id, comment = id+"-first", comment+", which comes first"
	}

	e := ending("verified")
	e.Methods = map[string]string{"pkix": "verified"}
	e.References = []string{source}
	for method, cell := range map[string]string{"dnssec": dnssec, "delegation": delegation} {
		if names, given := hostsOf(cell); given {
			cell = "verified"
			e.References = append(e.References, names...)
		}
		e.Methods[method] = cell
	}
	slices.Sort(e.References)
	e.References = slices.Compact(e.References)
	yes := required == "yes"
	e.Required = &yes
	if kind != "unavailable-securely" { // a denial has no TTL of records
		wait := 5 * time.Minute
		if kind == "secure" || e.Methods["delegation"] == "verified" {
			wait = hour
		}
		at := now.Add(wait)
		e.RefreshAt = &at
	}
	switch {
	case dial == "!":
		*e = Expect{
			Outcome: ending(lookup.reason).Outcome, Reason: lookup.reason,
			Methods: e.Methods, References: e.References, Required: e.Required, RefreshAt: e.RefreshAt,
		}
	case dial != "-":
		var list []Dial
		for _, letter := range strings.Fields(dial) {
			to := letters[letter]
			name := source
			if e.Methods["delegation"] == "verified" {
				name = to.Host
			}
			list = append(list, Dial{to, name, "starttls"})
		}
		e.Dial = dialled(list...).Dial
	}
	b.add(b.file.Family+"-"+id, flags, comment, d.build(), e)
}

// hostsOf reads a cell of letters; given is false for one that is a reason.
func hostsOf(cell string) (names []string, given bool) {
	for _, letter := range strings.Fields(cell) {
		to, ok := letters[strings.ToUpper(letter)]
		if !ok {
			return nil, false
		}
		names = append(names, to.Host)
	}
	return names, true
}

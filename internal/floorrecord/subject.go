package floorrecord

import (
	"fmt"
	"strings"

	"github.com/dnasign/dnasign/delegation"
)

// A Subject is what a floor is about.
type Subject struct{ Source, Service string }

// About makes the subject of a source and a service. It checks neither.
func About(source, service string) Subject { return Subject{source, service} }

func (s Subject) String() string { return delegation.SRVName(s.Source, s.Service) }

// Check refuses what no statement is about.
func (s Subject) Check() error {
	if err := delegation.CheckName(s.Source); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if err := delegation.CheckService(s.Service); err != nil {
		return err
	}
	if role := delegation.RoleOf(s.Service); role.Service != s.Service {
		return fmt.Errorf("%s is not a role, but %s is", s.Service, role.Service)
	}
	return nil
}

// ParseSubject reads what String gives. Text without three labels gives the zero
// Subject, which Check refuses.
func ParseSubject(name string) (s Subject) {
	if labels := strings.SplitN(name, ".", 3); len(labels) == 3 {
		s = Subject{labels[2], labels[0] + "." + labels[1]}
	}
	return s
}

// Message is what a store sends to other processes when it has raised a floor. The
// statement is left out: whoever wants it loads it.
func (r Record) Message(about Subject) string {
	return about.String() + " " + string(r.Bare().Encode(about))
}

// ParseMessage reads a subject, a blank and the record of that subject.
func ParseMessage(payload string) (about Subject, r Record, err error) {
	name, encoded, _ := strings.Cut(payload, " ")
	about = ParseSubject(name)
	if err := about.Check(); err != nil {
		return about, r, fmt.Errorf("a message about %.300q: %w", name, err)
	}
	r, err = Decode(about, []byte(encoded))
	return about, r, err
}

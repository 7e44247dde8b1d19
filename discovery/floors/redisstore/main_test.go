package redisstore

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

func limits(records, domain, shared int) floorrecord.Limits {
	return floorrecord.Limits{Records: records, Domain: domain, Shared: shared}
}

// openAt is an opener of floorlaws.
func openAt(ctx context.Context, place string, l floorrecord.Limits, now func() time.Time) (floors.Store, error) {
	return openLimited(ctx, place, (&floors.Options{Now: now}).WithDefaults(), l)
}

func mustOpen(t *testing.T, place string, l floorrecord.Limits, now func() time.Time) floors.Store {
	t.Helper()
	return floorlaws.Opener(openAt).Must(t, place, l, now)
}

// TestMain runs the test binary again as another process that uses a Redis, if
// the environment says so.
func TestMain(m *testing.M) { floorlaws.Main(m, openAt, nil) }

// kind is a Redis of the test's own, with a database for each place.
func kind(t *testing.T) floorlaws.Kind {
	server, n := realtest.Redis(t, "", "databases 1000"), 0
	fresh := func() string { n++; return fmt.Sprintf("redis://%s/%d", server.Addr, n) }
	return floorlaws.Kind{Fresh: fresh, Open: openAt, Shared: true, Lasting: true, Statements: true}
}

func TestLaws(t *testing.T)      { floorlaws.All(t, kind) }
func TestKill(t *testing.T)      { floorlaws.Kill(t, kind(t)) }
func TestProcesses(t *testing.T) { floorlaws.Processes(t, kind(t)) }

func TestOpenNowhere(t *testing.T) {
	for _, place := range []string{"", "ftp://b.example", "https://b.example", "/var/lib/im/floors.db"} {
		if s, err := Open(t.Context(), place, nil); err == nil {
			s.Close()
			t.Errorf("%q: no error", place)
		}
	}
}

// TestSchemes: what Open takes for a mistyped URL is one when it is typed well.
func TestSchemes(t *testing.T) {
	for _, scheme := range redisSchemes {
		where := scheme + "://192.0.2.1"
		if strings.HasSuffix(scheme, "unix") {
			where = scheme + ":///run/redis.sock"
		}
		if _, err := parseRedis(where); err != nil || !IsURL(where) {
			t.Errorf("%s: %v", where, err)
		}
	}
	for _, file := range []string{"", "redis", "memory.db", "/var/lib/im/redis.db", "./redis:/b.example", "c:memory.db"} {
		if IsURL(file) {
			t.Errorf("%s is the name of a file", file)
		}
	}
}

// TestAlmostAURL: a URL that is mistyped becomes neither the name of a file nor
// part of an error, since it may hold a password.
func TestAlmostAURL(t *testing.T) {
	for _, place := range []string{"redis:/user:secret@b.example", "redis:user:secret@b.example", "Rediss:/:secret@b.example", "unix:/secret"} {
		s, err := Open(t.Context(), place, nil)
		if err == nil {
			s.Close()
			t.Errorf("%q: no error", place)
		} else if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "two slashes") {
			t.Errorf("%q: %v", place, err)
		}
		if !IsURL(place) {
			t.Errorf("%q would be the name of a file", place)
		}
	}
}

// TestCrowdTags: the crowds of a source are on the node of its record.
func TestCrowdTags(t *testing.T) {
	for _, source := range []string{
		"b.example", "a.b.example", "b.co.uk", "co.uk", "b.github.io", "a.b.github.io", "github.io", "b.s3.amazonaws.com",
		"b.unlisted.test", "xn--bcher-kva.xn--vermgensberatung-pwb",
	} {
		for _, c := range floorlaws.Plenty.Crowds(source) {
			if redisTag(c.Domain) != redisTag(source) {
				t.Errorf("%s and its crowd %s would be on two nodes", source, c.Domain)
			}
		}
	}
}

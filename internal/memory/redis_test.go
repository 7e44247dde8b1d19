package memory

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dnasign/dnasign/internal/realtest"
)

const password = "pass word/%:@?#"

// logged opens a memory and returns what it logged.
func logged(t *testing.T, place string) string {
	t.Helper()
	var log bytes.Buffer
	s, err := Open(t.Context(), place, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	mustRaise(t, s, source, floor(service, 0, 0, "x.example"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log.String(), password) {
		t.Error("the password is logged")
	}
	return log.String()
}

// admin is a client of the test's own.
func admin(t *testing.T, server *realtest.RedisServer) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Password: server.Password, Protocol: 2})
	t.Cleanup(func() { client.Close() })
	return client
}

func TestRedisPlaces(t *testing.T) {
	server := realtest.Redis(t, password)
	dir := t.TempDir()
	file := realtest.WriteFile(t, dir, "password", password+"\n")
	secret, wrong := url.UserPassword("", password).String(), url.UserPassword("default", "guess").String()
	ca := "?ca-file=" + url.QueryEscape(server.CAFile)
	if err := admin(t, server).Do(t.Context(), "ACL", "SETUSER", "dnaverify", "on", ">s3cret", "~dna:*", "-@all",
		"+get", "+set", "+eval", "+evalsha", "+time", "+dbsize", "+zremrangebyscore", "+zcount", "+zadd", "+expire", "+ping").Err(); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{
		"redis://" + secret + "@" + server.Addr,
		"redis://" + server.Addr + "?password-file=" + file,
		"redis://" + server.Addr + "/3?password-file=" + file,
		"rediss://" + secret + "@" + server.TLSAddr + ca,
		"rediss://default:@" + server.TLSAddr + ca + "&password-file=" + file,
		"unix://" + server.Socket + "?db=2&password-file=" + file,
		"redis+unix://" + secret + "@" + server.Socket,
	} {
		if log := logged(t, place); log != "" {
			t.Errorf("%s: logged %s", place, log)
		}
	}
	// What it may not see it warns of.
	if log := logged(t, "redis://dnaverify:s3cret@"+server.Addr); !strings.Contains(log, "does not let us see its INFO") {
		t.Errorf("logged %q", log)
	}
	for name, place := range map[string]string{
		"no password":         "redis://" + server.Addr,
		"wrong password":      "redis://" + wrong + "@" + server.Addr,
		"unknown authority":   "rediss://" + secret + "@" + server.TLSAddr,
		"no TLS there":        "rediss://" + secret + "@" + server.Addr + ca,
		"TLS there":           "redis://" + secret + "@" + server.TLSAddr,
		"another name":        "rediss://" + secret + "@" + strings.Replace(server.TLSAddr, "127.0.0.1", "localhost", 1) + ca,
		"no such database":    "redis://" + secret + "@" + server.Addr + "/99",
		"nobody there":        fmt.Sprintf("redis://%s@127.0.0.1:%d", secret, realtest.Port(t)),
		"no socket":           "unix:///nowhere/redis.sock",
		"two passwords":       "redis://" + secret + "@" + server.Addr + "?password-file=" + file,
		"no such file":        "redis://" + server.Addr + "?password-file=" + filepath.Join(dir, "none"),
		"unknown option":      "redis://" + secret + "@" + server.Addr + "?skip_verify=true",
		"option twice":        "redis://" + server.Addr + "?password-file=" + file + "&password-file=" + file,
		"option empty":        "redis://" + server.Addr + "?password-file=",
		"CA without TLS":      "redis://" + secret + "@" + server.Addr + ca,
		"CA file without any": "rediss://" + secret + "@" + server.TLSAddr + "?ca-file=" + file,
		"no host":             "redis:///0",
		"socket with a host":  "unix://b.example/redis.sock",
		"fragment":            "redis://" + server.Addr + "#" + url.PathEscape(password),
		"cannot be read":      "redis://:" + password + "@" + server.Addr,
		"other scheme":        "rediz://" + secret + "@" + server.Addr,
	} {
		s, err := Open(t.Context(), place, Options{})
		if err == nil {
			s.Close()
			t.Errorf("%s: no error", name)
			continue
		}
		for _, part := range []string{password, "guess", "pass word", url.QueryEscape(password), secret} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error holds a password: %v", name, err)
			}
		}
	}
}

func TestPasswordFile(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", " s ": " s ", strings.Repeat("x", maxPassword): strings.Repeat("x", maxPassword),
		"": "", "\n": "", "a\nb": "", "a\n\n": "", strings.Repeat("x", maxPassword+1): "",
	} {
		got, err := readPassword(realtest.WriteFile(t, dir, "password", content))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.10q: got %.10q, %v", content, got, err)
		}
	}
	open := realtest.WriteFile(t, dir, "open", "secret")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readPassword(open); err == nil || !strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// documentedRights are those that docs/operations.md gives the user of the
// Redis, and those that it adds for a cluster.
func documentedRights(t *testing.T, cluster bool) []any {
	t.Helper()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	user := regexp.MustCompile(`(?m)^user (dnaverify on >PASSWORD .*)$`).FindSubmatch(page)
	more := regexp.MustCompile("For a cluster add `([^`]+)`").FindSubmatch(page)
	if user == nil || more == nil {
		t.Fatal("docs/operations.md gives no rights")
	}
	rights := string(user[1])
	if cluster {
		rights += " " + string(more[1])
	}
	args := []any{"ACL", "SETUSER"}
	for right := range strings.FieldsSeq(strings.Replace(rights, "PASSWORD", "s3cret", 1)) {
		args = append(args, right)
	}
	return args
}

// TestDocumentedRights: the rights that are documented are enough.
func TestDocumentedRights(t *testing.T) {
	server := realtest.Redis(t, password)
	if err := admin(t, server).Do(t.Context(), documentedRights(t, false)...).Err(); err != nil {
		t.Fatal(err)
	}
	if log := logged(t, "redis://dnaverify:s3cret@"+server.Addr); log != "" {
		t.Errorf("logged %s", log)
	}
}

// TestOldServer: a server before Redis 6 repeats what it does not understand.
func TestOldServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			bufio.NewReader(c).ReadString('\n')
			fmt.Fprintf(c, "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `s3cret`,\r\n")
			c.Close()
		}
	}()
	defer func() { l.Close(); <-ended }()
	s, err := Open(t.Context(), "redis://:s3cret@"+l.Addr().String(), Options{})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Error(s, err)
	}
}

func TestRedisWarnings(t *testing.T) {
	server := realtest.Redis(t, "", "appendonly no", "maxmemory-policy allkeys-lru", "maxmemory 100mb")
	log := logged(t, "redis://"+server.Addr)
	for _, want := range []string{"maxmemory-policy allkeys-lru", "set noeviction", "appendonly no"} {
		if !strings.Contains(log, want) {
			t.Errorf("logged %q, without %q", log, want)
		}
	}
	for place, want := range map[string]bool{
		"redis://192.0.2.1": true, "redis://redis.b.example": true, "redis://[2001:db8::1]:6379": true,
		"redis://127.0.0.9": false, "redis://localhost": false, "redis://[::1]": false, "unix:///run/redis.sock": false, "rediss://192.0.2.1": false,
	} {
		p, err := parseRedis(place)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(warnings(p, map[string]string{"maxmemory_policy": "noeviction", "aof_enabled": "1"})) > 0; got != want {
			t.Errorf("%s: a warning: %v, want %v", place, got, want)
		}
	}
}

// TestRedisAway: while the server is away there are errors, and then it goes
// on as before.
func TestRedisAway(t *testing.T) {
	server := realtest.Redis(t, password)
	s := mustOpen(t, "redis://"+url.UserPassword("", password).String()+"@"+server.Addr, plenty, nil)
	first, second := floor(service, 0, 0, "x.example"), floor(service, 0, 1, "")
	mustRaise(t, s, source, first)
	for range 2 {
		server.Stop()
		for range 3 {
			if got, err := s.Floors(t.Context(), source); err == nil || strings.Contains(err.Error(), password) {
				t.Errorf("Floors: got %v, %v", got, err)
			}
			if got, err := s.Raise(t.Context(), source, floors{second}); err == nil || errors.Is(err, ErrFull) {
				t.Errorf("Raise: got %v, %v", got, err)
			}
		}
		server.Start(t)
		// The library looks once a second whether it is back.
		deadline := time.Now().Add(realtest.Timeout)
		got, err := s.Floors(t.Context(), source)
		for ; err != nil && time.Now().Before(deadline); got, err = s.Floors(t.Context(), source) {
			time.Sleep(20 * time.Millisecond)
		}
		if err != nil || len(got) != 1 || got[0] != first {
			t.Errorf("after a restart: %v, %v", got, err)
		}
		mustRaise(t, s, "a.example", second)
	}
	mustRaise(t, s, source, second)
}

// TestRedisSilent: a server that takes connections and says nothing holds
// nobody up for longer than the caller wants.
func TestRedisSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := shortly(t)
	defer cancel()
	start := time.Now()
	if s, err := Open(ctx, "redis://"+l.Addr().String(), Options{}); err == nil {
		s.Close()
		t.Error("no error")
	}
	if took := time.Since(start); took > redisTimeout {
		t.Errorf("it took %v", took)
	}
}

// TestRedisLife: every key ends by itself, and another Raise a day later begins
// its life anew.
func TestRedisLife(t *testing.T) {
	server := realtest.Redis(t, "")
	client, c := admin(t, server), &clock{at: t0}
	s := mustOpen(t, "redis://"+server.Addr, plenty, c.now)
	mustRaise(t, s, "b.github.io", floor(service, 0, 0, "x.example"))
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 3 {
		t.Fatal(keys, err)
	}
	shorten := func() {
		for _, key := range keys {
			if err := client.Expire(t.Context(), key, time.Hour).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	lives := func(want time.Duration) {
		t.Helper()
		for _, key := range keys {
			if life, err := client.TTL(t.Context(), key).Result(); err != nil || life > want || life < want-time.Minute {
				t.Errorf("%s lives %v, not %v, %v", key, life, want, err)
			}
		}
	}
	lives(Keep + refresh)
	shorten()
	c.set(t0.Add(refresh - time.Second))
	mustRaise(t, s, "b.github.io", floor(service, 0, 0, "x.example"))
	lives(time.Hour)
	c.set(t0.Add(refresh))
	mustRaise(t, s, "b.github.io", floor(service, 0, 0, "x.example"))
	lives(Keep + refresh)
}

// TestRedisForgetsInCrowds: what has ended does not count any more.
func TestRedisForgetsInCrowds(t *testing.T) {
	server := realtest.Redis(t, "")
	client := admin(t, server)
	s := mustOpen(t, "redis://"+server.Addr, limits{100, 1, 1}, nil)
	f := floor(service, 0, 0, "x.example")
	mustRaise(t, s, "b.example", f)
	if _, err := s.Raise(t.Context(), "a.b.example", floors{f}); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	ago := time.Now().Add(-Keep - 2*refresh).Unix()
	if err := client.ZAdd(t.Context(), crowdKey("b.example"), redis.Z{Score: float64(ago), Member: "b.example"}).Err(); err != nil {
		t.Fatal(err)
	}
	mustRaise(t, s, "a.b.example", f)
}

// TestRedisDamaged: a record that is not what was written is an error, for its
// source alone.
func TestRedisDamaged(t *testing.T) {
	server := realtest.Redis(t, "")
	client := admin(t, server)
	s := mustOpen(t, "redis://"+server.Addr, plenty, nil)
	f := floor(service, 0, 0, "x.example")
	mustRaise(t, s, "a.example", f)
	mustRaise(t, s, "b.example", f)
	good, err := client.Get(t.Context(), floorsKey("a.example")).Result()
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{"empty": "", "cut off": good[1:], "longer": good + "x", "of another": good} {
		if err := client.Set(t.Context(), floorsKey("b.example"), damaged, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Floors(t.Context(), "b.example"); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: Floors: %v, %v", name, got, err)
		}
		if got, err := s.Raise(t.Context(), "b.example", floors{floor(service, 9, 0, "")}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: Raise: %v, %v", name, got, err)
		}
		if still, err := client.Get(t.Context(), floorsKey("b.example")).Result(); err != nil || still != damaged {
			t.Errorf("%s: it was written over", name)
		}
	}
	mustRaise(t, s, "a.example", floor(service, 1, 0, ""))
	client.Del(t.Context(), floorsKey("b.example"))
	client.LPush(t.Context(), floorsKey("b.example"), "x")
	if got, err := s.Floors(t.Context(), "b.example"); err == nil {
		t.Error("a list in the place of a record:", got)
	}
}

// TestRedisNoMemory: a server that is full and does not evict is an error, and
// forgets nothing.
func TestRedisNoMemory(t *testing.T) {
	server := realtest.Redis(t, "")
	s := mustOpen(t, "redis://"+server.Addr, plenty, nil)
	f := floor(service, 0, 0, "x.example")
	mustRaise(t, s, source, f)
	if err := admin(t, server).ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Raise(t.Context(), "a.example", floors{f}); err == nil || errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if got := mustFloors(t, s, source); len(got) != 1 {
		t.Error(got)
	}
}

// TestRedisCluster: all keys of a source are on one node, else a node of a
// cluster refuses the script.
func TestRedisCluster(t *testing.T) {
	server := realtest.Redis(t, "", "cluster-enabled yes", fmt.Sprintf("cluster-port %d", realtest.Port(t)))
	client := admin(t, server)
	if err := client.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(realtest.Timeout); ; time.Sleep(20 * time.Millisecond) {
		info, err := client.ClusterInfo(t.Context()).Result()
		if err == nil && strings.Contains(info, "cluster_state:ok") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(info, err)
		}
	}
	if err := client.Do(t.Context(), documentedRights(t, true)...).Err(); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, "redis://dnaverify:s3cret@"+server.Addr, limits{1000, 2, 3}, nil)
	if _, ok := s.(*redisStore).client.(*redis.ClusterClient); !ok {
		t.Error("the cluster is not taken for one")
	}
	f := floor(service, 0, 0, "x.example")
	for _, name := range []string{"b.example", "a.b.example", "b.co.uk", "co.uk", "b.github.io", "b.s3.amazonaws.com", "a.b.c.d.example"} {
		mustRaise(t, s, name, f)
		if got := mustFloors(t, s, name); len(got) != 1 || got[0] != f {
			t.Error(got)
		}
	}
	if _, err := s.Raise(context.WithoutCancel(t.Context()), "c.b.example", floors{f}); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}

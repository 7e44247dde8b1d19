package redisstore

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
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

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/floorlaws"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

const password = "pass word/%:@?#"

// keepFloor is how long delegation.Floor.KeepUntil keeps a floor.
const keepFloor = 400 * 24 * time.Hour

// logged opens a memory and returns what it logged.
func logged(t *testing.T, place string) string {
	t.Helper()
	s, log := openLogged(t, place)
	floorlaws.MustRaise(t, s, world.Source, floorlaws.Floor(0, 0, "x.example"))
	w := floorlaws.Watch(t, s)
	w.Wait(t, true)
	w.Stop()
	if strings.Contains(log.String(), password) {
		t.Error("the password is logged")
	}
	return log.String()
}

// openLogged opens a memory and returns what that logged.
func openLogged(t *testing.T, place string) (floors.Store, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	s, err := Open(t.Context(), place, &floors.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, &log
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
	if err := admin(t, server).Do(t.Context(), "ACL", "SETUSER", "dnaverify", "on", ">s3cret", "~dna2:*", "resetchannels", "&dna2:*", "-@all",
		"+get", "+set", "+eval", "+evalsha", "+dbsize", "+zcount", "+zadd", "+scan", "+zrem", "+del", "+publish", "+subscribe", "+ping").Err(); err != nil {
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
		s, err := Open(t.Context(), place, nil)
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
	page, err := os.ReadFile("../../../docs/operations.md")
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
	c := floorlaws.NewClock(world.Noon)
	s := mustOpen(t, "redis://dnaverify:s3cret@"+server.Addr, floorlaws.Plenty, c.Now)
	floorlaws.MustRaise(t, s, "old.example", floorlaws.Floor(0, 0, "x.example"))
	c.Set(world.Noon.Add(2 * keepFloor))
	floorlaws.MustRaise(t, s, world.Source, floorlaws.Floor(1, 0, "x.example"))
	if n, err := s.(*redisStore).prune(t.Context()); err != nil || n != 1 {
		t.Errorf("forgot %d, %v", n, err)
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
	s, err := Open(t.Context(), "redis://:s3cret@"+l.Addr().String(), nil)
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Error(s, err)
	}
}

// TestRedisWarnings: what an operator may have meant so.
func TestRedisWarnings(t *testing.T) {
	server := realtest.Redis(t, "", "appendonly no", "maxmemory-policy allkeys-lru")
	log := logged(t, "redis://"+server.Addr)
	for _, want := range []string{"maxmemory-policy allkeys-lru", "set maxmemory-policy noeviction", "appendonly no"} {
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
		if p.exposed != want {
			t.Errorf("%s: exposed: %v, want %v", place, p.exposed, want)
		}
	}
}

// TestRedisAway: while the server is away there are errors, and then it goes
// on as before.
func TestRedisAway(t *testing.T) {
	server := realtest.Redis(t, password)
	s := mustOpen(t, "redis://"+url.UserPassword("", password).String()+"@"+server.Addr, floorlaws.Plenty, nil)
	first, second := floorlaws.Floor(0, 0, "x.example"), floorlaws.Floor(0, 1, "")
	floorlaws.MustRaise(t, s, world.Source, first)
	for range 2 {
		server.Stop()
		for range 3 {
			if got, err := s.Load(t.Context(), world.Source, world.Service); err == nil || strings.Contains(err.Error(), password) {
				t.Errorf("Load: got %v, %v", got, err)
			}
			if got, err := s.Raise(t.Context(), world.Source, world.Service, floors.Record{Floor: second}); err == nil || errors.Is(err, floors.ErrFull) {
				t.Errorf("Raise: got %v, %v", got, err)
			}
		}
		server.Start(t)
		// The library looks once a second whether it is back.
		deadline := time.Now().Add(realtest.Timeout)
		got, err := s.Load(t.Context(), world.Source, world.Service)
		for ; err != nil && time.Now().Before(deadline); got, err = s.Load(t.Context(), world.Source, world.Service) {
			time.Sleep(20 * time.Millisecond)
		}
		if err != nil || got.Floor != first {
			t.Errorf("after a restart: %v, %v", got, err)
		}
		floorlaws.MustRaise(t, s, "a.example", second)
	}
	floorlaws.MustRaise(t, s, world.Source, second)
}

// TestRedisSilent: a server that takes connections and says nothing holds
// nobody up for longer than the caller wants.
func TestRedisSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	// The store's own time-outs are other errors.
	if _, err := Open(ctx, "redis://"+l.Addr().String(), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the caller's deadline", err)
	}
}

// TestRedisClock: no record ends by the clock of the server, which may jump, nor
// one that an earlier program gave an end.
func TestRedisClock(t *testing.T) {
	server := realtest.Redis(t, "")
	client, c := admin(t, server), floorlaws.NewClock(world.Noon)
	s := mustOpen(t, "redis://"+server.Addr, floorlaws.Plenty, c.Now)
	floorlaws.MustRaise(t, s, "b.github.io", floorlaws.Floor(0, 0, "x.example"))
	records := func() []string {
		t.Helper()
		keys, err := client.Keys(t.Context(), "dna2:floor:*").Result()
		more, err2 := client.Keys(t.Context(), "dna2:under:*").Result()
		if keys = append(keys, more...); errors.Join(err, err2) != nil || len(keys) != 3 {
			t.Fatal(keys, err, err2)
		}
		return keys
	}
	endless := func() {
		t.Helper()
		for _, key := range records() {
			if life, err := client.TTL(t.Context(), key).Result(); err != nil || life != -1 {
				t.Errorf("%s lives %v, %v", key, life, err)
			}
		}
	}
	endless()
	if err := client.Expire(t.Context(), redisKey(floorrecord.About("b.github.io", world.Service)), time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	c.Set(world.Noon.Add(floorrecord.Refresh))
	floorlaws.MustRaise(t, s, "b.github.io", floorlaws.Floor(0, 0, "x.example"))
	endless()
}

// TestRedisPrune: records end by our clock, and by the last Raise of any if our
// clock is ahead.
func TestRedisPrune(t *testing.T) {
	server := realtest.Redis(t, "")
	c, day := floorlaws.NewClock(world.Noon), 24*time.Hour
	s := mustOpen(t, "redis://"+server.Addr, limits(1000, 2, 2), c.Now)
	f := floorlaws.Floor(0, 0, "x.example")
	long := floorlaws.Until(f, world.Noon, world.Noon.Add(1000*day))
	prune := func(want int) {
		t.Helper()
		if n, err := s.(*redisStore).prune(t.Context()); err != nil || n != want {
			t.Errorf("at %v: forgot %d, %v; want %d", c.Now(), n, err, want)
		}
	}
	for i := range 600 { // more than one look takes
		floorlaws.MustRaise(t, s, fmt.Sprintf("x%d.example", i), f)
	}
	floorlaws.MustRaise(t, s, "long.example", long)
	floorlaws.MustRaise(t, s, "a.b.example", f)
	floorlaws.MustRaise(t, s, "c.b.example", f)
	c.Set(world.Noon.Add(100_000 * day)) // nothing was raised at that time
	prune(0)
	c.Set(world.Noon.Add(keepFloor + floorrecord.Refresh))
	floorlaws.MustRaise(t, s, "x0.example", f)
	if _, err := s.Raise(t.Context(), "d.b.example", world.Service, floors.Record{Floor: f}); !errors.Is(err, floors.ErrFull) {
		t.Error(err)
	}
	prune(0) // to the second
	c.Set(world.Noon.Add(keepFloor + floorrecord.Refresh + time.Second))
	floorlaws.MustRaise(t, s, "x1.example", f)
	prune(600)
	for name, want := range map[string]delegation.Floor{"x0.example": f, "x1.example": f, "x2.example": {}, "long.example": long, "a.b.example": {}} {
		if got := floorlaws.MustFloor(t, s, name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	floorlaws.MustRaise(t, s, "d.b.example", f)
	keys, err := admin(t, server).Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 8 { // a record and a set of four domains
		t.Error(len(keys), err)
	}
}

// TestRedisForgetsInCrowds: what has ended does not count any more.
func TestRedisForgetsInCrowds(t *testing.T) {
	server := realtest.Redis(t, "")
	client := admin(t, server)
	s := mustOpen(t, "redis://"+server.Addr, limits(100, 1, 1), nil)
	f := floorlaws.Floor(0, 0, "x.example")
	floorlaws.MustRaise(t, s, "b.example", f)
	if _, err := s.Raise(t.Context(), "a.b.example", world.Service, floors.Record{Floor: f}); !errors.Is(err, floors.ErrFull) {
		t.Fatal(err)
	}
	ago := time.Now().Add(-time.Minute).Unix()
	if err := client.ZAdd(t.Context(), crowdKey("b.example"), redis.Z{Score: float64(ago), Member: floorrecord.About("b.example", world.Service).String()}).Err(); err != nil {
		t.Fatal(err)
	}
	floorlaws.MustRaise(t, s, "a.b.example", f)
}

// TestRedisDamaged: a record that is not what was written is an error, for its
// source alone.
func TestRedisDamaged(t *testing.T) {
	server := realtest.Redis(t, "")
	client := admin(t, server)
	s := mustOpen(t, "redis://"+server.Addr, floorlaws.Plenty, nil)
	f := floorlaws.Floor(0, 0, "x.example")
	floorlaws.MustRaise(t, s, "a.example", f)
	floorlaws.MustRaise(t, s, "b.example", f)
	good, err := client.Get(t.Context(), redisKey(floorrecord.About("a.example", world.Service))).Result()
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{"empty": "", "cut off": good[1:], "longer": good + "x", "of another": good} {
		if err := client.Set(t.Context(), redisKey(floorrecord.About("b.example", world.Service)), damaged, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Load(t.Context(), "b.example", world.Service); !errors.Is(err, floors.ErrDamaged) {
			t.Errorf("%s: Load: %v, %v", name, got, err)
		}
		if got, err := s.Raise(t.Context(), "b.example", world.Service, floors.Record{Floor: floorlaws.Floor(9, 0, "")}); !errors.Is(err, floors.ErrDamaged) {
			t.Errorf("%s: Raise: %v, %v", name, got, err)
		}
		if still, err := client.Get(t.Context(), redisKey(floorrecord.About("b.example", world.Service))).Result(); err != nil || still != damaged {
			t.Errorf("%s: it was written over", name)
		}
	}
	floorlaws.MustRaise(t, s, "a.example", floorlaws.Floor(1, 0, ""))
	client.Del(t.Context(), redisKey(floorrecord.About("b.example", world.Service)))
	client.LPush(t.Context(), redisKey(floorrecord.About("b.example", world.Service)), "x")
	if got, err := s.Load(t.Context(), "b.example", world.Service); err == nil {
		t.Error("a list in the place of a record:", got)
	}
}

// TestRedisNoMemory: a server that is full and does not evict is an error, and
// forgets nothing.
func TestRedisNoMemory(t *testing.T) {
	server := realtest.Redis(t, "")
	s := mustOpen(t, "redis://"+server.Addr, floorlaws.Plenty, nil)
	f := floorlaws.Floor(0, 0, "x.example")
	floorlaws.MustRaise(t, s, world.Source, f)
	if err := admin(t, server).ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Raise(t.Context(), "a.example", world.Service, floors.Record{Floor: f}); err == nil || errors.Is(err, floors.ErrFull) {
		t.Error(err)
	}
	if got := floorlaws.MustFloor(t, s, world.Source); got != f {
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
	s := mustOpen(t, "redis://dnaverify:s3cret@"+server.Addr, limits(1000, 2, 3), nil)
	if _, ok := s.(*redisStore).client.(*redis.ClusterClient); !ok {
		t.Error("the cluster is not taken for one")
	}
	f := floorlaws.Floor(0, 0, "x.example")
	for _, name := range []string{"b.example", "a.b.example", "b.co.uk", "co.uk", "b.github.io", "b.s3.amazonaws.com", "a.b.c.d.example"} {
		floorlaws.MustRaise(t, s, name, f)
		if got := floorlaws.MustFloor(t, s, name); got != f {
			t.Error(got)
		}
	}
	if _, err := s.Raise(context.WithoutCancel(t.Context()), "c.b.example", world.Service, floors.Record{Floor: f}); !errors.Is(err, floors.ErrFull) {
		t.Error(err)
	}
}

// TestRedisOldVersion: a database of version 1 is not taken for an empty one.
func TestRedisOldVersion(t *testing.T) {
	server := realtest.Redis(t, "")
	if err := admin(t, server).Set(t.Context(), "dna:floors:{b.example}:b.example", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), "redis://"+server.Addr, nil)
	if !errors.Is(err, floors.ErrVersion) || !strings.Contains(err.Error(), "FLUSHDB") {
		t.Error(s, err)
	}
	mustOpen(t, "redis://"+server.Addr+"/1", floorlaws.Plenty, nil)
}

// TestRedisVersion2: a record as version 2 wrote it is read, and becomes one of
// today when it is raised.
func TestRedisVersion2(t *testing.T) {
	server := realtest.Redis(t, "")
	about, f := floorrecord.About(world.Source, world.Service), floorlaws.Floor(3, 9, "x.example")
	const old = "0000000069a42a400000019cb8b81e7b0000000069a4a8d0b8a9501cc501cd54326e4a9a66b9e4ddc951f700278fd4fbc18e6911adedb305" +
		"0000000069b69f40000000006a1ad140746004ad"
	encoded, err := hex.DecodeString(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin(t, server).Set(t.Context(), redisKey(about), encoded, 0).Err(); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, "redis://"+server.Addr, floorlaws.Plenty, floorlaws.NewClock(world.Noon).Now)
	if got := floorlaws.MustLoad(t, s, world.Source); got.Floor != f || got.Statement != nil || !got.Seen.IsZero() {
		t.Errorf("got %v", got)
	}
	floorlaws.MustKeep(t, s, world.Source, floors.Record{Floor: f, Statement: []byte("x"), Seen: world.Noon})
	if got := floorlaws.MustLoad(t, s, world.Source); got.Floor != f || string(got.Statement) != "x" || !got.Seen.Equal(world.Noon) {
		t.Errorf("got %v", got)
	}
}

// TestRedisMessage: what is published about a record does not grow with its
// statement, and a statement alone is not news.
func TestRedisMessage(t *testing.T) {
	server := realtest.Redis(t, "")
	s := mustOpen(t, "redis://"+server.Addr, floorlaws.Plenty, nil)
	messages := admin(t, server).Subscribe(t.Context(), s.(*redisStore).channel)
	t.Cleanup(func() { messages.Close() })
	if _, err := messages.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, later := floorlaws.Floor(0, 0, "x.example"), floorlaws.Floor(0, 1, "x.example")
	for _, r := range []floors.Record{
		{Floor: f, Statement: make([]byte, floorrecord.MaxStatement), Seen: world.Noon},
		{Floor: f, Statement: []byte("another"), Seen: world.Noon.Add(2 * floorrecord.SeenEvery)},
		{Floor: later},
	} {
		floorlaws.MustKeep(t, s, world.Source, r)
	}
	for _, want := range []delegation.Floor{f, later} {
		m, err := messages.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, r, err := floorrecord.ParseMessage(m.Payload); err != nil || r.Floor != want || len(m.Payload) > 150 {
			t.Errorf("%d bytes: %v, %v; want %v", len(m.Payload), r, err, want)
		}
	}
}

// Package redisstore keeps the floors of many nodes in a Redis or Valkey, or in
// a cluster of them.
//
//	store, err := redisstore.Open(ctx, "rediss://cache.example", nil)
//
// A script on the server compares and raises in one step, so nodes that raise
// the same floor at once come one after the other. The script also publishes
// each raised floor, without its statement, and Watch tells of it on every node
// within a second. While the connection is lost, Watch says so and connects again.
//
// A Raise that returns without an error is as safe as the server makes it: set
// appendonly yes and appendfsync always. The server must not evict keys
// (maxmemory-policy noeviction). The page docs/operations.md of the project says
// how to set up the server and which rights its user needs.
//
// A record takes up to two keys: itself, and a set that counts the records of
// its domain. So the limit of a million floors is two million keys here, on each
// node of a cluster.
//
// The store forgets a floor when its time is over, by the clocks of the nodes:
// no key has an expiry on the server. Anybody who can write to the Redis can make a
// verifier forget.
package redisstore

// Package daemon answers, over HTTP and JSON, whether a peer counts as a domain:
// for servers that are not written in Go, on the same machine.
//
//	POST /v1/check   question -> decisions.Decider -> Accept(chain) -> answer
//	GET  /healthz    can it answer?
//	GET  /metrics    Prometheus
//
// The protocol is described in docs/openapi.yaml. The package decides nothing by
// itself: package association does, and package decisions remembers. It takes no
// evidence from a client, and holds every peer's certificates to the decision
// anew.
//
// Whoever may connect to a listener may ask; there is no other permission.
// Everything that a client, or a peer behind it, sends is bounded in size, time
// and number.
package daemon

// Package daemon answers, over HTTP and JSON, whether a peer may act for a
// domain. It is for servers on the same machine that are not written in Go.
//
//	POST /v1/check   question -> verifier.Check -> answer
//	GET  /healthz    can it answer?
//	GET  /metrics    Prometheus
//
// The protocol is described in docs/openapi.yaml. The package decides nothing by
// itself: package verifier does, which holds every peer's certificates to the
// decision anew. It takes no evidence from a client.
//
// Anybody who may connect to a listener may ask; there is no other permission.
// Everything that a client, or a peer behind it, sends is bounded in size, time
// and number.
package daemon

// Package jws reads and writes signed objects in one narrow profile of JSON
// Web Signature (RFC 7515): the compact serialization with a protected header
// of exactly three parameters,
//
//	alg  a keys.Algorithm, such as ES256
//	typ  the media type the caller asks for, so that no other token passes
//	x5c  the signer's certificate chain, leaf first
//
// in any order, and nothing else. What other libraries take on trust is refused
// before any cryptography. This covers alg none and HMAC, crit and b64 in any
// form, jwk, jku, x5u, kid, and a missing or another typ. It covers names that
// are duplicate, unknown, escaped or of another case. It covers octets outside
// the base64url alphabet, non-zero trailing bits, padding, and anything before
// or after the token.
//
// Data flow: octets -> [Parse] -> *[Unverified] -> [Unverified.Verify] ->
// payload; and payload -> [Sign] -> octets.
//
// The package does not check what the payload means, whether the certificates
// chain to a trust anchor, whom they name and whether they are valid now. The
// caller must check all of it. A token is not unique: anybody can turn an ECDSA
// signature (r, s) into (r, n-s). So neither the token nor a hash of it can
// identify anything.
package jws

import "errors"

// MaxSize bounds a token, in octets. A statement of 16 targets with five RSA
// certificates is about 14 KB; the rest is room for large certificates.
const MaxSize = 32 << 10

// The errors of this package. Each is wrapped with a detail; test for them
// with [errors.Is]. Verification also returns [keys.ErrAlgorithmMismatch] and
// [keys.ErrSignature].
var (
	// ErrTooLarge: more than MaxSize octets.
	ErrTooLarge = errors.New("token too large")
	// ErrMalformed: not a compact serialization in canonical base64url
	// (RFC 7515, Section 7.1), or a header that is no strict JSON.
	ErrMalformed = errors.New("malformed token")
	// ErrHeader: a protected header with a parameter missing, unknown or of
	// the wrong kind.
	ErrHeader = errors.New("unacceptable header")
	// ErrType: a typ other than the one asked for (RFC 8725, Section 3.11).
	ErrType = errors.New("wrong typ")
	// ErrAlgorithm: an alg that is no [keys.Algorithm].
	ErrAlgorithm = errors.New("unsupported alg")
	// ErrCertificates: an x5c that is empty, too long or not canonical base64
	// (RFC 7515, Section 4.1.6).
	ErrCertificates = errors.New("unacceptable x5c")
)

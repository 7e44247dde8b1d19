package x509attr

// Limits. Passing one is an error (ProblemLimit where its comment does not name
// another), never a silent cut. They bound the memory that a hostile input can
// make this package allocate, to a small multiple of the input's length. They
// also bound the time of one signature check.
const (
	// MaxSize is the largest attribute certificate in octets of DER that Parse
	// reads and Create writes. Those in use today have 0.5 to 10 KiB. The
	// largest kinds carry a whole certificate chain in an extension.
	MaxSize = 64 << 10

	// MaxBagSize is the largest CMS bag in octets of DER: room for one
	// attribute certificate of any size and as much again in certificates.
	MaxBagSize = 128 << 10

	// maxBagMembers is how many certificates of both kinds a bag may hold. A
	// chain has 2 to 5; 16 leaves room for several issuers.
	maxBagMembers = 16

	// maxAttributes is how many attributes there may be. Published profiles
	// use fewer than ten.
	maxAttributes = 64

	// maxValues is how many values one attribute may have: group memberships
	// of one holder can be many. A value takes at least 2 octets, so without
	// a limit 64 KiB would become 32,000 slices.
	maxValues = 1024

	// maxExtensions is how many extensions there may be. RFC 5755 knows six.
	maxExtensions = 64

	// maxNames is how many GeneralNames one list may hold.
	maxNames = 256

	// maxOIDOctets is how many octets of content an object identifier may have.
	// A longer one is malformed. A UUID below 2.25 takes 20. Only printing sets
	// the bound. Its time grows with the square of the length and would reach
	// 180 milliseconds at 60,000 octets.
	maxOIDOctets = 256

	// maxDepth is how deep elements may nest in a part that is of no fixed
	// structure, such as algorithm parameters. Known ones reach five; the
	// check is recursive, so there has to be some bound. Deeper counts as
	// malformed.
	maxDepth = 16

	// maxSerialOctets: RFC 5755, Section 4.2.5 allows 20 octets of content,
	// the sign bit included. Longer: ProblemSerial.
	maxSerialOctets = 20

	// minYear is the first year of a validity period. RFC 5280, Section
	// 4.1.2.5.1 begins the count of two-digit years in 1950, so no certificate
	// is older. The bound also excludes year 0, which Go would accept. Before:
	// ProblemTime.
	minYear = 1950

	// minRSABits and maxRSABits bound an issuer's RSA modulus. Below 2048 bits
	// a signature proves little. One check costs 35 microseconds at 2048 bits
	// and under half a millisecond at 8192. It costs about 290 milliseconds at
	// 65,536, which no stranger's certificate may ask for. Outside:
	// ProblemIssuerKey.
	minRSABits = 2048
	maxRSABits = 8192
)

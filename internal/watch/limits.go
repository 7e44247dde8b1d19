package watch

// Limits of what is asked of others. One lookup is all that
// [discovery.Client.Gather] asks for one domain through one resolver. That is
// about ten questions to the resolver, and four documents over two connections
// to the domain's web server.
const (
	// MaxResolvers bounds the resolvers that are compared: those of a person's
	// own sites and the large public ones.
	MaxResolvers = 8
	// DefaultParallel and MaxParallel bound the lookups under way through one
	// resolver. At a third of a second each, 16 are 48 a second. More than a
	// machine can do in good time would look like the failure of others.
	DefaultParallel = 16
	MaxParallel     = 256
	// lookupsPerSecond bounds the lookups begun through one resolver. That is
	// at most 1,000 questions a second, fewer than the large public resolvers
	// accept from one address, and 6,000 domains a minute.
	lookupsPerSecond = 100
	// webLookups and webLookupsPerSecond bound the lookups through all
	// resolvers together. All domains of a list may be on one web server, which
	// then sees two connections for each.
	webLookups          = 64
	webLookupsPerSecond = 200
)

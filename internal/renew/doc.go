// Package renew keeps delegations signed and published. It reads a
// configuration, looks at what is published, signs and publishes what needs it,
// and verifies the result as a stranger would.
//
//	ReadConfig -> Config -> Runner.Run -> Report
//
// For each delegation, one service of one domain, Run goes one way:
//
//	certificate and key, what is at each place -> plan -> sign -> publish -> check -> verify
//
// A run finds out what to do from the places of publication, and from the
// memory of what was signed ([signing.State]). A run that is killed leaves the
// old statement or the new one at each place, and the next run brings the
// places together again. Two runs at once lose nothing, since a place changes
// in one step; see [Lock].
//
// It decides nothing about whom to trust: package delegation does.
package renew

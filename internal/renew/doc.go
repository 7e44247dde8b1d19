// Package renew keeps delegations signed and published: it reads a
// configuration, looks at what is published, signs what needs it, publishes it
// and verifies the end as a stranger would.
//
//	ReadConfig -> Config -> Runner.Run -> Report
//
// For each delegation, one service of one domain, Run goes one way:
//
//	certificate and key, what is at each place -> plan -> sign -> publish -> check -> verify
//
// There is no state: the places of publication are what a run finds out from
// what is to be done. A run that is killed leaves the old statement or the new
// one at each place, and the next run brings the places together again. Two
// runs at once lose nothing, since a place changes in one step; see [Lock].
//
// It decides nothing about whom to trust: package delegation does.
package renew

// Package floorrecord holds what the floor stores share: the bytes of a record,
// the limits on the number of records, and the watchers of a store of one
// process.
//
//	statement that was verified -> Record.Raise -> Record.Encode -> file or Redis
//	file or Redis -> Decode -> Record
//
// The package does no I/O, reads no clock and knows no store. Its errors say
// what is wrong with a record. The store that read the record wraps them in
// floors.ErrDamaged.
package floorrecord

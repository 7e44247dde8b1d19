package main

import "slices"

// faults are mistakes that a verifier might well make. Where a rule is the same
// in all three verifiers, so is the mistake.
var faults = slices.Concat(formFaults, certificateFaults, signerFaults, namedFaults, orderFaults, lookupFaults, streamFaults, decisionFaults, daneFaults, poshFaults)

// mistake makes a fault.
func mistake(name, vectors string, edits ...edit) fault { return fault{name, vectors, edits} }

// inGo, inJS and inJava are edits of the three verifiers, by the names of files.
func inGo(file, old, with string) edit   { return edit{file, old, with} }
func inJS(file, old, with string) edit   { return edit{jsFolder + "/src/" + file, old, with} }
func inJava(file, old, with string) edit { return edit{javaFolder + "/src/" + file, old, with} }

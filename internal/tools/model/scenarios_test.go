package model

// dated is a certificate of the start that was issued at 1 and ends at some time.
func dated(who actor, ends int16) []cert {
	return []cert{{who, 1, 1, ends, 1}}
}

// scenarios are the settings that are explored. Each is bounded so that it takes
// seconds.
func scenarios() []rules {
	honestLaws := []string{"S1", "S2", "S2r", "L1i", "L4"}
	theftLaws := []string{"S1", "S2", "S3", "L1r", "L2"}
	var list []rules
	add := func(r rules) {
		if r.clocks == nil {
			r.clocks = []int16{0}
		}
		if r.offsets == nil {
			r.offsets = []int16{0}
		}
		list = append(list, r)
	}
	for _, clocks := range []struct {
		name            string
		verifier, owner int16
	}{{"clocks agree", 0, 0}, {"verifier slow, owner fast", -skew, skew}, {"verifier fast, owner slow", skew, -skew}} {
		for _, from := range []authority{exact, hour, midnight, later, private} {
			add(rules{
				name: "two certificates " + string(from) + ", " + clocks.name, authorities: []authority{from}, maxCerts: 2, maxOwn: 2,
				to: []target{'A', 'B', nobody}, until: 20, life: 40, ends: 80,
				offsets: []int16{clocks.verifier}, clocks: []int16{clocks.owner}, laws: honestLaws, states: 800,
			})
		}
		add(rules{
			name: "statements end, " + clocks.name, authorities: []authority{hour}, maxCerts: 1, maxOwn: 2,
			to: []target{'A', 'B'}, until: 60, life: 30, ends: 80,
			offsets: []int16{clocks.verifier}, clocks: []int16{clocks.owner}, laws: honestLaws, states: 1000,
		})
	}
	add(rules{
		name: "A, B, A, revoked, delegated again", authorities: []authority{exact}, certs: dated(owner, 99), maxCerts: 1, maxOwn: 4,
		to: []target{'A', 'B', nobody}, until: 10, life: 60, laws: honestLaws, states: 1000,
	})
	for _, from := range []authority{exact, hour, midnight} {
		add(rules{
			name: "the key is stolen, certificates " + string(from), authorities: []authority{from}, certs: dated(both, 40), maxCerts: 2, maxOwn: 2, maxThief: 1,
			to: []target{'A'}, thiefTo: []target{'E', nobody}, until: 10, life: 60, ends: 60, laws: theftLaws, states: 1000,
		})
	}
	add(rules{
		name: "the stolen key signs at the owner's moment", certs: dated(both, 99), maxCerts: 1, maxOwn: 2, maxThief: 1,
		to: []target{'A', nobody}, thiefTo: []target{'E'}, until: 20, life: 30, laws: []string{"S1", "S2"}, states: 1000,
	})
	add(rules{
		name: "a validation is hijacked", authorities: []authority{hour}, certs: dated(owner, 99), maxCerts: 3, maxOwn: 2, maxThief: 1, hijack: true,
		to: []target{'A'}, thiefTo: []target{'E', nobody}, until: 10, life: 60, ends: 60, laws: theftLaws, states: 1000,
	})
	add(rules{
		name: "the domain is sold", authorities: []authority{hour}, certs: dated(thief, 40), maxCerts: 2, maxOwn: 1, maxThief: 1,
		to: []target{'B', nobody}, thiefTo: []target{'E'}, until: 60, life: 60, ends: 60, laws: theftLaws, states: 1000,
	})
	add(rules{
		name: "statements for the second label, of the first edition", certs: dated(both, 99), maxCerts: 1, maxOwn: 2, maxThief: 1, maxSecond: 1,
		to: []target{'A', nobody}, thiefTo: []target{'E', nobody}, until: 10, life: 30, laws: []string{"S1", "S2", "S2r"}, states: 1000,
	})
	add(rules{
		name: "a former provider with a statement for the second label", authorities: []authority{exact}, certs: dated(owner, 99), maxCerts: 2, maxOwn: 2, maxSecond: 1,
		to: []target{'A', 'B'}, until: 10, life: 30, ends: 80, laws: []string{"S1", "S2", "S2r", "L1", "L1i"}, states: 1000,
	})
	add(rules{
		name: "two machines, the newest certificate signs", authorities: []authority{hour}, machines: true, maxCerts: 3, maxOwn: 2,
		to: []target{'A', 'B'}, until: 10, life: 20, ends: 80, laws: honestLaws, states: 1000,
	})
	add(rules{
		name: "drafts that get out", authorities: []authority{exact}, drafts: true, certs: dated(owner, 99), maxCerts: 2, maxOwn: 2,
		to: []target{'A', 'B'}, until: 10, life: 20, ends: 80, laws: []string{"S1", "S2"}, states: 1000,
	})
	add(rules{
		name: "the owner's clock was ahead by 20 minutes", authorities: []authority{exact}, certs: dated(owner, 199), maxCerts: 2, maxOwn: 2,
		to: []target{'A', 'B'}, clocks: []int16{0, 4 * skew}, until: 50, life: 60, ends: 80, laws: []string{"S1", "S2", "S2r", "L2"}, states: 1000,
	})
	add(rules{
		name: "an honest network", authorities: []authority{exact}, certs: dated(owner, 99), maxCerts: 1, maxOwn: 3, honest: true,
		to: []target{'A', 'B', nobody}, until: 60, life: 40, laws: append([]string{"S1n", "L1"}, honestLaws...), states: 1000,
	})
	add(rules{
		name: "two nodes with a common store", certs: dated(owner, 99), maxCerts: 1, maxOwn: 2,
		to: []target{'A', 'B', nobody}, offsets: []int16{0, 0}, until: 10, life: 20, laws: honestLaws, states: 1000,
	})
	add(rules{
		name: "two nodes with a common store, and a thief", authorities: []authority{hour}, certs: dated(both, 40), maxCerts: 2, maxOwn: 1, maxThief: 1,
		to: []target{'A'}, thiefTo: []target{'E'}, offsets: []int16{0, 0}, until: 10, life: 40, ends: 60, laws: theftLaws, states: 1000,
	})
	return list
}

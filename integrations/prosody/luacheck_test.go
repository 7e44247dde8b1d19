package prosody

import (
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// TestLuacheck: nothing is undefined, unused or shadowed, in the oldest Lua that
// Prosody runs with.
func TestLuacheck(t *testing.T) {
	realtest.Need(t, "luacheck")
	realtest.Output(t, ".", "luacheck", "--std", "lua51", "--read-globals", "module", "prosody", "--max-line-length", "150", "mod_s2s_auth_dna.lua", "mod_s2s_dna_statements.lua")
}

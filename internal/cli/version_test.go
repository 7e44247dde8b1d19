package cli

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// TestVersion: what --version says of each way to build.
func TestVersion(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef01234567"
	const installed = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	checkout := &debug.BuildInfo{Main: debug.Module{Version: "v0.1.1-0.20261201080000-0123456789ab+dirty"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: hash}, {Key: "vcs.time", Value: "2026-12-01T08:00:00Z"}, {Key: "vcs.modified", Value: "true"}}}
	nothing := &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}
	for _, c := range []struct {
		name, archived string
		info           *debug.BuildInfo
		want           string
	}{
		{"archive of a tag", hash + " 1796112000 v0.1.0\n", nothing, "v0.1.0, commit " + hash + ", 2026-12-01T08:00:00Z"},
		{"archive after a tag", hash + " 1796112000 v0.1.0-3-g0123456789ab\n", nothing, "v0.1.0-3-g0123456789ab, commit " + hash + ", 2026-12-01T08:00:00Z"},
		{"archive without tags", hash + " 1796112000 \n", nothing, "(devel), commit " + hash + ", 2026-12-01T08:00:00Z"},
		{"archive below another repository", hash + " 1796112000 v0.1.0\n", checkout, "v0.1.0, commit " + hash + ", 2026-12-01T08:00:00Z"},
		{"checkout", archived, checkout, "v0.1.1-0.20261201080000-0123456789ab+dirty, commit " + hash + ", 2026-12-01T08:00:00Z"},
		{"go install of a version", archived, &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0", Sum: installed}}, "v0.1.0, module " + installed},
		{"files without a history", archived, nothing, "(devel), commit unknown"},
		{"no information", archived, nil, "(devel), commit unknown"},
	} {
		got, found := strings.CutSuffix(versionOf(c.archived, c.info).String(), ", "+runtime.Version()+", "+runtime.GOOS+"/"+runtime.GOARCH)
		if got != c.want || !found {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestArchivedFormat: "git archive" has something to replace. A source archive
// has been given its commit already.
func TestArchivedFormat(t *testing.T) {
	if v := versionOf(archived, nil); v.Commit == "" && archived != "$Format:%H %ct %(describe:tags=true,match=v*,abbrev=12)$\n" {
		t.Errorf("commit.txt is %q", archived)
	}
}

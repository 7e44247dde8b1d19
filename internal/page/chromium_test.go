package page

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/chromium"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// screenshots is a folder for those of the light scheme:
//
//	go test ./internal/page -run TestChromium -screenshots ../../docs/page
var screenshots = flag.String("screenshots", "", "folder to write screenshots of the samples to")

// TestChromium looks at the pages in a real browser: wide and on a phone, light
// and dark. Nothing is wider than the screen, the style is accepted, and the two
// schemes differ. People look at the screenshots in docs/page.
func TestChromium(t *testing.T) {
	b, samples := chromium.Start(t), samples(t)
	pages := map[string][]byte{
		"form":    Form{Service: "xmpp-server"}.HTML(),
		"list":    List{Service: "xmpp-server", From: 1, Of: 1, Rows: []Row{{Domain: world.Source, Link: "/domain?domain=b.example", Verdict: VerdictOf(samples["refused"])}}}.HTML(),
		"refusal": Refusal{Code: 429, Detail: "Your network has asked too often.", ToDo: "Wait for a minute."}.HTML(),
		"hostile": Domain(hostile(t, 5), ""),
	}
	for name, r := range samples {
		pages[name] = Domain(r, "")
	}
	dir := t.TempDir()
	for name, content := range pages {
		file := filepath.Join(dir, name+".html")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int{1200, 390} {
			backgrounds := map[bool]string{}
			for _, dark := range []bool{false, true} {
				what := fmt.Sprintf("%s at %d, dark %v", name, width, dark)
				b.Open(t, "file://"+file, chromium.View{Width: width, Dark: dark})
				_, shown := samples[name]
				if shown && !dark && *screenshots != "" {
					keep(t, fmt.Sprintf("%s-%d", name, width), b.Screenshot(t))
				}
				var seen struct {
					Width, Client, Heading int
					Background             string
					Over                   []string
				}
				b.Eval(t, `(() => { const root = document.documentElement; root.querySelectorAll("details").forEach(d => d.open = true); return {
					Width: root.scrollWidth, Client: root.clientWidth, Background: getComputedStyle(document.body).backgroundColor,
					Heading: document.querySelectorAll("h1").length,
					Over: [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > root.clientWidth + 0.5 || e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display != "inline").map(e => e.outerHTML.slice(0, 80)),
				}})()`, &seen)
				if seen.Client != width || seen.Width != width || len(seen.Over) > 0 {
					t.Errorf("%s: it is %d wide, in a window of %d: %q", what, seen.Width, seen.Client, seen.Over)
				}
				if seen.Heading != 1 {
					t.Errorf("%s: %d headings of the first level", what, seen.Heading)
				}
				backgrounds[dark] = seen.Background
			}
			if backgrounds[false] == backgrounds[true] || backgrounds[false] == "rgba(0, 0, 0, 0)" {
				t.Errorf("%s at %d: the background is %s, and in the dark %s", name, width, backgrounds[false], backgrounds[true])
			}
		}
	}
}

// keep writes a screenshot with few colours. All but the commonest stand on the edges of
// letters.
func keep(t *testing.T, name string, shot []byte) {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, reduce(t, full)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// distance is that of two colours, by the sum of their parts.
func distance(a, b color.Color) (d int) {
	x, y := color.RGBAModel.Convert(a).(color.RGBA), color.RGBAModel.Convert(b).(color.RGBA)
	for _, p := range [][2]uint8{{x.R, y.R}, {x.G, y.G}, {x.B, y.B}} {
		d += int(max(p[0], p[1]) - min(p[0], p[1]))
	}
	return d
}

// reduce gives each pixel the nearest of the colours of the style, and of the
// commonest others that differ.
func reduce(t *testing.T, full image.Image) *image.Paletted {
	const most = 20
	bounds := full.Bounds()
	count := map[color.RGBA]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)]++
		}
	}
	var palette color.Palette
	for _, scheme := range schemes(t) {
		for _, hex := range scheme {
			var c color.RGBA
			if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &c.R, &c.G, &c.B); err != nil {
				t.Fatal(err)
			}
			if c.A = 255; count[c] > 0 && !slices.Contains(palette, color.Color(c)) {
				palette = append(palette, c)
			}
		}
	}
	for len(palette) < most && len(count) > 0 {
		var commonest color.RGBA
		for c, n := range count {
			if n > count[commonest] || n == count[commonest] && fmt.Sprint(c) < fmt.Sprint(commonest) {
				commonest = c
			}
		}
		if n := commonest; len(palette) == 0 || distance(n, palette.Convert(n)) > 24 {
			palette = append(palette, n)
		}
		delete(count, commonest)
	}
	small := image.NewPaletted(bounds, palette)
	nearest := map[color.RGBA]uint8{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)
			i, known := nearest[c]
			if !known {
				i = uint8(palette.Index(c))
				nearest[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	return small
}

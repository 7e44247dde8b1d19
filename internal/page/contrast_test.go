package page

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// schemes reads the colours of the style: those of the light scheme, and of the
// dark one.
func schemes(t *testing.T) map[string]map[string]string {
	t.Helper()
	light, dark, found := strings.Cut(style, "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("there is no dark scheme")
	}
	dark, _, _ = strings.Cut(dark, "}")
	light, _, _ = strings.Cut(light, "}")
	variable := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	out := map[string]map[string]string{}
	for name, text := range map[string]string{"light": light, "dark": dark} {
		out[name] = map[string]string{}
		for _, m := range variable.FindAllStringSubmatch(text, -1) {
			out[name][m[1]] = m[2]
		}
	}
	if len(out["light"]) < 15 || len(out["light"]) != len(out["dark"]) {
		t.Fatalf("%d and %d colours", len(out["light"]), len(out["dark"]))
	}
	return out
}

// luminance is that of WCAG 2.2.
func luminance(color string) (l float64) {
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(color[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return math.NaN()
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast computes the contrast of every pair of colours that the style
// uses: AA wants 4.5 for text and 3 for graphics.
func TestContrast(t *testing.T) {
	text := [][2]string{
		{"text", "back"}, {"text", "card"}, {"soft", "back"}, {"soft", "card"}, {"link", "card"}, {"card", "link"}, {"text", "code-back"},
		{"text", "good-back"}, {"text", "bad-back"}, {"text", "open-back"}, {"text", "warn-back"},
	}
	graphics := [][2]string{{"soft", "card"}, {"link", "back"}, {"soft", "back"}}
	for _, tone := range []string{"good", "bad", "open", "warn"} {
		text = append(text, [2]string{tone, tone + "-back"}, [2]string{tone, "card"})
		graphics = append(graphics, [2]string{tone, tone + "-back"}, [2]string{tone, "card"})
	}
	checked := 0
	for name, colors := range schemes(t) {
		for least, pairs := range map[float64][][2]string{4.5: text, 3: graphics} {
			for _, p := range pairs {
				a, b := colors[p[0]], colors[p[1]]
				if a == "" || b == "" {
					t.Fatalf("%s: there is no %s or %s", name, p[0], p[1])
				}
				if got := contrast(a, b); !(got >= least) {
					t.Errorf("%s: %s on %s has %.2f, want %.1f", name, p[0], p[1], got, least)
				}
				checked++
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d pairs", checked)
	}
	// All colours are in the variables, so that no pair escapes.
	_, rest, _ := strings.Cut(style, "* { box-sizing")
	if other := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(|opacity`).FindString(rest); other != "" {
		t.Errorf("%s is a colour beside the variables", other)
	}
	if got := contrast("#000000", "#ffffff"); math.Abs(got-21) > 0.01 {
		t.Errorf("black on white has %.2f", got)
	}
}

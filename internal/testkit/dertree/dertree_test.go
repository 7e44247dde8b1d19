package dertree

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	der, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestForms(t *testing.T) {
	for _, c := range []struct {
		name string
		node *Node
		want string
	}{
		{"primitive", Primitive(4, 1, 2), "04020102"},
		{"empty", Constructed(0x30), "3000"},
		{"nested", Constructed(0x30, Primitive(2, 5), Constructed(0xa0, Primitive(5))), "3007020105a0020500"},
		{"tail", &Node{Tag: 0x30, Children: []*Node{Primitive(5)}, Tail: []byte{0}}, "3003050000"},
		{"padded", &Node{Tag: 4, Content: []byte{7}, Form: Padded}, "04810107"},
		{"indefinite", &Node{Tag: 0x30, Children: []*Node{Primitive(5)}, Form: Indefinite}, "308005000000"},
	} {
		if got := hex.EncodeToString(c.node.Bytes()); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for size, want := range map[int]string{127: "047f", 128: "048180", 255: "0481ff", 256: "04820100", 65535: "0482ffff"} {
		if got := Primitive(4, make([]byte, size)...).Bytes(); hex.EncodeToString(got[:len(got)-size]) != want {
			t.Errorf("%d octets: begins %x, want %s", size, got[:len(got)-size], want)
		}
	}
	for size, want := range map[int]string{127: "04817f", 128: "04820080", 256: "0483000100"} {
		n := &Node{Tag: 4, Content: make([]byte, size), Form: Padded}
		if got := n.Bytes(); hex.EncodeToString(got[:len(got)-size]) != want {
			t.Errorf("%d octets, padded: begins %x, want %s", size, got[:len(got)-size], want)
		}
	}
}

func TestParse(t *testing.T) {
	der := unhex(t, "300c0201053007a0020500040102")
	n, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(n.Bytes(), der) {
		t.Errorf("written again as %x", n.Bytes())
	}
	visited := 0
	n.Walk(func(path []int, child *Node) {
		visited++
		if n.At(path...) != child {
			t.Errorf("another node at %v", path)
		}
	})
	if visited != 6 {
		t.Errorf("%d nodes", visited)
	}
	for _, bad := range []string{"", "30", "3001", "30800000", "048101ff", "05000500", "300104", "1f2000"} {
		if _, err := Parse(unhex(t, bad)); err == nil {
			t.Errorf("%s is parsed", bad)
		}
	}
}

func TestSurgery(t *testing.T) {
	n := MustParse(unhex(t, "3003020105"))
	n.Add(Primitive(5))
	n.Insert(0, Primitive(4))
	n.Remove(1)
	if got := hex.EncodeToString(n.Bytes()); got != "300404000500" {
		t.Errorf("%s", got)
	}
}

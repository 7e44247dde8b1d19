package x509attr

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// mutateTree changes one to four random elements of a tree: their order, their
// number, their tags or their octets. Unlike a change of octets it keeps the
// lengths right, so the result gets past the first reader.
func mutateTree(r *rapid.T, root *node) {
	for range rapid.IntRange(1, 4).Draw(r, "edits") {
		var all []*node
		root.walk(nil, func(_ []int, n *node) { all = append(all, n) })
		n := all[rapid.IntRange(0, len(all)-1).Draw(r, "element")]
		other := all[rapid.IntRange(0, len(all)-1).Draw(r, "other")]
		switch rapid.IntRange(0, 7).Draw(r, "edit") {
		case 0:
			// The encoder below knows short tags only.
			n.tag = rapid.Byte().Filter(func(b byte) bool { return b&0x1f != 0x1f }).Draw(r, "tag")
		case 1:
			n.content = rapid.SliceOfN(rapid.Byte(), 0, 24).Draw(r, "content")
		case 2:
			if len(n.content) > 0 {
				n.content[rapid.IntRange(0, len(n.content)-1).Draw(r, "octet")] = rapid.Byte().Draw(r, "value")
			}
		case 3:
			if len(n.children) > 0 {
				n.remove(rapid.IntRange(0, len(n.children)-1).Draw(r, "child"))
			}
		case 4:
			slices.Reverse(n.children)
		case 5:
			// A copy made from octets, so that no tree contains itself.
			s := other.encode()
			if i := rapid.IntRange(0, len(n.children)).Draw(r, "place"); n.tag&0x20 != 0 && len(s) < 1000 {
				n.children = slices.Insert(n.children, i, &node{tag: s[0], content: contentOf(r, s)})
			}
		case 6:
			n.tail = rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(r, "tail")
		case 7:
			n.tag = other.tag
		}
	}
}

// TestMutatedTrees holds both parsers to their laws on inputs that are nearly
// right. It asserts that some are accepted, or it would prove nothing.
func TestMutatedTrees(t *testing.T) {
	cert := create(t, richTemplate(t))
	bag := marshalBag(t, testBag(t))
	accepted := 0
	t.Run("certificate", func(t *testing.T) {
		rapid.Check(t, func(r *rapid.T) {
			root := parseTree(t, cert)
			mutateTree(r, root)
			ac, err := Parse(root.encode())
			if err == nil {
				accepted++
				checkReencodes(r, ac)
			}
		})
	})
	t.Run("bag", func(t *testing.T) {
		rapid.Check(t, func(r *rapid.T) {
			root := parseTree(t, bag)
			mutateTree(r, root)
			der := root.encode()
			got, err := ParseBag(der)
			if err == nil {
				accepted++
				if again := marshalBag(r, got); !bytes.Equal(sortedOctets(again), sortedOctets(der)) {
					r.Fatalf("written again as\n%x, was\n%x", again, der)
				}
			}
		})
	})
	if accepted < 10 {
		t.Errorf("%d inputs accepted, the test proves little", accepted)
	}
}

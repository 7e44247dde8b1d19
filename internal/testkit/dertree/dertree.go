// Package dertree takes DER apart into a tree that a test can spoil in one
// place and put together again, with every other length right. It is for
// tests: it knows no ASN.1 but tags, lengths and nesting.
package dertree

import (
	"bytes"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Form is how the length of an element is written.
type Form int

// DER has one form; the others are legal in BER only.
const (
	Minimal    Form = iota // the form of DER
	Padded                 // with a leading octet more than needed
	Indefinite             // with an end-of-contents marker instead
)

// A Node is one element. Its content is that of a primitive element or the
// children of a constructed one, and then the octets that a test appends.
type Node struct {
	Tag      byte // class, form and number, which is below 31
	Content  []byte
	Children []*Node
	Tail     []byte
	Form     Form
}

const constructed = 0x20

// Primitive makes an element of octets.
func Primitive(tag byte, content ...byte) *Node { return &Node{Tag: tag, Content: content} }

// Constructed makes an element of elements.
func Constructed(tag byte, children ...*Node) *Node { return &Node{Tag: tag, Children: children} }

// Parse reads exactly one element and everything in it.
func Parse(der []byte) (*Node, error) {
	s := cryptobyte.String(der)
	var content cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&content, &tag) || !s.Empty() {
		return nil, fmt.Errorf("dertree: not one element of DER: %x", der)
	}
	n := &Node{Tag: byte(tag)}
	if tag&constructed == 0 {
		n.Content = bytes.Clone(content)
		return n, nil
	}
	for !content.Empty() {
		var element cryptobyte.String
		if !content.ReadAnyASN1Element(&element, &tag) {
			return nil, fmt.Errorf("dertree: not elements of DER: %x", content)
		}
		child, err := Parse(element)
		if err != nil {
			return nil, err
		}
		n.Children = append(n.Children, child)
	}
	return n, nil
}

// MustParse is Parse for what is known to be DER.
func MustParse(der []byte) *Node {
	n, err := Parse(der)
	if err != nil {
		panic(err)
	}
	return n
}

// Bytes writes the element.
func (n *Node) Bytes() []byte {
	content := bytes.Clone(n.Content)
	for _, child := range n.Children {
		content = append(content, child.Bytes()...)
	}
	content = append(content, n.Tail...)
	if n.Form == Indefinite {
		return slices.Concat([]byte{n.Tag, 0x80}, content, []byte{0, 0})
	}
	return slices.Concat([]byte{n.Tag}, n.length(len(content)), content)
}

// length writes a length of up to 65,535.
func (n *Node) length(size int) []byte {
	octets := []byte{byte(size >> 8), byte(size)}
	if size < 0x100 {
		octets = octets[1:]
	}
	switch {
	case n.Form == Padded && size < 0x80:
		return []byte{0x81, byte(size)}
	case n.Form == Padded:
		octets = append([]byte{0}, octets...)
	case size < 0x80:
		return octets
	}
	return append([]byte{0x80 | byte(len(octets))}, octets...)
}

// Constructed says whether the element is one of elements.
func (n *Node) Constructed() bool { return n.Tag&constructed != 0 }

// At follows a path of child numbers.
func (n *Node) At(path ...int) *Node {
	for _, i := range path {
		n = n.Children[i]
	}
	return n
}

// Add appends children.
func (n *Node) Add(children ...*Node) { n.Children = append(n.Children, children...) }

// Insert puts a child before child i.
func (n *Node) Insert(i int, child *Node) { n.Children = slices.Insert(n.Children, i, child) }

// Remove takes child i away.
func (n *Node) Remove(i int) { n.Children = slices.Delete(n.Children, i, i+1) }

// Walk calls visit for the element and all below it, with the path to each.
func (n *Node) Walk(visit func(path []int, n *Node)) { n.walk(nil, visit) }

func (n *Node) walk(path []int, visit func(path []int, n *Node)) {
	visit(path, n)
	for i, child := range n.Children {
		child.walk(append(slices.Clone(path), i), visit)
	}
}

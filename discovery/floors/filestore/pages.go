package filestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The library trusts the pages of its file. A damaged page can make it read
// outside the file, or follow a circle for ever. It can also panic in a
// goroutine of its own, where nobody can recover. So every page that can be
// reached is looked at here, before the library sees the file.
//
// The layout, in the byte order of the machine:
//
//	page:    id (8) | flags (2) | count (2) | overflow (4) | elements | keys and values
//	meta:    magic (4) | version (4) | page size (4) | flags (4) | root (8) |
//	         sequence (8) | free list (8) | end (8) | transaction (8) | FNV-1a of all that (8)
//	branch:  position (4) | key length (4) | page (8)
//	leaf:    flags (4) | position (4) | key length (4) | value length (4)
//	bucket:  root (8) | sequence (8) | a page, if root is 0
//
// A page is 1 + overflow pages long, and a position counts from the start of
// its element. Pages 0 and 1 are metas; the one of the later transaction is
// valid. end is the first page that is not in use.
const (
	pageHead    = 16
	elementSize = 16
	bucketHead  = 16
	metaSize    = 64

	flagBranch = 1
	flagLeaf   = 2
	flagMeta   = 4
	leafBucket = 1

	metaMagic   = 0xED0CDAED
	metaVersion = 2
	noFreeList  = 1<<64 - 1

	// A tree of 2^64 pages with two children each has this depth.
	maxDepth = 64
)

var order = binary.NativeEndian

// A pageFile is a file of pages that is being checked.
type pageFile struct {
	file io.ReaderAt
	size uint64 // of a page
	end  uint64
	seen []bool
}

// checkPages tells whether a file is one that the library can work with: every
// page in its place, once, whole, with its keys in order. It does not see what
// the keys and values say. Errors wrap [floors.ErrDamaged] or are those of reading.
func checkPages(file io.ReaderAt, length int64) error {
	m, err := readMeta(file, 0, 0)
	if err != nil {
		return err
	}
	other, err := readMeta(file, 1, int64(m.pageSize))
	if err != nil {
		return err
	}
	if other.transaction > m.transaction {
		m, other = other, m
	}
	if other.pageSize != m.pageSize || other.transaction+1 != m.transaction {
		return damaged("its two roots do not fit each other")
	}
	if m.freeList != noFreeList {
		return damaged("it was written by another program, which stored a list of free pages")
	}
	if m.end > uint64(length)/m.pageSize {
		return damaged("it is cut off: %d octets, and %d pages of %d octets are in use", length, m.end, m.pageSize)
	}
	p := &pageFile{file: file, size: m.pageSize, end: m.end, seen: make([]bool, m.end)}
	return p.tree(m.root, nil, nil, 0, true)
}

type meta struct {
	pageSize, root, freeList, end, transaction uint64
}

// readMeta reads a meta page at an offset. A crash leaves both whole: they are
// written in turn, each in a single sector, and never the one that counts.
func readMeta(file io.ReaderAt, id uint64, at int64) (m meta, err error) {
	page := make([]byte, pageHead+metaSize)
	if _, err := file.ReadAt(page, at); errors.Is(err, io.EOF) {
		return m, damaged("it is cut off")
	} else if err != nil {
		return m, err
	}
	sum := fnv.New64a()
	body := page[pageHead : pageHead+metaSize-8]
	sum.Write(body)
	if order.Uint64(page) != id || order.Uint16(page[8:]) != flagMeta || order.Uint32(body) != metaMagic ||
		order.Uint32(body[4:]) != metaVersion || order.Uint64(page[pageHead+metaSize-8:]) != sum.Sum64() {
		return m, damaged("one of its two roots")
	}
	m = meta{
		uint64(order.Uint32(body[8:])), order.Uint64(body[16:]), order.Uint64(body[32:]), order.Uint64(body[40:]), order.Uint64(body[48:]),
	}
	if m.transaction%2 != id {
		return m, damaged("one of its two roots is in the place of the other")
	}
	if m.pageSize < pageHead+metaSize || m.pageSize > 64<<10 || m.pageSize&(m.pageSize-1) != 0 {
		return m, damaged("pages of %d octets", m.pageSize)
	}
	return m, nil
}

// read reads a page with its overflow, once.
func (p *pageFile) read(id uint64) ([]byte, error) {
	if id < 2 || id >= p.end {
		return nil, damaged("a page %d, of %d", id, p.end)
	}
	head := make([]byte, pageHead)
	if _, err := p.file.ReadAt(head, int64(id*p.size)); err != nil {
		return nil, err
	}
	pages := 1 + uint64(order.Uint32(head[12:]))
	if order.Uint64(head) != id || pages > p.end-id {
		return nil, damaged("page %d is none", id)
	}
	for i := id; i < id+pages; i++ {
		if p.seen[i] {
			return nil, damaged("page %d is in use twice", i)
		}
		p.seen[i] = true
	}
	page := make([]byte, pages*p.size)
	_, err := p.file.ReadAt(page, int64(id*p.size))
	return page, err
}

// tree checks a page and all below it. Keys are at least from and below to,
// where those are not nil. Only the outermost tree holds buckets.
func (p *pageFile) tree(id uint64, from, to []byte, depth int, outer bool) error {
	if depth > maxDepth {
		return damaged("its tree is too deep")
	}
	page, err := p.read(id)
	if err != nil {
		return err
	}
	elements, err := readElements(page, from, to)
	if err != nil {
		return fmt.Errorf("%w (page %d)", err, id)
	}
	branch := order.Uint16(page[8:]) == flagBranch
	if len(elements) == 0 && (branch || depth > 0) {
		return damaged("page %d is empty", id)
	}
	for i, e := range elements {
		switch {
		case branch:
			end := to
			if i+1 < len(elements) {
				end = elements[i+1].key
			}
			err = p.tree(e.child, e.key, end, depth+1, outer)
		case e.bucket && outer:
			err = p.bucket(e.value)
		case e.bucket:
			err = damaged("a bucket on page %d", id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket checks a bucket that is not the outermost.
func (p *pageFile) bucket(value []byte) error {
	if len(value) < bucketHead {
		return damaged("a bucket of %d octets", len(value))
	}
	if root := order.Uint64(value); root != 0 {
		return p.tree(root, nil, nil, 0, false)
	}
	inline := value[bucketHead:]
	if len(inline) < pageHead || order.Uint64(inline) != 0 || order.Uint16(inline[8:]) != flagLeaf {
		return damaged("a bucket without a page")
	}
	elements, err := readElements(inline, nil, nil)
	for _, e := range elements {
		if e.bucket {
			return damaged("a bucket in a small bucket")
		}
	}
	return err
}

// An element of a branch has a child, one of a leaf a value.
type element struct {
	key, value []byte
	child      uint64
	bucket     bool
}

// readElements reads the elements of a branch or leaf page, which lie behind
// one another inside of it and have ascending keys.
func readElements(page, from, to []byte) ([]element, error) {
	flags, count := order.Uint16(page[8:]), int(order.Uint16(page[10:]))
	data := pageHead + count*elementSize
	if flags != flagBranch && flags != flagLeaf || data > len(page) {
		return nil, damaged("a page of type %d with %d elements", flags, count)
	}
	elements := make([]element, count)
	for i := range elements {
		at := pageHead + i*elementSize
		field := func(n int) uint64 { return uint64(order.Uint32(page[at+4*n:])) }
		e := &elements[i]
		var start, key, value uint64
		if flags == flagBranch {
			start, key = uint64(at)+field(0), field(1)
			e.child = order.Uint64(page[at+8:])
		} else {
			start, key, value = uint64(at)+field(1), field(2), field(3)
			e.bucket = field(0) == leafBucket
			if field(0) > leafBucket {
				return nil, damaged("an element of type %d", field(0))
			}
		}
		if start < uint64(data) || start+key+value > uint64(len(page)) {
			return nil, damaged("an element that is not in its page")
		}
		e.key, e.value = page[start:start+key], page[start+key:start+key+value]
		if key == 0 || i == 0 && bytes.Compare(e.key, from) < 0 || i > 0 && bytes.Compare(e.key, elements[i-1].key) <= 0 ||
			to != nil && bytes.Compare(e.key, to) >= 0 {
			return nil, damaged("keys that are not in order")
		}
	}
	return elements, nil
}

// Package slab puts things side by side in memory that are made one by one and stay together: what a site of tens of thousands of posts
// consists of.
//
// Each by itself they would lie among what making them leaves behind. The gaps between them, into which little fits later, came to a
// quarter of all memory, and every thing to a place of its own that the collector looks at. In exchange, a piece stays as long as anything in it
// does: what comes and goes by itself is better made with the zero values, which ask for each by itself.
package slab

import (
	"strings"
	"unsafe"
)

// piece is how much memory is asked for at once, in bytes.
const piece = 16 << 10

// Of makes lists of one type. It is not safe for concurrent use.
type Of[E any] struct {
	Together bool // put lists side by side
	room     []E
}

// Make returns a list of n zero elements, without room to grow; nil for none.
func (s *Of[E]) Make(n int) []E {
	if n == 0 {
		return nil
	}
	var e E
	most := piece / max(1, int(unsafe.Sizeof(e)))
	if !s.Together || n > most/4 {
		return make([]E, n)
	}
	if n > len(s.room) {
		s.room = make([]E, most)
	}
	list := s.room[:n:n]
	s.room = s.room[n:]
	return list
}

// New returns a new element with a value.
func (s *Of[E]) New(e E) *E {
	list := s.Make(1)
	list[0] = e
	return &list[0]
}

// Copy returns a copy of a list, without room to grow; nil for an empty one.
func (s *Of[E]) Copy(list []E) []E {
	own := s.Make(len(list))
	copy(own, list)
	return own
}

// Texts makes texts. It is not safe for concurrent use.
type Texts struct {
	Together bool // put texts side by side
	room     strings.Builder
}

// Copy returns bytes as a text.
func (s *Texts) Copy(b []byte) string {
	if !s.Together || len(b) > piece/4 {
		return string(b)
	}
	if len(b) > s.room.Cap()-s.room.Len() {
		s.room = strings.Builder{}
		s.room.Grow(piece)
	}
	from := s.room.Len()
	s.room.Write(b) // within its room: the texts before stay where they are
	return s.room.String()[from:]
}

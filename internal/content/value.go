package content

import (
	"slices"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// kind is what a value of a front matter looks like, whatever language it is written in.
type kind uint8

const (
	kindNull kind = iota
	kindString
	kindBool
	kindNumber
	kindTime // TOML's dates; YAML's and JSON's are strings
	kindList
	kindMap
)

func (k kind) String() string {
	return [...]string{"nothing", "text", "true or false", "a number", "a time", "a list", "a map"}[k]
}

// value is a piece of front matter: what YAML, TOML and JSON have in common.
type value struct {
	kind  kind
	text  string // of a scalar: a string's value, else the source text
	items []value
	pairs []pair
	rng   finding.Range
	// span is where text stands in the file byte for byte, zero when escapes or folding changed it.
	span post.Span
	// lines maps text to the file where span cannot, for block scalars.
	lines offsets
}

type pair struct {
	key string
	rng finding.Range // of the key
	val value
}

// place is where a finding about the pair belongs: at its value, or at its key when there is none.
func (p *pair) place() finding.Range {
	if p.val.kind == kindNull || p.val.rng.Start.Line == 0 {
		return p.rng
	}
	return p.val.rng
}

// maxValues and maxDepth bound a front matter. They are far above what a person writes and far below
// what YAML aliases could unfold into.
const (
	maxValues = 20000
	maxDepth  = 16
)

// offsets maps a text that was made from a file, by leaving bytes out or putting others in, back to
// that file. It is sorted; an empty one means "nowhere".
type offsets []stretch

// stretch says that the text from its start on stands in the file from file on.
type stretch struct{ start, file int }

// after returns the index of the first stretch that starts after i.
func (o offsets) after(i int) int {
	n, _ := slices.BinarySearchFunc(o, i, func(s stretch, i int) int {
		if s.start <= i {
			return -1
		}
		return 1
	})
	return n
}

// at returns the file offset for the byte of the text at offset i.
func (o offsets) at(i int) int {
	n := o.after(i)
	if n == 0 {
		return 0
	}
	return o[n-1].file + i - o[n-1].start
}

// cut returns the first place after i and before end where a new stretch begins, else end.
func (o offsets) cut(i, end int) int {
	if n := o.after(i); n < len(o) {
		return min(o[n].start, end)
	}
	return end
}

package content

import (
	"io/fs"
	"sync"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// Parser reads many single posts of one site, and keeps what they have in common. It is safe for
// concurrent use.
type Parser struct {
	fsys   fs.FS
	o      Options
	shared *shared
	memory sync.Pool
}

// NewParser returns a parser for a site's folder; with a nil fsys, media are not looked at.
func NewParser(fsys fs.FS, o Options) *Parser {
	return &Parser{fsys: fsys, o: o, shared: newShared(), memory: sync.Pool{New: func() any { return &scratch{} }}}
}

// Parse reads one post, as the function [Parse] does.
func (p *Parser) Parse(path string, src []byte) (*post.Post, finding.List) {
	mem := p.memory.Get().(*scratch) // it holds nothing else
	defer p.memory.Put(mem)
	return parse(path, src, p.fsys, p.o, p.shared, mem)
}

const (
	// SameIDCode is the code of what [SameIDs] finds.
	SameIDCode = codeSameID
	// MissingCode is the code of what is said of a medium that is not there. The hint depends on the other files in its folder.
	MissingCode = codeMediaMissing
)

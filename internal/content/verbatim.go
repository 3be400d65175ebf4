package content

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// verbatimParser keeps Markdown's hands off addresses and handles in the text: https://example.com/_a_ and
// @_name_ have no emphasis in them, and &copy; in an address is no entity.
type verbatimParser struct{}

// Trigger implements [parser.InlineParser].
func (verbatimParser) Trigger() []byte { return []byte{':', '@', '#'} }

// Parse implements [parser.InlineParser].
func (verbatimParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, segment := block.PeekLine()
	n := 0
	if line[0] == ':' {
		if bytes.HasPrefix(line, []byte("://")) && afterScheme(block.Source()[:segment.Start]) {
			n = addressLength(line)
		}
	} else if len(line) > 1 && line[1] == '_' && !isWordByte(before(block.Source(), segment.Start)) {
		for n = 1; n < len(line) && isWordByte(line[n]); {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	block.Advance(n)
	return ast.NewRawTextSegment(text.NewSegment(segment.Start, segment.Start+n))
}

func before(src []byte, at int) byte {
	if at == 0 {
		return ' '
	}
	return src[at-1]
}

func isWordByte(c byte) bool {
	return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}

// afterScheme reports whether src ends with http or https, and that is a word.
func afterScheme(src []byte) bool {
	for _, scheme := range [2]string{"https", "http"} {
		if at := len(src) - len(scheme); at >= 0 && strings.EqualFold(string(src[at:]), scheme) {
			return !isWordByte(before(src, at))
		}
	}
	return false
}

// addressLength returns how many bytes from the start of line belong to an address: up to a blank or a
// bracket, without the punctuation and the delimiters that end a sentence or an emphasis.
func addressLength(line []byte) int {
	n := bytes.IndexAny(line, " \t\r\n<>[]`\"")
	if n < 0 {
		n = len(line)
	}
	for n > 3 {
		switch line[n-1] {
		case '*', '_', '~', '.', ',', ';', ':', '!', '?', '\'':
			if line[n-1] == '_' && isWordByte(line[n-2]) && bytes.IndexByte(line[:n-1], '_') > 0 {
				return n // /_a_: the underscores of the address, not those around it
			}
		case ')':
			if bytes.Count(line[:n], []byte{'('}) >= bytes.Count(line[:n], []byte{')'}) {
				return n
			}
		default:
			return n
		}
		n--
	}
	return 0
}

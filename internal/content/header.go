package content

import (
	"bufio"
	"bytes"

	"github.com/adrg/frontmatter"
)

// format is the language of a front matter.
type format uint8

const (
	formatNone format = iota
	formatYAML
	formatTOML
	formatJSON
)

// header is a file divided into front matter and body. Offsets count the file's bytes.
type header struct {
	format   format
	raw      []byte // the front matter without its delimiters; of JSON, with its braces
	rawStart int
	body     int // where the body starts
}

var byteOrderMark = []byte("\ufeff")

// splitHeader divides a file. Without ok, there is no telling where the body starts, and so there is none.
//
// The search is stricter than the library's, which hands a header that it does not recognise back as
// text to publish: a delimiter starts in column 1 and stands alone, and an opened header must end.
func (r *reader) splitHeader() (h header, ok bool) {
	src := r.src
	start := 0
	if bytes.HasPrefix(src, byteOrderMark) {
		start = len(byteOrderMark)
		r.warn(codeBOM, 0, 0, "the file starts with a byte-order mark", "save it as UTF-8 without BOM")
		r.mendAll(r.loc.Range(0, start), "", "remove the byte-order mark")
	}
	for start < len(src) { // blank lines before a header change nothing
		line := lineAt(src, start)
		if len(bytes.TrimSpace(line)) > 0 {
			break
		}
		start += len(line)
	}
	h.body = start
	first := lineAt(src, start)
	if bytes.HasPrefix(first, []byte("{")) {
		return r.splitJSON(start)
	}
	open := string(bytes.TrimRight(first, " \t\r\n"))
	switch open {
	case "---":
		h.format = formatYAML
	case "+++":
		h.format = formatTOML
	default:
		if indented := string(bytes.TrimSpace(first)); indented == "---" || indented == "+++" || bytes.HasPrefix(bytes.TrimSpace(first), []byte("---")) {
			r.fail(codeDelimiter, start, start+len(open), "the first line looks like a front matter delimiter and is none: "+quote(open),
				"write --- alone on the line, starting in column 1; a text cannot start with a thread break")
			if indented == "---" || indented == "+++" {
				r.mend(r.loc.Range(start, start+len(open)), open, indented)
			}
			return h, false
		}
		return h, true
	}
	h.rawStart = start + len(first)
	for at := h.rawStart; at < len(src); {
		line := lineAt(src, at)
		text := string(bytes.TrimRight(line, " \t\r\n"))
		if text == open || h.format == formatYAML && text == "..." {
			h.raw, h.body = src[h.rawStart:at], at+len(line)
			h.raw = r.librarySplit(src[start:h.body], open, text, h.raw)
			return h, true
		}
		at += len(line)
	}
	r.fail(codeUnterminated, start, start+len(open), "the front matter is never closed: no line after this one is "+quote(open),
		"close it with a line that is exactly "+open)
	return h, false
}

// librarySplit lets the library take the front matter out of head. Where it disagrees with the strict
// search, strict wins: it takes an indented delimiter inside a YAML block for the end.
func (r *reader) librarySplit(head []byte, open, end string, strict []byte) []byte {
	var raw []byte
	capture := frontmatter.NewFormat(open, end, func(b []byte, _ any) error { raw = b; return nil })
	if r.scratch.split == nil { // the library takes it as it is, instead of making one
		r.scratch.split = bufio.NewReader(nil)
	}
	r.scratch.split.Reset(bytes.NewReader(head))
	rest, err := frontmatter.Parse(r.scratch.split, nil, capture)
	if err != nil || len(rest) > 0 || len(raw) != len(strict) {
		return strict
	}
	return raw
}

// lineAt returns the line of src that starts at offset, with its line ending.
func lineAt(src []byte, offset int) []byte {
	rest := src[offset:]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		return rest[:i+1]
	}
	return rest
}

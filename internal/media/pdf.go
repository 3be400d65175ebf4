package media

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"strconv"
)

// maxUnpacked bounds how much of a PDF's packed objects is unpacked to count its pages.
const maxUnpacked = 64 << 20

// walkPDF reads a PDF to its end, counts its pages, and finds out whether it is encrypted: its trailer refers to, or holds, a dictionary
// that says how (ISO 32000-1:2008, section 7.6.1). It is an error when the end is missing, which viewers look for in the last kilobyte
// (the same, annex H.3, note 18).
func (i *Info) walkPDF(r *bufio.Reader) error {
	p := pdf{r: r, pages: map[int]bool{}, unpacked: maxUnpacked}
	for {
		err := p.next()
		switch {
		case errors.Is(err, io.EOF):
			if !bytes.Contains(p.last[max(0, len(p.last)-tail):], []byte("%%EOF")) {
				return errCut
			}
			i.Pages = len(p.pages)
			return nil
		case err != nil:
			return err
		}
	}
}

// pdf looks for names, which begin with a slash, and does not care what they stand in: in packed data they are not found by chance.
type pdf struct {
	r        *bufio.Reader
	last     []byte       // the last kilobytes that were read
	object   int          // the number of the object at hand
	pages    map[int]bool // the objects that are pages; one that was changed stands there twice
	unpacked int64        // how much more may be unpacked
}

// tail is in how many last bytes the end of a PDF is looked for.
const tail = 1024

// read reads up to an end that may be far away, and returns some of what was read.
func (p *pdf) read(end byte) ([]byte, error) {
	b, err := p.r.ReadSlice(end)
	if len(p.last) > 64*tail {
		p.last = append(p.last[:0], p.last[len(p.last)-tail:]...)
	}
	p.last = append(p.last, b...)
	return b, err
}

// next goes on to the next name.
func (p *pdf) next() error {
	before, err := p.read('/')
	if at := bytes.LastIndex(before, []byte(" obj")); at >= 0 {
		p.object = objectNumber(before[:at])
	}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil
	case err != nil:
		return err
	}
	name, _ := p.r.Peek(32) // less at the end, which then is no such name
	switch {
	case encrypted(name):
		return ErrLocked
	case isType(name, "Page"):
		p.pages[p.object] = true
	case isType(name, "ObjStm"):
		return p.unpack()
	}
	return nil
}

// objectNumber returns the number of the object that begins behind before: "12 0" for "12 0 obj".
func objectNumber(before []byte) int {
	digit := func(r rune) bool { return '0' <= r && r <= '9' }
	before = bytes.TrimRight(bytes.TrimRightFunc(before, digit), " ")
	n, _ := strconv.Atoi(string(before[len(bytes.TrimRightFunc(before, digit)):])) // 0 where there is none
	return n
}

const pdfSpace = " \t\r\n\f\x00"

// encrypted reports whether a name without its slash is the key of a dictionary about encryption.
func encrypted(name []byte) bool {
	rest, ok := bytes.CutPrefix(name, []byte("Encrypt"))
	rest = bytes.TrimLeft(rest, pdfSpace)
	return ok && len(rest) > 0 && ('1' <= rest[0] && rest[0] <= '9' || bytes.HasPrefix(rest, []byte("<<")))
}

// isType reports whether a name without its slash is "Type", with the given one behind it.
func isType(name []byte, kind string) bool {
	rest, ok := bytes.CutPrefix(name, []byte("Type"))
	rest, named := bytes.CutPrefix(bytes.TrimLeft(rest, pdfSpace), []byte("/"+kind))
	return ok && named && (len(rest) == 0 || bytes.IndexByte([]byte(pdfSpace+"/<>[]()%"), rest[0]) >= 0)
}

// unpack counts the pages among objects that are packed together (ISO 32000-1:2008, section 7.5.7). What does not unpack is passed over:
// then the pages are not known.
func (p *pdf) unpack() error {
	const stream = "stream"
	for { // the dictionary's other keys, up to the data
		b, err := p.read(stream[len(stream)-1])
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil
		case err != nil:
			return err
		}
		if bytes.HasSuffix(b, []byte(stream)) {
			break
		}
	}
	for {
		b, err := p.r.ReadByte()
		if err != nil {
			return err
		}
		if b != '\r' && b != '\n' {
			_ = p.r.UnreadByte() // it was just read
			break
		}
	}
	z, err := zlib.NewReader(p.r)
	if err != nil {
		return nil
	}
	var b bytes.Buffer
	n, _ := io.Copy(&b, io.LimitReader(z, p.unpacked)) // what is damaged is counted as far as it goes
	p.unpacked -= n
	p.count(b.Bytes())
	return nil
}

// count notes the pages among objects: first their numbers and places, in pairs, then they themselves.
func (p *pdf) count(objects []byte) {
	number := -1
	var numbers, places []int
	rest := objects
	for {
		rest = bytes.TrimLeft(rest, pdfSpace)
		end := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 {
			break
		}
		n, _ := strconv.Atoi(string(rest[:end])) // one that is too large is none of a page
		rest = rest[end:]
		if number < 0 {
			number = n
			continue
		}
		numbers, places, number = append(numbers, number), append(places, n), -1
	}
	for k, from := range places {
		to := len(rest)
		if k+1 < len(places) {
			to = places[k+1]
		}
		if from < 0 || from > to || to > len(rest) {
			return
		}
		for object := rest[from:to]; ; {
			at := bytes.IndexByte(object, '/')
			if at < 0 {
				break
			}
			if object = object[at+1:]; isType(object, "Page") {
				p.pages[numbers[k]] = true
			}
		}
	}
}

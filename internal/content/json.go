package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// splitJSON divides a file that starts with an object. Where the object ends is for a JSON reader to
// say, since braces may stand in texts; its values are kept, so that nothing is read twice.
func (r *reader) splitJSON(start int) (header, bool) {
	h := header{format: formatJSON, rawStart: start, body: start}
	j := jsonReader{r: r, offset: start, dec: json.NewDecoder(bytes.NewReader(r.src[start:]))}
	j.dec.UseNumber()
	v, err := j.value(0)
	if err != nil {
		at := start + int(j.dec.InputOffset())
		var se *json.SyntaxError
		message := err.Error()
		switch {
		case errors.As(err, &se):
			at = start + max(0, int(se.Offset)-1)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			r.fail(codeUnterminated, start, start+1, "the front matter is never closed: its { has no }", "close it, or write \\{ to start a text with a brace")
			return h, false
		}
		r.fail(codeSyntax, at, at, "the front matter is not valid JSON: "+message, "write \\{ to start a text with a brace")
		return h, false
	}
	end := start + int(j.dec.InputOffset())
	h.raw = r.src[start:end]
	rest := lineAt(r.src, end)
	if len(bytes.TrimSpace(rest)) > 0 {
		r.fail(codeDelimiter, end, end, "there is text on the line on which the front matter ends", "start the text on a line of its own")
		return h, false
	}
	h.body = end + len(rest)
	r.jsonValue = v
	return h, true
}

type jsonReader struct {
	r      *reader
	dec    *json.Decoder
	offset int // where the object stands in the file
	values int
}

// next reads a token and returns where it stands.
func (j *jsonReader) next() (tok json.Token, start, end int, err error) {
	start = j.offset + int(j.dec.InputOffset())
	tok, err = j.dec.Token()
	end = j.offset + int(j.dec.InputOffset())
	for start < end && bytes.IndexByte([]byte(" \t\r\n,:"), j.r.src[start]) >= 0 {
		start++
	}
	return tok, start, end, err
}

func (j *jsonReader) value(depth int) (value, error) {
	tok, start, end, err := j.next()
	if err != nil {
		return value{}, err
	}
	return j.from(tok, start, end, depth)
}

// from reads the value that begins with tok.
func (j *jsonReader) from(tok json.Token, start, end, depth int) (value, error) {
	v := value{rng: j.r.loc.Range(start, end)}
	if j.values++; j.values > maxValues || depth > maxDepth {
		return v, fmt.Errorf("more than %d values or %d levels", maxValues, maxDepth)
	}
	switch tok := tok.(type) {
	case nil:
	case bool:
		v.kind, v.text = kindBool, fmt.Sprint(tok)
	case json.Number:
		v.kind, v.text = kindNumber, tok.String()
	case string:
		v.kind, v.text = kindString, tok
		if end-start == len(tok)+2 { // no escapes
			v.span = post.Span{Start: start + 1, End: end - 1}
		}
	case json.Delim:
		v.rng = finding.Range{Start: v.rng.Start}
		closing := json.Delim('}')
		v.kind = kindMap
		if tok == '[' {
			v.kind, closing = kindList, ']'
		}
		for {
			tok, start, end, err := j.next()
			if err != nil {
				return v, err
			}
			if tok == closing {
				return v, nil
			}
			if v.kind == kindList {
				item, err := j.from(tok, start, end, depth+1)
				if err != nil {
					return v, err
				}
				v.items = append(v.items, item)
				continue
			}
			key, _ := tok.(string)
			rng := j.r.loc.Range(start, end)
			val, err := j.value(depth + 1)
			if err != nil {
				return v, err
			}
			v.pairs = append(v.pairs, pair{key: key, rng: rng, val: val})
		}
	}
	return v, nil
}

package content

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// readYAML reads the front matter of a file.
func (r *reader) readYAML(h header) (value, bool) {
	first := bytes.Count(r.src[:h.rawStart], []byte{'\n'}) // lines before it
	y := yamlReader{raw: h.raw, text: r.text, offset: h.rawStart, line: first, fail: func(rng finding.Range, message, hint string) {
		r.add(codeSyntax, finding.Error, rng, message, hint)
	}}
	if len(bytes.TrimSpace(h.raw)) == 0 {
		return value{kind: kindMap}, true
	}
	var doc yaml.Node
	if err := yaml.Load(h.raw, &doc); err != nil {
		var le *yaml.LoadError
		pos := finding.Pos{Line: first + 1, Column: 1}
		message := err.Error()
		if errors.As(err, &le) {
			message = strings.TrimPrefix(le.Message, "yaml: ")
			if message == "no documents in stream" { // nothing but comments
				return value{kind: kindMap}, true
			}
			if le.Mark.Line > 0 {
				pos = finding.Pos{Line: first + le.Mark.Line, Column: max(1, le.Mark.Column)}
			}
			if le.ContextMsg != "" {
				message = le.ContextMsg + ": " + message
			}
		}
		r.add(codeSyntax, finding.Error, finding.Range{Start: pos}, "the front matter is not valid YAML: "+message, yamlHint(message))
		r.mendYAML(h, pos)
		return value{}, false
	}
	if len(doc.Content) == 0 {
		return value{kind: kindMap}, true
	}
	y.starts = r.scratch.lines[:0]
	y.index()
	r.scratch.lines = y.starts
	v := y.value(doc.Content[0], 0)
	return v, !y.failed
}

func yamlHint(message string) string {
	switch {
	case strings.Contains(message, "multiple"):
		return "close the front matter with a line that is exactly ---"
	case strings.Contains(message, "mapping values are not allowed"):
		return `put quotes around a text that contains ": "`
	case strings.Contains(message, "cannot start any token"):
		return `indent with spaces, not tabs, and put quotes around a text that starts with @, % or a backquote`
	case strings.Contains(message, "alias"), strings.Contains(message, "anchor"):
		return `put quotes around a text that starts with * or &`
	default:
		return "check the indentation, and put quotes around texts with special characters"
	}
}

// yamlReader turns YAML nodes into values.
type yamlReader struct {
	raw    []byte // what was parsed; nil when its source is not at hand
	text   string // the file, as the post keeps it; empty when that is not at hand
	offset int    // where raw stands in the file
	line   int    // lines of the file before raw
	fail   func(rng finding.Range, message, hint string)

	starts []int // of each line of raw
	values int
	failed bool
}

func (y *yamlReader) index() {
	y.starts = append(y.starts, 0)
	for i, c := range y.raw {
		if c == '\n' {
			y.starts = append(y.starts, i+1)
		}
	}
}

func (y *yamlReader) pos(n *yaml.Node) finding.Pos {
	return finding.Pos{Line: y.line + n.Line, Column: n.Column}
}

// value converts a node. Aliases are followed; what they unfold into is bounded.
func (y *yamlReader) value(n *yaml.Node, depth int) value {
	at := y.pos(n)
	v := value{rng: finding.Range{Start: at}}
	if y.values++; y.values > maxValues || depth > maxDepth {
		if !y.failed {
			y.fail(v.rng, fmt.Sprintf("the front matter is too large: more than %d values or %d levels", maxValues, maxDepth), "write it without aliases")
		}
		y.failed = true
		return v
	}
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.SequenceNode:
		v.kind = kindList
		v.items = make([]value, 0, len(n.Content))
		for _, c := range n.Content {
			if y.failed {
				break
			}
			v.items = append(v.items, y.value(c, depth+1))
		}
	case yaml.MappingNode:
		v.kind = kindMap
		v.pairs = make([]pair, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content) && !y.failed; i += 2 {
			key := y.value(n.Content[i], depth+1)
			if key.kind == kindList || key.kind == kindMap {
				y.fail(key.rng, "a key is "+key.kind.String()+" and not a text", "")
				y.failed = true
				break
			}
			v.pairs = append(v.pairs, pair{key: key.text, rng: key.rng, val: y.value(n.Content[i+1], depth+1)})
		}
	default:
		v.kind, v.text = yamlScalar(n), n.Value
		y.locate(n, &v)
		if s := v.span; s != (post.Span{}) && s.End <= len(y.text) {
			v.text = y.text[s.Start:s.End] // no second copy
		}
	}
	return v
}

// yamlScalar returns the kind of a scalar by its resolved tag.
func yamlScalar(n *yaml.Node) kind {
	switch n.Tag {
	case "!!null":
		return kindNull
	case "!!bool":
		return kindBool
	case "!!int", "!!float":
		return kindNumber
	case "!!timestamp":
		return kindTime
	default:
		return kindString
	}
}

// locate finds out where a scalar's text stands in the file. The parser tells only where it begins.
func (y *yamlReader) locate(n *yaml.Node, v *value) {
	at, ok := y.byteAt(n)
	if !ok || n.Value == "" {
		return
	}
	rest := y.raw[at:]
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		v.lines = y.literal(n, v.text)
	case n.Style&yaml.FoldedStyle != 0:
	case len(rest) > 0 && (rest[0] == '"' || rest[0] == '\''):
		if len(rest) > len(v.text)+1 && string(rest[1:len(v.text)+1]) == v.text && rest[len(v.text)+1] == rest[0] {
			v.set(y.offset+at+1, 2)
		}
	case bytes.HasPrefix(rest, []byte(v.text)):
		v.set(y.offset+at, 0)
	}
}

// set notes that the value's text stands at offset, with quotes columns of quotes around it.
func (v *value) set(offset, quotes int) {
	v.span = post.Span{Start: offset, End: offset + len(v.text)}
	if !strings.Contains(v.text, "\n") {
		v.rng.End = finding.Pos{Line: v.rng.Start.Line, Column: v.rng.Start.Column + utf8.RuneCountInString(v.text) + quotes}
	}
}

// byteAt returns the offset in raw of a node's position.
func (y *yamlReader) byteAt(n *yaml.Node) (int, bool) {
	if n.Line < 1 || n.Line > len(y.starts) || n.Column < 1 {
		return 0, false
	}
	at := y.starts[n.Line-1]
	for range n.Column - 1 {
		if at >= len(y.raw) {
			return 0, false
		}
		if y.raw[at] < utf8.RuneSelf {
			at++
			continue
		}
		_, size := utf8.DecodeRune(y.raw[at:])
		at += size
	}
	return at, true
}

// literal maps the lines of a block scalar ("|") to the file, nil when that does not come out even.
func (y *yamlReader) literal(n *yaml.Node, text string) offsets {
	var o offsets
	line, indent := n.Line, -1 // the first line of the text, as an index of starts
	for at := 0; at < len(text); line++ {
		if line >= len(y.starts) {
			return nil
		}
		content, _, _ := strings.Cut(text[at:], "\n")
		src := strings.TrimRight(string(lineAt(y.raw, y.starts[line])), "\r\n")
		if content != "" || indent >= 0 && len(src) > indent {
			if indent < 0 {
				indent = len(src) - len(content)
			}
			if indent < 0 || indent > len(src) || src[indent:] != content || strings.Trim(src[:indent], " ") != "" {
				return nil
			}
			o = append(o, stretch{at, y.offset + y.starts[line] + indent})
		} else {
			o = append(o, stretch{at, y.offset + y.starts[line]})
		}
		at += len(content) + 1
	}
	return o
}

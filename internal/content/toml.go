package content

import (
	"errors"
	"fmt"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// readTOML reads the front matter of a file. The parser gives expressions with their places; what
// they add up to, and that nothing is said twice, is settled here and in the decoder.
func (r *reader) readTOML(h header) (value, bool) {
	t := tomlReader{r: r, offset: h.rawStart, root: value{kind: kindMap}}
	t.p.Reset(h.raw)
	var prefix []pair // the table that keys are in
	for t.p.NextExpression() && !t.failed {
		switch e := t.p.Expression(); e.Kind {
		case unstable.Table:
			prefix = t.keys(e.Key())
			t.table(prefix, false)
		case unstable.ArrayTable:
			prefix = t.keys(e.Key())
			t.table(prefix, true)
		case unstable.KeyValue:
			t.put(&t.root, prefix, t.keys(e.Key()), t.value(e.Value(), 0))
		}
	}
	if err := t.p.Error(); err != nil && !t.failed {
		at := h.rawStart
		var pe *unstable.ParserError
		if errors.As(err, &pe) && cap(pe.Highlight) > 0 && cap(pe.Highlight) <= cap(h.raw) {
			at += min(int(t.p.Range(pe.Highlight[:0]).Offset), len(h.raw))
		}
		r.fail(codeSyntax, at, at, "the front matter is not valid TOML: "+err.Error(), "texts and times with a blank in them need quotes")
		return value{}, false
	}
	return t.root, !t.failed
}

type tomlReader struct {
	r      *reader
	p      unstable.Parser
	offset int
	root   value
	values int
	failed bool
}

func (t *tomlReader) tooLarge(at finding.Range) {
	if !t.failed {
		t.r.add(codeSyntax, finding.Error, at, fmt.Sprintf("the front matter is too large: more than %d values or %d levels", maxValues, maxDepth), "")
	}
	t.failed = true
}

func (t *tomlReader) rng(n *unstable.Node) finding.Range {
	raw := n.Raw
	if raw.Length == 0 {
		return finding.Range{}
	}
	start := t.offset + int(raw.Offset)
	return t.r.loc.Range(start, start+int(raw.Length))
}

// keys returns the parts of a dotted key.
func (t *tomlReader) keys(it unstable.Iterator) []pair {
	var keys []pair
	for it.Next() {
		n := it.Node()
		keys = append(keys, pair{key: string(n.Data), rng: t.rng(n)})
	}
	if len(keys) > maxDepth {
		t.tooLarge(keys[0].rng)
	}
	return keys
}

// value converts a node.
func (t *tomlReader) value(n *unstable.Node, depth int) value {
	v := value{rng: t.rng(n)}
	if t.values++; t.values > maxValues || depth > maxDepth {
		t.tooLarge(v.rng)
		return v
	}
	switch n.Kind {
	case unstable.Array:
		v.kind = kindList
		for it := n.Children(); it.Next() && !t.failed; {
			if it.Node().Kind != unstable.Comment {
				v.items = append(v.items, t.value(it.Node(), depth+1))
			}
		}
		return v
	case unstable.InlineTable:
		v.kind = kindMap
		for it := n.Children(); it.Next() && !t.failed; {
			if kv := it.Node(); kv.Kind == unstable.KeyValue {
				t.put(&v, nil, t.keys(kv.Key()), t.value(kv.Value(), depth+1))
			}
		}
		return v
	case unstable.String:
		v.kind = kindString
	case unstable.Bool:
		v.kind = kindBool
	case unstable.Integer, unstable.Float:
		v.kind = kindNumber
	default:
		v.kind = kindTime
	}
	v.text = string(n.Data)
	if n.Kind != unstable.String && n.Raw.Length > 0 {
		v.text = string(t.p.Raw(n.Raw))
	}
	if start := t.offset + int(n.Raw.Offset); n.Raw.Length > 0 {
		for quotes := range 4 { // none, or up to three before the text
			if s := start + quotes; s+len(v.text) <= len(t.r.src) && string(t.r.src[s:s+len(v.text)]) == v.text {
				v.span = post.Span{Start: s, End: s + len(v.text)}
				break
			}
		}
	}
	return v
}

// find returns the last pair called key.
func (v *value) find(key string) *pair {
	for i := len(v.pairs) - 1; i >= 0; i-- {
		if v.pairs[i].key == key {
			return &v.pairs[i]
		}
	}
	return nil
}

// descend returns the map that path names inside v, making what is missing. It returns nil when
// something else stands there.
func descend(v *value, path []pair) *value {
	for _, k := range path {
		p := v.find(k.key)
		if p == nil {
			v.pairs = append(v.pairs, pair{key: k.key, rng: k.rng, val: value{kind: kindMap}})
			p = &v.pairs[len(v.pairs)-1]
		}
		v = &p.val
		if v.kind == kindList && len(v.items) > 0 { // a list of tables: its last one
			v = &v.items[len(v.items)-1]
		}
		if v.kind != kindMap {
			return nil
		}
	}
	return v
}

// put sets a key. A key that is set twice stays in twice, for the decoder to name both places.
func (t *tomlReader) put(root *value, prefix, keys []pair, v value) {
	if len(keys) == 0 || t.failed {
		return
	}
	last := keys[len(keys)-1]
	m := descend(root, prefix)
	if m != nil {
		m = descend(m, keys[:len(keys)-1])
	}
	if m == nil {
		t.clash(last)
		return
	}
	m.pairs = append(m.pairs, pair{key: last.key, rng: last.rng, val: v})
}

// table opens [a.b] or, repeated, [[a.b]].
func (t *tomlReader) table(path []pair, repeated bool) {
	if len(path) == 0 || t.failed {
		return
	}
	if t.values++; t.values > maxValues {
		t.tooLarge(path[0].rng)
		return
	}
	last := path[len(path)-1]
	m := descend(&t.root, path[:len(path)-1])
	if m == nil {
		t.clash(last)
		return
	}
	p := m.find(last.key)
	switch {
	case repeated && p != nil && p.val.kind == kindList:
		p.val.items = append(p.val.items, value{kind: kindMap, rng: last.rng})
	case repeated && p == nil:
		m.pairs = append(m.pairs, pair{key: last.key, rng: last.rng, val: value{
			kind: kindList, rng: last.rng, items: []value{{kind: kindMap, rng: last.rng}},
		}})
	case !repeated && p != nil && p.val.kind == kindMap && p.val.rng.Start.Line == 0: // made by [a.b.c] before
		p.val.rng = last.rng
	case !repeated && p == nil:
		m.pairs = append(m.pairs, pair{key: last.key, rng: last.rng, val: value{kind: kindMap, rng: last.rng}})
	default:
		t.clash(last)
	}
}

func (t *tomlReader) clash(k pair) {
	if !t.failed {
		t.r.add(codeTwice, finding.Error, k.rng, fmt.Sprintf("%q is set twice", k.key), "remove one of them")
	}
	t.failed = true
}

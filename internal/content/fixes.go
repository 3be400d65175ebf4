package content

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// Certain returns the candidate that word is a misspelling of, "" when there may be a doubt: it differs by one letter, by case or by
// what separates its parts, no other candidate is as near, and it has the same digits. A part that is one of several short ones is a name
// and no slip of the pen: acme-x is not meant for acme-y.
func Certain(word string, candidates []string) string {
	best := ""
	for _, c := range candidates {
		if c == word || !oneSlip(word, c) {
			continue
		}
		if best != "" && best != c {
			return ""
		}
		best = c
	}
	return best
}

// oneSlip reports whether one slip of the pen makes a of b, or b of a.
func oneSlip(a, b string) bool {
	parts := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r < 0x80 && isSeparator(byte(r)) })
	}
	digits := func(s string) string {
		return strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return r
			}
			return -1
		}, s)
	}
	x, y := parts(a), parts(b)
	if strings.EqualFold(strings.Join(x, ""), strings.Join(y, "")) {
		return true
	}
	if len(x) != len(y) || digits(a) != digits(b) {
		return false
	}
	slips := 0
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		if slips++; max(len(x[i]), len(y[i])) < 4 || distance(strings.ToLower(x[i]), strings.ToLower(y[i]), 3) > 2 {
			return false
		}
	}
	return slips == 1
}

// mend gives the finding that came last the fix that writes another word for one that stands in rng, "" for none.
func (r *reader) mend(rng finding.Range, old, with string) {
	if with == "" || len(r.list) == 0 || len(r.list) > maxFindings {
		return
	}
	if fix, ok := r.loc.Fix(rng, old, with); ok {
		r.list[len(r.list)-1].Fix = fix
	}
}

// mendAll is mend for all that stands in rng.
func (r *reader) mendAll(rng finding.Range, with, text string) {
	if len(r.list) == 0 || len(r.list) > maxFindings {
		return
	}
	if fix, ok := r.loc.Replace(rng, with, text); ok {
		r.list[len(r.list)-1].Fix = fix
	}
}

// mendKey mends a misspelt key, unless what it is meant for is there.
func (d *decoder) mendKey(p *pair, names []string) {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		field, ok := lookup(name)
		return ok && d.scope != nil && (d.first[field].Start.Line != 0 || !d.scope(catalogue().keys[field]))
	})
	d.mend(p.rng, p.key, Certain(snake(p.key), names))
}

// mendBool mends a value that can only mean true or false: yes, off, "true".
func (d *decoder) mendBool(p *pair) {
	if p.val.kind != kindString {
		return
	}
	is := ""
	switch strings.ToLower(p.val.text) {
	case "true", "yes", "on":
		is = "true"
	case "false", "no", "off":
		is = "false"
	default:
		return
	}
	d.mendAll(p.val.rng, is, "write "+is)
}

// mendNames mends a text of several names that was meant for a list.
func (d *decoder) mendNames(p *pair, names string) {
	if p.val.kind != kindString || d.format != formatYAML {
		return
	}
	list := strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' })
	if len(list) < 2 || slices.ContainsFunc(list, func(name string) bool { return !isName(name) }) {
		return
	}
	text := "[" + strings.Join(list, ", ") + "]"
	d.mendAll(p.val.rng, text, "write the list "+text)
}

// mendID puts the id that a post goes by at the top of its front matter, or in one of its own.
func (r *reader) mendID(id string, h header) {
	at, text := h.rawStart, "id: "
	eol := "\n"
	if bytes.HasSuffix(lineAt(r.src, 0), []byte("\r\n")) {
		eol = "\r\n"
	}
	first := bytes.TrimLeft(h.raw, "\r\n")
	switch {
	case h.format == formatNone:
		at, text = h.body, "---"+eol+"id: "+strconv.Quote(id)+eol+"---"+eol
	case h.format == formatTOML:
		text = "id = " + strconv.Quote(id) + eol
	case h.format == formatYAML && (len(first) == 0 || !bytes.ContainsRune([]byte(" \t{-?"), rune(first[0]))):
		text += strconv.Quote(id) + eol
		if plainID(id) {
			text = "id: " + id + eol
		}
	default:
		return
	}
	r.mendAll(r.loc.Range(at, at), text, "add id: "+id)
}

// plainID reports whether YAML reads an id as a text without quotes around it.
func plainID(id string) bool {
	var n yaml.Node
	err := yaml.Load([]byte(id), &n)
	return err == nil && len(n.Content) == 1 && yamlScalar(n.Content[0]) == kindString && n.Content[0].Value == id
}

// mendYAML puts quotes around the value of a line that YAML cannot read, when that is all that it takes.
func (r *reader) mendYAML(h header, at finding.Pos) {
	if at.Line <= 0 {
		return
	}
	start := r.loc.Range(h.rawStart, h.rawStart).Start.Line
	for _, n := range [...]int{at.Line, at.Line - 1} { // the parser may have gone on to the next line
		if n < start || n >= start+bytes.Count(h.raw, []byte{'\n'}) {
			continue
		}
		text := strings.TrimRight(string(line(r.src, n)), " \t\r")
		m := plainValue().FindStringSubmatch(text)
		if m == nil || strings.Contains(m[2], " #") || strings.ContainsAny(m[2], "\"\\\t") {
			continue
		}
		lines := bytes.SplitAfter(h.raw, []byte{'\n'})
		quoted := `"` + m[2] + `"`
		lines[n-start] = []byte(m[1] + quoted + "\n")
		var doc yaml.Node
		if yaml.Load(bytes.Join(lines, nil), &doc) != nil {
			continue
		}
		from := finding.Pos{Line: n, Column: 1 + len([]rune(m[1]))}
		r.mendAll(finding.Range{Start: from, End: finding.Pos{Line: n, Column: from.Column + len([]rune(m[2]))}}, quoted, "put quotes around "+quote(m[2]))
		return
	}
}

// plainValue takes a line of YAML apart: what stands before a value without quotes, and the value.
var plainValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("^(\\s*(?:- +)?[A-Za-z_-]+:\\s+|\\s*- +)([^\\s'\"\\[{|>#!].*)$")
})

// oneReading returns a time as it is to be written, of one that people and programs write in another way and that can be read in one way only:
// the year comes first. It is "" for others.
func oneReading(text string) string {
	m := looseTime().FindStringSubmatch(text)
	if m == nil || m[2] != m[4] {
		return ""
	}
	two := func(s string) string { return fmt.Sprintf("%02s", s) }
	out := m[1] + "-" + two(m[3]) + "-" + two(m[5]) + " " + two(m[6]) + ":" + m[7]
	if m[8] != "" {
		out += ":" + m[8]
	}
	if w, ok := parseWall(out); !ok || w.dateOnly {
		return ""
	}
	return out
}

var looseTime = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})(?:[Tt,]? *|[Tt])(\d{1,2})[:.h](\d\d)(?::(\d\d))?$`)
})

// mendFile mends the path of a file that is there in other upper and lower case. On some machines that is the same, on the others, and where posts
// are sent, it is not.
func (r *reader) mendFile(m *post.Media, name string) {
	base, found := path.Base(name), ""
	for _, n := range r.shared.listing(r.fsys, path.Dir(name)) {
		if n != base && strings.EqualFold(n, base) {
			if found != "" {
				return
			}
			found = n
		}
	}
	if found != "" {
		r.mend(m.Range, m.File, strings.TrimSuffix(m.File, base)+found)
	}
}

// mendBreak mends an empty part of a thread, which came last, by removing the break's line, unless that would join what stands around it.
func (r *reader) mendBreak() {
	if len(r.list) == 0 || len(r.list) > maxFindings {
		return
	}
	at := r.list[len(r.list)-1].Range
	if at.Start.Line < 2 || at.End.Line != at.Start.Line {
		return
	}
	n := at.Start.Line
	blank := func(n int) bool { return len(bytes.TrimSpace(line(r.src, n))) == 0 }
	own := line(r.src, n)
	switch {
	case !blank(n-1) && !blank(n+1):
	case strings.Trim(string(own), " \t\r-*_") != "": // a <!-- thread --> goes on
	default:
		r.mendAll(finding.Range{Start: finding.Pos{Line: n, Column: 1}, End: finding.Pos{Line: n + 1, Column: 1}}, "", "remove the break")
	}
}

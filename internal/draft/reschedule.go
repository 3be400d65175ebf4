package draft

import (
	"bytes"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// Reschedule returns a post's file with another time to go out at, to the second. Nothing but the time's value changes, and
// that is written as the old one was: quoted or not, T or a blank, seconds if it had them, the offset if it had one. The
// offset stays what it is unless it was that of the post's time zone, which it then follows. A time without offset gets one
// only where the clock shows it twice. A post without a time gets a line for it.
//
// The result reads as the same post at the new time, without any finding that there was not before. A file for which that
// cannot be had is refused with a [RefusedError].
func Reschedule(src []byte, path string, at time.Time, o content.Options) ([]byte, error) {
	e := edit{path: path, src: src, at: at.Truncate(time.Second), o: o, head: opening(src)}
	e.post, e.findings = content.Parse(path, src, nil, o)
	if err := e.refuse(); err != nil {
		return nil, err
	}
	if e.post.Set.Has(post.FieldPublishAt) && e.post.PublishAt.Equal(e.at) {
		return slices.Clone(src), nil
	}
	for _, pl := range e.post.Places {
		if pl.Field == post.FieldPublishAt && pl.Name == "" {
			return e.change(pl.Range)
		}
	}
	return e.add()
}

// edit is a new time on its way into a file.
type edit struct {
	path     string
	src      []byte
	at       time.Time
	o        content.Options
	head     head
	post     *post.Post // what the file is now
	findings finding.List
	loc      *time.Location // of times without an offset
}

func (e *edit) refused(r Reason, detail string, f finding.Finding) error {
	return &RefusedError{Path: e.path, Reason: r, Detail: detail, Finding: f}
}

func (e *edit) intricate(how string) error { return e.refused(Intricate, how, finding.Finding{}) }

// refuse returns why the file's time cannot be changed whatever it is, and finds out which zone it is in.
func (e *edit) refuse() error {
	if f, ok := unreadable(e.findings); ok {
		return e.refused(Unreadable, "", f)
	}
	if e.head.lang == noLanguage {
		return e.refused(NoHeader, "", finding.Finding{})
	}
	if i := slices.IndexFunc(e.findings, func(f finding.Finding) bool { return f.Code == "F121" }); i >= 0 {
		return e.refused(Twice, "", e.findings[i])
	}
	p := e.post
	for i := range p.Overrides {
		// Another zone alone makes another time too, of one that has no offset.
		if o := &p.Overrides[i]; o.Set.Has(post.FieldPublishAt) || o.Set.Has(post.FieldTimezone) && !p.Set.Has(post.FieldPublishAt) {
			return e.refused(Override, o.Name, finding.Finding{})
		}
	}
	for _, pl := range p.Places {
		if pl.Field == post.FieldPublishAt && pl.Name != "" { // one that is no time
			return e.refused(Override, pl.Name, finding.Finding{})
		}
		if pl.Field == post.FieldTimezone && pl.Name == "" && !p.Set.Has(post.FieldTimezone) {
			return e.refused(Misfit, "its time zone is unknown", e.about(pl.Range))
		}
	}
	e.loc = e.o.Location
	if e.loc == nil {
		e.loc = time.UTC
	}
	if p.Timezone != "" {
		loc, err := time.LoadLocation(p.Timezone)
		if err != nil {
			return e.refused(Misfit, err.Error(), finding.Finding{})
		}
		e.loc = loc
	}
	return nil
}

// about returns the finding at a place, the zero Finding without one.
func (e *edit) about(at finding.Range) finding.Finding {
	for _, f := range e.findings {
		if f.Range == at {
			return f
		}
	}
	return finding.Finding{}
}

// change writes the new time in place of the one at rng.
func (e *edit) change(rng finding.Range) ([]byte, error) {
	start, end := e.offset(rng.Start), e.offset(rng.End)
	switch plain := rng.End.Line == rng.Start.Line && end > start; {
	case plain && e.post.PublishAtText == "":
		return e.fillIn(end)
	case e.post.PublishAtText == "":
		return nil, e.intricate("is empty or not one value")
	case !plain:
		return nil, e.intricate(how(e.src[start:]))
	}
	raw := string(e.src[start:end])
	quote := quoteOf(raw)
	inner := raw[len(quote) : len(raw)-len(quote)]
	if strings.TrimSpace(inner) != e.post.PublishAtText {
		return nil, e.intricate(how(e.src[start:]))
	}
	s, ok := styleOf(e.post.PublishAtText)
	if !ok {
		return nil, e.intricate("cannot be read")
	}
	if s.sep == "" { // a date alone
		s.sep = " "
		if e.head.lang == langTOML && quote == "" {
			s.sep, s.seconds = "T", true // which TOML 1.0 wants of a time that is not a text
		}
	}
	start += len(quote) + strings.Index(inner, e.post.PublishAtText)
	return e.verified(splice(e.src, start, start+len(e.post.PublishAtText), e.write(s)))
}

// fillIn writes the new time behind a key that ends at an offset and has no value.
func (e *edit) fillIn(end int) ([]byte, error) {
	line, _, _ := bytes.Cut(e.src[end:], []byte("\n"))
	before, rest, ok := bytes.Cut(line, []byte(":"))
	rest = bytes.TrimSpace(rest)
	if e.head.lang != langYAML || e.head.inline || !ok || len(bytes.TrimSpace(before)) > 0 || len(rest) > 0 && rest[0] != '#' {
		return nil, e.intricate("is empty or not one value")
	}
	end += len(before) + 1
	return e.verified(splice(e.src, end, end, " "+e.write(plainStyle)))
}

// add writes the time into a post that has none: on a line after the platforms, the title or the id, whichever is there and
// leaves room, or at the beginning.
func (e *edit) add() ([]byte, error) {
	for _, f := range e.findings {
		if bytes.HasPrefix(e.src[e.offset(f.Range.Start):], []byte("<<")) && f.Code == "F120" {
			return nil, e.refused(Intricate, "may come from a merge key (<<), which is not supported", f)
		}
	}
	h := &e.head
	value := e.write(plainStyle)
	if h.lang != langYAML {
		value = `"` + value + `"`
	}
	for _, field := range [...]post.Field{post.FieldPlatforms, post.FieldTitle, post.FieldID} {
		at, line, ok := e.lineAfter(field, h.pair(post.FieldPublishAt.Key(), value))
		if !ok {
			continue
		}
		if out, err := e.verified(splice(e.src, at, at, line)); err == nil {
			return out, nil
		}
	}
	return e.verified(h.insert(e.src, post.FieldPublishAt.Key(), value))
}

// lineAfter returns the line for a pair and the offset at which it would follow a field. That the field's value ends there is not
// certain: whoever inserts it has to look.
func (e *edit) lineAfter(field post.Field, pair string) (at int, line string, ok bool) {
	i := slices.IndexFunc(e.post.Places, func(pl post.Place) bool { return pl.Field == field && pl.Name == "" })
	if i < 0 || e.head.inline {
		return 0, "", false
	}
	start := e.offset(finding.Pos{Line: e.post.Places[i].Range.Start.Line, Column: 1})
	at = nextLine(e.src, start)
	indent := indentOf(e.src, start)
	switch e.head.lang {
	case langJSON:
		if !bytes.HasSuffix(bytes.TrimSpace(e.src[start:at]), []byte(",")) {
			return 0, "", false
		}
		pair += ","
	case langYAML:
		indent = e.head.indent
		at = e.yamlEnd(at)
	}
	return at, indent + pair + e.head.eol, true
}

// yamlEnd returns where a value ends whose first line ends at an offset: before the next line that is not indented more than
// the keys are, blank lines and comments not counted.
func (e *edit) yamlEnd(end int) int {
	for at := end; at < len(e.src); {
		next := nextLine(e.src, at)
		line := e.src[at:next]
		text := bytes.TrimSpace(line)
		switch {
		case len(text) == 0 || text[0] == '#':
		case len(indentOf(e.src, at)) > len(e.head.indent) || bytes.HasPrefix(text, []byte("- ")) || string(text) == "-":
			end = next
		default:
			return end
		}
		at = next
	}
	return end
}

func nextLine(src []byte, at int) int {
	if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(src)
}

// offset returns where a position is in the file.
func (e *edit) offset(p finding.Pos) int {
	at := 0
	for range p.Line - 1 {
		at = nextLine(e.src, at)
	}
	for i := range string(e.src[at:]) {
		if p.Column--; p.Column <= 0 {
			return at + i
		}
	}
	return len(e.src)
}

// verified returns out if it is the same post at the new time.
func (e *edit) verified(out []byte) ([]byte, error) {
	got, findings := content.Parse(e.path, out, nil, e.o)
	type kind struct {
		code    finding.Code
		message string
	}
	had := map[kind]int{}
	for _, f := range e.findings {
		had[kind{f.Code, f.Message}]++
	}
	for _, f := range findings {
		k := kind{f.Code, f.Message}
		if had[k]--; had[k] < 0 {
			return nil, e.refused(Misfit, "", f)
		}
	}
	if !got.Set.Has(post.FieldPublishAt) || !got.PublishAt.Equal(e.at) {
		return nil, e.refused(Misfit, "it cannot be written there", finding.Finding{})
	}
	if !same(reflect.ValueOf(timeless(e.post)), reflect.ValueOf(timeless(got))) {
		return nil, e.refused(Misfit, "something else would change with it", finding.Finding{})
	}
	return out, nil
}

// timeless returns a post without its time, and without what follows from how its file is laid out.
func timeless(p *post.Post) post.Post {
	q := *p
	q.Source, q.Text, q.BodyLine, q.Places = "", "", 0, nil
	q.PublishAt, q.PublishAtText = time.Time{}, ""
	q.Set &^= post.FieldSet(0).With(post.FieldPublishAt)
	return q
}

// same reports whether two values of one type are equal but for the places in a file that they name.
func same(a, b reflect.Value) bool {
	switch a.Interface().(type) {
	case finding.Range, post.Span:
		return true
	case time.Time:
		return a.Interface().(time.Time).Equal(b.Interface().(time.Time))
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	default:
		return reflect.DeepEqual(a.Interface(), b.Interface())
	}
}

// quoteOf returns what a value has before and after its text.
func quoteOf(raw string) string {
	for _, q := range [...]string{`"""`, `'''`, `"`, `'`} {
		if len(raw) >= 2*len(q) && strings.HasPrefix(raw, q) && strings.HasSuffix(raw, q) {
			return q
		}
	}
	return ""
}

// how says in which way a value is not one plain text, by how it begins.
func how(value []byte) string {
	switch first := append(value[:len(value):len(value)], 0)[0]; first {
	case '&', '*':
		return "is written with an anchor or an alias"
	case '!':
		return "is written with a tag"
	case '|', '>':
		return "is written over several lines"
	default:
		return "is written over several lines, or with escapes"
	}
}

// style is how somebody writes times.
type style struct {
	sep      string // between date and time; "" is a date alone
	seconds  bool
	fraction int    // digits of it
	gap      string // before the offset
	offset   string // "" for none
}

// plainStyle is how times are written where nobody has shown another way.
var plainStyle = style{sep: " "}

// wallForm is the form of a time in front matter, for its style: content has the last word on what is one.
var wallForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\d{4}-\d\d-\d\d(?:([Tt ])\d\d:\d\d(:\d\d(?:\.(\d+))?)?(?:( ?)([Zz]|[+-]\d\d:?\d\d))?)?$`)
})

func styleOf(text string) (style, bool) {
	m := wallForm().FindStringSubmatch(text)
	if m == nil {
		return style{}, false
	}
	return style{sep: m[1], seconds: m[2] != "", fraction: len(m[3]), gap: m[4], offset: m[5]}, true
}

// write returns the new time in a style.
func (e *edit) write(s style) string {
	t := e.at.In(e.loc)
	offset := s.offset
	switch {
	case offset == "" && twice(e.at, e.loc):
		offset = t.Format("-07:00")
	case offset == "":
	case strings.EqualFold(offset, "z"):
		t = e.at.UTC()
	default:
		hours, _ := strconv.Atoi(offset[1:3])
		minutes, _ := strconv.Atoi(offset[len(offset)-2:])
		east := hours*3600 + minutes*60
		if offset[0] == '-' {
			east = -east
		}
		if _, zone := e.post.PublishAt.In(e.loc).Zone(); zone != east {
			t = e.at.In(time.FixedZone("", east))
		}
		offset = t.Format("-07:00")
		if !strings.Contains(s.offset, ":") {
			offset = t.Format("-0700")
		}
	}
	text := t.Format("2006-01-02") + s.sep + t.Format("15:04")
	if s.seconds || t.Second() != 0 {
		text += t.Format(":05")
	}
	if s.fraction > 0 {
		text += "." + strings.Repeat("0", s.fraction)
	}
	return text + s.gap + offset
}

// twice reports whether a clock in loc shows what it shows at a time once more, since it is set back.
func twice(at time.Time, loc *time.Location) bool {
	_, offset := at.In(loc).Zone()
	for _, d := range [...]time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, other := at.Add(d).In(loc).Zone()
		if other == offset {
			continue
		}
		again := at.Add(time.Duration(offset-other) * time.Second)
		if _, zone := again.In(loc).Zone(); zone == other {
			return true
		}
	}
	return false
}

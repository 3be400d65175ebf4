package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
	"github.com/postrider/postrider/internal/utm"
)

// Parse reads site.yaml. path is what findings call the file. The site is never nil: what could be read counts,
// the rest has its default.
func Parse(path string, src []byte, reg *platform.Registry) (*Site, finding.List) {
	d := &decoder{path: path, src: bytes.TrimPrefix(src, []byte("\ufeff")), reg: reg, site: Default()}
	if root := d.document(); root != nil {
		d.zone(root)
		d.decode(root, reflect.ValueOf(d.site).Elem(), "")
		d.site.index()
		d.validate()
	}
	d.secrets()
	d.out.Sort()
	return d.site, d.out
}

// decoder turns nodes into values and problems into findings.
type decoder struct {
	path    string
	src     []byte
	reg     *platform.Registry
	site    *Site
	out     finding.List
	account string // whose options are being decoded
	visited int    // nodes so far: aliases of aliases could make it endless
}

// maxNodes bounds the work for a file whose aliases multiply.
const maxNodes = 100_000

// pair is one entry of a mapping.
type pair struct {
	key     string
	keyNode *yaml.Node
	value   *yaml.Node
}

// document parses the file and returns its mapping, nil when there is none.
func (d *decoder) document() *yaml.Node {
	missing := func(message string) *yaml.Node {
		d.out.Add(finding.Finding{Code: CodeMissing, Severity: finding.Error, Path: d.path, Message: message, Hint: "`postrider init` writes one"})
		return nil
	}
	syntax := func(pos finding.Pos, message string) *yaml.Node {
		hint := ""
		if pos.Line > 0 {
			hint = "texts with colons, braces or a leading special character need quotes"
		}
		d.out.Add(finding.Finding{
			Code: CodeSyntax, Severity: finding.Error, Path: d.path, Range: finding.Range{Start: pos}, Message: message,
			Hint: hint,
		})
		return nil
	}
	switch {
	case len(d.src) > MaxBytes:
		return syntax(finding.Pos{}, fmt.Sprintf("the file has more than %d bytes", MaxBytes))
	case !utf8.Valid(d.src):
		at := len(d.src) - len(bytes.TrimLeftFunc(d.src, func(r rune) bool { return r != utf8.RuneError }))
		return syntax(finding.NewLocator(d.src).Pos(at), "the file is not UTF-8 text")
	case len(bytes.TrimSpace(d.src)) == 0:
		return missing("the site has no configuration: the file is missing or empty")
	case onlyComments(d.src):
		return missing("the site has no configuration: the file holds only comments")
	}
	var doc yaml.Node
	if err := yaml.Load(d.src, &doc); err != nil {
		var pos finding.Pos
		message := err.Error()
		if e, ok := errors.AsType[*yaml.LoadError](err); ok {
			pos, message = finding.Pos{Line: e.Mark.Line, Column: e.Mark.Column}, e.Message
		}
		return syntax(pos, "not valid YAML: "+strings.TrimPrefix(message, "yaml: "))
	}
	root := &doc
	if root.Kind == yaml.DocumentNode && len(root.Content) > 0 {
		root = root.Content[0]
	}
	if null(root) || root.Kind == yaml.DocumentNode {
		return missing("the site has no configuration: the file holds only comments")
	}
	if root.Kind != yaml.MappingNode {
		return syntax(finding.Pos{Line: root.Line, Column: root.Column}, "the file is not a mapping of keys to values")
	}
	return root
}

func onlyComments(src []byte) bool {
	for line := range bytes.Lines(src) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return false
		}
	}
	return true
}

func (d *decoder) fail(code finding.Code, r finding.Range, message, hint string) {
	d.out.Add(finding.Finding{Code: code, Severity: finding.Error, Path: d.path, Range: r, Account: d.account, Message: message, Hint: hint})
}

// mend gives the finding that came last the fix that writes another word for one that stands in r, "" for none.
func (d *decoder) mend(r finding.Range, old, with string) {
	if with == "" {
		return
	}
	if fix, ok := finding.NewLocator(d.src).Fix(r, old, with); ok && secret.Mask(old) == old {
		d.out[len(d.out)-1].Fix = fix
	}
}

// wrong reports a value of the wrong kind.
func (d *decoder) wrong(n *yaml.Node, key, want string) {
	d.fail(CodeValue, d.span(n), fmt.Sprintf("%s takes %s, not %s", quoteKey(key), want, describe(n)), "")
}

// decode fills v, a settable value, from a node. where is the key's path. Null leaves v as it is.
func (d *decoder) decode(n *yaml.Node, v reflect.Value, where string) {
	if d.visited++; d.visited > maxNodes {
		if d.visited == maxNodes+1 {
			d.fail(CodeSyntax, d.span(n), "the file's aliases unfold to too much", "write the values out")
		}
		return
	}
	n = resolve(n)
	if where != "" {
		d.site.places[where] = d.span(n)
	}
	if null(n) {
		return
	}
	key := lastKey(where)
	switch p := v.Addr().Interface().(type) {
	case *[]platform.Account:
		d.accounts(n, p)
	case *post.Fields:
		d.fields(n, p, where)
	case *[]Campaign:
		for _, e := range d.pairs(n, where) {
			c := Campaign{Name: e.key, Range: d.span(e.keyNode)}
			d.checkName("campaign", e)
			d.decode(e.value, reflect.ValueOf(&c).Elem(), where+"."+e.key)
			*p = append(*p, c)
		}
	case *[]Slot:
		for _, e := range d.pairs(n, where) {
			d.scalar(e.value, e.key, "a time of the week such as Mon-Fri 09:00", func(s string) error {
				slot, err := ParseSlot(e.key, s)
				if err == nil {
					*p = append(*p, slot)
				}
				return err
			})
		}
	case *[]Window:
		for _, item := range d.items(n, key) {
			d.scalar(item, key, "a window of time such as 22:00-07:00 or Sat-Sun 00:00-24:00", func(s string) error {
				w, err := ParseWindow(s)
				if err == nil {
					*p = append(*p, w)
				}
				return err
			})
		}
	case *Hold:
		if n.Kind == yaml.ScalarNode { // hold: a reason
			d.decode(n, reflect.ValueOf(&p.Reason).Elem(), where+".reason")
			return
		}
		d.structure(n, v, where)
	case *utm.Rule:
		d.rule(n, p, where)
	case *Approval:
		d.requireApproval(n, p, where)
	case *People:
		d.people(n, p)
	case *Notify:
		d.notify(n, p, where)
	case *[]Channel:
		d.channels(n, p, where)
	case *[]What:
		d.whats(n, p, where)
	case *Issue:
		d.issue(n, p, where)
	case *time.Time:
		d.date(n, p, where)
	case *time.Duration:
		d.scalar(n, key, "a length of time such as 90m, 6h or 2d", func(s string) (err error) {
			*p, err = ParseDuration(s)
			return err
		})
	default:
		d.value(n, v, where)
	}
}

// value fills a plain value by its kind.
func (d *decoder) value(n *yaml.Node, v reflect.Value, where string) {
	key := lastKey(where)
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, where)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), where)
	case reflect.Slice:
		items := d.items(n, key)
		list := reflect.MakeSlice(v.Type(), 0, len(items))
		for i, item := range items {
			e := reflect.New(v.Type().Elem()).Elem()
			d.decode(item, e, where+"["+strconv.Itoa(i)+"]")
			list = reflect.Append(list, e)
		}
		v.Set(list)
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		for _, p := range d.pairs(n, where) {
			e := reflect.New(v.Type().Elem()).Elem()
			d.decode(p.value, e, where+"."+p.key)
			m.SetMapIndex(reflect.ValueOf(p.key).Convert(v.Type().Key()), e)
		}
		v.Set(m)
	case reflect.String:
		// A title may be written 2026 and a server's port 8080; true is more likely a mistake.
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!bool" {
			d.wrong(n, key, "a text")
			return
		}
		v.SetString(n.Value)
	case reflect.Bool:
		b, err := strconv.ParseBool(n.Value)
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || err != nil {
			d.wrong(n, key, "true or false")
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(n.Value, 0, v.Type().Bits())
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil {
			d.wrong(n, key, "a whole number")
			return
		}
		v.SetInt(i)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(n.Value, v.Type().Bits())
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!float" && n.ShortTag() != "!!int" || err != nil {
			d.wrong(n, key, "a number")
			return
		}
		v.SetFloat(f)
	default:
		panic(fmt.Sprintf("config: key %q is of a type that site.yaml has no form for: %s", where, v.Type()))
	}
}

// structure fills a struct from a mapping, strictly.
func (d *decoder) structure(n *yaml.Node, v reflect.Value, where string) {
	for _, p := range d.pairs(n, where) {
		f, ok := field(v.Type(), p.key)
		if _, isBucket := v.Addr().Interface().(*Bucket); !ok && isBucket && secret.Key(p.key) {
			d.secret(p, bucketVariables())
			continue
		}
		if !ok {
			d.unknown(p, keys(v.Type()), "")
			continue
		}
		at := join(where, p.key)
		d.decode(p.value, v.FieldByIndex(f.Index), at)
		if allowed := f.Tag.Get("enum"); allowed != "" && !null(resolve(p.value)) {
			d.enum(p, v.FieldByIndex(f.Index), strings.Split(allowed, ","))
		}
	}
}

// enum checks that a text is one of those allowed; if not, the field gets its zero value.
func (d *decoder) enum(p pair, v reflect.Value, allowed []string) {
	if v.Kind() != reflect.String || slices.Contains(allowed, v.String()) {
		return
	}
	if n := resolve(p.value); n.Kind == yaml.ScalarNode {
		d.fail(CodeValue, d.span(n), fmt.Sprintf("%s takes %s, not %q", quoteKey(p.key), oneOf(allowed), n.Value), didYouMean(n.Value, allowed, ""))
		d.mend(d.span(n), n.Value, content.Certain(n.Value, allowed))
	}
	v.SetString(allowed[0]) // the strictest or the mildest: the site is not published either way
}

// unknown reports a key that nothing knows.
func (d *decoder) unknown(p pair, known []string, hint string) {
	if hint == "" && secret.Key(p.key) {
		d.leak(p, hintSecret)
		return
	}
	if p.key == "<<" {
		hint = "merge keys are not supported: write the values out"
	}
	if hint == "" {
		hint = didYouMean(p.key, known, "known keys: "+strings.Join(known, ", "))
	}
	d.fail(CodeKey, d.span(p.keyNode), fmt.Sprintf("unknown key %q", p.key), hint)
	d.mend(d.span(p.keyNode), p.key, content.Certain(p.key, known))
}

// pairs returns the entries of a mapping without those given twice. What is no mapping has a finding and no entries.
func (d *decoder) pairs(n *yaml.Node, where string) []pair {
	n = resolve(n)
	if null(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.wrong(n, lastKey(where), "a mapping of keys to values")
		return nil
	}
	seen := make(map[string]int, len(n.Content)/2)
	list := make([]pair, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := resolve(n.Content[i])
		if k.Kind != yaml.ScalarNode {
			d.fail(CodeValue, d.span(k), "a key must be a word", "")
			continue
		}
		if line, twice := seen[k.Value]; twice {
			d.fail(CodeRepeated, d.span(n.Content[i]), fmt.Sprintf("key %q is given twice", k.Value), fmt.Sprintf("it stands on line %d already", line))
			continue
		}
		seen[k.Value] = k.Line
		list = append(list, pair{k.Value, n.Content[i], n.Content[i+1]})
	}
	return list
}

// items returns the elements of a list; a single scalar counts as a list of one.
func (d *decoder) items(n *yaml.Node, key string) []*yaml.Node {
	switch n.Kind {
	case yaml.SequenceNode:
		return n.Content
	case yaml.ScalarNode:
		return []*yaml.Node{n}
	default:
		d.wrong(n, key, "a list")
		return nil
	}
}

// scalar hands a text to parse and reports its error.
func (d *decoder) scalar(n *yaml.Node, key, want string, parse func(string) error) {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || null(n) {
		d.wrong(n, key, want)
		return
	}
	if err := parse(n.Value); err != nil {
		d.fail(CodeValue, d.span(n), fmt.Sprintf("%s takes %s: %v", quoteKey(key), want, err), "")
	}
}

// rule reads a rule for UTM parameters.
func (d *decoder) rule(n *yaml.Node, r *utm.Rule, where string) {
	known := append(utm.Names(), "hosts")
	slices.Sort(known)
	for _, p := range d.pairs(n, where) {
		at := where + "." + p.key
		if p.key == "hosts" {
			d.decode(p.value, reflect.ValueOf(&r.Hosts).Elem(), at)
			for i, h := range r.Hosts {
				if !hostName(h) {
					d.fail(CodeUTM, d.site.places[at+"["+strconv.Itoa(i)+"]"], fmt.Sprintf("%q is not the name of a host", h), "write it like acme.example, without https:// and path; names below it, such as www.acme.example, count too")
				}
			}
			continue
		}
		if !slices.Contains(known, p.key) {
			d.fail(CodeUTM, d.span(p.value), fmt.Sprintf("unknown UTM parameter %q", p.key), didYouMean(strings.TrimPrefix(p.key, "utm_"), known, "known: "+strings.Join(known, ", ")))
		}
		var value string
		d.decode(p.value, reflect.ValueOf(&value).Elem(), at)
		for name := range placeholders(value) {
			if known := utm.Placeholders(); !slices.Contains(known, name) {
				d.fail(CodeUTM, d.span(p.value), fmt.Sprintf("unknown placeholder {%s}", name), didYouMean(name, known, "known: "+strings.Join(known, ", ")))
			}
		}
		if r.Params == nil {
			r.Params = map[string]string{}
		}
		r.Params[p.key] = value
	}
}

// hostName reports whether a rule can mean a host by s.
func hostName(s string) bool {
	return s != "" && !strings.HasPrefix(s, ".") && !strings.ContainsAny(s, "/:@?#*\\ \t\n")
}

// date reads a day in the site's zone. For `ends` it is the first instant of the next day.
func (d *decoder) date(n *yaml.Node, p *time.Time, where string) {
	key := lastKey(where)
	d.scalar(n, key, "a day such as 2026-12-01", func(s string) error {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return fmt.Errorf("%q is none", s)
		}
		if key == "ends" {
			day = day.AddDate(0, 0, 1)
		}
		*p = wall(day, 0, d.site.Location, false)
		return nil
	})
}

// fields reads front matter that stands in site.yaml.
func (d *decoder) fields(n *yaml.Node, f *post.Fields, where string) {
	fields, places, found := content.DecodeFields(n, d.site.Location)
	for _, problem := range found {
		problem.Path, problem.Account = d.path, d.account
		d.out.Add(problem)
	}
	for _, p := range places {
		d.site.places[join(where, p.Field.Key())] = p.Range
	}
	*f = fields
}

// zone finds the site's time zone before anything else is read, since times depend on it, wherever it stands.
func (d *decoder) zone(root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if name := resolve(root.Content[i+1]).Value; root.Content[i].Value == "timezone" && name != "" && name != "Local" {
			if loc, err := time.LoadLocation(name); err == nil {
				d.site.Location = loc
			}
			return
		}
	}
}

// span returns where a node stands, with its end when that is on the same line.
func (d *decoder) span(n *yaml.Node) finding.Range {
	r := finding.Range{Start: finding.Pos{Line: n.Line, Column: n.Column}}
	if n.Kind == yaml.AliasNode {
		r.End = finding.Pos{Line: n.Line, Column: n.Column + 1 + utf8.RuneCountInString(n.Value)}
		return r
	}
	if n.Kind != yaml.ScalarNode || n.Value == "" || strings.Contains(n.Value, "\n") {
		return r
	}
	length := utf8.RuneCountInString(n.Value)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		length += 2 // escapes may make it longer: then the mark is a little short
	}
	r.End = finding.Pos{Line: n.Line, Column: n.Column + length}
	return r
}

// across returns the stretch from a key to the end of its value.
func (d *decoder) across(p pair) finding.Range {
	r := d.span(p.keyNode)
	last := p.value
	for len(last.Content) > 0 {
		last = last.Content[len(last.Content)-1]
	}
	end := finding.Pos{Line: last.Line + strings.Count(last.Value, "\n"), Column: last.Column}
	if s := d.span(last); s.End.Line > 0 {
		end = s.End
	}
	if end.Line > r.Start.Line || end.Line == r.Start.Line && end.Column > r.Start.Column {
		r.End = end
	}
	return r
}

// resolve follows an alias.
func resolve(n *yaml.Node) *yaml.Node {
	for range 16 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			break
		}
		n = n.Alias
	}
	return n
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// describe says what a node is, without the text of anything long.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		if null(n) {
			return "nothing"
		}
		if len(n.Value) > 60 {
			return "a long text"
		}
		return strconv.Quote(n.Value)
	}
}

// didYouMean returns a hint: the known word that is near, else otherwise.
func didYouMean(word string, known []string, otherwise string) string {
	if near := content.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

func quoteKey(key string) string {
	if key == "" {
		return "the file"
	}
	return strconv.Quote(key)
}

func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func join(where, key string) string {
	if where == "" {
		return key
	}
	return where + "." + key
}

// lastKey returns the key that a place such as "hold.scope[0]" is about: "scope".
func lastKey(where string) string {
	key, _, _ := strings.Cut(where[strings.LastIndexByte(where, '.')+1:], "[")
	return key
}

// keyOf returns the key of a struct field in site.yaml, and whether the tag says that it must be given. Without a tag there is none.
func keyOf(f reflect.StructField) (key string, required bool) {
	tag, ok := f.Tag.Lookup("yaml")
	if !ok || tag == "-" {
		return "", false
	}
	key, flags, _ := strings.Cut(tag, ",")
	return key, flags != "omitempty"
}

// field returns the field of a struct type that has a key.
func field(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if k, _ := keyOf(t.Field(i)); k == key && k != "" {
			return t.Field(i), true
		}
	}
	return reflect.StructField{}, false
}

// keys returns the keys of a struct type, sorted.
func keys(t reflect.Type) []string {
	set := map[string]bool{}
	for i := range t.NumField() {
		if k, _ := keyOf(t.Field(i)); k != "" {
			set[k] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

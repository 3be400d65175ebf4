package bluesky

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Lexicons hold requests to AT Protocol's own description of them (https://atproto.com/specs/lexicon, 2026-11-22), by the id of the lexicon
// and the name of the definition: "app.bsky.richtext.facet#link". That a lexicon may be added to is of no use to us: what it does not
// name is taken for a slip.
type Lexicons map[string]*definition

// definition is what a lexicon says of a record, a method or a value.
type definition struct {
	Type string `json:"type"`

	Record     *definition `json:"record"`
	Parameters *definition `json:"parameters"`
	Input      *struct {
		Encoding string      `json:"encoding"`
		Schema   *definition `json:"schema"`
	} `json:"input"`

	Required   []string               `json:"required"`
	Nullable   []string               `json:"nullable"`
	Properties map[string]*definition `json:"properties"`
	Items      *definition            `json:"items"`
	Ref        string                 `json:"ref"`
	Refs       []string               `json:"refs"`

	Format       string   `json:"format"`
	Enum         []string `json:"enum"`
	MinLength    *int     `json:"minLength"`
	MaxLength    *int     `json:"maxLength"`
	MaxGraphemes *int     `json:"maxGraphemes"`
	Minimum      *int64   `json:"minimum"`
	Maximum      *int64   `json:"maximum"`
	Accept       []string `json:"accept"`
	MaxSize      int64    `json:"maxSize"`

	id string // of the lexicon, to which references are relative
}

// ReadLexicons reads testdata/lexicons.
func ReadLexicons(t testing.TB) Lexicons {
	t.Helper()
	l, err := readLexicons()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var readLexicons = sync.OnceValues(func() (Lexicons, error) {
	l := Lexicons{}
	folder := os.DirFS("testdata/lexicons")
	return l, fs.WalkDir(folder, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".json" {
			return err
		}
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		var file struct {
			ID   string                 `json:"id"`
			Defs map[string]*definition `json:"defs"`
		}
		if err := json.Unmarshal(data, &file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for key, d := range file.Defs {
			d.belongTo(file.ID)
			l[strings.TrimSuffix(file.ID+"#"+key, "#main")] = d
		}
		return nil
	})
})

func (d *definition) belongTo(id string) {
	if d == nil {
		return
	}
	d.id = id
	for _, p := range d.Properties {
		p.belongTo(id)
	}
	d.Record.belongTo(id)
	d.Parameters.belongTo(id)
	d.Items.belongTo(id)
	if d.Input != nil {
		d.Input.Schema.belongTo(id)
	}
}

// Check says what is wrong with a request by the lexicon of its method. A page that a post links to is no method.
func (l Lexicons) Check(r *http.Request) error {
	method, ok := strings.CutPrefix(r.URL.Path, "/xrpc/")
	if !ok {
		return nil
	}
	d := l[method]
	switch {
	case d == nil:
		return errors.New("there is no such method")
	case d.Type == "query" && r.Method != http.MethodGet, d.Type == "procedure" && r.Method != http.MethodPost:
		return fmt.Errorf("it is a %s", d.Type)
	}
	if err := l.parameters(d.Parameters, r.URL.Query()); err != nil {
		return err
	}
	if d.Input == nil {
		if r.ContentLength > 0 {
			return errors.New("it takes no body")
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || d.Input.Encoding != "*/*" && kind != d.Input.Encoding {
		return fmt.Errorf("its body is %q, want %s", r.Header.Get("Content-Type"), d.Input.Encoding)
	}
	if d.Input.Schema == nil {
		return nil
	}
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	var body map[string]any
	if err := decoder.Decode(&body); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows the body")
	}
	if err := l.fits("body", d.Input.Schema, body); err != nil {
		return err
	}
	if record, ok := body["record"]; ok {
		collection, _ := body["collection"].(string)
		return l.record(collection, record)
	}
	return nil
}

// record holds a record to the lexicon of its collection.
func (l Lexicons) record(collection string, value any) error {
	d := l[collection]
	if d == nil || d.Type != "record" {
		return fmt.Errorf("%q is no collection", collection)
	}
	if object, _ := value.(map[string]any); object["$type"] != collection {
		return fmt.Errorf("the record says that it is a %v", object["$type"])
	}
	return l.fits("record", d.Record, value)
}

func (l Lexicons) parameters(d *definition, query url.Values) error {
	if d == nil {
		d = &definition{}
	}
	values := map[string]any{}
	for name, list := range query {
		values[name] = list[0]
		p := d.Properties[name]
		switch {
		case len(list) > 1:
			return fmt.Errorf("the parameter %s is there %d times", name, len(list))
		case p != nil && p.Type == "integer":
			values[name] = json.Number(list[0])
		case p != nil && p.Type == "boolean":
			b, err := strconv.ParseBool(list[0])
			if err != nil {
				return fmt.Errorf("the parameter %s is %q", name, list[0])
			}
			values[name] = b
		}
	}
	return l.fits("parameters", &definition{Type: "object", Required: d.Required, Properties: d.Properties}, values)
}

// fits says why a value is not as it is defined.
func (l Lexicons) fits(where string, d *definition, value any) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
	}
	no := wrong("%v is no %s", value, d.Type)
	switch d.Type {
	case "ref":
		return l.fits(where, l.named(d.id, d.Ref), value)
	case "union":
		object, _ := value.(map[string]any)
		kind, _ := object["$type"].(string)
		for _, ref := range d.Refs {
			if strings.TrimSuffix(full(d.id, ref), "#main") == kind {
				return l.fits(where, l.named(d.id, ref), value)
			}
		}
		return wrong("%q is none of %q", kind, d.Refs)
	case "object":
		object, ok := value.(map[string]any)
		if !ok {
			return no
		}
		return l.object(where, d, object)
	case "array":
		list, ok := value.([]any)
		if !ok {
			return no
		}
		if n := len(list); d.MaxLength != nil && n > *d.MaxLength || d.MinLength != nil && n < *d.MinLength {
			return wrong("it has %d items", n)
		}
		for i, item := range list {
			if err := l.fits(fmt.Sprintf("%s[%d]", where, i), d.Items, item); err != nil {
				return err
			}
		}
		return nil
	case "string":
		text, ok := value.(string)
		if !ok {
			return no
		}
		switch n := len(text); {
		case d.MaxLength != nil && n > *d.MaxLength, d.MinLength != nil && n < *d.MinLength:
			return wrong("it has %d bytes", n)
		case d.MaxGraphemes != nil && characters(text) > *d.MaxGraphemes:
			return wrong("it has %d characters, at most %d", characters(text), *d.MaxGraphemes)
		case d.Enum != nil && !slices.Contains(d.Enum, text):
			return wrong("%q is none of %q", text, d.Enum)
		case !isFormat(d.Format, text):
			return wrong("%q is no %s", text, d.Format)
		}
		return nil
	case "integer":
		number, ok := value.(json.Number)
		n, err := number.Int64()
		if !ok || err != nil {
			return no
		}
		if d.Minimum != nil && n < *d.Minimum || d.Maximum != nil && n > *d.Maximum {
			return wrong("%d is out of bounds", n)
		}
		return nil
	case "boolean":
		if _, ok := value.(bool); !ok {
			return no
		}
		return nil
	case "blob":
		return blobFits(where, d, value)
	case "unknown":
		if _, ok := value.(map[string]any); !ok {
			return no
		}
		return nil
	}
	return wrong("the lexicons do not define it, or as a %q", d.Type)
}

func (l Lexicons) object(where string, d *definition, object map[string]any) error {
	for _, name := range d.Required {
		if _, ok := object[name]; !ok {
			return fmt.Errorf("%s lacks %s", where, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		p := d.Properties[name]
		switch {
		case p == nil && name == "$type":
		case p == nil:
			return fmt.Errorf("%s has no %s", where, name)
		case object[name] == nil && slices.Contains(d.Nullable, name):
		default:
			if err := l.fits(where+"."+name, p, object[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// named returns what a reference in a lexicon is to; what there is not fits nothing.
func (l Lexicons) named(id, ref string) *definition {
	if d := l[full(id, ref)]; d != nil {
		return d
	}
	return &definition{Type: "unknown reference " + ref}
}

func full(id, ref string) string {
	if strings.HasPrefix(ref, "#") {
		return id + ref
	}
	return ref
}

func blobFits(where string, d *definition, value any) error {
	object, _ := value.(map[string]any)
	ref, _ := object["ref"].(map[string]any)
	cid, _ := ref["$link"].(string)
	kind, _ := object["mimeType"].(string)
	number, _ := object["size"].(json.Number)
	size, err := number.Int64()
	switch {
	case object["$type"] != "blob" || !isFormat("cid", cid) || kind == "" || err != nil || size <= 0:
		return fmt.Errorf("%s: %v is no blob", where, value)
	case d.MaxSize > 0 && size > d.MaxSize:
		return fmt.Errorf("%s has %d bytes, at most %d", where, size, d.MaxSize)
	case d.Accept != nil && !slices.ContainsFunc(d.Accept, func(pattern string) bool { ok, _ := path.Match(pattern, kind); return ok }):
		return fmt.Errorf("%s: %s is none of %q", where, kind, d.Accept)
	}
	return nil
}

func characters(text string) int {
	n := 0
	for g := graphemes.FromString(text); g.Next(); {
		n++
	}
	return n
}

var (
	isDID      = regexp.MustCompile(`^did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]$`)
	isHandle   = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)
	isNSID     = regexp.MustCompile(`^[a-zA-Z]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)+\.[a-zA-Z][a-zA-Z0-9]*$`)
	isKey      = regexp.MustCompile(`^[a-zA-Z0-9_~.:-]{1,512}$`)
	isCID      = regexp.MustCompile(`^b[a-z2-7]{8,255}$`)
	isLanguage = regexp.MustCompile(`^(i|[a-z]{2,3})(-[a-zA-Z0-9]+)*$`)
)

// isFormat reports whether a text has a format: https://atproto.com/specs/lexicon#string-formats (2026-11-22).
func isFormat(format, text string) bool {
	switch format {
	case "":
		return true
	case "did":
		return isDID.MatchString(text)
	case "handle":
		return isHandle.MatchString(text)
	case "at-identifier":
		return isDID.MatchString(text) || isHandle.MatchString(text)
	case "nsid":
		return isNSID.MatchString(text)
	case "record-key":
		return isKey.MatchString(text) && text != "." && text != ".."
	case "cid":
		return isCID.MatchString(text)
	case "at-uri":
		rest, ok := strings.CutPrefix(text, "at://")
		parts := strings.Split(rest, "/")
		return ok && len(parts) == 3 && isFormat("at-identifier", parts[0]) && isNSID.MatchString(parts[1]) && isFormat("record-key", parts[2])
	case "uri":
		u, err := url.Parse(text)
		return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "") && len(text) <= 8192
	case "datetime":
		_, err := time.Parse(time.RFC3339Nano, text)
		return err == nil
	case "language":
		return isLanguage.MatchString(text)
	}
	return false // one that is not known yet
}

// The lexicons refuse what they should, so that their silence means something.
func TestLexicons(t *testing.T) {
	l := ReadLexicons(t)
	const put, did, at = "POST com.atproto.repo.putRecord", `"did:plc:ewvi7nxzyoun6zhxrhs64oiz"`, `"createdAt":"2026-12-01T09:00:00.000Z"`
	record := func(fields string) string {
		return `{"repo":` + did + `,"collection":"app.bsky.feed.post","rkey":"3kabc","swapRecord":null,"record":{"$type":"app.bsky.feed.post",` + fields + `}}`
	}
	blob := func(kind string, size int) string {
		return fmt.Sprintf(`{"$type":"blob","ref":{"$link":"bafkreibme22gw2h7y2h7tg2fhqotaqjucnbc24deqo72b6mkl2egezxhvy"},"mimeType":%q,"size":%d}`, kind, size)
	}
	images := func(list string) string {
		return record(`"text":"","embed":{"$type":"app.bsky.embed.images","images":[` + list + `]},` + at)
	}
	for _, tt := range []struct{ request, body, wrong string }{
		{put, record(`"text":"a","langs":["en","de-DE"],` + at), ""},
		{put, record(`"text":"a","facets":[{"index":{"byteStart":0,"byteEnd":1},"features":[{"$type":"app.bsky.richtext.facet#tag","tag":"a"}]}],` + at), ""},
		{put, images(`{"image":` + blob("image/png", 9) + `,"alt":"x","aspectRatio":{"width":1,"height":2}}`), ""},
		{"GET com.atproto.repo.listRecords?repo=did:plc:a&collection=app.bsky.feed.post&limit=100", "", ""},
		{put, record(`"text":"a"`), "lacks createdAt"},
		{put, record(`"text":"` + strings.Repeat("a", 301) + `",` + at), "301 characters"},
		{put, record(`"text":"` + strings.Repeat("👩‍👩‍👧‍👦", 290) + `",` + at), "bytes"},
		{put, record(`"text":"a","createdAt":"yesterday"`), "no datetime"},
		{put, record(`"text":"a","lang":"en",` + at), "has no lang"},
		{put, record(`"text":"a","langs":["en","de","fr","it"],` + at), "4 items"},
		{put, record(`"text":"a","facets":[{"index":{"byteStart":-1,"byteEnd":1},"features":[]}],` + at), "out of bounds"},
		{put, record(`"text":"a","facets":[{"index":{"byteStart":0,"byteEnd":1},"features":[{"$type":"app.bsky.richtext.facet#bold"}]}],` + at), "none of"},
		{put, record(`"text":"a","reply":{"root":{"uri":"https://x","cid":"y"},"parent":{}},` + at), "record.reply"},
		{put, images(`{"image":` + blob("image/png", 3_000_000) + `,"alt":"x"}`), "3000000 bytes"},
		{put, images(`{"image":` + blob("text/plain", 9) + `,"alt":"x"}`), "text/plain"},
		{put, images(`{"image":` + blob("image/png", 9) + `}`), "lacks alt"},
		{put, `{"repo":` + did + `,"collection":"app.bsky.feed.post","rkey":"a b","record":{}}`, "no record-key"},
		{put, `{"repo":` + did + `,"collection":"app.bsky.feed.like","rkey":"3k","record":{}}`, "no collection"},
		{put, `{}{}`, "follows"},
		{"GET com.atproto.repo.listRecords?repo=did:plc:a&collection=app.bsky.feed.post&limit=101", "", "out of bounds"},
		{"GET com.atproto.repo.listRecords?repo=did:plc:a", "", "lacks collection"},
		{"GET com.atproto.repo.listRecords?repo=did:plc:a&collection=app.bsky.feed.post&since=1", "", "has no since"},
		{"GET com.atproto.repo.putRecord", "", "procedure"},
		{"POST com.atproto.server.refreshSession", "{}", "no body"},
		{"GET com.atproto.repo.listPosts", "", "no such method"},
	} {
		method, address, _ := strings.Cut(tt.request, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, "https://bsky.social/xrpc/"+address, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		err = l.Check(r)
		if (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s %s: got %v, want something about %q", tt.request, tt.body, err, tt.wrong)
		}
	}
}

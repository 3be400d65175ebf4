package preview

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// move asks for a new time as the page's form does, with changes.
func (r *running) move(id, source, at string, headers ...string) reply {
	r.t.Helper()
	return r.do(http.MethodPost, "/posts/"+id+"/move", url.Values{"token": {r.token}, "source": {source}, "at": {at}}.Encode(), headers...)
}

// source is the digest of a post's file that its page sends back.
func (r *running) source(id string) string {
	r.t.Helper()
	row, ok := r.state.Load().board.Row(id)
	if !ok {
		r.t.Fatalf("there is no post %q", id)
	}
	return row.Post.Source
}

func TestMove(t *testing.T) {
	files := small()
	files["content/one.md"] = "---\r\nid: one11111\r\ntitle:   \"One\" # as it is\r\npublish_at: 2026-12-01 10:00   # before lunch\r\ntags: [ a,b ]\r\n---\r\nThe first text.  \r\n\r\n\r\n"
	r := start(t, folder(t, files), nil)
	l, calendar := r.follow("/posts/one11111"), r.follow("/calendar/2026-12")
	p := r.move("one11111", r.source("one11111"), "2026-12-24T09:30")
	if to := p.header.Get("Location"); p.status != http.StatusSeeOther || !strings.HasPrefix(to, "/posts/one11111?said=") {
		t.Fatalf("%d: %s", p.status, p.body)
	}
	was, is := strings.Split(files["content/one.md"], "\n"), strings.Split(read(t, r.dir, "content/one.md"), "\n")
	changed := 0
	for i := range max(len(was), len(is)) {
		if i >= len(was) || i >= len(is) || was[i] != is[i] {
			changed++
		}
	}
	if changed != 1 || !strings.Contains(is[3], "2026-12-24 09:30") || !strings.Contains(is[3], "# before lunch") {
		t.Errorf("the file is %q", is)
	}
	if page := r.page(p.header.Get("Location")); !strings.Contains(page, "One is planned for Thu 24 Dec 2026, 09:30 CET.") || len(wellFormed(page)) > 0 {
		t.Errorf("the page does not say what was done: %q, %s", wellFormed(page), page)
	}
	l.shows("24 Dec 2026 09:30")
	calendar.until(func(page string) bool {
		_, day, _ := strings.Cut(page, `data-day="2026-12-24"`)
		day, _, _ = strings.Cut(day, "data-day=")
		return strings.Contains(day, "One")
	})

	// By the page's script.
	p = r.move("one11111", r.source("one11111"), "2026-12-25T09:30", "Accept", "application/json", "Sec-Fetch-Site", "same-origin", "Origin", r.base)
	var said struct{ Message string }
	if err := json.Unmarshal([]byte(p.body), &said); err != nil || p.status != http.StatusOK || !strings.Contains(said.Message, "Fri 25 Dec") {
		t.Errorf("%d: %s", p.status, p.body)
	}
	// To where it is already.
	before := read(t, r.dir, "content/one.md")
	if p := r.move("one11111", r.source("one11111"), "2026-12-25T09:30"); p.status != http.StatusSeeOther || read(t, r.dir, "content/one.md") != before {
		t.Errorf("%d: %s", p.status, p.body)
	}
}

// TestMoveWhenTheClocksAreSetBack moves a post to a time that the clock shows twice: the first, as in a file.
func TestMoveWhenTheClocksAreSetBack(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	p := r.move("one11111", r.source("one11111"), "2027-10-31T02:30", "Accept", "application/json")
	if p.status != http.StatusOK || !strings.Contains(p.body, "02:30 CEST") {
		t.Errorf("%d: %s", p.status, p.body)
	}
	if text := read(t, r.dir, "content/one.md"); !strings.Contains(text, "2027-10-31 02:30+02:00") {
		t.Errorf("the file is %q", text)
	}
	p = r.move("one11111", r.source("one11111"), "2020-01-01T09:00", "Accept", "application/json")
	if p.status != http.StatusOK || !strings.Contains(p.body, "That has passed.") {
		t.Errorf("%d: %s", p.status, p.body)
	}
}

func TestMoveIsRefused(t *testing.T) {
	files := small()
	files["content/own.md"] = "---\nid: own11111\ntitle: Own\npublish_at: 2026-12-01 10:00\noverrides: {fedi: {publish_at: 2026-12-02 10:00}}\n---\nText.\n"
	files["content/none.md"] = "No front matter.\n"
	files["content/broken.md"] = "---\ntitle: [\n---\nText.\n"
	dir := sample(t)
	for name, text := range files {
		if name != "site.yaml" {
			write(t, dir, name, strings.ReplaceAll(text, "campaign: winter\n", ""))
		}
	}
	r := start(t, dir, func(o *Options) {
		o.Ledger = func(_ context.Context, tip string) (*Book, error) {
			if tip != "" {
				return nil, nil
			}
			return book(), nil
		}
	})
	const at = "2026-12-24T09:30"
	one := r.source("one11111")
	for _, tt := range []struct {
		name, id, source, at, says string
		status                     int
	}{
		{"out already", "q5xk2vbe", r.source("q5xk2vbe"), at, "It is out on bluesky already.", 422},
		{"seen before it changed", "one11111", strings.Repeat("0", 64), at, "has changed meanwhile", 422},
		{"without what was seen", "one11111", "", at, "has changed meanwhile", 422},
		{"a time of its own", "own11111", r.source("own11111"), at, "has a time of its own for fedi", 422},
		{"no front matter", "none", r.source("none"), at, "has no front matter", 422},
		{"front matter that cannot be read", "broken", r.source("broken"), at, "cannot be read", 422},
		{"no such post", "nobody00", one, at, "no such post", 404},
		{"a path", "content%2Fone.md", one, at, "no such post", 404},
		{"no time", "one11111", one, "", "The new time cannot be read", 422},
		{"words", "one11111", one, "tomorrow", "The new time cannot be read", 422},
		{"a time that is none", "one11111", one, "2026-02-30T25:00", "The new time cannot be read", 422},
		{"a time that the clock jumps over", "one11111", one, "2027-03-28T02:30", "does not exist in Europe/Berlin", 422},
		{"more than a time", "one11111", one, at + "\ndraft: false", "The new time cannot be read", 422},
	} {
		before := everything(t, dir)
		for _, accept := range []string{"text/html", "application/json"} {
			p := r.move(tt.id, tt.source, tt.at, "Accept", accept)
			if p.status != tt.status || !strings.Contains(p.body, tt.says) {
				t.Errorf("%s, as %s: %d: %s", tt.name, accept, p.status, p.body)
			}
			if accept == "application/json" && !json.Valid([]byte(p.body)) {
				t.Errorf("%s: %s", tt.name, p.body)
			}
			if accept == "text/html" && p.status == 422 {
				for _, wrong := range wellFormed(p.body) {
					t.Errorf("%s: %s", tt.name, wrong)
				}
				// What the page says is still there when it has become live.
				_, here, _ := strings.Cut(p.body, `data-here="`)
				here, _, _ = strings.Cut(here, `"`)
				if l := r.follow(strings.ReplaceAll(here, "&amp;", "&")); !strings.Contains(l.text(), tt.says) {
					t.Errorf("%s: the live page does not say why", tt.name)
				}
			}
		}
		if after := everything(t, dir); after != before {
			t.Errorf("%s: files have changed", tt.name)
		}
	}
}

func TestNobodyElseWrites(t *testing.T) {
	dir := folder(t, small())
	r := start(t, dir, nil)
	before := everything(t, dir)
	good := url.Values{"token": {r.token}, "source": {r.source("one11111")}, "at": {"2026-12-24T09:30"}, "title": {"New"}}
	with := func(key, value string) string {
		v := url.Values{}
		for k := range good {
			v[k] = good[k]
		}
		v.Set(key, value)
		return v.Encode()
	}
	for _, target := range []string{"/posts/one11111/move", "/new"} {
		for _, tt := range []struct {
			name, method, query, body string
			headers                   []string
			want                      []int
		}{
			{"another site", "POST", "", good.Encode(), []string{"Sec-Fetch-Site", "cross-site"}, []int{403}},
			{"another site of the same domain", "POST", "", good.Encode(), []string{"Sec-Fetch-Site", "same-site"}, []int{403}},
			{"another origin", "POST", "", good.Encode(), []string{"Origin", "https://evil.example"}, []int{403}},
			{"another port", "POST", "", good.Encode(), []string{"Origin", "http://127.0.0.1:1"}, []int{403}},
			{"no origin", "POST", "", good.Encode(), []string{"Origin", "null"}, []int{403}},
			{"another host", "POST", "", good.Encode(), []string{"Host", "evil.example"}, []int{421}},
			{"GET", "GET", good.Encode(), "", nil, []int{404, 200}},
			{"PUT", "PUT", "", good.Encode(), nil, []int{405}},
			{"no token", "POST", "", with("token", ""), nil, []int{403}},
			{"a wrong token", "POST", "", with("token", r.token+"x"), nil, []int{403}},
			{"the token in the address", "POST", good.Encode(), "", nil, []int{403}},
			{"JSON", "POST", "", `{"token":"` + r.token + `"}`, []string{"Content-Type", "application/json"}, []int{403}},
			{"plain text", "POST", "", good.Encode(), []string{"Content-Type", "text/plain"}, []int{403}},
			{"not a form", "POST", "", "%zz", nil, []int{400}},
			{"too large", "POST", "", with("title", strings.Repeat("x", maxForm)), nil, []int{413}},
		} {
			p := r.do(tt.method, target+"?"+tt.query, tt.body, tt.headers...)
			if !slices.Contains(tt.want, p.status) {
				t.Errorf("%s, %s: %d: %s", target, tt.name, p.status, p.body)
			}
		}
	}
	if after := everything(t, dir); after != before {
		t.Error("files have changed")
	}
}

func TestReadOnly(t *testing.T) {
	dir := folder(t, small())
	r := start(t, dir, func(o *Options) { o.ReadOnly = true })
	before := everything(t, dir)
	for _, target := range []string{"/", "/posts", "/posts/one11111", "/calendar/2026-12", "/campaigns"} {
		for _, sign := range []string{`method="post"`, "data-move", "data-token", `href="/new`, r.token} {
			if page := r.page(target); strings.Contains(page, sign) {
				t.Errorf("%s has %s", target, sign)
			}
		}
	}
	if p := r.move("one11111", r.source("one11111"), "2026-12-24T09:30"); p.status != http.StatusForbidden {
		t.Errorf("move: %d", p.status)
	}
	if p := r.do(http.MethodPost, "/new", url.Values{"token": {r.token}, "title": {"x"}}.Encode()); p.status != http.StatusForbidden {
		t.Errorf("new: %d", p.status)
	}
	if after := everything(t, dir); after != before {
		t.Error("files have changed")
	}
}

func TestWritingBeforeAnythingIsRead(t *testing.T) {
	r := prepare(t, folder(t, small()), nil)
	for _, target := range []string{"/posts/one11111/move", "/new"} {
		if p := r.do(http.MethodPost, target, url.Values{"token": {r.token}}.Encode()); p.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", target, p.status)
		}
	}
}

func TestNewPost(t *testing.T) {
	files := small()
	files["site.yaml"] += "schedule: {slots: {morning: \"09:00\"}}\n"
	dir := folder(t, files)
	r := start(t, dir, nil)
	list := r.follow("/posts")
	create := func(v url.Values) reply {
		t.Helper()
		v.Set("token", r.token)
		return r.do(http.MethodPost, "/new", v.Encode())
	}
	const title = `Ein "Titel" <b> & 'mehr': #x`
	p := create(url.Values{"title": {title}, "platforms": {"fedi"}, "at": {"2026-12-24T09:30"}, "campaign": {"winter"}})
	if p.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", p.status, p.body)
	}
	list.shows("Ein &#34;Titel&#34; &lt;b&gt;")
	page := r.page(p.header.Get("Location"))
	for _, want := range []string{"is written, as a draft", "24 Dec 2026 09:30", `id="target-fedi"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
	if strings.Contains(page, `id="target-bsky"`) {
		t.Error("it goes to an account that was not chosen")
	}
	if again := create(url.Values{"title": {title}, "at": {"2026-12-24T09:30"}, "bundle": {"1"}}); again.status != http.StatusSeeOther || again.header.Get("Location") == p.header.Get("Location") {
		t.Errorf("another of the same title: %d %s", again.status, again.body)
	}

	before := everything(t, dir)
	for _, tt := range []struct {
		name string
		form url.Values
	}{
		{"no title", url.Values{}},
		{"an account that is not there", url.Values{"title": {"x"}, "platforms": {"nowhere"}}},
		{"an account that is not there, with much else", url.Values{"title": {"x"}, "platforms": {"nowhere"}, "slot": {"morning"}, "bundle": {"1"}}},
		{"a campaign that is not there", url.Values{"title": {"x"}, "campaign": {"nothing"}}},
		{"a time that is none", url.Values{"title": {"x"}, "at": {"some day"}}},
		{"a slot that is not there", url.Values{"title": {"x"}, "slot": {"noon"}}},
	} {
		p := create(tt.form)
		if p.status != http.StatusUnprocessableEntity || !strings.Contains(p.body, `class="notice bad" role="alert"`) || strings.Contains(p.body, dir) {
			t.Errorf("%s: %d: %s", tt.name, p.status, p.body)
		}
		for _, wrong := range wellFormed(p.body) {
			t.Errorf("%s: %s", tt.name, wrong)
		}
		if tt.form.Get("bundle") != "" && (!strings.Contains(p.body, `name="bundle" value="1" checked`) || !strings.Contains(p.body, `<option value="morning" selected>`)) {
			t.Errorf("%s: what was filled in is gone: %s", tt.name, p.body)
		}
		if title := tt.form.Get("title"); title != "" && !strings.Contains(p.body, `value="x"`) {
			t.Errorf("%s: what was typed is lost", tt.name)
		}
	}
	// Titles name files: none leaves its folder.
	for _, title := range []string{"../../../up", "/etc/passwd", ".env", "a\x00b", "CON", strings.Repeat("long ", 30), "..", "ä/ö\\ü", "---\nid: x"} {
		p := create(url.Values{"title": {title}})
		if p.status != http.StatusSeeOther && p.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d: %s", title, p.status, p.body)
		}
	}
	after := everything(t, dir)
	for line := range strings.SplitSeq(before, "\x00") {
		if !strings.Contains(after, line) {
			t.Errorf("a file that was there has changed: %q", line)
		}
	}
	for name := range strings.SplitSeq(filesOf(t, dir), "\n") {
		if name != "site.yaml" && !strings.HasPrefix(name, "content/") {
			t.Errorf("%s was written", name)
		}
	}
}

// everything is all files of a folder with what is in them.
func everything(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for name := range strings.SplitSeq(filesOf(t, dir), "\n") {
		b.WriteString(name + ": " + read(t, dir, name) + "\x00")
	}
	return b.String()
}

// filesOf returns the names of all files of a folder, one on each line.
func filesOf(t *testing.T, dir string) string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var rel string
			if rel, err = filepath.Rel(dir, name); err == nil {
				list = append(list, filepath.ToSlash(rel))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, "\n")
}

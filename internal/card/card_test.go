package card_test

import (
	"bytes"
	"flag"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/card"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/templates"
)

// networks are all that have a look, and one that has none.
var networks = []platform.ID{
	"bluesky", "discord", "facebook", "instagram", "linkedin", "mastodon", "slack", "telegram", "threads", "webhook", "x", "pigeon",
}

// stand is an adapter for networks that have none yet: as much of it as cards need.
type stand struct {
	info  platform.Info
	style plaintext.Style
}

func standIn(id platform.ID) stand {
	look := card.LookOf(id)
	s := stand{
		info: platform.Info{ID: id, Name: look.Name},
		style: plaintext.Style{
			Network: string(id), Rich: look.Rich, Tags: true, Unit: measure.CodePoints, Count: measure.CountCodePoints,
			Entities: measure.XEntities,
		},
	}
	if look.ID != id {
		s.info.Name = "Pigeon"
	}
	if look.Rich {
		s.style.Links = plaintext.LinkFacet
	}
	switch id {
	case "discord":
		s.style.Max = 2000
	case "instagram":
		s.style.Max = 2200
	case "linkedin":
		s.style.Max = 3000
	case "telegram":
		s.style.Max = 4096
	case "threads":
		s.style.Max = 500
	}
	return s
}

func (s stand) Render(v *post.Variant, _ *platform.Account) (platform.Rendering, finding.List) {
	style := s.style
	style.Append = v.Link
	parts, list := plaintext.Write(v, &style)
	r := platform.Rendering{
		Platform: s.info.ID, Title: v.Title, Parts: parts, Language: v.Language, Visibility: v.Visibility, ContentWarning: v.ContentWarning,
		Sensitive: v.Sensitive, Labels: v.Labels, ReplyTo: v.ReplyTo, Quote: v.Quote,
	}
	if p := v.Poll; p != nil {
		r.Poll = &platform.Poll{Options: p.Options, Duration: p.Duration, Multiple: p.Multiple, HideTotals: p.HideTotals}
	}
	if c := v.Card; c != nil {
		r.Parts[0].Card = &platform.Card{URL: c.URL, Title: c.Title, Description: c.Description}
		if c.Image != nil {
			m := platform.MediaOf(c.Image)
			r.Parts[0].Card.Image = &m
		}
	}
	return r, list
}

// at is when everything goes out.
var at = time.Date(2026, 12, 1, 9, 0, 0, 0, time.FixedZone("CET", 3600))

// view shows a post on a network.
func view(id platform.ID, p *post.Post, media func(platform.Media) string) card.View {
	account := &platform.Account{Name: string(id), Platform: id}
	in := card.Input{Account: account, Name: "Fichtl & Daughters", Handle: "fichtl", Server: "https://alpen.example", At: at, MediaURL: media}
	var adapter interface {
		Render(*post.Variant, *platform.Account) (platform.Rendering, finding.List)
	} = standIn(id)
	in.Info = standIn(id).info
	if real, ok := adapters.All().Get(id); ok {
		adapter, in.Info = real, real.Info()
		account.Options = in.Info.NewOptions()
	}
	if id == "bluesky" {
		in.Handle = "fichtl.example"
	}
	v := p.For(account.Name, string(id), &account.Defaults)
	r, _ := adapter.Render(&v, account)
	return card.New(&r, in)
}

// parsed returns the templates as pages do.
func parsed(t testing.TB) *template.Template {
	t.Helper()
	set, err := template.ParseFS(templates.Files, "preview/card*.html", "preview/sprite.html")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func written(t testing.TB, set *template.Template, name string, data any) string {
	t.Helper()
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, name, data); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGoldens holds each network's cards of the hostile corpus against testdata: all of it for networks with an adapter, and
// what differs in looks for the others.
func TestGoldens(t *testing.T) {
	few := []string{"thread-media", "four-images", "five-images", "rich", "link-and-tags", "card", "sensitive", "unlisted", "poll", "mentions"}
	update := flag.Lookup("update").Value.String() == "true" // platformtest has the flag
	set := parsed(t)
	media := func(m platform.Media) string { return "/media/" + m.Path }
	for _, id := range networks {
		t.Run(string(id), func(t *testing.T) {
			var b strings.Builder
			_, whole := adapters.All().Get(id)
			for _, s := range platformtest.Corpus() {
				if !whole && !slices.Contains(few, s.Name) || strings.HasPrefix(s.Name, "long-") || s.Name == "long" && id != "x" {
					continue
				}
				b.WriteString("<!-- " + s.Name + " -->\n" + written(t, set, "card", view(id, s.Post(), media)) + "\n\n")
			}
			path := filepath.Join("testdata", string(id)+".html")
			if update {
				if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), b.String()); diff != "" {
				t.Errorf("%s (-golden +written; go test -update rewrites it):\n%s", path, diff)
			}
		})
	}
}

// hostile is a post whose every word tries to get out of its place.
func hostile() *post.Post {
	const evil = `<script>alert(1)</script> "><img src=x onerror=alert(1)> {{.}} javascript:alert(1) ' ` + "`" + ` --> ]]> &lt;`
	text := func(s string) post.Inline { return post.Inline{Kind: post.Text, Text: s} }
	m := post.Media{File: evil, Path: evil, Alt: evil, HasAlt: true, MIME: "image/png", Digest: "d", Width: 3, Height: 2}
	p := &post.Post{ID: "evil", Path: "content/evil.md", Body: []post.Doc{
		{Blocks: []post.Block{{Kind: post.Paragraph, Inlines: []post.Inline{
			text(evil), {Kind: post.Link, Dest: `javascript:alert(1)//https://x.example`, Inlines: []post.Inline{text(evil)}},
			{Kind: post.Link, Dest: `https://acme.example/"onmouseover="alert(1)`, Inlines: []post.Inline{text(evil)}},
		}}}},
		{Blocks: []post.Block{{Kind: post.Paragraph, Inlines: []post.Inline{text(evil)}}}},
	}}
	f := &p.Fields
	for field := range post.Field(64) {
		f.Set = f.Set.With(field)
	}
	f.Title, f.ContentWarning, f.Sensitive, f.Language, f.Labels, f.Tags = evil, evil, true, []string{evil}, []string{evil, "porn"}, []string{evil}
	f.ReplyTo, f.Quote, f.CanonicalURL, f.Visibility = evil, "javascript:alert(1)", "javascript:alert(1)", evil
	f.Poll = &post.Poll{Options: []string{evil, evil}, Duration: time.Hour, Multiple: true, HideTotals: true}
	f.Card = &post.Card{URL: "javascript:alert(1)", Title: evil, Description: evil, Image: &m}
	f.Media = []post.Media{m, {File: "b.mp4", Path: "b.mp4", MIME: "video/mp4"}, {File: "c.pdf", Path: "c.pdf", MIME: evil}}
	return p
}

// TestHTML holds what every card must keep to: nothing of a post becomes markup, nothing needs what the pages' content
// security policy forbids, and everything has a name.
func TestHTML(t *testing.T) {
	set := parsed(t)
	sprite := written(t, set, "sprite", nil)
	media := func(m platform.Media) string {
		if strings.HasSuffix(m.Path, ".mp4") {
			return ""
		}
		return "/media/" + m.Digest
	}
	for _, id := range networks {
		for _, s := range append(platformtest.Corpus(), platformtest.Sample{Name: "hostile", Post: hostile}) {
			page := sprite + written(t, set, "card", view(id, s.Post(), media))
			root, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			c := checker{t: t, where: string(id) + ", " + s.Name, ids: map[string]bool{}}
			c.check(root)
			for _, ref := range c.refs {
				if !c.ids[ref] {
					t.Errorf("%s: the page has no #%s", c.where, ref)
				}
			}
			if c.articles != 1 {
				t.Errorf("%s: %d articles", c.where, c.articles)
			}
			if s.Name == "hostile" && !strings.Contains(c.text.String(), "<script>alert(1)</script>") {
				t.Errorf("%s: the text does not show what was written", c.where)
			}
		}
	}
}

func BenchmarkCard(b *testing.B) {
	set := parsed(b)
	samples := platformtest.Corpus()
	views := make([]platform.Rendering, 0, len(samples))
	for _, s := range samples {
		account := &platform.Account{Name: "x", Platform: "x"}
		v := s.Post().For("x", "x", &account.Defaults)
		r, _ := standIn("x").Render(&v, account)
		views = append(views, r)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		v := card.New(&views[i%len(views)], card.Input{})
		if err := set.ExecuteTemplate(io.Discard, "card", v); err != nil {
			b.Fatal(err)
		}
	}
}

type checker struct {
	t        *testing.T
	where    string
	ids      map[string]bool
	refs     []string
	articles int
	text     strings.Builder
}

// elements are all that cards may consist of.
var elements = strings.Fields("html head body article div p span strong em s code a bdi time br ul ol li dl dt dd details summary img svg symbol path circle use")

func (c *checker) check(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		c.text.WriteString(n.Data)
	case html.ElementNode:
		if !slices.Contains(elements, n.Data) {
			c.t.Errorf("%s: an element <%s>", c.where, n.Data)
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				c.t.Errorf("%s: <%s> has %s=%q", c.where, n.Data, a.Key, a.Val)
			}
		}
		c.element(n.Data, attr)
	}
	for child := range n.ChildNodes() {
		c.check(child)
	}
}

func (c *checker) element(name string, attr map[string]string) {
	switch name {
	case "article":
		c.articles++
		if attr["aria-label"] == "" {
			c.t.Errorf("%s: the card has no name", c.where)
		}
	case "img":
		if _, ok := attr["alt"]; !ok {
			c.t.Errorf("%s: a picture without alt", c.where)
		}
		if !strings.HasPrefix(attr["src"], "/media/") {
			c.t.Errorf("%s: a picture from %q", c.where, attr["src"])
		}
	case "a":
		if h := attr["href"]; !strings.HasPrefix(h, "https://") && !strings.HasPrefix(h, "http://") {
			c.t.Errorf("%s: a link to %q", c.where, h)
		}
	case "use":
		c.refs = append(c.refs, strings.TrimPrefix(attr["href"], "#"))
	}
	if id, ok := attr["id"]; ok {
		if c.ids[id] || id == "" {
			c.t.Errorf("%s: the id %q is there twice", c.where, id)
		}
		c.ids[id] = true
	}
}

func TestLookOf(t *testing.T) {
	for _, id := range networks {
		l := card.LookOf(id)
		if known := id != "pigeon"; known != (l.ID == id) || !known && l.Layout != card.Plain {
			t.Errorf("%s looks like %s, %s", id, l.ID, l.Layout)
		}
	}
	for _, info := range adapters.All().Infos() { // a new one need not have been drawn yet: it looks like a sheet of paper
		if l := card.LookOf(info.ID); l.ID == info.ID && l.Name != info.Name || l.ID != info.ID && l.Layout != card.Plain {
			t.Errorf("%s (%s) looks like %s (%s)", info.ID, info.Name, l.ID, l.Name)
		}
	}
}

// TestStyles holds that the style sheet knows every name that cards use for shapes, arrangements and looks.
func TestStyles(t *testing.T) {
	css, err := templates.Files.ReadFile("assets/cards.css")
	if err != nil {
		t.Fatal(err)
	}
	need := []string{"g-1", "strip", "stack", "look-plain"}
	for _, id := range networks {
		l := card.LookOf(id)
		need = append(need, "look-"+string(l.ID), "as-"+string(l.Layout))
		for _, f := range slices.Concat(l.Frames, l.Tall) {
			need = append(need, f.Grid, f.Ratio.Class())
		}
		for _, r := range l.One {
			need = append(need, r.Class())
		}
	}
	slices.Sort(need)
	for _, class := range slices.Compact(need) {
		if class != "as-stack" && class != "as-image" && !strings.Contains(string(css), "."+class+" ") && !strings.Contains(string(css), "."+class+":") && !strings.Contains(string(css), "."+class+",") {
			t.Errorf("cards.css has no rule for .%s", class)
		}
	}
}

// plain writes a text down in a way that shows its runs.
func plain(text card.Text) string {
	var b strings.Builder
	for i, p := range text {
		if i > 0 {
			b.WriteString("¶")
		}
		for _, r := range p {
			switch {
			case r.Kind == card.Break:
				b.WriteString("⏎")
				continue
			case r.Kind != card.Words:
				b.WriteString("[" + string(r.Kind) + ":" + r.Text + "→" + r.Href + "]")
				continue
			}
			for _, s := range []struct {
				on   bool
				mark string
			}{{r.Bold, "**"}, {r.Italic, "_"}, {r.Strike, "~~"}, {r.Code, "`"}} {
				if s.on {
					b.WriteString(s.mark)
				}
			}
			b.WriteString(r.Text)
		}
	}
	return b.String()
}

func TestText(t *testing.T) {
	facet := func(start, end int, kind platform.FacetKind, value string) platform.Facet {
		return platform.Facet{Start: start, End: end, Kind: kind, Value: value}
	}
	const long = "https://www.acme.example/winter/launch?utm_source=mail"
	for _, tc := range []struct {
		name   string
		id     platform.ID
		text   string
		facets []platform.Facet
		want   string
	}{
		{"lines and paragraphs", "x", "\na\nb\n\nc\r\nd\n\n\n\ne\n", nil, "a⏎b¶c⏎d¶⏎⏎e"},
		{"styles nest", "webhook", "abcdef", []platform.Facet{facet(0, 4, platform.FacetBold, ""), facet(2, 6, platform.FacetItalic, "")}, "**ab**_cd_ef"},
		{"facets outside of the text", "webhook", "é", []platform.Facet{
			facet(-5, 99, platform.FacetBold, ""), facet(1, 1, platform.FacetLink, "https://a.example"), facet(7, 3, platform.FacetTag, "x"), facet(1, 2, "new", ""),
		}, "**é"},
		{"no styles where the network has none", "x", "ab", []platform.Facet{facet(0, 1, platform.FacetBold, "")}, "ab"},
		{"the first of two links counts", "x", "one two", []platform.Facet{
			facet(2, 7, platform.FacetLink, "https://b.example"), facet(0, 3, platform.FacetLink, "https://a.example"),
		}, "[link:one→https://a.example] two"},
		{"no link leads to a script", "x", "click", []platform.Facet{facet(0, 5, platform.FacetLink, "javascript:alert(1)")}, "[link:click→]"},
		{"X shows host and 15 characters", "x", long, []platform.Facet{facet(0, len(long), platform.FacetLink, long)}, "[link:acme.example/winter/launch?…→" + long + "]"},
		{"Bluesky shows host and 13 characters", "bluesky", long, []platform.Facet{facet(0, len(long), platform.FacetLink, long)}, "[link:www.acme.example/winter/launc...→" + long + "]"},
		{"Mastodon shows 30 characters", "mastodon", long, []platform.Facet{facet(0, len(long), platform.FacetLink, long)}, "[link:acme.example/winter/launch?utm…→" + long + "]"},
		{"others show it all", "slack", long, []platform.Facet{facet(0, len(long), platform.FacetLink, long)}, "[link:" + long + "→" + long + "]"},
		{"words stay", "mastodon", "the shop", []platform.Facet{facet(0, 8, platform.FacetLink, long)}, "[link:the shop→" + long + "]"},
		{"mentions", "mastodon", "@carol@m.example @bob", []platform.Facet{
			facet(0, 16, platform.FacetMention, "carol@m.example"), facet(17, 21, platform.FacetMention, "bob"),
		}, "[mention:@carol→https://m.example/@carol] [mention:@bob→https://alpen.example/@bob]"},
		{"hashtags", "x", "#冬 $ACME", []platform.Facet{facet(0, 4, platform.FacetTag, "冬"), facet(5, 10, platform.FacetTag, "$ACME")},
			"[tag:#冬→https://x.com/hashtag/%E5%86%AC] [tag:$ACME→]"},
		{"bytes that are no characters", "x", "a\xffb", nil, "a\uFFFDb"},
	} {
		r := platform.Rendering{Platform: tc.id, Parts: []platform.Part{{Text: tc.text, Facets: tc.facets}}}
		v := card.New(&r, card.Input{Server: "https://alpen.example/"})
		if got := plain(v.Parts[0].Text); got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

// TestSentWith holds what people read of a post's settings: in an adapter's words, else in the API's.
func TestSentWith(t *testing.T) {
	for _, tc := range []struct {
		id       platform.ID
		settings map[string]string
		want     string
	}{
		{"telegram", map[string]string{"message_thread_id": "42", "disable_notification": "true", "link_preview_options": `{"prefer_small_media":true,"show_above_text":true}`},
			"silent · link preview small above the text · topic 42"},
		{"telegram", map[string]string{"link_preview_options": "no JSON"}, "link preview options: no JSON"},
		{"x", map[string]string{"reply_settings": "following"}, "reply settings: following"},
		{"linkedin", map[string]string{"media.title": "Winter"}, "media title: Winter"},
		{"bluesky", nil, ""},
	} {
		info, _ := adapters.All().Info(tc.id)
		v := card.New(&platform.Rendering{Platform: tc.id, Parts: []platform.Part{{Text: "a"}}, Settings: tc.settings}, card.Input{Info: info})
		got := ""
		for _, f := range v.Facts {
			if f.Term == "Sent with" {
				got = f.Text
			}
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.id, got, tc.want)
		}
	}
}

func TestFold(t *testing.T) {
	words := strings.TrimSpace(strings.Repeat("Snow fell. ", 60))
	family := strings.Repeat("👩‍👩‍👧‍👦", 200)
	for _, tc := range []struct {
		name   string
		id     platform.ID
		text   string
		facets []platform.Facet
		shown  int // bytes; -1: all
	}{
		{"short", "linkedin", "Snow fell.", nil, -1},
		{"at a word", "linkedin", words, nil, 208},
		{"by lines", "linkedin", "a\nb\n\nd\ne", nil, 4},
		{"nothing but an empty line would be hidden", "linkedin", "a\nb\nc\n\n", nil, -1},
		{"between characters", "instagram", family, nil, 125 * len("👩‍👩‍👧‍👦")},
		{"not through a link", "instagram", strings.Repeat("x", 120) + "https://acme.example/", []platform.Facet{{Start: 120, End: 141, Kind: platform.FacetLink}}, 120},
		{"long posts of X", "x", words, nil, 280},
		{"no known fold", "slack", words + words + words, nil, -1},
	} {
		r := platform.Rendering{Platform: tc.id, Parts: []platform.Part{{Text: tc.text, Facets: tc.facets}}}
		p := card.New(&r, card.Input{}).Parts[0]
		shown := strings.NewReplacer("⏎", "\n", "¶", "\n\n").Replace(plain(p.Text))
		if tc.shown < 0 {
			if p.Folded != nil {
				t.Errorf("%s: %q is folded", tc.name, plain(p.Folded))
			}
			continue
		}
		if p.Folded == nil || !strings.HasPrefix(tc.text, shown) || len(shown) > tc.shown || len(shown) < tc.shown-8 {
			t.Errorf("%s: %d bytes are shown, want %d: %q", tc.name, len(shown), tc.shown, shown)
		}
	}
}

func TestGallery(t *testing.T) {
	pictures := func(sizes ...[2]int) []platform.Media {
		var list []platform.Media
		for i, s := range sizes {
			list = append(list, platform.Media{Path: strconv.Itoa(i) + ".png", MIME: "image/png", Alt: "A sled", Width: s[0], Height: s[1]})
		}
		return list
	}
	wide, tall, square := [2]int{1600, 900}, [2]int{600, 1500}, [2]int{1000, 1000}
	type want struct {
		Grid, Box string
		Boxes     []string
		Hidden    []int
		More      int
	}
	fill := func(n int) []string { return slices.Repeat([]string{"ar-fill"}, n) }
	for _, tc := range []struct {
		id    platform.ID
		media []platform.Media
		want  want
	}{
		{"x", nil, want{}},
		{"x", pictures(wide), want{"g-1", "", []string{"ar-own"}, []int{0}, 0}},
		{"x", pictures(tall), want{"g-1", "", []string{"ar-3-4"}, []int{47}, 0}},
		{"x", pictures(square, square), want{"g-2", "ar-7-4", fill(2), []int{13, 13}, 0}},
		{"x", pictures([2]int{0, 0}), want{"g-1", "", []string{"ar-16-9"}, []int{0}, 0}},
		{"bluesky", pictures(tall), want{"g-1", "", []string{"ar-1-2"}, []int{20}, 0}},
		{"mastodon", pictures(square, wide, tall, wide, wide, wide), want{"g-4", "ar-3-2", fill(4), []int{33, 16, 73, 16}, 2}},
		{"facebook", pictures(tall, wide, wide, wide, wide, wide), want{"g-5", "ar-1-1", fill(5), []int{52, 53, 53, 53, 53}, 1}},
		{"instagram", pictures(tall, wide), want{"strip", "", []string{"ar-4-5", "ar-4-5"}, []int{50, 55}, 0}},
		{"threads", pictures(tall, wide), want{"strip", "", []string{"ar-own", "ar-own"}, []int{0, 0}, 0}},
		{"slack", pictures(tall, wide), want{"stack", "", []string{"ar-own", "ar-own"}, []int{0, 0}, 0}},
	} {
		r := platform.Rendering{Platform: tc.id, Parts: []platform.Part{{Media: tc.media}}}
		g := card.New(&r, card.Input{}).Parts[0].Media
		got := want{Grid: g.Grid, Box: g.Box, More: g.More}
		for _, tile := range g.Tiles {
			got.Boxes, got.Hidden = append(got.Boxes, tile.Box), append(got.Hidden, tile.Hidden)
		}
		if len(g.Alts) != len(tc.media) {
			t.Errorf("%s: %d descriptions of %d pictures", tc.id, len(g.Alts), len(tc.media))
		}
		tc.want.Hidden = slices.Clone(tc.want.Hidden)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s, %d pictures (-want +got):\n%s", tc.id, len(tc.media), diff)
		}
	}
}

func TestCounters(t *testing.T) {
	for _, tc := range []struct {
		part  platform.Part
		state card.State
		words string
	}{
		{platform.Part{Used: 1204, Unit: measure.CodePoints}, card.Free, "1,204 characters"},
		{platform.Part{Used: 12, Max: 280, Unit: measure.Weighted}, card.OK, "12 of 280 weighted characters"},
		{platform.Part{Used: 271, Max: 300, Unit: measure.Graphemes}, card.Near, "271 of 300 characters"},
		{platform.Part{Used: 300, Max: 300, Unit: measure.Graphemes}, card.Near, "300 of 300 characters"},
		{platform.Part{Used: 1301, Max: 300, Unit: measure.Graphemes}, card.Over, "1,301 of 300 characters, 1,001 too many"},
	} {
		r := platform.Rendering{Platform: "x", Parts: []platform.Part{tc.part}}
		c := card.New(&r, card.Input{}).Counters
		if len(c) != 1 || c[0].State != tc.state || c[0].Words != tc.words || c[0].Percent > 100 {
			t.Errorf("%+v: got %+v, want %s, %q", tc.part, c, tc.state, tc.words)
		}
	}
	r := platform.Rendering{Platform: "bluesky", Parts: []platform.Part{{Used: 3, Max: 300, UsedByte: 2950, MaxByte: 3000}}}
	if c := card.New(&r, card.Input{}).Counters; len(c) != 2 || !c[1].Presses() || c[0].Presses() {
		t.Errorf("of the limits 300 and 3000 bytes, the second presses: got %+v", c)
	}
}

// TestUnfurl holds when a network makes a card of a link by itself.
func TestUnfurl(t *testing.T) {
	const text = "https://a.example https://b.example"
	links := []platform.Facet{
		{Start: 0, End: 17, Kind: platform.FacetLink, Value: "https://a.example"}, {Start: 18, End: 35, Kind: platform.FacetLink, Value: "https://b.example"},
	}
	part := platform.Part{Text: text, Facets: links}
	withMedia := part
	withMedia.Media = []platform.Media{{Path: "a.png", MIME: "image/png"}}
	for _, tc := range []struct {
		name string
		r    platform.Rendering
		want string
	}{
		{"Mastodon takes the first", platform.Rendering{Platform: "mastodon", Parts: []platform.Part{part}}, "a.example"},
		{"X takes the last", platform.Rendering{Platform: "x", Parts: []platform.Part{part}}, "b.example"},
		{"media leave no room", platform.Rendering{Platform: "mastodon", Parts: []platform.Part{withMedia}}, ""},
		{"nor does a warning", platform.Rendering{Platform: "mastodon", ContentWarning: "Snow", Parts: []platform.Part{part}}, ""},
		{"nor a poll", platform.Rendering{Platform: "x", Poll: &platform.Poll{}, Parts: []platform.Part{part}}, ""},
		{"Bluesky shows what is sent", platform.Rendering{Platform: "bluesky", Parts: []platform.Part{part}}, ""},
	} {
		got := ""
		if c := card.New(&tc.r, card.Input{}).Parts[0].Card; c != nil {
			got = c.Host
		}
		if got != tc.want {
			t.Errorf("%s: a card of %q, want %q", tc.name, got, tc.want)
		}
	}
}

// What the file beside a post says of a page is shown in cards that networks make by themselves, and said to be that.
func TestPage(t *testing.T) {
	page := &post.LinkCard{
		Card: post.Card{URL: "https://a.example", Title: "Winter", Description: "Snow", Image: &post.Media{Path: "content/p.card.jpg", MIME: "image/jpeg"}}, File: "content/p.card.yaml",
	}
	text := platform.Part{Text: "https://a.example", Facets: []platform.Facet{{Start: 0, End: 17, Kind: platform.FacetLink, Value: "https://a.example"}}}
	with := func(c platform.Card) platform.Part { return platform.Part{Text: "Hi", Card: &c} }
	in := card.Input{Page: page, MediaURL: func(m platform.Media) string { return "/" + m.Path }}
	for name, tc := range map[string]struct {
		network platform.ID
		part    platform.Part
		title   string
		later   bool
	}{
		"made by the network":  {"mastodon", text, "Winter", true},
		"asked of the network": {"facebook", with(platform.Card{URL: "https://a.example?utm_source=x", Fetch: true}), "Winter", true},
		"an address alone":     {"threads", with(platform.Card{URL: "https://a.example"}), "Winter", true},
		"of another page":      {"facebook", with(platform.Card{URL: "https://b.example", Fetch: true}), "", true},
		"as it is sent":        {"bluesky", with(platform.Card{URL: "https://a.example", Title: "Ours"}), "Ours", false},
	} {
		got := card.New(&platform.Rendering{Platform: tc.network, Parts: []platform.Part{tc.part}}, in).Parts[0].Card
		if got.Title != tc.title || (got.Later != "") != tc.later {
			t.Errorf("%s: %+v", name, got)
		}
		if shown := strings.HasSuffix(got.Later, "Shown is what stands in p.card.yaml."); shown != (tc.title == "Winter") || shown != (got.Image != nil && got.Image.URL == "/content/p.card.jpg") {
			t.Errorf("%s: %q, picture %+v", name, got.Later, got.Image)
		}
	}
}

func FuzzNew(f *testing.F) {
	f.Add("x", "Hello https://a.example", 6, 23, "link", "https://a.example", "", 800, 600, uint8(3))
	f.Add("mastodon", "👩‍👩‍👧‍👦\r\n\r\n#a @b@c", 0, 25, "mention", "b@c", "snow", -1, 0, uint8(1))
	f.Add("linkedin", strings.Repeat("a\n", 9), -3, 99, "bold", "", "\xff", 1, 9999999, uint8(9))
	f.Add("", "\xff\xfe\x00\u202e", 1, 1, "", "javascript:x", "", 0, 0, uint8(0))
	set := parsed(f)
	f.Fuzz(func(t *testing.T, id, text string, start, end int, kind, value, words string, w, h int, n uint8) {
		r := platform.Rendering{
			Platform: platform.ID(id), Title: words, ContentWarning: words, Language: []string{words}, ReplyTo: value, Quote: words, Visibility: words,
			Poll: &platform.Poll{Options: []string{words, value}, Duration: time.Duration(start) * time.Second},
		}
		for i := range int(n % 9) {
			p := platform.Part{Text: text, Used: start, Max: end, MaxByte: w, UsedByte: h, Unit: measure.Unit(words), Facets: []platform.Facet{
				{Start: start, End: end, Kind: platform.FacetKind(kind), Value: value}, {Start: start + 1, End: end + i, Kind: platform.FacetLink, Value: value},
				{Start: 0, End: i, Kind: platform.FacetCode},
			}}
			for range i {
				p.Media = append(p.Media, platform.Media{Path: words, MIME: "image/" + kind, Alt: value, Width: w, Height: h})
			}
			r.Parts = append(r.Parts, p)
		}
		v := card.New(&r, card.Input{Name: words, Handle: value, Server: text, Account: &platform.Account{Name: "a"}, MediaURL: func(m platform.Media) string { return m.Path }})
		if len(v.Parts) != len(r.Parts) || v.Label == "" {
			t.Fatalf("%d parts of %d, label %q", len(v.Parts), len(r.Parts), v.Label)
		}
		written(t, set, "card", v)
	})
}

// TestFitted says once what several pictures have in common.
func TestFitted(t *testing.T) {
	strip := func(name string) platform.Media {
		return platform.Media{Path: "content/" + name, MIME: "image/jpeg", Width: 8, Height: 8, Fit: &platform.Fit{Width: 8, Height: 8, MIME: "image/jpeg", StripOnly: true}}
	}
	large := strip("large.jpg")
	large.Width, large.Bytes, large.Fit = 9000, 4_000_000, &platform.Fit{Width: 2000, Height: 2, MIME: "image/jpeg"}
	for _, tt := range []struct {
		name  string
		media []platform.Media
		want  []string
	}{
		{"as it is", []platform.Media{{Path: "a.jpg"}}, nil},
		{"one", []platform.Media{strip("a.jpg")}, []string{"a.jpg is not sent as it is: what is written beside the picture"}},
		{"one twice", []platform.Media{strip("a.jpg"), strip("a.jpg")}, []string{"a.jpg is not sent as it is: what is written beside the picture"}},
		{"several", []platform.Media{strip("a.jpg"), large, strip("b.jpg"), {Path: "c.jpg"}, strip("d.jpg")}, []string{
			"a.jpg, b.jpg and d.jpg are not sent as they are: what is written beside the picture", "large.jpg is not sent as it is: 9000×8 JPEG",
		}},
	} {
		r := platform.Rendering{Platform: "webhook", Parts: []platform.Part{{Text: "a", Media: tt.media}}}
		v := card.New(&r, card.Input{})
		got := v.Notes
		if len(got) != len(tt.want) {
			t.Errorf("%s: %q", tt.name, got)
			continue
		}
		for i, want := range tt.want {
			if !strings.HasPrefix(got[i], want) {
				t.Errorf("%s: %q, want %q", tt.name, got[i], want)
			}
		}
	}
}

// TestDecorative misses no description where the post says that there is nothing to describe.
func TestDecorative(t *testing.T) {
	media := []platform.Media{{Path: "content/a.png", MIME: "image/png"}, {Path: "content/b.png", MIME: "image/png"}}
	r := platform.Rendering{Platform: "bluesky", Parts: []platform.Part{{Text: "a", Media: media}}}
	if v := card.New(&r, card.Input{}); v.NoAlt() != 2 || v.Files()[1].Decorative {
		t.Errorf("without a word, %d of %v lack a description", v.NoAlt(), v.Files())
	}
	v := card.New(&r, card.Input{Decorative: map[string]bool{"content/b.png": true}})
	if files := v.Files(); v.NoAlt() != 1 || !files[0].NoAlt || files[1].NoAlt || !files[1].Decorative {
		t.Errorf("%d of %v lack a description", v.NoAlt(), files)
	}
}

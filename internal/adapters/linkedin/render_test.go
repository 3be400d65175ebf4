package linkedin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// variant returns a post of one paragraph for a member's account, changed by set.
func variant(text string, set ...func(*post.Variant)) *post.Variant {
	p := &post.Post{ID: "p", Path: "content/p.md", Body: []post.Doc{{Blocks: []post.Block{{Inlines: []post.Inline{{Text: text}}}}}}}
	v := p.For("li", "linkedin")
	for _, f := range set {
		f(&v)
	}
	return &v
}

func render(v *post.Variant, o *Options) (platform.Rendering, finding.List) {
	return Adapter{}.Render(v, &platform.Account{Name: "li", Platform: "linkedin", Options: o})
}

func TestFindings(t *testing.T) {
	file := func(mime string, size int64) func(*post.Variant) {
		return func(v *post.Variant) {
			v.PartMedia[0] = append(v.PartMedia[0], post.Media{File: "f.x", Path: "content/f.x", MIME: mime, Bytes: size, Width: 10, Height: 10, Alt: "A file"})
		}
	}
	poll := func(p post.Poll) func(*post.Variant) { return func(v *post.Variant) { v.Poll = &p } }
	day := 24 * time.Hour
	page := &Options{Organization: "1"}
	for name, tt := range map[string]struct {
		v    *post.Variant
		o    *Options
		want []finding.Code
	}{
		"plain":                {v: variant("Snow.")},
		"picture":              {v: variant("Snow.", file("image/png", 1000))},
		"pdf":                  {v: variant("Snow.", file("application/pdf", 1000)), want: []finding.Code{"P141"}},
		"two pdfs":             {v: variant("Snow.", file("application/pdf", 1000), file("image/png", 1)), want: []finding.Code{"M202", "P141"}},
		"large pdf":            {v: variant("Snow.", file("application/pdf", maxDocumentBytes+1)), want: []finding.Code{"M203", "P141"}},
		"video":                {v: variant("Snow.", file("video/mp4", 1_000_000)), want: []finding.Code{"P141"}},
		"small video":          {v: variant("Snow.", file("video/mp4", 10)), want: []finding.Code{"M203", "P141"}},
		"heic":                 {v: variant("Snow.", file("image/heic", 10)), want: []finding.Code{"M204"}},
		"webp":                 {v: variant("Snow.", file("image/webp", 10))},
		"followers":            {v: variant("Snow.", func(v *post.Variant) { v.Visibility = "followers" })},
		"direct":               {v: variant("Snow.", func(v *post.Variant) { v.Visibility = "direct" }), want: []finding.Code{"P102"}},
		"followers of a page":  {v: variant("Snow.", func(v *post.Variant) { v.Visibility = "followers" }), o: page, want: []finding.Code{"P102"}},
		"poll":                 {v: variant("Snow?", poll(post.Poll{Options: []string{"Yes", "No"}, Duration: 3 * day}))},
		"poll of two days":     {v: variant("Snow?", poll(post.Poll{Options: []string{"Yes", "No"}, Duration: 2 * day})), want: []finding.Code{"P104"}},
		"poll, long question":  {v: variant(strings.Repeat("Snow? ", 30), poll(post.Poll{Options: []string{"Yes", "No"}})), want: []finding.Code{"P104"}},
		"poll, long option":    {v: variant("Snow?", poll(post.Poll{Options: []string{strings.Repeat("x", 31), "No"}})), want: []finding.Code{"P104"}},
		"reply":                {v: variant("Snow.", func(v *post.Variant) { v.ReplyTo = "urn:li:share:1" }), want: []finding.Code{"P105"}},
		"quote":                {v: variant("Snow.", func(v *post.Variant) { v.Quote = "https://www.linkedin.com/feed/update/urn:li:share:1/" })},
		"quote of an activity": {v: variant("Snow.", func(v *post.Variant) { v.Quote = "urn:li:activity:1" }), want: []finding.Code{"P106"}},
		"quote and picture":    {v: variant("Snow.", file("image/png", 1), func(v *post.Variant) { v.Quote = "urn:li:ugcPost:1" }), want: []finding.Code{"P106"}},
		"card, no title":       {v: variant("Snow.", func(v *post.Variant) { v.Card = &post.Card{URL: "https://acme.example/"} }), want: []finding.Code{"P109"}},
		"card, no address":     {v: variant("Snow.", func(v *post.Variant) { v.Card = &post.Card{Title: "Snow"} }), want: []finding.Code{"P109"}},
		"card, PDF": {v: variant("Snow.", func(v *post.Variant) {
			v.Card = &post.Card{URL: "https://acme.example/", Title: "Snow", Image: &post.Media{MIME: "application/pdf"}}
		}), want: []finding.Code{"M204"}},
		"long comment": {v: variant("Snow.", func(v *post.Variant) { v.FirstComment = strings.Repeat("x", maxComment+1) }), want: []finding.Code{"T201"}},
		"plain handle": {v: variant("Thanks @acme!", func(v *post.Variant) {
			v.Mentions = []post.Mention{{Name: "acme", Handles: map[string]string{"linkedin": "acme-corp"}}}
		}), want: []finding.Code{"P142"}},
		"plain handle of nobody": {v: variant("Thanks!", func(v *post.Variant) {
			v.Mentions = []post.Mention{{Name: "acme", Handles: map[string]string{"linkedin": "acme-corp"}}}
		})},
	} {
		o := tt.o
		if o == nil {
			o = &Options{}
		}
		_, list := render(tt.v, o)
		var codes []finding.Code
		for _, f := range list {
			codes = append(codes, f.Code)
		}
		slices.Sort(codes)
		if diff := cmp.Diff(tt.want, codes); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%v", name, diff, list)
		}
	}
}

// TestMentions: what people read is the name, and the URN is in the facet.
func TestMentions(t *testing.T) {
	v := variant("Thanks @acme, @acme's team and @anna!", func(v *post.Variant) {
		v.FirstComment = "And again: @acme #Winter"
		v.Mentions = []post.Mention{
			{Name: "acme", Handles: map[string]string{"linkedin": "Acme Corp (urn:li:organization:2414183)"}},
			{Name: "anna", Handles: map[string]string{"li": "@[Anna](urn:li:person:a_B)"}},
		}
	})
	r, list := render(v, &Options{})
	want := []platform.Part{
		{Text: "Thanks @Acme Corp, @Acme Corp's team and @Anna!", Facets: []platform.Facet{
			{Start: 7, End: 17, Kind: platform.FacetMention, Value: "urn:li:organization:2414183"},
			{Start: 19, End: 29, Kind: platform.FacetMention, Value: "urn:li:organization:2414183"},
			{Start: 41, End: 46, Kind: platform.FacetMention, Value: "urn:li:person:a_B"},
		}},
		{Text: "And again: @Acme Corp #Winter", Comment: true, Facets: []platform.Facet{{Start: 22, End: 29, Kind: platform.FacetTag, Value: "Winter"}}},
	}
	for i := range r.Parts {
		p := &r.Parts[i]
		p.Used, p.Max, p.Unit, p.Spans = 0, 0, "", nil
	}
	if diff := cmp.Diff(want, r.Parts); diff != "" || len(list) > 0 {
		t.Errorf("(-want +got):\n%s\n%v", diff, list)
	}
	if got, want := escape(r.Parts[0].Text, r.Parts[0].Facets), `Thanks @[Acme Corp](urn:li:organization:2414183), @[Acme Corp](urn:li:organization:2414183)'s team and @[Anna](urn:li:person:a\_B)!`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSettings(t *testing.T) {
	document := func(v *post.Variant) {
		v.PartMedia[0] = []post.Media{{File: "plan.pdf", Path: "content/plan.pdf", MIME: "application/pdf", Bytes: 10}}
	}
	titled := func(v *post.Variant) { v.Title = "The plan" }
	poll := func(v *post.Variant) { v.Poll = &post.Poll{Options: []string{"Yes", "No"}} }
	for name, tt := range map[string]struct {
		v    *post.Variant
		want map[string]string
	}{
		"plain":           {variant("Snow?", titled), nil},
		"document":        {variant("Snow?", document), map[string]string{settingTitle: "plan"}},
		"titled document": {variant("Snow?", document, titled), map[string]string{settingTitle: "The plan"}},
		"poll":            {variant("Snow?", poll), map[string]string{settingQuestion: "Snow?"}},
		"titled poll":     {variant("Snow?", poll, titled), map[string]string{settingQuestion: "The plan"}},
	} {
		if r, _ := render(tt.v, &Options{}); !cmp.Equal(r.Settings, tt.want) {
			t.Errorf("%s: got %v, want %v", name, r.Settings, tt.want)
		}
	}
}

// TestFit: a picture that LinkedIn does not take goes out as one that it does, in a link card, too.
func TestFit(t *testing.T) {
	webp := post.Media{File: "a.webp", Path: "content/a.webp", MIME: "image/webp", Bytes: 10, Width: 9000, Height: 6000}
	attached, _ := render(variant("Snow.", func(v *post.Variant) { v.PartMedia[0] = []post.Media{webp} }), &Options{})
	carded, _ := render(variant("Snow.", func(v *post.Variant) {
		v.Card = &post.Card{URL: "https://acme.example/", Title: "Snow", Image: &webp}
	}), &Options{})
	for where, m := range map[string]platform.Media{"attached": attached.Parts[0].Media[0], "in a card": *carded.Parts[0].Card.Image} {
		if sent := m.Sent(); sent.MIME != "image/jpeg" || sent.Width != fitSide {
			t.Errorf("%s: it is sent as %+v", where, sent)
		}
	}
}

func TestParseMention(t *testing.T) {
	const urn = "urn:li:organization:1"
	for handle, want := range map[string]mention{
		"Acme (" + urn + ")":            {"Acme", urn},
		"@Acme Corp (EU) (" + urn + ")": {"Acme Corp (EU)", urn},
		"@[Acme](" + urn + ")":          {"Acme", urn},
		"Acme(" + urn + ")":             {"Acme", urn},
		"Acme":                          {},
		urn:                             {},
		"(" + urn + ")":                 {},
		"Acme (1)":                      {},
		"Acme (" + urn:                  {},
	} {
		got, ok := parseMention(handle)
		if ok != (want != mention{}) || ok && got != want {
			t.Errorf("%q gives %+v, %v, want %+v", handle, got, ok, want)
		}
	}
}

func FuzzParseMention(f *testing.F) {
	for _, s := range []string{"Acme (urn:li:organization:1)", "@[A](urn:li:person:x)", "[", "(", ")", "a(b)c", "[a](urn:li:person:)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if m, ok := parseMention(s); ok && (m.name == "" || !isURN(m.urn, "person", "organization")) {
			t.Errorf("%q gives %+v", s, m)
		}
	})
}

// An article is made of the file beside a post, since LinkedIn reads no pages.
func TestCardFile(t *testing.T) {
	const address = "https://acme.example/winter"
	file := &post.LinkCard{Card: post.Card{URL: address, Title: "Winter", Description: "Snow"}, File: "content/p.card.yaml"}
	filled := &platform.Card{URL: address, Title: "Winter", Description: "Snow"}
	for name, tt := range map[string]struct {
		set  func(*post.Variant)
		card *platform.Card
		text string
	}{
		"link":         {func(v *post.Variant) { v.Link = address }, filled, "Snow."},
		"another link": {func(v *post.Variant) { v.Link = address + "2" }, nil, "Snow.\n\n" + address + "2"},
		"beside a poll": {func(v *post.Variant) {
			v.Link, v.Poll = address, &post.Poll{Options: []string{"Yes", "No"}, Duration: 24 * time.Hour}
		}, nil, "Snow.\n\n" + address},
		"card, no title":    {func(v *post.Variant) { v.Card = &post.Card{URL: address} }, filled, "Snow."},
		"card with a title": {func(v *post.Variant) { v.Card = &post.Card{URL: address, Title: "Ours"} }, &platform.Card{URL: address, Title: "Ours"}, "Snow."},
		"no link":           {func(*post.Variant) {}, nil, "Snow."},
	} {
		v := variant("Snow.", func(v *post.Variant) { v.Post.LinkCard = file }, tt.set)
		r, list := render(v, &Options{})
		if diff := cmp.Diff(tt.card, r.Parts[0].Card); diff != "" || r.Parts[0].Text != tt.text || len(list) > 0 {
			t.Errorf("%s: %q, %v\n%s", name, r.Parts[0].Text, list, diff)
		}
	}
}

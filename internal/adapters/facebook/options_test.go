package facebook

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

func TestValidateOptions(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    string // the keys with a problem
	}{
		{Options{Page: "123", Server: server}, ""},
		{Options{Page: "123", AppID: "4", Server: "http://127.0.0.1:8080"}, ""},
		{Options{Server: server}, "page"},
		{Options{Page: "acme", Server: server}, "page"},
		{Options{Page: "123", AppID: "my app", Server: server}, "app_id"},
		{Options{Page: "123", Server: "graph.facebook.com"}, "server"},
		{Options{Page: "123"}, "server"},
	} {
		got := ""
		for _, p := range test.options.Validate() {
			got += p.Key
		}
		if got != test.want {
			t.Errorf("%+v: problems with %q, want %q", test.options, got, test.want)
		}
		_, err := Adapter{}.Open(&platform.Account{Name: "page", Options: &test.options}, platform.Deps{Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New("token")}})
		if (err == nil) != (test.want == "") {
			t.Errorf("%+v: %v", test.options, err)
		}
	}
	_, err := Adapter{}.Open(&platform.Account{Name: "page"}, platform.Deps{})
	if platform.OutcomeOf(err) != platform.Unsent {
		t.Errorf("an account without options: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	p := &publisher{options: Options{Page: "77", Server: server}}
	p.api.Base = server
	for id, want := range map[string]string{
		"77_123":                          "77_123",
		"123_9":                           "123_9",
		"4455":                            "4455", // a video
		"https://www.facebook.com/77_123": "77_123",
		"https://www.facebook.com/77_123?comment_id=9":                        "123_9",
		"https://www.facebook.com/acme/posts/123":                             "77_123",
		"https://www.facebook.com/permalink.php?story_fbid=123&id=77":         "77_123",
		"https://www.facebook.com/acme/videos/4455/":                          "4455",
		"https://www.facebook.com/watch?v=4455":                               "4455",
		"https://www.facebook.com/reel/4455":                                  "4455",
		"https://www.facebook.com/4455?comment_id=9":                          "4455_9",
		"https://www.facebook.com/acme/posts/pfbid0nJqQxFwKnrDd39avirvw352":   "",
		"https://www.facebook.com/77_123?comment_id=x":                        "",
		"https://www.facebook.com/":                                           "",
		"https://www.facebook.com/watch":                                      "",
		"at://did:plc:x/app.bsky.feed.post/3k":                                "",
		"77_123/../me":                                                        "",
		"":                                                                    "",
		"https://%zz":                                                         "",
		"https://www.facebook.com/permalink.php?story_fbid=pfbid02&id=777777": "",
	} {
		got, err := p.objectID("delete post", id)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", id, got, err, want)
		}
		if err != nil && platform.OutcomeOf(err) != platform.Rejected {
			t.Errorf("%q: %v", id, err)
		}
	}
	post := []platform.Remote{{ID: "77_123", URL: p.address("77_123", nil)}}
	if got := post[0].URL; got != "https://www.facebook.com/77_123" {
		t.Error(got)
	}
	if got := p.address("123_9", post); got != "https://www.facebook.com/77_123?comment_id=9" {
		t.Error(got)
	}
}

func TestSameness(t *testing.T) {
	if squash("a b\r\n\u200bc\xff") != squash("ab c") || squash("a!") == squash("a") {
		t.Error("squash")
	}
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"https://acme.example/a?utm_source=x", "http://www.acme.example/a/", true},
		{"https://acme.example/a", "https://acme.example/b", false},
		{"https://acme.example/a", "", false},
		{"%zz", "%zz", true},
	} {
		if got := sameLink(test.a, test.b); got != test.want {
			t.Errorf("%q and %q: %v", test.a, test.b, got)
		}
	}
}

func TestTime(t *testing.T) {
	want := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	for s, ok := range map[string]bool{`"2026-12-01T09:00:00+0000"`: true, `"2026-12-01T10:00:00+01:00"`: true, `"now"`: false, `1`: false} {
		var got wireTime
		if err := got.UnmarshalJSON([]byte(s)); (err == nil) != ok || ok && !got.Equal(want) {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
}

// What follows the first part is a comment, with the limits of one.
func TestComments(t *testing.T) {
	file := func(name, kind string) post.Media {
		return post.Media{File: name, Path: "content/" + name, MIME: kind, Bytes: 1}
	}
	p := &post.Post{Path: "content/a.md", Body: []post.Doc{say("One."), say(strings.Repeat("x", maxComment+1)), say("Three."), say("Four.")}}
	p.Fields.Set, p.Fields.FirstComment = p.Fields.Set.With(post.FieldFirstComment), "The link: https://acme.example"
	v := p.For("page", "facebook")
	v.PartMedia[2] = []post.Media{file("a.png", "image/png"), file("b.png", "image/png")}
	v.PartMedia[3] = []post.Media{file("c.mp4", "video/mp4")}
	r, list := Adapter{}.Render(&v, &platform.Account{Options: &Options{}})
	if len(r.Parts) != 5 || r.Parts[0].Comment || !r.Parts[1].Comment || !r.Parts[4].Comment || r.Parts[4].Text != v.FirstComment {
		t.Fatalf("%+v", r.Parts)
	}
	codes := ""
	for _, f := range list {
		codes += string(f.Code) + " "
	}
	if codes != "T201 M201 M204 " {
		t.Errorf("%s: %+v", codes, list)
	}
}

func say(s string) post.Doc {
	return post.Doc{Blocks: []post.Block{{Kind: post.Paragraph, Inlines: []post.Inline{{Kind: post.Text, Text: s}}}}}
}

// A link is a card, and the end of the text where photos leave no place for one.
func TestLinks(t *testing.T) {
	for _, withMedia := range []int{-1, 0, 1} { // which part has a picture
		p := &post.Post{Path: "content/a.md", Body: []post.Doc{{}, say("Look.")}}
		p.Fields.Set, p.Fields.Link = p.Fields.Set.With(post.FieldLink), "https://acme.example/a"
		v := p.For("page", "facebook")
		if withMedia >= 0 {
			v.PartMedia[withMedia] = []post.Media{{File: "a.png", Path: "content/a.png", MIME: "image/png", Bytes: 1}}
		}
		r, _ := Adapter{}.Render(&v, &platform.Account{Options: &Options{}})
		first := r.Parts[0]
		switch hasCard := first.Card != nil; {
		case hasCard == (len(first.Media) > 0):
			t.Errorf("picture in part %d: %+v", withMedia, first)
		case hasCard && (!first.Card.Fetch || first.Card.URL != v.Link):
			t.Errorf("card %+v", first.Card)
		case !hasCard && !strings.HasSuffix(first.Text, v.Link):
			t.Errorf("text %q", first.Text)
		}
	}
}

// Pictures are made to fit, wherever they are; what moves is sent as it is or not at all.
func TestFit(t *testing.T) {
	p := &post.Post{Path: "content/a.md", Body: []post.Doc{say("One."), say("Two.")}}
	v := p.For("page", "facebook")
	large := post.Media{File: "a.png", Path: "content/a.png", MIME: "image/png", Bytes: maxPhotoBytes + 1, Width: 4000, Height: 3000}
	other := post.Media{File: "b.webp", Path: "content/b.webp", MIME: "image/webp", Bytes: 1, Width: 4, Height: 3}
	v.PartMedia = [][]post.Media{{large}, {other}}
	r, list := Adapter{}.Render(&v, &platform.Account{Options: &Options{}})
	if len(list) > 0 {
		t.Errorf("%+v", list)
	}
	if f := r.Parts[0].Media[0].Fit; f == nil || max(f.Width, f.Height) > shownSide || f.MaxBytes > maxPhotoBytes {
		t.Errorf("%+v", f)
	}
	if f := r.Parts[1].Media[0].Fit; f == nil || f.MIME == "image/webp" {
		t.Errorf("%+v", f)
	}
	v.PartMedia = [][]post.Media{{{File: "c.mp4", Path: "content/c.mp4", MIME: "video/mp4", Bytes: maxVideoBytes + 1}}, nil}
	if _, list = (Adapter{}).Render(&v, &platform.Account{Options: &Options{}}); len(list) != 1 || list[0].Code != rules.CodeMediaBytes {
		t.Errorf("%+v", list)
	}
}

func TestVersion(t *testing.T) {
	base := platform.Part{Text: "a", Media: []platform.Media{{Digest: "1", Alt: "x"}}}
	seen := map[string]int{}
	for i, part := range []platform.Part{
		base, {Text: "b"}, {Media: []platform.Media{{Digest: "2", Alt: "x"}}}, {Media: []platform.Media{{Digest: "1", Alt: "y"}}},
		{Card: &platform.Card{URL: "https://acme.example"}}, {Media: []platform.Media{{Digest: "1", Alt: "x", Fit: &platform.Fit{Width: 3}}}},
	} {
		if at, ok := seen[version(&part)]; ok {
			t.Errorf("parts %d and %d are one", at, i)
		}
		seen[version(&part)] = i
	}
	other := base
	other.Text = "another text"
	if version(&other) != version(&base) {
		t.Error("the text counts")
	}
	if err := onlyText("old", &wirePost{}, &base); !errors.Is(err, platform.ErrCannotEdit) {
		t.Error(err)
	}
}

func FuzzObjectID(f *testing.F) {
	f.Add("https://www.facebook.com/77_123?comment_id=9")
	f.Add("https://www.facebook.com/acme/posts/pfbid02")
	f.Add("77_123")
	p := &publisher{options: Options{Page: "77"}}
	f.Fuzz(func(t *testing.T, id string) {
		got, err := p.objectID("delete post", id)
		if err == nil && (got == "" || strings.Trim(got, "0123456789_") != "") {
			t.Errorf("%q: %q", id, got)
		}
	})
}

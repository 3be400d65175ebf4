package bluesky

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// linked returns a post in parts whose card file is for an address.
func linked(address string, image *post.Media, texts ...string) *post.Post {
	p := &post.Post{ID: "p", Path: "content/p.md", LinkCard: &post.LinkCard{
		Card: post.Card{URL: address, Title: "Winter", Description: "Snow", Image: image}, File: "content/p.card.yaml",
	}}
	for _, text := range texts {
		p.Body = append(p.Body, post.Doc{Blocks: []post.Block{{Inlines: []post.Inline{{Text: text}}}}})
	}
	return p
}

// The file beside a post has the words of a card that would be read from its page otherwise.
func TestCardFile(t *testing.T) {
	const a, b = "https://a.example/", "https://b.example/"
	picture := &post.Media{File: "p.card.jpg", Path: "content/p.card.jpg", MIME: "image/jpeg", Digest: "d", Bytes: 1000, Width: 40, Height: 30}
	filled := func(address string) *platform.Card {
		return &platform.Card{URL: address, Title: "Winter", Description: "Snow"}
	}
	for name, tt := range map[string]struct {
		post   *post.Post
		change func(*post.Variant)
		want   []*platform.Card
	}{
		"of link":               {linked(a, nil, "Hi"), func(v *post.Variant) { v.Link = a }, []*platform.Card{filled(a)}},
		"of a tagged link":      {linked(a, nil, "Hi"), func(v *post.Variant) { v.Link = a + "?utm_source=x" }, []*platform.Card{filled(a + "?utm_source=x")}},
		"of another link":       {linked(a, nil, "Hi"), func(v *post.Variant) { v.Link = b }, []*platform.Card{{URL: b, Fetch: true}}},
		"of an address":         {linked(b, nil, "See "+a, "And "+b), nil, []*platform.Card{{URL: a, Fetch: true}, filled(b)}},
		"of card without words": {linked(a, nil, "Hi"), func(v *post.Variant) { v.Card = &post.Card{URL: a, Description: "Ours"} }, []*platform.Card{{URL: a, Title: "Winter", Description: "Ours"}}},
		"not of card":           {linked(a, picture, "Hi"), func(v *post.Variant) { v.Card = &post.Card{URL: a, Title: "Ours"} }, []*platform.Card{{URL: a, Title: "Ours"}}},
		"with a picture": {linked(a, picture, "Hi"), func(v *post.Variant) { v.Link = a }, []*platform.Card{{URL: a, Title: "Winter", Description: "Snow",
			Image: &platform.Media{Path: "content/p.card.jpg", MIME: "image/jpeg", Digest: "d", Bytes: 1000, Width: 40, Height: 30}}}},
		"not beside media": {linked(a, nil, "Hi"), func(v *post.Variant) { v.Link, v.PartMedia[0] = a, []post.Media{*picture} }, []*platform.Card{nil}},
	} {
		v := tt.post.For("b", "bluesky")
		if tt.change != nil {
			tt.change(&v)
		}
		r, list := Adapter{}.Render(&v, &platform.Account{Name: "b", Platform: "bluesky", Options: &Options{}})
		var got []*platform.Card
		for i := range r.Parts {
			got = append(got, r.Parts[i].Card)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || len(list) > 0 {
			t.Errorf("%s: %v\n%s", name, list, diff)
		}
	}
	large := *picture
	large.MIME, large.Bytes, large.Animated = "image/gif", maxThumbBytes+1, true
	v := linked(a, &large, "Hi").For("b", "bluesky")
	v.Link = a
	if _, list := (Adapter{}).Render(&v, &platform.Account{Name: "b", Platform: "bluesky", Options: &Options{}}); len(list) != 1 || list[0].Code != "M203" {
		t.Errorf("a picture that is too large: %v", list)
	}
}

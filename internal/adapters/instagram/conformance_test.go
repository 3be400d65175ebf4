package instagram_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/instagram"
	"github.com/postrider/postrider/internal/adapters/instagram/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const token = "instagram-token-of-acme"

func suite() platformtest.Suite {
	return platformtest.Suite{
		Adapter: instagram.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{Name: "instagram", Platform: "instagram", Options: &instagram.Options{Server: base}}
		},
		Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
		Fake: func(base string) fakenet.Fake {
			return fake.New(fake.Config{Base: base, Tokens: map[string]string{token: "acme"}, Now: platformtest.Clock})
		},
		SilentQuota: true,
		Dress:       platformtest.Photograph,
		Refusal:     "Caption Too Long",
		More:        more(),
	}
}

func TestConformance(t *testing.T) { platformtest.Run(t, suite()) }

// With a bucket, pictures of other types go out as the JPEGs that they are made.
func TestConformanceWithBucket(t *testing.T) {
	s := suite()
	account := s.Account
	s.Account = func(base string) *platform.Account {
		a := account(base)
		a.HasBucket = true
		return a
	}
	s.Dress = platformtest.Illustrate // with PNGs
	platformtest.RunPublisher(t, s)
}

func FuzzPublisher(f *testing.F) { platformtest.Fuzz(f, suite()) }

// more has what else Instagram is asked for: a reel, a story, both kinds in one carousel, a first comment.
func more() []platformtest.Extra {
	clip := platform.Media{Path: "content/ride.mp4", MIME: "video/mp4"}
	photo := platform.Media{Path: "content/sled.jpg", MIME: "image/jpeg", Alt: "A sled"}
	plain := photo
	plain.Alt = "" // a story has none
	files := map[string]string{clip.Path: "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", photo.Path: "\xff\xd8\xff\xe0 a sled"}
	post := func(name, kind, text string, media ...platform.Media) platformtest.Extra {
		r := platform.Rendering{Parts: []platform.Part{{Text: text, Media: media}}}
		if kind != "" {
			r.Settings = map[string]string{"media_type": kind}
		}
		return platformtest.Extra{Name: name, Rendering: r, Files: files}
	}
	comment := post("comment", "", "A sled.", photo)
	comment.Rendering.Parts = append(comment.Rendering.Parts, platform.Part{Text: "By the way.", Comment: true})
	return []platformtest.Extra{
		post("reel", "REELS", "A ride.", clip), post("story", "STORIES", "", plain), post("carousel", "CAROUSEL", "All of it.", photo, clip), comment,
	}
}

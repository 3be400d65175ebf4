package mastodon

import (
	"testing"

	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// TestShortDigest holds that an edit sends a picture again that is made to fit in another way than the one that is out.
func TestShortDigest(t *testing.T) {
	m := platform.Media{Digest: "0123456789abcdef0123456789abcdef"}
	plain := shortDigest(m)
	m.Fit = &platform.Fit{Width: 20, Height: 15, MIME: "image/jpeg", Version: media.Version}
	small := shortDigest(m)
	m.Fit = &platform.Fit{Width: 40, Height: 30, MIME: "image/jpeg", Version: media.Version}
	large := shortDigest(m)
	if plain != "0123456789abcdef" || small == plain || large == small || len(small) != len(plain) {
		t.Errorf("%s, %s, %s", plain, small, large)
	}
}

func TestRenderFits(t *testing.T) {
	file := post.Media{File: "hill.jpg", Path: "content/hill.jpg", MIME: "image/jpeg", Width: 8000, Height: 6000, Bytes: 15_000_000, Alt: "A hill", HasAlt: true}
	v := &post.Variant{Post: &post.Post{}, PartMedia: [][]post.Media{{file}}}
	for _, c := range []struct {
		limits Limits
		want   *platform.Fit
	}{
		{mastodonLimits, &platform.Fit{Width: 6651, Height: 4988, MIME: "image/jpeg", MaxBytes: 16_777_216, Version: media.Version}},
		{gotosocialLimits, nil},
	} {
		parts := []platform.Part{{Media: []platform.Media{platform.MediaOf(&file)}}}
		list := mediaRules("Mastodon", &c.limits).Fit(v, parts)
		got := parts[0].Media[0].Fit
		if len(list) != 0 || (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("it is %+v with %v, want %+v", got, list, c.want)
		}
	}
}

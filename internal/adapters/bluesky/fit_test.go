package bluesky

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	pixels "image"
	"image/jpeg"
	"testing"

	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// TestFittedPicture holds that a picture goes out as its rendering says, is not sent again by an edit, and is recognised when a lost
// post is looked for.
func TestFittedPicture(t *testing.T) {
	var source bytes.Buffer
	if err := jpeg.Encode(&source, pixels.NewGray(pixels.Rect(0, 0, 4000, 60)), nil); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	r := say("On the hill")
	picture := w.media("content/hill.jpg", source.String())
	picture.MIME, picture.Width, picture.Height = "image/jpeg", 4000, 60
	picture.Fit = &platform.Fit{Width: 2000, Height: 30, MIME: "image/jpeg", MaxBytes: maxImageBytes, Version: media.Version}
	r.Parts[0].Media = []platform.Media{picture}
	old := w.publish(t, "acme", r, 1)

	want, err := media.Fit(source.Bytes(), media.Recipe(*picture.Fit))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(want)
	posts := w.fake.Posts()
	if len(posts) != 1 || len(posts[0].Media) != 1 || posts[0].Media[0].Digest != hex.EncodeToString(sum[:]) || posts[0].Media[0].MIME != "image/jpeg" {
		t.Fatalf("sent was %+v", posts)
	}
	found, err := w.open(t, "acme").Find(t.Context(), r, try(9))
	if err != nil || len(found.Parts) != 1 || found.Parts[0].ID != old.Parts[0].ID {
		t.Errorf("found %+v, %v", found, err)
	}
	uploads := w.calls["uploadBlob"]
	changed := say("On the hill, in the sun")
	changed.Parts[0].Media = r.Parts[0].Media
	if _, err := w.open(t, "acme").Edit(t.Context(), old, changed); err != nil || w.calls["uploadBlob"] != uploads {
		t.Errorf("the edit: %v, %d uploads", err, w.calls["uploadBlob"]-uploads)
	}
}

func TestRenderFits(t *testing.T) {
	file := post.Media{File: "hill.jpg", Path: "content/hill.jpg", MIME: "image/jpeg", Width: 4000, Height: 3000, Bytes: 5_200_000, Alt: "A hill", HasAlt: true}
	v := &post.Variant{Post: &post.Post{}, PartMedia: [][]post.Media{{file}}}
	parts := []platform.Part{{Media: []platform.Media{platform.MediaOf(&file)}}}
	list := pictures.Fit(v, parts)
	want := platform.Fit{Width: 2000, Height: 1500, MIME: "image/jpeg", MaxBytes: 2_000_000, Version: media.Version}
	if got := parts[0].Media[0].Fit; len(list) != 0 || got == nil || *got != want {
		t.Errorf("it is %+v with %v", got, list)
	}
	rendered := platform.MediaOf(&file)
	list = thumb.FitFile(v, &file, &rendered)
	want.MaxBytes = 1_000_000
	if got := rendered.Fit; len(list) != 0 || got == nil || *got != want {
		t.Errorf("in a link card it is %+v with %v", got, list)
	}
}

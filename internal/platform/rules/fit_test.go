package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

func TestFit(t *testing.T) {
	limits := Media{
		Network: "Net", Pictures: 4, Types: []string{"image/jpeg", "image/png", "image/gif", "video/mp4"},
		PictureBytes: 2_000_000, PicturePixels: 12_000_000, PictureSide: 5000, FitSide: 2000, VideoBytes: 9_000_000, Aspect: [2]float64{0.25, 4},
	}
	jpeg := func(w, h int, bytes int64) post.Media {
		return post.Media{MIME: "image/jpeg", Width: w, Height: h, Bytes: bytes}
	}
	with := func(m post.Media, change func(*post.Media)) post.Media { change(&m); return m }
	fit := func(w, h int, mime string) *platform.Fit {
		return &platform.Fit{Width: w, Height: h, MIME: mime, MaxBytes: 2_000_000, Version: media.Version}
	}
	strip := func(w, h int, mime string) *platform.Fit {
		return &platform.Fit{Width: w, Height: h, MIME: mime, StripOnly: true, Version: media.Version}
	}
	png := post.Media{MIME: "image/png", Width: 3000, Height: 1000, Bytes: 3_000_000}
	webp := post.Media{MIME: "image/webp", Width: 300, Height: 100, Bytes: 3000}
	gif := post.Media{MIME: "image/gif", Width: 300, Height: 100, Bytes: 3_000_000, Transparent: true}
	tests := map[string]struct {
		file post.Media
		want *platform.Fit
		code finding.Code
	}{
		"within the limits":        {jpeg(4000, 3000, 1_000_000), nil, ""},
		"too many bytes":           {jpeg(4000, 3000, 2_000_001), fit(2000, 1500, "image/jpeg"), ""},
		"too many bytes, small":    {jpeg(1000, 900, 2_000_001), fit(1000, 900, "image/jpeg"), ""},
		"too many pixels":          {jpeg(4000, 3001, 1000), fit(2000, 1501, "image/jpeg"), ""},
		"a side too long":          {jpeg(1500, 5001, 1000), fit(600, 2000, "image/jpeg"), ""},
		"a place in it":            {with(jpeg(400, 300, 1000), func(m *post.Media) { m.Metadata = true }), strip(400, 300, "image/jpeg"), ""},
		"on its side":              {with(jpeg(400, 300, 1000), func(m *post.Media) { m.Turned, m.Metadata = true, true }), fit(400, 300, "image/jpeg"), ""},
		"a place and too large":    {with(jpeg(4000, 3000, 3_000_000), func(m *post.Media) { m.Metadata = true }), fit(2000, 1500, "image/jpeg"), ""},
		"PNG too large":            {png, fit(2000, 667, "image/jpeg"), ""},
		"PNG that shines through":  {with(png, func(m *post.Media) { m.Transparent = true }), fit(2000, 667, "image/png"), ""},
		"WebP":                     {webp, fit(300, 100, "image/jpeg"), ""},
		"WebP that shines through": {with(webp, func(m *post.Media) { m.Transparent = true }), fit(300, 100, "image/png"), ""},
		"WebP that moves":          {with(webp, func(m *post.Media) { m.Animated = true }), nil, CodeMediaType},
		"still GIF":                {gif, fit(300, 100, "image/png"), ""},
		"GIF that moves":           {with(gif, func(m *post.Media) { m.Animated = true }), nil, CodeMediaBytes},
		"40,000 × 40,000":          {jpeg(40_000, 40_000, 1_000_000), nil, CodeMediaHuge},
		"too wide":                 {jpeg(4100, 1000, 1000), nil, CodeMediaShape},
		"too narrow":               {jpeg(200, 1000, 1000), nil, CodeMediaShape},
		"HEIC":                     {post.Media{MIME: "image/heic", Bytes: 1000}, nil, CodeMediaType},
		"PDF":                      {post.Media{MIME: "application/pdf", Bytes: 1000}, nil, CodeMediaType},
		"video":                    {post.Media{MIME: "video/mp4", Bytes: 10_000_000}, nil, CodeMediaBytes},
		"unreadable":               {post.Media{}, nil, ""},
	}
	for name, tt := range tests {
		tt.file.File, tt.file.Path = "a.jpg", "content/a.jpg"
		v := &post.Variant{Post: &post.Post{}, PartMedia: [][]post.Media{nil, {tt.file}}}
		parts := []platform.Part{{}, {Media: []platform.Media{platform.MediaOf(&tt.file)}}}
		list := limits.Fit(v, parts)
		if diff := cmp.Diff(tt.want, parts[1].Media[0].Fit); diff != "" {
			t.Errorf("%s: the fit differs (-want +got):\n%s", name, diff)
		}
		var codes []string
		for _, f := range list {
			codes = append(codes, string(f.Code))
		}
		if got := strings.Join(codes, " "); got != string(tt.code) {
			t.Errorf("%s: findings %v, want %q", name, list, tt.code)
		}
		rendered := platform.MediaOf(&tt.file)
		if alone := limits.FitFile(v, &tt.file, &rendered); len(alone) != len(list) || !cmp.Equal(rendered.Fit, tt.want) {
			t.Errorf("%s: alone it is %v, %v", name, alone, rendered.Fit)
		}
	}
	// Where nothing is made to fit, what is too large is reported.
	big := jpeg(4000, 3000, 2_000_001)
	if list := limits.Check(&post.Variant{Post: &post.Post{}, PartMedia: [][]post.Media{{big}}}); len(list) != 1 || list[0].Code != CodeMediaBytes {
		t.Errorf("Check says %v", list)
	}
	only := Media{Network: "Net", Types: []string{"video/mp4"}}
	if list := only.Fit(&post.Variant{Post: &post.Post{}, PartMedia: [][]post.Media{{big}}}, nil); len(list) != 1 || list[0].Code != CodeMediaType {
		t.Errorf("a network without pictures says %v", list)
	}
}

func TestVideos(t *testing.T) {
	limits := Media{
		Network: "Net", Types: []string{"image/gif", "video/mp4", "audio/mp4", "application/pdf"}, VideoTime: [2]time.Duration{3 * time.Second, time.Minute},
		VideoPixels: 1_000_000, VideoWidth: 1920, VideoCodecs: []string{"h264", "h265"}, GIFFrames: 100, GIFArea: 1_000_000, Pages: 300, AltPictures: true,
	}
	video := func(change func(*post.Media)) post.Media {
		m := post.Media{MIME: "video/mp4", Width: 1000, Height: 500, Duration: 10 * time.Second, Codec: "h264"}
		change(&m)
		return m
	}
	tests := map[string]struct {
		file post.Media
		want string
	}{
		"fine":           {video(func(*post.Media) {}), ""},
		"nothing known":  {post.Media{MIME: "video/mp4"}, ""},
		"just as long":   {video(func(m *post.Media) { m.Duration = time.Minute }), ""},
		"long":           {video(func(m *post.Media) { m.Duration = time.Minute + time.Millisecond }), `M210 error: "a" is too long for Net: 1m0.001s, and it takes 3s to 1m`},
		"short":          {video(func(m *post.Media) { m.Duration = time.Second }), `M210 error: "a" is too short for Net: 1s, and it takes 3s to 1m`},
		"codec":          {video(func(m *post.Media) { m.Codec = "prores" }), `M211 error: "a" is encoded as prores, and Net takes h264 and h265`},
		"pixels":         {video(func(m *post.Media) { m.Height = 1001 }), `M206 error: "a" is too large for Net: 1000×1001 is more than 1000000 pixels`},
		"wide":           {video(func(m *post.Media) { m.Width = 1921 }), `M206 error: "a" is too large for Net: 1921×500, and no video is wider than 1920`},
		"described":      {video(func(m *post.Media) { m.Alt = "A hill" }), `M214 info: Net has alt text for pictures only: that of "a" is not sent`},
		"sound":          {post.Media{MIME: "audio/mp4", Duration: time.Hour}, ""},
		"pages":          {post.Media{MIME: "application/pdf", Pages: 301}, `M212 error: "a" has too many pages for Net: 301 of 300`},
		"frames":         {post.Media{MIME: "image/gif", Animated: true, Frames: 101, Width: 1, Height: 1}, `M213 error: "a" has too many frames for Net: 101 of 100`},
		"area of frames": {post.Media{MIME: "image/gif", Animated: true, Frames: 100, Width: 101, Height: 100}, `M213 error: "a" is too large for Net: 100 frames of 101×100 are more than 1000000 pixels`},
		"HEIC":           {post.Media{MIME: "image/heic"}, `M204 error: Net does not take "a": it is HEIC`},
	}
	for name, tt := range tests {
		tt.file.File = "a"
		var got []string
		for _, f := range limits.Check(&post.Variant{Post: &post.Post{}, PartMedia: [][]post.Media{{tt.file}}}) {
			got = append(got, fmt.Sprintf("%s %s: %s", f.Code, f.Severity, f.Message))
		}
		if strings.Join(got, "\n") != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// A network that fetches files gets them as they are made to fit from a bucket alone.
func TestFetched(t *testing.T) {
	limits := Media{Network: "Net", Types: []string{"image/jpeg"}, PictureBytes: 1000}
	at := finding.Range{Start: finding.Pos{Line: 3, Column: 1}}
	for name, c := range map[string]struct {
		file post.Media
		code finding.Code
		hint string
		fits bool // with a bucket
	}{
		"fits":       {file: post.Media{MIME: "image/jpeg", Bytes: 1000}},
		"a drawing":  {file: post.Media{MIME: "image/png", Bytes: 10}, code: CodeMediaType, hint: "it takes JPEG; it is made to fit once site.yaml has a media.bucket", fits: true},
		"too large":  {file: post.Media{MIME: "image/jpeg", Bytes: 1001}, code: CodeMediaBytes, hint: "make it smaller or compress it more; it is made to fit once site.yaml has a media.bucket", fits: true},
		"with place": {file: post.Media{MIME: "image/jpeg", Bytes: 1000, Metadata: true}, fits: true},
		"moves":      {file: post.Media{MIME: "image/gif", Bytes: 10, Animated: true}, code: CodeMediaType, hint: "it takes JPEG"},
	} {
		t.Run(name, func(t *testing.T) {
			file := c.file
			file.File, file.Path, file.Width, file.Height, file.Range = "a", "content/a", 40, 30, at
			v := &post.Variant{Post: &post.Post{}, PartMedia: [][]post.Media{{file}}}
			parts := func() []platform.Part { return []platform.Part{{Media: []platform.Media{platform.MediaOf(&file)}}} }
			bare := parts()
			list := limits.Fetched(v, bare, false)
			if (len(list) > 0) != (c.code != "") || len(list) > 0 && (list[0].Code != c.code || list[0].Hint != c.hint) || bare[0].Media[0].Fit != nil {
				t.Errorf("without a bucket: %+v, %+v", list, bare)
			}
			shelved := parts()
			list = limits.Fetched(v, shelved, true)
			if (shelved[0].Media[0].Fit != nil) != c.fits || (len(list) > 0) != (c.code != "" && !c.fits) {
				t.Errorf("with a bucket: %+v, %+v", list, shelved)
			}
		})
	}
}

func FuzzFit(f *testing.F) {
	f.Add(4000, 3000, int64(2_000_001), 12_000_000, 2000, 0, false)
	f.Add(1, 40_000, int64(1), 0, 1, 2, true)
	f.Add(3, 7, int64(1), 5, 0, 3, true)
	f.Fuzz(func(t *testing.T, w, h int, bytes int64, pixels, side, kind int, flag bool) {
		limits := Media{Network: "Net", Types: []string{"image/jpeg", "image/png"}, PictureBytes: 1000, PicturePixels: int64(max(0, pixels)), PictureSide: max(0, side)}
		file := post.Media{File: "a", Path: "a", MIME: []string{"image/jpeg", "image/png", "image/gif", "image/webp"}[kind&3], Bytes: bytes, Width: w & 0xfffff, Height: h & 0xfffff, Transparent: flag, Metadata: flag}
		rendered := platform.MediaOf(&file)
		limits.FitFile(&post.Variant{Post: &post.Post{}}, &file, &rendered)
		fit := rendered.Fit
		if fit == nil || fit.StripOnly {
			return
		}
		if fit.Width < 1 || fit.Height < 1 || fit.Width > file.Width || fit.Height > file.Height || !limits.takes(fit.MIME) {
			t.Errorf("%d×%d becomes %+v", file.Width, file.Height, fit)
		}
		if side > 0 && max(fit.Width, fit.Height) > side || pixels > 0 && fit.Width*fit.Height > pixels && min(fit.Width, fit.Height) > 1 {
			t.Errorf("%d×%d becomes %+v, beyond %d and %d", file.Width, file.Height, fit, side, pixels)
		}
	})
}

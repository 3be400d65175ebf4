package site

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/finding"
)

// options are what an account of a platform needs in site.yaml.
var options = map[string]string{
	"bluesky": "handle: acme.bsky.social", "facebook": `page: "1234567890"`, "mastodon": `server: "https://fedi.example"`,
	"telegram": `chat: "@acme_news"`, "webhook": `url: "https://hook.example/in"`, "x": "handle: acme",
}

// box is a box of an ISO base media file.
func box(kind string, content ...string) string {
	all := strings.Join(content, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(all)))) + kind + all
}

// film is a video of a few bytes that says that it is so long.
func film(codec string, length time.Duration) []byte {
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	milliseconds := string(binary.BigEndian.AppendUint32(nil, uint32(length/time.Millisecond)))
	track := box("trak", box("tkhd", zeros(76), "\x01\x40\x00\x00\x00\xf0\x00\x00"), box("mdia", box("hdlr", zeros(8), "vide"),
		box("minf", box("stbl", box("stsd", zeros(8), box(codec, zeros(70)))))))
	return []byte(box("ftyp", "isom") + box("moov", box("mvhd", zeros(12), "\x00\x00\x03\xe8", milliseconds, zeros(80)), track) + box("mdat", zeros(80_000)))
}

// chunk is a part of a PNG.
func chunk(kind, data string) string {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), kind+data...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// TestBadFiles gives every platform every file that it should not get, and finds out that check says so.
func TestBadFiles(t *testing.T) {
	noise := image.NewPaletted(image.Rect(0, 0, 200, 150), color.Palette{color.Black, color.White})
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.IntN(2))
	}
	var jpg, portable, moving bytes.Buffer
	for _, err := range []error{jpeg.Encode(&jpg, noise, nil), png.Encode(&portable, noise), gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{noise, noise}, Delay: []int{5, 5}})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	half := func(b bytes.Buffer) []byte { return b.Bytes()[:b.Len()/2] }
	spoilt := bytes.Clone(portable.Bytes())
	spoilt[len(spoilt)/2]++
	place := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x88\x25\x00\x04\x00\x00\x00\x01\x00\x00\x00\x1a\x00\x00\x00\x00\x00\x01\x00\x02\x00\x01\x00\x00\x00\x04\x02\x03\x00\x00"
	there := string(jpg.Bytes()[:2]) + "\xff\xe1" + string(binary.BigEndian.AppendUint16(nil, uint16(2+len(place)))) + place + string(jpg.Bytes()[2:])
	dir := t.TempDir()
	tests := []struct {
		name string
		data []byte
		code finding.Code // what every platform is warned of, but those in not
		not  []string
	}{
		{"bomb.png", []byte("\x89PNG\r\n\x1a\n" + chunk("IHDR", "\x00\x00\x9c\x40\x00\x00\x9c\x40\x08\x06\x00\x00\x00")), "M108", nil},
		{"half.jpg", half(jpg), "M103", nil},
		{"half.png", half(portable), "M103", nil},
		{"half.gif", half(moving), "M103", nil},
		{"half.webp", []byte("RIFF\x64\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x05\x00\x00VP8 \x04"), "M103", nil},
		{"half.mp4", film("avc1", time.Minute)[:40_000], "M103", nil},
		{"half.pdf", []byte("%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nend"), "M103", nil},
		{"spoilt.png", spoilt, "M103", nil},
		{"page.jpg", []byte("<!DOCTYPE html><title>404</title>"), "M103", nil},
		{"pointer.png", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "M103", nil},
		{"words.gif", []byte("hello"), "M103", nil},
		{"drawing.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "M103", nil},
		{"page.mp4", []byte("<html>"), "M104", nil},
		{"empty.jpg", nil, "M102", nil},
		{"vast.mp4", film("avc1", time.Minute), "M105", nil}, // it is made 3 GB below
		{"locked.pdf", []byte("%PDF-1.7\ntrailer\n<</Encrypt 7 0 R/Root 1 0 R>>\n%%EOF\n"), "M107", nil},
		{"photo.png", jpg.Bytes(), "M109", nil},
		{"film.jpg", film("avc1", time.Minute), "M109", nil},
		{"phone.heic", []byte(box("ftyp", "heic\x00\x00\x00\x00") + box("meta", "\x00\x00\x00\x00", box("iprp", box("ipco", box("ispe", "\x00\x00\x00\x00\x00\x00\x0f\xc0\x00\x00\x0b\xd0"))))), "M204", []string{"mastodon", "webhook"}},
		{"phone.jpg", []byte(there), "M304", []string{"bluesky", "facebook", "linkedin", "mastodon", "telegram", "x"}},
		{"hours.mp4", film("avc1", 2*time.Hour), "M210", []string{"bluesky", "facebook", "mastodon", "telegram", "webhook"}},
		{"prores.mp4", film("apcn", time.Minute), "M211", []string{"bluesky", "facebook", "linkedin", "mastodon", "telegram", "webhook"}},
	}
	var site, out strings.Builder
	site.WriteString("media: {public_url: \"https://raw.githubusercontent.com/acme/site/{commit}/{path}\"}\naccounts:\n")
	var all []string
	for _, info := range registry().Infos() {
		all = append(all, string(info.ID))
		fmt.Fprintf(&site, "  %[1]s: {platform: %[1]s, %s}\n", info.ID, options[string(info.ID)])
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("site.yaml", []byte(site.String()))
	if err := os.Mkdir(filepath.Join(dir, "content"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		write("content/"+tt.name, tt.data)
		for _, account := range all {
			write("content/"+tt.name+" "+account+".md", fmt.Appendf(nil, "---\nid: %s-%s\nplatforms: [%[2]s]\nmedia: [{file: %[1]s, alt: A sled}]\n---\nThe sled is back, in %[1]s.\n", tt.name, account))
		}
	}
	if err := os.Truncate(filepath.Join(dir, "content/vast.mp4"), 3<<30); err != nil {
		t.Fatal(err)
	}
	list := load(t, os.DirFS(dir)).Check(t.Context())
	for _, f := range list {
		if f.Path == "site.yaml" {
			t.Errorf("site.yaml: %s", f.Message)
		}
	}
	for _, tt := range tests {
		fmt.Fprintf(&out, "# %s\n", tt.name)
		said := map[string][]string{} // by what is found: the platforms
		for _, account := range all {
			found := false
			for _, f := range list {
				if f.Path == "content/"+tt.name+" "+account+".md" && strings.HasPrefix(string(f.Code), "M") {
					line := fmt.Sprintf("%s %s: %s [%s]", f.Code, f.Severity, f.Message, f.Hint)
					said[line] = append(said[line], account)
					found = found || f.Code == tt.code
				}
			}
			if found == slices.Contains(tt.not, account) {
				t.Errorf("%s on %s: %s is found: %v", tt.name, account, tt.code, found)
			}
		}
		var lines []string
		for line, accounts := range said {
			who := strings.Join(accounts, ", ")
			if len(accounts) == len(all) {
				who = "all"
			}
			lines = append(lines, fmt.Sprintf("%s\n    %s\n", line, who))
		}
		slices.Sort(lines)
		out.WriteString(strings.Join(lines, ""))
	}
	name := filepath.Join("testdata", "files.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("%s differs (-golden +got; go test -update rewrites it):\n%s", name, diff)
	}
}

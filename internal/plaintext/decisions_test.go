package plaintext_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
)

var update = flag.Bool("update", false, "rewrite the goldens of decisions")

// TestDecisions shows what becomes of every Markdown construct and every setting on each network: the
// golden beside each file of testdata/decisions. docs/RENDERING.md says the same to people.
func TestDecisions(t *testing.T) {
	files, err := filepath.Glob("testdata/decisions/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := decide(t, bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")))
			golden := strings.TrimSuffix(file, ".md") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
				t.Errorf("-golden +rendered; go test -update rewrites it:\n%s", diff)
			}
		})
	}
}

// decide renders a file for every account and describes the results. Accounts that get the same as an
// earlier one share its description.
func decide(t *testing.T, src []byte) string {
	t.Helper()
	p, _ := content.Parse("content/post.md", src, site(), content.Options{})
	p.ID = "post"
	var names, described []string
	for _, a := range accounts() {
		v := p.For(a.Name, string(a.Platform))
		r, list := rendererOf(a.Platform).Render(&v, a)
		checkRendering(t, a, &r, list.HasErrors())
		list.Sort()
		names = append(names, a.Name)
		described = append(described, describe(&r, list))
	}
	var out strings.Builder
	for i, d := range described {
		if d == "" {
			continue
		}
		title := names[i]
		for j := i + 1; j < len(described); j++ {
			if described[j] == d {
				title += ", " + names[j]
				described[j] = ""
			}
		}
		fmt.Fprintf(&out, "=== %s\n%s\n", title, d)
	}
	return out.String()
}

func describe(r *platform.Rendering, list finding.List) string {
	var b strings.Builder
	for i, p := range r.Parts {
		fmt.Fprintf(&b, "--- part %d: %d", i+1, p.Used)
		if p.Max > 0 {
			fmt.Fprintf(&b, " of %d", p.Max)
		}
		fmt.Fprintf(&b, " %s\n%s\n", p.Unit, p.Text)
		if len(p.Facets)+len(p.Media) > 0 || p.Card != nil {
			b.WriteString("\n")
		}
		for _, f := range p.Facets {
			fmt.Fprintf(&b, "    %s %q %s\n", f.Kind, p.Text[f.Start:f.End], f.Value)
		}
		for _, m := range p.Media {
			fmt.Fprintf(&b, "    media %s %.40q\n", m.Path, m.Alt)
		}
		if p.Card != nil {
			fmt.Fprintf(&b, "    card %s %q %q fetch=%t image=%t\n", p.Card.URL, p.Card.Title, p.Card.Description, p.Card.Fetch, p.Card.Image != nil)
		}
	}
	settings := map[string]any{
		"title": r.Title, "language": r.Language, "visibility": r.Visibility, "content warning": r.ContentWarning,
		"sensitive": r.Sensitive, "labels": r.Labels, "tags": r.Tags, "reply to": r.ReplyTo, "quote": r.Quote,
	}
	if r.Poll != nil {
		settings["poll"] = *r.Poll
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if v := reflect.ValueOf(settings[key]); !v.IsZero() {
			fmt.Fprintf(&b, "--- %s: %v\n", key, v)
		}
	}
	if len(list) > 0 {
		b.WriteString("--- findings\n")
	}
	for _, f := range list {
		fmt.Fprintf(&b, "    %d:%d %s %s: %s\n", f.Range.Start.Line, f.Range.Start.Column, f.Code, f.Severity, f.Message)
	}
	return b.String()
}

// site is the folder that the cases' media are in.
func site() fs.FS {
	png, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
	if err != nil {
		panic(err)
	}
	gif := "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff" +
		strings.Repeat("\x21\xf9\x04\x00\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00", 2) + ";"
	of := func(width, height uint32) []byte {
		b := slices.Clone(png)
		binary.BigEndian.PutUint32(b[16:], width)
		binary.BigEndian.PutUint32(b[20:], height)
		binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		return b
	}
	broad := []byte(gif)
	binary.LittleEndian.PutUint16(broad[6:], 9000)
	binary.LittleEndian.PutUint16(broad[8:], 6000)
	box := func(kind string, content ...string) string {
		all := strings.Join(content, "")
		return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(all)))) + kind + all
	}
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	hours := box("ftyp", "isom") + box("moov", box("mvhd", zeros(15)+"\x01"+zeros(2)+"\x1c\x20"), // 7200 s
		box("trak", box("mdia", box("hdlr", zeros(8)+"vide"), box("minf", box("stbl", box("stsd", zeros(8), box("apcn")))))))
	frame := strings.Repeat("\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00", 351)
	files := fstest.MapFS{
		"content/hours.mp4":  {Data: []byte(hours)},
		"content/frames.gif": {Data: []byte(gif[:19] + frame + ";")},
		"content/dance.gif":  {Data: []byte(gif)},
		"content/huge.png":   {Data: of(9000, 6000)},
		"content/vast.png":   {Data: of(12_000, 9_000)},
		"content/broad.gif":  {Data: broad},
		"content/long.gif":   {Data: append([]byte(gif), make([]byte, 16_500_000)...)},
		"content/flyer.pdf":  {Data: []byte("%PDF-1.7\n%%EOF\n")},
		"content/ride.mp4":   {Data: []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x08moov")},
	}
	for _, name := range []string{"sled", "hill", "snow", "team", "a", "b", "c"} {
		files["content/"+name+".png"] = &fstest.MapFile{Data: append(png[:len(png):len(png)], name...)}
	}
	files["content/big.png"] = &fstest.MapFile{Data: append(png[:len(png):len(png)], make([]byte, 6_000_000)...)}
	return files
}

package finding

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// files are the sources that sample quotes.
var files = map[string]string{
	"content/a.md": "---\nplatfroms: [x]\n---\n日本語 👩‍👩‍👧 tōo lóng\r\n\ttab here\n" + strings.Repeat("x", 150) + " END " + strings.Repeat("y", 150) + "\n",
	"site.yaml":    "accounts:\n  fedi: {platform: mastodon,\n    token: hunter2, colour: red}\n",
	"evil\x1b.md":  "text \x1b[31mred\u202e end\n",
}

func sample() List {
	at := func(line, from, to int) Range {
		r := Range{Start: Pos{line, from}}
		if to > 0 {
			r.End = Pos{line, to}
		}
		return r
	}
	return List{
		{Code: "F103", Severity: Error, Path: "content/a.md", Range: at(2, 1, 10), Post: "a", Message: `unknown key "platfroms"`, Hint: `did you mean "platforms"?`,
			Fix: Fix{Text: `write "platforms" for "platfroms"`, Range: at(2, 1, 10), Old: "platfroms", New: "platforms"}},
		{Code: "T201", Severity: Warning, Path: "content/a.md", Range: at(4, 5, 10), Account: "x", Message: "family"},
		{Code: "T201", Severity: Info, Path: "content/a.md", Range: at(4, 11, 14), Message: "too, long: 100%\nreally"},
		{Code: "T201", Severity: Info, Path: "content/a.md", Range: Range{Start: Pos{4, 99}}, Message: "behind the line"},
		{Code: "T202", Severity: Info, Path: "content/a.md", Range: at(5, 2, 5), Message: "behind a tab"},
		{Code: "T203", Severity: Info, Path: "content/a.md", Range: at(6, 152, 155), Message: "far to the right"},
		{Code: "T204", Severity: Info, Path: "content/a.md", Range: Range{Start: Pos{Line: 2}}, Message: "a whole line"},
		{Code: "T205", Severity: Info, Path: "content/a.md", Range: at(77, 1, 2), Message: "a line that is not there"},
		{Code: "M301", Severity: Error, Path: "content/b.md", Message: "a file as a whole"},
		{Code: "T206", Severity: Error, Path: "evil\x1b.md", Range: at(1, 1, 5), Message: "evil \x1b[0m text"},
		{Code: "S103", Severity: Error, Path: "site.yaml", Range: at(3, 21, 27), Message: `unknown key "colour"`},
		{Code: "S114", Severity: Error, Path: "site.yaml", Range: Range{Pos{3, 5}, Pos{3, 19}}, Message: "secret", Private: true},
	}
}

func TestPrinters(t *testing.T) {
	source := func(path string) []byte { return []byte(files[path]) }
	docs := []Doc{
		{Code: "F103", Title: "unknown key", Severity: Error, Why: "A typing error is silent otherwise.", Bad: "platfroms: [x]", Good: "platforms: [x]", Since: "0.1"},
		{Code: "Z999", Title: "never found"},
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text": func(b *bytes.Buffer) error { return WriteText(b, sample(), TextOptions{Source: source}) },
		"color": func(b *bytes.Buffer) error {
			return WriteText(b, sample()[:1], TextOptions{Source: source, Color: true})
		},
		"json":   func(b *bytes.Buffer) error { return WriteJSON(b, sample(), 2) },
		"github": func(b *bytes.Buffer) error { return WriteGitHub(b, sample()) },
		"gitlab": func(b *bytes.Buffer) error { return WriteGitLab(b, append(sample(), sample()[0])) },
		"sarif": func(b *bytes.Buffer) error {
			return WriteSARIF(b, sample(), Tool{Version: "0.1.0", URL: "https://example.org", Docs: docs})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(got.String(), "hunter2") {
				t.Error("the output quotes a secret")
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func TestJSONOfNothing(t *testing.T) {
	var got bytes.Buffer
	if err := WriteJSON(&got, nil, 0); err != nil {
		t.Fatal(err)
	}
	if want := `{"findings":[],"posts":0}` + "\n"; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
}

func TestSeverityText(t *testing.T) {
	for _, s := range []Severity{Info, Warning, Error} {
		b, err := json.Marshal(map[Severity]Severity{s: s})
		if err != nil {
			t.Fatal(err)
		}
		var back map[Severity]Severity
		if err := json.Unmarshal(b, &back); err != nil || back[s] != s {
			t.Errorf("%s comes back as %v, %v", b, back, err)
		}
	}
	if err := new(Severity).UnmarshalText([]byte("fatal")); err == nil {
		t.Error(`"fatal" is accepted`)
	}
}

func TestSortIsStableAndDropsRepeats(t *testing.T) {
	l := sample()
	want := List(append([]Finding(nil), l...))
	want.Sort()
	for i := range l { // rotate, repeat, and sort again
		got := append(append(append(List{}, l[i:]...), l[:i]...), l[i])
		got.Sort()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("rotation %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestLocator(t *testing.T) {
	l := NewLocator([]byte("aé\n\n日x"))
	for offset, want := range map[int]Pos{-1: {1, 1}, 0: {1, 1}, 1: {1, 2}, 3: {1, 3}, 4: {2, 1}, 5: {3, 1}, 8: {3, 2}, 9: {3, 3}, 99: {3, 3}} {
		if got := l.Pos(offset); got != want {
			t.Errorf("Pos(%d) = %v, want %v", offset, got, want)
		}
	}
}

func TestDocForms(t *testing.T) {
	if got, want := visible("a\ufeff\x00\xff\r\n\tü"), `a\ufeff\u0000\xff\u000d`+"\n\tü"; got != want {
		t.Errorf("visible = %q, want %q", got, want)
	}
	d := Doc{Code: "T201", Title: "too long", Severity: Error, Why: "It is refused.", Bad: "a\n\n```\nb\n```\n", Good: "c", Since: "0.1"}
	if got, want := d.Markdown(), "## T201 too long\n\nerror, since 0.1\n\nIt is refused.\n\nFound in:\n\n````\na\n\n```\nb\n```\n````\n\nNot in:\n\n```\nc\n```\n"; got != want {
		t.Errorf("Markdown:\n%s", cmp.Diff(want, got))
	}
	if got, want := d.Text(), "T201 too long (error, since 0.1)\n\nIt is refused.\n\nFound in:\n\n    a\n\n    ```\n    b\n    ```\n\nNot in:\n\n    c\n"; got != want {
		t.Errorf("Text:\n%s", cmp.Diff(want, got))
	}
}

func FuzzWriteText(f *testing.F) {
	f.Add("a line\n\tanother 👍🏽", 1, 2, 1, 5, 20)
	f.Add(files["content/a.md"], 6, 152, 6, 155, 40)
	f.Fuzz(func(t *testing.T, src string, line, column, endLine, endColumn, width int) {
		l := List{{Code: "T1", Path: "p", Message: src, Range: Range{Pos{line, column}, Pos{endLine, endColumn}}}}
		var out bytes.Buffer
		if err := WriteText(&out, l, TextOptions{Source: func(string) []byte { return []byte(src) }, Width: min(width, 1000)}); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(out.String(), "\n"); lines < 1 || lines > 3 {
			t.Errorf("%d lines:\n%q", lines, out.String())
		}
		if strings.ContainsAny(out.String(), "\x1b\u202e\r") {
			t.Errorf("a control reaches the terminal: %q", out.String())
		}
	})
}

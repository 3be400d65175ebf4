package draft

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/post"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// Each file of reschedule.txtar that is called *.in is a post, which is moved to 17 July 2027 at 14:30 in Berlin; the file after it
// is what it becomes, or why not.
func TestReschedule(t *testing.T) {
	const golden = "testdata/reschedule.txtar"
	a, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	berlin := zone(t, "Europe/Berlin")
	at := time.Date(2027, 7, 17, 14, 30, 0, 0, berlin)
	want := map[string]string{}
	for _, f := range a.Files {
		want[f.Name] = string(f.Data)
	}
	var files []txtar.File
	for _, f := range a.Files {
		name, ok := strings.CutSuffix(f.Name, ".in")
		if !ok {
			continue
		}
		out, got := name+".out", ""
		changed, err := Reschedule(f.Data, "content/a.md", at, content.Options{Location: berlin})
		if e, ok := errors.AsType[*RefusedError](err); ok {
			out, got = name+".refused", e.Error()+"\n"+e.Hint()+"\n"
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			got = string(changed)
		}
		files = append(files, f, txtar.File{Name: out, Data: []byte(got)})
		if diff := cmp.Diff(want[out], got); diff != "" && !*update {
			t.Errorf("%s (-want +got):\n%s", out, diff)
		}
	}
	if *update {
		a.Files = files
		if err := os.WriteFile(golden, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What a text file of goldens cannot show: line endings, byte-order marks, ends without a newline.
func TestRescheduleKeepsBytes(t *testing.T) {
	at := time.Date(2027, 7, 17, 14, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct{ src, want string }{
		"CRLF":                {"---\r\npublish_at: 2026-12-01 09:00\r\n---\r\na\r\n", "---\r\npublish_at: 2027-07-17 14:30\r\n---\r\na\r\n"},
		"CRLF, added":         {"---\r\nid: a\r\n---\r\na\r\n", "---\r\nid: a\r\npublish_at: 2027-07-17 14:30\r\n---\r\na\r\n"},
		"CRLF, empty":         {"---\r\npublish_at:\r\n---\r\na\r\n", "---\r\npublish_at: 2027-07-17 14:30\r\n---\r\na\r\n"},
		"CRLF, TOML":          {"+++\r\nid = 'a'\r\n+++\r\n", "+++\r\nid = 'a'\r\npublish_at = \"2027-07-17 14:30\"\r\n+++\r\n"},
		"BOM":                 {"\ufeff---\ndate: 2026-12-01 09:00\n---\na", "\ufeff---\ndate: 2027-07-17 14:30\n---\na"},
		"BOM, JSON":           {"\ufeff{\"title\": \"a\"}\na", "\ufeff{\"publish_at\": \"2027-07-17 14:30\", \"title\": \"a\"}\na"},
		"no newline":          {"---\npublish_at: 2026-12-01 09:00\n---", "---\npublish_at: 2027-07-17 14:30\n---"},
		"no newline, added":   {"---\ntitle: a\n---", "---\ntitle: a\npublish_at: 2027-07-17 14:30\n---"},
		"lone CR in the body": {"---\npublish_at: 2026-12-01 09:00\n---\na\rb\n", "---\npublish_at: 2027-07-17 14:30\n---\na\rb\n"},
		"wide letters before": {"---\n{title: 長い, publish_at: 2026-12-01 09:00}\n---\n", "---\n{title: 長い, publish_at: 2027-07-17 14:30}\n---\n"},
		"blanks at the end":   {"---\npublish_at: 2026-12-01 09:00 \t\n--- \n", "---\npublish_at: 2027-07-17 14:30 \t\n--- \n"},
		"blank lines first":   {"\n \n---\npublish_at: 2026-12-01 09:00\n---\n", "\n \n---\npublish_at: 2027-07-17 14:30\n---\n"},
	} {
		got, err := Reschedule([]byte(c.src), "content/a.md", at, content.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if string(got) != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// The clock, and what is written about it.
func TestRescheduleTimes(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	utc := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2027, month, day, hour, minute, 0, 0, time.UTC)
	}
	for name, c := range map[string]struct {
		line string // of the front matter
		at   time.Time
		want string
	}{
		"the post's zone":               {"timezone: America/New_York\npublish_at: 2026-12-01 09:00", utc(7, 17, 12, 30), "2027-07-17 08:30"},
		"an offset of the zone":         {"publish_at: 2026-12-01T09:00+01:00", utc(7, 17, 12, 30), "2027-07-17T14:30+02:00"},
		"an offset of its own":          {"publish_at: 2026-12-01T09:00-05:00", utc(7, 17, 12, 30), "2027-07-17T07:30-05:00"},
		"without colon":                 {"publish_at: 2026-12-01 09:00 +0100", utc(7, 17, 12, 30), "2027-07-17 14:30 +0200"},
		"half an hour west":             {"publish_at: 2026-12-01T09:00-03:30", utc(7, 17, 12, 30), "2027-07-17T09:00-03:30"},
		"UTC":                           {"publish_at: 2026-12-01T09:00:00.000Z", utc(7, 17, 12, 30), "2027-07-17T12:30:00.000Z"},
		"UTC where the zone is UTC":     {"timezone: Europe/London\npublish_at: 2026-12-01t09:00z", utc(7, 17, 12, 30), "2027-07-17t12:30z"},
		"+00:00 in London":              {"timezone: Europe/London\npublish_at: 2026-12-01T09:00+00:00", utc(7, 17, 12, 30), "2027-07-17T13:30+01:00"},
		"the hour that comes twice":     {"publish_at: 2026-12-01 09:00", utc(10, 31, 0, 30), "2027-10-31 02:30+02:00"},
		"and its second time":           {"publish_at: 2026-12-01 09:00", utc(10, 31, 1, 30), "2027-10-31 02:30+01:00"},
		"the hour before it":            {"publish_at: 2026-12-01 09:00", utc(10, 30, 23, 59), "2027-10-31 01:59"},
		"the hour after it":             {"publish_at: 2026-12-01 09:00", utc(10, 31, 2, 0), "2027-10-31 03:00"},
		"before the gap":                {"publish_at: 2026-12-01 09:00", utc(3, 28, 0, 59), "2027-03-28 01:59"},
		"after the gap":                 {"publish_at: 2026-12-01 09:00", utc(3, 28, 1, 0), "2027-03-28 03:00"},
		"half an hour twice":            {"timezone: Australia/Lord_Howe\npublish_at: 2026-12-01 09:00", time.Date(2027, 4, 3, 15, 0, 0, 0, time.UTC), "2027-04-04 01:30+10:30"},
		"out of the hour that is twice": {"publish_at: 2026-10-25 02:30", utc(7, 17, 12, 30), "2027-07-17 14:30"},
		"out of the gap":                {"publish_at: 2027-03-28 02:30", utc(7, 17, 12, 30), "2027-07-17 14:30"},
		"seconds kept":                  {"publish_at: 2026-12-01 09:00:00", utc(7, 17, 12, 30), "2027-07-17 14:30:00"},
		"seconds needed":                {"publish_at: 2026-12-01 09:00", utc(7, 17, 12, 30).Add(7 * time.Second), "2027-07-17 14:30:07"},
		"fractions dropped":             {"publish_at: 2026-12-01 09:00", utc(7, 17, 12, 30).Add(7 * time.Millisecond), "2027-07-17 14:30"},
		"to where it is":                {"publish_at: 2026-10-25 02:30", time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), "2026-10-25 02:30"},
		"a date alone":                  {"publish_at: 2026-12-01", utc(7, 17, 12, 30), "2027-07-17 14:30"},
	} {
		src := "---\n" + c.line + "\n---\na\n"
		before, _, _ := strings.Cut(src, "20")
		want := before + c.want + "\n---\na\n"
		got, err := Reschedule([]byte(src), "content/a.md", c.at, content.Options{Location: berlin})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(got) != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		if p, _ := content.Parse("content/a.md", got, nil, content.Options{Location: berlin}); !p.PublishAt.Equal(c.at.Truncate(time.Second)) {
			t.Errorf("%s: reads as %v, want %v", name, p.PublishAt, c.at)
		}
	}
}

func TestRescheduleRefusesImpossibleTimes(t *testing.T) {
	for _, at := range []time.Time{{}, time.Unix(-1, 0), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1<<55, 0)} {
		for _, src := range []string{"---\npublish_at: 2026-12-01 09:00\n---\na\n", "---\ntitle: a\n---\n", "+++\ndate = 2026-12-01\n+++\n", `{"id": "a"}`} {
			_, err := Reschedule([]byte(src), "content/a.md", at, content.Options{})
			if e, ok := errors.AsType[*RefusedError](err); !ok || e.Reason != Misfit {
				t.Errorf("%q to %v: %v", src, at, err)
			}
		}
	}
}

// Whatever the file: no panic, and an error or a file in which one line is another or one is new, and which is the same post
// at the new time.
func FuzzReschedule(f *testing.F) {
	a, err := txtar.ParseFile("testdata/reschedule.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for i, file := range a.Files {
		if strings.HasSuffix(file.Name, ".in") {
			f.Add(file.Data, int64(1815827400+i*3600))
		}
	}
	for _, src := range []string{
		"", "text", "---", "{", "{}", "+++\n+++", "---\n---\n", "---\n{}\n---\n", "---\n{ }", "\ufeff{}\r\n", "---\n? publish_at\n: 2026-12-01 09:00\n---\n",
		"---\npublish_at: 2026-12-01 09:00\nexpires_at: 2026-12-02 09:00\n---\n", "+++\ndate=2026-12-01#x\n+++\n", "---\n\"date\":\n---\n", "---\n- date: 2026-12-01\n---\n",
		"---\nid: |\n a\n\n # b\n---\n", "---\ntimezone: Africa/Monrovia\ndate: 1971-01-01 09:00\n---\n", "---\n# {\n  title: a\n  id: b\n---\n", "{\"title\": \"a\",\n\"id\": \"b\"}\n",
		"---\n{\n}\n---\n", "---\ntitle: a\rid: b\n---\n", "---\ndate: 2026-12-01 09:00\u2028\n---\n", "---\n%YAML 1.2\n---\n",
	} {
		f.Add([]byte(src), int64(1815827400))
	}
	berlin := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, src []byte, unix int64) {
		at, o := time.Unix(unix, 0), content.Options{Location: berlin}
		got, err := Reschedule(src, "content/a.md", at, o)
		if err != nil {
			if e, ok := errors.AsType[*RefusedError](err); !ok || e.Error() == "" {
				t.Errorf("%q: %v", src, err)
			}
			_ = err.(*RefusedError).Hint()
			return
		}
		was, is := lines(src), lines(got)
		head := 0
		for head < min(len(was), len(is)) && was[head] == is[head] {
			head++
		}
		tail := 0
		for tail < min(len(was), len(is))-head && was[len(was)-1-tail] == is[len(is)-1-tail] {
			tail++
		}
		if old, fresh := len(was)-head-tail, len(is)-head-tail; fresh > 1 || old > fresh {
			t.Errorf("%q becomes %q: more than one line differs", src, got)
		}
		before, _ := content.Parse("content/a.md", src, nil, o)
		after, _ := content.Parse("content/a.md", got, nil, o)
		if !after.PublishAt.Equal(at) || after.ID != before.ID || after.Title != before.Title || !after.ExpiresAt.Equal(before.ExpiresAt) {
			t.Errorf("%q becomes %q, which goes out at %v and not at %v", src, got, after.PublishAt, at)
		}
		// The body of JSON without a line break after it begins on the line of its brace.
		if body := tailOf(before); tailOf(after) != body && (bytes.HasSuffix(src, []byte("\n")) || before.Text[0] != '{') {
			t.Errorf("%q becomes %q: another text", src, got)
		}
		again, err := Reschedule(got, "content/a.md", at, o)
		if err != nil || !bytes.Equal(again, got) {
			t.Errorf("%q becomes %q, and that %q, %v", src, got, again, err)
		}
	})
}

func lines(src []byte) []string { return strings.SplitAfter(string(src), "\n") }

// tailOf returns the lines of a post's body.
func tailOf(p *post.Post) string {
	return strings.Join(lines([]byte(p.Text))[p.BodyLine-1:], "")
}

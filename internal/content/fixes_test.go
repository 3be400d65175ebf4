package content

import (
	"testing"

	"github.com/postrider/postrider/internal/finding"
)

func TestCertain(t *testing.T) {
	for _, test := range []struct {
		word       string
		candidates []string
		want       string
	}{
		{"blueski", []string{"bluesky", "x"}, "bluesky"},
		{"Bluesky", []string{"bluesky"}, "bluesky"},
		{"platfroms", []string{"platforms", "title"}, "platforms"}, // two letters the wrong way round
		{"winterlaunch", []string{"winter-launch"}, "winter-launch"},
		{"winter-lunch", []string{"winter-launch"}, "winter-launch"},
		{"europe/berlin", []string{"Europe/Berlin", "Europe/Dublin"}, "Europe/Berlin"},
		{"bluesky", []string{"bluesky"}, ""},                // right already
		{"acme-x", []string{"acme-y"}, ""},                  // another account
		{"x", []string{"y"}, ""},                            // too short to tell
		{"launch-2026", []string{"launch-2027"}, ""},        // another year
		{"team1", []string{"team2"}, ""},                    // another team
		{"private", []string{"public", "direct"}, ""},       // another word
		{"blueski", []string{"bluesky", "blueskj"}, ""},     // either
		{"winter-lunch-x", []string{"winter-launch-y"}, ""}, // two slips
		{"", []string{"a", ""}, ""}, {"title", nil, ""},     // nothing to go by
	} {
		if got := Certain(test.word, test.candidates); got != test.want {
			t.Errorf("%q of %q is %q, want %q", test.word, test.candidates, got, test.want)
		}
	}
}

func TestOneReading(t *testing.T) {
	for text, want := range map[string]string{
		"2026/12/1 9:00": "2026-12-01 09:00", "2026-12-1T9:05:07": "2026-12-01 09:05:07", "2026.12.01, 09.30": "2026-12-01 09:30", "2026-12-01 9h30": "2026-12-01 09:30",
		"1/12/2026 9:00": "", "2026/12-1 9:00": "", "2026/13/1 9:00": "", "2026/2/30 9:00": "", "2026/12/1": "", "2026/12/1 25:00": "", "tomorrow": "", "2026-12-01 9:00 pm": "",
	} {
		if got := oneReading(text); got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

// FuzzFixes: every fix fits the file that it is for.
func FuzzFixes(f *testing.F) {
	for _, d := range Docs() {
		f.Add([]byte(d.Bad))
	}
	f.Add([]byte("\ufeff ---\r\ntitle: a: b\r\nplatfroms: x, y\r\n---\r\n***\n\n***\n"))
	f.Add([]byte("+++\ntitel = \"\"\"a\"\"\"\npublish_at = 2026/1/1 1:00\n+++\n![](A.png)"))
	f.Add([]byte("{\"titel\": \"\\u00e9\", \"draft\": \"yes\"}"))
	fsys := testFS()
	f.Fuzz(func(t *testing.T, src []byte) {
		_, list := Parse("content/a.md", src, fsys, Options{})
		for _, x := range list {
			if !x.Fix.Given() {
				continue
			}
			if _, done := finding.Apply(src, []finding.Fix{x.Fix}); len(done) != 1 {
				t.Errorf("%s: %+v does not fit %q", x.Code, x.Fix, src)
			}
		}
	})
}

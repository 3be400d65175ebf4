package measure

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// notApplicable has the sections of the official vectors that are not run, with the reason.
var notApplicable = map[string]string{
	"validate.yml tweets":                "the 140-character counter of configuration v1",
	"validate.yml urls":                  "a syntax check of a lone URL with any top-level domain, which X applies to nothing a post contains",
	"validate.yml urls_without_protocol": "the same check without a scheme",
	"extract.yml replies":                "whom a post answers; replies are addressed by id",
}

type vectors struct {
	Tests map[string][]vector `yaml:"tests"`
}

type vector struct {
	Description string    `yaml:"description"`
	Text        string    `yaml:"text"`
	Expected    yaml.Node `yaml:"expected"`
}

// TestConformance runs the vectors of twitter-text in testdata, and with POSTRIDER_CONFORMANCE also
// those in the folder that the variable names, which may be newer.
func TestConformance(t *testing.T) {
	folders := []string{"testdata"}
	if extra := os.Getenv("POSTRIDER_CONFORMANCE"); extra != "" {
		folders = append(folders, extra)
	}
	for _, folder := range folders {
		ran := 0
		for _, file := range []string{"validate.yml", "extract.yml", "tlds.yml"} {
			data, err := os.ReadFile(filepath.Join(folder, "twitter-text", file))
			if err != nil {
				t.Fatal(err)
			}
			var v vectors
			if err := yaml.Unmarshal(data, &v); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for section, cases := range v.Tests {
				name := file + " " + section
				if notApplicable[name] != "" {
					continue
				}
				check := conformanceCheck(name)
				if check == nil {
					t.Errorf("%s: no check for this section", name)
					continue
				}
				for _, c := range cases {
					ran++
					t.Run(filepath.Base(folder)+"/"+name+"/"+c.Description, func(t *testing.T) { check(t, c) })
				}
			}
		}
		if ran < 1800 {
			t.Errorf("%s: only %d cases ran", folder, ran)
		}
	}
}

func conformanceCheck(name string) func(*testing.T, vector) {
	switch name {
	case "validate.yml usernames":
		return checkValid(func(e Entity) bool { return e.Kind == Mention && e.List == "" })
	case "validate.yml lists":
		return checkValid(func(e Entity) bool { return e.Kind == Mention && e.List != "" })
	case "validate.yml hashtags":
		return checkValid(func(e Entity) bool { return e.Kind == Hashtag })
	case "validate.yml WeightedTweetsCounterTest":
		// The counter of configuration v2 differs in that emoji have no discount.
		return func(t *testing.T, c vector) {
			if !hasDiscountedEmoji(c.Text) {
				checkWeight(t, c)
			}
		}
	case "validate.yml WeightedTweetsWithDiscountedEmojiCounterTest", "validate.yml UnicodeDirectionalMarkerCounterTest":
		return checkWeight
	case "extract.yml mentions":
		return checkValues(xMentionsOnly)
	case "extract.yml mentions_with_indices", "extract.yml mentions_or_lists_with_indices":
		return checkIndices(xMentionsOnly)
	case "extract.yml urls", "extract.yml tco_urls_with_params", "tlds.yml country", "tlds.yml generic":
		return checkValues(xURLsOnly)
	case "extract.yml urls_with_indices", "extract.yml urls_with_directional_markers":
		return checkIndices(xURLsOnly)
	case "extract.yml hashtags", "extract.yml hashtags_from_astral":
		return checkValues(xHashtagsOnly)
	case "extract.yml hashtags_with_indices":
		return checkIndices(xHashtagsOnly)
	case "extract.yml cashtags":
		return checkValues(xCashtagsOnly)
	case "extract.yml cashtags_with_indices":
		return checkIndices(xCashtagsOnly)
	}
	return nil
}

func hasDiscountedEmoji(text string) bool {
	for i := range text {
		if emojiLen(text[i:]) > 0 {
			return true
		}
	}
	return false
}

func xMentionsOnly(text string) []Entity { return xMentions(nil, text) }
func xCashtagsOnly(text string) []Entity { return xCashtags(nil, text) }

func xURLsOnly(text string) []Entity {
	var list []Entity
	for _, u := range xURLs.find(nil, text) {
		list = append(list, Entity{Start: u.start, End: u.end, Kind: URL, Value: text[u.start:u.end]})
	}
	return list
}

func xHashtagsOnly(text string) []Entity {
	list := removeOverlaps(append(xHashtags(nil, text), xURLsOnly(text)...))
	return slices.DeleteFunc(list, func(e Entity) bool { return e.Kind != Hashtag })
}

func decode[T any](t *testing.T, c vector) T {
	t.Helper()
	var want T
	if err := c.Expected.Decode(&want); err != nil {
		t.Fatal(err)
	}
	return want
}

func checkValid(ok func(Entity) bool) func(*testing.T, vector) {
	return func(t *testing.T, c vector) {
		list := XEntities(c.Text)
		got := len(list) == 1 && ok(list[0]) && list[0].Start == 0 && list[0].End == len(c.Text)
		if want := decode[bool](t, c); got != want {
			t.Errorf("%q: valid %v, want %v", c.Text, got, want)
		}
	}
}

func checkValues(extract func(string) []Entity) func(*testing.T, vector) {
	return func(t *testing.T, c vector) {
		var got []string
		for _, e := range extract(c.Text) {
			got = append(got, e.Value)
		}
		if want := decode[[]string](t, c); !slices.Equal(got, want) {
			t.Errorf("%q:\n got %q\nwant %q", c.Text, got, want)
		}
	}
}

// indexed is an entity as the vectors give it, with offsets in code points.
type indexed struct {
	URL        string `yaml:"url"`
	Hashtag    string `yaml:"hashtag"`
	Cashtag    string `yaml:"cashtag"`
	ScreenName string `yaml:"screen_name"`
	ListSlug   string `yaml:"list_slug"`
	Indices    [2]int `yaml:"indices"`
}

func checkIndices(extract func(string) []Entity) func(*testing.T, vector) {
	return func(t *testing.T, c vector) {
		var got []indexed
		for _, e := range extract(c.Text) {
			i := indexed{Indices: [2]int{utf8.RuneCountInString(c.Text[:e.Start]), utf8.RuneCountInString(c.Text[:e.End])}}
			switch e.Kind {
			case URL:
				i.URL = e.Value
			case Hashtag:
				i.Hashtag = e.Value
			case Cashtag:
				i.Cashtag = e.Value
			case Mention:
				i.ScreenName = e.Value
				if e.List != "" {
					i.ListSlug = "/" + e.List
				}
			}
			got = append(got, i)
		}
		if want := decode[[]indexed](t, c); !slices.Equal(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", c.Text, got, want)
		}
	}
}

func checkWeight(t *testing.T, c vector) {
	type result struct {
		WeightedLength  int  `yaml:"weightedLength"`
		Valid           bool `yaml:"valid"`
		Permillage      int  `yaml:"permillage"`
		DisplayRangeEnd *int `yaml:"displayRangeEnd"`
		ValidRangeEnd   *int `yaml:"validRangeEnd"`
	}
	want := decode[result](t, c)
	got := X(c.Text)
	if got.Weighted != want.WeightedLength || got.Valid != want.Valid || got.Weighted*1000/XMaxWeighted != want.Permillage {
		t.Errorf("%q: got %+v, want %+v", c.Text, got, want)
	}
	if want.ValidRangeEnd != nil {
		// The vectors count UTF-16 units and give the last valid one.
		if end := CountUTF16(c.Text[:got.ValidEnd]) - 1; end != *want.ValidRangeEnd {
			t.Errorf("%q: valid up to %d, want %d", c.Text, end, *want.ValidRangeEnd)
		}
	}
	if forbidden := strings.ContainsAny(c.Text, "\uFFFE\uFEFF\uFFFF"); forbidden != (got.InvalidAt >= 0) {
		t.Errorf("%q: first forbidden character at %d", c.Text, got.InvalidAt)
	}
}

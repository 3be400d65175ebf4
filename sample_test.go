package postrider_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider"
	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
)

func load(t *testing.T) *site.Snapshot {
	t.Helper()
	s, err := site.Load(t.Context(), postrider.Sample, adapters.All(), site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSampleIsClean holds the sample to what we ask of others: no errors, no warnings, and an id in every post.
func TestSampleIsClean(t *testing.T) {
	s := load(t)
	for _, f := range s.Check(t.Context()) {
		if f.Severity != finding.Info {
			t.Errorf("%s:%d: %s: %s %s: %s [%s]", f.Path, f.Range.Start.Line, f.Severity, f.Post, f.Account, f.Message, f.Code)
		}
	}
	for _, p := range s.Posts {
		if !p.OwnID || len(p.ID) != 8 || strings.Trim(p.ID, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("%s: id %q is none that `postrider new` writes", p.Path, p.ID)
		}
	}
}

// TestSampleIsWhole compares what is embedded with the folder.
func TestSampleIsWhole(t *testing.T) {
	list := func(fsys fs.FS) (files []string) {
		for _, root := range []string{"site.yaml", site.ContentDir} {
			err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					files = append(files, name)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return files
	}
	files := list(postrider.Sample)
	if diff := cmp.Diff(list(os.DirFS(".")), files); diff != "" {
		t.Errorf("-folder +embedded:\n%s", diff)
	}

	var want, got []string
	used := map[string]bool{"site.yaml": true, "content/README.md": true}
	for _, name := range files {
		if content.IsPost(strings.TrimPrefix(name, site.ContentDir+"/")) && name != "site.yaml" {
			want = append(want, name)
			used[name] = true
		}
	}
	s := load(t)
	for _, p := range s.Posts {
		got = append(got, p.Path)
		for _, a := range s.Accounts(p) {
			for _, part := range s.Render(p, a).Rendering.Parts {
				for _, m := range part.Media {
					used[m.Path] = true
				}
				if part.Card != nil && part.Card.Image != nil {
					used[part.Card.Image.Path] = true
				}
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-files +posts:\n%s", diff)
	}

	var bytes int64
	for _, name := range files {
		info, err := fs.Stat(postrider.Sample, name)
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
		if !used[name] {
			t.Errorf("no post shows %s", name)
		}
		if path.Ext(name) != ".md" && info.Size() > 150_000 {
			t.Errorf("%s has %d bytes: every copy of the program carries them", name, info.Size())
		}
	}
	if bytes > 700_000 {
		t.Errorf("the sample has %d bytes: every copy of the program carries them", bytes)
	}
}

// TestSampleAddresses keeps what the demo relies on: it puts the sandbox's addresses in place of these.
func TestSampleAddresses(t *testing.T) {
	src, err := postrider.Sample.ReadFile("site.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"https://bsky.social", "https://alpen.example", "https://hooks.fichtl.example/postrider"} {
		if n := strings.Count(string(src), address); n != 1 {
			t.Errorf("site.yaml has %s %d times, and not once", address, n)
		}
	}
}

// TestSampleMorning holds what is due when the demo's clock stands: enough to show what a post can be, nothing that
// needs a page from the internet, and one post that comes too late.
func TestSampleMorning(t *testing.T) {
	s := load(t)
	now := time.Date(2026, 12, 3, 9, 5, 0, 0, s.Config.Location)
	due, late, next := 0, 0, 0
	var thread, picture, card, letter, mention bool
	for _, p := range s.Posts {
		switch {
		case p.Draft || p.PublishAt.IsZero():
			continue
		case p.PublishAt.After(now):
			if p.PublishAt.Sub(now) < 12*time.Hour {
				next++
			}
			continue
		case now.Sub(p.PublishAt) > s.Config.Schedule.Late.After:
			late++
			continue
		}
		due++
		if end, quiet := s.Config.Schedule.QuietUntil(p.PublishAt, s.Config.Location); quiet {
			t.Errorf("%s is due in quiet hours, until %s", p.Path, end)
		}
		for _, a := range s.Accounts(p) {
			r := s.Render(p, a).Rendering
			thread = thread || len(r.Parts) > 2
			letter = letter || a.Name == "newsletter"
			for _, part := range r.Parts {
				picture = picture || a.Name != "newsletter" && len(part.Media) > 0
				if c := part.Card; c != nil {
					card = card || c.Title != "" && c.Image != nil
					if c.Fetch {
						t.Errorf("%s: the card of %s is read from the internet, which the demo does without", p.Path, c.URL)
					}
				}
				for _, f := range part.Facets {
					mention = mention || f.Kind == "mention"
				}
			}
		}
	}
	type morning struct {
		Due, Late, Next                        int
		Thread, Picture, Card, Letter, Mention bool
	}
	want := morning{Due: 4, Late: 1, Next: 2, Thread: true, Picture: true, Card: true, Letter: true, Mention: true}
	got := morning{due, late, next, thread, picture, card, letter, mention}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("at %s -want +got:\n%s", now, diff)
	}
}

// TestSampleShowsOff keeps the sample a tour of what a post can say: each field somewhere, and each way to say
// something to one network only.
func TestSampleShowsOff(t *testing.T) {
	var set, overridden post.FieldSet
	var notes, audiences, bundles, toml, autoThreads int
	languages := map[string]bool{}
	for _, p := range load(t).Posts {
		set |= p.Set
		for _, o := range p.Overrides {
			overridden |= o.Set
		}
		for _, l := range p.Language {
			languages[l] = true
		}
		notes += len(p.Notes)
		if strings.Contains(p.Text, "\n::: ") {
			audiences++
		}
		if path.Base(p.Path) == "index.md" {
			bundles++
		}
		if strings.HasPrefix(p.Text, "+++\n") {
			toml++
		}
		if p.Thread == "auto" {
			autoThreads++
		}
	}
	for _, f := range []post.Field{
		post.FieldTitle, post.FieldPlatforms, post.FieldPublishAt, post.FieldTimezone, post.FieldCampaign, post.FieldTags, post.FieldLink,
		post.FieldCanonicalURL, post.FieldMedia, post.FieldCard, post.FieldDraft, post.FieldLanguage, post.FieldContentWarning,
		post.FieldPoll, post.FieldThread, post.FieldExpiresAt, post.FieldLate, post.FieldMentions, post.FieldRepeat, post.FieldNotes,
	} {
		if !set.Has(f) {
			t.Errorf("no post has %q", f.Key())
		}
	}
	for _, f := range []post.Field{post.FieldText, post.FieldTags, post.FieldVisibility} {
		if !overridden.Has(f) {
			t.Errorf("no override has %q", f.Key())
		}
	}
	if notes < 4 || audiences < 2 || bundles < 2 || toml < 1 || autoThreads < 1 || !languages["de"] {
		t.Errorf("notes %d, ::: blocks %d, bundles %d, TOML %d, thread: auto %d, languages %v", notes, audiences, bundles, toml, autoThreads, languages)
	}
}

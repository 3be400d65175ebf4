package bluesky

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
)

// lost is the attempt of a ledger that has forgotten what it sent: nothing is under its keys.
func lost() platform.Attempt { return try(999) }

// finds fails the test unless a look-up finds just the parts of want.
func (w *world) finds(t *testing.T, what string, r *platform.Rendering, want ...platform.Remote) {
	t.Helper()
	found, err := w.open(t, "acme").Find(t.Context(), r, lost())
	if len(want) == 0 {
		if !errors.Is(err, platform.ErrNotFound) {
			t.Errorf("%s: found %+v, %v", what, found.Parts, err)
		}
		return
	}
	if diff := cmp.Diff(want, found.Parts); err != nil || diff != "" {
		t.Errorf("%s: %v (-want +found):\n%s", what, err, diff)
	}
}

// with returns a rendering of one part that something was done to.
func with(text string, change func(*platform.Rendering)) *platform.Rendering {
	r := say(text)
	change(r)
	return r
}

func TestFindTellsApart(t *testing.T) {
	w := newWorld(t)
	alice := w.publish(t, "alice", say("First", "Second"), 1)
	picture := func(name string) func(*platform.Rendering) {
		m := w.media(name, name)
		return func(r *platform.Rendering) { r.Parts[0].Media = []platform.Media{m} }
	}
	card := func(url string) func(*platform.Rendering) {
		return func(r *platform.Rendering) { r.Parts[0].Card = &platform.Card{URL: url, Title: "T"} }
	}
	twice := func(r *platform.Rendering) {
		r.Parts[0].Media = []platform.Media{w.media("a.png", "a.png"), w.media("a.png", "a.png")}
	}
	both := func(r *platform.Rendering) {
		picture("a.png")(r)
		r.Quote = alice.Parts[0].ID
	}
	posts := map[string]*platform.Rendering{
		"plain":            say(""),
		"picture a":        with("", picture("a.png")),
		"picture b":        with("", picture("b.png")),
		"card a":           with("", card("https://a.example")),
		"card b":           with("", card("https://b.example")),
		"answer to first":  with("Thanks!", func(r *platform.Rendering) { r.ReplyTo = alice.Parts[0].URL }),
		"answer to second": with("Thanks!", func(r *platform.Rendering) { r.ReplyTo = alice.Parts[1].ID }),
		"no answer":        say("Thanks!"),
		"quote of first":   with("Look", func(r *platform.Rendering) { r.Quote = alice.Parts[0].ID }),
		"quote of second":  with("Look", func(r *platform.Rendering) { r.Quote = alice.Parts[1].URL }),
		"quote, picture":   with("Look", both),
		"no quote":         say("Look"),
	}
	var out = map[string]platform.Receipt{}
	n := 10
	for name, r := range posts {
		w.finds(t, name+" before it is out", r)
		n++
		out[name] = w.publish(t, "acme", r, n)
		w.finds(t, name, r, out[name].Parts...)
	}
	for name, r := range posts {
		w.finds(t, name+" among all", r, out[name].Parts...)
	}
	w.finds(t, "the same picture twice", with("", twice), out["picture a"].Parts...) // the network keeps it once
	if err := w.open(t, "alice").Delete(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	w.finds(t, "the answer to what is gone", posts["answer to first"], out["answer to first"].Parts...)
	if err := w.open(t, "acme").Delete(t.Context(), out["picture a"]); err != nil {
		t.Fatal(err)
	}
	w.finds(t, "what was taken down", posts["picture a"])
}

// Somebody has begun a thread with the same words by hand: the whole one is ours.
func TestFindPrefersTheCompleteThread(t *testing.T) {
	w := newWorld(t)
	w.publish(t, "acme", say("Good morning"), 1)
	ours := w.publish(t, "acme", say("Good morning", "It snows", "A lot"), 2)
	w.publish(t, "acme", say("Good morning", "It rains"), 3)
	w.finds(t, "the whole thread", say("Good morning", "It snows", "A lot"), ours.Parts...)
	w.finds(t, "its beginning", say("Good morning", "It snows", "Or not"), ours.Parts[:2]...)
	a := lost()
	a.Owned = append(a.Owned, ours.Parts[0].ID)
	found, err := w.open(t, "acme").Find(t.Context(), say("Good morning", "It snows"), a)
	if err != nil || len(found.Parts) != 1 || found.Parts[0].ID == ours.Parts[0].ID {
		t.Errorf("found %+v, %v", found.Parts, err)
	}
}

// Imported posts state times long past and are listed among today's.
func TestFindReadsOnPastImportedPosts(t *testing.T) {
	w := newWorld(t)
	ours := w.publish(t, "acme", say("Here I am"), 1)
	p := w.open(t, "acme")
	if err := p.login(t.Context()); err != nil {
		t.Fatal(err)
	}
	put := func(made time.Time, n int) {
		t.Helper()
		rec := &record{Type: collection, Text: fmt.Sprint("Imported ", n), CreatedAt: "2015-06-01T10:00:00Z"}
		if _, _, err := p.put(t.Context(), "import", rec, RecordKey(made, fmt.Sprint(n), 0), nil, true); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 230 {
		put(clock().Add(time.Hour), n)
	}
	w.finds(t, "below two pages of them", say("Here I am"), ours.Parts...)
	for n := range 230 {
		put(clock().Add(-240*time.Hour), 1000+n)
	}
	before := w.calls["listRecords"]
	w.finds(t, "what is not there", say("Here I am not"))
	if pages := w.calls["listRecords"] - before; pages != 3 {
		t.Errorf("%d pages were read, want 3 of 5: the rest is older than the attempt", pages)
	}
}

func TestKeyTime(t *testing.T) {
	at := clock()
	got, ok := keyTime(RecordKey(at, "key", 0))
	if off := at.Sub(got); !ok || off < 0 || off > spread*time.Microsecond {
		t.Errorf("%v is %v off", got, off)
	}
	for _, bad := range []string{"", "self", "3k", "zzzzzzzzzzzzz", "3kxyzxyzxyzx!", "3KXYZXYZXYZXY", "3kxyzxyzxyzxyz"} {
		if got, ok := keyTime(bad); ok {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

package mastodon_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/postrider/postrider/internal/adapters/mastodon/fake"
	"github.com/postrider/postrider/internal/platform"
)

// kinds are the servers that Find must cope with.
var kinds = map[string]fake.Config{
	"mastodon":                  {Remote: []string{"bob@remote.example"}},
	"mastodon before 3.5":       {Remote: []string{"bob@remote.example"}, NoSource: true},
	"gotosocial":                {Remote: []string{"bob@remote.example"}, GoToSocial: true},
	"gotosocial without source": {Remote: []string{"bob@remote.example"}, GoToSocial: true, NoSource: true},
}

// hostile are texts that come back as other HTML.
var hostile = []string{
	"The sled is back.",
	"Hello  world & <b>x</b> \"q\" 'r'\n\n\n\nline https://www.example.com/a/very/long/path/indeed/yes?x=1&y=2 #Winter @acme @bob@remote.example @nobody@nowhere.example\n- item 1\n- item *2*\n\n> quote **bold** `code` :smile: it's 5 -> 6 -- \"ok\"… http://x.example/ünïcode",
	"e\u0301 decomposed äöü 日本語 مرحبا 👩‍👩‍👧 \u200b zero",
	"🎉🎉",
	"<script>alert(1)</script> &amp; &lt; a < b > c",
	"1. one\n2. two\n# heading\n    indented\n***\n_x_ ~~y~~",
	"URL http://example.org/path(with)parens and mailto:a@b.c www.foo.example foo.example/bar",
	"a\u00a0b\u2028c d\u202fe",
	":blobcat: Winter :snow_flake:\n\n#winter #Snow #日本",
	"@acme @bob@remote.example: https://example.org/?q=a&b#c, http://www.example.com/" + "long/long/long/long/long/long/x.",
}

func TestFindForgivesWhatServersChange(t *testing.T) {
	for name, config := range kinds {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, config)
			for i, text := range hostile {
				r := rendering(text)
				if i%2 == 0 {
					r.ContentWarning = `Snow & <i> "x" <b>z</b>`
				}
				r.Parts[0].Media = []platform.Media{b.media("a.png", `A <b>sled</b> & "hill"`+text[:1])}
				want := b.publish(t, r)
				got, err := b.pub.Find(t.Context(), r, b.attempt(2))
				if err != nil || !slices.Equal(got.Parts, want.Parts) || !got.At.Equal(want.At) {
					t.Errorf("%q: found %+v (%v), want %+v", text, got, err, want)
				}
				a := b.attempt(2)
				a.Owned = ids(want.Parts)
				if got, err := b.pub.Find(t.Context(), r, a); !errors.Is(err, platform.ErrNotFound) || len(got.Parts) != 0 {
					t.Errorf("%q: what another record owns is adopted: %+v, %v", text, got, err)
				}
			}
		})
	}
}

func TestFindTellsApart(t *testing.T) {
	for name, config := range kinds {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, config)
			base := func() *platform.Rendering {
				r := rendering("The sled is back, @bob.")
				r.ContentWarning = "Snow"
				r.Parts[0].Media = []platform.Media{b.media("a.png", "A sled")}
				return r
			}
			b.publish(t, base())
			other := b.write(t, `{"status":"other"}`)
			for what, change := range map[string]func(*platform.Rendering){
				"text":       func(r *platform.Rendering) { r.Parts[0].Text = "The sled is gone, @bob." },
				"warning":    func(r *platform.Rendering) { r.ContentWarning = "Ice" },
				"no warning": func(r *platform.Rendering) { r.ContentWarning = "" },
				"alt text":   func(r *platform.Rendering) { r.Parts[0].Media[0].Alt = "A hill" },
				"no media":   func(r *platform.Rendering) { r.Parts[0].Media = nil },
				"audience":   func(r *platform.Rendering) { r.Visibility = "private" },
				"answer":     func(r *platform.Rendering) { r.ReplyTo = other },
				"poll": func(r *platform.Rendering) {
					r.Poll = &platform.Poll{Options: []string{"a", "b"}, Duration: time.Hour}
				},
			} {
				r := base()
				change(r)
				if got, err := b.pub.Find(t.Context(), r, b.attempt(2)); !errors.Is(err, platform.ErrNotFound) {
					t.Errorf("another %s: found %+v, %v", what, got, err)
				}
			}
		})
	}
}

func TestFindPoll(t *testing.T) {
	b := newBench(t, fake.Config{})
	r := rendering("Which?")
	r.Poll = &platform.Poll{Options: []string{"Red & <b>fast</b>", "Blue"}, Duration: time.Hour}
	want := b.publish(t, r)
	got, err := b.pub.Find(t.Context(), r, b.attempt(2))
	if err != nil || !slices.Equal(got.Parts, want.Parts) {
		t.Errorf("found %+v, %v", got, err)
	}
	r.Poll.Options[1] = "Green"
	if got, err := b.pub.Find(t.Context(), r, b.attempt(2)); !errors.Is(err, platform.ErrNotFound) {
		t.Errorf("other options: found %+v, %v", got, err)
	}
}

func TestFindHalfAThread(t *testing.T) {
	for name, config := range kinds {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, config)
			r := rendering("Same", "Same", "End")
			sure := b.lose(t, r, 1)
			a := b.attempt(2)
			for _, done := range [][]platform.Remote{nil, sure.Parts} {
				a.Done = done
				got, err := b.pub.Find(t.Context(), r, a)
				if err != nil || len(got.Parts) != 2 || got.Parts[0].ID != b.Posts()[0].ID || got.Parts[1].ID != b.Posts()[1].ID || got.Parts[1].Part != 1 {
					t.Errorf("with %d parts done: %+v, %v", len(done), got, err)
				}
			}
		})
	}
}

func TestFindReadsAllPages(t *testing.T) {
	b := newBench(t, fake.Config{})
	a := b.attempt(2)
	r := rendering("Lost")
	want := b.publish(t, r)
	for i := range 130 {
		b.pass(time.Second)
		b.write(t, fmt.Sprintf(`{"status":"later %d"}`, i))
	}
	got, err := b.pub.Find(t.Context(), r, a)
	if err != nil || got.Parts[0].ID != want.Parts[0].ID {
		t.Errorf("found %+v, %v", got, err)
	}
	if n := b.requests().of("GET /api/v1/statuses/"); n != 1 {
		t.Errorf("read %d posts one by one, want the one that looks right", n)
	}
	a.Since = b.clock().Add(-time.Second)
	b.requests()
	if got, err := b.pub.Find(t.Context(), rendering("later 7"), a); err != nil || got.Parts[0].ID == "" {
		t.Errorf("within the tolerance of clocks: %+v, %v", got, err)
	}
	a.Since = b.clock().Add(10 * time.Minute)
	b.requests()
	if _, err := b.pub.Find(t.Context(), r, a); !errors.Is(err, platform.ErrNotFound) {
		t.Errorf("older than the attempt: %v", err)
	}
	if n := b.requests().of("GET /api/v1/accounts/"); n != 1 {
		t.Errorf("%d pages were read, want 1", n)
	}
}

func TestFindPrefersTheAttemptsOwnTime(t *testing.T) {
	b := newBench(t, fake.Config{})
	r := rendering("Good morning")
	b.publish(t, r)
	b.pass(2 * time.Minute)
	a := b.attempt(2)
	want := b.publish(t, r)
	b.pass(2 * time.Minute)
	b.publish(t, r)
	got, err := b.pub.Find(t.Context(), r, a)
	if err != nil || got.Parts[0].ID != want.Parts[0].ID {
		t.Errorf("found %+v, %v, want %+v", got, err, want)
	}
}

func TestFindGivesUpOnAnEndlessList(t *testing.T) {
	b := newBench(t, fake.Config{Requests: 1 << 20})
	a := b.attempt(2)
	for range 2100 {
		b.write(t, `{"status":"more"}`)
	}
	_, err := b.pub.Find(t.Context(), rendering("Lost"), a)
	if e := wantError(t, err, platform.Unsent, "does not reach back"); errors.Is(err, platform.ErrNotFound) || !strings.Contains(e.Hint, "resolve") {
		t.Errorf("%v, hint %q", err, e.Hint)
	}
}

func TestFindWithoutRequestsLeft(t *testing.T) {
	b := newBench(t, fake.Config{Requests: 2})
	r := rendering("Lost")
	b.publish(t, r)
	_, err := b.pub.Find(t.Context(), r, b.attempt(2))
	wantError(t, err, platform.Limited, "Too many requests")
}

// What we lost sight of, somebody may have corrected by hand: it is still ours.
func TestFindKnowsEditedPosts(t *testing.T) {
	for name, config := range kinds {
		if config.NoSource {
			continue
		}
		t.Run(name, func(t *testing.T) {
			b := newBench(t, config)
			r := rendering("Wintr is here")
			b.lose(t, r, 0)
			id := b.Posts()[0].ID
			if _, err := b.pub.Edit(t.Context(), platform.Receipt{Parts: []platform.Remote{{ID: id}}}, rendering("Winter is here")); err != nil {
				t.Fatal(err)
			}
			got, err := b.pub.Find(t.Context(), r, b.attempt(2))
			if err != nil || got.Parts[0].ID != id {
				t.Errorf("found %+v, %v", got, err)
			}
		})
	}
}

// finds fails the test unless a look-up finds just the posts with the given ids.
func (b *bench) finds(t *testing.T, what string, r *platform.Rendering, a platform.Attempt, want ...string) {
	t.Helper()
	got, err := b.pub.Find(t.Context(), r, a)
	if len(want) == 0 {
		if !errors.Is(err, platform.ErrNotFound) {
			t.Errorf("%s: found %+v, %v", what, got.Parts, err)
		}
	} else if err != nil || !slices.Equal(ids(got.Parts), want) {
		t.Errorf("%s: found %v (%v), want %v", what, ids(got.Parts), err, want)
	}
}

func TestFindInAMuddle(t *testing.T) {
	for name, config := range kinds {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, config)
			a := b.attempt(2)
			r := rendering("Good morning", "It snows", "A lot")
			byHand := b.write(t, `{"status":"Good morning","visibility":"public"}`)
			b.pass(time.Second)
			ours := ids(b.publish(t, r).Parts)
			b.write(t, fmt.Sprintf(`{"status":"Is it so?","in_reply_to_id":%q,"visibility":"public"}`, ours[0]))
			b.write(t, fmt.Sprintf(`{"status":"It snows","in_reply_to_id":%q,"visibility":"public"}`, byHand))
			again := b.write(t, `{"status":"Good morning","visibility":"public"}`)

			b.finds(t, "the whole thread between others that begin alike", r, a, ours...)
			b.finds(t, "its beginning", rendering("Good morning", "It snows", "Or not"), a, byHand, b.Posts()[5].ID)
			owned := a
			owned.Owned = ours
			b.finds(t, "another record's thread", rendering("Good morning", "It snows", "A lot"), owned, byHand, b.Posts()[5].ID)
			owned.Owned = append(ids(nil), append(ours, byHand)...)
			b.finds(t, "all but one have owners", rendering("Good morning"), owned, again)
			owned.Owned = append(owned.Owned, again)
			b.finds(t, "all have owners", rendering("Good morning"), owned)
			done := a
			done.Done = []platform.Remote{{ID: ours[0]}}
			b.finds(t, "the rest of a thread", r, done, ours...)
			if err := b.pub.Delete(t.Context(), platform.Receipt{Parts: []platform.Remote{{ID: ours[2]}}}); err != nil {
				t.Fatal(err)
			}
			b.finds(t, "a thread whose end was taken down", r, done, ours[:2]...)
		})
	}
}

func TestFindPrivatePosts(t *testing.T) {
	for name, config := range kinds {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, config)
			out := map[string]string{}
			for _, visibility := range []string{"private", "direct", "unlisted"} {
				r := rendering("For your eyes")
				r.Visibility = visibility
				b.finds(t, visibility+" before it is out", r, b.attempt(2))
				out[visibility] = b.publish(t, r).Parts[0].ID
			}
			for visibility, id := range out {
				r := rendering("For your eyes")
				r.Visibility = visibility
				b.finds(t, visibility, r, b.attempt(2), id)
			}
		})
	}
}

func TestFindTellsQuotesApart(t *testing.T) {
	b := newBench(t, fake.Config{})
	one, two := b.write(t, `{"status":"One"}`), b.write(t, `{"status":"Two"}`)
	quoting := func(id string) *platform.Rendering {
		r := rendering("Look")
		r.Quote = id
		return r
	}
	first := ids(b.publish(t, quoting(one)).Parts)
	b.finds(t, "a quote of another post", quoting(two), b.attempt(2))
	b.finds(t, "the quote", quoting(one), b.attempt(2), first...)
	b.finds(t, "no quote", rendering("Look"), b.attempt(2))
}

// A server that lists boosts and posts of others, and one post out of its order, all with our words.
func TestFindInAnUnrulyList(t *testing.T) {
	const status = `{"id":%q,"created_at":%q,"content":"<p>Snow!</p>","visibility":"public","account":{"id":%q},"reblog":%s}`
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	list := []string{
		fmt.Sprintf(status, "9", at(3*time.Second), "1", `{"id":"7"}`),
		fmt.Sprintf(status, "8", at(2*time.Second), "2", "null"),
		fmt.Sprintf(status, "6", at(-1000*time.Hour), "1", "null"),
		fmt.Sprintf(status, "5", at(time.Second), "1", "null"),
	}
	for n, want := range map[int]string{4: "5", 3: ""} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "verify_credentials"):
				fmt.Fprint(w, `{"id":"1","acct":"a"}`)
			case strings.HasSuffix(r.URL.Path, "/statuses") && !r.URL.Query().Has("max_id"):
				fmt.Fprintf(w, "[%s]", strings.Join(list[:n], ","))
			case strings.HasSuffix(r.URL.Path, "/statuses"):
				fmt.Fprint(w, "[]")
			default:
				http.NotFound(w, r)
			}
		}))
		b := &bench{base: server.URL, now: now}
		b.open(t)
		var found []string
		if want != "" {
			found = append(found, want)
		}
		b.finds(t, fmt.Sprintf("of %d", n), rendering("Snow!"), b.attempt(2), found...)
		server.Close()
	}
}

// Pictures without words and alternative texts are told apart by their shape, as far as that goes.
func TestFindTellsShapesApart(t *testing.T) {
	for name, config := range kinds {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, config)
			shape := func(w, h int) *platform.Rendering {
				r := rendering("")
				m := b.media("a.png", "")
				m.Width, m.Height = w, h
				r.Parts[0].Media = []platform.Media{m}
				return r
			}
			b.files["a.png"] = &fstest.MapFile{Data: blank(t, 300, 200)}
			id := b.publish(t, shape(300, 200)).Parts[0].ID
			b.finds(t, "the same", shape(300, 200), b.attempt(2), id)
			b.finds(t, "made smaller by the server", shape(6000, 4001), b.attempt(2), id)
			b.finds(t, "turned by the server", shape(200, 300), b.attempt(2), id)
			b.finds(t, "not known", shape(0, 0), b.attempt(2), id)
			b.finds(t, "a square", shape(300, 300), b.attempt(2))
			b.finds(t, "a strip", shape(900, 200), b.attempt(2))
		})
	}
}

func blank(t *testing.T, w, h int) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

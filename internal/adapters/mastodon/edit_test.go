package mastodon_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/adapters/mastodon"
	"github.com/postrider/postrider/internal/adapters/mastodon/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

// winter is a thread with everything that an edit can change.
func winter(b *bench) *platform.Rendering {
	r := rendering("One", "Two")
	r.ContentWarning = "Snow"
	r.Parts[0].Media = []platform.Media{b.media("a.png", "A sled"), b.media("b.png", "A hill")}
	return r
}

func TestEdit(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*bench, *platform.Rendering)
		uploads int
		edited  []bool
	}{
		{"nothing", func(*bench, *platform.Rendering) {}, 0, []bool{false, false}},
		{"the text of one part", func(_ *bench, r *platform.Rendering) { r.Parts[1].Text = "Two!" }, 0, []bool{false, true}},
		{"white space", func(_ *bench, r *platform.Rendering) { r.Parts[0].Text = "O ne" }, 0, []bool{true, false}},
		{"the warning", func(_ *bench, r *platform.Rendering) { r.ContentWarning = "Ice" }, 0, []bool{true, true}},
		{"the language", func(_ *bench, r *platform.Rendering) { r.Language = []string{"de"} }, 0, []bool{true, true}},
		{"an alt text", func(_ *bench, r *platform.Rendering) { r.Parts[0].Media[1].Alt = "A snowy hill" }, 0, []bool{true, false}},
		{"the order of pictures", func(_ *bench, r *platform.Rendering) { slices.Reverse(r.Parts[0].Media) }, 0, []bool{true, false}},
		{"one picture less", func(_ *bench, r *platform.Rendering) { r.Parts[0].Media = r.Parts[0].Media[:1] }, 0, []bool{true, false}},
		{"another picture", func(b *bench, r *platform.Rendering) { r.Parts[0].Media[0] = b.media("c.png", "A team") }, 1, []bool{true, false}},
		{"the same picture twice", func(_ *bench, r *platform.Rendering) { r.Parts[0].Media[1] = r.Parts[0].Media[0] }, 1, []bool{true, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, fake.Config{})
			old := b.publish(t, winter(b))
			b.pass(time.Hour)
			r := winter(b)
			c.change(b, r)
			b.requests()
			receipt, err := b.pub.Edit(t.Context(), old, r)
			if err != nil {
				t.Fatal(err)
			}
			if n := b.requests().of("POST /api/v2/media"); n != c.uploads {
				t.Errorf("%d uploads, want %d", n, c.uploads)
			}
			if !slices.Equal(ids(receipt.Parts), ids(old.Parts)) {
				t.Errorf("the receipt is %+v", receipt.Parts)
			}
			for i, p := range b.Posts() {
				part := r.Parts[i]
				if p.Text != part.Text || p.ContentWarning != r.ContentWarning || p.Language[0] != r.Language[0] || p.Edited != c.edited[i] {
					t.Errorf("part %d is %+v", i, p)
				}
				if len(p.Media) != len(part.Media) {
					t.Fatalf("part %d has %d files", i, len(p.Media))
				}
				for j, m := range p.Media {
					if m.Alt != part.Media[j].Alt || m.Digest != part.Media[j].Digest {
						t.Errorf("part %d, file %d is %+v", i, j, m)
					}
				}
			}
			if b.Creations() != 2 {
				t.Errorf("%d posts were created", b.Creations())
			}
			b.requests()
			again, err := b.pub.Edit(t.Context(), receipt, r)
			if got := b.requests(); err != nil || !slices.Equal(again.Parts, receipt.Parts) || got.of("PUT")+got.of("POST") != 0 {
				t.Errorf("again: %+v, %v, %v", again, err, got)
			}
		})
	}
}

// GoToSocial refuses an edit that makes no difference to what it shows. The rest of the thread is edited all the same.
func TestEditUnseen(t *testing.T) {
	b := newBench(t, fake.Config{GoToSocial: true})
	old := b.publish(t, rendering("One  more", "Two"))
	r := rendering("One more", "Two!")
	receipt, err := b.pub.Edit(t.Context(), old, r)
	if err != nil || !slices.Equal(ids(receipt.Parts), ids(old.Parts)) {
		t.Fatalf("Edit: %+v, %v", receipt, err)
	}
	if p := b.Posts(); p[0].Edited || !p[1].Edited || p[1].Text != "Two!" {
		t.Errorf("the thread is %+v", p)
	}
}

func TestEditOfWhatWasFound(t *testing.T) {
	b := newBench(t, fake.Config{})
	b.lose(t, winter(b), 1)
	found, err := b.pub.Find(t.Context(), winter(b), b.attempt(2))
	if err != nil {
		t.Fatal(err)
	}
	r := winter(b)
	r.Parts[0].Text = "One!"
	b.requests()
	_, err = b.pub.Edit(t.Context(), found, r)
	if got := b.requests(); err != nil || got.of("POST /api/v2/media") != 0 {
		t.Errorf("%v, %v", err, got)
	}
}

func TestEditOfAHandMadeReceipt(t *testing.T) {
	b := newBench(t, fake.Config{})
	old := b.publish(t, winter(b))
	for i := range old.Parts {
		old.Parts[i].Version = "rubbish,=," // a person has told the ids
	}
	b.requests()
	receipt, err := b.pub.Edit(t.Context(), old, winter(b))
	if got := b.requests(); err != nil || got.of("POST /api/v2/media") != 2 || receipt.Parts[0].Version == old.Parts[0].Version {
		t.Errorf("%+v, %v, %v", receipt, err, got)
	}
}

func TestEditsThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*bench, *platform.Rendering){
		"fewer parts": func(_ *bench, r *platform.Rendering) { r.Parts = r.Parts[:1] },
		"more parts":  func(_ *bench, r *platform.Rendering) { r.Parts = append(r.Parts, platform.Part{Text: "Three"}) },
		"visibility":  func(_ *bench, r *platform.Rendering) { r.Visibility = "unlisted" },
		"answer":      func(b *bench, r *platform.Rendering) { r.ReplyTo = b.write(t, `{"status":"Hm?"}`) },
		"quote":       func(b *bench, r *platform.Rendering) { r.Quote = b.write(t, `{"status":"Hm?"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, fake.Config{})
			old := b.publish(t, winter(b))
			r := winter(b)
			r.Parts[0].Text = "One!"
			change(b, r)
			_, err := b.pub.Edit(t.Context(), old, r)
			if !errors.Is(err, platform.ErrCannotEdit) {
				t.Fatalf("got %v", err)
			}
			wantError(t, err, platform.Rejected, "")
			if b.requests().of("PUT") != 0 {
				t.Error("half of it was changed")
			}
		})
	}
}

func TestEditPoll(t *testing.T) {
	b := newBench(t, fake.Config{})
	r := rendering("Which?")
	r.Poll = &platform.Poll{Options: []string{"Red", "Blue"}, Duration: time.Hour}
	old := b.publish(t, r)
	b.pass(20 * time.Minute)
	if _, err := b.pub.Edit(t.Context(), old, r); err != nil || b.requests().of("PUT") != 0 {
		t.Errorf("no change was asked for: %v", err)
	}
	r.Parts[0].Text = "Which one?"
	if _, err := b.pub.Edit(t.Context(), old, r); err != nil {
		t.Fatal(err)
	}
	// It still ends an hour after it began: not a change any more, and none that is left to make.
	b.requests()
	if _, err := b.pub.Edit(t.Context(), old, r); err != nil || b.requests().of("PUT") != 0 {
		t.Errorf("the poll's end has moved: %v", err)
	}
	r.Poll.Options = []string{"Red", "Green"}
	if _, err := b.pub.Edit(t.Context(), old, r); err != nil || !slices.Equal(b.Posts()[0].Poll, r.Poll.Options) {
		t.Errorf("%v, %v", b.Posts()[0].Poll, err)
	}
	b.pass(time.Hour)
	if _, err := b.pub.Edit(t.Context(), old, r); !errors.Is(err, platform.ErrCannotEdit) {
		t.Errorf("after its end: %v", err)
	}
}

func TestEditOfWhatIsGone(t *testing.T) {
	b := newBench(t, fake.Config{})
	old := b.publish(t, rendering("One"))
	if err := b.pub.Delete(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	_, err := b.pub.Edit(t.Context(), old, rendering("Two"))
	wantError(t, err, platform.Rejected, "Record not found")
}

func TestDeleteLastFirst(t *testing.T) {
	b := newBench(t, fake.Config{})
	old := b.publish(t, rendering("One", "Two", "Three"))
	b.requests()
	for range 2 {
		if err := b.pub.Delete(t.Context(), old); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.Posts()) != 0 {
		t.Errorf("left: %+v", b.Posts())
	}
	got := b.requests()
	for i, part := range slices.Backward(old.Parts) {
		if want := "DELETE /api/v1/statuses/" + part.ID; got[2-i] != want {
			t.Errorf("request %d is %q, want %q", 2-i, got[2-i], want)
		}
	}
}

// snac has no DELETE and answers 404, which must not pass for success.
func TestDeleteWhereThereIsNone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(`{"id":"1","content":"<p>still here</p>"}`)) //nolint:errcheck // a test
	}))
	defer server.Close()
	p, err := mastodon.Adapter{}.Open(
		&platform.Account{Name: "fedi", Options: &mastodon.Options{Server: server.URL, Software: "mastodon"}},
		platform.Deps{HTTP: &http.Client{}, Now: time.Now, Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)}})
	if err != nil {
		t.Fatal(err)
	}
	err = p.(platform.Deleter).Delete(t.Context(), platform.Receipt{Parts: []platform.Remote{{ID: "1"}}})
	if e := wantError(t, err, platform.Rejected, "does not delete"); strings.Contains(e.Error(), token) {
		t.Error(e)
	}
}

package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

func TestSaid(t *testing.T) {
	one := func(part platform.Part) *platform.Rendering { return &platform.Rendering{Parts: []platform.Part{part}} }
	snow := []platform.Media{{Path: "snow.jpg", Digest: "d1"}}
	sled := []platform.Media{{Path: "sled.jpg", Digest: "d2"}}
	for name, tt := range map[string]struct {
		a, b *platform.Rendering
		same bool
	}{
		"the same text":            {one(platform.Part{Text: "Hello."}), one(platform.Part{Text: "Hello."}), true},
		"other white space":        {one(platform.Part{Text: "Hello.\n\nYou"}), one(platform.Part{Text: "Hello. You "}), true},
		"another picture":          {one(platform.Part{Text: "Hello.", Media: snow}), one(platform.Part{Text: "Hello.", Media: sled}), true},
		"another text":             {one(platform.Part{Text: "Hello."}), one(platform.Part{Text: "Hello!"}), false},
		"another link card":        {one(platform.Part{Card: &platform.Card{URL: "https://a.example"}}), one(platform.Part{Card: &platform.Card{URL: "https://b.example"}}), false},
		"other UTM parameters":     {one(platform.Part{Text: "At https://a.example/?b=1&utm_content=p1."}), one(platform.Part{Text: "At https://a.example/?b=1."}), true},
		"a card's parameters":      {one(platform.Part{Card: &platform.Card{URL: "https://a.example?utm_id=1"}}), one(platform.Part{Card: &platform.Card{URL: "https://a.example"}}), true},
		"another poll":             {&platform.Rendering{Poll: &platform.Poll{Options: []string{"a", "b"}}}, &platform.Rendering{Poll: &platform.Poll{Options: []string{"a", "c"}}}, false},
		"a picture alone":          {one(platform.Part{Media: snow}), one(platform.Part{Media: []platform.Media{{Path: "moved.jpg", Digest: "d1"}}}), true},
		"another picture alone":    {one(platform.Part{Media: snow}), one(platform.Part{Media: sled}), false},
		"a picture and no picture": {one(platform.Part{Media: snow}), one(platform.Part{}), false},
	} {
		t.Run(name, func(t *testing.T) {
			if a, b := ledger.Said(tt.a), ledger.Said(tt.b); (a == b) != tt.same {
				t.Errorf("%q and %q, want the same: %v", a, b, tt.same)
			}
		})
	}
	if got := ledger.Said(one(platform.Part{})); got != "" {
		t.Errorf("Said of nothing = %q", got)
	}
}

func FuzzDecodeSaying(f *testing.F) {
	at := time.Date(2026, 11, 21, 20, 13, 37, 0, time.UTC)
	f.Add(ledger.Saying{Post: "a", At: at}.Encode())
	f.Add(ledger.Saying{Post: "a", At: at, Fingerprint: "68f2268423e7be535ccd5d56690eb987"}.Encode())
	f.Add([]byte("a yesterday"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ledger.DecodeSaying(b)
		if err != nil {
			if !errors.Is(err, ledger.ErrFormat) {
				t.Errorf("%v is not ErrFormat", err)
			}
			return
		}
		again, err := ledger.DecodeSaying(s.Encode())
		if err != nil {
			t.Fatalf("%q is written as %q, which cannot be read: %v", b, s.Encode(), err)
		}
		if diff := cmp.Diff(s.At.Unix(), again.At.Unix()); diff != "" || s.Post != again.Post || s.Fingerprint != again.Fingerprint {
			t.Errorf("%q becomes %+v, and that %+v", b, s, again)
		}
	})
}

package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
)

var t0 = time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)

func sample() *Record {
	return &Record{
		Version: 1, Post: "k3v9q2xh", Account: "bluesky", Platform: "bluesky", Path: "content/launch.md", Title: "Launch <1>",
		State: Published, Op: OpPublish, Key: ID{"k3v9q2xh", "bluesky", ""}.Key(), At: t0, Due: t0, PublishedAt: t0.Add(time.Second),
		Fingerprint: strings.Repeat("ab", 32), Source: "0123456789abcdef", Commit: "c0ffee",
		Parts:    []Part{{Remote: platform.Remote{ID: "at://x/1", URL: "https://bsky.app/1"}, Text: "Hello"}},
		Attempts: []Attempt{{N: 1, Op: OpPublish, Run: "r1", Started: t0, Ended: t0.Add(time.Second), Outcome: "published"}},
	}
}

func TestCodec(t *testing.T) {
	r := sample()
	b := r.Encode()
	if !strings.HasSuffix(string(b), "}\n") || !strings.Contains(string(b), "Launch <1>") {
		t.Errorf("the file is not plain JSON with a line break at the end:\n%s", b)
	}
	back, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("after a round trip (-want +got):\n%s", diff)
	}
	for name, src := range map[string]string{
		"empty": "", "not JSON": "<<<<<<< HEAD", "no post": `{"version":1,"state":"sending","account":"a"}`,
		"a newer version":  `{"version":2,"state":"sending","post":"p","account":"a"}`,
		"an unknown state": `{"version":1,"state":"dreaming","post":"p","account":"a"}`,
		"cut off":          string(b[:len(b)/2]),
	} {
		if _, err := Decode([]byte(src)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error = %v, want ErrFormat", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(sample().Encode())
	f.Add([]byte(`{"version":1,"state":"sending","post":"p","account":"a","lease":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(r.Encode())
		if err != nil {
			t.Fatalf("what Encode wrote is refused: %v", err)
		}
		if diff := cmp.Diff(r.Encode(), again.Encode()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestFile(t *testing.T) {
	repeated := sample()
	repeated.Occurrence, repeated.State = "20261208T080000Z", Sending
	for _, tt := range []struct {
		r    *Record
		want string
	}{
		{sample(), "published/c6/k3v9q2xh@bluesky.0123456789.json"},
		{repeated, "sending/k3v9q2xh+20261208T080000Z@bluesky.json"},
		{func() *Record { r := sample(); r.State = Withdrawn; return r }(), "withdrawn/c6/k3v9q2xh@bluesky.json"},
		{func() *Record { r := sample(); r.Source = ""; return r }(), "published/c6/k3v9q2xh@bluesky.0.json"},
	} {
		if got := tt.r.File(); got != tt.want {
			t.Errorf("File = %s, want %s", got, tt.want)
		}
		state, id, mark, ok := ParsePath(tt.r.File())
		if !ok || state != tt.r.State || id != tt.r.ID() || state == Published && !SameSource(mark, tt.r.Source) {
			t.Errorf("ParsePath(%s) = %s, %s, %q, %v", tt.r.File(), state, id, mark, ok)
		}
	}
	for _, p := range []string{"README.md", "published/c6/x.json", "sent/ab/abc@bluesky", "sending/@a.json", "dreaming/p@a.json", "published/24/p@a.json"} {
		if _, _, _, ok := ParsePath(p); ok {
			t.Errorf("ParsePath(%s) says it is a record", p)
		}
	}
}

func TestKey(t *testing.T) {
	a, b, c := ID{"p", "a", ""}.Key(), ID{"p", "b", ""}.Key(), ID{"p", "a", "20261208T080000Z"}.Key()
	if len(a) != 26 || strings.Trim(a, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("key %q is not 26 characters of base 32", a)
	}
	if a == b || a == c || a != (ID{"p", "a", ""}).Key() {
		t.Errorf("keys are not stable and distinct: %s %s %s", a, b, c)
	}
}

func TestMerge(t *testing.T) {
	begun := func() *Record {
		r := sample()
		r.State, r.Parts, r.PublishedAt = Sending, nil, time.Time{}
		r.Attempts = []Attempt{{N: 1, Op: OpPublish, Run: "r1", Started: t0}}
		r.Lease = &Lease{Run: "r1", Until: t0.Add(time.Minute)}
		return r
	}
	ended := func(s State, outcome string) *Record {
		r := begun()
		r.State = s
		r.End(t0.Add(2*time.Second), outcome, "")
		return r
	}
	published := ended(Published, "published")
	published.Parts = sample().Parts

	for _, tt := range []struct {
		name         string
		ours, theirs *Record
		want         State
		attempts     int
		parts        int
	}{
		{"nothing there", published, nil, Published, 1, 1},
		{"a result over its own intent", published, begun(), Published, 1, 1},
		{"an intent never undoes a result", begun(), published, Published, 1, 1},
		{"a doubt is not settled by an older failure", ended(Unknown, "unknown"), ended(Unsent, "unsent"), Unknown, 2, 0},
		{
			"a later run that knows of the doubt settles it", ended(Unknown, "unknown"),
			func() *Record {
				r := ended(Unknown, "unknown")
				r.Begin(OpPublish, "r2", t0.Add(time.Hour), "fp")
				r.End(t0.Add(time.Hour), "unsent", "")
				r.State = Unsent
				return r
			}(), Unsent, 2, 0,
		},
		{
			"two runs that did not know of each other", published,
			func() *Record {
				r := ended(Denied, "denied")
				r.Attempts[0].Run = "r2"
				return r
			}(), Published, 2, 1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := string(tt.ours.Encode())
			m := Merge(tt.ours, tt.theirs)
			if m.State != tt.want || len(m.Attempts) != tt.attempts || len(m.Parts) != tt.parts {
				t.Errorf("merged to %s with %d attempts and %d parts, want %s, %d, %d", m.State, len(m.Attempts), len(m.Parts), tt.want, tt.attempts, tt.parts)
			}
			if before != string(tt.ours.Encode()) {
				t.Error("Merge changed its input")
			}
			if again := Merge(m, tt.theirs); string(again.Encode()) != string(m.Encode()) {
				t.Errorf("merging again changes it:\n%s", cmp.Diff(m, again))
			}
		})
	}
}

func TestAttempts(t *testing.T) {
	r := sample()
	for i := range 40 {
		r.Begin(OpUpdate, "r", t0.Add(time.Duration(i)*time.Minute), "fp")
		r.End(t0, "unsent", "down")
	}
	if len(r.Attempts) != maxAttempts || r.Attempts[0].N != 1 || r.Last().N != 41 {
		t.Errorf("%d attempts from %d to %d, want %d that keep the first and the latest", len(r.Attempts), r.Attempts[0].N, r.Last().N, maxAttempts)
	}
	if got := r.Failures(); got != maxAttempts-1 {
		t.Errorf("failures = %d, want %d", got, maxAttempts-1)
	}
}

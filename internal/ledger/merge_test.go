package ledger

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
)

// versions is a history of one record as several publishers write it who do not always know of each other: each
// version goes on from an earlier one.
func versions(choose func(n int) int) []*Record {
	first := &Record{Version: 1, Post: "k3v9q2xh", Account: "bluesky", State: Unsent, Op: OpPublish, Fingerprint: "fp", At: t0}
	all := []*Record{first}
	clock := t0
	for i := range 3 + choose(8) {
		r := all[choose(len(all))].Clone()
		clock = clock.Add(time.Second)
		if last := r.Last(); last == nil || last.Outcome != "" {
			r.Begin(OpPublish, fmt.Sprintf("r%d", i), clock, "fp")
			r.State = Sending
			r.Last().Charge = Charge{Month: "2026-12", USD: 200}
			r.Lease = &Lease{Run: r.Last().Run, Until: clock.Add(time.Minute)}
		} else {
			end := []struct {
				state   State
				outcome string
			}{{Published, "published"}, {Unknown, "unknown"}, {Unsent, "unsent"}, {Denied, "denied"}, {Withdrawn, "withdrawn"}}[choose(5)]
			r.State = end.state
			if end.state == Published || end.state == Unknown && choose(2) == 0 {
				r.Parts = append(r.Parts, remotePart(len(r.Parts), fmt.Sprintf("id%d", i)))
			}
			r.End(clock, end.outcome, "")
			if end.state == Unsent || end.state == Denied {
				r.Last().Charge.USD = 0
			}
			if end.state == Published {
				r.Settle(200)
			}
		}
		all = append(all, r)
		if choose(4) == 0 {
			all = append(all, Merge(r, all[choose(len(all))]))
		}
	}
	return all
}

func remotePart(n int, id string) Part {
	return Part{Remote: platform.Remote{ID: id, URL: "https://x.example/" + id, Part: n}, Text: "text of " + id}
}

// known is what must not depend on the order of merging.
func known(r *Record) string {
	ids := map[string]bool{}
	for _, p := range slices.Concat(r.Parts, r.Doubles) {
		ids[p.ID] = true
	}
	var b strings.Builder
	fmt.Fprintln(&b, slices.Sorted(maps.Keys(ids)))
	for _, a := range r.Attempts {
		fmt.Fprintln(&b, a.N, a.Run, a.Outcome, a.Ended)
	}
	return b.String()
}

func checkMerge(t *testing.T, a, b, c *Record) {
	t.Helper()
	ab := Merge(a, b)
	if diff := cmp.Diff(string(ab.Encode()), string(Merge(b, a).Encode())); diff != "" {
		t.Errorf("Merge(a, b) and Merge(b, a) differ:\n%s", diff)
	}
	if diff := cmp.Diff(string(ab.Encode()), string(Merge(ab, b).Encode())); diff != "" {
		t.Errorf("merging b again changes it:\n%s", diff)
	}
	if diff := cmp.Diff(string(ab.Encode()), string(Merge(a, ab).Encode())); diff != "" {
		t.Errorf("merging a again changes it:\n%s", diff)
	}
	if diff := cmp.Diff(string(a.Encode()), string(Merge(a, a).Encode())); diff != "" {
		t.Errorf("merging a version with itself changes it:\n%s", diff)
	}
	if diff := cmp.Diff(known(Merge(ab, c)), known(Merge(a, Merge(b, c)))); diff != "" {
		t.Errorf("what is known depends on the order of merging:\n%s", diff)
	}
	all := known(ab)
	for _, p := range slices.Concat(a.Parts, a.Doubles, b.Parts, b.Doubles) {
		if !strings.Contains(all, p.ID) {
			t.Errorf("%s is lost:\n%s", p.ID, all)
		}
	}
	seen := map[string]bool{}
	for _, p := range slices.Concat(ab.Parts, ab.Doubles) {
		if seen[p.ID] {
			t.Errorf("%s is there twice", p.ID)
		}
		seen[p.ID] = true
	}
}

// TestMergeLaws merges versions of random histories in every order.
func TestMergeLaws(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		all := versions(rng.IntN)
		for range 10 {
			pick := func() *Record { return all[rng.IntN(len(all))] }
			if checkMerge(t, pick(), pick(), pick()); t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}

func FuzzMerge(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte("two runs that publish the same post at the same time"))
	f.Fuzz(func(t *testing.T, script []byte) {
		choose := func(n int) int {
			if len(script) == 0 {
				return 0
			}
			c := int(script[0]) % n
			script = script[1:]
			return c
		}
		all := versions(choose)
		checkMerge(t, all[choose(len(all))], all[choose(len(all))], all[choose(len(all))])
	})
}

// TestDoubles keeps the evidence of a post that is on the network twice.
func TestDoubles(t *testing.T) {
	begin := func(run string) *Record {
		r := sample()
		r.State, r.Parts, r.Attempts = Sending, nil, nil
		r.Begin(OpPublish, run, t0, "fp")
		return r
	}
	end := func(r *Record, s State, outcome string, parts ...Part) *Record {
		r = r.Clone()
		r.State, r.Parts = s, parts
		r.End(t0.Add(time.Minute), outcome, "")
		return r
	}
	again := func(r *Record, s State, outcome string, parts ...Part) *Record {
		r = r.Clone()
		r.Begin(OpPublish, "r9", t0.Add(time.Hour), "fp")
		return end(r, s, outcome, parts...)
	}
	a0, b0, b1 := remotePart(0, "a0"), remotePart(0, "b0"), remotePart(1, "b1")
	one, other := end(begin("r1"), Published, "published", a0), end(begin("r2"), Published, "published", b0)
	byHand := Part{Remote: platform.Remote{ID: a0.URL, URL: a0.URL}}
	for _, tt := range []struct {
		name           string
		ours, theirs   *Record
		parts, doubles string
	}{
		{"two runs published it", one, other, "a0 or b0", "the other"},
		{"a run and the one that took it over", one, again(end(begin("r1"), Unknown, "unknown"), Published, "published", b0), "a0 or b0", "the other"},
		{"what was taken down was out twice", again(one, Withdrawn, "withdrawn", a0), other, "a0", "b0"},
		{"threads are not mixed", end(begin("r1"), Unknown, "unknown", a0), end(begin("r2"), Unsent, "unsent", b0, b1), "b0 b1", "a0"},
		{"a thread that is complete and one that is not", one, end(begin("r2"), Unsent, "unsent", b0, b1), "a0", "b0 b1"},
		{"two halves of one thread", end(begin("r1"), Unknown, "unknown", b0), end(begin("r2"), Unsent, "unsent", b0, b1), "b0 b1", ""},
		{"a person who knew of the first id has named another", one, again(one, Published, "published", b0), "b0", ""},
		{"a person who looked says that it is not there", one, again(one, Unsent, "unsent"), "", ""},
		{"a person has named the address of the same post", one, end(begin("r2"), Published, "published", byHand), "a0 or " + a0.URL, ""},
		{"an adopted one has no attempts", other, func() *Record { r := sample(); r.Attempts, r.Parts = nil, []Part{a0}; return r }(), "b0", "a0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Merge(tt.ours, tt.theirs)
			parts, doubles := ids(m.Parts), ids(m.Doubles)
			if x, y, either := strings.Cut(tt.parts, " or "); either {
				if parts != x && parts != y || tt.doubles != "" && (doubles != x && doubles != y || doubles == parts) || tt.doubles == "" && doubles != "" {
					t.Errorf("parts %q, doubles %q; want %s and %s", parts, doubles, tt.parts, tt.doubles)
				}
			} else if parts != tt.parts || doubles != tt.doubles {
				t.Errorf("parts %q, doubles %q; want %q and %q", parts, doubles, tt.parts, tt.doubles)
			}
			for _, other := range []*Record{tt.ours, tt.theirs} {
				if diff := cmp.Diff(string(m.Encode()), string(Merge(other, m).Encode())); diff != "" {
					t.Errorf("merging again changes it:\n%s", diff)
				}
			}
		})
	}
}

func ids(parts []Part) string {
	var list []string
	for _, p := range parts {
		list = append(list, p.ID)
	}
	return strings.Join(list, " ")
}

// TestMergeOfLongHistories knows that a long record has dropped attempts that it once had.
func TestMergeOfLongHistories(t *testing.T) {
	old := sample()
	for i := range maxAttempts - 1 {
		old.Begin(OpUpdate, "r", t0.Add(time.Duration(i)*time.Minute), "fp")
		old.End(t0.Add(time.Duration(i)*time.Minute), "unsent", "down")
	}
	later := old.Clone()
	later.Begin(OpUpdate, "r", t0.Add(time.Hour), "fp")
	later.Parts = []Part{remotePart(0, "new")}
	later.End(t0.Add(time.Hour), "updated", "")
	m := Merge(old, later)
	if diff := cmp.Diff(string(later.Encode()), string(m.Encode())); diff != "" {
		t.Errorf("an old version changes one that has gone on from it:\n%s", diff)
	}
}

package ledger

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// Whoever knows under which id something was prepared, it is not lost; of another rendering it is of no use.
func TestAnchors(t *testing.T) {
	at := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	record := func(fingerprint string, anchors map[int]string) *Record {
		r := &Record{
			Version: 1, Post: "p", Account: "a", Platform: "threads", Path: "content/p.md", State: Sending, Key: ID{"p", "a", ""}.Key(), At: at,
			Fingerprint: fingerprint, Anchors: anchors,
		}
		r.Begin(OpPublish, "run", at, fingerprint)
		return r
	}
	for name, c := range map[string]struct{ ours, theirs, want map[int]string }{
		"one knows it":   {map[int]string{0: "11"}, nil, map[int]string{0: "11"}},
		"each knows one": {map[int]string{0: "11"}, map[int]string{1: "12"}, map[int]string{0: "11", 1: "12"}},
	} {
		for _, m := range []*Record{Merge(record("f", c.ours), record("f", c.theirs)), Merge(record("f", c.theirs), record("f", c.ours))} {
			if !maps.Equal(m.Anchors, c.want) {
				t.Errorf("%s: %v, want %v", name, m.Anchors, c.want)
			}
		}
	}
	other := Merge(record("f", map[int]string{0: "11"}), record("g", map[int]string{1: "12"}))
	if want := map[string]map[int]string{"f": {0: "11"}, "g": {1: "12"}}[other.Fingerprint]; !maps.Equal(other.Anchors, want) {
		t.Errorf("the record of %s has %v", other.Fingerprint, other.Anchors)
	}

	r := record("f", map[int]string{0: "11"})
	clone := r.Clone()
	clone.Anchor(1, "12")
	if len(r.Anchors) != 1 {
		t.Error("a copy shares its anchors")
	}
	again, err := Decode(clone.Encode())
	if err != nil || !maps.Equal(again.Anchors, clone.Anchors) {
		t.Errorf("read back: %+v, %v", again, err)
	}
	if clone.State, clone.PublishedAt = Published, at; strings.Contains(string(clone.Encode()), "anchors") {
		t.Error("a settled record keeps them")
	}
}

package board

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/postrider/postrider/internal/post"
)

// TestSortByName compares the quick order with the plain one, over names that begin alike, end early, change their length in lower case, or
// have characters cut at the end of what is compared quickly.
func TestSortByName(t *testing.T) {
	pieces := []string{"a", "A", "b", "é", "É", "İ", "ß", "K", "日", "🎉", " ", "\x00", "\xff", "Post ", "12345678"}
	rnd := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	rows := make([]*Row, 2000)
	for i := range rows {
		name := ""
		for range rnd.IntN(9) {
			name += pieces[rnd.IntN(len(pieces))]
		}
		rows[i] = &Row{Name: name, Post: &post.Post{Path: string(rune('a' + i%26))}}
	}
	want := slices.Clone(rows)
	slices.SortStableFunc(want, compareName)
	sortByName(rows)
	for i := range rows {
		if compareName(rows[i], want[i]) != 0 {
			t.Fatalf("%d: %q, want %q", i, rows[i].Name, want[i].Name)
		}
	}
}

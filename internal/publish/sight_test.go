package publish_test

import (
	"testing"

	"github.com/postrider/postrider/internal/gitrepo"
)

// TestSight tells news from what a desk has seen, and from what it has pushed itself.
func TestSight(t *testing.T) {
	for _, c := range []struct {
		name string
		repo func(*world) *gitrepo.Repo
	}{
		{"with a remote", func(w *world) *gitrepo.Repo { return w.clone() }},
		{"the remote itself", func(w *world) *gitrepo.Repo { return w.openRepo(w.remote) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [gts]\n", "One.")})
			repo := c.repo(w)
			d, err := w.open(repo, setup{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Do(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := func(news bool, after string) {
				t.Helper()
				got, err := d.Sight().News(t.Context(), repo)
				if err != nil || got != news {
					t.Errorf("after %s: news is %v, %v", after, got, err)
				}
			}
			want(false, "a run of its own")
			w.commit(map[string]string{"content/b.md": post("bbbb2222", "platforms: [gts]\n", "Two.")})
			want(true, "a merge")
			w.run(w.here())
			if d, err = w.open(repo, setup{}); err != nil {
				t.Fatal(err)
			}
			want(false, "a fetch")
			if err := w.ledger().SetHolds(t.Context(), "hold", nil); err != nil {
				t.Fatal(err)
			}
			want(true, "a hold")
		})
	}
}

package gitrepo

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// history makes "big.git", a packed bare repository of posts and commits, through git fast-import.
func (w *world) history(posts, commits int) {
	w.t.Helper()
	w.git("", "init", "-q", "--bare", "big.git")
	w.git("big.git", "config", "http.receivepack", "true")
	var in bytes.Buffer
	file := func(i int, text string) {
		fmt.Fprintf(&in, "M 100644 inline content/posts/%d/%02d/%06d-a-post.md\ndata %d\n%s\n", 2024+i%3, i/3%12+1, i, len(text), text)
	}
	for c := range commits {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Ada <ada@example.org> %d +0100\ndata 4\nedit\n", 1_700_000_000+c)
		if c == 0 {
			for i := range posts {
				file(i, fmt.Sprintf("---\ntitle: Post %d\n---\n%s", i, bytes.Repeat(fmt.Appendf(nil, "word%d ", i*7919), 60)))
			}
			continue
		}
		file(c*31%posts, fmt.Sprintf("---\ntitle: Post edited %d\n---\nshort\n", c))
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = w.path("big.git"), w.env, &in
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("fast-import: %v\n%s", err, out)
	}
	w.git("big.git", "repack", "-adq")
}

func openFor(b *testing.B, dir, backend string, w *world) *Repo {
	b.Helper()
	r, err := Open(w.path(dir), w.options(backend))
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func BenchmarkOpenHead(b *testing.B) {
	w := newWorld(b)
	w.history(1000, 200)
	for b.Loop() {
		r := openFor(b, "big.git", "", w)
		if _, h, err := r.Head(); err != nil || h == Zero {
			b.Fatal(err)
		}
		r.Close()
	}
}

// BenchmarkWalk10k opens the repository and lists 10,000 files of HEAD, as a run with nothing due does.
func BenchmarkWalk10k(b *testing.B) {
	w := newWorld(b)
	w.history(10_000, 2_000)
	for _, backend := range bothBackends {
		b.Run(backend, func(b *testing.B) {
			for b.Loop() {
				r := openFor(b, "big.git", backend, w)
				_, h, err := r.Head()
				if err != nil {
					b.Fatal(err)
				}
				t, err := r.Tree(h)
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				if err := t.Walk("", func(Entry) error { n++; return nil }); err != nil || n != 10_000 {
					b.Fatal(n, err)
				}
				r.Close()
			}
		})
	}
}

// BenchmarkRead10k reads all files of HEAD, as a run without a cache does.
func BenchmarkRead10k(b *testing.B) {
	w := newWorld(b)
	w.history(10_000, 2_000)
	for _, backend := range bothBackends {
		b.Run(backend, func(b *testing.B) {
			for b.Loop() {
				r := openFor(b, "big.git", backend, w)
				_, h, err := r.Head()
				if err != nil {
					b.Fatal(err)
				}
				t, err := r.Tree(h)
				if err != nil {
					b.Fatal(err)
				}
				if err := t.Walk("", func(e Entry) error { _, err := r.ReadBlob(e.ID); return err }); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, backend := range bothBackends {
		b.Run(backend, func(b *testing.B) {
			w := newWorld(b)
			w.history(10_000, 200)
			r := openFor(b, "big.git", backend, w)
			defer r.Close()
			tip, err := r.Ref("refs/heads/main")
			if err != nil {
				b.Fatal(err)
			}
			for n := 0; b.Loop(); n++ {
				tip, err = r.Commit(b.Context(), Commit{
					Branch: "main", Parent: tip, Message: "m", Time: testTime,
					Files: map[string][]byte{"content/posts/2025/06/000016-a-post.md": fmt.Appendf(nil, "edit %d at %s", n, time.Now())},
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPush commits one file and pushes it over HTTP, from a repository opened anew, with a
// history of 2,000 and of 20,000 commits: the times must hardly differ.
func BenchmarkPush(b *testing.B) {
	for _, commits := range []int{2_000, 20_000} {
		w := newWorld(b)
		w.history(10_000, commits)
		w.git("", "clone", "-q", "--bare", "big.git", "clone.git")
		w.git("clone.git", "config", "remote.origin.url", w.serve(nil).URL+"/big.git")
		for _, backend := range bothBackends {
			b.Run(fmt.Sprintf("%d/%s", commits, backend), func(b *testing.B) {
				for n := 0; b.Loop(); n++ {
					r := openFor(b, "clone.git", backend, w)
					tip, err := r.Ref("refs/heads/main")
					if err != nil {
						b.Fatal(err)
					}
					next, err := r.Commit(b.Context(), Commit{
						Branch: "main", Parent: tip, Message: "m", Time: testTime,
						Files: map[string][]byte{"content/posts/2025/06/000016-a-post.md": fmt.Appendf(nil, "edit %d at %s", n, time.Now())},
					})
					if err != nil {
						b.Fatal(err)
					}
					if err := r.Push(b.Context(), "origin", "main", tip, next); err != nil {
						b.Fatal(err)
					}
					r.Close()
				}
			})
		}
		b.Run(fmt.Sprintf("%d/nothing-to-fetch", commits), func(b *testing.B) {
			for b.Loop() {
				r := openFor(b, "clone.git", "native", w)
				if _, err := r.Fetch(b.Context(), "origin", "main"); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}

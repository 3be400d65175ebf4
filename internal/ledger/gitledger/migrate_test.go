package gitledger

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// format1 returns the files of a ledger of format 1.
func format1(t *testing.T) map[string][]byte {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", "format1.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range a.Files {
		files[f.Name] = f.Data
	}
	return files
}

// put commits files on the remote's ledger branch, as another program might.
func (s *site) put(files map[string][]byte) {
	s.t.Helper()
	repo, err := gitrepo.Open(s.remote, gitrepo.Options{Env: os.Getenv})
	if err != nil {
		s.t.Fatal(err)
	}
	defer repo.Close() //nolint:errcheck // a test
	tip, err := repo.Ref("refs/heads/postrider/ledger")
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := repo.Commit(s.t.Context(), gitrepo.Commit{Branch: "postrider/ledger", Parent: tip, Files: files, Message: "by another program", Time: t0}); err != nil {
		s.t.Fatal(err)
	}
}

// contents returns all files of the ledger.
func contents(t *testing.T, l *Ledger) map[string]string {
	t.Helper()
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	if err := v.tree.Walk("", func(e gitrepo.Entry) error {
		b, err := v.tree.ReadFile(e.Path)
		files[e.Path] = string(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

func TestMigrateFormat1(t *testing.T) {
	s := newSite(t)
	old := format1(t)
	s.put(old)
	before := strings.TrimSpace(s.git("rev-parse", "postrider/ledger"))
	_, l := s.clone()
	s.fetch(l)
	if err := l.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if parent := strings.TrimSpace(s.git("rev-parse", "postrider/ledger^")); parent != before || strings.TrimSpace(s.git("rev-parse", "postrider/ledger")) != string(l.Tip()) {
		t.Errorf("the remote is not one commit further: its parent is %s, want %s", parent, before)
	}

	words := ledger.Said(&platform.Rendering{Parts: []platform.Part{{Text: "The first snow has fallen. Stay warm!"}}})
	thread := ledger.Said(&platform.Rendering{Parts: []platform.Part{{Text: "One"}, {Text: "Two"}}})
	want := map[string]string{}
	for name, b := range old {
		if !strings.HasPrefix(name, "sent/") {
			want[name] = string(b)
		}
	}
	maps.Copy(want, map[string]string{
		"ledger.json":                   "{\n  \"format\": 2,\n  \"began\": \"2026-11-20T08:59:59Z\"\n}\n",
		ledger.SaidPath("news", words):  "k3v9q2xh 2026-11-21T20:13:37Z 62ef1312390316bbda46c843e4e1a419\n",
		ledger.SaidPath("news", thread): "m4w8r3yj 2026-11-20T09:00:01Z 0bad1312390316bbda46c843e4e1a419\n",
	})
	if diff := cmp.Diff(want, contents(t, l)); diff != "" {
		t.Errorf("after the migration (-want +got):\n%s", diff)
	}
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	said, err := v.Said("news", words)
	if err != nil || said == nil || said.Post != "k3v9q2xh" || !said.At.Equal(time.Date(2026, 11, 21, 20, 13, 37, 0, time.UTC)) {
		t.Errorf("Said = %+v, %v", said, err)
	}
	if said != nil && !said.Exactly("62ef1312390316bbda46c843e4e1a419ce3c06d0e5da7b9a5c2b8e6a3dcbbcd1") {
		t.Errorf("the marker does not know the rendering: %+v", said)
	}

	tip := l.Tip()
	if err := l.Migrate(t.Context()); err != nil || l.Tip() != tip {
		t.Errorf("the second time: %v, and the tip has moved from %s to %s", err, tip, l.Tip())
	}
	s.git("fsck", "--strict")
}

// TestMigrateAtOnce has many publishers migrate one ledger, while another writes to it.
func TestMigrateAtOnce(t *testing.T) {
	s := newSite(t)
	s.put(format1(t))
	ledgers := make([]*Ledger, 4)
	for i := range ledgers {
		_, ledgers[i] = s.clone()
		ledgers[i].o.Wait = func(ctx context.Context, d time.Duration) error {
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		s.fetch(ledgers[i])
	}
	var wg sync.WaitGroup
	for i, l := range ledgers {
		wg.Go(func() {
			if i == 0 {
				if err := l.Record(context.Background(), "published a", []*ledger.Record{result(intent("a", "r1"), "1")}); err != nil {
					t.Error(err)
				}
				return
			}
			if err := l.Migrate(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := strings.Count(s.git("log", "--format=%s", "postrider/ledger"), "format 2"); n != 1 {
		t.Errorf("%d commits of migration, want 1", n)
	}
	_, l := s.clone()
	s.fetch(l)
	if got := state(t, l, "a"); got != ledger.Published {
		t.Errorf("a is %q, want published", got)
	}
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	if f, err := v.Format(); f != 2 || err != nil {
		t.Errorf("format %d, %v; want 2", f, err)
	}
}

func TestNothingToMigrate(t *testing.T) {
	for name, files := range map[string]map[string][]byte{
		"an empty ledger":   nil,
		"holds but nothing": {"holds.json": ledger.EncodeHolds([]ledger.Hold{{Scope: "all", Reason: "stop", At: t0}})},
		"format 2":          {"ledger.json": ledger.Opening{Format: 2, Began: t0}.Encode(), "skipped/ca/a@b.json": []byte("{}")},
		"a damaged opening": {"ledger.json": []byte("<<<<<<< HEAD\n"), "skipped/ca/a@b.json": []byte("{}")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			if files != nil {
				s.put(files)
			}
			_, l := s.clone()
			s.fetch(l)
			tip := l.Tip()
			if err := l.Migrate(t.Context()); err != nil || l.Tip() != tip {
				t.Errorf("Migrate: %v; the tip has moved: %v", err, l.Tip() != tip)
			}
		})
	}
}

// TestDamagedOpening goes on without what a damaged opening and a damaged marker say, and tells.
func TestDamagedOpening(t *testing.T) {
	s := newSite(t)
	words := strings.Repeat("5", 32)
	s.put(map[string][]byte{"ledger.json": []byte(`{"format": 2, "began": "yesterday"}`), ledger.SaidPath("news", words): []byte("<<<<<<<")})
	_, l := s.clone()
	s.fetch(l)
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Opening(); !errors.Is(err, ledger.ErrFormat) {
		t.Errorf("Opening: %v, want ErrFormat", err)
	}
	if said, err := v.Said("news", words); err != nil || said == nil || said.Post != "" {
		t.Errorf("Said = %+v, %v; want that somebody has", said, err)
	}
	if d := v.Damaged(); len(d) != 2 || d[0].Path != ledger.OpeningFile || d[1].Path != ledger.SaidPath("news", words) {
		t.Errorf("damaged: %v, want %s and a marker", d, ledger.OpeningFile)
	}
	if err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("a", "r1")}); err != nil {
		t.Errorf("nothing can be claimed: %v", err)
	}
}

// TestNewerFormat touches nothing that a newer program has written, whenever that shows.
func TestNewerFormat(t *testing.T) {
	newer := map[string][]byte{"ledger.json": []byte(`{"format": 7, "began": {"era": 3}}`)}
	isNewer := func(t *testing.T, err error) {
		t.Helper()
		if e, ok := errors.AsType[*ledger.NewerFormatError](err); !ok || e.Format != 7 {
			t.Errorf("error = %v, want a NewerFormatError of format 7", err)
		}
	}
	s := newSite(t)
	repo, l := s.clone()
	s.fetch(l)
	claim := intent("a", "r1")
	if err := l.Claim(t.Context(), "claim", []*ledger.Record{claim}); err != nil {
		t.Fatal(err)
	}
	s.put(newer)
	tip := s.git("rev-parse", "postrider/ledger")

	err := l.Record(t.Context(), "published a", []*ledger.Record{result(claim, "1")})
	isNewer(t, err)
	if _, ok := errors.AsType[*NotPushedError](err); !ok {
		t.Errorf("error = %v, want NotPushedError: the result must be kept", err)
	}
	isNewer(t, l.Record(t.Context(), "again", nil))
	_, err = l.Fetch(t.Context())
	isNewer(t, err)
	if got := s.git("rev-parse", "postrider/ledger"); got != tip {
		t.Error("the newer ledger was written to")
	}
	kept, err := repo.Ref("refs/heads/postrider/ledger")
	if err != nil {
		t.Fatal(err)
	}
	if files, err := repo.Tree(kept); err != nil {
		t.Fatal(err)
	} else if id, err := files.ID("published/ca/a@bluesky.src-a.json"); err != nil || id == "" {
		t.Errorf("the local ledger lacks the result: %q, %v", id, err)
	}

	_, other := s.clone()
	_, err = other.Fetch(t.Context())
	isNewer(t, err)
	local := New(repo, Options{Branch: "newer", Log: l.o.Log, Now: l.o.Now, Wait: l.o.Wait})
	if _, err := repo.Commit(t.Context(), gitrepo.Commit{Branch: "newer", Files: newer, Message: "newer", Time: t0}); err != nil {
		t.Fatal(err)
	}
	_, err = local.Fetch(t.Context())
	isNewer(t, err)
	folder := New(repo, Options{Branch: "main", Folder: ".postrider", Log: l.o.Log, Now: l.o.Now, Wait: l.o.Wait})
	if _, err := repo.Commit(t.Context(), gitrepo.Commit{Branch: "main", Files: map[string][]byte{".postrider/ledger.json": newer["ledger.json"]}, Message: "newer", Time: t0}); err != nil {
		t.Fatal(err)
	}
	_, err = folder.Fetch(t.Context())
	isNewer(t, err)
	if len(steps)+1 != ledger.Format {
		t.Errorf("there are steps to format %d, and this program writes format %d", len(steps)+1, ledger.Format)
	}
}

package publish_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

// TestShallowClones publishes as CI does: every run from a fresh clone without history.
func TestShallowClones(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Helo.")})
	shallow := func() *gitrepo.Repo {
		dir := filepath.Join(t.TempDir(), "shallow")
		w.git("clone", "-q", "--depth=1", "file://"+w.remote, dir)
		return w.openRepo(dir)
	}
	w.crashIn(shallow(), "dead", func(r *http.Request, answered bool) bool {
		return answered && creates(r) && strings.HasPrefix("http://"+r.URL.Host, w.urls[gts])
	})
	w.run(shallow())
	w.clock.Advance(3 * time.Minute) // what the crash has met on its way to the other accounts is there by now, or never will be
	w.run(shallow())
	w.exactlyOnce(1)
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "Hello.")})
	w.run(shallow())
	w.exactlyOnce(1)
	same(t, "text", w.texts(gts), []string{"Hello."})
	if report := w.run(shallow()); len(report.Deliveries)+len(report.Waiting) != 0 {
		t.Errorf("%v, waiting %v", results(report), waiting(report))
	}
}

// TestBareRepository publishes from the remote itself.
func TestBareRepositoryWithoutRemote(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	repo := w.openRepo(w.remote)
	w.run(repo)
	w.exactlyOnce(1)
	if report := w.run(repo); len(report.Deliveries)+len(report.Waiting) != 0 {
		t.Errorf("%v, waiting %v", results(report), waiting(report))
	}
}

// TestTwoInOneRepository runs two publishers at once in one repository without a remote.
func TestTwoInOneRepository(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello."), "b": post("bbbb2222", "", "World.")})
	var desks []*publish.Desk
	for range 2 {
		d, err := w.open(w.openRepo(w.remote), setup{})
		if err != nil {
			t.Fatal(err)
		}
		desks = append(desks, d)
	}
	var wg sync.WaitGroup
	for _, d := range desks {
		wg.Go(func() {
			if _, err := d.Do(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.exactlyOnce(2)
}

func TestRefusedClaimSendsNothing(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	hooks := filepath.Join(w.remote, "hooks")
	if err := os.MkdirAll(hooks, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(hooks, "pre-receive"), []byte("#!/bin/sh\necho the branch is protected >&2\nexit 1\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := w.try(w.clone(), setup{})
	if err == nil || !strings.Contains(err.Error(), "nothing was sent") || !strings.Contains(err.Error(), "the branch is protected") {
		t.Errorf("error = %v", err)
	}
	w.created(0)
}

// TestDamagedRecordStopsOnlyItsDelivery breaks one file of the ledger.
func TestDamagedRecordStopsOnlyItsDelivery(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello."), "b": post("bbbb2222", "", "World.")})
	repo := w.clone()
	heads, err := repo.Fetch(t.Context(), "origin", "postrider/ledger")
	if err != nil {
		t.Fatal(err)
	}
	tip := heads["refs/heads/postrider/ledger"]
	broken, err := repo.Commit(t.Context(), gitrepo.Commit{Parent: tip, Message: "oops", Time: w.clock.Now(), Name: "x", Email: "x@example.com", Files: map[string][]byte{"sending/aaaa1111@gts.json": []byte("<<<<<<< HEAD\n")}})
	if err == nil {
		err = repo.Push(t.Context(), "origin", "postrider/ledger", tip, broken)
	}
	if err != nil {
		t.Fatal(err)
	}
	report := w.run(w.clone())
	same(t, "waiting", waiting(report), []string{"aaaa1111@gts unknown"})
	if len(report.Waiting) == 1 && !strings.Contains(report.Waiting[0].Reason, "sending/aaaa1111@gts.json") {
		t.Errorf("reason: %s", report.Waiting[0].Reason)
	}
	w.created(1, gts)
	w.created(2, bsky, fedi, hook)
}

// TestRepeatedPost goes out every day, once a day, with one text.
func TestRepeatedPost(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "publish_at: 2026-12-01 09:30\nrepeat: FREQ=DAILY;COUNT=3\n", "Good morning.")})
	repo := w.here()
	w.run(repo)
	w.created(0)
	w.clock.Advance(30 * time.Minute)
	w.run(repo)
	w.exactlyOnce(1)
	w.clock.Advance(24 * time.Hour)
	w.crash("dead", func(r *http.Request, answered bool) bool { return true }) // nothing of the second goes out
	w.settle()                                                                 // and the first is not taken for it
	w.exactlyOnce(2)
	w.run(repo)
	w.clock.Advance(23 * time.Hour)
	w.run(repo)
	w.exactlyOnce(3)
	w.clock.Advance(24 * time.Hour)
	w.run(repo)
	w.exactlyOnce(3)
}

var pixel, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")

// TestMovedFolderKeepsItsPost moves a post together with its picture.
func TestMovedFolderKeepsItsPost(t *testing.T) {
	text := post("aaaa1111", "media: [{file: p.png, alt: A dot}]\n", "Look.")
	w := newWorld(t, nil)
	w.commit(map[string]string{"content/a/index.md": text, "content/a/p.png": string(pixel)})
	report := w.run(w.here())
	if report.Failed() > 0 || len(report.Deliveries) != 4 {
		t.Fatalf("%v, waiting %v", results(report), waiting(report))
	}
	w.commit(map[string]string{"content/a/index.md": "", "content/a/p.png": "", "content/2026/b/index.md": text, "content/2026/b/p.png": string(pixel)})
	w.nothing()
	w.exactlyOnce(1)
	w.commit(map[string]string{
		"content/2026/b/index.md": "", "content/2026/b/p.png": "",
		"content/c/index.md": strings.Replace(text, "id: aaaa1111\n", "", 1), "content/c/p.png": string(pixel),
	})
	if report := w.run(w.here()); len(report.Deliveries) != 0 || len(report.Waiting) != 4 || report.Waiting[0].State != "duplicate" {
		t.Errorf("moved without its id: %v, waiting %v", results(report), waiting(report))
	}
	w.exactlyOnce(1)
}

// TestCancelledRunRecordsWhatIsInFlight cancels a run's context during its first request.
func TestCancelledRunRecordsWhatIsInFlight(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [gts]\n", "One."), "b": post("bbbb2222", "platforms: [gts]\n", "Two.")})
	ctx, cancel := context.WithCancel(t.Context())
	d, err := w.open(w.here(), setup{before: func(r *http.Request) {
		if creates(r) {
			cancel()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	report, err := d.Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "deliveries", results(report), []string{"aaaa1111@gts published", "bbbb2222@gts unsent"})
	w.run(w.here())
	w.exactlyOnce(2, gts)
}

// TestPanicStaysInItsDelivery has the program fail in the middle of a delivery: nobody knows whether that is out, all others go on, and the
// next run finds out.
func TestPanicStaysInItsDelivery(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [fedi, bsky]\n", "One."), "b": post("bbbb2222", "platforms: [fedi]\n", "Two.")})
	first := true
	report := w.runAs(w.here(), setup{after: func(r *http.Request) {
		if creates(r) && strings.Contains(r.URL.Path, "/statuses") && first {
			first = false
			panic("a nil map")
		}
	}})
	same(t, "deliveries", results(report), []string{"aaaa1111@bsky published", "aaaa1111@fedi unknown", "bbbb2222@fedi published"})
	w.run(w.here())
	w.exactlyOnce(1, bsky)
	w.exactlyOnce(2, fedi)
}

// TestForcePushedMain takes away the commit that a crashed run was publishing, with another text in its place.
func TestForcePushedMain(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Helo.")})
	base := strings.TrimSpace(w.git("rev-parse", "main"))
	w.commit(map[string]string{"content/b.md": post("bbbb2222", "", "Wrld.")})
	w.crash("dead", func(r *http.Request, answered bool) bool {
		return answered && creates(r) && strings.HasPrefix("http://"+r.URL.Host, w.urls[gts])
	})
	w.git("update-ref", "refs/heads/main", base)
	w.git("gc", "-q", "--prune=now")
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "Hello."), "content/b.md": post("bbbb2222", "", "World.")})
	w.clock.Advance(time.Hour)
	w.run(w.clone())
	w.settle()
	w.exactlyOnce(2)
	for id, r := range w.records() {
		if r.State != ledger.Published || r.Rendering != nil {
			t.Errorf("%s is %s: %s", id, r.State, r.Last().Error)
		}
	}
	for _, account := range all {
		if got := strings.Join(w.texts(account), " "); got != "Hello. World." && got != "World. Hello." {
			t.Errorf("%s says %q", account, got)
		}
	}
}

// TestPictureChangedHalfWay replaces the picture of a thread's second part while only the first is out: the
// thread is finished with the picture that was reviewed with it, and then edited.
func TestPictureChangedHalfWay(t *testing.T) {
	text := "---\nid: aaaa1111\npublish_at: 2026-12-01 08:00\nplatforms: [bsky, fedi]\n---\nOne.\n\n---\n\nTwo.\n\n![A dot](p.png)\n"
	w := newWorld(t, nil)
	w.commit(map[string]string{"content/a/index.md": text, "content/a/p.png": string(pixel)})
	w.inject(fakenet.RateLimit, 1)
	w.run(w.here())
	w.created(1, bsky, fedi)
	other, _ := base64.StdEncoding.DecodeString("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
	w.commit(map[string]string{"content/a/index.md": strings.ReplaceAll(text, "p.png", "q.gif"), "content/a/p.png": "", "content/a/q.gif": string(other)})
	w.settle()
	w.exactlyOnce(2, bsky, fedi)
	for _, account := range []string{bsky, fedi} {
		posts := w.fakes[account].Posts()
		if last := posts[len(posts)-1]; len(last.Media) != 1 || last.Media[0].MIME != "image/gif" {
			t.Errorf("%s shows %+v", account, last.Media)
		}
	}
}

// TestUnknownWebhookIsRepeatedUnderItsKey loses the answer, and then the receiver is down.
func TestUnknownWebhookIsRepeatedUnderItsKey(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [hook]\n", "Helo.")})
	w.inject(fakenet.ResetAfterAccept, 0)
	w.run(w.here())
	w.created(1, hook)
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "platforms: [hook]\n", "Hello.")})
	report := w.runAs(w.here(), setup{broken: func(*http.Request) bool { return true }})
	if got := w.state("aaaa1111@hook"); got != ledger.Unknown {
		t.Errorf("%v: what may be out is %s", results(report), got)
	}
	w.settle()
	w.exactlyOnce(1, hook)
	same(t, "text", w.texts(hook), []string{"Hello."})
}

// TestLedgerOnTheContentBranch names the branch that people work on as the ledger's: it gets a folder there, and
// nobody's README or unpushed commits are touched.
func TestLedgerOnTheContentBranch(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	w.commit(map[string]string{"site.yaml": w.site("ledger: {branch: main}\n"), "README.md": "# Ours\n"})
	tip, err := w.bare.Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	repo := w.clone()
	if _, err := repo.Fetch(t.Context(), "origin", "main"); err != nil {
		t.Fatal(err)
	}
	if err := repo.SetRef(t.Context(), "refs/heads/main", "", tip); err != nil {
		t.Fatal(err)
	}
	w.commitTo(repo, map[string]string{"content/mine.md": post("mine1111", "", "Not pushed yet.")})
	mine, err := repo.Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	w.run(repo)
	w.created(1)
	w.commit(map[string]string{"content/b.md": post("bbbb1111", "", "And another.")}) // writers push in between
	w.run(w.clone())
	w.run(repo)
	w.created(2)
	if now, err := repo.Ref("refs/heads/main"); err != nil || now != mine {
		t.Errorf("main was at %s and is at %s (%v)", mine, now, err)
	}
	head, err := w.bare.Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := w.bare.Tree(head)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := tree.ReadFile("README.md"); err != nil || string(b) != "# Ours\n" {
		t.Errorf("README.md = %q (%v)", b, err)
	}
	if b, err := tree.ReadFile(".postrider/README.md"); err != nil || !strings.Contains(string(b), "Latest results") {
		t.Errorf(".postrider/README.md = %q (%v)", b, err)
	}
	if entries, err := tree.Entries(".postrider/sending"); err != nil || len(entries) > 0 {
		t.Errorf("left in sending: %v (%v)", entries, err)
	}
}

// TestSharedBranchDeleted has a person delete the branch that posts and ledger share: it is not brought back.
func TestSharedBranchDeleted(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	w.commit(map[string]string{"site.yaml": w.site("ledger: {branch: main}\n")})
	repo := w.clone()
	if _, err := repo.Fetch(t.Context(), "origin", "main"); err != nil {
		t.Fatal(err)
	}
	tip, err := w.bare.Ref("refs/heads/main")
	if err == nil {
		err = repo.SetRef(t.Context(), "refs/heads/main", "", tip)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.run(repo)
	w.git("update-ref", "-d", "refs/heads/main")
	if _, err := w.try(repo, setup{}); !errors.Is(err, publish.ErrNothingCommitted) {
		t.Errorf("error = %v, want ErrNothingCommitted", err)
	}
	if now, err := w.bare.Ref("refs/heads/main"); err != nil || now != "" {
		t.Errorf("main is back at %s (%v)", now, err)
	}
	w.created(1)
}

// TestLedgerOnTheCheckedOutBranch has no remote: each run would leave the work tree behind its branch.
func TestLedgerOnTheCheckedOutBranch(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	repo, err := gitrepo.Init(t.TempDir(), false, "main")
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	w.commitTo(repo, map[string]string{"site.yaml": w.site("ledger: {branch: main}\n"), "content/a.md": post("aaaa1111", "", "Hello.")})
	if _, err := w.try(repo, setup{}); !errors.Is(err, publish.ErrLedgerInUse) {
		t.Errorf("error = %v, want ErrLedgerInUse", err)
	}
	w.created(0)
}

// TestLedgerOnABranchOfOthers names a branch that holds something else.
func TestLedgerOnABranchOfOthers(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	w.commit(map[string]string{"site.yaml": w.site("ledger: {branch: pages}\n")})
	pages, err := w.bare.Commit(t.Context(), gitrepo.Commit{
		Branch: "pages", Message: "the website", Time: w.clock.Now(), Name: "Ada", Email: "ada@example.com", Files: map[string][]byte{"blog/index.html": []byte("<p>")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.try(w.clone(), setup{}); !errors.Is(err, gitledger.ErrNotLedger) || !strings.Contains(err.Error(), "ledger.branch") {
		t.Errorf("error = %v, want ErrNotLedger", err)
	}
	w.created(0)
	if now, err := w.bare.Ref("refs/heads/pages"); err != nil || now != pages {
		t.Errorf("pages was at %s and is at %s (%v)", pages, now, err)
	}
}

// TestMergedSiteSaysWhereTheLedgerIs publishes from checkouts whose site.yaml is old, broken or missing: what
// counts is the merged one.
func TestMergedSiteSaysWhereTheLedgerIs(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [hook, gts]\n", "Hello.")})
	checkouts := map[string]map[string]string{
		"old": {"site.yaml": w.site("")}, "broken": {"site.yaml": "ledger: [\n"}, "missing": {"index.html": "<p>"}, "other": {"site.yaml": w.site("ledger: {branch: elsewhere}\n")},
	}
	w.commit(map[string]string{"site.yaml": w.site("ledger: {branch: results}\n")})
	for name, files := range checkouts {
		repo := w.clone()
		w.commitTo(repo, files)
		report := w.run(repo)
		if len(report.Waiting) != 0 || report.Settled+len(report.Deliveries) != 2 {
			t.Errorf("%s: %v, waiting %v", name, results(report), waiting(report))
		}
	}
	w.created(1, hook, gts)
	heads := w.git("for-each-ref", "--format=%(refname)")
	same(t, "branches of the remote", heads, "refs/heads/main\nrefs/heads/results\nrefs/postrider/copy/results\n")
}

// TestMergedSiteSaysFromWhereToPublish publishes from the branch that the merged site names.
func TestMergedSiteSaysFromWhereToPublish(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Not released.")})
	w.commit(map[string]string{"site.yaml": w.site("publish: {branch: release}\n")})
	w.git("branch", "release", "main")
	w.commit(map[string]string{"content/b.md": post("bbbb2222", "", "Not released either.")})
	report := w.run(w.clone())
	if report.Branch != "release" {
		t.Errorf("published from %s", report.Branch)
	}
	w.exactlyOnce(1)
}

// TestClaimWhoseAnswerIsLost has the remote take the claim and vanish. Nothing is sent then; once the lease has
// ended, everything is.
func TestClaimWhoseAnswerIsLost(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	before := w.ledgerTip()
	hooks := filepath.Join(w.remote, "hooks")
	if err := os.MkdirAll(hooks, 0o777); err != nil {
		t.Fatal(err)
	}
	vanish := "#!/bin/sh\nif [ \"$1\" = committed ]; then mv '" + w.remote + "' '" + w.remote + ".away'; kill -9 $PPID; fi\n"
	if err := os.WriteFile(filepath.Join(hooks, "reference-transaction"), []byte(vanish), 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := w.try(w.clone(), setup{})
	if err == nil || !strings.Contains(err.Error(), "nothing was sent") {
		t.Errorf("error = %v", err)
	}
	w.created(0)
	if err := os.Rename(w.remote+".away", w.remote); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(hooks); err != nil {
		t.Fatal(err)
	}
	if w.ledgerTip() == before {
		t.Fatal("the remote did not take the claim")
	}
	same(t, "waiting", waiting(w.run(w.clone())), []string{"aaaa1111@bsky sending", "aaaa1111@fedi sending", "aaaa1111@gts sending", "aaaa1111@hook sending"})
	w.clock.Advance(11 * time.Minute)
	w.run(w.clone())
	w.settle()
	w.exactlyOnce(1)
}

// TestServerWithoutLookUp speaks with a server that takes statuses and honours their keys, and offers nothing else.
func TestServerWithoutLookUp(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [fedi]\n", "Hello.")})
	bare := setup{absent: func(r *http.Request) bool { return r.Method == http.MethodGet }}
	w.inject(fakenet.ResetAfterAccept, 0)
	w.runAs(w.clone(), bare)
	w.created(1, "fedi")
	if got := w.state("aaaa1111@fedi"); got != ledger.Unknown {
		t.Errorf("after a lost answer it is %s, want unknown", got)
	}
	w.clock.Advance(settleTime)
	w.runAs(w.clone(), bare)
	w.exactlyOnce(1, "fedi")
}

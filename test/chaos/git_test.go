//go:build unix

package chaos_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRemote has the remote refuse, answer nobody, or vanish.
func TestRemote(t *testing.T) {
	play(t,
		scenario{"git: somebody pushed first", func(w *world) {
			w.write(mixture()...)
			slow, fast := w.clone(), w.clone()
			held := w.pushes.stopAt(received, 1)
			run := w.startUntil(held, slow, machine{})
			w.publish(fast, machine{})
			held.release(pass)
			run.wait()
		}},
		scenario{"git: somebody pushed before the receipt", func(w *world) {
			w.write(mixture()...)
			slow, fast := w.clone(), w.clone()
			held := w.pushes.stopAt(received, 2)
			run := w.startUntil(held, slow, machine{})
			more := single("more0006")
			w.write(more)
			w.publish(fast, machine{})
			held.release(pass)
			run.wait()
		}},
		scenario{"git: the intent is pushed and the answer is lost", func(w *world) {
			w.write(mixture()...)
			w.pushes.stopAt(committed, 1).release(die)
			w.publish(w.clone(), machine{})
		}},
		scenario{"git: the receipt is pushed and the answer is lost", func(w *world) {
			w.write(mixture()...)
			w.pushes.stopAt(committed, 2).release(die)
			w.publish(w.clone(), machine{})
		}},
		scenario{"git: the intent is pushed, the answer is lost and the remote is down", func(w *world) {
			w.write(mixture()...)
			held := w.pushes.stopAt(committed, 1)
			run := w.startUntil(held, w.clone(), machine{})
			w.unplug()
			held.release(die)
			run.wait()
			w.plug()
			w.nothingWasSent()
		}},
		scenario{"git: the remote is down", func(w *world) {
			w.write(mixture()...)
			dir := w.clone()
			w.unplug()
			w.fails(w.publish(dir, machine{}), "")
			w.plug()
			w.nothingWasSent()
		}},
		scenario{"git: the remote is down for an hour, seen from a new clone", downForAnHour(false)},
		scenario{"git: the remote is down for an hour, seen from the clone that was at work", downForAnHour(true)},
		scenario{"git: the ledger branch is protected", func(w *world) {
			w.write(mixture()...)
			w.pushes.refuse()
			w.fails(w.publish(w.clone(), machine{}), "the branch is protected")
			w.nothingWasSent()
		}},
		scenario{"git: the ledger branch becomes protected in the middle of a run", func(w *world) {
			w.write(mixture()...)
			held := w.networks[gts].stopAt(accepted, 2)
			dir := w.clone()
			run := w.startUntil(held, dir, machine{})
			w.pushes.refuse()
			held.release(pass)
			w.fails(run.wait(), "the branch is protected")
			w.fails(w.publish(dir, machine{}), "the branch is protected")
			w.clock.advance(time.Hour)
		}},
	)
}

// downForAnHour loses the remote while a run is at work. The results are in its clone, and on the networks.
func downForAnHour(same bool) func(*world) {
	return func(w *world) {
		w.write(mixture()...)
		dir := w.clone()
		held := w.networks[gts].stopAt(accepted, 2)
		run := w.startUntil(held, dir, machine{anonymous: true})
		w.unplug()
		held.release(pass)
		w.fails(run.wait(), "")
		for range 3 {
			w.clock.advance(20 * time.Minute)
			w.fails(w.publish(dir, machine{}), "")
		}
		w.plug()
		if same {
			w.settler = dir
		}
	}
}

// fails fails the test unless a run could not do its work and says so.
func (w *world) fails(r result, why string) {
	w.t.Helper()
	if r.code != 3 || !strings.Contains(r.stderr, why) {
		w.t.Errorf("the run ended with %d, want 3 and %q:\n%s", r.code, why, r.stderr)
	}
}

// nothingWasSent fails the test if anything is on a network.
func (w *world) nothingWasSent() {
	w.t.Helper()
	for account, n := range w.networks {
		if got := n.fake.Creations(); got > 0 {
			w.t.Errorf("%s has %d posts, and nothing may be out", account, got)
		}
	}
}

// TestRemoteOverHTTP breaks connections with a remote that is a server.
func TestRemoteOverHTTP(t *testing.T) {
	var all []scenario
	for _, push := range []int{1, 2} {
		what := map[int]string{1: "intent", 2: "receipt"}[push]
		for _, at := range []phase{opened, arrived, accepted} {
			all = append(all, scenario{fmt.Sprintf("git over HTTP: the push of the %s breaks off", what), func(w *world) {
				w.overHTTP()
				w.write(mixture()...)
				w.server.stopAt(at, push).release(abort)
				w.publish(w.clone(), machine{})
			}}, scenario{fmt.Sprintf("git over HTTP: killed in the push of the %s", what), func(w *world) {
				w.overHTTP()
				w.write(mixture()...)
				held := w.server.stopAt(at, push)
				w.startUntil(held, w.clone(), machine{anonymous: true}).kill()
				held.release(pass)
			}})
		}
	}
	play(t, append(all,
		scenario{"git over HTTP: the remote is down from the intent on, for an hour", func(w *world) {
			w.overHTTP()
			w.write(mixture()...)
			dir := w.clone()
			held := w.networks[gts].stopAt(accepted, 2)
			run := w.startUntil(held, dir, machine{})
			w.server.down()
			held.release(pass)
			w.fails(run.wait(), "")
			w.clock.advance(time.Hour)
			w.fails(w.publish(dir, machine{}), "")
		}},
		scenario{"git over HTTP: 4 publishers at once", func(w *world) {
			w.overHTTP()
			w.write(mixture()...)
			w.together(4, machine{anonymous: true})
		}},
	)...)
}

// TestDisk has a clone's disk fail.
func TestDisk(t *testing.T) {
	var all []scenario
	for _, blocks := range []int{0, 1, 2, 4, 8} {
		all = append(all, scenario{"git: a full disk", func(w *world) {
			w.write(mixture()...)
			dir := w.clone()
			r := w.publish(dir, machine{full: true, blocks: blocks})
			if blocks == 0 {
				w.fails(r, "nothing was sent")
				w.nothingWasSent()
			}
			w.clock.advance(between)
		}})
	}
	if fillDisk != nil {
		for _, point := range []func(*world) *stop{atRequest(gts, accepted, 1), atRequest(bsky, answered, 4), atPush(received, 1), atPush(received, 2)} {
			all = append(all, scenario{"git: the disk fills up in the middle of a run", func(w *world) {
				w.write(mixture()...)
				dir := w.clone()
				held := point(w)
				run := w.startUntil(held, dir, machine{full: true, blocks: 1 << 20})
				if err := fillDisk(run.cmd.Process.Pid); err != nil {
					w.t.Fatal(err)
				}
				held.release(pass)
				run.wait()
			}})
		}
	}
	play(t, append(all,
		scenario{"git: a read-only object store", func(w *world) {
			w.write(mixture()...)
			dir := w.clone()
			m := w.another(dir)
			undo := w.readOnly(dir)
			w.fails(w.publish(dir, m), "nothing was sent")
			w.nothingWasSent()
			undo()
		}},
		scenario{"git: an object store that becomes read-only in the middle of a run", func(w *world) {
			w.write(mixture()...)
			dir := w.clone()
			held := w.networks[gts].stopAt(accepted, 2)
			run := w.startUntil(held, dir, w.another(dir))
			undo := w.readOnly(dir)
			held.release(pass)
			w.fails(run.wait(), "")
			undo()
		}},
		scenario{"git: lock files that a dead git left in the clone", func(w *world) {
			w.write(mixture()...)
			dir := w.clone()
			var locks []string
			for _, name := range []string{"index.lock", "packed-refs.lock", "shallow.lock", "HEAD.lock", "refs/heads/postrider/ledger.lock", "refs/remotes/origin/postrider/ledger.lock"} {
				locks = append(locks, filepath.Join(dir, ".git", name))
			}
			w.touch(locks...)
			if r := w.publish(dir, machine{}); r.code != 0 || len(r.report.Deliveries) == 0 {
				w.t.Errorf("a lock stops publishing: %s\n%s", r.brief(), r.stderr)
			}
			w.remove(locks...)
		}},
		scenario{"git: lock files that a dead git left at the remote", func(w *world) {
			w.write(mixture()...)
			lock := filepath.Join(w.remote, ledgerRef+".lock")
			w.touch(lock)
			w.fails(w.publish(w.clone(), machine{}), "nothing was sent")
			w.nothingWasSent()
			w.remove(lock)
		}},
	)...)
}

// nobody is a user who owns nothing.
const nobody = 65534

// another returns a machine whose user may not do everything, as root may, and gives it a clone and the remote to write to.
func (w *world) another(dir string) machine {
	w.t.Helper()
	if os.Geteuid() != 0 {
		return machine{}
	}
	if err := os.Chmod(filepath.Dir(w.dir), 0o755); err != nil { //nolint:gosec // another user enters it
		w.t.Fatal(err)
	}
	for _, top := range []string{dir, w.remote} {
		err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
			if err == nil {
				err = os.Chmod(name, 0o777)
			}
			if err == nil && top == dir {
				err = os.Chown(name, nobody, nobody)
			}
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return machine{user: nobody}
}

// readOnly makes a clone's object store read-only, and returns what undoes that.
func (w *world) readOnly(dir string) (undo func()) {
	w.t.Helper()
	mode := func(folder, file os.FileMode) {
		err := filepath.WalkDir(filepath.Join(dir, ".git", "objects"), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				return os.Chmod(name, folder)
			}
			return os.Chmod(name, file)
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	mode(0o555, 0o444)
	return func() { mode(0o777, 0o444) }
}

func (w *world) touch(names ...string) {
	w.t.Helper()
	for _, name := range names {
		err := os.MkdirAll(filepath.Dir(name), 0o777)
		if err == nil {
			err = os.WriteFile(name, nil, 0o600)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) remove(names ...string) {
	w.t.Helper()
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestPeopleAndGit has people do to the repository what should not be done.
func TestPeopleAndGit(t *testing.T) {
	var all []scenario
	for i := range 2 {
		fresh := i == 0 // as in CI: nobody has a clone that knows more
		// played publishes, lets a person do harm, and publishes again.
		played := func(harm func(*world)) func(*world) {
			return func(w *world) {
				w.write(mixture()...)
				dir := w.clone()
				w.publish(dir, machine{})
				w.note("a person does harm")
				harm(w)
				if fresh {
					w.drop(dir)
				} else {
					w.settler = dir
				}
			}
		}
		all = append(all,
			scenario{"git: the ledger branch is deleted", played(func(w *world) { w.git(w.remote, "update-ref", "-d", ledgerRef) })},
			scenario{"git: the ledger branch is set back", played(func(w *world) { w.git(w.remote, "update-ref", ledgerRef, ledgerRef+"^") })},
			scenario{"git: the ledger branch is set back before the intents", played(func(w *world) { w.git(w.remote, "update-ref", ledgerRef, ledgerRef+"~2") })},
			scenario{"git: main is replaced by another history", played(func(w *world) { w.rewriteMain("") })},
			scenario{"git: main is replaced by another history without a post", played(func(w *world) { w.rewriteMain("sing0001") })},
			scenario{"git: main is replaced in the middle of a run", func(w *world) {
				w.write(mixture()...)
				dir := w.clone()
				held := w.networks[gts].stopAt(accepted, 2)
				run := w.startUntil(held, dir, machine{})
				w.rewriteMain("")
				w.git(w.remote, "gc", "--quiet", "--prune=now")
				run.kill()
				held.release(abort)
				run.gone()
				if fresh {
					w.drop(dir)
				} else {
					w.settler = dir
				}
			}},
			scenario{"git: main is replaced and lacks a post whose delivery is open", func(w *world) {
				w.write(mixture()...)
				dir := w.clone()
				held := w.networks[gts].stopAt(accepted, 2)
				run := w.startUntil(held, dir, machine{})
				w.rewriteMain("sing0001")
				run.kill()
				held.release(abort)
				run.gone()
				if fresh {
					w.drop(dir)
				}
			}},
			scenario{"git: the ledger branch is deleted in the middle of a run", func(w *world) {
				w.write(mixture()...)
				dir := w.clone()
				held := w.networks[gts].stopAt(accepted, 2)
				run := w.startUntil(held, dir, machine{})
				w.git(w.remote, "update-ref", "-d", ledgerRef)
				held.release(pass)
				run.wait()
				if fresh {
					w.drop(dir)
				} else {
					w.settler = dir
				}
			}},
			scenario{"git: a record is damaged while it is open", func(w *world) {
				w.write(mixture()...)
				dir := w.clone()
				w.commitTo(ledgerRef, map[string]string{"sending/sing0001@gts.json": "<<<<<<< HEAD\n"})
				r := w.publish(dir, machine{})
				if r.code != 1 || w.networks[gts].has("The only part of sing0001.") {
					w.t.Errorf("what a damaged record stands for must wait: %s", r.brief())
				}
				w.commitTo(ledgerRef, map[string]string{"sending/sing0001@gts.json": ""})
				if fresh {
					w.drop(dir)
				}
			}},
			scenario{"git: a record is damaged after its post went out", func(w *world) {
				w.write(mixture()...)
				dir := w.clone()
				w.publish(dir, machine{})
				name := w.records()["sing0001@gts"].File()
				sound := w.git(w.remote, "show", ledgerRef+":"+name)
				w.commitTo(ledgerRef, map[string]string{name: "<<<<<<< HEAD\n"})
				if fresh {
					w.drop(dir)
					dir = w.clone()
				}
				for range 2 {
					w.clock.advance(between)
					w.publish(dir, machine{})
				}
				w.commitTo(ledgerRef, map[string]string{name: sound})
			}},
		)
	}
	play(t, all...)
}

// has reports whether a post with a text is on the network.
func (n *network) has(text string) bool {
	for _, p := range n.fake.Posts() {
		if p.Text == text {
			return true
		}
	}
	return false
}

// drop removes a clone, as CI does.
func (w *world) drop(dir string) {
	w.t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, d := range w.clones {
		if d == dir {
			w.clones[i] = ""
		}
	}
}

// rewriteMain replaces main by a history of one commit with the same files, but for those of one post. What is out of
// that stays out.
func (w *world) rewriteMain(without string) {
	w.t.Helper()
	files := map[string]string{"site.yaml": w.site("")}
	for id, p := range w.posts {
		if id == without {
			p.orphan = true
			continue
		}
		for name, text := range p.files() {
			files[name] = text
		}
	}
	w.commitTo("refs/heads/another", files)
	w.git(w.remote, "update-ref", "refs/heads/main", "refs/heads/another")
	w.git(w.remote, "update-ref", "-d", "refs/heads/another")
	w.born["refs/heads/another"] = false
	w.note("main is another history")
}

//go:build unix

package chaos_test

import (
	"os/exec"
	"slices"
	"testing"
	"time"
)

// TestPeople has people change their minds while runs are on.
func TestPeople(t *testing.T) {
	var all []scenario
	for _, at := range []phase{arrived, accepted} {
		all = append(all,
			scenario{"people: a post is edited between two attempts", func(w *world) {
				w.write(mixture()...)
				for _, account := range accounts {
					w.networks[account].stopAt(at, 2).release(abort)
				}
				w.publish(w.clone(), machine{})
				w.mend()
			}},
			scenario{"people: a post is edited while it is sent", func(w *world) {
				w.write(mixture()...)
				held := w.networks[gts].stopAt(at, 2)
				run := w.startUntil(held, w.clone(), machine{})
				w.edit()
				held.release(pass)
				run.wait()
			}},
			scenario{"people: a post is edited while the run that sends it is killed", func(w *world) {
				w.write(mixture()...)
				held := w.networks[gts].stopAt(at, 3)
				run := w.startUntil(held, w.clone(), machine{})
				w.edit()
				run.kill()
				held.release(abort)
			}},
			scenario{"people: a post is withdrawn while it is sent", func(w *world) {
				w.write(mixture()...)
				held := w.networks[gts].stopAt(at, 2)
				run := w.startUntil(held, w.clone(), machine{})
				w.withdraw("sing0001", "thrd0002")
				held.release(pass)
				run.wait()
			}},
			scenario{"people: a post is withdrawn while the run that sends it is killed", func(w *world) {
				w.write(mixture()...)
				held := w.networks[gts].stopAt(at, 3)
				run := w.startUntil(held, w.clone(), machine{})
				w.withdraw("sing0001", "thrd0002")
				run.kill()
				held.release(abort)
			}},
			scenario{"people: everything is held while a run is on", func(w *world) {
				w.write(mixture()...)
				held := w.networks[gts].stopAt(at, 1)
				run := w.startUntil(held, w.clone(), machine{patient: true})
				desk := w.clone()
				w.other(desk, "hold", "--reason", "an accident")
				w.clock.advance(31 * time.Second) // it looks every half a minute
				run.logged("a hold was pulled")
				before := w.networks[gts].fake.Creations()
				held.release(pass)
				run.wait()
				if got := w.networks[gts].fake.Creations(); got > before+1 {
					w.t.Errorf("%d posts went out after the stop was pulled", got-before-1)
				}
				w.publish(desk, machine{})
				w.clock.advance(time.Hour)
				w.publish(desk, machine{})
				w.other(desk, "hold", "--lift")
			}},
		)
	}
	play(t, all...)
}

// edit changes the text of every post.
func (w *world) edit() {
	w.t.Helper()
	var posts []*post
	for _, id := range sorted(w.posts) {
		p := w.posts[id]
		p.was = append(p.was, slices.Clone(p.parts))
		for i := range p.parts {
			p.parts[i] += " Edited."
		}
		posts = append(posts, p)
	}
	w.write(posts...)
	w.note("the writer edits every post")
}

// withdraw takes posts down.
func (w *world) withdraw(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		p := w.posts[id]
		p.head += "withdraw: true\n"
		p.gone = true
		w.write(p)
	}
	w.note("the writer withdraws %v", ids)
}

// other runs another verb of the program.
func (w *world) other(dir string, args ...string) {
	w.t.Helper()
	cmd := exec.Command(binary, args...) //nolint:noctx // it ends by itself
	cmd.Dir, cmd.Env = dir, w.environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("postrider %v: %v\n%s", args, err, out)
	}
	w.note("postrider %v", args)
}

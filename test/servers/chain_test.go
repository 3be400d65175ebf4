package servers

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRealChain goes the whole way with real servers at every step: a branch is pushed, reviewed in a job of the code host, pushed to again,
// merged; a webhook wakes the daemon, which publishes to both networks and records that in the ledger.
func TestRealChain(t *testing.T) {
	for _, tt := range []struct {
		name      string
		protected bool // nobody pushes to main, and a merge takes an approval and a green review
	}{
		{"open", false},
		{"protected", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newChain(t)
			if tt.protected {
				c.protect()
			}
			c.run(tt.protected)
			if !tt.protected {
				c.repeat()
				c.measure()
			}
		})
	}
}

// chain is a site on a code host, with a daemon that publishes it.
type chain struct {
	*forgeWorld
	runner *runner
	daemon *daemon
	hookID int64
	// What stands between the daemon and the others.
	hooks, git, bluesky, fedi *meter
}

// newChain makes a site with one post that is out, and has the code host tell its daemon of every push.
func newChain(t *testing.T) *chain {
	t.Helper()
	f := newWorld(t).withGitea()
	c := &chain{forgeWorld: f, git: newMeter(t, f.gitea.URL), bluesky: newMeter(t, f.pds.URL), fedi: newMeter(t, f.gts.URL)}
	site := f.clone()
	files := f.sample(nikolaus)
	files["site.yaml"] = f.siteYAML(c.bluesky.URL, c.fedi.URL) + "\nnotify: {status: true}\n"
	site.write(files)
	site.write(reviewWorkflows)
	site.push("the sample site")
	c.runner = f.runner()
	c.daemon = f.deploy(c.git.URL).daemon()
	c.hooks = newMeter(t, c.daemon.URL)
	c.hookID = f.hook(c.hooks.URL + "/hook")
	c.wantOut(1)
	return c
}

// hook has the code host tell an address of every push to the site's repository.
func (f *forgeWorld) hook(address string) int64 {
	f.t.Helper()
	var made struct{ ID int64 }
	f.api(vroni, http.MethodPost, "/repos/"+siteRepo+"/hooks", map[string]any{
		"type": "gitea", "active": true, "events": []string{"push"},
		"config": map[string]string{"url": address, "content_type": "json", "secret": webhookSecret},
	}, &made)
	return made.ID
}

// wantOut waits until so many posts are out on each network.
func (c *chain) wantOut(posts int) {
	c.t.Helper()
	eventually(c.t, func() error {
		if b, f := len(c.bskyReader().list()), len(c.fediReader().list()); b != posts || f != posts {
			return fmt.Errorf("%d posts are out on Bluesky and %d on GoToSocial, want %d", b, f, posts)
		}
		return nil
	})
}

// protect keeps everybody from pushing to main: what gets there was approved, and its review is green.
func (c *chain) protect() {
	c.t.Helper()
	c.api(vroni, http.MethodPost, "/repos/"+siteRepo+"/branch_protections", map[string]any{
		"rule_name": "main", "enable_push": false, "required_approvals": 1, "dismiss_stale_approvals": true, "block_admin_merge_override": true,
		"enable_status_check": true, "status_check_contexts": []string{"postrider/review"},
	}, nil)
	for _, user := range []string{robot, vroni} {
		desk := c.forgeWorld.clone()
		desk.git(desk.dir, "remote", "set-url", "origin", c.address(user, siteRepo))
		desk.git(desk.dir, "commit", "--quiet", "--allow-empty", "--message", "past everybody")
		if _, err := desk.tryGit(desk.dir, "push", "origin", "HEAD:main"); err == nil || !strings.Contains(err.Error(), "protected branch") {
			c.t.Errorf("%s pushes to main: %v, want that it is protected", user, err)
		}
	}
}

// run is the way of a new and of a changed post.
func (c *chain) run(protected bool) {
	t := c.t
	desk := c.forgeWorld.clone()
	desk.write(map[string]string{fresh: freshText})
	desk.edit(nikolaus, "Neun Stiefel, acht Mandarinen.", "Neun Stiefel, sieben Mandarinen.")
	first := desk.pushBranch("bread", "Fresh bread")
	p := c.open(vroni, "bread", "Fresh bread")
	c.review(p)
	c.wantStatus(first, "success")
	before := c.remarks(p.Number)

	if protected {
		c.approve(p)
	}
	desk.edit(fresh, "in pieces", "in small pieces")
	second := desk.pushBranch("bread", "Smaller pieces")
	c.review(p)
	c.wantStatus(second, "success")
	after := c.remarks(p.Number)
	if len(before) != 1 || len(after) != 1 || before[0].ID != after[0].ID || !strings.Contains(after[0].Body, "in small pieces") {
		t.Errorf("the second push makes of the comments %+v\nthese: %+v", before, after)
	}
	if protected {
		if err := c.tryMerge(p); err == nil {
			t.Fatal("what was approved before the second push is merged")
		}
		c.approve(p)
	}
	c.merge(p)
	c.wantOut(2)
	c.wantWhole(map[string]int{fresh: 1, nikolaus: 2})
	c.wantStatus(second, "success")
	c.wantShown(" scheduled, the next for ")
}

// wantShown waits until the commit that is published shows on the code host that all went well, and what is ahead.
func (c *chain) wantShown(ahead string) {
	c.t.Helper()
	desk := c.forgeWorld.clone()
	commit := strings.TrimSpace(desk.git(desk.dir, "rev-parse", "origin/main"))
	eventually(c.t, func() error {
		if state, text := c.statusOf(commit, "postrider/publish"); state != "success" || !strings.Contains(text, ahead) {
			return fmt.Errorf("the merged commit shows %q: %s", state, text)
		}
		return nil
	})
}

// review has the job of the code host write the review of a pull request.
func (c *chain) review(p *pull) {
	c.t.Helper()
	j := c.runner.next("own.yml")
	c.runner.checkout(j).review(0)
	c.runner.end(j)
}

// approve has Anni approve what a pull request is now.
func (c *chain) approve(p *pull) {
	c.t.Helper()
	c.api(anni, http.MethodPost, fmt.Sprintf("/repos/%s/pulls/%d/reviews", siteRepo, p.Number), map[string]string{"event": "APPROVED"}, nil)
}

// tryMerge merges a pull request, unless the code host refuses.
func (c *chain) tryMerge(p *pull) error {
	return c.try(vroni, http.MethodPost, fmt.Sprintf("/repos/%s/pulls/%d/merge", siteRepo, p.Number), map[string]string{"Do": "merge"}, nil)
}

// merge merges a pull request as soon as the code host has found out that it can, and returns when that was asked and answered.
func (c *chain) merge(p *pull) (asked, answered time.Time) {
	c.t.Helper()
	eventually(c.t, func() error {
		asked = time.Now()
		err := c.tryMerge(p)
		answered = time.Now()
		return err
	})
	return asked, answered
}

// wantWhole checks that posts are on both networks as they are rendered, that the ledger on the code host says so, and so often that they were
// sent; that nothing else is out, and main is as people have made it.
func (c *chain) wantWhole(attempts map[string]int) {
	c.t.Helper()
	site := c.forgeWorld.clone()
	eventually(c.t, func() error { // what was sent is recorded an instant later
		for name, r := range site.records() {
			if r.State != "published" {
				return fmt.Errorf("the record of %s is %s", name, r.State)
			}
		}
		return nil
	})
	site.holdsExactlyTheLedger()
	records := site.records()
	for name, want := range attempts {
		for _, account := range []string{"bluesky", "fedi"} {
			r := site.render(name, account)
			record := records[r.post+" → "+account]
			if len(record.Attempts) != want {
				c.t.Errorf("%s → %s was sent %d times, want %d: %+v", name, account, len(record.Attempts), want, record.Attempts)
			}
			d := &delivery{Path: name, Account: account, Parts: record.Parts}
			if account == "fedi" {
				site.compareFedi(d, r)
				continue
			}
			for i := range d.Parts { // the program knows the proxy, not the server
				d.Parts[i].URL = strings.Replace(d.Parts[i].URL, c.bluesky.URL, c.pds.URL, 1)
			}
			site.compareBluesky(d, r, nil)
		}
	}
	if out := site.git(site.dir, "log", "--format=%an", "origin/main"); strings.Contains(out, "Postrider") {
		c.t.Errorf("the program has written to main:\n%s", out)
	}
	if out := site.git(site.dir, "fsck", "--full", "--strict", "--no-dangling"); out != "" {
		c.t.Errorf("git fsck: %s", out)
	}
	if again := site.publish(0); len(again.Deliveries) != 0 {
		c.t.Errorf("one more run sends %+v", again.Deliveries)
	}
}

// repeat has the code host deliver the last webhook about main again: at once, when the daemon refuses it as one that it has had, and after the
// daemon was started anew. Nothing is sent twice.
func (c *chain) repeat() {
	t := c.t
	told := c.daemon.waitFor("that main was pushed", func(s said) bool { return s.Msg == "webhook" && s.Ref == "refs/heads/main" && s.Result == "woke" })
	first := c.delivered(func(x call) bool { return x.delivery == told.Delivery })
	posts := len(c.fediReader().list())
	redeliver := func(want int) call {
		began := time.Now()
		button := fmt.Sprintf("%s/%s/settings/hooks/%d/replay/%s", c.gitea.URL, siteRepo, c.hookID, told.Delivery)
		if _, err := submit(t.Context(), c.browser(), http.MethodPost, button, url.Values{}); err != nil {
			t.Fatal(err)
		}
		again := c.delivered(func(x call) bool { return x.signature == first.signature && x.began.After(began) })
		if again.status != want {
			t.Errorf("the same webhook again is answered with %d, want %d", again.status, want)
		}
		return again
	}
	redeliver(http.StatusConflict)
	c.daemon.end()
	c.daemon = c.daemon.clone.daemon()
	c.hooks.to(t, c.daemon.URL)
	again := redeliver(http.StatusAccepted)
	c.daemon.waitFor("that it knows the commit", func(s said) bool { return s.Msg == "webhook" && s.Delivery == again.delivery && s.Result == "known" })
	c.wantOut(posts)
	c.forgeWorld.clone().holdsExactlyTheLedger()
}

// delivered waits for a webhook of the code host.
func (c *chain) delivered(fits func(call) bool) (found call) {
	c.t.Helper()
	eventually(c.t, func() error {
		for _, x := range c.hooks.since(time.Time{}) {
			if fits(x) {
				found = x
				return nil
			}
		}
		return fmt.Errorf("Gitea has not delivered it")
	})
	return found
}

// merges is how many are measured.
const merges = 5

// measure merges posts one by one, and logs how long each took to be seen on both networks, and where that time went.
func (c *chain) measure() {
	t := c.t
	var pulls []*pull
	for i := range merges {
		desk := c.forgeWorld.clone()
		name := "measured-" + strconv.Itoa(i)
		desk.write(map[string]string{"content/2026/12/" + name + ".md": fmt.Sprintf("---\nid: %s\n---\nOne more sled is done, number %d.\n", name, i)})
		desk.pushBranch(name, "Measure")
		pulls = append(pulls, c.open(vroni, name, "Measure"))
	}
	posts := len(c.fediReader().list())
	var all []stages
	for i, p := range pulls {
		eventually(t, func() error { // a merge comes when nobody has pushed for a while: the daemon rests a second between two fetches
			if !c.git.quiet(1500*time.Millisecond) || !c.hooks.quiet(1500*time.Millisecond) {
				return errors.New("the daemon has just been at work")
			}
			var now pull
			c.api(vroni, http.MethodGet, fmt.Sprintf("/repos/%s/pulls/%d", siteRepo, p.Number), nil, &now)
			if !now.Mergeable {
				return fmt.Errorf("#%d cannot be merged", p.Number)
			}
			return nil
		})
		asked, answered := c.merge(p)
		c.wantOut(posts + 1 + i)
		all = append(all, c.stages(asked, answered, time.Now()))
	}
	t.Logf("ms after the merge was answered, median (min–max) of %d:", merges)
	for _, row := range []struct {
		name string
		of   func(stages) time.Duration
	}{
		{"the webhook arrives", func(s stages) time.Duration { return s.webhook }},
		{"the commit is fetched", func(s stages) time.Duration { return s.fetched }},
		{"the claim is pushed", func(s stages) time.Duration { return s.claimed }},
		{"both networks have answered", func(s stages) time.Duration { return s.sent }},
		{"the post is seen on both", func(s stages) time.Duration { return s.seen }},
		{"of which ours", func(s stages) time.Duration { return s.ours }},
	} {
		var ms []int64
		for _, s := range all {
			ms = append(ms, row.of(s).Milliseconds())
		}
		slices.Sort(ms)
		t.Logf("| %s | %d (%d–%d) |", row.name, ms[merges/2], ms[0], ms[merges-1])
	}
}

// stages are when things happened after a merge was answered.
type stages struct {
	webhook, fetched, claimed, sent, seen time.Duration
	// ours is the time from the webhook to the last answer of a network in which nobody else was at work for us.
	ours time.Duration
}

// stages finds them among what was asked since a merge was asked for.
func (c *chain) stages(asked, answered, seen time.Time) stages {
	t := c.t
	t.Helper()
	hooks := c.hooks.since(asked)
	if len(hooks) == 0 {
		t.Fatal("no webhook came")
	}
	webhook := hooks[0].began
	git := c.git.since(webhook)
	push := slices.IndexFunc(git, func(x call) bool { return path.Base(x.path) == "git-receive-pack" })
	if push < 0 {
		t.Fatalf("nothing was pushed: %+v", git)
	}
	claimed := git[push].ended
	var fetched, sent time.Time
	for _, x := range git[:push] {
		if path.Base(x.path) == "git-upload-pack" {
			fetched = x.ended
		}
	}
	sends := append(c.bluesky.since(claimed), c.fedi.since(claimed)...)
	for _, x := range sends {
		if x.method == http.MethodPost && x.ended.After(sent) {
			sent = x.ended
		}
	}
	return stages{
		webhook.Sub(answered), fetched.Sub(answered), claimed.Sub(answered), sent.Sub(answered), seen.Sub(answered),
		idle(webhook, sent, append(sends, git...)),
	}
}

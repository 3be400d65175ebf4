package servers

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The posts of the sample site that the tests look at.
const (
	theNine   = "content/2026/12/the-nine/index.md"                // picture, mention, tags; links
	bent      = "content/2026/12/how-a-runner-is-bent/index.md"    // a thread of four, with a picture
	runs      = "content/2026/12/sled-runs/index.md"               // a link card with a picture of its own
	loop      = "content/2026/12/the-loop.md"                      // a content warning; a link card that is read from its page
	nikolaus  = "content/2026/12/nikolaus.md"                      // in German
	bell      = "content/2026/12/bell-or-lantern.md"               // a poll
	thursday  = "content/2026/12/repair-thursday.md"               // repeated; unlisted on the fediverse
	cameBack  = "content/2026/12/the-sled-that-came-back/index.md" // cut into a thread where needed
	orders    = "content/2026/12/last-orders.md"                   // expires
	letter    = "content/2026/12/december-letter.md"               // TOML; for the webhook
	christmas = "content/2026/12/christmas-eve.md"                 // for all accounts
)

// TestRealSampleSite publishes the sample site with the program as it is built, and reads everything back
// through the servers' own APIs.
func TestRealSampleSite(t *testing.T) {
	w := newWorld(t)
	page, card := newPage(t)
	files := w.sample(theNine, bent, runs, loop, nikolaus, bell, thursday, cameBack, orders, letter, christmas)
	files[loop] = replaceOnce(t, files[loop], "https://fichtl.example/loop", page)
	files[thursday] = replaceOnce(t, files[thursday], "FREQ=WEEKLY;BYDAY=TH;COUNT=3", "FREQ=WEEKLY;COUNT=3")
	c := w.clone()
	c.write(files)
	c.push("the sample site")

	first := c.publish(0)
	want := outcomes("published", theNine, bent, runs, loop, nikolaus, thursday, cameBack, orders, christmas)
	want[bell+" → fedi"], want[letter+" → newsletter"], want[christmas+" → newsletter"] = "published", "published", "published"
	if diff := cmp.Diff(want, first.outcomes()); diff != "" {
		t.Fatalf("first run (-want +got):\n%s", diff)
	}
	for _, d := range first.Deliveries {
		t.Run(path.Base(strings.TrimSuffix(d.Path, "/index.md"))+" on "+d.Account, func(t *testing.T) {
			c := c.with(t)
			switch d.Account {
			case "bluesky":
				c.compareBluesky(&d, c.render(d.Path, d.Account), card)
			case "fedi":
				c.compareFedi(&d, c.render(d.Path, d.Account))
			case "newsletter":
				c.compareHook(&d, c.render(d.Path, d.Account))
			}
		})
	}
	c.holdsExactlyTheLedger()
	if again := c.publish(0); len(again.Deliveries) != 0 {
		t.Errorf("a second run sends %+v", again.Deliveries)
	}

	t.Run("edit", func(t *testing.T) { c.with(t).testEdit(first) })
	t.Run("withdraw", func(t *testing.T) { c.with(t).testWithdraw(first) })
	t.Run("ledger", func(t *testing.T) { c.with(t).testLedger(first) })
}

// outcomes returns one outcome on both social networks, for posts, as [report.outcomes] does.
func outcomes(outcome string, posts ...string) map[string]string {
	all := map[string]string{}
	for _, name := range posts {
		all[name+" → bluesky"], all[name+" → fedi"] = outcome, outcome
	}
	return all
}

// with returns the clone for a subtest.
func (c *clone) with(t *testing.T) *clone {
	w := *c.world
	w.t = t
	return &clone{&w, c.dir}
}

// newPage serves a web page with the words and the picture of a link card, and returns its address and
// the card that is made from it.
func newPage(t *testing.T) (address string, card map[string]any) {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 32, 16))); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /loop", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<html><head><title>-</title><meta property="og:title" content="The loop &amp; the Seven">`+
			`<meta property="og:description" content="Für jeden Siebener."><meta property="og:image" content="/loop.png"></head></html>`)
	})
	mux.HandleFunc("GET /loop.png", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(picture.Bytes())
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/loop", map[string]any{
		"title": "The loop & the Seven", "description": "Für jeden Siebener.", "thumb": blobOf(picture.Bytes(), "image/png"),
	}
}

// compareBluesky reads a delivery's records back and compares them with what render says.
func (c *clone) compareBluesky(d *delivery, r *rendering, card map[string]any) {
	c.t.Helper()
	b := c.bskyReader()
	if len(d.Parts) != len(r.Parts) {
		c.t.Fatalf("%d parts, want %d", len(d.Parts), len(r.Parts))
	}
	var root, parent map[string]any
	lastCreated := ""
	for i, part := range d.Parts {
		got, err := b.get(part.ID)
		if err != nil {
			c.t.Fatal(err)
		}
		want := c.postOn(r, i, card)
		if parent != nil {
			want["reply"] = map[string]any{"root": root, "parent": parent}
		}
		created, _ := got.Value["createdAt"].(string)
		delete(got.Value, "createdAt")
		if diff := cmp.Diff(want, got.Value); diff != "" {
			c.t.Errorf("part %d (-rendered +on the PDS):\n%s", i, diff)
		}
		if at, err := time.Parse(time.RFC3339, created); err != nil || created <= lastCreated || time.Since(at).Abs() > time.Hour {
			c.t.Errorf("part %d was created at %q, the one before at %q", i, created, lastCreated)
		}
		lastCreated = created
		for _, cid := range blobs(got.Value) {
			data := b.blob(cid)
			if ref := blobOf(data, "")["ref"].(map[string]any)["$link"]; ref != cid {
				c.t.Errorf("the file %s has the CID %s", cid, ref)
			}
		}
		parent = map[string]any{"uri": got.URI, "cid": got.CID}
		if root == nil {
			root = parent
		}
		if want := c.pds.URL + "/profile/" + c.pds.DID + "/post/" + path.Base(part.ID); part.URL != want {
			c.t.Errorf("address %q, want %q", part.URL, want)
		}
	}
}

// compareFedi reads a delivery's statuses back and compares them with what render says.
func (c *clone) compareFedi(d *delivery, r *rendering) {
	c.t.Helper()
	f := c.fediReader()
	if len(d.Parts) != len(r.Parts) {
		c.t.Fatalf("%d parts, want %d", len(d.Parts), len(r.Parts))
	}
	for i, part := range d.Parts {
		s, err := f.get(part.ID)
		if err != nil {
			c.t.Fatal(err)
		}
		want := &r.Parts[i]
		if got := f.text(s.ID); got != want.Text {
			c.t.Errorf("part %d (-rendered +on GoToSocial):\n%s", i, cmp.Diff(want.Text, got))
		}
		parent := ""
		if i > 0 {
			parent = d.Parts[i-1].ID
		}
		type facts struct {
			URL, Language, Visibility, Warning, ReplyTo string
			Sensitive                                   bool
		}
		got := facts{s.URL, s.Language, s.Visibility, s.Spoiler, s.ReplyTo, s.Sensitive}
		if diff := cmp.Diff(facts{
			part.URL, r.Language[0], r.Visibility, r.ContentWarning, parent, r.Sensitive || r.ContentWarning != "",
		}, got); diff != "" {
			c.t.Errorf("part %d (-rendered +on GoToSocial):\n%s", i, diff)
		}
		c.compareFediFacets(want.Text, s, r, i)
		c.compareFediMedia(want.Media, s)
	}
	if want := partIDs(d.Parts[1:]); len(want) > 0 {
		if got := f.answers(d.Parts[0].ID); !slices.Equal(got, want) {
			c.t.Errorf("the thread has the answers %v, want %v", got, want)
		}
	}
	s, err := f.get(d.Parts[0].ID)
	if err != nil {
		c.t.Fatal(err)
	}
	switch {
	case (r.Poll == nil) != (s.Poll == nil):
		c.t.Errorf("poll %+v, want %+v", s.Poll, r.Poll)
	case r.Poll != nil:
		var options []string
		for _, o := range s.Poll.Options {
			options = append(options, o.Title)
		}
		ends := s.CreatedAt.Add(time.Duration(r.Poll.Seconds) * time.Second)
		if !slices.Equal(options, r.Poll.Options) || s.Poll.Multiple != r.Poll.Multiple || s.Poll.ExpiresAt.Sub(ends).Abs() > 5*time.Second {
			c.t.Errorf("poll %+v, want %+v", s.Poll, r.Poll)
		}
	}
}

func (c *clone) compareFediFacets(text string, s *status, r *rendering, i int) {
	c.t.Helper()
	var tags, mentions []string
	for _, f := range r.Parts[i].Facets {
		switch f.Kind {
		case "tag":
			tags = append(tags, strings.ToLower(f.Value))
		case "mention":
			mentions = append(mentions, f.Value)
		case "link":
			if !strings.Contains(s.Content, `href="`+f.Value+`"`) {
				c.t.Errorf("part %d of %q has no link to %s: %s", i, text, f.Value, s.Content)
			}
		}
	}
	var gotTags, gotMentions []string
	for _, tag := range s.Tags {
		gotTags = append(gotTags, strings.ToLower(tag.Name))
	}
	for _, m := range s.Mentions {
		gotMentions = append(gotMentions, m.Acct)
	}
	for _, list := range []*[]string{&tags, &gotTags, &mentions, &gotMentions} {
		slices.Sort(*list)
	}
	if !slices.Equal(tags, gotTags) || !slices.Equal(mentions, gotMentions) {
		c.t.Errorf("part %d has the tags %q and mentions %q, want %q and %q", i, gotTags, gotMentions, tags, mentions)
	}
}

func (c *clone) compareFediMedia(want []mediaFile, s *status) {
	c.t.Helper()
	if len(s.Media) != len(want) {
		c.t.Errorf("%d attachments, want %d", len(s.Media), len(want))
		return
	}
	for i, m := range s.Media {
		size := m.Meta.Original
		if m.Type != "image" || m.Description != want[i].Alt || size.Width != want[i].Width || size.Height != want[i].Height {
			c.t.Errorf("attachment %+v, want %+v", m, want[i])
		}
		data, err := download(c.t.Context(), m.URL)
		if err != nil {
			c.t.Fatal(err)
		}
		if !bytes.Equal(data, c.file(want[i].File)) {
			c.t.Errorf("the attachment of %s has %d bytes, which are not the file's", want[i].File, len(data))
		}
	}
}

// compareHook compares what the receiver of webhooks was told.
func (c *clone) compareHook(d *delivery, r *rendering) {
	c.t.Helper()
	for _, p := range c.hook.Posts() {
		if p.ID != d.ID {
			continue
		}
		if p.Text != r.Parts[0].Text || p.URL != d.URL || len(p.Media) != len(r.Parts[0].Media) {
			c.t.Errorf("the receiver has %+v, want %+v", p, r.Parts[0])
		}
		return
	}
	c.t.Errorf("the receiver has no post %q", d.ID)
}

func partIDs(parts []remotePart) (ids []string) {
	for _, p := range parts {
		ids = append(ids, p.ID)
	}
	return ids
}

// holdsExactlyTheLedger compares all posts on both servers with the ledger: nothing twice, nothing lost.
func (c *clone) holdsExactlyTheLedger() {
	c.t.Helper()
	want := map[string][]string{}
	for name, r := range c.records() {
		switch {
		case r.State == "withdrawn":
		case r.State != "published":
			c.t.Errorf("the record of %s is %s", name, r.State)
		default:
			want[r.Account] = append(want[r.Account], partIDs(r.Parts)...)
		}
	}
	got := map[string][]string{}
	for _, r := range c.bskyReader().list() {
		got["bluesky"] = append(got["bluesky"], r.URI)
	}
	for _, s := range c.fediReader().list() {
		got["fedi"] = append(got["fedi"], s.ID)
	}
	for _, p := range c.hook.Posts() {
		got["newsletter"] = append(got["newsletter"], p.ID)
	}
	for _, ids := range []map[string][]string{want, got} {
		for _, list := range ids {
			slices.Sort(list)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.t.Errorf("what is out (-ledger +servers):\n%s", diff)
	}
}

// testEdit changes texts, and an alt text, of what is out.
func (c *clone) testEdit(first *report) {
	t := c.t
	c.edit(theNine, "This morning there are nine.", "This morning — grüß Gott! — there are nine.")
	c.edit(theNine, "Its rope lies in the snow.", "Its rope lies in the deep snow.")
	c.edit(bent, "then whoever had the watch buys lunch", "then whoever had the watch buys lunch for all")
	c.edit(bell, "There is one hole left at the back of the Nine.", "There is one hole left at the back of it.")
	c.edit(runs, "each of them ends at the station or at soup", "each ends at the station or at soup")
	c.push("better words")

	r := c.publish(0)
	want := outcomes("updated", theNine, bent, runs)
	want[bell+" → fedi"] = "updated"
	if diff := cmp.Diff(want, r.outcomes()); diff != "" {
		t.Fatalf("after the edit (-want +got):\n%s", diff)
	}
	for _, d := range r.Deliveries {
		before := first.of(t, d.Path, d.Account)
		if diff := cmp.Diff(before.Parts, d.Parts); diff != "" {
			t.Errorf("%s → %s has moved (-before +after):\n%s", d.Path, d.Account, diff)
		}
		now := c.render(d.Path, d.Account)
		if d.Account == "fedi" {
			c.compareFedi(&d, now)
			continue
		}
		for i, part := range d.Parts {
			got, err := c.bskyReader().get(part.ID)
			if err != nil {
				t.Fatal(err)
			}
			want := c.postOn(now, i, nil)
			delete(got.Value, "createdAt")
			if i > 0 { // answers keep pointing to the state they answered
				want["reply"] = got.Value["reply"]
			}
			if diff := cmp.Diff(want, got.Value); diff != "" {
				t.Errorf("%s part %d (-rendered +on the PDS):\n%s", d.Path, i, diff)
			}
		}
	}
	c.holdsExactlyTheLedger()
}

// testWithdraw takes two posts down by word and one by its date.
func (c *clone) testWithdraw(first *report) {
	t := c.t
	c.edit(bent, "title: How a runner is bent\n", "title: How a runner is bent\nwithdraw: true\n")
	c.edit(nikolaus, "title: Nikolaus\n", "title: Nikolaus\nwithdraw: true\n")
	c.write(map[string]string{orders: withTime(string(c.file(orders)), time.Now().Add(-time.Second), expiresAt)})
	c.push("take three down")

	r := c.publish(0)
	if diff := cmp.Diff(outcomes("withdrawn", bent, nikolaus, orders), r.outcomes()); diff != "" {
		t.Fatalf("after the withdrawal (-want +got):\n%s", diff)
	}
	for _, d := range r.Deliveries {
		for _, part := range first.of(t, d.Path, d.Account).Parts {
			eventually(t, func() error {
				var err error
				gone := "RecordNotFound"
				if d.Account == "bluesky" {
					_, err = c.bskyReader().get(part.ID)
				} else {
					_, err = c.fediReader().get(part.ID)
					gone = "404"
				}
				if err == nil || !strings.Contains(err.Error(), gone) {
					return fmt.Errorf("%s answers %v, want %s", part.ID, err, gone)
				}
				return nil
			})
		}
	}
	c.holdsExactlyTheLedger()
}

// testLedger reads the ledger's branch on the remote with git.
func (c *clone) testLedger(first *report) {
	t := c.t
	const branch = "postrider/ledger"
	if out := c.git(c.remote, "fsck", "--full", "--strict", "--no-dangling"); out != "" {
		t.Errorf("git fsck of the remote: %s", out)
	}
	if out := c.git(c.dir, "fsck", "--full", "--strict", "--no-dangling"); out != "" {
		t.Errorf("git fsck of the clone: %s", out)
	}
	if out := c.git(c.dir, "status", "--porcelain"); out != "" {
		t.Errorf("the work tree was touched: %s", out)
	}
	if out := c.git(c.remote, "rev-list", "--count", "main"); out != "3\n" {
		t.Errorf("main has %s commits, want ours", out)
	}

	// Every delivery has an intent, and later a result with its addresses. git itself reads the trailers.
	type event struct {
		at      int // the commit, oldest first
		outcome string
	}
	const format = "--format=%x00%(trailers:only,unfold)"
	history := map[string][]event{}
	addresses := map[string]bool{}
	runs := map[string]bool{}
	for at, commit := range strings.Split(c.git(c.remote, "log", "--reverse", format, branch), "\x00")[1:] {
		post, account := "", ""
		for line := range strings.Lines(commit) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "Post":
				post, _, _ = strings.Cut(value, "+") // without the occurrence
			case "Account":
				account = value
			case "Outcome":
				history[post+" → "+account] = append(history[post+" → "+account], event{at, value})
			case "Url":
				addresses[value] = true
			case "Run":
				runs[value] = true
			}
		}
		if post == "" && at > 0 { // the first one begins the ledger
			t.Errorf("commit %d of the ledger has no trailers: %s", at, commit)
		}
	}
	readme := c.git(c.remote, "show", branch+":README.md")
	for _, d := range first.Deliveries {
		events := history[d.Post+" → "+d.Account]
		if len(events) < 2 || events[0].outcome != "sending" || events[1].outcome != "published" || events[0].at >= events[1].at {
			t.Errorf("%s → %s has the history %v, want an intent, and later its result", d.Path, d.Account, events)
		}
		for _, p := range d.Parts {
			if p.URL != "" && !addresses[p.URL] {
				t.Errorf("the ledger's log lacks the address %s of %s", p.URL, d.Path)
			}
		}
		if row := "| " + d.Account + " | [published](" + d.URL + ") |"; d.URL != "" && !strings.Contains(readme, row) {
			t.Errorf("the README lacks %q:\n%s", row, readme)
		}
	}
	if !runs[first.Run] {
		t.Errorf("the ledger's log lacks the run %s, has %v", first.Run, runs)
	}
	for _, outcome := range []string{"updated", "withdrawn"} {
		if !strings.Contains(readme, outcome) {
			t.Errorf("the README has no row that says %s:\n%s", outcome, readme)
		}
	}
	everything := c.git(c.remote, "log", "--patch", "--format=%B", branch)
	for name, value := range c.secrets {
		if strings.Contains(everything, value) {
			t.Errorf("the secret of %s is in the ledger", name)
		}
	}
}

// TestRealLostAnswers loses the servers' answers to creating requests. In the end every post is there
// exactly once, and the ledger knows where.
func TestRealLostAnswers(t *testing.T) {
	w := newWorld(t)
	networks := []*lossy{
		newLossy(t, w.pds.URL, "/xrpc/com.atproto.repo.putRecord"),
		newLossy(t, w.gts.URL, "/api/v1/statuses"),
	}
	files := w.sample()
	files["site.yaml"] = w.siteYAML(networks[0].URL, networks[1].URL)
	c := w.clone()
	c.write(files)
	c.push("the sample site")

	accounts := []string{"bluesky", "fedi"}
	for _, tt := range []struct {
		name string
		post string
		how  loss
		skip [2]int      // creating requests that go well first, on each network
		runs [2][]string // outcomes on each network, run by run
	}{
		{"found at once", nikolaus, dropped, [2]int{}, [2][]string{{"published"}, {"published"}}},
		{"found with a picture", christmas, dropped, [2]int{}, [2][]string{{"published"}, {"published"}}},
		{"found by the next run", runs, severed, [2]int{}, [2][]string{{"unknown", "published"}, {"unknown", "published"}}},
		// Bluesky is sent the lost part again under its key, in the same run. GoToSocial knows no keys, so half a thread may
		// be followed by a part that is still on its way: the run waits two minutes before it goes on. Here, it loses the
		// last part.
		{"thread", bent, dropped, [2]int{1, 3}, [2][]string{{"published"}, {"published"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := c.with(t)
			c.makeDue(tt.post)
			for i, n := range networks {
				n.lose(tt.how, tt.skip[i])
			}
			for run := range max(len(tt.runs[0]), len(tt.runs[1])) {
				want, code := map[string]string{}, 0
				for i, account := range accounts {
					if run < len(tt.runs[i]) {
						want[tt.post+" → "+account] = tt.runs[i][run]
					}
					if want[tt.post+" → "+account] == "unknown" {
						code = 1
					}
				}
				got := c.publish(code).outcomes()
				delete(got, tt.post+" → newsletter")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("run %d (-want +got):\n%s", run+1, diff)
				}
				for _, n := range networks {
					n.mend()
				}
			}
			c.settled(tt.post, networks)
		})
	}

	for _, tt := range []struct {
		name string
		post string
		skip int
	}{
		{"killed", theNine, 0},
		{"killed inside a thread", cameBack, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := c.with(t)
			c.makeDue(tt.post)
			skips := []int{tt.skip, tt.skip}
			if len(c.render(tt.post, "fedi").Parts) == 1 {
				skips[1] = 0
			}
			var held []<-chan struct{}
			for i, n := range networks {
				held = append(held, n.lose(kept, skips[i]))
			}
			began := time.Now()
			cmd := c.command("publish", "--json")
			var output bytes.Buffer
			cmd.Stdout, cmd.Stderr = &output, &output
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for _, h := range held {
				select {
				case <-h:
				case <-time.After(patience):
					t.Errorf("a server was not reached within %v", patience)
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
			err := cmd.Wait()
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("the run ended with %v instead of being killed: %s", err, &output)
			}
			t.Logf("killed after %v", time.Since(began).Round(time.Millisecond))

			other := c.clone()
			r := other.publish(0)
			for _, account := range accounts {
				if d := r.of(t, tt.post, account); d.Outcome != "published" {
					t.Errorf("from another clone: %s is %s (%s)", account, d.Outcome, d.Error)
				}
			}
			other.settled(tt.post, networks)
		})
	}
	if out := c.git(c.remote, "fsck", "--full", "--strict", "--no-dangling"); out != "" {
		t.Errorf("git fsck of the remote: %s", out)
	}
}

// makeDue makes a post of the sample site due, and pushes that.
func (c *clone) makeDue(name string) {
	c.t.Helper()
	c.git(c.dir, "pull", "--quiet", "origin", "main")
	c.write(map[string]string{name: withTime(string(c.file(name)), time.Now().Add(-time.Minute), publishAt)})
	c.push("publish " + name)
}

// settled checks that a post is out exactly once on both networks, complete, and that nothing is left to do.
func (c *clone) settled(name string, networks []*lossy) {
	c.t.Helper()
	c.holdsExactlyTheLedger()
	if again := c.publish(0); len(again.Deliveries) != 0 {
		c.t.Errorf("one more run sends %+v", again.Deliveries)
	}
	records := c.records()
	parts := make([]int, len(networks))
	for i, account := range []string{"bluesky", "fedi"} {
		r := c.render(name, account)
		parts[i] = len(r.Parts)
		d := &delivery{Path: name, Account: account, Parts: records[r.post+" → "+account].Parts}
		if account == "fedi" {
			c.compareFedi(d, r)
			continue
		}
		for k := range d.Parts { // the program knows the proxy, not the server
			d.Parts[k].URL = strings.Replace(d.Parts[k].URL, networks[i].URL, c.pds.URL, 1)
		}
		c.compareBluesky(d, r, nil)
	}
	for i, n := range networks {
		if asked := n.requests(); asked != parts[i] {
			c.t.Errorf("%d creating requests for %d parts on %s", asked, parts[i], n.creates)
		}
	}
}

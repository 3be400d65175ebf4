package servers

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/review"
)

// reviewContext is how the review is called among the checks of a commit.
const reviewContext = "postrider/review"

// fresh is a post that a branch adds.
const fresh = "content/2026/12/fresh-bread.md"

const freshText = "---\nid: f7r3shbr\ntitle: Fresh bread\n---\nThe bakery has sent us bread. Knödel has sent it back, in pieces.\n"

// TestRealReview reviews pull requests on a real code host: from a branch, pushed to twice, and from a fork.
func TestRealReview(t *testing.T) {
	f := worldOf(t, PDS{Handle: "fichtl.test", AppPassword: "abcd-efgh-ijkl-mnop", URL: "https://pds.example"},
		GoToSocial{Account: "fichtl", Token: "0123456789abcdef", URL: "https://fedi.example"}).withGitea()
	c := f.clone()
	c.write(f.sample())
	c.push("the sample site")

	t.Run("branch", func(t *testing.T) { f.with(t).testReviewOfBranch() })
	t.Run("fork", func(t *testing.T) { f.with(t).testReviewOfFork() })
}

// with returns the world for a subtest.
func (f *forgeWorld) with(t *testing.T) *forgeWorld {
	w := *f.world
	w.t = t
	return &forgeWorld{&w, f.gitea, f.events}
}

// pushBranch commits everything on a branch of its own, pushes it, and returns the commit.
func (c *clone) pushBranch(branch, message string) string {
	c.t.Helper()
	c.git(c.dir, "checkout", "--quiet", "-B", branch)
	c.git(c.dir, "add", "--all")
	c.git(c.dir, "commit", "--quiet", "--message", message)
	c.git(c.dir, "push", "--quiet", "origin", branch)
	return strings.TrimSpace(c.git(c.dir, "rev-parse", "HEAD"))
}

// review runs review --post, which must end with a code, and returns what it prints for people.
func (c *clone) review(code int) (notes string) {
	c.t.Helper()
	cmd := c.command("review", "--post")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if _, ended := errors.AsType[*exec.ExitError](err); !ended {
			c.t.Fatal(err)
		}
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		c.t.Fatalf("review --post ends with %d, want %d:\n%s%s", got, code, &stdout, &stderr)
	}
	for name, value := range c.secrets {
		if strings.Contains(stdout.String()+stderr.String(), value) {
			c.t.Errorf("review --post prints the secret of %s", name)
		}
	}
	return stderr.String()
}

// reviews returns the comments of one user under a pull request.
func (f *forgeWorld) reviews(number int, user string) (own []remark) {
	f.t.Helper()
	for _, r := range f.remarks(number) {
		if r.User.Login == user {
			own = append(own, r)
		}
	}
	return own
}

// wantStatus checks how a check of a commit went.
func (f *forgeWorld) wantStatus(commit, context, want string) {
	f.t.Helper()
	if got, text := f.statusOf(commit, context); got != want || text == "" {
		f.t.Errorf("%s of %.10s is %q (%s), want %q", context, commit, got, text, want)
	}
}

func (f *forgeWorld) testReviewOfBranch() {
	t := f.t
	c := f.clone()
	c.write(map[string]string{fresh: freshText})
	c.edit(nikolaus, "Neun Stiefel, acht Mandarinen.", "Neun Stiefel, sieben Mandarinen.")
	first := c.pushBranch("bread", "Fresh bread")
	p := f.open(vroni, "bread", "Fresh bread")
	for _, text := range []string{"Nice bread.", review.Marker + "\nI am a review, too."} {
		f.api(anni, "POST", fmt.Sprintf("/repos/%s/issues/%d/comments", siteRepo, p.Number), map[string]string{"body": text}, nil)
	}
	others := f.reviews(p.Number, anni)

	ref := fmt.Sprintf("refs/pull/%d/head", p.Number)
	notes := f.job(f.events.wait(t, "pull_request", first), ref).review(0)
	if want := fmt.Sprintf("the review is under pull request %d: %s/%s/pulls/%d#issuecomment-", p.Number, f.gitea.URL, siteRepo, p.Number); !strings.Contains(notes, want) {
		t.Errorf("it says %q, want %q", notes, want)
	}
	own := f.reviews(p.Number, robot)
	if len(own) != 1 {
		t.Fatalf("%d comments of the robot", len(own))
	}
	for _, want := range []string{review.Marker, "Knödel has sent it back", "sieben", fresh, nikolaus, "goes out at once", "bluesky", "fedi"} {
		if !strings.Contains(own[0].Body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, own[0].Body)
		}
	}
	f.wantStatus(first, reviewContext, "success")

	// Again, without a push: nothing is written.
	if notes := f.job(f.events.wait(t, "pull_request", first), ref).review(0); strings.Contains(notes, "the review is under") {
		t.Errorf("the same again: %s", notes)
	}

	// A second push brings a mistake: the same comment says so, and the new commit is red.
	c.write(map[string]string{fresh: strings.Replace(freshText, "title:", "platforms: [myspace]\ntitle:", 1)})
	second := c.pushBranch("bread", "Bread for everybody")
	f.job(f.events.wait(t, "pull_request", second), ref).review(1)
	now := f.reviews(p.Number, robot)
	if len(now) != 1 || now[0].ID != own[0].ID || now[0].Body == own[0].Body || !strings.Contains(now[0].Body, "myspace") {
		t.Errorf("after the second push the robot's comments are %+v, want the one of before, with other words", now)
	}
	f.wantStatus(second, reviewContext, "failure")
	f.wantStatus(first, reviewContext, "success")
	if diff := cmp.Diff(others, f.reviews(p.Number, anni)); diff != "" {
		t.Errorf("what Anni has written (-before +after):\n%s", diff)
	}
}

// testReviewOfFork is the review of a pull request from a fork, by a job on the branch that is published, which runs after the fork's own.
func (f *forgeWorld) testReviewOfFork() {
	t := f.t
	f.api(xaver, "POST", "/repos/"+siteRepo+"/forks", map[string]string{"name": "our-site"}, nil)
	c := f.clone()
	c.git(c.dir, "remote", "set-url", "origin", f.address(xaver, "xaver/our-site"))
	c.write(map[string]string{fresh: strings.Replace(freshText, "Knödel", "The cat", 1)})
	head := c.pushBranch("cat", "Bread for the cat")
	p := f.open(xaver, "xaver:cat", "Bread for the cat")

	f.job(f.events.wait(t, "pull_request", head), fmt.Sprintf("refs/pull/%d/head", p.Number)).review(0)
	own := f.reviews(p.Number, robot)
	if len(own) != 1 || !strings.Contains(own[0].Body, "The cat has sent it back") {
		t.Fatalf("the robot's comments are %+v", own)
	}
	f.wantStatus(head, reviewContext, "success")
	if all := f.remarks(p.Number); !slices.EqualFunc(all, own, func(a, b remark) bool { return a == b }) {
		t.Errorf("the comments are %+v", all)
	}
}

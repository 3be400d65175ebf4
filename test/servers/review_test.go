package servers

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/review"
)

// fresh is a post that a branch adds.
const fresh = "content/2026/12/fresh-bread.md"

const freshText = "---\nid: f7r3shbr\ntitle: Fresh bread\n---\nThe bakery has sent us bread. Knödel has sent it back, in pieces.\n"

// The workflows that review pull requests: of the repository's own branches, and, in two steps, of forks. They are those of docs/REVIEW.md.
var reviewWorkflows = map[string]string{
	".gitea/workflows/own.yml": `on: pull_request
permissions: {contents: write, pull-requests: write}
jobs:
  review:
    if: github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    steps: [{run: postrider review --post}]
`,
	".gitea/workflows/check.yml": `name: check
on: pull_request
permissions: {contents: read}
jobs:
  check:
    if: github.event.pull_request.head.repo.full_name != github.repository
    runs-on: ubuntu-latest
    steps: [{run: postrider check}]
`,
	".gitea/workflows/fork.yml": `on:
  workflow_run: {workflows: [check], types: [completed]}
permissions: {contents: write, pull-requests: write}
jobs:
  review:
    if: github.event.workflow_run.event == 'pull_request'
    runs-on: ubuntu-latest
    steps: [{run: postrider review --post}]
`,
}

// TestRealReview reviews pull requests on a real code host, in its own workflows' jobs: from a branch, pushed to twice, and from a fork.
func TestRealReview(t *testing.T) {
	f := worldOf(t, PDS{Handle: "fichtl.test", AppPassword: "abcd-efgh-ijkl-mnop", URL: "https://pds.example"},
		GoToSocial{Account: "fichtl", Token: "0123456789abcdef", URL: "https://fedi.example"}).withGitea()
	c := f.clone()
	c.write(f.sample())
	c.write(reviewWorkflows)
	c.push("the sample site")
	r := f.runner()

	t.Run("branch", func(t *testing.T) { r.with(t).testReviewOfBranch() })
	t.Run("fork", func(t *testing.T) { r.with(t).testReviewOfFork() })
}

// with returns the runner for a subtest.
func (r *runner) with(t *testing.T) *runner {
	w := *r.f.world
	w.t = t
	return &runner{&forgeWorld{&w, r.f.gitea}, r.api}
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

// wantStatus checks how the review of a commit went.
func (f *forgeWorld) wantStatus(commit, want string) {
	f.t.Helper()
	if got, text := f.statusOf(commit, "postrider/review"); got != want || text == "" {
		f.t.Errorf("the review of %.10s is %q (%s), want %q", commit, got, text, want)
	}
}

// wantPictures checks that a comment shows so many pictures, and that those who see the repository see them.
func (f *forgeWorld) wantPictures(comment string, want int) {
	f.t.Helper()
	shown := regexp.MustCompile(`\n!\[[^\]]*\]\(<([^>]+)>\)\n`).FindAllStringSubmatch(comment, -1)
	if len(shown) != want {
		f.t.Fatalf("the comment shows %d pictures, want %d:\n%s", len(shown), want, comment)
	}
	browser := f.browser()
	for _, m := range shown {
		req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, m[1], nil)
		if err != nil {
			f.t.Fatal(err)
		}
		resp, err := browser.Do(req)
		if err != nil {
			f.t.Fatal(err)
		}
		if _, err := png.Decode(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			f.t.Errorf("%s: %s, %v", m[1], resp.Status, err)
		}
		if err := resp.Body.Close(); err != nil {
			f.t.Error(err)
		}
	}
}

func (r *runner) testReviewOfBranch() {
	f, t := r.f, r.f.t
	c := f.clone()
	c.write(map[string]string{fresh: freshText})
	c.edit(nikolaus, "Neun Stiefel, acht Mandarinen.", "Neun Stiefel, sieben Mandarinen.")
	first := c.pushBranch("bread", "Fresh bread")
	p := f.open(vroni, "bread", "Fresh bread")
	for _, text := range []string{"Nice bread.", review.Marker + "\nI am a review, too."} {
		f.api(anni, http.MethodPost, fmt.Sprintf("/repos/%s/issues/%d/comments", siteRepo, p.Number), map[string]string{"body": text}, nil)
	}
	others := f.remarks(p.Number)

	j := r.next("own.yml")
	notes := r.checkout(j).review(0)
	if want := fmt.Sprintf("the review is under pull request %d: %s/%s/pulls/%d#issuecomment-", p.Number, f.gitea.URL, siteRepo, p.Number); !strings.Contains(notes, want) {
		t.Errorf("it says %q, want %q", notes, want)
	}
	all := f.remarks(p.Number)
	if len(all) != len(others)+1 {
		t.Fatalf("the comments are %+v", all)
	}
	own := all[len(others)]
	for _, want := range []string{fresh, "Knödel has sent it back", "goes out at once", nikolaus, "sieben", "bluesky", "fedi"} {
		if !strings.Contains(own.Body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, own.Body)
		}
	}
	f.wantStatus(first, "success")
	f.wantPictures(own.Body, 2)

	// Again, without a push: nothing is written, unless another minute has begun, which the comment's foot tells.
	notes = r.checkout(j).review(0)
	if all = f.remarks(p.Number); len(all) != len(others)+1 {
		t.Fatalf("the comments are %+v", all)
	}
	again := all[len(others)]
	timeless := func(body string) string { return regexp.MustCompile(`compared with .*`).ReplaceAllString(body, "") }
	if written := strings.Contains(notes, "the review is under"); written != (again.Body != own.Body) || again.ID != own.ID || timeless(again.Body) != timeless(own.Body) {
		t.Errorf("the same again: %s\n%s\nbecomes\n%s", notes, own.Body, again.Body)
	}
	r.end(j)

	// A second push brings a mistake: the same comment says so, and the new commit is red.
	c.write(map[string]string{fresh: strings.Replace(freshText, "title:", "platforms: [myspace]\ntitle:", 1)})
	second := c.pushBranch("bread", "Bread for everybody")
	j = r.next("own.yml")
	r.checkout(j).review(1)
	r.end(j)
	all = f.remarks(p.Number)
	now := all[len(all)-1]
	if !strings.Contains(now.Body, "myspace") {
		t.Errorf("after the second push the comment is\n%s", now.Body)
	}
	now.Body = own.Body
	if diff := cmp.Diff(append(others, own), append(all[:len(all)-1:len(all)-1], now)); diff != "" {
		t.Errorf("other comments than its own have changed (-want +got):\n%s", diff)
	}
	f.wantStatus(second, "failure")
	f.wantStatus(first, "success")
}

// testReviewOfFork is a pull request from a fork. The job that runs for it may not write; the one that runs after it does, from the branch
// that is published.
func (r *runner) testReviewOfFork() {
	f, t := r.f, r.f.t
	f.api(xaver, http.MethodPost, "/repos/"+siteRepo+"/forks", map[string]string{"name": "our-site"}, nil)
	c := f.clone()
	c.git(c.dir, "remote", "set-url", "origin", f.address(xaver, "xaver/our-site"))
	c.write(map[string]string{fresh: strings.Replace(freshText, "Knödel", "The cat", 1)})
	head := c.pushBranch("cat", "Bread for the cat")
	p := f.open(xaver, "xaver:cat", "Bread for the cat")
	f.allow(p)

	j := r.next("check.yml")
	if notes := r.checkout(j).review(3); !strings.Contains(notes, "the token must be allowed to write") {
		t.Errorf("the fork's own job says %q", notes)
	}
	r.end(j)
	if all := f.remarks(p.Number); len(all) != 0 {
		t.Errorf("the fork's own job has written %+v", all)
	}

	j = r.next("fork.yml")
	r.checkout(j).review(0)
	r.end(j)
	all := f.remarks(p.Number)
	if len(all) != 1 || !strings.Contains(all[0].Body, "The cat has sent it back") {
		t.Errorf("the comments are %+v", all)
	}
	f.wantStatus(head, "success")
}

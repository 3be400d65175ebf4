package publish_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/publish"
)

// scene is a repository with a history that somebody makes with git, and a code host that knows of pull requests.
type scene struct {
	forge.Forge // what is not asked
	t           *testing.T
	dir         string // of the clone that people work in
	clock       int
	pulls       map[string][]forge.Pull // by the commit that they are asked for
	asked       int
	down        error
	depth       string // of the clone that publishes
	offline     bool
	rule        string
}

const sceneSite = `title: Acme
timezone: UTC
accounts:
  fedi: {platform: mastodon, server: "https://fedi.example"}
  hook: {platform: webhook, url: "https://hook.example"}
campaigns: {winter: {}}
defaults: {platforms: [fedi]}
`

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, dir: filepath.Join(t.TempDir(), "work"), pulls: map[string][]forge.Pull{}, rule: "require_approval: true"}
	s.run(filepath.Dir(s.dir), "Ada", "init", "-q", "-b", "main", "work")
	s.run(filepath.Dir(s.dir), "Ada", "init", "-q", "--bare", "-b", "main", "up.git")
	s.git("remote", "add", "origin", "../up.git")
	return s
}

func (s *scene) run(dir, who string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	s.clock++
	mail := strings.ToLower(who) + "@acme.example"
	at := fmt.Sprintf("%d +0000", 1_790_000_000+60*s.clock)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(s.dir), "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME="+who, "GIT_AUTHOR_EMAIL="+mail,
		"GIT_COMMITTER_NAME="+who, "GIT_COMMITTER_EMAIL="+mail, "GIT_AUTHOR_DATE="+at, "GIT_COMMITTER_DATE="+at)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (s *scene) git(args ...string) string { s.t.Helper(); return s.run(s.dir, "Ada", args...) }

// write changes a file, and takes one away whose text is "".
func (s *scene) write(name, text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, filepath.FromSlash(name))
	if text == "" {
		s.git("rm", "-q", name)
		return
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		s.t.Fatal(err)
	}
}

// commit commits all that has changed, and returns the commit.
func (s *scene) commit(who, message string) string {
	s.t.Helper()
	s.git("add", "-A")
	s.run(s.dir, who, "commit", "-q", "--allow-empty", "-m", message)
	return s.git("rev-parse", "HEAD")
}

// begin commits a site without posts on main.
func (s *scene) begin() {
	s.t.Helper()
	s.write("site.yaml", sceneSite+s.rule+"\n")
	s.commit("Ada", "the site")
}

// say writes the post.
func (s *scene) say(text string) { s.t.Helper(); s.write("content/p1.md", note("", text)) }

func note(head, text string) string {
	return "---\nid: p1p1p1p1\n" + head + "publish_at: 2026-12-01 09:00\n---\n" + text + "\n"
}

// topic begins a branch.
func (s *scene) topic() { s.t.Helper(); s.git("switch", "-q", "-c", "topic", "main") }

// merge merges the branch, and returns the merge.
func (s *scene) merge(message string) string {
	s.t.Helper()
	s.git("switch", "-q", "main")
	s.run(s.dir, "Moe", "merge", "-q", "--no-ff", "-m", message, "topic")
	return s.git("rev-parse", "HEAD")
}

// squash makes one commit of the branch.
func (s *scene) squash(message string) string {
	s.t.Helper()
	s.git("switch", "-q", "main")
	s.git("merge", "-q", "--squash", "topic")
	return s.commit("Ada", message)
}

// pull tells the code host of a pull request, for the commits that it is asked for.
func (s *scene) pull(p forge.Pull, commits ...string) {
	if p.Name == "" {
		p.Name = "#12"
	}
	for _, c := range commits {
		s.pulls[c] = append(s.pulls[c], p)
	}
}

// Merged implements [forge.Forge].
func (s *scene) Merged(_ context.Context, q forge.Question) ([]forge.Pull, error) {
	s.asked++
	return s.pulls[q.Commit], s.down
}

// plan publishes what is on main, as far as the plan, and returns what becomes of each account.
func (s *scene) plan() map[string]string {
	s.t.Helper()
	s.git("push", "-q", "-f", "origin", "main")
	if s.git("branch", "--list", "topic") != "" {
		s.git("push", "-q", "-f", "origin", "topic:refs/pull/12/head")
	}
	s.run(filepath.Dir(s.dir), "Ada", "-C", "up.git", "config", "uploadpack.allowAnySHA1InWant", "true")
	args := []string{"clone", "-q", "--single-branch"}
	if s.depth != "" {
		args = append(args, "--depth", s.depth)
	}
	clone := filepath.Join(s.t.TempDir(), "clone")
	s.run(filepath.Dir(s.dir), "Ada", append(args, "file://"+filepath.Join(filepath.Dir(s.dir), "up.git"), clone)...)
	repo, err := gitrepo.Open(clone, gitrepo.Options{Env: os.Getenv})
	if err != nil {
		s.t.Fatal(err)
	}
	defer repo.Close()
	now := time.Date(2026, 12, 1, 9, 5, 0, 0, time.UTC)
	desk, err := publish.Open(s.t.Context(), publish.OpenOptions{
		Repo: repo, Registry: adapters.All(), Env: func(string) string { return "" }, Now: func() time.Time { return now },
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Log: slog.New(slog.DiscardHandler), Offline: s.offline,
		Forge: func(remote string) (forge.Forge, error) {
			if remote != "origin" {
				return nil, fmt.Errorf("the remote is %q", remote)
			}
			return s, nil
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := desk.PlanAsked(s.t.Context(), now)
	if err != nil {
		s.t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range p.Actions {
		if a.Post == "p1p1p1p1" {
			got[a.Account] = string(a.Verb)
		}
	}
	for _, w := range p.Waiting {
		if w.Post == "p1p1p1p1" {
			got[w.Account] = string(w.State) + ": " + w.Reason
		}
	}
	return got
}

func TestApproval(t *testing.T) {
	resi := func(commit string) []forge.Review { return []forge.Review{{By: "resi", Name: "Resi", Commit: commit}} }
	const reviewed = "\n\nReviewed-by: Resi <resi@acme.example>"
	for _, c := range []struct {
		name string
		rule string
		play func(s *scene)
		want map[string]string // "fedi" alone, unless more is said
	}{
		{name: "pushed, and never reviewed", play: func(s *scene) { s.begin(); s.say("Hello"); s.commit("Ada", "hello") },
			want: map[string]string{"fedi": "unapproved: no approved pull request has this text"}},
		{name: "merged", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "merged, and main has moved before and since", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			s.git("switch", "-q", "main")
			s.write("content/other.md", "Else\n")
			s.commit("Kim", "else")
			m := s.merge("Merge #12")
			s.write("content/other.md", "")
			s.commit("Kim", "else")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "squashed", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Helo")
			one := s.commit("Ada", "helo")
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.squash("Hello (#12)")
			s.pull(forge.Pull{Merge: m, Commits: []string{one, head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "rebased", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			one := s.commit("Ada", "hello")
			s.write("content/other.md", "Else\n")
			two := s.commit("Ada", "else")
			s.git("switch", "-q", "main")
			s.write("README.md", "Acme\n")
			s.commit("Kim", "read me")
			s.git("cherry-pick", one, two)
			m := s.git("rev-parse", "HEAD")
			s.pull(forge.Pull{Merge: m, Commits: []string{one, two}, Reviews: resi(two)}, m, s.git("rev-parse", "HEAD~1"))
		}, want: map[string]string{"fedi": "publish"}},
		{name: "fast-forwarded", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			one := s.commit("Ada", "hello")
			s.write("content/other.md", "Else\n")
			two := s.commit("Ada", "else")
			s.git("switch", "-q", "main")
			s.git("merge", "-q", "--ff-only", "topic")
			s.pull(forge.Pull{Merge: two, Commits: []string{two, one}, Reviews: resi(two)}, one, two)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "an older head that says the same", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			one := s.commit("Ada", "hello")
			s.write("content/other.md", "Else\n")
			two := s.commit("Ada", "else")
			m := s.merge("Merge #12")
			s.pull(forge.Pull{Merge: m, Commits: []string{one, two}, Reviews: resi(one)}, m)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "edited after the approval, before the merge", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			one := s.commit("Ada", "hello")
			s.say("Hell")
			two := s.commit("Ada", "hell")
			m := s.merge("Merge #12")
			s.pull(forge.Pull{Merge: m, Commits: []string{one, two}, Reviews: resi(one)}, m)
		}, want: map[string]string{"fedi": "unapproved: edited since Resi approved it in #12"}},
		{name: "edited after the merge, for one account only", play: func(s *scene) {
			s.begin()
			s.topic()
			s.write("content/p1.md", note("platforms: [fedi, hook]\n", "Hello"))
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.write("content/p1.md", note("platforms: [fedi, hook]\noverrides: {fedi: {content_warning: snow}}\n", "Hello"))
			s.commit("Ada", "a warning")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "unapproved: edited since Resi approved it in #12", "hook": "publish"}},
		{name: "edited, and back", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.say("Hell")
			s.commit("Ada", "hell")
			s.say("Hello")
			s.commit("Ada", "hello")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "another time says the same", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.write("content/p1.md", strings.Replace(note("", "Hello"), "09:00", "09:04", 1))
			s.commit("Ada", "later")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "moved to another file", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.git("mv", "content/p1.md", "content/winter.md")
			s.commit("Ada", "move")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "an account added after the approval", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.write("site.yaml", strings.Replace(sceneSite, "[fedi]", "[fedi, hook]", 1)+s.rule)
			s.commit("Ada", "everywhere")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "publish", "hook": "unapproved: no approved pull request has this text"}},
		{name: "an account added in the pull request after the approval", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			one := s.commit("Ada", "hello")
			s.write("content/p1.md", note("platforms: [fedi, hook]\n", "Hello"))
			two := s.commit("Ada", "everywhere")
			m := s.merge("Merge #12")
			s.pull(forge.Pull{Merge: m, Commits: []string{one, two}, Reviews: resi(one)}, m)
		}, want: map[string]string{"fedi": "publish", "hook": "unapproved: it did not go to this account yet when Resi approved #12"}},
		{name: "who wrote it approves a later pull request", play: func(s *scene) {
			s.begin()
			s.say("Hello")
			first := s.commit("Ada", "hello")
			s.topic()
			s.write("content/other.md", "Else\n")
			head := s.commit("Kim", "else")
			m := s.merge("Merge #13")
			s.pull(forge.Pull{Name: "#13", Merge: m, Commits: []string{head}, Reviews: []forge.Review{{By: "ada", Name: "Ada", Commit: head}}}, m, first)
		}, want: map[string]string{"fedi": "unapproved: no approved pull request has this text"}},
		{name: "two people, one", rule: "require_approval: 2", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "unapproved: needs a second person: only Resi has approved it in #12"}},
		{name: "two people", rule: "require_approval: 2", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: append(resi(head), forge.Review{By: "kim", Name: "Kim", Commit: head})}, m)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "who wrote it", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: []forge.Review{{By: "ada", Name: "Ada", Commit: head, Own: true}}}, m)
		}, want: map[string]string{"fedi": "unapproved: in #12 only Ada has approved it, who wrote a part of it"}},
		{name: "pushed by force after the approval, and the same", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			one := s.commit("Ada", "hello")
			s.git("push", "-q", "origin", "topic")
			s.git("commit", "-q", "--amend", "-m", "hello, world")
			two := s.git("rev-parse", "HEAD")
			m := s.merge("Merge #12")
			s.pull(forge.Pull{Merge: m, Commits: []string{two}, Reviews: resi(one)}, m)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "pushed by force after the approval, and gone", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.pull(forge.Pull{Ref: "refs/pull/12/head", Merge: m, Commits: []string{head}, Reviews: resi(strings.Repeat("1", 40))}, m)
		}, want: map[string]string{"fedi": "unapproved: what Resi approved in #12 is not known: commit 1111111111 is gone"}},
		{name: "merged into another branch", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			s.git("switch", "-q", "main")
			s.say("Hello")
			own := s.commit("Ada", "hello")
			s.git("switch", "-q", "-c", "next", "main~1")
			m := s.commit("Kim", "Merge #12")
			s.git("switch", "-q", "main")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, own)
		}, want: map[string]string{"fedi": "unapproved: no approved pull request has this text"}},
		{name: "a picture that changes", play: func(s *scene) {
			s.begin()
			s.topic()
			s.write("content/sled.png", "one")
			s.write("content/p1.md", note("media: [{file: sled.png, alt: A sled}]\n", "Hello"))
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.write("content/sled.png", "two")
			s.commit("Ada", "another picture")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "blocked: M103: \"sled.png\" is called PNG, and its bytes are no picture"}},
		{name: "the campaign needs it", rule: "require_approval: {campaigns: [winter]}", play: func(s *scene) {
			s.begin()
			s.write("content/p1.md", note("campaign: winter\nplatforms: [fedi]\n", "Hello"))
			s.commit("Ada", "hello")
		}, want: map[string]string{"fedi": "unapproved: no approved pull request has this text"}},
		{name: "another campaign does not", rule: "require_approval: {campaigns: [winter]}", play: func(s *scene) { s.begin(); s.say("Hello"); s.commit("Ada", "hello") },
			want: map[string]string{"fedi": "publish"}},
		{name: "the code host is down", play: func(s *scene) {
			s.begin()
			s.write("content/p1.md", note("platforms: [fedi, hook]\n", "Hello"))
			s.commit("Ada", "hello")
			s.down = errors.New("502")
		}, rule: "require_approval: {accounts: [fedi]}", want: map[string]string{"fedi": "unapproved: nobody could be asked who has approved it, and the next run asks again: 502", "hook": "publish"}},
		{name: "offline", play: func(s *scene) { s.begin(); s.say("Hello"); s.commit("Ada", "hello"); s.offline = true },
			want: map[string]string{"fedi": "unapproved: goes out if one person has approved it: every run of publish asks first"}},
		{name: "a shallow clone", play: func(s *scene) { s.begin(); s.say("Hello"); s.commit("Ada", "hello"); s.depth = "1" },
			want: map[string]string{"fedi": "unapproved: nobody can be asked who has approved it: the history of this clone is cut off: fetch all of it (`git fetch --unshallow`; in GitHub Actions and Gitea `fetch-depth: 0` of actions/checkout, in GitLab `GIT_DEPTH: 0`)"}},
		{name: "the site was broken between", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			head := s.commit("Ada", "hello")
			m := s.merge("Merge #12")
			s.write("site.yaml", "accounts: 7\n")
			s.commit("Ada", "oops")
			s.write("site.yaml", sceneSite+s.rule+"\n")
			s.commit("Ada", "there")
			s.pull(forge.Pull{Merge: m, Commits: []string{head}, Reviews: resi(head)}, m)
		}, want: map[string]string{"fedi": "publish"}},

		{name: "a trailer of the commit", rule: "require_approval: {from: trailers}", play: func(s *scene) { s.begin(); s.say("Hello"); s.commit("Ada", "hello"+reviewed) },
			want: map[string]string{"fedi": "publish"}},
		{name: "a trailer, by the one who wrote it", rule: "require_approval: {from: trailers}", play: func(s *scene) {
			s.begin()
			s.say("Hello")
			s.commit("Ada", "hello\n\nReviewed-by: Ada <ada@acme.example>")
		}, want: map[string]string{"fedi": "unapproved: in commit * only Ada has approved it, who wrote a part of it"}},
		{name: "a trailer, by the one who wrote it, under another address", rule: "require_approval: {from: trailers}", play: func(s *scene) {
			s.begin()
			s.say("Hello")
			s.commit("Ada", "hello\n\nReviewed-by: ADA <ada@home.example>")
		}, want: map[string]string{"fedi": "unapproved: in commit * only ADA has approved it, who wrote a part of it"}},
		{name: "a trailer of the merge", rule: "require_approval: {from: trailers}", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			s.commit("Ada", "hello")
			s.merge("Merge topic" + reviewed)
		}, want: map[string]string{"fedi": "publish"}},
		{name: "a trailer of the merge, by one who wrote it", rule: "require_approval: {from: trailers}", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			s.commit("Resi", "hello")
			s.merge("Merge topic" + reviewed)
		}, want: map[string]string{"fedi": "unapproved: in commit * only Resi has approved it, who wrote a part of it"}},
		{name: "a trailer of a commit that was merged", rule: "require_approval: {from: trailers}", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			s.commit("Ada", "hello"+reviewed)
			s.write("README.md", "Acme\n")
			s.commit("Ada", "read me")
			s.merge("Merge topic")
		}, want: map[string]string{"fedi": "publish"}},
		{name: "a trailer of another commit of the branch", rule: "require_approval: {from: trailers}", play: func(s *scene) {
			s.begin()
			s.topic()
			s.say("Hello")
			s.commit("Ada", "hello")
			s.write("README.md", "Acme\n")
			s.commit("Ada", "read me"+reviewed)
			s.merge("Merge topic")
		}, want: map[string]string{"fedi": "unapproved: no commit with a Reviewed-by has this text"}},
		{name: "a trailer of an older text", rule: "require_approval: {from: trailers}", play: func(s *scene) {
			s.begin()
			s.say("Helo")
			s.commit("Ada", "helo"+reviewed)
			s.say("Hello")
			s.commit("Ada", "hello")
		}, want: map[string]string{"fedi": "unapproved: edited since Resi approved it in commit *"}},
		{name: "trailers need no code host", rule: "require_approval: {from: trailers}", play: func(s *scene) {
			s.begin()
			s.say("Hello")
			s.commit("Ada", "hello"+reviewed)
			s.down, s.offline = errors.New("nobody should ask"), true
		}, want: map[string]string{"fedi": "publish"}},
		{name: "either, with a code host that is down", rule: "require_approval: {from: either}", play: func(s *scene) {
			s.begin()
			s.say("Hello")
			s.commit("Ada", "hello"+reviewed)
			s.down = errors.New("502")
		}, want: map[string]string{"fedi": "publish"}},
		{name: "a trailer does not do for a review", play: func(s *scene) { s.begin(); s.say("Hello"); s.commit("Ada", "hello"+reviewed) },
			want: map[string]string{"fedi": "unapproved: no approved pull request has this text"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			if c.rule != "" {
				s.rule = c.rule
			}
			c.play(s)
			got := s.plan()
			for account, said := range maps.Clone(got) { // the ids of commits differ from one folder to the next
				if i := strings.Index(said, "in commit "); i >= 0 {
					got[account] = said[:i+10] + "*" + said[i+20:]
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if s.asked > mostQuestions {
				t.Errorf("the code host was asked %d times", s.asked)
			}
		})
	}
}

// mostQuestions is how often a code host is asked about one post at most: once for each of the latest changes of what it says.
const mostQuestions = 5

package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// gitConn talks to a remote through the git binary.
type gitConn struct {
	repo   *Repo
	op     string
	target target
	auth   *credentials // nil unless HTTP
}

// pushRemote is the name under which git knows the address for pushing when that is another one:
// ls-remote looks at the address for fetching only.
const pushRemote = "postrider-push"

// run runs a network command. What is secret reaches git as configuration through its environment,
// where no process list shows it.
func (g *gitConn) run(ctx context.Context, args ...string) ([]byte, error) {
	var set config
	if g.auth != nil && (g.auth.source == "POSTRIDER_GIT_TOKEN" || g.auth.source == "GITHUB_TOKEN") {
		key := "http." + g.plainURL() + ".extraHeader"
		for _, v := range append([]string{"", "Authorization: " + g.auth.auth.Reveal()}, g.auth.headers...) {
			set = append(set, configEntry{key, v})
		}
	}
	if g.target.elsewhere {
		set = append(set, configEntry{"remote." + pushRemote + ".url", g.target.url})
	}
	n, _ := strconv.Atoi(g.repo.environ("GIT_CONFIG_COUNT"))
	env := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", n+len(set))}
	for i, e := range set {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", n+i, e.key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n+i, e.value))
	}
	return g.repo.git.remote(ctx, isFolder(g.target.url), env, args...)
}

// environ looks a variable up in the environment that git processes get.
func (r *Repo) environ(name string) string {
	for _, kv := range r.opts.Environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	if r.opts.Environ == nil {
		return r.opts.Env(name)
	}
	return ""
}

// plainURL is the address as git matches it against http.<url>.*: without the user.
func (g *gitConn) plainURL() string {
	u, err := url.Parse(g.target.url)
	if err != nil {
		return g.target.url
	}
	u.User = nil
	return u.String()
}

func (g *gitConn) heads(ctx context.Context, names ...string) (map[string]Hash, error) {
	name := g.target.name
	if g.target.elsewhere {
		name = pushRemote
	}
	out, err := g.run(ctx, append([]string{"ls-remote", "--refs", "--quiet", "--", name}, names...)...)
	if err != nil {
		return nil, g.wrap(ctx, err)
	}
	heads := map[string]Hash{}
	for line := range bytes.Lines(out) {
		id, name, ok := strings.Cut(strings.TrimRight(string(line), "\n"), "\t")
		if ok && interesting(name) && g.repo.format.valid(id) {
			heads[name] = Hash(id)
		}
	}
	return heads, nil
}

func (g *gitConn) head(ctx context.Context) (string, error) {
	out, err := g.run(ctx, "ls-remote", "--symref", "--quiet", "--", g.target.name, "HEAD")
	if err != nil {
		return "", g.wrap(ctx, err)
	}
	for line := range bytes.Lines(out) {
		if to, ok := strings.CutPrefix(strings.TrimRight(string(line), "\n"), "ref: "); ok {
			to, _, _ = strings.Cut(to, "\t")
			return to, nil
		}
	}
	return "", nil
}

func (g *gitConn) fetch(ctx context.Context, want []Hash, specs []refspec, depth int) error {
	// A pack is here as a whole or not at all. Loose objects, to which git unpacks small ones, are half there when the
	// disk is full: a commit without its files, which looks as if it had been fetched.
	args := []string{
		"-c", "fetch.unpackLimit=1", "-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "fetch.writeCommitGraph=false",
		"fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force", "--refmap=",
	}
	if depth > 0 {
		args = append(args, fmt.Sprintf("--depth=%d", depth))
	}
	args = append(args, "--", g.target.name)
	for _, s := range specs {
		if s.dst == "" { // a commit by its id
			args = append(args, s.src)
			continue
		}
		args = append(args, "+"+s.src+":"+s.dst)
	}
	marker := g.repo.beginFetch()
	_, err := g.run(ctx, args...)
	g.repo.fetched(marker, err)
	if err != nil && ctx.Err() == nil {
		var ge *gitError
		if errors.As(err, &ge) && strings.Contains(ge.stderr, "cannot lock ref") && g.has(want) {
			return nil // all is here; only where the remote is could not be noted
		}
	}
	return g.wrap(ctx, err)
}

// has reports whether all objects are here.
func (g *gitConn) has(ids []Hash) bool {
	for _, id := range ids {
		if _, _, err := g.repo.back.object(id); err != nil {
			return false
		}
	}
	return true
}

// lockIn finds the lock file that git could not make because it exists.
func lockIn(stderr string) string {
	_, rest, ok := strings.Cut(stderr, "Unable to create '")
	if !ok {
		return ""
	}
	lock, words, ok := strings.Cut(rest, "'")
	if !ok || !strings.HasPrefix(words, ": File exists") {
		return ""
	}
	return lock
}

// push runs git push with an explicit lease, which git holds against what the remote says. Hooks of this clone do not
// run: no human is waiting, and the work tree they would look at has nothing to do with the commit.
func (g *gitConn) push(ctx context.Context, m move) (sent bool, err error) {
	if !m.replace {
		if err := g.repo.descends(m.old, m.new); err != nil {
			return false, fmt.Errorf("push %s: %w", m.ref, err)
		}
	}
	var args []string
	if isFolder(g.target.url) { // bytes cost nothing here, looking for differences to send does
		args = append(args, "-c", "pack.window=0", "-c", "pack.compression=1")
	}
	args = append(args, "-c", "push.gpgSign=false", "push", "--porcelain", "--no-verify", "--no-follow-tags",
		"--recurse-submodules=no", "--force-with-lease="+m.ref+":"+string(m.old))
	if len(m.copies) > 0 {
		args = append(args, "--atomic") // one that loses its lease must not leave a copy behind
	}
	args = append(args, "--", g.target.name, string(m.new)+":"+m.ref)
	for _, name := range m.copies {
		args = append(args, "+"+string(m.new)+":"+name)
	}
	out, err := g.run(ctx, args...)
	if err == nil {
		return true, nil
	}
	var ge *gitError
	if errors.As(err, &ge) && ctx.Err() == nil {
		if reason := porcelainReason(out, m.ref); reason != "" {
			return true, g.fail(ErrRefused, reason+serverWords(remoteLines(ge.stderr)), nil)
		}
		if len(m.copies) > 0 && strings.Contains(ge.stderr, "--atomic") {
			return false, errNotAtomic
		}
	}
	return true, g.wrap(ctx, err)
}

// descends checks that old is on the first-parent chain of new, which a lease alone does not. It
// stops at the boundary of a shallow clone, where git itself can know no more.
func (r *Repo) descends(old, new Hash) error {
	if old == Zero {
		return nil
	}
	found := false
	err := r.Log(new, 0, func(c CommitInfo) error {
		if found = c.Hash == old; found {
			return errStop
		}
		for _, p := range c.Parents {
			if found = p == old; found {
				return errStop
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return err
	}
	if !found {
		return errUnrelated
	}
	return nil
}

// porcelainReason finds "!\tsrc:dst\t[remote rejected] (reason)" in the output of git push --porcelain: that of ref, or
// else the first one.
func porcelainReason(out []byte, ref string) (reason string) {
	for line := range bytes.Lines(out) {
		f := strings.SplitN(strings.TrimRight(string(line), "\n"), "\t", 3)
		if len(f) != 3 || f[0] != "!" {
			continue
		}
		words := f[2]
		if _, inner, ok := strings.Cut(words, "("); ok {
			words = strings.TrimSuffix(inner, ")")
		}
		if strings.HasSuffix(f[1], ":"+ref) {
			return words
		}
		if reason == "" {
			reason = words
		}
	}
	return reason
}

// remoteLines keeps what the server said.
func remoteLines(stderr string) string {
	var b strings.Builder
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "remote:") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func (g *gitConn) fail(kind error, detail string, cause error) error {
	return &RemoteError{
		Op: g.op, Remote: g.target.display(), URL: redactURL(g.target.url),
		Kind: kind, Detail: g.auth.scrub(detail), Cause: cause,
	}
}

// wrap classifies a failure by git's words, which are English here and tell no more than a hint: what
// a failed push has done is decided by looking at the remote.
func (g *gitConn) wrap(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return g.fail(ErrUnreachable, context.Cause(ctx).Error(), ctx.Err())
	}
	var ge *gitError
	if !errors.As(err, &ge) {
		return g.fail(ErrUnreachable, err.Error(), nil)
	}
	if lock := lockIn(ge.stderr); lock != "" {
		return g.repo.locked(lock)
	}
	detail := oneLine(ge.stderr)
	for _, s := range []string{
		"Authentication failed", "could not read Username", "could not read Password", "terminal prompts disabled",
		"Permission denied", "Host key verification failed", "returned error: 401", "returned error: 403", "Invalid username or",
		"HTTP Basic: Access denied", "Write access to repository not granted",
	} {
		if strings.Contains(ge.stderr, s) {
			return g.fail(ErrAuth, detail, nil)
		}
	}
	return g.fail(ErrUnreachable, detail, nil)
}

package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/secret"
)

// Remote is a configured remote.
type Remote struct {
	Name string
	URL  string // without user and password, for people
	// Fetch and Push are the addresses as configured, which may hold a password; Push is empty when
	// it is the same. They are exported so that fmt finds out that they are secret.
	Fetch, Push secret.String
}

// Remotes returns the configured remotes, in the order of the configuration.
func (r *Repo) Remotes() ([]Remote, error) {
	var out []Remote
	for _, e := range r.layout.local {
		name := e.sub()
		if name == "" || e.value == "" {
			continue
		}
		i := slices.IndexFunc(out, func(x Remote) bool { return x.Name == name })
		switch e.key {
		case "remote." + name + ".url", "remote." + name + ".pushurl":
			if i < 0 {
				i = len(out)
				out = append(out, Remote{Name: name})
			}
			if strings.HasSuffix(e.key, ".pushurl") {
				out[i].Push = secret.New(e.value)
			} else if out[i].URL == "" { // git fetches from the first
				out[i].URL, out[i].Fetch = redactURL(e.value), secret.New(e.value)
			}
		}
	}
	return slices.DeleteFunc(out, func(x Remote) bool { return x.URL == "" }), nil
}

// AddRemote adds a remote to the repository's configuration, with the usual refspec. Unlike the other
// methods it must not run beside them.
func (r *Repo) AddRemote(name, address string) error {
	if err := checkRefName("refs/remotes/" + name); err != nil {
		return err
	}
	if strings.ContainsAny(address, "\n\x00") || address == "" {
		return fmt.Errorf("remote %q: %q is not an address", name, redactURL(address))
	}
	remotes, err := r.Remotes()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(remotes, func(x Remote) bool { return x.Name == name }) {
		return fmt.Errorf("remote %q exists already", name)
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace
	text := fmt.Sprintf("[remote %q]\n\turl = \"%s\"\n\tfetch = +refs/heads/*:refs/remotes/%s/*\n", name, quote(address), name)
	f, err := os.OpenFile(filepath.Join(r.layout.commonDir, "config"), os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return notWritable(err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return notWritable(err)
	}
	r.layout.local = append(r.layout.local, configEntry{"remote." + name + ".url", address})
	return nil
}

// DefaultRemote returns the remote that the current branch follows, else "origin", else the only
// one; ok is false when that leaves none.
func (r *Repo) DefaultRemote() (name string, ok bool, err error) {
	remotes, err := r.Remotes()
	if err != nil {
		return "", false, err
	}
	branch, _, err := r.Head()
	if err != nil {
		return "", false, err
	}
	candidates := []string{"origin"}
	if branch != "" {
		candidates = []string{r.layout.local.get("branch." + branch + ".remote"), "origin"}
	}
	for _, c := range candidates {
		for _, x := range remotes {
			if x.Name == c {
				return c, true, nil
			}
		}
	}
	if len(remotes) == 1 {
		return remotes[0].Name, true, nil
	}
	return "", false, nil
}

// RemoteBranch returns the branch of a remote that is published from unless somebody says otherwise:
// the remote's default branch, as it is known here or, with ask, as the remote says; else the
// branch that the current one follows, else the current branch's name; "" when HEAD is detached and
// nothing else is known.
//
// The current branch comes last because it is whatever somebody is working on.
func (r *Repo) RemoteBranch(ctx context.Context, remote string, ask bool) (string, error) {
	if b, err := r.DefaultBranch(ctx, remote, ask); b != "" || err != nil {
		return b, err
	}
	branch, _, err := r.Head()
	if err != nil || branch == "" {
		return "", err
	}
	if r.layout.local.get("branch."+branch+".remote") == remote {
		if b, ok := strings.CutPrefix(r.layout.local.get("branch."+branch+".merge"), "refs/heads/"); ok {
			return b, nil
		}
	}
	return branch, nil
}

// DefaultBranch returns the default branch of a remote, as it is known here or, with ask, as the remote says; "" when it is not known.
func (r *Repo) DefaultBranch(ctx context.Context, remote string, ask bool) (string, error) {
	prefix := "refs/remotes/" + remote + "/"
	if checkRefName(prefix+"HEAD") == nil {
		target, err := r.back.symref(prefix + "HEAD")
		if err != nil {
			return "", err
		}
		if b, ok := strings.CutPrefix(target, prefix); ok {
			return b, nil
		}
	}
	if ask {
		ctx, cancel := r.limit(ctx)
		defer cancel()
		c, _, err := r.connect(ctx, "fetch", remote, false)
		if err != nil {
			return "", err
		}
		if target, err := c.head(ctx); err != nil {
			return "", err
		} else if b, ok := strings.CutPrefix(target, "refs/heads/"); ok {
			return b, nil
		}
	}
	return "", nil
}

// NoteDefault notes which branch is a remote's default one, as a clone by git does, unless that is known: nobody has to ask for it
// any more.
func (r *Repo) NoteDefault(remote, branch string) error {
	for _, name := range []string{"refs/remotes/" + remote + "/HEAD", "refs/remotes/" + remote + "/" + branch} {
		if err := checkRefName(name); err != nil {
			return err
		}
	}
	file := filepath.Join(r.layout.commonDir, "refs", "remotes", filepath.FromSlash(remote), "HEAD")
	if _, err := os.Lstat(file); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return notWritable(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return notWritable(err)
	}
	_, err = f.WriteString("ref: refs/remotes/" + remote + "/" + branch + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return notWritable(err)
	}
	return nil
}

// refspec says which remote reference goes where.
type refspec struct{ src, dst string }

// parseRefspecs accepts "main", which goes to refs/remotes/<remote>/main, and "src:dst" with full
// names. Only references below refs/remotes/ and refs/postrider/remotes/ may be written: nothing local is ever overwritten.
func parseRefspecs(remote string, specs []string) ([]refspec, error) {
	var out []refspec
	for _, s := range specs {
		src, dst, ok := strings.Cut(strings.TrimPrefix(s, "+"), ":")
		if !ok {
			src, dst = "refs/heads/"+src, "refs/remotes/"+remote+"/"+src
		}
		for _, n := range []string{src, dst} {
			if err := checkRefName(n); err != nil {
				return nil, fmt.Errorf("fetch %q: %w", s, err)
			}
		}
		if !strings.HasPrefix(dst, "refs/remotes/") && !strings.HasPrefix(dst, ownRefs+"remotes/") {
			return nil, fmt.Errorf("fetch %q: only references below refs/remotes/ can be fetched to", s)
		}
		out = append(out, refspec{src, dst})
	}
	return out, nil
}

// conn is a way to talk to one remote.
type conn interface {
	// heads returns the branches the remote has, and this program's own references, by full name. With names it returns those that have one
	// of them, and perhaps others.
	heads(ctx context.Context, names ...string) (map[string]Hash, error)
	// head returns the full name of the remote's default branch, "" when it does not tell.
	head(ctx context.Context) (string, error)
	// fetch brings the objects of the wanted branches here; with a depth only so many commits of their histories, and as many as that of
	// what a shallow clone has.
	fetch(ctx context.Context, want []Hash, specs []refspec, depth int) error
	// push moves references of the remote: all of them or none. When sent is false nothing has reached it.
	push(ctx context.Context, m move) (sent bool, err error)
}

// move is one move of a remote's reference.
type move struct {
	ref      string
	old, new Hash
	copies   []string // references that follow to new, from wherever they are
	replace  bool     // new need not descend from old
}

// ownRefs is where the references are that belong to this program alone.
const ownRefs = "refs/postrider/"

// interesting reports whether heads tells of a reference: a branch, one of our own, or what a pull request of GitHub, Gitea or GitLab
// would bring.
func interesting(name string) bool {
	return strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, ownRefs) ||
		strings.HasSuffix(name, "/head") && (strings.HasPrefix(name, "refs/pull/") || strings.HasPrefix(name, "refs/merge-requests/"))
}

// errNotAtomic means that a server cannot move several references as one.
var errNotAtomic = errors.New("the server cannot move two references at once")

// target is a remote with its addresses resolved.
type target struct {
	name     string // of a configured remote, or the address itself
	tracking bool   // whether it is a configured remote, with references of its own here
	url      string

	elsewhere bool // url is for pushing, and another one than for fetching
}

// remote finds a remote by name, or takes an address as it is.
func (r *Repo) remote(ctx context.Context, name string, push bool) (target, error) {
	cfg, err := r.config(ctx)
	if err != nil {
		return target{}, err
	}
	remotes, err := r.Remotes()
	if err != nil {
		return target{}, err
	}
	for _, x := range remotes {
		if x.Name != name {
			continue
		}
		fetchURL := cfg.rewriteURL(x.Fetch.Reveal(), false)
		t := target{name: name, tracking: true, url: fetchURL}
		if push {
			t.url = cfg.rewriteURL(x.Fetch.Reveal(), true)
		}
		if push && !x.Push.IsZero() {
			t.url = cfg.rewriteURL(x.Push.Reveal(), false)
		}
		t.elsewhere = t.url != fetchURL
		return t, nil
	}
	if strings.Contains(name, "://") || filepath.IsAbs(name) {
		return target{name: name, url: cfg.rewriteURL(name, push)}, nil
	}
	return target{}, fmt.Errorf("%w: %q; add it with `git remote add`", ErrNoRemote, name)
}

// connect chooses who talks to the remote.
func (r *Repo) connect(ctx context.Context, op, name string, push bool) (conn, target, error) {
	t, err := r.remote(ctx, name, push)
	if err != nil {
		return nil, t, err
	}
	cfg, err := r.config(ctx)
	if err != nil {
		return nil, t, err
	}
	u, parseErr := url.Parse(t.url)
	scheme := ""
	if parseErr == nil {
		scheme = strings.ToLower(u.Scheme)
	}
	isHTTP := scheme == "http" || scheme == "https"
	fail := func(detail string) (conn, target, error) {
		return nil, t, &RemoteError{Op: op, Remote: t.display(), URL: redactURL(t.url), Kind: ErrNoGit, Detail: detail}
	}
	switch {
	case isHTTP && r.back.name() == "native" && (r.git == nil || !needsCurl(cfg, u, r.opts.Env)):
		return &wire{repo: r, op: op, target: t, cfg: cfg, url: u, creds: r.answered(t.url)}, t, nil
	case r.git != nil:
		c := &gitConn{repo: r, op: op, target: t}
		if isHTTP {
			c.auth = newCredentials(r, cfg, u)
		}
		return c, t, nil
	case isSSH(t.url, scheme):
		return &wire{repo: r, op: op, target: t, cfg: cfg}, t, nil
	case scheme == "file" || scheme == "" || filepath.IsAbs(t.url):
		return fail("a remote in a local folder is read through git: install git, or use an http or ssh address")
	default:
		return fail(fmt.Sprintf("the protocol of this address takes git: %q", scheme))
	}
}

// display is the name for messages.
func (t target) display() string {
	if t.tracking {
		return t.name
	}
	return redactURL(t.url)
}

// needsCurl reports whether the configuration or the environment asks for something that only git's own HTTP client does.
func needsCurl(cfg config, u *url.URL, env func(string) string) bool {
	for _, name := range []string{"proxy", "sslcainfo", "sslcapath", "sslcert", "sslkey", "sslverify", "cookiefile", "sslbackend", "emptyauth", "delegation"} {
		if cfg.httpSetting(u, name) {
			return true
		}
	}
	return firstEnv(env, "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_NO_VERIFY") != ""
}

// isFolder reports whether an address is a folder of this machine.
func isFolder(address string) bool {
	return strings.HasPrefix(address, "file://") || filepath.IsAbs(address) || !strings.Contains(address, ":")
}

// isSSH knows ssh:// addresses and the short form host:path.
func isSSH(raw, scheme string) bool {
	if scheme == "ssh" || scheme == "git+ssh" || scheme == "ssh+git" {
		return true
	}
	host, _, ok := strings.Cut(raw, ":")
	return ok && !strings.Contains(raw, "://") && len(host) > 1 && !strings.Contains(host, "/")
}

// Fetch brings branches of a remote here: "main" into refs/remotes/<remote>/main, or a refspec with
// full names whose destination is below refs/remotes/ or refs/postrider/remotes/. It returns all branches that the
// remote has, what it has below refs/postrider/, and its pull requests ("refs/pull/7/head"), by full name ("refs/heads/main"). A branch that the remote lacks
// is not an error: look at the map. Local branches are never moved. When nothing is new it costs one request.
//
// In a shallow clone a branch that is seen for the first time comes without its history.
func (r *Repo) Fetch(ctx context.Context, remote string, branches ...string) (map[string]Hash, error) {
	specs, err := parseRefspecs(remote, branches)
	if err != nil {
		return nil, err
	}
	r.removeTemps()
	ctx, cancel := r.limit(ctx)
	defer cancel()
	c, _, err := r.connect(ctx, "fetch", remote, false)
	if err != nil {
		return nil, err
	}
	heads, err := c.heads(ctx)
	if err != nil {
		return nil, err
	}
	shallow, err := r.shallow()
	if err != nil {
		return nil, err
	}
	var known, fresh []refspec
	old := map[string]Hash{}
	for _, s := range specs {
		want := heads[s.src]
		if want == Zero {
			continue
		}
		have, err := r.back.ref(s.dst)
		if err != nil {
			return nil, err
		}
		old[s.dst] = have
		switch {
		case have == want:
		case have == Zero && len(shallow) > 0:
			fresh = append(fresh, s)
		default:
			known = append(known, s)
		}
	}
	for _, group := range [][]refspec{known, fresh} {
		depth := 0
		if len(group) > 0 && old[group[0].dst] == Zero && len(shallow) > 0 {
			depth = 1
		}
		if err := r.fetchGroup(ctx, c, group, heads, old, depth); err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// fetchGroup fetches what is missing, and then moves the tracking references.
func (r *Repo) fetchGroup(ctx context.Context, c conn, specs []refspec, heads, old map[string]Hash, depth int) error {
	var want []Hash
	var missing []refspec
	for _, s := range specs {
		if r.back.name() == "native" { // a partial clone would fetch what it is asked about
			_, _, err := r.back.object(heads[s.src])
			if err == nil {
				continue // it was pushed from here
			}
			if !errors.Is(err, errMissing) {
				return err
			}
		}
		want, missing = append(want, heads[s.src]), append(missing, s)
	}
	if len(want) > 0 {
		if err := c.fetch(ctx, want, missing, depth); err != nil {
			return err
		}
	}
	for _, s := range specs {
		new := heads[s.src]
		now, err := r.back.ref(s.dst)
		if err != nil {
			return err
		}
		if now != old[s.dst] {
			continue // git has moved it, or another process with newer knowledge
		}
		if err := r.setRef(ctx, s.dst, old[s.dst], new, "postrider: fetch"); errors.Is(err, ErrLocked) {
			// It only remembers where the remote was. What was fetched is named by its id.
			r.opts.Log.Warn("cannot note where the remote branch is", "ref", s.dst, "err", err)
		} else if err != nil && !errors.Is(err, ErrMoved) {
			return err
		}
	}
	return nil
}

// afterFailure bounds how long is spent on finding out what became of a push that failed.
const afterFailure = 15 * time.Second

// Push moves one branch of a remote from old to new as a compare-and-swap by the protocol's old
// value ([Zero]: the branch does not exist there yet). It sends only the objects of the commits
// between the two, and never looks at the history before old, so it works in a shallow clone.
//
// The branch may also be a full name below refs/postrider/. Copies are such names, too: references that are moved
// along to new, wherever they are, in the same conversation and only if the branch moves. What becomes of them never
// decides anything: a remote that refuses them gets the branch alone.
//
// After a failure the remote is asked again where the branch is. If it is at new, or a few commits beyond it, the push
// was done and only the answer was lost: the error is nil. If it is neither there nor at old the error is
// [ErrMoved]. Else it is what went wrong: a [RemoteError].
func (r *Repo) Push(ctx context.Context, remote, branch string, old, new Hash, copies ...string) error {
	return r.push(ctx, remote, branch, move{old: old, new: new, copies: copies})
}

// Replace is [Repo.Push] for a branch without history: new is a commit without a parent (see [Commit.Root]), which takes old's place. Remotes that
// protect the branch refuse it with [ErrRefused].
func (r *Repo) Replace(ctx context.Context, remote, branch string, old, new Hash) error {
	c, err := r.CommitInfo(new)
	if err != nil {
		return err
	}
	if len(c.Parents) > 0 {
		return fmt.Errorf("replace %q: commit %s has a parent", branch, new.Short())
	}
	return r.push(ctx, remote, branch, move{old: old, new: new, replace: true})
}

func (r *Repo) push(ctx context.Context, remote, branch string, m move) error {
	ref, old, new, copies := branch, m.old, m.new, m.copies
	if !strings.HasPrefix(ref, ownRefs) {
		ref = "refs/heads/" + branch
	}
	for _, name := range append([]string{ref}, copies...) {
		if err := checkRefName(name); err != nil {
			return err
		}
		if !interesting(name) {
			return fmt.Errorf("push %q: not a branch, and not below %s", name, ownRefs)
		}
	}
	if !r.format.valid(string(new)) || old != Zero && !r.format.valid(string(old)) {
		return fmt.Errorf("push %q: %q and %q are not both object ids", branch, old, new)
	}
	limited, cancel := r.limit(ctx)
	defer cancel()
	c, t, err := r.connect(limited, "push", remote, true)
	if err != nil {
		return err
	}
	if r.noCopies.Load() {
		copies = nil
	}
	m.ref, m.copies = ref, copies
	err = r.pushOnce(limited, c, t, m)
	if len(copies) > 0 && (errors.Is(err, ErrRefused) || errors.Is(err, errNotAtomic)) {
		m.copies = nil
		refusal := err
		if err = r.pushOnce(limited, c, t, m); err == nil {
			r.noCopies.Store(true) // for this process: the next one tries again
			r.opts.Log.Debug("the remote keeps no copy of the branch", "remote", t.display(), "branch", ref, "copies", copies, "err", refusal)
		}
	}
	if err == nil && t.tracking && strings.HasPrefix(ref, "refs/heads/") {
		r.track(ctx, t.name, branch, new)
	}
	return err
}

// pushOnce is one attempt of a push, and what became of it.
func (r *Repo) pushOnce(ctx context.Context, c conn, t target, m move) error {
	sent, err := c.push(ctx, m)
	if moved, ok := errors.AsType[*MovedError](err); ok && moved.Have == m.new {
		return nil // an earlier attempt of ours got through
	}
	if err != nil && sent {
		err = r.settle(ctx, c, t, m, err)
	}
	return err
}

// limit bounds the time of one operation on a remote.
func (r *Repo) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, r.opts.Timeout, fmt.Errorf("it has not answered within %s", r.opts.Timeout))
}

// settle decides what a failed push has done by looking at the remote, never by the error's words.
func (r *Repo) settle(ctx context.Context, c conn, t target, m move, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(afterFailure, r.opts.Timeout))
	defer cancel()
	heads, err := c.heads(ctx)
	if err != nil {
		r.opts.Log.Debug("cannot read the remote after a failed push", "remote", t.display(), "err", err)
		return failure
	}
	have := heads[m.ref]
	if have != m.new && have != m.old && have != Zero && !errors.Is(failure, ErrRefused) {
		// Somebody may have gone on from where we came to.
		if have, err = r.passed(ctx, c, t, m, have); err != nil {
			r.opts.Log.Debug("cannot see whether a failed push is part of the remote's history", "remote", t.display(), "err", err)
		}
	}
	switch have {
	case m.new:
		r.opts.Log.Info("the push was done although its answer was lost", "remote", t.display(), "branch", m.ref)
		return nil
	case m.old:
		return failure
	default:
		return &MovedError{Ref: m.ref, Remote: t.display(), Want: m.old, Have: have}
	}
}

// maxPassed bounds how many commits others may have made on top of a push whose answer was lost.
const maxPassed = 50

// passed returns m.new if it is among the last commits of a remote's tip, else the tip.
func (r *Repo) passed(ctx context.Context, c conn, t target, m move, tip Hash) (Hash, error) {
	if _, _, err := r.back.object(tip); err != nil {
		dst := "refs/remotes/" + t.name + "/" + strings.TrimPrefix(m.ref, "refs/heads/")
		if !t.tracking || t.elsewhere || checkRefName(dst) != nil {
			return tip, err
		}
		if err := c.fetch(ctx, []Hash{tip}, []refspec{{m.ref, dst}}, 0); err != nil {
			return tip, err
		}
	}
	found := tip
	err := r.Log(tip, maxPassed, func(c CommitInfo) error {
		if c.Hash == m.new {
			found = m.new
			return fs.SkipAll
		}
		return nil
	})
	return found, err
}

// track notes where a remote's branch is now. It is a cache of the next fetch: failing is no harm.
func (r *Repo) track(ctx context.Context, remote, branch string, at Hash) {
	name := "refs/remotes/" + remote + "/" + branch
	if checkRefName(name) != nil {
		return
	}
	now, err := r.back.ref(name)
	if err == nil && now != at {
		err = r.setRef(ctx, name, now, at, "postrider: push")
	}
	if err != nil {
		r.opts.Log.Debug("cannot note where the remote branch is", "ref", name, "err", err)
	}
}

// missingObjects returns what a remote that has old lacks of new, commits first: the commits from
// new back to old along first parents, and in each the folders and files that its parent has not.
// When the remote branch does not exist yet, commits in known, its other branches, end the chain. With replace new has no parent, and
// is compared with old.
func (r *Repo) missingObjects(old, new Hash, known map[Hash]bool, replace bool) ([]newObject, error) {
	var out []newObject
	seen := map[Hash]bool{}
	add := func(kind objectKind, id Hash) ([]byte, error) {
		seen[id] = true
		data, err := r.objectOf(kind, id)
		if err == nil {
			out = append(out, newObject{id, kind, data})
		}
		return data, err
	}
	// trees adds everything in tree that is not in parent, the tree at the same place before.
	var trees func(tree, parent Hash) error
	trees = func(tree, parent Hash) error {
		if tree == parent || seen[tree] {
			return nil
		}
		data, err := add(kindTree, tree)
		if err != nil {
			return err
		}
		entries, err := parseTree(data, r.format.size)
		if err != nil {
			return err
		}
		before := map[string]Hash{}
		if parent != Zero {
			data, err := r.objectOf(kindTree, parent)
			if err != nil {
				return err
			}
			was, err := parseTree(data, r.format.size)
			if err != nil {
				return err
			}
			for _, e := range was {
				before[e.sortKey()] = e.id
			}
		}
		for _, e := range entries {
			switch {
			case e.mode&modeType == modeSubmodule, before[e.sortKey()] == e.id:
			case e.isTree():
				err = trees(e.id, before[e.sortKey()])
			case !seen[e.id]:
				_, err = add(kindBlob, e.id)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	for at := new; at != Zero && at != old && !(old == Zero && known[at]); {
		c, err := r.CommitInfo(at)
		if err != nil {
			return nil, err
		}
		if len(c.Parents) > 1 {
			return nil, errMerge
		}
		if _, err := add(kindCommit, at); err != nil {
			return nil, err
		}
		var parent Hash
		var parentTree Hash
		if len(c.Parents) == 1 {
			parent = c.Parents[0]
		}
		base := parent
		if replace {
			base = old
		}
		if base != Zero {
			p, err := r.CommitInfo(base)
			if err != nil {
				return nil, err
			}
			parentTree = p.Tree
		}
		if err := trees(c.Tree, parentTree); err != nil {
			return nil, err
		}
		if parent == Zero && old != Zero && !replace {
			return nil, errUnrelated
		}
		at = parent
	}
	return out, nil
}

var (
	errMerge     = errors.New("the commits to push contain a merge")
	errUnrelated = errors.New("the new commit does not descend from the old one")
)

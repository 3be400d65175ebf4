// Package gitrepo reads and writes a git repository without touching a work tree, and without changing an index.
//
// It offers what is needed and no more: the tree of a commit, or of what is staged, as an [io/fs.FS] with object
// ids, the paths that differ between two commits, a commit that is a compare-and-swap on a branch,
// and fetch and push of single branches with an explicit old value. It is the only package that
// imports go-git.
//
// # Two backends
//
// [Open] chooses between two implementations of one small interface:
//
//   - native: objects are read from loose files, packs and alternates, references and the index from files,
//     in this process; go-git speaks the pack protocol (HTTP, and SSH where no git binary is there), and
//     indexes the packs that arrive. Nothing walks the history.
//   - git: the git binary, for repositories that the first cannot read: SHA-256, reftable, partial
//     clones, and formats that did not exist when this was written.
//
// Either way new objects are written as loose files by this package, synced before a reference
// moves, so that a crash at any instant leaves the branch on the old or on the new commit.
//
// Remotes: HTTP goes through go-git in the native backend and through git in the other one, or
// when the configuration asks for what go-git lacks (a proxy, a certificate authority); SSH, file
// and every other protocol go through the git binary, which honours ~/.ssh/config. Without a
// binary SSH uses the agent, and file remotes give [ErrNoGit]. Only [Repo.Heads] reads a remote in
// a folder itself.
//
// # Credentials for HTTP
//
// The first that exists: the user part of the URL, POSTRIDER_GIT_TOKEN, an Authorization header in
// http.<url>.extraheader, GITHUB_TOKEN (only for github.com and the host of GITHUB_SERVER_URL), and
// when the server asks for a password, git's credential helpers. No error of this package contains one.
//
// A [Repo] is safe for concurrent use.
package gitrepo

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Hash is an object id in lower-case hexadecimal: 40 digits, or 64 in a SHA-256 repository.
// [Zero] means that there is no object.
type Hash string

// Zero is the id of nothing: a reference or a path that does not exist.
const Zero Hash = ""

// Short returns the first ten digits, for people.
func (h Hash) Short() string { return string(h[:min(len(h), 10)]) }

// Options are the inputs of [Open]. All of them may be zero.
type Options struct {
	// Env looks up an environment variable; nil means that none is set.
	Env func(string) string
	// Environ is the environment of git processes; nil means that of this process.
	Environ []string
	// Git is the path of the git binary, a name to look up in PATH, or "" for "git".
	// [NoGit] means that there is none.
	Git string
	// Backend forces "native" or "git"; "" chooses by what the repository needs.
	Backend string
	// HTTP sends the requests of HTTP remotes; nil means a client of this package.
	HTTP *http.Client
	// Timeout bounds each operation on a remote, from the connection to the answer; zero means two minutes.
	Timeout time.Duration
	// Now is the clock, used for the age of locks and for the reflog; nil means [time.Now].
	Now func() time.Time
	// Sleep waits between two tries for a lock; nil means a timer that ends with the context.
	Sleep func(context.Context, time.Duration) error
	// Log receives what is worth knowing when something is slow or odd; nil discards it.
	Log *slog.Logger
}

// NoGit as [Options.Git] means that no git binary may be used.
const NoGit = "none"

// withDefaults fills what is nil.
func (o Options) withDefaults() Options {
	if o.Env == nil {
		o.Env = func(string) string { return "" }
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of an injected clock
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Repo is an open repository. Close it when it is no longer needed.
type Repo struct {
	opts   Options
	layout layout
	stamp  stamp   // of the configuration that layout holds
	git    *gitCmd // nil without a git binary
	back   backend
	format objectFormat

	settingsOnce sync.Once
	settings     config
	settingsErr  error

	tempsOnce sync.Once

	httpOnce sync.Once
	http     *http.Client
	lastPush atomic.Pointer[pushed]
	noCopies atomic.Bool                 // a remote has refused them
	noLsRefs atomic.Bool                 // a remote over HTTP does not say where single references are
	helped   atomic.Pointer[credentials] // those of git's helpers that a remote has taken

	shallowMu    sync.Mutex
	shallowStamp time.Time
	shallowSet   map[Hash]bool
}

// backend is what differs between reading a repository in this process and through the git binary.
type backend interface {
	// name is the value of [Options.Backend] that selects it.
	name() string
	// object returns an object's type and content, or an error that is errMissing.
	object(id Hash) (kind objectKind, data []byte, err error)
	// ref returns the object a reference points at, through symbolic ones; Zero when absent.
	ref(name string) (Hash, error)
	// symref returns what a symbolic reference points at, "" when it is none.
	symref(name string) (string, error)
	// updateRef moves a reference from old to new, or fails with ErrMoved or ErrLocked.
	updateRef(ctx context.Context, u refUpdate) error
	// expand returns the object that an abbreviated id or an expression of git's means; Zero when none.
	expand(rev string) (Hash, error)
	// tracked reports whether the index lists a path.
	tracked(path string) (bool, error)
	io.Closer
}

// refUpdate is one move of a reference, with what its log will say.
type refUpdate struct {
	name        string
	old, new    Hash
	who, reason string // who is "Name <email>"
	when        time.Time
}

// Open opens the repository that dir is in: its folder or one above it holds .git (a folder or the
// file of a linked work tree), or is a bare repository. The error is [ErrNoRepository] when there is
// none, and [ErrUnsupported] when reading it takes a git binary that is not there.
func Open(dir string, o Options) (*Repo, error) {
	o = o.withDefaults()
	l, err := locate(dir)
	if err != nil {
		return nil, err
	}
	r := &Repo{opts: o, layout: l, stamp: stampOf(l), git: findGit(o, l)}
	f, why, err := l.requirements()
	if err != nil {
		return nil, err
	}
	r.format = f
	want := o.Backend
	if want == "" {
		want = "native"
		if why != "" {
			want = "git"
		}
	}
	switch want {
	case "native":
		if why != "" {
			return nil, &UnsupportedError{Repository: l.describe(), Feature: why}
		}
		r.back = newNative(r)
	case "git":
		if r.git == nil {
			return nil, &UnsupportedError{Repository: l.describe(), Feature: why}
		}
		if _, err := r.git.output(context.Background(), nil, "rev-parse", "--is-bare-repository"); err != nil {
			return nil, &UnsupportedError{Repository: l.describe(), Feature: why, Git: err.Error()}
		}
		r.back = newGitBackend(r)
	default:
		return nil, fmt.Errorf("unknown git backend %q (want native or git)", want)
	}
	o.Log.Debug("opened git repository", "dir", l.describe(), "backend", want)
	return r, nil
}

// Init makes a new SHA-1 repository in dir, which is created if needed, with branch as its unborn
// current branch. It needs no git binary. It refuses a folder that is a repository already.
func Init(dir string, bare bool, branch string) (*Repo, error) {
	if err := checkRefName("refs/heads/" + branch); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	gitDir := filepath.Join(dir, ".git")
	if bare {
		gitDir = dir
	}
	if _, err := os.Stat(filepath.Join(gitDir, "HEAD")); err == nil {
		return nil, fmt.Errorf("%q is a git repository already", dir)
	}
	for _, d := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags", "info"} {
		if err := os.MkdirAll(filepath.Join(gitDir, filepath.FromSlash(d)), 0o777); err != nil {
			return nil, fmt.Errorf("create repository: %w", err)
		}
	}
	files := []struct{ name, text string }{
		{"config", fmt.Sprintf("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = %t\n%s",
			bare, map[bool]string{true: "", false: "\tlogallrefupdates = true\n"}[bare])},
		{"description", "Unnamed repository; edit this file 'description' to name the repository.\n"},
		{"HEAD", "ref: refs/heads/" + branch + "\n"}, // last: it makes the folder a repository
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(gitDir, f.name), []byte(f.text), 0o666); err != nil {
			return nil, fmt.Errorf("create repository: %w", err)
		}
	}
	return Open(dir, Options{})
}

// findGit returns the git binary that o names, or nil.
func findGit(o Options, l layout) *gitCmd {
	if o.Git == NoGit {
		return nil
	}
	name := o.Git
	if name == "" {
		name = "git"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return nil
	}
	return &gitCmd{path: path, gitDir: l.gitDir, dir: cmp.Or(l.root, l.gitDir), environ: o.Environ}
}

// Close releases open packs and ends helper processes.
func (r *Repo) Close() error { return r.back.Close() }

// Backend returns "native" or "git".
func (r *Repo) Backend() string { return r.back.name() }

// Root returns the top folder of the work tree, or "" when the repository is bare.
func (r *Repo) Root() string { return r.layout.root }

// CommonDir returns the git folder that all work trees share. Caches belong in a folder below it.
func (r *Repo) CommonDir() string { return r.layout.commonDir }

// Prefix returns the slash-separated path of dir inside the work tree, "" at its top. It is an
// error when dir is outside. In a bare repository there is no inside, and the answer is "".
func (r *Repo) Prefix(dir string) (string, error) {
	if r.layout.root == "" {
		return "", nil
	}
	abs, err := realPath(dir)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(r.layout.root, abs)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", fmt.Errorf("%q is outside the work tree %q", dir, r.layout.root)
	}
	if rel == "." {
		return "", nil
	}
	return filepath.ToSlash(rel), nil
}

// Head returns the current branch, "" when HEAD is detached, and its commit, [Zero] when the branch
// has none yet.
func (r *Repo) Head() (branch string, h Hash, err error) {
	target, err := r.back.symref("HEAD")
	if err != nil {
		return "", Zero, err
	}
	h, err = r.back.ref("HEAD")
	return strings.TrimPrefix(target, "refs/heads/"), h, err
}

// Ref returns the object that a reference such as "refs/heads/main" points at, [Zero] when there is
// no such reference.
func (r *Repo) Ref(name string) (Hash, error) {
	if name != "HEAD" {
		if err := checkRefName(name); err != nil {
			return Zero, err
		}
	}
	return r.back.ref(name)
}

// SetRef moves a reference from old to new as a compare-and-swap: it fails with [ErrMoved] when the
// reference is not at old ([Zero]: does not exist). It cannot delete.
func (r *Repo) SetRef(ctx context.Context, name string, old, new Hash) error {
	return r.setRef(ctx, name, old, new, "postrider: set")
}

func (r *Repo) setRef(ctx context.Context, name string, old, new Hash, reason string) error {
	if err := checkRefName(name); err != nil {
		return err
	}
	if new == Zero {
		return fmt.Errorf("reference %q: deleting is not supported", name)
	}
	for _, h := range []Hash{old, new} {
		if h != Zero && !r.format.valid(string(h)) {
			return fmt.Errorf("reference %q: %q is not an object id", name, h)
		}
	}
	if _, _, err := r.back.object(new); err != nil {
		return fmt.Errorf("reference %q: %w", name, err)
	}
	n, e := r.Identity(ctx)
	return r.back.updateRef(ctx, refUpdate{
		name: name, old: old, new: new,
		who: signature(n, e), reason: reason, when: r.opts.Now(),
	})
}

// ReplaceDamagedRef points a reference whose file holds no object id, as a loss of power leaves it, at new. One that can be
// read is not touched.
func (r *Repo) ReplaceDamagedRef(ctx context.Context, name string, new Hash) error {
	if err := checkRefName(name); err != nil {
		return err
	}
	if _, _, err := r.back.object(new); err != nil {
		return fmt.Errorf("reference %q: %w", name, err)
	}
	files := fileRefs{layout: r.layout, format: r.format, opts: r.opts}
	return files.replaceDamaged(ctx, name, new)
}

// Resolve returns the commit that a branch, tag, remote branch, HEAD or (abbreviated) hash names.
// With a git binary any expression of git's works, such as "main~3".
func (r *Repo) Resolve(rev string) (Hash, error) {
	if rev == "" || strings.HasPrefix(rev, "-") || strings.ContainsAny(rev, "\x00\n") {
		return Zero, fmt.Errorf("%w: %q is not a revision", ErrNotFound, rev)
	}
	h, err := r.resolveName(rev)
	if err != nil {
		return Zero, err
	}
	if h == Zero {
		return Zero, fmt.Errorf("%w: no branch, tag or commit %q", ErrNotFound, rev)
	}
	for range 10 { // a tag of a tag of a tag …
		kind, data, err := r.back.object(h)
		if err != nil {
			return Zero, fmt.Errorf("revision %q: %w", rev, err)
		}
		switch kind {
		case kindCommit:
			return h, nil
		case kindTag:
			t, _, _ := strings.Cut(strings.TrimPrefix(string(data), "object "), "\n")
			if !r.format.valid(t) {
				return Zero, fmt.Errorf("revision %q: %w", rev, errCorrupt)
			}
			h = Hash(t)
		default:
			return Zero, fmt.Errorf("%w: %q is a %s, not a commit", ErrNotFound, rev, kind)
		}
	}
	return Zero, fmt.Errorf("revision %q: %w: tags nested too deeply", rev, errCorrupt)
}

// resolveName looks rev up in git's order of precedence.
func (r *Repo) resolveName(rev string) (Hash, error) {
	if r.format.valid(rev) {
		return Hash(rev), nil
	}
	for _, p := range []string{"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"} {
		name := p + rev
		if name != "HEAD" && (checkRefName(name) != nil || !strings.HasPrefix(name, "refs/")) {
			continue
		}
		if h, err := r.back.ref(name); err != nil || h != Zero {
			return h, err
		}
	}
	if checkRefName("refs/remotes/"+rev+"/HEAD") == nil {
		if h, err := r.back.ref("refs/remotes/" + rev + "/HEAD"); err != nil || h != Zero {
			return h, err
		}
	}
	return r.back.expand(rev)
}

// ReadBlob returns a file's content by its id.
func (r *Repo) ReadBlob(id Hash) ([]byte, error) {
	return r.objectOf(kindBlob, id)
}

// objectOf returns an object that must be of the given kind.
func (r *Repo) objectOf(want objectKind, id Hash) ([]byte, error) {
	if !r.format.valid(string(id)) {
		return nil, fmt.Errorf("%w: %q is not an object id", ErrNotFound, id)
	}
	kind, data, err := r.back.object(id)
	if err != nil {
		return nil, err
	}
	if kind != want {
		return nil, fmt.Errorf("object %s is a %s, not a %s", id.Short(), kind, want)
	}
	return data, nil
}

// IsTracked reports whether git knows a file (slash-separated path from the top): it is in the tree
// of HEAD or in the index.
func (r *Repo) IsTracked(path string) (bool, error) {
	_, head, err := r.Head()
	if err != nil {
		return false, err
	}
	t, err := r.Tree(head)
	if err != nil {
		return false, err
	}
	if id, err := t.ID(path); err != nil || id != Zero {
		return id != Zero, err
	}
	if r.layout.root == "" {
		return false, nil
	}
	return r.back.tracked(path)
}

// IsShallow reports whether the history of this clone is cut off somewhere.
func (r *Repo) IsShallow() (bool, error) {
	boundary, err := r.shallow()
	return len(boundary) > 0, err
}

// Identity returns whom commits are by: GIT_AUTHOR_NAME and GIT_AUTHOR_EMAIL, else user.name and
// user.email of git's configuration, else Postrider <postrider@localhost>.
func (r *Repo) Identity(ctx context.Context) (name, email string) {
	name, email = r.opts.Env("GIT_AUTHOR_NAME"), r.opts.Env("GIT_AUTHOR_EMAIL")
	if name == "" || email == "" {
		c, err := r.config(ctx)
		if err != nil {
			r.opts.Log.Warn("cannot read git's configuration", "err", err)
		}
		if name == "" {
			name = c.get("user.name")
		}
		if email == "" {
			email = c.get("user.email")
		}
	}
	if name == "" {
		name = "Postrider"
	}
	if email == "" {
		email = "postrider@localhost"
	}
	return name, email
}

// errMissing and errCorrupt are what a backend says of an object.
var (
	errMissing = fmt.Errorf("%w: object is not in the repository", ErrNotFound)
	errCorrupt = ErrDamaged
)

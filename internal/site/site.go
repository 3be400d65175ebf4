// Package site loads a whole site: its configuration, its posts, and what is wrong with them.
//
// A [Snapshot] is immutable and holds what was parsed, no renderings: [Snapshot.Render] makes one when it is asked for, and
// [Snapshot.Check] makes them all, looks, and lets go. So a site of fifty thousand posts needs memory for its posts alone.
//
// [Snapshot.Update] gives the snapshot after some files have changed, and reads only those.
package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// ContentDir is the folder that holds the posts.
const ContentDir = "content"

// Options say how a site is read.
type Options struct {
	Media    media.Prober // looks at pictures; nil: each is read when a post names it
	MaxBytes int64        // how large a post's file may be; 0: content's default
	// Links, unless nil, is given the links of the posts that [LoadAndCheck] checks, sorted, and returns what is wrong with them.
	Links func(context.Context, []check.Link) finding.List
	// CountRemarks makes [LoadAndCheck] count most remarks (Snapshot.Remarks) instead of returning them.
	CountRemarks bool
	// Workers is how many posts are checked at a time; 0: as many as there are processors.
	Workers int
	// Partial says that the file system has not all of the site's posts (see [Only]): nothing is said that only a comparison with all can tell.
	Partial bool
	// KeepConfig makes [Snapshot.Update] go on with the site.yaml that it has while the file is missing or no YAML, as it is while somebody types.
	KeepConfig bool
}

// Snapshot is a site at one moment. It is not changed once made and may be used by many goroutines; callers must not
// modify what it holds.
type Snapshot struct {
	Config    *config.Site
	Posts     []*post.Post // sorted by path
	Findings  finding.List // about site.yaml and from reading the posts, sorted
	Remarks   int          // remarks that were counted only; see Options.CountRemarks
	OldConfig bool         // Config is as site.yaml was last, and Findings say what is wrong with the file; see Options.KeepConfig

	fsys    fs.FS
	reg     *platform.Registry
	o       Options
	checker *check.Checker
	leader  map[string]int    // by account name: the group of accounts that get the same rendering
	byID    map[string]string // the path of the first post with an id
}

// Load reads the site in fsys. A site.yaml or content folder that is missing is no error: the first is a finding, the
// second a site without posts. An error means that the folder cannot be read, or that ctx has ended.
func Load(ctx context.Context, fsys fs.FS, reg *platform.Registry, o Options) (*Snapshot, error) {
	s := &Snapshot{fsys: fsys, reg: reg, o: o}
	own, err := s.loadConfig()
	if err != nil {
		return nil, err
	}
	found, err := s.loadPosts(ctx)
	if err != nil {
		return nil, err
	}
	s.configure()
	s.index(own, found)
	return s, nil
}

// loadConfig reads site.yaml, and returns what is wrong with it.
func (s *Snapshot) loadConfig() (finding.List, error) {
	src, err := readFile(s.fsys, config.File, config.MaxBytes)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", config.File, err)
	}
	var found finding.List
	s.Config, found = config.Parse(config.File, src, s.reg)
	return found, nil
}

// loadPosts reads all posts, and returns what reading and comparing their ids finds.
func (s *Snapshot) loadPosts(ctx context.Context) (finding.List, error) {
	posts, found, err := content.Load(ctx, s.fsys, ContentDir, s.contentOptions())
	if errors.Is(err, fs.ErrNotExist) {
		posts, found, err = nil, nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	s.Posts = posts
	return found, nil
}

func (s *Snapshot) contentOptions() content.Options {
	return content.Options{Location: s.Config.Location, Media: s.o.Media, MaxBytes: s.o.MaxBytes}
}

// groupAccounts numbers the accounts so that those with one number get the same rendering of every post that singles out
// none of them.
func (s *Snapshot) groupAccounts() {
	s.leader = make(map[string]int, len(s.Config.Accounts))
	alone := func(a *platform.Account) bool {
		return a.Defaults.Set != 0 || s.Config.UTMTells(a.Name) || slices.ContainsFunc(s.Config.Defaults.Mentions, func(m post.Mention) bool {
			_, ok := m.Handles[a.Name]
			return ok
		})
	}
	for i := range s.Config.Accounts {
		a := &s.Config.Accounts[i]
		s.leader[a.Name] = i
		adapter, _ := s.reg.Get(a.Platform)
		sharer, ok := adapter.(platform.Sharer)
		if !ok || alone(a) {
			continue
		}
		for j := range i {
			b := &s.Config.Accounts[j]
			if b.Platform == a.Platform && !alone(b) && sharer.SameRendering(a, b) {
				s.leader[a.Name] = s.leader[b.Name]
				break
			}
		}
	}
}

// configure fills what is derived from the configuration.
func (s *Snapshot) configure() {
	s.checker = check.New(s.Config, s.reg)
	s.checker.Partial = s.o.Partial
	s.groupAccounts()
}

// index fills what is derived from the posts, and puts together what is wrong with site.yaml and with them.
func (s *Snapshot) index(found ...finding.List) {
	s.indexIDs()
	s.Findings = slices.Concat(found...)
	s.Findings.Sort()
}

func (s *Snapshot) indexIDs() {
	s.byID = make(map[string]string, len(s.Posts))
	for _, p := range slices.Backward(s.Posts) { // of two with one id, the first is found
		s.byID[p.ID] = p.Path
	}
}

// readFile reads a file, and of one that is too large only one byte more than limit.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// Find returns the post with an id, or the one at a path relative to the site's folder.
func (s *Snapshot) Find(idOrPath string) (*post.Post, bool) {
	if name, ok := s.byID[idOrPath]; ok {
		return s.at(name)
	}
	return s.at(clean(idOrPath))
}

// at returns the post at a path.
func (s *Snapshot) at(name string) (*post.Post, bool) {
	i, ok := slices.BinarySearchFunc(s.Posts, name, func(p *post.Post, name string) int { return strings.Compare(p.Path, name) })
	if !ok {
		return nil, false
	}
	return s.Posts[i], true
}

func clean(name string) string { return path.Clean(strings.ReplaceAll(name, "\\", "/")) }

// Select returns the posts at or below the given paths, sorted by path, and the paths that have none. Without paths it returns all
// posts. site.yaml may be named; it has no posts.
func (s *Snapshot) Select(paths ...string) (posts []*post.Post, missing []string) {
	if len(paths) == 0 {
		return s.Posts, nil
	}
	matched := make([]bool, len(paths))
	paths = slices.Clone(paths)
	for i, name := range paths {
		paths[i] = clean(name)
		matched[i] = paths[i] == config.File
	}
	for _, p := range s.Posts {
		in := false
		for i, name := range paths {
			if under(p.Path, name) {
				in, matched[i] = true, true
			}
		}
		if in {
			posts = append(posts, p)
		}
	}
	for i, ok := range matched {
		if !ok {
			missing = append(missing, paths[i])
		}
	}
	return posts, missing
}

// under reports whether name is at or below dir.
func under(name, dir string) bool {
	rest, ok := strings.CutPrefix(name, dir)
	return dir == "." || ok && (rest == "" || rest[0] == '/')
}

// Accounts returns the accounts that a post goes to, sorted by name. Names that nothing has are left out: check reports them.
func (s *Snapshot) Accounts(p *post.Post) []*platform.Account {
	names := s.Config.Defaults.Platforms
	if p.Set.Has(post.FieldPlatforms) {
		names = p.Platforms
	}
	if len(names) == 0 {
		return nil
	}
	accounts := make([]*platform.Account, 0, len(names))
	for i := range s.Config.Accounts {
		a := &s.Config.Accounts[i]
		if slices.Contains(names, a.Name) || slices.Contains(names, string(a.Platform)) {
			accounts = append(accounts, a)
		}
	}
	return accounts
}

// Rendered is a post as one account's network gets it.
type Rendered struct {
	Variant   post.Variant // as it is written; the rendering's links may have UTM parameters besides
	Rendering platform.Rendering
	Findings  finding.List // of this rendering only; Path, Post and Account are filled
}

// Variant returns a post with everything applied that holds for an account.
func (s *Snapshot) Variant(p *post.Post, a *platform.Account) post.Variant {
	return p.For(a.Name, string(a.Platform), &s.Config.Defaults, &a.Defaults)
}

// Render renders a post for an account of the snapshot's configuration. Nothing is kept.
func (s *Snapshot) Render(p *post.Post, a *platform.Account) Rendered {
	var r Rendered
	s.render(&r, p, a)
	return r
}

func (s *Snapshot) render(r *Rendered, p *post.Post, a *platform.Account) {
	r.Variant = s.Variant(p, a)
	adapter, ok := s.reg.Get(a.Platform)
	if !ok { // an account that is not of this site's configuration
		panic(fmt.Sprintf("site: account %q is on %q, which the registry does not have", a.Name, a.Platform))
	}
	r.Rendering, r.Findings = adapter.Render(s.tagged(&r.Variant), a)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Post, f.Account = p.ID, a.Name
		if f.Path == "" {
			f.Path = p.Path
		}
	}
}

// Check returns everything that is wrong: with site.yaml, with reading, with rendering, and what the checks find; sorted.
// With paths, only the posts at or below them are rendered and reported on, besides site.yaml; they are still compared
// with all others. It stops early when ctx ends, which the caller must look for: the list is then not complete.
func (s *Snapshot) Check(ctx context.Context, paths ...string) finding.List {
	c := s.newChecking(paths)
	var (
		next    atomic.Int64
		workers sync.WaitGroup
	)
	for _, pass := range c.passes {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(s.Posts) {
					return
				}
				c.post(pass, s.Posts[i])
			}
		})
	}
	workers.Wait()
	return c.finish()
}

// LoadAndCheck is [Load] and [Snapshot.Check] in one, in a small part of the memory: of each post it keeps the outline
// (see [post.Post.Outline]). The snapshot's posts can be selected, named and counted, but not rendered.
func LoadAndCheck(ctx context.Context, fsys fs.FS, reg *platform.Registry, o Options, paths ...string) (*Snapshot, finding.List, error) {
	s := &Snapshot{fsys: fsys, reg: reg, o: o}
	own, err := s.loadConfig()
	if err != nil {
		return nil, nil, err
	}
	s.configure()
	c := s.newChecking(paths)
	if o.CountRemarks {
		for _, pass := range c.passes {
			pass.CountRemarks()
		}
	}
	posts := make([][]*post.Post, len(c.passes))
	found := make([]finding.List, len(c.passes))
	rest, err := content.Each(ctx, fsys, ContentDir, s.contentOptions(), len(c.passes), func(w int, p *post.Post, list finding.List) {
		c.post(c.passes[w], p)
		p.Outline()
		posts[w] = append(posts[w], p)
		found[w] = append(found[w], list...)
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read posts: %w", err)
	}
	s.Posts = slices.Concat(posts...)
	slices.SortFunc(s.Posts, func(a, b *post.Post) int { return strings.Compare(a.Path, b.Path) })
	s.index(append(found, own, rest, content.SameIDs(s.Posts))...)
	if o.Links != nil {
		c.asked = o.Links(ctx, check.Links(c.passes...))
	}
	list := c.finish()
	for _, pass := range c.passes {
		s.Remarks += pass.Remarks()
	}
	return s, list, nil
}

// checking is one run of the checks over all posts of a snapshot.
type checking struct {
	s      *Snapshot
	paths  []string // clean; none: everything
	passes []*check.Pass
	asked  finding.List // what asking links has found
}

func (s *Snapshot) newChecking(paths []string) *checking {
	c := &checking{s: s}
	for _, name := range paths {
		c.paths = append(c.paths, clean(name))
	}
	workers := s.o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range workers {
		c.passes = append(c.passes, s.checker.Pass())
	}
	return c
}

// wants reports whether the findings of a file are asked for.
func (c *checking) wants(file string) bool {
	return len(c.paths) == 0 || slices.ContainsFunc(c.paths, func(dir string) bool { return under(file, dir) })
}

// post checks a post, with the pass of one worker.
func (c *checking) post(pass *check.Pass, p *post.Post) { c.s.checkPost(pass, p, c.wants(p.Path)) }

// finish compares the posts and puts everything together.
func (c *checking) finish() finding.List {
	rest := c.s.checker.Pass()
	rest.Add(c.s.Findings...)
	rest.Add(c.asked...)
	return c.s.checker.Finish(func(file string) bool { return file == config.File || c.wants(file) }, append(c.passes, rest)...)
}

// CheckPost returns everything that is wrong with one post of the snapshot by itself, sorted: what reading it, rendering it for each
// of its accounts and the checks find, less what the file ignores. What only a comparison with other posts tells is not in it.
func (s *Snapshot) CheckPost(p *post.Post) finding.List {
	pass := s.checker.Pass()
	for _, f := range about(s.Findings, p.Path) {
		if f.Code != content.SameIDCode {
			pass.Add(f)
		}
	}
	s.checkPost(pass, p, true)
	return s.checker.FinishAlone(pass)
}

func (s *Snapshot) checkPost(pass *check.Pass, p *post.Post, selected bool) {
	if selected {
		pass.Post(p)
	}
	var (
		r    Rendered          // the same memory for all accounts: nobody keeps it
		last *platform.Account // whom r was made for, unless the post has something for it alone
	)
	accounts := s.Accounts(p)
	slices.SortStableFunc(accounts, func(a, b *platform.Account) int { return cmp.Compare(s.leader[a.Name], s.leader[b.Name]) })
	for _, a := range accounts {
		if !selected {
			if a.MonthlyCap > 0 {
				s.render(&r, p, a)
			} else {
				r.Variant = s.Variant(p, a)
			}
			pass.Sight(&r.Variant, s.checker.Cost(a, &r.Rendering))
			continue
		}
		single := p.Singles(a.Name)
		if !single && last != nil && s.leader[last.Name] == s.leader[a.Name] {
			r.Variant.Account = a.Name
			for i := range r.Findings {
				r.Findings[i].Account = a.Name
			}
		} else {
			s.render(&r, p, a)
		}
		if last = a; single {
			last = nil
		}
		if !p.NoText { // else why is said once, and that nothing is left for a network is not the matter
			pass.Add(r.Findings...)
		}
		if s.o.Links != nil {
			pass.AddLinks(&r.Variant, s.tags(&r.Variant))
		}
		pass.Target(&check.Target{Account: a, Info: s.checker.Info(a.Name), Variant: &r.Variant, Rendering: &r.Rendering})
	}
}

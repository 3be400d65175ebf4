// Package agenda knows what a site has to send, as of one commit.
//
// It reads posts from the commit's tree, never from the work tree. A site of ten thousand posts has a
// handful that matter to a run, so the agenda keeps what planning must know of each post in a cache
// keyed by the file's object id, and renders only the posts that a plan may act on.
package agenda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postrider/postrider/internal/bucket"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
	"github.com/postrider/postrider/internal/site"
)

// Options are the inputs of [Open].
type Options struct {
	Repo     *gitrepo.Repo
	Prefix   string // the site's folder inside the repository, empty at its top
	Registry *platform.Registry
	Env      func(string) string // for secrets
	CacheDir string              // empty: no cache
	Version  string              // of the program: another version reads everything anew
	Log      *slog.Logger
}

// Agenda is a site at one commit. It is safe for concurrent use, but for Targets.
type Agenda struct {
	o       Options
	commit  gitrepo.Hash
	tree    *gitrepo.Tree
	fsys    fs.FS
	config  *config.Site
	entries []entry
	reader  *site.Reader

	key   string // of the cache
	stale int    // entries that the cache lacks or has otherwise
	zones map[string]*time.Location
}

// ConfigError says that site.yaml at a commit has errors, so that nothing is planned or sent.
type ConfigError struct {
	Commit   gitrepo.Hash
	Findings finding.List
}

// Error implements error.
func (e *ConfigError) Error() string {
	for _, f := range e.Findings {
		if f.Severity == finding.Error {
			return fmt.Sprintf("%s:%d:%d: %s (commit %s)", f.Path, f.Range.Start.Line, f.Range.Start.Column, f.Message, e.Commit.Short())
		}
	}
	return "site.yaml has errors"
}

// ErrNoSite means that the commit has no site.yaml where one is expected.
var ErrNoSite = errors.New("no site.yaml in this commit")

// Config reads site.yaml at a commit.
func Config(tree *gitrepo.Tree, prefix string, reg *platform.Registry) (*config.Site, finding.List, error) {
	file := path.Join(prefix, config.File)
	if id, err := tree.ID(file); err != nil {
		return nil, nil, err
	} else if id == "" {
		return nil, nil, fmt.Errorf("%w: %s", ErrNoSite, file)
	}
	src, err := tree.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	cfg, list := config.Parse(config.File, src, reg)
	return cfg, list, nil
}

// Open reads the agenda of a commit.
func Open(ctx context.Context, o Options, commit gitrepo.Hash) (*Agenda, error) {
	a, err := At(o, commit)
	if err != nil {
		return nil, err
	}
	return a, a.read(ctx)
}

// At opens a site at a commit without reading its posts: enough to render single ones.
func At(o Options, commit gitrepo.Hash) (*Agenda, error) {
	tree, err := o.Repo.Tree(commit)
	if err != nil {
		return nil, err
	}
	cfg, list, err := Config(tree, o.Prefix, o.Registry)
	if err != nil {
		return nil, err
	}
	if list.HasErrors() {
		return nil, &ConfigError{Commit: commit, Findings: list}
	}
	a := &Agenda{o: o, commit: commit, tree: tree, config: cfg, fsys: tree.FS()}
	if o.Prefix != "" {
		if a.fsys, err = fs.Sub(a.fsys, o.Prefix); err != nil {
			return nil, err
		}
	}
	a.reader = site.NewReader(cfg, o.Registry, a.fsys)
	return a, nil
}

// read fills the entries: from the cache where a file is unchanged, else from the file.
func (a *Agenda) read(ctx context.Context) error {
	root := path.Join(a.o.Prefix, site.ContentDir)
	siteFile, err := a.tree.ID(path.Join(a.o.Prefix, config.File))
	if err != nil {
		return err
	}
	a.key, a.zones = a.o.Version+" "+string(siteFile), map[string]*time.Location{}
	known := loadCache(a.o.CacheDir, a.key, a.o.Log)
	a.entries = make([]entry, 0, len(known)+16)
	cards := map[string]gitrepo.Hash{}
	err = a.tree.Walk(root, func(f gitrepo.Entry) error {
		name := f.Path[len(root)+1:]
		file := f.Path[len(f.Path)-len(site.ContentDir)-1-len(name):]
		switch {
		case content.IsPost(name):
			a.entries = append(a.entries, entry{path: file, blob: string(f.ID)})
		case linkcard.IsFile(name):
			cards[file] = f.ID
		}
		return nil
	})
	if err != nil {
		return err
	}
	var missing []int
	for i := range a.entries {
		e := &a.entries[i]
		if len(cards) > 0 {
			e.card = string(cards[linkcard.File(e.path)])
		}
		for len(known) > 0 && known[0].path < e.path { // both are sorted by path
			known = known[1:]
		}
		if len(known) > 0 && known[0].path == e.path && known[0].blob == e.blob && known[0].card == e.card {
			*e = known[0]
			continue
		}
		missing = append(missing, i)
	}
	a.stale = len(missing)
	return a.parallel(ctx, len(missing), func(i int) error { return a.fill(&a.entries[missing[i]]) })
}

// save writes the cache, unless that takes longer than doing again what it lacks: a site that publishes one
// post does not write ten thousand entries for it.
func (a *Agenda) save() {
	if a.stale > len(a.entries)/100 {
		saveCache(a.o.CacheDir, a.key, a.entries, a.o.Log)
		a.stale = 0
	}
}

// fill reads an entry's files. Media are not looked at: that is left to posts that may go out.
func (a *Agenda) fill(e *entry) error {
	*e = entry{path: e.path, blob: e.blob, card: e.card}
	src, err := a.tree.ReadFile(path.Join(a.o.Prefix, e.path))
	if err != nil { // nothing is known of it but that it is there: it waits wherever posts go by default
		e.blob = "" // it may be readable the next time
		e.id, e.blocked = e.path, "F101: it cannot be read: "+reason(err)
		for _, account := range a.reader.Accounts(&post.Post{}) {
			e.targets = append(e.targets, targetEntry{account: account.Name})
		}
		return nil
	}
	p, findings := a.reader.ParseText(e.path, src)
	e.id, e.title = p.ID, secret.Mask(p.Title)
	if f, blocked := findings.Blocking(""); blocked {
		e.blocked = string(f.Code) + ": " + f.Message
	}
	e.media = append(e.media, mediaOf(p)...)
	if e.card != "" {
		a.fillCard(e)
	}
	for _, account := range a.reader.Accounts(p) {
		v := p.For(account.Name, string(account.Platform), &a.config.Defaults, &account.Defaults)
		e.targets = append(e.targets, targetEntry{
			account: account.Name, due: v.PublishAt, expires: v.ExpiresAt, withdraw: v.Withdraw, draft: v.Draft,
			late: v.Late, await: v.Await(), campaign: v.Campaign, repeat: v.Repeat,
		})
	}
	return nil
}

// fillCard adds what the post's link card sends. What is wrong with the card blocks the post when it is rendered.
func (a *Agenda) fillCard(e *entry) {
	file := linkcard.File(e.path)
	e.media = append(e.media, file)
	if src, err := a.tree.ReadFile(path.Join(a.o.Prefix, file)); err == nil {
		if card, _ := linkcard.Parse(src); card.Image != "" {
			e.media = append(e.media, path.Join(path.Dir(e.path), card.Image))
		}
	}
	slices.Sort(e.media)
	e.media = slices.Compact(e.media)
}

// reason returns an error without the path that it names: whoever prints it knows the path.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

// mediaOf returns the paths of all files that a post may send, sorted.
func mediaOf(p *post.Post) []string {
	var paths []string
	add := func(f *post.Fields) {
		for i := range f.Media {
			paths = append(paths, f.Media[i].Path)
		}
		if f.Card != nil && f.Card.Image != nil {
			paths = append(paths, f.Card.Image.Path)
		}
	}
	add(&p.Fields)
	bodies := [][]post.Doc{p.Body}
	for i := range p.Overrides {
		add(&p.Overrides[i].Fields)
		bodies = append(bodies, p.Overrides[i].Body)
	}
	for _, body := range bodies {
		for _, d := range body {
			for _, m := range d.Images() {
				paths = append(paths, m.Path)
			}
		}
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return p == "" })
	slices.Sort(paths)
	return slices.Compact(paths)
}

// source is the digest of a post's file and of the media it names, made from object ids alone.
func (a *Agenda) source(e *entry, media map[string]gitrepo.Hash) (string, error) {
	sum, err := a.digest(e, media)
	return hex.EncodeToString(sum[:]), err
}

// proof is the digest of all that decides whether the settled targets of a post stay settled: what source is made
// of, and the ledger's stamp. It does not cover records that are open, nor what comes with time.
func (a *Agenda) proof(e *entry, media map[string]gitrepo.Hash, stamp string) (string, error) {
	sum, err := a.digest(e, media, "ledger ", stamp, "\n")
	return string(sum[:16]), err
}

// mediaIDs returns the object ids of all files that posts name.
func (a *Agenda) mediaIDs() (map[string]gitrepo.Hash, error) {
	ids := map[string]gitrepo.Hash{}
	for i := range a.entries {
		for _, m := range a.entries[i].media {
			if _, ok := ids[m]; ok {
				continue
			}
			id, err := a.tree.ID(path.Join(a.o.Prefix, m))
			if err != nil {
				return nil, err
			}
			ids[m] = id
		}
	}
	return ids, nil
}

// digest remembers the ids of media in a map that its callers share.
func (a *Agenda) digest(e *entry, media map[string]gitrepo.Hash, more ...string) ([sha256.Size]byte, error) {
	b := make([]byte, 0, 512)
	b = append(append(b, e.blob...), '\n')
	for _, m := range e.media {
		id, ok := media[m]
		if !ok {
			var err error
			if id, err = a.tree.ID(path.Join(a.o.Prefix, m)); err != nil {
				return [sha256.Size]byte{}, err
			}
			media[m] = id
		}
		b = append(append(append(append(b, m...), ' '), id...), '\n')
	}
	for _, m := range more {
		b = append(b, m...)
	}
	return sha256.Sum256(b), nil
}

// Targets returns every post for every account it goes to, sorted by path and account, except those that have nothing
// left to do whatever the time: it returns how many these are. Targets that the ledger has not settled are rendered
// and checked, so that the plan knows what would be sent and what keeps it from being sent.
func (a *Agenda) Targets(ctx context.Context, view ledger.View) (targets []plan.Target, settled int, err error) {
	open, err := view.Open()
	if err != nil {
		return nil, 0, err
	}
	busy := make(map[string]bool, len(open))
	for _, r := range open {
		busy[r.Post] = true
	}
	defer a.warmUp()()
	stamper, stamped := view.(ledger.Stamper)
	same := a.sameIDs()
	accounts := a.facts()
	media, err := a.mediaIDs()
	if err != nil {
		return nil, 0, err
	}
	proofs := make([]string, len(a.entries))
	if stamped {
		err := a.parallel(ctx, len(a.entries), func(i int) error {
			e := &a.entries[i]
			if busy[e.id] {
				return nil
			}
			stamp, err := stamper.Stamp(e.id)
			if err == nil {
				proofs[i], err = a.proof(e, media, stamp)
			}
			return err
		})
		if err != nil {
			return nil, 0, err
		}
	}
	var pending [][]int // in targets, post by post
	for i := range a.entries {
		e := &a.entries[i]
		proof := proofs[i]
		if proof != "" && proof == e.proof {
			settled += e.settled
			continue
		}
		if !e.decode(a.zones) { // the cache is damaged there
			if err := a.fill(e); err != nil {
				return nil, 0, err
			}
		}
		source, err := a.source(e, media)
		if err != nil {
			return nil, 0, err
		}
		from, done := len(targets), true
		var look []int
		for _, te := range e.targets {
			f, ok := accounts[te.account]
			if !ok {
				continue
			}
			t := plan.Target{
				Post: e.id, Path: e.path, Title: e.title, Account: te.account, Platform: f.platform, Caps: f.caps, KeyLife: f.keyLife, Source: source,
				Due: te.due, ExpiresAt: te.expires, Withdraw: te.withdraw, Draft: te.draft, Late: te.late, Await: te.await, Campaign: te.campaign,
				Repeat: te.repeat, Blocked: e.blocked,
			}
			if other := same[e.path]; other != "" {
				t.Blocked = other
			}
			wanted, err := plan.Pending(&t, view)
			if err != nil {
				return nil, 0, err
			}
			if wanted && t.Blocked == "" {
				look = append(look, len(targets))
			}
			done = done && !wanted && te.expires.IsZero() && !te.withdraw
			targets = append(targets, t)
		}
		if len(look) > 0 {
			pending = append(pending, look)
		}
		if !done {
			proof = ""
		}
		if proof != e.proof {
			e.proof, e.settled = proof, len(targets)-from
			a.stale++
		}
		if proof != "" {
			settled += len(targets) - from
			targets = targets[:from]
		}
	}
	a.save()
	return targets, settled, a.parallel(ctx, len(pending), func(i int) error { return a.inspectAll(targets, pending[i]) })
}

// warmUp renders a post that nobody wrote, beside what the caller does: a process's first rendering builds tables of
// domains and characters, which takes longer than many renderings. It returns a function that waits for the end.
func (a *Agenda) warmUp() (wait func()) {
	text := post.Inline{Kind: post.Text, Text: "Anna, see acme.example and @anna #news é"}
	p := &post.Post{ID: "nobody", Body: []post.Doc{{Blocks: []post.Block{{Kind: post.Paragraph, Inlines: []post.Inline{text}}}}}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { recover() }() //nolint:errcheck // what fails on this post fails on others, where it is told
		warm := map[platform.ID]bool{}
		for i := range a.config.Accounts {
			if account := &a.config.Accounts[i]; !warm[account.Platform] {
				warm[account.Platform] = true
				a.reader.Inspect(p, account, nil)
			}
		}
	}()
	return func() { <-done }
}

// inspectAll renders and checks targets of one post.
func (a *Agenda) inspectAll(targets []plan.Target, which []int) error {
	p, findings, err := a.parse(targets[which[0]].Path)
	if err != nil {
		return err
	}
	for _, i := range which {
		t := &targets[i]
		r, err := a.inspect(p, t.Account, findings)
		if err != nil {
			return err
		}
		t.Fingerprint, t.Said = r.Rendering.Fingerprint(), ledger.Said(&r.Rendering)
		t.Costs, t.Fitted = a.Cost(t.Account, &r.Rendering), fitted(&r.Rendering)
		t.FetchesCard = slices.ContainsFunc(r.Rendering.Parts, func(p platform.Part) bool { return p.Card != nil && p.Card.Fetch })
		if f, blocked := r.Findings.Blocking(t.Account); blocked {
			t.Blocked = string(f.Code) + ": " + f.Message
		}
	}
	return nil
}

// fitted returns the pictures of a rendering that are changed before they are sent.
func fitted(r *platform.Rendering) (pictures []platform.Media) {
	for _, p := range r.Parts {
		for _, m := range p.Media {
			if m.Fit != nil {
				pictures = append(pictures, m)
			}
		}
		if p.Card != nil && p.Card.Image != nil && p.Card.Image.Fit != nil {
			pictures = append(pictures, *p.Card.Image)
		}
	}
	return pictures
}

// Cost returns what the parts of a rendering are estimated to cost on an account; nil where nothing does.
func (a *Agenda) Cost(account string, r *platform.Rendering) []platform.Cost {
	acc, adapter, ok := a.Account(account)
	if !ok {
		return nil
	}
	return platform.CostOf(adapter, acc, r)
}

// facts are what is the same for all targets of an account.
type facts struct {
	platform platform.ID
	caps     platform.Caps
	keyLife  time.Duration
}

func (a *Agenda) facts() map[string]facts {
	all := make(map[string]facts, len(a.config.Accounts))
	for i := range a.config.Accounts {
		account := &a.config.Accounts[i]
		f := facts{platform: account.Platform}
		if adapter, ok := a.o.Registry.Get(account.Platform); ok {
			f.caps, f.keyLife = platform.CapsOf(adapter, account), adapter.Info().KeyLifetime
		}
		all[account.Name] = f
	}
	return all
}

// sameIDs returns why posts are blocked that share an id with another, by path.
func (a *Agenda) sameIDs() map[string]string {
	first := make(map[string]string, len(a.entries))
	same := map[string]string{}
	for i := range a.entries {
		e := &a.entries[i]
		key := strings.ToLower(e.id)
		if other, ok := first[key]; ok {
			same[e.path] = fmt.Sprintf("%s: the id %q is also that of %s", content.SameIDCode, e.id, other)
			if same[other] == "" {
				same[other] = fmt.Sprintf("%s: the id %q is also that of %s", content.SameIDCode, e.id, e.path)
			}
			continue
		}
		first[key] = e.path
	}
	return same
}

// parse reads a post with its media.
func (a *Agenda) parse(file string) (*post.Post, finding.List, error) {
	src, err := a.tree.ReadFile(path.Join(a.o.Prefix, file))
	if err != nil {
		return nil, nil, err
	}
	p, findings := a.reader.Parse(file, src)
	return p, findings, nil
}

// inspect renders and checks one target; findings are those from reading the post.
func (a *Agenda) inspect(p *post.Post, account string, findings finding.List) (*site.Rendered, error) {
	acc, ok := a.config.Account(account)
	if !ok {
		return nil, fmt.Errorf("account %q is not in site.yaml", account)
	}
	r := a.reader.Inspect(p, acc, findings)
	return &r, nil
}

// Render returns the rendering of a post for an account.
func (a *Agenda) Render(file, account string) (*platform.Rendering, error) {
	p, findings, err := a.parse(file)
	if err != nil {
		return nil, err
	}
	r, err := a.inspect(p, account, findings)
	if err != nil {
		return nil, err
	}
	return &r.Rendering, nil
}

// Untimed returns the ids of the posts that are to go somewhere without a time.
func (a *Agenda) Untimed() ([]string, error) {
	var ids []string
	for i := range a.entries {
		e := &a.entries[i]
		if !e.decode(a.zones) {
			if err := a.fill(e); err != nil {
				return nil, err
			}
		}
		if slices.ContainsFunc(e.targets, func(t targetEntry) bool { return t.due.IsZero() }) {
			ids = append(ids, e.id)
		}
	}
	return ids, nil
}

// Has reports whether the site has a post with an id.
func (a *Agenda) Has(id string) bool {
	return slices.ContainsFunc(a.entries, func(e entry) bool { return e.id == id })
}

// Config returns the site's configuration.
func (a *Agenda) Config() *config.Site { return a.config }

// Media opens the site's folder at the commit.
func (a *Agenda) Media() fs.FS { return a.fsys }

// Account returns an account and its adapter.
func (a *Agenda) Account(name string) (*platform.Account, platform.Adapter, bool) {
	account, ok := a.config.Account(name)
	if !ok {
		return nil, nil, false
	}
	adapter, ok := a.o.Registry.Get(account.Platform)
	return account, adapter, ok
}

// Secrets looks an account's secrets up in the environment.
func (a *Agenda) Secrets(name string) (map[string]secret.String, error) {
	account, ok := a.config.Account(name)
	if !ok {
		return nil, fmt.Errorf("account %q is not in site.yaml", name)
	}
	info, _ := a.o.Registry.Info(account.Platform)
	return info.LookupSecrets(name, a.config.Alone(name), a.o.Env)
}

// BucketKeys looks up what the site's bucket lets us in with.
func (a *Agenda) BucketKeys() (bucket.Keys, error) { return bucket.LookupKeys(a.o.Env) }

// parallel calls fn for 0 … n-1 on all processors and returns the first error. A panic is one: it must not end a program that has other
// sites to look after.
func (a *Agenda) parallel(ctx context.Context, n int, fn func(i int) error) error {
	guarded := func(i int) (err error) {
		defer func() {
			if v := recover(); v != nil {
				a.o.Log.Error("reading the site broke off", "panic", v, "stack", string(debug.Stack()))
				err = fmt.Errorf("the program failed: %v", v)
			}
		}()
		return fn(i)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, min(runtime.GOMAXPROCS(0), n))
	for w := range errs {
		wg.Go(func() {
			for ctx.Err() == nil && errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				errs[w] = guarded(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

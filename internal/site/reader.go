package site

import (
	"io/fs"

	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// Reader reads, renders and checks single posts of a site, without looking at the others. It is safe for
// concurrent use. Publishing uses it: of ten thousand posts, a run needs a few.
type Reader struct {
	s           *Snapshot
	text, whole *content.Parser
}

// NewReader returns a reader of the site in fsys with a configuration that has been read already.
func NewReader(cfg *config.Site, reg *platform.Registry, fsys fs.FS) *Reader {
	s := &Snapshot{Config: cfg, fsys: fsys, reg: reg, checker: check.New(cfg, reg)}
	return &Reader{s: s, text: content.NewParser(nil, s.contentOptions()), whole: content.NewParser(fsys, s.contentOptions())}
}

// ParseText reads a post without looking at its media: enough to know when it is due and where it goes.
func (r *Reader) ParseText(path string, src []byte) (*post.Post, finding.List) {
	return r.text.Parse(path, src)
}

// Parse reads a post with its media.
func (r *Reader) Parse(path string, src []byte) (*post.Post, finding.List) {
	return r.whole.Parse(path, src)
}

// Accounts returns the accounts that a post goes to, sorted by name.
func (r *Reader) Accounts(p *post.Post) []*platform.Account { return r.s.Accounts(p) }

// Inspect renders a post for an account and checks it by itself. The findings hold all that reading
// (given as read), rendering and the checks say, less what the file ignores.
func (r *Reader) Inspect(p *post.Post, a *platform.Account, read finding.List) Rendered {
	rendered := r.s.Render(p, a)
	pass := r.s.checker.Pass()
	pass.Add(read...)
	pass.Add(rendered.Findings...)
	pass.Post(p)
	pass.Target(&check.Target{Account: a, Info: r.s.checker.Info(a.Name), Variant: &rendered.Variant, Rendering: &rendered.Rendering})
	rendered.Findings = r.s.checker.FinishAlone(pass)
	return rendered
}

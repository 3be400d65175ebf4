package export

import (
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
)

// public is a site without its drafts. They are taken out before anything is made of the site, so that no page, list, count or
// finding can tell of them.
type public struct {
	site     *site.Snapshot
	drafts   int             // posts that were left out
	unsure   finding.List    // what is wrong with files of which nobody can tell whether they are drafts; they were left out too
	withheld map[string]bool // paths of posts whose files have a draft for some account in them
	posts    map[string]bool // ids of the posts that were left out
	targets  map[target]bool // what was left out of posts that stay
}

type target struct{ post, account string }

// withoutDrafts takes the drafts out of a site. A file with an error in its front matter may be a draft: `draft: yes` is none to YAML. When
// site.yaml has errors and speaks of drafts, any post may be one.
func withoutDrafts(s *site.Snapshot, fsys fs.FS) (*public, error) {
	p := &public{withheld: map[string]bool{}, posts: map[string]bool{}, targets: map[target]bool{}}
	blurred := map[string]bool{} // paths
	for _, f := range s.Findings {
		if f.Severity == finding.Error && f.Path != config.File && strings.HasPrefix(string(f.Code), "F") && f.Code != content.SameIDCode {
			blurred[f.Path] = true
			p.unsure = append(p.unsure, f)
		}
	}
	all, err := mayAllBeDrafts(s, fsys)
	if err != nil {
		return nil, err
	}
	next := *s
	next.Posts = make([]*post.Post, 0, len(s.Posts))
	for _, x := range s.Posts {
		shown := p.shown(s, x)
		if all || blurred[x.Path] || shown == nil {
			p.posts[x.ID] = true
			if !all && !blurred[x.Path] {
				p.drafts++
			}
			continue
		}
		next.Posts = append(next.Posts, shown)
	}
	kept := make(map[string]bool, len(next.Posts))
	for _, x := range next.Posts {
		kept[x.Path] = true
	}
	next.Findings = content.SameIDs(next.Posts)
	for _, f := range s.Findings {
		if f.Path == config.File || kept[f.Path] && f.Code != content.SameIDCode && !p.targets[target{f.Post, f.Account}] {
			next.Findings = append(next.Findings, f)
		}
	}
	next.Findings.Sort()
	p.site = &next
	return p, nil
}

// mayAllBeDrafts reports whether site.yaml is broken and may say that posts are drafts unless they say otherwise.
func mayAllBeDrafts(s *site.Snapshot, fsys fs.FS) (bool, error) {
	if !slices.ContainsFunc(s.Findings, func(f finding.Finding) bool { return f.Path == config.File && f.Severity == finding.Error }) {
		return false, nil
	}
	f, err := fsys.Open(config.File)
	if err != nil {
		return false, nil // there is none: it says nothing
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, config.MaxBytes+1))
	return len(src) > config.MaxBytes || strings.Contains(strings.ToLower(string(src)), "draft"), err
}

// shown returns a post without what is a draft of it, nil when all of it is.
func (p *public) shown(s *site.Snapshot, x *post.Post) *post.Post {
	draft := s.Config.Defaults.Draft
	if x.Set.Has(post.FieldDraft) {
		draft = x.Draft
	}
	accounts := s.Accounts(x)
	var out, in []*platform.Account
	for _, a := range accounts {
		if s.Variant(x, a).Draft {
			out = append(out, a)
		} else {
			in = append(in, a)
		}
	}
	drafted := draft || slices.ContainsFunc(x.Overrides, func(o post.Override) bool { return o.Set.Has(post.FieldDraft) && o.Draft })
	switch {
	case len(in) == 0 && (len(out) > 0 || draft):
		return nil
	case drafted: // perhaps only for an account that there is not yet
		p.withheld[x.Path] = true
	}
	if len(out) == 0 {
		return x
	}
	part := *x
	part.Platforms = nil
	part.Set = part.Set.With(post.FieldPlatforms)
	names := map[string]bool{}
	for _, a := range in {
		part.Platforms = append(part.Platforms, a.Name)
		names[a.Name], names[string(a.Platform)] = true, true
	}
	for _, a := range out {
		p.targets[target{x.ID, a.Name}] = true
	}
	part.Overrides = slices.DeleteFunc(slices.Clone(x.Overrides), func(o post.Override) bool { return !names[o.Name] })
	return &part
}

// hides reports whether a record tells of a draft. What is out is no secret.
func (p *public) hides(r *ledger.Record) bool {
	return r.State != ledger.Published && r.State != ledger.Withdrawn && (p.posts[r.Post] || p.targets[target{r.Post, r.Account}])
}

// records returns those that may be shown.
func (p *public) records(list []*ledger.Record) []*ledger.Record {
	return slices.DeleteFunc(slices.Clone(list), p.hides)
}

// publicLedger is a ledger without what is about drafts.
type publicLedger struct {
	ledger.View
	public *public
}

// Open implements [ledger.View].
func (l publicLedger) Open() ([]*ledger.Record, error) {
	list, err := l.View.Open()
	return l.public.records(list), err
}

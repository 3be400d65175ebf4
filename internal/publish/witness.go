package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/approval"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/plan"
)

// witnesses know who has approved what the site says at a commit. What was approved they render themselves, from the tree of the commit that
// was approved, and with the program as it is now: nothing that anybody writes into a comment counts.
//
// They live for one run. Nothing of what they learn is kept: who has approved something may be taken back at any time, and what a commit says
// is rendered in milliseconds.
type witnesses struct {
	repo    *gitrepo.Repo
	remote  string
	commit  gitrepo.Hash // what is published
	options agenda.Options
	site    *config.Site
	open    func(remote string) (forge.Forge, error)

	history  history
	trails   map[string]*trail
	sites    map[gitrepo.Hash]*agenda.Agenda // nil for one that cannot be read
	versions map[versionKey]agenda.Version

	host  forge.Forge
	down  error // why the code host is not asked any more
	pulls map[gitrepo.Hash][]forge.Pull
	lost  map[gitrepo.Hash]string // why the version that was approved cannot be had
}

// newWitnesses returns nobody when the desk is offline and the rule asks a code host.
func newWitnesses(o OpenOptions, site *config.Site, options agenda.Options, remote string, commit gitrepo.Hash) *witnesses {
	if o.Offline && site.RequireApproval.From != config.FromTrailers {
		return nil
	}
	options.CacheDir = ""
	return &witnesses{
		repo: o.Repo, remote: remote, commit: commit, options: options, site: site, open: o.Forge,
		history: history{repo: o.Repo, prefix: o.Prefix, next: commit},
		trails:  map[string]*trail{}, sites: map[gitrepo.Hash]*agenda.Agenda{}, versions: map[versionKey]agenda.Version{},
		pulls: map[gitrepo.Hash][]forge.Pull{}, lost: map[gitrepo.Hash]string{},
	}
}

// judge returns nil when enough people have approved what a target says, else what is missing.
func (w *witnesses) judge(ctx context.Context, t *plan.Target) error {
	sources := map[config.ApprovalSource][]approval.Source{
		config.FromTrailers: {approval.Trailers}, config.FromEither: {approval.Trailers, approval.Forge},
	}[w.site.RequireApproval.From]
	if sources == nil {
		sources = []approval.Source{approval.Forge}
	}
	rule := approval.Rule{People: w.site.ApprovalOf(t.Account, t.Campaign), Sources: sources, By: w.site.RequireApproval.By}
	changes, err := w.changesOf(t.Post, t.Path, t.Account)
	if err != nil {
		return &plan.UnaskedError{Err: err}
	}
	var words []approval.Word
	var unasked error
	verdict := approval.Judge(rule, t.Fingerprint, nil)
	for i := range changes {
		for _, source := range sources {
			said, err := w.say(ctx, source, &changes[i], t)
			if err != nil {
				unasked = err
			}
			words = append(words, said...)
		}
		if verdict = approval.Judge(rule, t.Fingerprint, words); verdict.Approved {
			return nil
		}
	}
	if unasked != nil {
		return unasked
	}
	return errors.New(verdict.Why)
}

// say returns what was said of a change.
func (w *witnesses) say(ctx context.Context, source approval.Source, c *change, t *plan.Target) ([]approval.Word, error) {
	if source == approval.Trailers {
		words, err := w.trailers(c, t)
		if err != nil {
			return nil, &plan.UnaskedError{Err: err}
		}
		return words, nil
	}
	if w.down != nil {
		return nil, w.down
	}
	words, err := w.reviews(ctx, c, t)
	switch {
	case err == nil:
		return words, nil
	case errors.Is(err, errCutOff) || errors.Is(err, gitrepo.ErrCutOff):
		return nil, &plan.UnaskedError{Err: errCutOff}
	}
	if _, own := errors.AsType[*plan.UnaskedError](err); !own { // it is not about this post: others need not ask
		w.down = &plan.UnaskedError{Err: err, Passing: forge.Passing(err)}
		err = w.down
	}
	return nil, err
}

// reviews returns who has approved a pull request that brought a change, and what the post said in the version that they approved.
func (w *witnesses) reviews(ctx context.Context, c *change, t *plan.Target) ([]approval.Word, error) {
	pulls, err := w.merged(ctx, c)
	if err != nil {
		return nil, err
	}
	var words []approval.Word
	for i := range pulls {
		p := &pulls[i]
		before, merged, err := w.before(p)
		if err != nil {
			return nil, err
		}
		if !merged { // into another branch
			continue
		}
		for _, r := range p.Reviews {
			word := approval.Word{Source: approval.Forge, By: r.By, Name: r.Name, Where: p.Name, Flaw: flaw(p, &r)}
			if err := w.shown(ctx, p, &r, before, c, t, &word); err != nil {
				return nil, err
			}
			words = append(words, word)
		}
	}
	return words, nil
}

func flaw(p *forge.Pull, r *forge.Review) approval.Flaw {
	switch {
	case r.Own:
		return approval.Own
	case r.Bot:
		return approval.Bot
	case r.Stranger:
		return approval.Stranger
	case p.Uncertain:
		return approval.Uncertain
	}
	return ""
}

// merged asks the code host for the pull requests that brought a change, once for each commit.
func (w *witnesses) merged(ctx context.Context, c *change) ([]forge.Pull, error) {
	if pulls, ok := w.pulls[c.commit.Hash]; ok {
		return pulls, nil
	}
	if w.host == nil {
		err := forge.ErrUnknownHost
		if w.open != nil {
			w.host, err = w.open(w.remote)
		}
		if err != nil {
			w.down = &plan.UnaskedError{Err: err}
			return nil, w.down
		}
	}
	by := w.site.RequireApproval.By
	pulls, err := w.host.Merged(ctx, forge.Question{
		Commit: string(c.commit.Hash), Later: w.history.later(c.index),
		Trusted: func(name string) bool {
			return slices.ContainsFunc(by, func(b string) bool { return strings.EqualFold(b, name) })
		},
	})
	if err == nil {
		w.pulls[c.commit.Hash] = pulls
	}
	return pulls, err
}

// before returns where the branch that is published stood before a pull request was merged, Zero when it was not there yet; and whether it was
// merged into that branch at all.
func (w *witnesses) before(p *forge.Pull) (at gitrepo.Hash, merged bool, err error) {
	merge := gitrepo.Hash(p.Merge)
	here, err := w.repo.Has(merge)
	if err != nil || !here {
		return gitrepo.Zero, false, err
	}
	if merged, err = w.repo.IsAncestor(merge, w.commit); err != nil || !merged {
		return gitrepo.Zero, false, err
	}
	for at = merge; ; {
		c, err := w.repo.CommitInfo(at)
		if err != nil {
			return gitrepo.Zero, false, err
		}
		if len(c.Parents) == 0 {
			cut, err := w.repo.IsCutOff(at)
			if cut {
				err = errCutOff
			}
			return gitrepo.Zero, true, err
		}
		if at = c.Parents[0]; !slices.Contains(p.Commits, string(at)) { // those of a branch that was fast-forwarded
			return at, true, nil
		}
	}
}

// shown fills in what somebody who approved a pull request was shown of a post: what it says in the commit that was approved, and whether the
// pull request was what made it say so. What it left as it was, nobody looked at.
func (w *witnesses) shown(ctx context.Context, p *forge.Pull, r *forge.Review, before gitrepo.Hash, c *change, t *plan.Target, word *approval.Word) error {
	head := gitrepo.Hash(r.Commit)
	if head == gitrepo.Zero {
		word.Lost = "the code host does not tell which commit that was"
		return nil
	}
	var err error
	if word.Lost, err = w.fetch(ctx, p, head); err != nil || word.Lost != "" {
		return err
	}
	base := gitrepo.Zero
	if before != gitrepo.Zero {
		if base, err = w.repo.MergeBase(head, before); err != nil {
			return err
		}
	}
	now, readable, err := w.version(head, t.Post, c.after.Path)
	if err != nil {
		return &plan.UnaskedError{Err: err}
	}
	if !readable {
		word.Lost = "site.yaml has errors there"
		return nil
	}
	word.Fingerprint = now.Says[t.Account]
	if base == gitrepo.Zero || word.Fingerprint == "" {
		return nil
	}
	was, readable, err := w.version(base, t.Post, c.after.Path)
	if err != nil {
		return &plan.UnaskedError{Err: err}
	}
	if word.Same = was.Says[t.Account] == word.Fingerprint; !readable {
		word.Lost = "site.yaml had errors before, so nobody was shown what changes"
	}
	return nil
}

// fetch brings a commit here that was approved, and says why it cannot be had.
func (w *witnesses) fetch(ctx context.Context, p *forge.Pull, id gitrepo.Hash) (lost string, err error) {
	if why, ok := w.lost[id]; ok {
		return why, nil
	}
	here, err := w.repo.Has(id)
	if err != nil || here || w.remote == "" {
		if err == nil && !here {
			lost = fmt.Sprintf("commit %s is not here, and there is no remote", id.Short())
		}
		return lost, err
	}
	if err := w.repo.FetchCommit(ctx, w.remote, id); err == nil {
		return "", nil
	}
	// Not every server gives out what it is asked for by its id, but all have the pull request as it was merged.
	_, err = w.repo.Fetch(ctx, w.remote, fmt.Sprintf("%s:refs/postrider/remotes/%s/approved", p.Ref, w.remote))
	if err != nil {
		return "", err
	}
	if here, err = w.repo.Has(id); err != nil || here {
		return "", err
	}
	w.lost[id] = fmt.Sprintf("commit %s is gone", id.Short())
	return w.lost[id], nil
}

// mostReviewed is how many commits of a merged branch are looked at for trailers.
const mostReviewed = 250

// trailers returns whom the commits of a change name as its reviewers: its own commit and, of a merge, those of the branch. Whoever wrote or
// made one of these commits is no reviewer of it; of a merge, whoever wrote or made any.
func (w *witnesses) trailers(c *change, t *plan.Target) ([]approval.Word, error) {
	wrote := people{}
	wrote.add(&c.commit)
	var branch []gitrepo.CommitInfo
	if len(c.commit.Parents) > 1 {
		var err error
		if branch, err = w.repo.Since(c.parent, c.commit.Hash); errors.Is(err, gitrepo.ErrCutOff) {
			return nil, errCutOff
		} else if err != nil {
			return nil, err
		}
		for i := range branch {
			wrote.add(&branch[i])
		}
	}
	words := named(&c.commit, wrote, c.after.Says[t.Account])
	for i := range branch[:min(len(branch), mostReviewed)] {
		x := &branch[i]
		if x.Hash == c.commit.Hash || len(x.Parents) == 0 || len(x.Reviewers()) == 0 {
			continue
		}
		after, readable, err := w.version(x.Hash, t.Post, c.after.Path)
		if err != nil {
			return nil, err
		}
		before, was, err := w.version(x.Parents[0], t.Post, c.after.Path)
		if err != nil {
			return nil, err
		}
		if !readable || !was || after.Says[t.Account] == before.Says[t.Account] {
			continue
		}
		own := people{}
		own.add(x)
		words = append(words, named(x, own, after.Says[t.Account])...)
	}
	return words, nil
}

// named returns the words of a commit's reviewers.
func named(c *gitrepo.CommitInfo, wrote people, fingerprint string) (words []approval.Word) {
	for _, r := range c.Reviewers() {
		word := approval.Word{Source: approval.Trailers, By: strings.ToLower(r.Email), Name: r.Name, Where: "commit " + c.Hash.Short(), Fingerprint: fingerprint}
		if word.Name == "" {
			word.Name = r.Email
		}
		if wrote[strings.ToLower(r.Email)] || wrote[strings.ToLower(r.Name)] {
			word.Flaw = approval.Own
		}
		words = append(words, word)
	}
	return words
}

// people are the names and mail addresses of those who wrote or made commits.
type people map[string]bool

func (p people) add(c *gitrepo.CommitInfo) {
	for _, name := range []string{c.Name, c.Email, c.CommitterName, c.CommitterEmail} {
		if name != "" {
			p[strings.ToLower(name)] = true
		}
	}
}

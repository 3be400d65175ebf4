package check

import (
	"fmt"
	"slices"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

func names() Check {
	return Check{
		Doc: finding.Doc{
			Code: "C101", Title: "unknown account or platform", Severity: finding.Error, Since: "0.1.0",
			Why:  "What is meant for the name would go nowhere, and what is kept from it (`::: !name`) would go there.",
			Bad:  "-- content/sled.md --\n---\nplatforms: [x, blueski]\n---\nThe sled is back.\n",
			Good: "-- content/sled.md --\n---\nplatforms: [x, bluesky]\n---\nThe sled is back.\n",
		},
		post: func(p *Pass, x *post.Post) {
			if x.Set.Has(post.FieldPlatforms) {
				p.platforms(x, "", x.Platforms)
			}
			for i := range x.Overrides {
				o := &x.Overrides[i]
				p.name(x, o.Name, func() finding.Range { return o.Range })
				for j := range o.Body {
					p.audiences(x, o.Body[j].Blocks, o)
				}
			}
			for i := range x.Body {
				p.audiences(x, x.Body[i].Blocks, nil)
			}
		},
	}
}

// platforms reports the names under `platforms:` that have no account.
func (p *Pass) platforms(x *post.Post, override string, names []string) {
	for _, name := range names {
		if p.c.cfg.Known(name) {
			continue
		}
		message := fmt.Sprintf("%q is neither an account nor a platform", name)
		if info, ok := p.c.reg.Info(platform.ID(name)); ok {
			message = fmt.Sprintf("the site has no account on %s", info.Name)
		}
		known := p.c.cfg.Names()
		place := x.Place(override, post.FieldPlatforms)
		p.report("C101", finding.Error, x, place, message, didYouMean(name, known, "known: "+list(known)))
		p.mend(x, listed(x, place), name, content.Certain(name, known))
	}
}

// audiences reports the unknown names of `::: name` blocks.
func (p *Pass) audiences(x *post.Post, blocks []post.Block, in *post.Override) {
	for i := range blocks {
		b := &blocks[i]
		for _, name := range b.Names {
			p.name(x, name, func() finding.Range {
				if in != nil {
					return x.Place(in.Name, post.FieldText)
				}
				return firstLine(x.Range(b.Span))
			})
		}
		if len(b.Blocks) > 0 {
			p.audiences(x, b.Blocks, in)
		}
	}
}

// name reports a name that nothing has. A platform without an account is no mistake here: the text may be shared with another site.
func (p *Pass) name(x *post.Post, name string, at func() finding.Range) {
	if p.c.cfg.Known(name) {
		return
	}
	if _, ok := p.c.reg.Info(platform.ID(name)); ok {
		return
	}
	if _, ok := slices.BinarySearch(unsupported(), name); ok {
		p.report("C103", finding.Warning, x, at(), fmt.Sprintf("this version does not know %s: nobody gets what is meant for it", name), "leave it for a later version, or take it out")
		return
	}
	known, place := p.c.cfg.Names(), at()
	p.report("C101", finding.Error, x, place, fmt.Sprintf("%q is neither an account nor a platform", name), didYouMean(name, known, "known: "+list(known)))
	p.mend(x, place, name, content.Certain(name, known))
}

// listed returns where the items of a list can stand that begins at a place: up to the key that comes next.
func listed(x *post.Post, place finding.Range) finding.Range {
	if place.Start.Line == 0 {
		return place
	}
	end := finding.Pos{Line: max(place.Start.Line+1, x.BodyLine), Column: 1}
	for _, other := range x.Places {
		if at := other.Range.Start.Line; at > place.Start.Line && at < end.Line {
			end.Line = at
		}
	}
	return finding.Range{Start: finding.Pos{Line: place.Start.Line, Column: 1}, End: end}
}

// unsupported lists networks that people know and this version does not, sorted: naming one is no slip of the pen.
func unsupported() []string {
	return []string{
		"devto", "discord", "ghost", "hashnode", "lemmy", "matrix", "mattermost", "medium", "nostr",
		"pinterest", "reddit", "slack", "smtp", "tiktok", "tumblr", "vk", "wordpress", "youtube",
	}
}

func namesLater() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "C103", Title: "platform that this version does not know", Severity: finding.Warning, Since: "0.1.0",
			Why:  "A block or an override is meant for a network that Postrider cannot send to yet, so nobody gets it.",
			Bad:  "-- content/sled.md --\n---\nplatforms: [x]\n---\nThe sled is back.\n\n::: pinterest\nMore of it in pictures.\n:::\n",
			Good: "-- content/sled.md --\n---\nplatforms: [x]\n---\nThe sled is back.\n",
		},
		post: func(*Pass, *post.Post) {}, // found by names, which looks at every name
	}
}

// firstLine shortens a range that goes over several lines to its start.
func firstLine(r finding.Range) finding.Range {
	if r.End.Line > r.Start.Line {
		r.End = finding.Pos{}
	}
	return r
}

func noTarget() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "C102", Title: "post that goes nowhere", Severity: finding.Warning, Since: "0.1.0",
			Why:  "Neither the post nor the site's defaults say where it goes, so it never goes out.",
			Bad:  "-- content/sled.md --\n---\ntitle: The sled\n---\nThe sled is back.\n",
			Good: "-- content/sled.md --\n---\ntitle: The sled\nplatforms: [x]\n---\nThe sled is back.\n",
		},
		post: func(p *Pass, x *post.Post) {
			names := p.c.cfg.Defaults.Platforms
			if x.Set.Has(post.FieldPlatforms) {
				names = x.Platforms
			}
			for _, name := range names {
				if p.c.cfg.Known(name) {
					return
				}
			}
			if x.Draft || x.Unread || len(names) > 0 { // what cannot be read, and an unknown name, have findings of their own
				return
			}
			p.report("C102", finding.Warning, x, x.Place("", post.FieldPlatforms), "the post has no platforms, so it never goes out", "add platforms: with some of "+list(p.c.cfg.Names()))
		},
	}
}

package check

import (
	"encoding/binary"
	"fmt"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

func sameText() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "T303", Title: "same post twice on one account", Severity: finding.Warning, Since: "0.1.0",
			Why:  "Text, link and pictures are the same as another post's: usually a file was copied. Networks refuse or hide repeats.",
			Bad:  "-- content/a.md --\n---\nplatforms: [x]\n---\nThe sled is back.\n-- content/b.md --\n---\nplatforms: [x]\n---\nThe sled is back.\n",
			Good: "-- content/a.md --\n---\nplatforms: [x]\n---\nThe sled is back.\n-- content/b.md --\n---\nplatforms: [x]\n---\nThe sled is still here.\n",
		},
		cross: func(c *Checker, seen []sighting, out *finding.List) {
			first := make(map[uint64]int32, len(seen))
			named := map[int32]bool{} // the first of each group is reported once
			for i, s := range seen {
				if s.words == 0 || s.inert {
					continue
				}
				j, twice := first[s.words]
				if !twice {
					first[s.words] = int32(i)
					continue
				}
				report := func(x, other *post.Post) {
					out.Add(finding.Finding{
						Code: "T303", Severity: finding.Warning, Path: x.Path, Post: x.ID, Account: c.cfg.Accounts[s.account].Name, Range: x.Range(post.Span{}),
						Message: fmt.Sprintf("says the same as %s", other.Path), Hint: "delete one, or say it in other words",
					})
				}
				if !named[j] {
					named[j] = true
					report(seen[j].post, s.post)
				}
				report(s.post, seen[j].post)
			}
		},
	}
}

// words returns a hash of all that an account's variant says and shows, 0 for one without a text.
func (p *Pass) words(v *post.Variant) uint64 {
	h := &p.hash
	h.Reset()
	for i := range v.Parts {
		p.hashBlocks(v.Parts[i].Blocks)
		h.WriteByte(1)
	}
	empty := h.Sum64()
	for i := range v.Parts {
		if len(v.Parts[i].Blocks) > 0 {
			empty = 0
		}
	}
	if empty != 0 {
		return 0
	}
	for _, s := range [...]string{v.Title, v.Link, v.ContentWarning, v.Quote, v.ReplyTo, v.CanonicalURL} {
		p.hashString(s)
	}
	for _, tag := range v.Tags {
		p.hashString(tag)
	}
	for i := range v.PartMedia {
		for j := range v.PartMedia[i] {
			p.hashString(v.PartMedia[i][j].Digest)
		}
	}
	if v.Poll != nil {
		for _, o := range v.Poll.Options {
			p.hashString(o)
		}
	}
	return max(1, h.Sum64())
}

// hashString adds a text and its length, so that two texts are never taken for one.
func (p *Pass) hashString(s string) {
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], uint32(len(s)))
	p.hash.Write(n[:])
	p.hash.WriteString(s)
}

func (p *Pass) hashBlocks(blocks []post.Block) {
	for i := range blocks {
		b := &blocks[i]
		p.hash.WriteByte(byte(b.Kind))
		if b.Text != "" {
			p.hashString(b.Text)
		}
		p.hashInlines(b.Inlines)
		p.hashBlocks(b.Blocks)
	}
}

func (p *Pass) hashInlines(inlines []post.Inline) {
	for i := range inlines {
		in := &inlines[i]
		p.hash.WriteByte(byte(in.Kind))
		if in.Text != "" {
			p.hashString(in.Text)
		}
		if in.Dest != "" {
			p.hashString(in.Dest)
		}
		p.hashInlines(in.Inlines)
	}
}

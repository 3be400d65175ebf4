// Package pictures shows what a review is about: for each post a picture of its cards, as its networks will show them, and as they
// showed what it was before. A browser draws them; a branch of its own keeps them where a code host shows them.
//
// What is drawn may come from a fork. The pages are this program's own, whatever templates the site has, and escape every text; media are
// decoded and encoded anew before a browser sees them.
package pictures

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/pages"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/review"
	"github.com/postrider/postrider/internal/screenshot"
	"github.com/postrider/postrider/internal/site"
)

const (
	// Most is how many posts of a review get a picture.
	Most = 20
	// mostCards is how many accounts are in one picture.
	mostCards = 12
	// atOnce is how many browsers run at the same time.
	atOnce = 2
)

// Artist draws pages: a [screenshot.Browser].
type Artist interface {
	Draw(ctx context.Context, p screenshot.Page) (*screenshot.Picture, error)
}

// Input is what pictures are made of.
type Input struct {
	Sides *review.Sides
	// Before and After are the site's folder on both sides: what posts show is read from there.
	Before, After fs.FS
	Registry      *platform.Registry
	Review        *review.Review
	Artist        Artist
}

// Picture is the picture of one post.
type Picture struct {
	Post *review.Post
	*screenshot.Picture
}

// FileName is what the picture's file is called where it must have another address when it is another picture.
func (p *Picture) FileName() string {
	sum := sha256.Sum256(p.Data)
	return hex.EncodeToString(sum[:8]) + p.Ext
}

// FileNames returns what the files of pictures are called in a folder, for people: after the posts' ids.
func (s *Set) FileNames() []string {
	names := make([]string, len(s.Pictures))
	taken := map[string]bool{}
	for i := range s.Pictures {
		p := &s.Pictures[i]
		stem := fileStem(p.Post.ID)
		name := stem + p.Ext
		for n := 2; taken[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s-%d%s", stem, n, p.Ext)
		}
		taken[strings.ToLower(name)] = true
		names[i] = name
	}
	return names
}

// fileStem makes a plain name of an id, which anybody may have written.
func fileStem(id string) string {
	stem := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, id), "-")
	return "post-" + stem[:min(len(stem), 80)]
}

// Set is the pictures of a review.
type Set struct {
	Pictures []Picture      // in the order of the review
	Left     []*review.Post // there were more than [Most]
	Failed   []*review.Post // those that the browser did not draw
}

// Any reports whether there is anything to draw.
func Any(r *review.Review) bool {
	for i := range r.Posts {
		if looksDifferent(&r.Posts[i]) {
			return true
		}
	}
	return false
}

// Draw makes the pictures of a review. A post whose looks nothing changes has none. The error says why some could not be drawn: what was
// drawn is returned all the same.
func Draw(ctx context.Context, in Input) (*Set, error) {
	templates, err := pages.Load(nil) // never the site's own: it is what is reviewed
	if err != nil {
		return nil, err
	}
	d := drawer{Input: in, set: templates}
	var posts []*review.Post
	out := &Set{}
	for i := range in.Review.Posts {
		switch p := &in.Review.Posts[i]; {
		case !looksDifferent(p):
		case len(posts) == Most:
			out.Left = append(out.Left, p)
		default:
			posts = append(posts, p)
		}
	}
	drawn, err := d.all(ctx, posts)
	for i, p := range posts {
		if drawn[i] == nil {
			out.Failed = append(out.Failed, p)
			continue
		}
		out.Pictures = append(out.Pictures, Picture{p, drawn[i]})
	}
	return out, err
}

// looksDifferent reports whether an account gets something else of a post than before, which is not nothing.
func looksDifferent(p *review.Post) bool {
	for i := range p.Targets {
		if p.Kind != review.Removed && !p.Targets[i].Same {
			return true
		}
	}
	return false
}

type drawer struct {
	Input
	set   *pages.Set
	files pictureFiles
}

// all draws posts, some at once. After a failure it begins no more: what keeps a browser from one page keeps it from all.
func (d *drawer) all(ctx context.Context, posts []*review.Post) ([]*screenshot.Picture, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		wg    sync.WaitGroup
		slots = make(chan struct{}, atOnce)
		once  sync.Once
		first error
	)
	drawn := make([]*screenshot.Picture, len(posts))
	for i, p := range posts {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			picture, err := d.draw(ctx, p)
			if err != nil {
				once.Do(func() { first = fmt.Errorf("the picture of %s: %w", p.Path, err) })
				stop()
			}
			drawn[i] = picture
		})
	}
	wg.Wait()
	if first == nil {
		first = context.Cause(ctx)
	}
	return drawn, first
}

// draw makes the picture of one post.
func (d *drawer) draw(ctx context.Context, p *review.Post) (*screenshot.Picture, error) {
	page := screenshot.Page{Files: map[string][]byte{}}
	var b bytes.Buffer
	if err := d.set.Sheet(&b, d.sheet(p, page.Files)); err != nil {
		return nil, err
	}
	page.HTML = b.Bytes()
	return d.Artist.Draw(ctx, page)
}

// sheet is the page of one post. The pictures that it shows are put into files.
func (d *drawer) sheet(p *review.Post, files map[string][]byte) pages.Sheet {
	out := pages.Sheet{Title: cmp.Or(p.Title, p.Path)}
	var same, more []string
	for i := range p.Targets {
		t := &p.Targets[i]
		switch {
		case t.Same:
			same = append(same, t.Account)
		case len(out.Rows) == mostCards:
			more = append(more, t.Account)
		default:
			out.Rows = append(out.Rows, pages.SheetRow{
				Before: d.card(d.Sides.Before, d.Before, cmp.Or(p.Was, p.Path), t, t.Before, files),
				After:  d.card(d.Sides.After, d.After, p.Path, t, t.After, files),
			})
		}
	}
	if len(same) > 0 {
		out.Notes = append(out.Notes, "As before: "+strings.Join(same, ", ")+".")
	}
	if len(more) > 0 {
		out.Notes = append(out.Notes, "Not in this picture: "+strings.Join(more, ", ")+".")
	}
	return out
}

// card is what an account gets on one side of the change, nil for nothing.
func (d *drawer) card(side *site.Snapshot, fsys fs.FS, path string, t *review.Target, r *site.Rendered, files map[string][]byte) *pages.SheetCard {
	if r == nil {
		return nil
	}
	account, ok := side.Config.Account(t.Account)
	if !ok {
		return nil
	}
	c := &pages.SheetCard{Account: account, Rendering: &r.Rendering, Name: cmp.Or(side.Config.Title, "Postrider"), At: r.Variant.PublishAt, Location: side.Config.Location}
	c.Info, _ = d.Registry.Info(t.Platform)
	if p, ok := side.Find(path); ok {
		c.Page = p.LinkCard
	}
	c.Media = func(m platform.Media) string { return d.files.show(fsys, m, files) }
	return c
}

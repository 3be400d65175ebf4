// Package export writes a site's pages and feeds as files: what `postrider preview` shows, for any web server, or for none.
//
// The same site, ledger and time give the same bytes. Links are relative and name files, so the pages work from a disk and below any
// path of a host. Without drafts, nothing that is written tells of any.
package export

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/feed"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/pages"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/site"
)

// feedEntries is how many posts a feed has at most.
const feedEntries = 100

// Options are what a build is made of.
type Options struct {
	Root     *os.Root // the site's folder
	Site     *site.Snapshot
	Registry *platform.Registry
	Ledger   ledger.View      // nil when nothing is known of what went out
	Latest   []*ledger.Record // what happened last, newest first: the archive and the feeds
	Now      time.Time
	Drafts   bool   // drafts are written, too
	Home     string // where the pages are going to be, without a slash at its end; may be empty
	Out      string // the folder to write, absolute
}

// Result is what was written.
type Result struct {
	Pages    int
	Files    int   // pages and all others
	Bytes    int64 // of all files
	Drafts   int   // posts that were left out because they are drafts
	Unsure   int   // files that were left out because nobody can tell whether they are
	Findings finding.List
}

// Build writes the site into the folder o.Out, as a whole or not at all. An error may be a [*FolderError] or a [*pages.TemplateError].
func Build(ctx context.Context, o Options) (res Result, err error) {
	set, err := pages.Load(site.Visible(o.Root.FS()))
	if err != nil {
		return res, err
	}
	out, err := openFolder(o.Root.Name(), o.Out)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, out.close()) }()

	b := &builder{o: o, set: set, out: out, viewer: pages.Viewer{Static: true, ReadOnly: true}}
	if err := b.look(ctx, &res); err != nil {
		return res, err
	}
	if err := b.pages(ctx); err != nil {
		return res, err
	}
	if err := b.feeds(); err != nil {
		return res, err
	}
	for _, a := range set.Assets() {
		if err := out.write("assets/"+a.Name, a.Data); err != nil {
			return res, err
		}
	}
	if err := context.Cause(ctx); err != nil {
		return res, err
	}
	res.Pages, res.Files, res.Bytes = len(b.viewer.Tree.Pages()), len(out.files), out.bytes
	return res, out.replace()
}

// builder makes one build.
type builder struct {
	o      Options
	set    *pages.Set
	out    *folder
	board  *board.Board
	viewer pages.Viewer
	media  sync.Map // by path: *picture
	// pictures takes out what is written beside them.
	pictures media.Fitter
}

// look makes the board.
func (b *builder) look(ctx context.Context, res *Result) error {
	in := board.Input{
		Site: b.o.Site, Registry: b.o.Registry, Ledger: b.o.Ledger, Latest: b.o.Latest, Drafts: b.o.Drafts, Now: b.o.Now,
	}
	if !b.o.Drafts {
		p, err := withoutDrafts(b.o.Site, site.Visible(b.o.Root.FS()))
		if err != nil {
			return err
		}
		in.Site, in.Latest, b.viewer.Withheld = p.site, p.records(b.o.Latest), p.withheld
		if in.Ledger != nil {
			in.Ledger = publicLedger{in.Ledger, p}
		}
		res.Drafts, res.Unsure = p.drafts, len(b.o.Site.Posts)-len(p.site.Posts)-p.drafts
		res.Findings = p.unsure
	}
	found := in.Site.Check(ctx)
	if err := context.Cause(ctx); err != nil { // the list is not complete
		return err
	}
	in.Check = board.NewCheck(in.Site, found)
	res.Findings = append(res.Findings, found...)
	res.Findings.Sort()
	var err error
	if b.board, err = board.New(in); err != nil {
		return err
	}
	b.viewer.Tree, b.viewer.Shown = pages.NewTree(b.board), b.shown
	return nil
}

// pages writes all pages, on all processors.
func (b *builder) pages(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	list := b.viewer.Tree.Pages()
	var (
		next    atomic.Int64
		workers sync.WaitGroup
	)
	for range min(runtime.GOMAXPROCS(0), len(list)) {
		workers.Go(func() {
			var buf bytes.Buffer
			for i := int(next.Add(1)) - 1; i < len(list) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				buf.Reset()
				if err := b.page(&buf, list[i]); err != nil {
					cancel(fmt.Errorf("page %s: %w", list[i], err))
				}
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var err error
	b.media.Range(func(_, v any) bool {
		_, err = v.(func() (bool, error))()
		return err == nil
	})
	return err
}

// page writes one page.
func (b *builder) page(buf *bytes.Buffer, here string) error {
	v := b.viewer
	v.Here = here
	p, err := b.set.Page(b.board, v)
	if err != nil {
		return err
	}
	if p.Status != http.StatusOK {
		return fmt.Errorf("it is not there: status %d", p.Status)
	}
	if err := b.set.Write(buf, p, b.board, v); err != nil {
		return err
	}
	return b.out.write(pages.FileOf(here), buf.Bytes())
}

// shown reports whether pages show a file of the site, and copies it when the first one does.
func (b *builder) shown(name string) bool {
	once, ok := b.media.Load(name)
	if !ok {
		once, _ = b.media.LoadOrStore(name, sync.OnceValues(func() (bool, error) { return b.copy(name) }))
	}
	shown, _ := once.(func() (bool, error))() // its error is asked for again when all pages are written
	return shown
}

// copy copies a picture. Hidden files, and whatever is none by its content, it leaves out: site.yaml with another name is no picture.
func (b *builder) copy(name string) (bool, error) {
	if !fs.ValidPath(name) || hidden(name) {
		return false, nil
	}
	f, err := b.o.Root.Open(filepath.FromSlash(name)) // no symbolic link leads out of the site
	if err != nil {
		return false, nil // the page says that it is missing
	}
	defer f.Close() //nolint:errcheck // only read from
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false, nil
	}
	start := make([]byte, 512)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	if kind, ok := pages.MediaType(start[:n]); !ok || !strings.HasPrefix(kind, "image/") {
		return false, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	data, err := io.ReadAll(io.LimitReader(f, media.MaxBytes))
	if err != nil {
		return false, err
	}
	if recipe, ok := media.Clean(data); ok { // these pages are for others: they are not told where it was taken
		sum := sha256.Sum256(data)
		if data, err = b.pictures.Fit(hex.EncodeToString(sum[:]), data, recipe); err != nil {
			return false, nil // it is damaged, or too large to be turned; the page says that it is missing
		}
	}
	err = b.out.write("media/"+name, data)
	return err == nil, err
}

// feeds writes the feeds and the calendars to subscribe to.
func (b *builder) feeds() error {
	var buf bytes.Buffer
	for _, x := range []struct {
		name  string
		write func(io.Writer, feed.Feed) error
	}{{"feed.xml", feed.WriteRSS}, {"atom.xml", feed.WriteAtom}, {"feed.json", feed.WriteJSONFeed}} {
		self := ""
		if b.o.Home != "" {
			self = b.o.Home + "/" + x.name
		}
		f := pages.FeedOf(b.board, b.o.Home, self)
		f.Home = cmp.Or(f.Home, f.ID) // a feed has to say what it is about, and there is no address
		f.Entries = f.Entries[:min(len(f.Entries), feedEntries)]
		for i := range f.Entries {
			f.Entries[i].URL = b.address(f.Entries[i].URL)
		}
		buf.Reset()
		if err := x.write(&buf, f); err != nil {
			return err
		}
		if err := b.out.write(x.name, buf.Bytes()); err != nil {
			return err
		}
	}
	cfg := b.board.Input().Site.Config
	filters := map[string]board.Filter{"calendar.ics": {}}
	for i := range cfg.Accounts {
		name := cfg.Accounts[i].Name
		filters["calendar/account/"+name+".ics"] = board.Filter{Account: name}
	}
	for i := range cfg.Campaigns {
		name := cfg.Campaigns[i].Name
		filters["calendar/campaign/"+name+".ics"] = board.Filter{Campaign: name}
	}
	for name, filter := range filters {
		c := pages.CalendarOf(b.board, filter, b.o.Home)
		for i := range c.Events {
			c.Events[i].URL = b.address(c.Events[i].URL)
		}
		buf.Reset()
		if err := feed.WriteCalendar(&buf, c); err != nil {
			return err
		}
		if err := b.out.write(name, buf.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// address returns the address of a post's page as a host of files has it: that of a folder.
func (b *builder) address(page string) string {
	if b.o.Home != "" && strings.HasPrefix(page, b.o.Home+"/posts/") {
		return page + "/"
	}
	return page
}

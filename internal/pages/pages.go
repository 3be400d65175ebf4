// Package pages is the HTML of a board: what people look at in the preview, and in the static site that `postrider build`
// writes.
//
// A [Page] is a list of blocks, pieces of HTML that each have an id and a hash. Rendering is pure: the same board, address and
// viewer give the same blocks, so a live page need only be told of the blocks whose hash is another one.
//
// The templates are embedded (package templates, folder preview). A site overrides any of them by a file of the same name in
// its own templates/preview/.
package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/templates"
)

// TemplateDir is the folder of a site, below its templates, that overrides the program's own page templates.
const TemplateDir = "templates/" + templates.Preview

// Block is a piece of a page.
type Block struct {
	ID   string        `json:"id"` // of its element, unique on the page
	HTML template.HTML `json:"html"`
	Hash string        `json:"hash"` // of HTML
}

// Page is a page with everything in it but what surrounds all pages.
type Page struct {
	Title  string
	Nav    string // which entry of the navigation is the current one
	Wide   bool   // it wants all the width there is
	Blocks []Block
	Status int // of the HTTP response
	// Post is the path of the post that the page is about, empty when it is about several.
	Post string
	// Navigation leads to the other pages. It is a block like those in Blocks, but stands outside of them, in the frame.
	Navigation Block
}

// Hash stands for everything in Blocks.
func (p *Page) Hash() string {
	h := sha256.New()
	for _, b := range p.Blocks {
		io.WriteString(h, b.ID+" "+b.Hash+"\n") //nolint:errcheck // a hash cannot fail
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Viewer is for whom a page is made.
type Viewer struct {
	Here     string // the page's address: path and query
	Static   bool   // it is written to a file: links are relative, nothing can be changed
	ReadOnly bool   // nothing can be changed
	Live     bool   // the page is told of changes
	Token    string // goes with everything that changes something
	Key      string // goes with addresses that programs are given: they have no cookie
	// Loading says that the posts are still being read, Trouble what is wrong with the preview itself: a site that cannot be read
	// at the moment, a template that is broken.
	Loading bool
	Trouble string
	NoGit   bool // the folder is not in a git repository
	// Tree is which pages a static site has; nil: all that are linked to.
	Tree *Tree
	// Shown reports whether the page may show a file of the site, such as a picture; nil: all.
	Shown func(file string) bool
	// Withheld are the paths of posts whose files are not shown: there is something in them that this viewer is not to see.
	Withheld map[string]bool
	// Wrong is why what was just asked for was not done, Done what was.
	Wrong, Done string
}

// Set is the templates and assets that pages are made with. It is safe for concurrent use.
type Set struct {
	t      *template.Template
	assets map[string]Asset // by the name in templates/assets
	byURL  map[string]Asset
	// version stands for the assets and the frame.
	version string
	buffers sync.Pool // of *bytes.Buffer: what a page is written into comes to several times its size
}

// buffer returns an empty buffer. Whoever takes one puts it back into buffers.
func (s *Set) buffer() *bytes.Buffer {
	b, ok := s.buffers.Get().(*bytes.Buffer)
	if !ok {
		return new(bytes.Buffer)
	}
	b.Reset()
	return b
}

// Asset is a file that pages refer to.
type Asset struct {
	Name string // with the hash of its content: "app.0123456789abcdef.css"
	Type string // its MIME type
	Data []byte
}

// TemplateError says that a template is broken.
type TemplateError struct {
	File string // in the site, or in the program itself
	Err  error
}

// Error implements error.
func (e *TemplateError) Error() string { return fmt.Sprintf("template %s: %v", e.File, e.Err) }

// Unwrap returns what is wrong.
func (e *TemplateError) Unwrap() error { return e.Err }

// Load reads the templates: the program's own, and over them those in the site's folder TemplateDir of fsys, which may be nil. A
// broken one of the site's is a [*TemplateError].
func Load(fsys fs.FS) (*Set, error) {
	s := &Set{t: template.New("").Funcs(functions()), assets: map[string]Asset{}, byURL: map[string]Asset{}}
	if err := s.parse(templates.Files, templates.Preview, templates.Preview); err != nil {
		return nil, err
	}
	if err := s.loadAssets(templates.Files, templates.Assets); err != nil {
		return nil, err
	}
	if fsys != nil {
		if err := s.parse(fsys, TemplateDir, TemplateDir); err != nil {
			return nil, err
		}
		if err := s.loadAssets(fsys, "templates/"+templates.Assets); err != nil {
			return nil, err
		}
	}
	// What a template of the site may break shows only when it is executed, with data; that there is one at all is seen here.
	for _, name := range names() {
		if s.t.Lookup(name) == nil {
			return nil, &TemplateError{File: TemplateDir, Err: fmt.Errorf("there is no template %q", name)}
		}
	}
	s.version = s.sum()
	if fsys != nil { // the frame is on every page and no block: that it works is seen here
		if err := s.Write(io.Discard, &Page{}, nil, Viewer{Here: "/"}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// sum returns the version: a hash of what a live page cannot swap. It is taken before anything is executed, which changes the templates.
func (s *Set) sum() string {
	h := sha256.New()
	for _, a := range s.Assets() {
		io.WriteString(h, a.Name+"\n") //nolint:errcheck // a hash cannot fail
	}
	for _, name := range frame() {
		io.WriteString(h, s.t.Lookup(name).Tree.Root.String()) //nolint:errcheck // a hash cannot fail
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// maxTemplate is the size above which a template or asset of a site is refused.
const maxTemplate = 1 << 20

func (s *Set) parse(fsys fs.FS, dir, shown string) error {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the page templates: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".html" {
			continue
		}
		b, err := readSmall(fsys, e, path.Join(dir, e.Name()))
		if err == nil {
			_, err = s.t.New(e.Name()).Parse(string(b))
		}
		if err != nil {
			return &TemplateError{File: path.Join(shown, e.Name()), Err: err}
		}
	}
	return nil
}

func (s *Set) loadAssets(fsys fs.FS, dir string) error {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the assets: %w", err)
	}
	for _, e := range entries {
		kind := assetType(e.Name())
		if e.IsDir() || kind == "" {
			continue
		}
		b, err := readSmall(fsys, e, path.Join(dir, e.Name()))
		if err != nil {
			return &TemplateError{File: path.Join(dir, e.Name()), Err: err}
		}
		sum := sha256.Sum256(b)
		ext := path.Ext(e.Name())
		a := Asset{Name: strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:8]) + ext, Type: kind, Data: b}
		s.assets[e.Name()], s.byURL[a.Name] = a, a
	}
	return nil
}

// readSmall reads a template or an asset. A link is not followed: a site comes from whoever sends a pull request, and what a link in it leads
// to, such as a .env, is nothing to show. A pipe would never end.
func readSmall(fsys fs.FS, e fs.DirEntry, name string) ([]byte, error) {
	if !e.Type().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTemplate+1))
	if err == nil && len(b) > maxTemplate {
		err = fmt.Errorf("it is larger than %d bytes", maxTemplate)
	}
	return b, err
}

func assetType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return ""
	}
}

// Version stands for what is the same on all pages, the assets and the frame: a page that was made with others must be loaded again.
func (s *Set) Version() string { return s.version }

// Asset returns the asset whose name, with its hash, is name.
func (s *Set) Asset(name string) (Asset, bool) {
	a, ok := s.byURL[name]
	return a, ok
}

// Assets returns all assets, sorted by name.
func (s *Set) Assets() []Asset {
	list := make([]Asset, 0, len(s.byURL))
	for _, a := range s.byURL {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b Asset) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// maker makes one page.
type maker struct {
	*ctx
	page *Page
	err  error
}

// add executes a template into a block.
func (m *maker) add(id, name string, data any) {
	if m.err == nil {
		m.page.Blocks = append(m.page.Blocks, m.block(id, name, data))
	}
}

// block executes a template. What goes wrong is kept in m.err.
func (m *maker) block(id, name string, data any) Block {
	b := m.set.buffer()
	defer m.set.buffers.Put(b)
	if err := m.set.t.ExecuteTemplate(b, name, data); err != nil {
		m.err = &TemplateError{File: name, Err: err}
		return Block{}
	}
	sum := sha256.Sum256(b.Bytes())
	return Block{ID: id, HTML: template.HTML(b.String()), Hash: hex.EncodeToString(sum[:6])} //nolint:gosec // the templates have escaped it
}

// Write writes a whole document in one piece, for the viewer that the page was made for. Nothing is written when it fails with a [*TemplateError].
func (s *Set) Write(w io.Writer, p *Page, b *board.Board, v Viewer) error {
	buf := s.buffer()
	defer s.buffers.Put(buf)
	if err := s.t.ExecuteTemplate(buf, "layout", &layout{ctx: s.context(b, v), Page: p}); err != nil {
		return &TemplateError{File: "layout", Err: err}
	}
	_, err := w.Write(buf.Bytes())
	return err
}

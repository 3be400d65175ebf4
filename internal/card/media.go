package card

import (
	"math"
	"path"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/platform"
)

// Kind tells how a file is shown.
type Kind string

// The kinds of files.
const (
	Picture  Kind = "picture"
	Animated Kind = "animated"
	Video    Kind = "video"
	Sound    Kind = "sound"
	Document Kind = "document"
)

// Tile is one file as the network shows it.
type Tile struct {
	URL           string // of the file; empty where it cannot be shown
	Kind          Kind
	Name          string // the file's name
	Width, Height int    // of the picture, 0 where not known
	Alt           string
	NoAlt         bool // a picture or video that nobody has described
	Decorative    bool // one that needs no description, as its post says
	Number        int  // among the files of its part, from 1
	// Box is the style sheet's name of the shape it is cropped to, about its centre: "ar-16-9"; "ar-own" where it is shown
	// whole, "ar-fill" where the gallery's grid says it.
	Box    string
	Hidden int // how much of the picture the crop hides, in percent
}

// Gallery is the files of one part.
type Gallery struct {
	Grid  string // the style sheet's name of the arrangement; "strip" is leafed through, "stack" one below the other
	Box   string // the shape of the whole
	Tiles []Tile
	// More is how many files are behind the last tile.
	More int
	// NoAlt is how many files lack a description.
	NoAlt int
	Alts  []Tile // all files, those behind the last tile too
	Badge bool   // the network tells by a badge that a picture is described
}

// cell is the part of a frame that a tile fills.
type cell struct{ w, h float64 }

// grids are the arrangements of several pictures, tile by tile. cards.css draws them.
var grids = []struct {
	name  string
	cells []cell
}{
	{"g-2", []cell{{1. / 2, 1}, {1. / 2, 1}}},                                               // side by side
	{"g-2s", []cell{{1, 1. / 2}, {1, 1. / 2}}},                                              // one below the other
	{"g-3l", []cell{{1. / 2, 1}, {1. / 2, 1. / 2}, {1. / 2, 1. / 2}}},                       // the first on the left
	{"g-3t", []cell{{1, 1. / 2}, {1. / 2, 1. / 2}, {1. / 2, 1. / 2}}},                       // the first on top
	{"g-4", []cell{{1. / 2, 1. / 2}, {1. / 2, 1. / 2}, {1. / 2, 1. / 2}, {1. / 2, 1. / 2}}}, // two by two
	{"g-4l", []cell{{2. / 3, 1}, {1. / 3, 1. / 3}, {1. / 3, 1. / 3}, {1. / 3, 1. / 3}}},
	{"g-4t", []cell{{1, 2. / 3}, {1. / 3, 1. / 3}, {1. / 3, 1. / 3}, {1. / 3, 1. / 3}}},
	{"g-5", []cell{{1. / 2, 3. / 5}, {1. / 2, 3. / 5}, {1. / 3, 2. / 5}, {1. / 3, 2. / 5}, {1. / 3, 2. / 5}}}, // two above three
}

func cellsOf(grid string) []cell {
	for _, g := range grids {
		if g.name == grid {
			return g.cells
		}
	}
	return nil
}

// gallery lays a part's files out.
func (l *Look) gallery(media []platform.Media, in *Input) Gallery {
	var g Gallery
	for i := range media {
		t := tile(&media[i], in.MediaURL)
		t.Number, t.Decorative = i+1, t.NoAlt && in.Decorative[media[i].Path]
		t.NoAlt = t.NoAlt && !t.Decorative && !l.NoAlt
		if t.NoAlt {
			g.NoAlt++
		}
		g.Alts = append(g.Alts, t)
	}
	g.Tiles, g.Badge = g.Alts, l.AltBadge
	switch n := len(g.Tiles); {
	case n == 0:
		return g
	case n == 1:
		g.Grid = "g-1"
		g.Tiles = []Tile{g.Tiles[0].in(l.single(&g.Tiles[0]))}
	case l.Carousel:
		g.strip(l)
	case len(l.Frames) == 0:
		g.Grid, g.Tiles = "stack", nil
		for _, t := range g.Alts {
			g.Tiles = append(g.Tiles, t.in(Ratio{}))
		}
	default:
		g.frame(l)
	}
	return g
}

// strip makes the tiles a carousel: of one shape where the network crops to the first, each of its own where it does not.
func (g *Gallery) strip(l *Look) {
	g.Grid, g.Tiles = "strip", nil
	var first Ratio
	if l.Layout == Image {
		if first = l.single(&g.Alts[0]); first == (Ratio{}) {
			first = g.Alts[0].nearest()
		}
	}
	for _, t := range g.Alts {
		g.Tiles = append(g.Tiles, t.in(first))
	}
}

// frame sets the tiles into a frame of the network.
func (g *Gallery) frame(l *Look) {
	frames := l.Frames
	if first := &g.Tiles[0]; l.Tall != nil && first.Height > first.Width {
		frames = l.Tall
	}
	f := frames[min(len(g.Tiles)-2, len(frames)-1)]
	cells := cellsOf(f.Grid)
	if len(cells) > len(g.Tiles) {
		cells = cells[:len(g.Tiles)]
	}
	g.Grid, g.Box, g.More = f.Grid, f.Ratio.Class(), len(g.Tiles)-len(cells)
	tiles := make([]Tile, len(cells))
	for i, c := range cells {
		tiles[i] = g.Tiles[i]
		tiles[i].Box, tiles[i].Hidden = "ar-fill", tiles[i].hidden(f.Ratio.float()*c.w/c.h)
	}
	g.Tiles = tiles
}

// single returns the shape in which a picture is shown that is alone.
func (l *Look) single(t *Tile) Ratio {
	if t.Width <= 0 || t.Height <= 0 {
		return Ratio{16, 9}
	}
	shape := float64(t.Width) / float64(t.Height)
	switch narrow, wide := l.One[0], l.One[1]; {
	case narrow != Ratio{} && shape < narrow.float():
		return narrow
	case wide != Ratio{} && shape > wide.float():
		return wide
	}
	return Ratio{}
}

// nearest returns the named ratio that a picture's own comes closest to.
func (t *Tile) nearest() Ratio {
	if t.Width <= 0 || t.Height <= 0 {
		return Ratio{1, 1}
	}
	best, least := Ratio{1, 1}, 100
	for _, r := range []Ratio{{1, 1}, {4, 5}, {3, 4}, {4, 3}, {3, 2}, {16, 9}, {191, 100}} {
		if hidden := t.hidden(r.float()); hidden < least {
			best, least = r, hidden
		}
	}
	return best
}

// in returns the tile cropped to a ratio.
func (t Tile) in(r Ratio) Tile {
	t.Box = r.Class()
	if r != (Ratio{}) {
		t.Hidden = t.hidden(r.float())
	}
	return t
}

// hidden returns how much of the picture a box of another shape hides, in percent.
func (t *Tile) hidden(box float64) int {
	if t.Width <= 0 || t.Height <= 0 || box <= 0 {
		return 0
	}
	own := float64(t.Width) / float64(t.Height)
	return int(math.Round(100 * (1 - min(own/box, box/own))))
}

// tile returns what is known of a file.
func tile(m *platform.Media, address func(platform.Media) string) Tile {
	t := Tile{Kind: kindOf(m.MIME), Name: path.Base(m.Path), Width: m.Width, Height: m.Height, Alt: m.Alt}
	t.NoAlt = strings.TrimSpace(m.Alt) == "" && t.Kind != Document && t.Kind != Sound
	if address != nil {
		t.URL = address(*m)
	}
	return t
}

func kindOf(mime string) Kind {
	switch kind, _, _ := strings.Cut(mime, "/"); {
	case mime == "image/gif":
		return Animated
	case kind == "image":
		return Picture
	case kind == "video":
		return Video
	case kind == "audio":
		return Sound
	}
	return Document
}

// Shows reports whether the file itself can be shown, and not only that it is there.
func (t Tile) Shows() bool { return t.URL != "" && (t.Kind == Picture || t.Kind == Animated) }

// Icon returns the glyph that stands for a file that cannot be shown.
func (t Tile) Icon() string {
	switch t.Kind {
	case Video, Animated:
		return "play"
	case Sound:
		return "sound"
	case Picture:
		return "picture"
	}
	return "document"
}

// Described returns the words that stand for the file where it is not seen.
func (t Tile) Described() string {
	if t.NoAlt || t.Alt == "" {
		return "" // never invented: a screen reader says that there is a picture, and the badge that nobody described it
	}
	return t.Alt
}

// fitted tells how the pictures of a part are changed before they are sent, those that are changed alike in one sentence.
func fitted(p *platform.Part) []string {
	files := p.Media
	if p.Card != nil && p.Card.Image != nil {
		files = append(slices.Clip(files), *p.Card.Image)
	}
	var changes []string
	names := map[string][]string{} // by change
	for i := range files {
		m := &files[i]
		if m.Fit == nil {
			continue
		}
		change, name := m.Change(), path.Base(m.Path)
		if !slices.Contains(changes, change) {
			changes = append(changes, change)
		}
		if !slices.Contains(names[change], name) {
			names[change] = append(names[change], name)
		}
	}
	for i, change := range changes {
		if n := names[change]; len(n) == 1 {
			changes[i] = n[0] + " is not sent as it is: " + change + "."
		} else {
			last := len(n) - 1
			changes[i] = strings.Join(n[:last], ", ") + " and " + n[last] + " are not sent as they are: " + change + "."
		}
	}
	return changes
}

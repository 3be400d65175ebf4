package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/card"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// Sheet is some cards of one post on a page of their own, for a picture.
type Sheet struct {
	Title string
	Rows  []SheetRow
	Notes []string // sentences below the cards
}

// SheetRow is one account of a post: what it gets, and what it got before. With a Before in any row, the two stand side by side in all of them.
type SheetRow struct{ Before, After *SheetCard }

// SheetCard is what a card of a sheet shows.
type SheetCard struct {
	Rendering *platform.Rendering
	Info      platform.Info
	Account   *platform.Account
	Name      string // the site's title
	At        time.Time
	Location  *time.Location
	Page      *post.LinkCard
	// Media returns the name of a file beside the page that shows a picture, "" for none.
	Media func(platform.Media) string
}

const (
	// sheetParts is how many parts of a thread are on a sheet: what follows them looks much the same.
	sheetParts = 6
	// sheetNotes is how many remarks a card has there.
	sheetNotes = 5
	// sheetColumns is how many cards stand side by side.
	sheetColumns = 3
)

// sheet is what the template "sheet" shows.
type sheet struct {
	Title     string
	Style     template.CSS
	StyleHash string
	Rows      []sheetRow
	Pairs     bool
	Columns   int
	Notes     []string
}

type sheetRow struct{ Before, After *card.View }

// Sheet writes a sheet as a document that needs nothing else but the files that its cards show.
func (s *Set) Sheet(w io.Writer, in Sheet) error {
	out := sheet{Title: in.Title, Columns: min(len(in.Rows), sheetColumns), Notes: in.Notes}
	for _, r := range in.Rows {
		out.Rows = append(out.Rows, sheetRow{r.Before.view(), r.After.view()})
		out.Pairs = out.Pairs || r.Before != nil
	}
	var own bytes.Buffer
	if err := s.t.ExecuteTemplate(&own, "sheet-style", nil); err != nil {
		return &TemplateError{File: "sheet", Err: err}
	}
	var style strings.Builder
	for _, name := range []string{"app.css", "cards.css"} {
		style.Write(s.assets[name].Data)
	}
	style.Write(own.Bytes())
	sum := sha256.Sum256([]byte(style.String()))
	out.Style, out.StyleHash = template.CSS(style.String()), base64.StdEncoding.EncodeToString(sum[:]) //nolint:gosec // the program's own style sheets
	var b bytes.Buffer
	if err := s.t.ExecuteTemplate(&b, "sheet", out); err != nil {
		return &TemplateError{File: "sheet", Err: err}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// view is the card as the templates show it. Of a long thread it has the beginning, and says so.
func (c *SheetCard) view() *card.View {
	if c == nil {
		return nil
	}
	v := card.New(c.Rendering, card.Input{
		Info: c.Info, Account: c.Account, Name: c.Name, Handle: option(c.Account, "handle"), Server: option(c.Account, "server"), At: c.At, Location: c.Location,
		MediaURL: c.Media, Page: c.Page,
	})
	v.Key = "" // an account may be on the sheet twice, and nothing on it has to be found again
	for i := range v.Parts {
		v.Parts[i].Key = ""
	}
	v.Notes = v.Notes[:min(len(v.Notes), sheetNotes)]
	if n := len(v.Parts); n > sheetParts {
		v.Parts = v.Parts[:sheetParts]
		v.Notes = append([]string{fmt.Sprintf("Parts %d to %d are not in this picture.", sheetParts+1, n)}, v.Notes...)
	}
	return &v
}

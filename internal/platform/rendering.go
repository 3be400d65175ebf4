package platform

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/post"
)

// Rendering is exactly what one account's network will be sent. Check, preview, plan, review and
// publish all use the same one; its fingerprint proves that.
type Rendering struct {
	Platform       ID       `json:"platform"`
	Title          string   `json:"title,omitempty"`
	Parts          []Part   `json:"parts"` // at least one; several are a thread
	Language       []string `json:"language,omitempty"`
	Visibility     string   `json:"visibility,omitempty"`
	ContentWarning string   `json:"content_warning,omitempty"`
	Sensitive      bool     `json:"sensitive,omitempty"`
	Labels         []string `json:"labels,omitempty"`
	Tags           []string `json:"tags,omitempty"`
	Poll           *Poll    `json:"poll,omitempty"`
	ReplyTo        string   `json:"reply_to,omitempty"`
	Quote          string   `json:"quote,omitempty"`
	CanonicalURL   string   `json:"canonical_url,omitempty"`
	// Settings is what else the network is told about the post, by the names of its API: "reply_settings": "following".
	Settings map[string]string `json:"settings,omitempty"`
}

// Part is one message: the whole post, or one part of a thread.
type Part struct {
	Text   string  `json:"text"`
	Facets []Facet `json:"facets,omitempty"`
	Media  []Media `json:"media,omitempty"`
	Card   *Card   `json:"card,omitempty"`
	// Comment says that this part is a comment on the first, and not the next of a thread: a "first comment".
	Comment bool `json:"comment,omitempty"`

	// What follows is derived from the above and not part of the fingerprint.
	Used     int          `json:"-"` // length by the network's own rule
	Max      int          `json:"-"` // 0: no limit
	Unit     measure.Unit `json:"-"`
	UsedByte int          `json:"-"` // second limit in bytes, where the network has one
	MaxByte  int          `json:"-"`
	Spans    []SourceSpan `json:"-"` // where the text came from, ordered by Start
	AutoCut  bool         `json:"-"` // this part begins where `thread: auto` cut
}

// FacetKind tells what a stretch of text is.
type FacetKind string

// The facet kinds.
const (
	FacetLink    FacetKind = "link"    // Value is the address
	FacetMention FacetKind = "mention" // Value is the handle without '@'
	FacetTag     FacetKind = "tag"     // Value is the tag without '#' (a cashtag keeps its '$')
	FacetBold    FacetKind = "bold"    // and the following: rich text, where the network has it
	FacetItalic  FacetKind = "italic"
	FacetStrike  FacetKind = "strike"
	FacetCode    FacetKind = "code"
)

// Facet gives meaning to the bytes of Part.Text from Start to End, End exclusive.
type Facet struct {
	Start int       `json:"start"`
	End   int       `json:"end"`
	Kind  FacetKind `json:"kind"`
	Value string    `json:"value,omitempty"`
}

// Media is one attached file. Digest stands for the bytes, so that a changed picture changes the fingerprint.
type Media struct {
	Path   string `json:"path"`
	Digest string `json:"digest"`
	MIME   string `json:"mime"`
	Alt    string `json:"alt"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`
	// Fit is how the file is changed before it is sent, because the network takes no such file; nil: it goes out as it is. Everything
	// above is about the file in the site. What is sent follows from Digest and Fit alone.
	Fit *Fit `json:"fit,omitempty"`
}

// Fit is how a picture is made to fit a network: turned upright, scaled down, encoded anew, and freed of what a camera wrote into it.
// Package media carries it out, deterministically; its Recipe has the same fields.
type Fit struct {
	Width    int    `json:"width"` // in pixels, as shown
	Height   int    `json:"height"`
	MIME     string `json:"mime"`                // what it becomes
	MaxBytes int64  `json:"max_bytes,omitempty"` // it is encoded, and if need be scaled down further, until it is no larger
	// StripOnly leaves the picture as it is, bit for bit, and takes out what was written beside it: the place, the camera, comments.
	StripOnly bool `json:"strip_only,omitempty"`
	Version   int  `json:"version"` // of the way in which it is done: another way gives other bytes
}

// Sent returns the file as the network gets it: of the type and size that Fit makes. Bytes is then 0, as that is known once it is made.
func (m Media) Sent() Media {
	if f := m.Fit; f != nil {
		m.MIME, m.Width, m.Height, m.Bytes = f.MIME, f.Width, f.Height, 0
	}
	return m
}

// Change says what Fit makes of the file: "4000×3000 JPEG, 5.2 MB → 2000×1500 JPEG, at most 2.0 MB"; "" without one.
func (m *Media) Change() string {
	f := m.Fit
	kind := func(mime string) string { return strings.ToUpper(strings.TrimPrefix(mime, "image/")) }
	switch {
	case f == nil:
		return ""
	case f.StripOnly:
		return "what is written beside the picture, such as the place and the camera, is taken out"
	}
	text := fmt.Sprintf("%d×%d %s, %s → %d×%d %s", m.Width, m.Height, kind(m.MIME), megabytes(m.Bytes), f.Width, f.Height, kind(f.MIME))
	if f.MaxBytes > 0 {
		text += ", at most " + megabytes(f.MaxBytes)
	}
	return text
}

func megabytes(n int64) string {
	if n < 100_000 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// Card is the preview of a link.
type Card struct {
	URL         string `json:"url"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Image       *Media `json:"image,omitempty"`
	// Fetch says that title, description and image are read from the link's page when the post goes
	// out and are therefore not part of what was reviewed.
	Fetch bool `json:"fetch,omitempty"`
}

// Poll is a poll as it will be sent.
type Poll struct {
	Options    []string      `json:"options"`
	Duration   time.Duration `json:"duration"`
	Multiple   bool          `json:"multiple,omitempty"`
	HideTotals bool          `json:"hide_totals,omitempty"`
}

// SourceSpan says that Part.Text from Start to End came from Source in the post's file.
type SourceSpan struct {
	Start, End int
	Source     post.Span
}

// Fingerprint is the lower-case hex SHA-256 of the rendering's canonical form: its JSON, in which
// struct order is fixed and derived values are left out. Two renderings with one fingerprint are the same post.
// Media count by the digest of their bytes, not by their path: a folder that moves changes nothing, and
// the same post from another folder is recognised.
func (r *Rendering) Fingerprint() string {
	anywhere := *r
	anywhere.Parts = slices.Clone(r.Parts)
	for i := range anywhere.Parts {
		p := &anywhere.Parts[i]
		p.Media = slices.Clone(p.Media)
		for k := range p.Media {
			p.Media[k].Path = ""
		}
		if p.Card != nil && p.Card.Image != nil {
			card, image := *p.Card, *p.Card.Image
			image.Path = ""
			card.Image, p.Card = &image, &card
		}
	}
	canonical, err := json.Marshal(&anywhere)
	if err != nil {
		panic("platform: a rendering always marshals: " + err.Error())
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

// MediaOf returns the rendering's form of a post's media.
func MediaOf(m *post.Media) Media {
	return Media{Path: m.Path, Digest: m.Digest, MIME: m.MIME, Alt: m.Alt, Width: m.Width, Height: m.Height, Bytes: m.Bytes}
}

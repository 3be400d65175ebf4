// Package post is the model of what people write: posts, their rich text, media and schedule.
//
// A [Post] is one Markdown file. It may say different things to different networks, so nothing is
// rendered from a Post directly: [Post.For] gives the [Variant] that one account gets, with every
// default and override applied and the paragraphs meant for others left out.
//
// The package has no I/O and knows no platform.
package post

import (
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/utm"
)

// Post is one file of content, parsed.
type Post struct {
	ID       string // stable identity, unique in the site; [A-Za-z0-9][A-Za-z0-9_.-]*
	OwnID    bool   // the ID stands in the file; otherwise it was derived from the path
	Path     string // slash-separated, relative to the site's folder: "content/2026/launch.md"
	Source   string // hex SHA-256 of the file's bytes
	Text     string // the file's bytes, which every Span refers to; nodes of Body share its memory
	BodyLine int    // line of the file on which the body starts
	Unread   bool   // the file or its front matter cannot be read, so that nothing is known of its fields
	NoText   bool   // the text cannot be read: Body is empty, whatever stands in the file
	Fields          // what the front matter says for everybody

	LinkCard  *LinkCard  // what the file of its link card says; nil: there is none
	Overrides []Override // in the order of the file
	Body      []Doc      // one for each part of a thread, at least one; may hold Audience blocks
	Notes     []Note     // the HTML comments in the body, which are never published
	Places    []Place    // where each key of the front matter stands
}

// Note is an HTML comment in the body: what writers and reviewers tell each other, and the tool's
// own directives (`<!-- postrider:ignore CODE reason -->`).
type Note struct {
	Span         // of the whole comment, in the file
	Text  string // what stands between `<!--` and `-->`, trimmed
	Range finding.Range
}

// Place says where a front-matter key stands: in the post's own fields (Name "") or in the
// override called Name.
type Place struct {
	Name  string
	Field Field
	Range finding.Range // of the value when there is one, else of the key
}

// Override replaces fields for one platform or one account.
type Override struct {
	Name  string // a platform's id or an account's name
	Range finding.Range
	Fields
	Body []Doc // the parts of `text:`, when Set has Text
}

// Outline drops everything but what tells posts apart: id, path, and where the id, the time and other texts stand. Of a
// site that is read only to be checked, nothing else has to be kept of each post.
func (p *Post) Outline() {
	places := slices.DeleteFunc(p.Places, func(pl Place) bool {
		return pl.Field != FieldID && pl.Field != FieldPublishAt && pl.Field != FieldText
	})
	places = slices.Clip(slices.Clone(places))
	for i := range places {
		places[i].Name = strings.Clone(places[i].Name) // it may be a piece of the text
	}
	*p = Post{ID: p.ID, OwnID: p.OwnID, Path: p.Path, BodyLine: p.BodyLine, Places: places}
}

// Place returns where a field stands: the override's place when name has one, else the post's own,
// else the start of the file.
func (p *Post) Place(name string, f Field) finding.Range {
	var own finding.Range
	for _, pl := range p.Places {
		if pl.Field == f && pl.Name == name {
			return pl.Range
		}
		if pl.Field == f && pl.Name == "" {
			own = pl.Range
		}
	}
	if own == (finding.Range{}) {
		return finding.Range{Start: finding.Pos{Line: 1, Column: 1}}
	}
	return own
}

// Span is a stretch of a file in bytes, End exclusive. The zero Span means "nowhere in the file".
type Span struct{ Start, End int }

// Late says what to do with a post that is found long after its time.
type Late string

// The late policies.
const (
	LatePublish Late = "publish" // send it all the same
	LateSkip    Late = "skip"    // never send it
	LateHold    Late = "hold"    // wait for a person
)

// Embargo says what a post waits for besides its time.
type Embargo string

// The embargoes.
const (
	EmbargoNone Embargo = "none" // nothing
	EmbargoLink Embargo = "link" // its link must answer
)

// Media is one picture, video or document of a post.
type Media struct {
	File   string // as written in the post
	Path   string // slash-separated, relative to the site's folder
	Alt    string // the description for people who do not see it; never invented
	HasAlt bool   // alt was written, even if empty (a decorative picture)
	Range  finding.Range
	Part   int // which part of the thread it belongs to

	// What probing the file's bytes found. All zero when the file is missing or unreadable.
	Digest        string // hex SHA-256 of the bytes
	MIME          string // by content, not by extension: "image/jpeg"
	Bytes         int64
	Width, Height int // pixels, as shown: orientation applied
	Animated      bool
	Frames        int           // of a GIF
	Turned        bool          // stored otherwise than it is shown
	Transparent   bool          // it may let something shine through
	Metadata      bool          // a camera or a program wrote something beside the picture, such as where it was taken, that can be taken out
	Place         bool          // it says where it was taken
	Duration      time.Duration // of a video or sound; 0 when not known
	Codec         string        // of a video: "h264"; empty when not known
	Pages         int           // of a PDF; 0 when not known
}

// IsImage reports whether the bytes are a picture.
func (m *Media) IsImage() bool { return strings.HasPrefix(m.MIME, "image/") }

// Card is the preview of a link. With a Title it is built by us from these words and is part of
// what reviewers see; otherwise it is that of the [LinkCard], and without one the link's page is read when the post goes out.
type Card struct {
	URL         string
	Title       string
	Description string
	Image       *Media
	Range       finding.Range
}

// LinkCard is a card that was made from a link's page and stands in a file beside the post, where it is reviewed and may be edited.
type LinkCard struct {
	Card
	File    string    // slash-separated, relative to the site's folder
	Fetched time.Time // when the page was read; zero when a person wrote it
}

// Poll is a question with options.
type Poll struct {
	Options    []string
	Duration   time.Duration
	Multiple   bool
	HideTotals bool
	Range      finding.Range
}

// Mention gives one name's handle on each network: in the text, @Name becomes the handle.
type Mention struct {
	Name    string
	Handles map[string]string // by platform id or account name
}

// Handle returns the handle for an account, looked up by its name and then by its platform.
func (m Mention) Handle(account, platform string) (string, bool) {
	if h, ok := m.Handles[account]; ok {
		return h, true
	}
	h, ok := m.Handles[platform]
	return h, ok
}

// Fields are the values that a post, an override, an account or the site may set. Set tells which
// of them are: an explicit empty value replaces, an absent one does not.
type Fields struct {
	Set FieldSet

	Title          string
	Platforms      []string // account names and platform ids
	PublishAt      time.Time
	PublishAtText  string // as written
	Timezone       string // IANA name
	Campaign       string
	Tags           []string // without '#'
	Link           string
	CanonicalURL   string
	Media          []Media
	Card           *Card
	Draft          bool
	Language       []string // BCP 47
	Visibility     string   // public, unlisted, followers, direct
	ContentWarning string
	Sensitive      bool
	Labels         []string
	Poll           *Poll
	ReplyTo        string
	Quote          string
	FirstComment   string
	Thread         string // "manual" or "auto"
	ExpiresAt      time.Time
	ExpiresAtText  string
	Withdraw       bool
	Late           Late
	Embargo        Embargo
	Mentions       []Mention
	Repeat         string // RFC 5545 RRULE, without the "RRULE:"
	Remark         string // `notes:`, never published
}

// Field names one of the Fields.
type Field uint8

// The fields, in the order in which documentation lists them.
const (
	FieldID Field = iota // identity; stands in the front matter but is not overridable
	FieldTitle
	FieldPlatforms
	FieldPublishAt
	FieldTimezone
	FieldCampaign
	FieldTags
	FieldLink
	FieldCanonicalURL
	FieldMedia
	FieldCard
	FieldDraft
	FieldLanguage
	FieldVisibility
	FieldContentWarning
	FieldSensitive
	FieldLabels
	FieldPoll
	FieldReplyTo
	FieldQuote
	FieldFirstComment
	FieldThread
	FieldExpiresAt
	FieldWithdraw
	FieldLate
	FieldEmbargo
	FieldMentions
	FieldRepeat
	FieldNotes
	FieldText      // only in overrides: replaces the body
	FieldOverrides // only in a post
	numFields
)

var fieldKeys = [numFields]string{
	"id", "title", "platforms", "publish_at", "timezone", "campaign", "tags", "link", "canonical_url", "media", "card",
	"draft", "language", "visibility", "content_warning", "sensitive", "labels", "poll", "reply_to", "quote",
	"first_comment", "thread", "expires_at", "withdraw", "late", "embargo", "mentions", "repeat", "notes", "text", "overrides",
}

// Key returns the field's canonical key in front matter, for example "publish_at".
func (f Field) Key() string { return fieldKeys[f] }

// AllFields returns every field in documentation order.
func AllFields() []Field {
	all := make([]Field, numFields)
	for i := range all {
		all[i] = Field(i)
	}
	return all
}

// FieldSet is a set of fields.
type FieldSet uint64

// Has reports whether f is in the set.
func (s FieldSet) Has(f Field) bool { return s&(1<<f) != 0 }

// With returns the set with f.
func (s FieldSet) With(f Field) FieldSet { return s | 1<<f }

// Merge replaces in f every field that over sets.
func (f *Fields) Merge(over *Fields) {
	if over.Set == 0 {
		return
	}
	for field := FieldTitle; field < numFields; field++ {
		if !over.Set.Has(field) {
			continue
		}
		switch field {
		case FieldTitle:
			f.Title = over.Title
		case FieldPlatforms:
			f.Platforms = over.Platforms
		case FieldPublishAt:
			f.PublishAt, f.PublishAtText = over.PublishAt, over.PublishAtText
		case FieldTimezone:
			f.Timezone = over.Timezone
		case FieldCampaign:
			f.Campaign = over.Campaign
		case FieldTags:
			f.Tags = over.Tags
		case FieldLink:
			f.Link = over.Link
		case FieldCanonicalURL:
			f.CanonicalURL = over.CanonicalURL
		case FieldMedia:
			f.Media = over.Media
		case FieldCard:
			f.Card = over.Card
		case FieldDraft:
			f.Draft = over.Draft
		case FieldLanguage:
			f.Language = over.Language
		case FieldVisibility:
			f.Visibility = over.Visibility
		case FieldContentWarning:
			f.ContentWarning = over.ContentWarning
		case FieldSensitive:
			f.Sensitive = over.Sensitive
		case FieldLabels:
			f.Labels = over.Labels
		case FieldPoll:
			f.Poll = over.Poll
		case FieldReplyTo:
			f.ReplyTo = over.ReplyTo
		case FieldQuote:
			f.Quote = over.Quote
		case FieldFirstComment:
			f.FirstComment = over.FirstComment
		case FieldThread:
			f.Thread = over.Thread
		case FieldExpiresAt:
			f.ExpiresAt, f.ExpiresAtText = over.ExpiresAt, over.ExpiresAtText
		case FieldWithdraw:
			f.Withdraw = over.Withdraw
		case FieldLate:
			f.Late = over.Late
		case FieldEmbargo:
			f.Embargo = over.Embargo
		case FieldMentions:
			f.Mentions = over.Mentions
		case FieldRepeat:
			f.Repeat = over.Repeat
		case FieldNotes:
			f.Remark = over.Remark
		}
	}
	f.Set |= over.Set
}

// Singles reports whether the post treats one account, by its name, differently from others: an override, a block
// for or not for it, or a handle of its own in `mentions`.
func (p *Post) Singles(account string) bool {
	for i := range p.Overrides {
		o := &p.Overrides[i]
		if o.Name == account || handles(o.Mentions, account) || names(o.Body, account) {
			return true
		}
	}
	return handles(p.Mentions, account) || names(p.Body, account)
}

func handles(mentions []Mention, account string) bool {
	for _, m := range mentions {
		if _, ok := m.Handles[account]; ok {
			return true
		}
	}
	return false
}

// names reports whether a block at the top of a body is for, or not for, an account.
func names(body []Doc, account string) bool {
	for i := range body {
		for j := range body[i].Blocks {
			if slices.Contains(body[i].Blocks[j].Names, account) {
				return true
			}
		}
	}
	return false
}

// Await returns the address that must answer before what has these fields goes out; "" for none.
func (f *Fields) Await() string {
	if f.Embargo != EmbargoLink {
		return ""
	}
	return f.Link
}

// Variant is a post as one account gets it: all precedence applied.
type Variant struct {
	Post     *Post
	Account  string
	Platform string
	Fields
	// Parts is the body without blocks meant for others and without notes, images taken out; at least one.
	Parts []Doc
	// PartMedia holds each part's media: those of the front matter and of `![alt](file)`, in that order.
	PartMedia [][]Media
}

// LinkCard returns the card that the file beside the post has for an address, nil when it has none for it. UTM parameters make no
// difference: the page is the same with others.
func (v *Variant) LinkCard(address string) *LinkCard {
	if v.Post == nil || v.Post.LinkCard == nil || utm.Without(v.Post.LinkCard.URL) != utm.Without(address) {
		return nil
	}
	return v.Post.LinkCard
}

// For returns the variant of p for an account. defaults are applied first, in the given order (the
// site's, then the account's), then the post's own fields, then the override for the platform, then
// the override for the account. p and defaults are not modified.
func (p *Post) For(account, platform string, defaults ...*Fields) Variant {
	v := Variant{Post: p, Account: account, Platform: platform}
	for _, d := range defaults {
		v.Fields.Merge(d)
	}
	v.Fields.Merge(&p.Fields)
	body := p.Body
	for _, name := range [2]string{platform, account} {
		for i := range p.Overrides {
			o := &p.Overrides[i]
			if o.Name != name {
				continue
			}
			v.Fields.Merge(&o.Fields)
			if o.Set.Has(FieldText) {
				body = o.Body
			}
		}
		if platform == account {
			break
		}
	}
	v.Parts = make([]Doc, len(body))
	v.PartMedia = make([][]Media, len(body))
	for i := range body {
		v.Parts[i] = body[i].keep(account, platform)
		v.PartMedia[i] = slices.Clone(v.Parts[i].images(nil))
	}
	if len(v.Media) > 0 && len(body) > 0 {
		v.PartMedia[0] = append(slices.Clone(v.Media), v.PartMedia[0]...)
	}
	for i, list := range v.PartMedia {
		for j := range list {
			list[j].Part = i
		}
	}
	return v
}

package card

import (
	"slices"
	"strconv"
	"strings"

	"github.com/postrider/postrider/internal/platform"
)

// Layout is the overall arrangement of a card.
type Layout string

// The layouts. Templates and style sheets know them by these words.
const (
	Gutter Layout = "gutter" // the picture of the account in a column of its own, everything else beside it
	Stack  Layout = "stack"  // a head with the account, then text and media over the whole width
	Image  Layout = "image"  // a head, media, and the text as their caption
	Chat   Layout = "chat"   // a message in a channel
	Bubble Layout = "bubble" // a message in a speech bubble
	Plain  Layout = "plain"  // a sheet of paper: for receivers whose look nobody knows
)

// Thread is how the parts after the first are shown.
type Thread string

// The kinds of threads.
const (
	Line     Thread = "line"    // posts of their own, joined by a line
	Together Thread = "group"   // messages under one head
	Comments Thread = "comment" // comments below the post
)

// Unfurl says which link of a text a network makes a card of by itself, once the post is out.
type Unfurl uint8

// The ways to choose the link.
const (
	NoLink Unfurl = iota
	FirstLink
	LastLink
)

// Ratio is the shape of a box: width to height. The zero Ratio is that of the picture itself.
type Ratio struct{ W, H int }

// Class returns the style sheet's name of the ratio: "ar-16-9", or "ar-own".
func (r Ratio) Class() string {
	if r == (Ratio{}) {
		return "ar-own"
	}
	return "ar-" + strconv.Itoa(r.W) + "-" + strconv.Itoa(r.H)
}

func (r Ratio) float() float64 { return float64(r.W) / float64(r.H) }

// Frame is the shape in which a number of pictures is shown together.
type Frame struct {
	Grid  string // one of the grids in media.go
	Ratio Ratio  // of the whole frame
}

// Fold says how much of a long text is shown before the reader asks for more. A zero field sets no limit.
type Fold struct {
	Characters int // grapheme clusters
	Lines      int
	PerLine    int // about how many characters a line takes
	More       string
}

// Shorten says how the text of a link that is its own address is displayed.
type Shorten struct {
	Scheme  bool // https:// stays
	WWW     bool // www. stays
	Longest int  // the longest rest behind the host that is shown whole; 0: any
	Keep    int  // how much of a longer rest stays
	Total   int  // how much stays of host and rest together; 0: all
	Dots    string
}

// Look is what is known of how one network shows posts. It is data: templates and style sheet do the rest.
type Look struct {
	ID     platform.ID
	Name   string
	Layout Layout
	Thread Thread
	// Handle is how the account's handle is written, from {handle} and {host}; empty where only the name is shown.
	Handle   string
	ByHandle bool   // the handle stands where others have the name
	Mark     string // stands behind the name
	Square   bool   // the account's picture has corners
	Time     string // how a time is written, as for time.Format
	Fold     Fold
	Link     Shorten
	// ShortMentions drops the server from @name@server.
	ShortMentions bool
	// Mention and Tag are the addresses behind mentions and hashtags, from {name}, {host} and {tag}.
	Mention, Tag string
	// Rich says that bold, italic, struck-out words and code are shown as such.
	Rich bool

	One      [2]Ratio // the narrowest and the widest shape of a single picture; zero: as it is
	Frames   []Frame  // for two pictures, three, …; more than there are frames for share the last one
	Tall     []Frame  // the same where the first picture is taller than wide; nil: no difference
	Carousel bool     // several pictures are leafed through, in the shape of the first
	AltBadge bool     // the network tells by a badge that a picture is described
	NoAlt    bool     // the network has no descriptions of pictures: none is missing
	MediaTop bool     // media stand above the text

	Card   string // the style of link cards: large, side, bar; empty where there are none
	Unfurl Unfurl
	// QuietWarning says that no card is made of a link behind a content warning.
	QuietWarning bool

	Visibility bool // a glyph tells who may see it
	Numbered   bool // parts of a thread are numbered by the network
	Warns      bool // text and media stand behind the post's content warning
	Veils      bool // sensitive media are covered until the reader asks for them
	Actions    []Action
}

// Action is one of the buttons below a post.
type Action struct {
	Icon string // of the sprite, without "i-"
	Word string
}

// channel are the frames of pictures in a chat.
var channel = []Frame{{"g-2", Ratio{2, 1}}, {"g-3l", Ratio{3, 2}}, {"g-4", Ratio{4, 3}}, {"g-5", Ratio{4, 3}}}

// looks are sorted by id. What is not known is not imitated: without a source, a text does not fold and a picture is not
// cropped. Networks change such things without notice and differ between phone and desktop; the figures are of the
// desktop's feed unless it says otherwise, checked 2026-11-22.
var looks = []Look{
	{
		// Links: toShortUrl in src/lib/strings/url-helpers.ts, applied by src/components/RichText.tsx; fold: MAX_POST_LINES
		// in src/lib/constants.ts; one picture no taller than 1:2: src/components/images/AutoSizedImage.tsx; several:
		// ImageLayoutGrid.tsx (https://github.com/bluesky-social/social-app).
		ID: "bluesky", Name: "Bluesky", Layout: Gutter, Thread: Line, Handle: "@{handle}", Time: "2 Jan",
		Fold:    Fold{Lines: 25, More: "Show more"},
		Link:    Shorten{WWW: true, Longest: 15, Keep: 13, Dots: "..."},
		Mention: "https://bsky.app/profile/{name}", Tag: "https://bsky.app/hashtag/{tag}",
		One:    [2]Ratio{{1, 2}, {}},
		Frames: []Frame{{"g-2", Ratio{2, 1}}, {"g-3l", Ratio{2, 1}}, {"g-4", Ratio{3, 2}}}, AltBadge: true,
		Card: "large", Veils: true,
		Actions: []Action{{"reply", "Reply"}, {"repost", "Repost"}, {"heart", "Like"}, {"save", "Save"}, {"share", "Share"}},
	},
	{
		// Mentions and links are shown as written; the first link becomes an embed where nothing is attached
		// (https://docs.discord.com/developers/resources/message).
		ID: "discord", Name: "Discord", Layout: Chat, Thread: Together, Mark: "APP", Time: "02/01/2006 15:04", Rich: true,
		Link:   Shorten{Scheme: true, WWW: true},
		Frames: channel, Card: "bar", Unfurl: FirstLink,
	},
	{
		// Fold: about 480 characters on a desktop, fewer on a phone (https://posttruncate.com/en/platform-limits/), or
		// five lines; collages by the first picture's shape
		// (https://wersm.com/the-2014-guide-to-multi-photo-page-posts-on-facebook/).
		ID: "facebook", Name: "Facebook", Layout: Stack, Thread: Comments, Time: "2 January 15:04",
		Fold:   Fold{Characters: 477, Lines: 5, PerLine: 96, More: "See more"},
		Link:   Shorten{Scheme: true, WWW: true},
		Tag:    "https://www.facebook.com/hashtag/{tag}",
		One:    [2]Ratio{{2, 3}, {}},
		Frames: []Frame{{"g-2s", Ratio{1, 1}}, {"g-3t", Ratio{1, 1}}, {"g-4t", Ratio{1, 1}}, {"g-5", Ratio{1, 1}}},
		Tall:   []Frame{{"g-2", Ratio{1, 1}}, {"g-3l", Ratio{1, 1}}, {"g-4l", Ratio{1, 1}}, {"g-5", Ratio{1, 1}}},
		Card:   "large", Unfurl: FirstLink, Visibility: true,
		Actions: []Action{{"thumb", "Like"}, {"comment", "Comment"}, {"forward", "Share"}},
	},
	{
		// Fold: 125 characters (https://charactercounter.com/instagram) or two lines; pictures between 4:5 and 1.91:1, a
		// carousel in the shape of its first (https://developers.facebook.com/docs/instagram-platform/content-publishing).
		// Addresses in captions are no links.
		ID: "instagram", Name: "Instagram", Layout: Image, Thread: Comments, Handle: "{handle}", ByHandle: true, Time: "2 January",
		Fold:    Fold{Characters: 125, Lines: 2, PerLine: 63, More: "more"},
		Link:    Shorten{Scheme: true, WWW: true},
		Mention: "https://www.instagram.com/{name}/", Tag: "https://www.instagram.com/explore/tags/{tag}/",
		One: [2]Ratio{{4, 5}, {191, 100}}, Carousel: true, MediaTop: true,
		Actions: []Action{{"heart", "Like"}, {"comment", "Comment"}, {"forward", "Send"}, {"save", "Save"}},
	},
	{
		// Fold: three lines, about 210 characters on a desktop and 140 on a phone
		// (https://posttruncate.com/en/platform-limits/). No card is made of a link in the text: the Posts API takes what the
		// adapter sends (https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api).
		ID: "linkedin", Name: "LinkedIn", Layout: Stack, Thread: Comments, Mark: "· 1st", Square: true, Time: "2 Jan",
		Fold:   Fold{Characters: 210, Lines: 3, PerLine: 70, More: "…more"},
		Link:   Shorten{Scheme: true, WWW: true},
		Tag:    "https://www.linkedin.com/feed/hashtag/?keywords={tag}",
		One:    [2]Ratio{{4, 5}, {}},
		Frames: []Frame{{"g-2", Ratio{2, 1}}, {"g-3l", Ratio{3, 2}}, {"g-4l", Ratio{3, 2}}, {"g-5", Ratio{3, 2}}},
		Tall:   []Frame{{"g-2", Ratio{3, 2}}, {"g-3l", Ratio{3, 2}}, {"g-4l", Ratio{3, 2}}, {"g-5", Ratio{3, 2}}},
		Card:   "large", Visibility: true,
		Actions: []Action{{"thumb", "Like"}, {"comment", "Comment"}, {"repost", "Repost"}, {"send", "Send"}},
	},
	{
		// Links: app/lib/text_formatter.rb; fold: MAX_HEIGHT of 32 lines in components/status_content.jsx; several pictures
		// in a frame of 3:2, one as it is: components/media_gallery.jsx; cards only without media and warning:
		// components/status.jsx (https://github.com/mastodon/mastodon).
		ID: "mastodon", Name: "Mastodon", Layout: Stack, Thread: Line, Handle: "@{handle}@{host}", Square: true, Time: "2 Jan",
		Fold: Fold{Lines: 32, PerLine: 68, More: "Read more"},
		Link: Shorten{Total: 30, Dots: "…"}, ShortMentions: true,
		Mention: "https://{host}/@{name}", Tag: "https://{host}/tags/{tag}",
		Frames: []Frame{{"g-2", Ratio{3, 2}}, {"g-3l", Ratio{3, 2}}, {"g-4", Ratio{3, 2}}}, AltBadge: true,
		Card: "side", Unfurl: FirstLink, QuietWarning: true, Visibility: true, Warns: true, Veils: true,
		Actions: []Action{{"reply", "Reply"}, {"repost", "Boost"}, {"star", "Favourite"}, {"save", "Bookmark"}, {"more", "More"}},
	},
	{
		// Links are unfurled below the message, pictures one below the other (https://docs.slack.dev/messaging/unfurling-links-in-messages).
		ID: "slack", Name: "Slack", Layout: Chat, Thread: Together, Mark: "APP", Square: true, Time: "15:04", Rich: true,
		Link: Shorten{Scheme: true, WWW: true},
		Card: "bar", Unfurl: FirstLink,
	},
	{
		// Media stand above their caption; the first link's preview stands below the text, behind a bar
		// (https://core.telegram.org/bots/api#linkpreviewoptions).
		ID: "telegram", Name: "Telegram", Layout: Bubble, Thread: Together, Time: "15:04", Rich: true,
		Link:    Shorten{Scheme: true, WWW: true},
		Mention: "https://t.me/{name}",
		Frames:  channel, NoAlt: true, MediaTop: true,
		Card: "bar", Unfurl: FirstLink, Veils: true,
		Actions: []Action{{"eye", "Views"}},
	},
	{
		// A post of up to 500 characters is shown whole on a desktop (https://posttruncate.com/en/platform-limits/).
		ID: "threads", Name: "Threads", Layout: Gutter, Thread: Line, Handle: "{handle}", ByHandle: true, Time: "2 Jan", Numbered: true,
		Fold:    Fold{Characters: 500, More: "See more"},
		Link:    Shorten{WWW: true, Longest: 15, Keep: 15, Dots: "…"},
		Mention: "https://www.threads.com/@{name}", Tag: "https://www.threads.com/search?q={tag}",
		One: [2]Ratio{{3, 4}, {}}, Carousel: true,
		Card: "large", Unfurl: FirstLink,
		Actions: []Action{{"heart", "Like"}, {"comment", "Reply"}, {"repost", "Repost"}, {"send", "Share"}},
	},
	{
		// The receiver decides what becomes of it; this is what it gets.
		ID: "webhook", Name: "Webhook", Layout: Plain, Thread: Together, Time: "2 Jan 2006 15:04", Rich: true,
		Link: Shorten{Scheme: true, WWW: true},
		Card: "side",
	},
	{
		// Fold: long posts show 280 characters; links show what data/display_url of
		// https://docs.x.com/x-api/fundamentals/data-dictionary does, host and 15 characters, and count as 23; one picture is
		// shown between 3:4 and 2:1, two at 7:8 each, more in a frame of 16:9
		// (https://image-compressor.uk/blog/best-image-sizes-for-twitter-x-in-2026); the last link becomes the card.
		ID: "x", Name: "X", Layout: Gutter, Thread: Line, Handle: "@{handle}", Time: "2 Jan",
		Fold:    Fold{Characters: 280, More: "Show more"},
		Link:    Shorten{Longest: 15, Keep: 15, Dots: "…"},
		Mention: "https://x.com/{name}", Tag: "https://x.com/hashtag/{tag}",
		One:    [2]Ratio{{3, 4}, {2, 1}},
		Frames: []Frame{{"g-2", Ratio{7, 4}}, {"g-3l", Ratio{16, 9}}, {"g-4", Ratio{16, 9}}}, AltBadge: true,
		Card: "large", Unfurl: LastLink, Veils: true,
		Actions: []Action{{"reply", "Reply"}, {"repost", "Repost"}, {"heart", "Like"}, {"views", "Views"}, {"save", "Bookmark"}, {"share", "Share"}},
	},
}

// LookOf returns how the network called id shows posts; it is shared and must not be changed. One that nobody has drawn
// yet looks like a sheet of paper.
func LookOf(id platform.ID) *Look {
	i, ok := slices.BinarySearchFunc(looks, id, func(l Look, id platform.ID) int {
		return strings.Compare(string(l.ID), string(id))
	})
	if !ok {
		i = slices.IndexFunc(looks, func(l Look) bool { return l.Layout == Plain })
	}
	return &looks[i]
}

package content

import (
	"slices"
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/post"
)

// Shape says what values a front-matter key takes.
type Shape uint8

// The shapes.
const (
	ShapeText     Shape = iota // one text
	ShapeMarkdown              // one text, Markdown
	ShapeBool                  // true or false
	ShapeTime                  // "2026-12-01 09:00", with an offset or in the post's time zone
	ShapeEnum                  // one of Key.Values
	ShapeNames                 // a list of names, one name, or a map of names to true and false
	ShapeList                  // a list of texts, or one text
	ShapeMedia                 // a list of files, or of maps with file and alt
	ShapeCard                  // a map with url, title, description and image
	ShapePoll                  // a map with options, duration, multiple and hide_totals, or the list of options
	ShapeMentions              // a map of names to maps of accounts or platforms to handles
	ShapeFields                // a map of accounts or platforms to fields
)

// Key is the documentation of one front-matter key: the schema, the suggestions for misspelt keys
// and the reference page come from it.
type Key struct {
	Field    post.Field
	Name     string   // the canonical spelling
	Aliases  []string // other spellings, besides kebab-case and camelCase ones
	Shape    Shape
	Values   []string // of a ShapeEnum
	Help     string   // one sentence
	Post     bool     // may stand in a post
	Override bool     // may stand in an override
	Default  bool     // may stand in site.yaml's `defaults:`
}

// Known returns the catalogue of front-matter keys in documentation order. The caller must not modify it.
func Known() []Key { return catalogue().keys }

type keyCatalogue struct {
	keys   []Key
	byName map[string]post.Field // canonical names and aliases, in snake_case
	names  []string              // canonical names, for suggestions
}

var catalogue = sync.OnceValue(func() *keyCatalogue {
	c := &keyCatalogue{keys: make([]Key, 0, 32), byName: make(map[string]post.Field, 64)}
	for _, f := range post.AllFields() {
		k := describe(f)
		k.Field, k.Name = f, f.Key()
		k.Post = f != post.FieldText
		k.Override = f != post.FieldID && f != post.FieldOverrides
		switch f {
		case post.FieldID, post.FieldText, post.FieldOverrides, post.FieldTimezone, post.FieldPublishAt, post.FieldExpiresAt, post.FieldWithdraw:
		default:
			k.Default = true
		}
		c.keys = append(c.keys, k)
		c.names = append(c.names, k.Name)
		c.byName[k.Name] = f
		for _, a := range k.Aliases {
			c.byName[snake(a)] = f
		}
	}
	return c
})

// lookup returns the field that a key names, in whatever spelling.
func lookup(key string) (post.Field, bool) {
	c := catalogue()
	if f, ok := c.byName[key]; ok {
		return f, true
	}
	f, ok := c.byName[snake(key)]
	return f, ok
}

// snake spells a kebab-case or camelCase key with underscores.
func snake(key string) string {
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		switch {
		case c == '-':
			c = '_'
		case 'A' <= c && c <= 'Z':
			if i > 0 && ('a' <= key[i-1] && key[i-1] <= 'z' || '0' <= key[i-1] && key[i-1] <= '9') {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

func describe(f post.Field) Key {
	switch f {
	case post.FieldID:
		return Key{Help: "The post's stable identity: letters, digits, _ . and -; it survives renames and must be unique in the site."}
	case post.FieldTitle:
		return Key{Help: "The title, where a network has titles; a name for people elsewhere."}
	case post.FieldPlatforms:
		return Key{Shape: ShapeNames, Help: "Where the post goes: account names, or a platform's name for all its accounts."}
	case post.FieldPublishAt:
		return Key{Shape: ShapeTime, Aliases: []string{"publishDate", "date", "scheduledAt", "schedule", "publish"},
			Help: "When the post goes out; without it, as soon as it is merged."}
	case post.FieldTimezone:
		return Key{Help: "The IANA time zone for times without an offset; the site's without it."}
	case post.FieldCampaign:
		return Key{Help: "The campaign that the post belongs to, as defined in site.yaml."}
	case post.FieldTags:
		return Key{Shape: ShapeList, Aliases: []string{"hashtags"}, Help: "Hashtags, with or without the #."}
	case post.FieldLink:
		return Key{Help: "The address that the post points to."}
	case post.FieldCanonicalURL:
		return Key{Help: "Where the original of an article stands, for networks that publish articles."}
	case post.FieldMedia:
		return Key{Shape: ShapeMedia, Aliases: []string{"images"}, Help: "Pictures, videos and documents, relative to the post's file, or to the site's folder with a leading slash."}
	case post.FieldCard:
		return Key{Shape: ShapeCard, Help: "The preview of a link, built from these words; without it, it is read from the link's page."}
	case post.FieldDraft:
		return Key{Shape: ShapeBool, Help: "A draft is previewed and checked, and never goes out."}
	case post.FieldLanguage:
		return Key{Shape: ShapeList, Aliases: []string{"lang"}, Help: "The language of the text as a BCP 47 tag, or several."}
	case post.FieldVisibility:
		return Key{Shape: ShapeEnum, Values: []string{"public", "unlisted", "followers", "direct"}, Help: "Who sees the post."}
	case post.FieldContentWarning:
		return Key{Aliases: []string{"spoiler_text", "cw"}, Help: "The text behind which the post is hidden at first."}
	case post.FieldSensitive:
		return Key{Shape: ShapeBool, Help: "Whether the media are hidden at first."}
	case post.FieldLabels:
		return Key{Shape: ShapeList, Help: "The network's own content labels."}
	case post.FieldPoll:
		return Key{Shape: ShapePoll, Help: "A question's options, for how long it runs, and how it is counted."}
	case post.FieldReplyTo:
		return Key{Aliases: []string{"in_reply_to"}, Help: "The address of the post that this one answers."}
	case post.FieldQuote:
		return Key{Help: "The address of the post that this one quotes."}
	case post.FieldFirstComment:
		return Key{Shape: ShapeMarkdown, Help: "A comment that goes out right after the post."}
	case post.FieldThread:
		return Key{Shape: ShapeEnum, Values: []string{"manual", "auto"}, Help: "Whether a text that is too long is cut into a thread by itself."}
	case post.FieldExpiresAt:
		return Key{Shape: ShapeTime, Help: "When the post is taken down."}
	case post.FieldWithdraw:
		return Key{Shape: ShapeBool, Help: "Take the post down, and do not send it if it is not out."}
	case post.FieldLate:
		return Key{Shape: ShapeEnum, Values: []string{string(post.LatePublish), string(post.LateSkip), string(post.LateHold)}, Help: "What to do with the post when it is found long after its time."}
	case post.FieldEmbargo:
		return Key{Shape: ShapeEnum, Values: []string{string(post.EmbargoLink), string(post.EmbargoNone)}, Help: "What the post waits for besides its time: until its link answers."}
	case post.FieldMentions:
		return Key{Shape: ShapeMentions, Help: "One name's handle on each network: in the text, @name becomes the handle."}
	case post.FieldRepeat:
		return Key{Help: "A recurrence rule (RFC 5545), for example FREQ=WEEKLY;BYDAY=MO;COUNT=4."}
	case post.FieldNotes:
		return Key{Shape: ShapeMarkdown, Help: "Notes between writers and reviewers, never published."}
	case post.FieldText:
		return Key{Shape: ShapeMarkdown, Help: "Replaces the text for the platform or account."}
	case post.FieldOverrides:
		return Key{Shape: ShapeFields, Help: "Fields that differ for a platform or an account."}
	}
	panic("content: a field without documentation")
}

// Nearest returns the candidate that word is most probably a misspelling of, "" when none is near.
// Case counts half of another letter. Of equals, the first wins.
func Nearest(word string, candidates []string) string {
	best, limit := "", 2*max(1, min(len(word), 60)/3)+1 // in half letters
	for _, c := range candidates {
		if d := distance(word, c, limit); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// distance is twice the number of letters to insert, delete, change or swap; limit when it reaches that.
func distance(a, b string, limit int) int {
	if len(a) > 64 || len(b) > 64 || 2*max(len(a)-len(b), len(b)-len(a)) >= limit {
		return limit
	}
	var rows [3][65]int
	older, old, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		row[j] = 2 * j
	}
	for i := range len(a) {
		older, old, row = old, row, older
		row[0] = 2 * (i + 1)
		for j := range len(b) {
			cost := 2
			if a[i] == b[j] {
				cost = 0
			} else if a[i]|0x20 == b[j]|0x20 || isSeparator(a[i]) && isSeparator(b[j]) {
				cost = 1
			}
			row[j+1] = min(old[j+1]+2, row[j]+2, old[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] && a[i] != b[j] {
				row[j+1] = min(row[j+1], older[j-1]+2)
			}
		}
	}
	return min(row[len(b)], limit)
}

func isSeparator(c byte) bool { return c == '_' || c == '-' || c == ' ' || c == '/' || c == '.' }

// didYouMean phrases a suggestion, "" without one.
func didYouMean(word string, candidates []string) string {
	if n := Nearest(word, candidates); n != "" {
		return "did you mean " + quote(n) + "?"
	}
	return ""
}

// oneOf phrases what a value may be.
func oneOf(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	list := slices.Clone(values[:len(values)-1])
	return strings.Join(list, ", ") + " or " + values[len(values)-1]
}

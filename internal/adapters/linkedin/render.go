package linkedin

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
)

const network = "LinkedIn"

// The settings of a rendering, by their places in the API.
const (
	settingQuestion = "poll.question"
	settingTitle    = "media.title"
)

// Render implements [platform.Adapter]. The text is what people see; it becomes little text when it is sent.
func (Adapter) Render(v *post.Variant, a *platform.Account) (platform.Rendering, finding.List) {
	o, ok := a.Options.(*Options)
	if !ok {
		o = &Options{}
	}
	named, mentions := withNames(v)
	card, cardFindings := cardOf(v)
	parts, list := plaintext.Write(named, styleOf(v, card, mentions))
	list.Add(cardFindings...)
	parts[0].Card = card
	if n := len(parts); n > 1 {
		list.Add(v.Finding(codeThread, finding.Error, v.Place(post.FieldThread),
			fmt.Sprintf("LinkedIn has no threads, and this post has %d parts", n),
			"override `text:` for LinkedIn with one part, and put the rest into `first_comment:`"))
	}
	list.Add(unlinked(v, parts)...)
	first := &parts[0]
	if v.FirstComment != "" {
		comment, found := commentOf(named, v.FirstComment)
		parts = append(parts, comment)
		list.Add(found...)
		first = &parts[0]
	}

	r := platform.Rendering{Platform: "linkedin", Parts: parts, Quote: v.Quote}
	var found finding.List
	r.Visibility, found = visibilityOf(v, o)
	list.Add(found...)
	list.Add(checkMedia(v, parts[:1])...)
	if len(first.Media) == 1 && (isVideo(first.Media[0].MIME) || isDocument(first.Media[0].MIME)) {
		r.Settings = map[string]string{settingTitle: titleOf(v, first.Media[0].Path)}
	}
	if r.Poll, found = pollOf(v); r.Poll != nil {
		question := questionOf(v, first.Text)
		r.Settings = map[string]string{settingQuestion: question}
		found.Add(checkQuestion(v, question)...)
	}
	list.Add(found...)
	list.Add(checkRest(v, len(first.Media) > 0 || r.Poll != nil)...)
	return r, list
}

// styleOf is how the post itself is written. An address that no card shows ends the text.
func styleOf(v *post.Variant, card *platform.Card, mentions []mention) *plaintext.Style {
	style := &plaintext.Style{
		Network: network, Tags: true, MayBeEmpty: card != nil || v.Quote != "",
		Max: maxText, Unit: measure.UTF16, Count: measure.CountUTF16,
		Entities: func(text string) []measure.Entity { return entities(text, mentions) },
	}
	switch {
	case card != nil && card.URL == v.Link:
	case v.Link != "":
		style.Append = v.Link
	case card == nil && v.Card != nil:
		style.Append = v.Card.URL
	}
	if v.ContentWarning != "" { // LinkedIn has no field for it
		style.Lead = "⚠️ " + v.ContentWarning
	}
	return style
}

// commentOf returns the first comment. Comments are plain text, in which LinkedIn links addresses and hashtags by itself.
func commentOf(v *post.Variant, text string) (platform.Part, finding.List) {
	alone := *v
	alone.Parts, alone.PartMedia, alone.Thread, alone.FirstComment = nil, nil, "", text
	parts, list := plaintext.Write(&alone, &plaintext.Style{
		Network: network + ", as a comment", MayBeEmpty: true,
		Max: maxComment, Unit: measure.UTF16, Count: measure.CountUTF16,
		Entities: func(text string) []measure.Entity { return entities(text, nil) },
	})
	comment := parts[len(parts)-1]
	comment.Comment = true
	return comment, list
}

// cardOf returns the article that LinkedIn shows below the text: that of `card:`, else that of the post's card file for `link:`. LinkedIn
// reads no pages, so that only a card with a title is one.
func cardOf(v *post.Variant) (*platform.Card, finding.List) {
	full := len(v.PartMedia) > 0 && len(v.PartMedia[0]) > 0 || v.Poll != nil || v.Quote != ""
	card := &platform.Card{URL: v.Link}
	image := (*post.Media)(nil)
	if v.Card != nil {
		card.Title, card.Description, image = v.Card.Title, v.Card.Description, v.Card.Image
		if v.Card.URL != "" {
			card.URL = v.Card.URL
		}
		if image != nil {
			m := platform.MediaOf(image)
			card.Image = &m
		}
	}
	if added := rules.FillCard(v, card); added != nil {
		image = added
	}
	if v.Card == nil && (full || card.Title == "") {
		return nil, nil
	}
	var list finding.List
	left := ""
	switch {
	case full:
		left = "LinkedIn shows media, a poll, another post or a link card, only one of them: the card is left out, its address is written into the text"
	case card.Title == "":
		left = "LinkedIn reads no pages for link cards, and this one has no title: its address is written into the text"
	}
	if left != "" {
		list.Add(rules.Card(v, finding.Warning, left, "give `card:` a title and nothing beside it, or take it away"))
		return nil, list
	}
	if u, err := url.Parse(card.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		list.Add(rules.Card(v, finding.Error, "the link card has no address to link to", "add `url:` to `card:`, or `link:` to the post"))
	}
	if image != nil {
		thumbnail := media()
		thumbnail.Network, thumbnail.Types = network+"'s link cards", pictureTypes
		list.Add(thumbnail.FitFile(v, image, card.Image)...)
	}
	return card, list
}

// visibilityOf returns the API's word for the variant's visibility, in lower case. Who follows a member is more than the member's
// connections, so that `followers` shows a post to no more people than was asked for.
func visibilityOf(v *post.Variant, o *Options) (string, finding.List) {
	switch {
	case v.Visibility == "" || v.Visibility == "public":
		return "public", nil
	case o.isPage():
		return "public", rules.OnlyPublic(v, network+"'s pages")
	case v.Visibility == "followers":
		return "connections", nil
	}
	return "connections", finding.List{rules.Visibility(v, network+" has no visibility \""+v.Visibility+"\"",
		"it has public, and followers for the member's connections")}
}

// checkRest reports what LinkedIn has no place for. full tells that there is media or a poll.
func checkRest(v *post.Variant, full bool) finding.List {
	var list finding.List
	if v.Sensitive || len(v.Labels) > 0 {
		list.Add(rules.Labels(v, finding.Warning, "LinkedIn has no mark for sensitive posts and no labels: they are left out", ""))
	}
	if v.ReplyTo != "" {
		list.Add(v.Finding(rules.CodeReplyTo, finding.Error, v.Place(post.FieldReplyTo),
			"LinkedIn has no replies to posts", "override `reply_to:` for LinkedIn, or quote the post"))
	}
	switch {
	case v.Quote == "":
	case shareOf(v.Quote) == "":
		list.Add(rules.Quote(v, network, "urn:li:share:NUMBER or urn:li:ugcPost:NUMBER, or an address that ends in one"))
	case full:
		list.Add(v.Finding(rules.CodeQuote, finding.Error, v.Place(post.FieldQuote),
			"a post on LinkedIn repeats another post, or has media or a poll, not both", "take one of them away"))
	}
	return list
}

// shareOf returns the URN of a post, given that or its address, "" when it is neither. The numbers of activities are
// others than those of posts, and the API cannot repeat an activity.
func shareOf(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "www."), "/")
	s = strings.TrimPrefix(s, "linkedin.com/feed/update/")
	if !isPost(s) {
		return ""
	}
	return s
}

func isPost(urn string) bool { return isURN(urn, "share", "ugcPost") }

// media is what LinkedIn takes. https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/images-api,
// …/videos-api and …/documents-api (checked 2026-11-22).
func media() *rules.Media {
	return &rules.Media{
		Network: network, Pictures: maxImages, Types: slices.Concat(pictureTypes, []string{"video/mp4"}, documentTypes()),
		PicturePixels: maxImagePixels, FitSide: fitSide, GIFFrames: maxGIFFrames, AltText: maxAltText,
		VideoBytes: maxVideoBytes, VideoTime: [2]time.Duration{minVideoTime * time.Second, maxVideoTime * time.Second}, Pages: maxDocumentPages,
	}
}

// fitSide is the longer side of pictures that are encoded anew: enough for every place where LinkedIn shows them.
const fitSide = 4096

var pictureTypes = []string{"image/jpeg", "image/png", "image/gif"}

func documentTypes() []string {
	const office = "application/vnd.openxmlformats-officedocument."
	return []string{
		"application/pdf", "application/msword", "application/vnd.ms-powerpoint",
		office + "wordprocessingml.document", office + "presentationml.presentation",
	}
}

func isPicture(mime string) bool  { return strings.HasPrefix(mime, "image/") }
func isVideo(mime string) bool    { return strings.HasPrefix(mime, "video/") }
func isDocument(mime string) bool { return slices.Contains(documentTypes(), mime) }

// checkMedia also tells the parts how their pictures are made to fit.
func checkMedia(v *post.Variant, parts []platform.Part) finding.List {
	list := media().Fit(v, parts)
	for _, files := range v.PartMedia {
		for i := range files {
			file := &files[i]
			switch {
			case isDocument(file.MIME):
				if len(files) > 1 {
					list.Add(v.Finding(rules.CodeMediaMix, finding.Error, file.Range,
						fmt.Sprintf("LinkedIn takes %q only alone, but this post has %d files", file.File, len(files)), "take the others away"))
				}
				if file.Bytes > maxDocumentBytes {
					list.Add(v.Finding(rules.CodeMediaBytes, finding.Error, file.Range,
						fmt.Sprintf("%q is too large for LinkedIn: %d of %d bytes", file.File, file.Bytes, maxDocumentBytes), "make it smaller"))
				}
			case isVideo(file.MIME):
				if file.Bytes < minVideoBytes {
					list.Add(v.Finding(rules.CodeMediaBytes, finding.Error, file.Range,
						fmt.Sprintf("%q is too small for LinkedIn: %d bytes, and the least is %d", file.File, file.Bytes, minVideoBytes), ""))
				}
			default:
				continue
			}
			if file.Alt != "" {
				list.Add(v.Finding(codeAlt, finding.Info, file.Range,
					fmt.Sprintf("LinkedIn has no alt text for videos and documents: that of %q is not sent", file.File), "say it in the text"))
			}
		}
	}
	return list
}

// titleOf is what LinkedIn shows above a video or document: the post's title, else the file's name.
func titleOf(v *post.Variant, file string) string {
	if v.Title != "" {
		return v.Title
	}
	return strings.TrimSuffix(path.Base(file), path.Ext(file))
}

// pollDays are how long polls run. https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/poll-post-api
// (checked 2026-11-22)
var pollDays = [...]struct {
	days int
	name string
}{{1, "ONE_DAY"}, {3, "THREE_DAYS"}, {7, "SEVEN_DAYS"}, {maxPollDays, "FOURTEEN_DAYS"}}

// pollDuration returns the API's word for a duration, "" when it has none.
func pollDuration(d time.Duration) string {
	for _, p := range pollDays {
		if d == time.Duration(p.days)*24*time.Hour {
			return p.name
		}
	}
	return ""
}

func pollOf(v *post.Variant) (*platform.Poll, finding.List) {
	polls := rules.Poll{
		Network: network, Options: [2]int{minPollOptions, maxPollOptions}, Option: maxPollOption, Count: measure.CountUTF16,
		Duration: [2]time.Duration{24 * time.Hour, maxPollDays * 24 * time.Hour}, SingleChoice: true,
	}
	poll, list := polls.Apply(v)
	if poll != nil && pollDuration(poll.Duration) == "" && !list.HasErrors() {
		list.Add(pollFinding(v, "a poll on LinkedIn runs for 1, 3, 7 or 14 days", "duration: 72h"))
	}
	return poll, list
}

func pollFinding(v *post.Variant, message, hint string) finding.Finding {
	at := v.Poll.Range
	if at == (finding.Range{}) {
		at = v.Place(post.FieldPoll)
	}
	return v.Finding(rules.CodePollLimit, finding.Error, at, message, hint)
}

// questionOf is what a poll asks: the post's title, else its text.
func questionOf(v *post.Variant, text string) string {
	if v.Title != "" {
		return v.Title
	}
	return strings.TrimSpace(text)
}

func checkQuestion(v *post.Variant, question string) finding.List {
	switch n := measure.CountUTF16(question); {
	case n == 0:
		return finding.List{pollFinding(v, "a poll on LinkedIn needs a question", "write it as `title:` or as the text")}
	case n > maxPollQuestion:
		return finding.List{pollFinding(v,
			fmt.Sprintf("the poll's question is too long for LinkedIn: %d of %d characters", n, maxPollQuestion), "write the question as `title:`")}
	}
	return nil
}

// mention is a member or page that the text can name.
type mention struct{ name, urn string }

// parseMention reads a handle of `mentions:`, "Acme (urn:li:organization:123)" or "[Acme](urn:li:organization:123)". LinkedIn
// links a name only with the URN of who bears it.
func parseMention(handle string) (mention, bool) {
	handle = strings.TrimPrefix(strings.TrimSpace(handle), "@")
	at := max(0, strings.LastIndexByte(handle, '('))
	urn, closed := strings.CutSuffix(strings.TrimPrefix(handle[at:], "("), ")")
	name := strings.TrimSpace(handle[:at])
	if inner, ok := strings.CutPrefix(name, "["); ok {
		name = strings.TrimSuffix(inner, "]")
	}
	return mention{name, urn}, closed && name != "" && isURN(urn, "person", "organization")
}

// withNames returns the variant without its first comment, and with names where its handles are names and URNs, and whom they name.
func withNames(v *post.Variant) (*post.Variant, []mention) {
	named := *v
	named.FirstComment = ""
	var mentions []mention
	for i, m := range v.Mentions {
		handle, _ := m.Handle(v.Account, v.Platform)
		parsed, ok := parseMention(handle)
		if !ok {
			continue
		}
		if len(mentions) == 0 {
			named.Mentions = slices.Clone(v.Mentions)
		}
		mentions = append(mentions, parsed)
		named.Mentions[i] = post.Mention{Name: m.Name, Handles: map[string]string{v.Account: parsed.name}}
	}
	return &named, mentions
}

// unlinked reports handles in the text that LinkedIn cannot link.
func unlinked(v *post.Variant, parts []platform.Part) finding.List {
	var list finding.List
	for _, m := range v.Mentions {
		handle, _ := m.Handle(v.Account, v.Platform)
		if _, ok := parseMention(handle); ok || handle == "" {
			continue
		}
		shown := "@" + strings.TrimPrefix(strings.TrimSpace(handle), "@")
		if slices.ContainsFunc(parts, func(p platform.Part) bool { return strings.Contains(p.Text, shown) }) {
			list.Add(v.Finding(codeMention, finding.Warning, v.Place(post.FieldMentions),
				fmt.Sprintf("LinkedIn cannot link %q: it needs a name and a URN", handle),
				m.Name+": {linkedin: \"Acme (urn:li:organization:123)\"}"))
		}
	}
	return list
}

// entities finds what becomes a link, in order: addresses, hashtags, and the mentions that were announced.
func entities(text string, mentions []mention) []measure.Entity {
	var found []measure.Entity
	add := func(e measure.Entity) {
		if !slices.ContainsFunc(found, func(f measure.Entity) bool { return f.Start < e.End && e.Start < f.End }) {
			found = append(found, e)
		}
	}
	for _, e := range measure.BlueskyEntities(text) {
		if e.Kind == measure.URL {
			add(e)
		}
	}
	for _, e := range measure.XEntities(text) {
		if e.Kind == measure.Hashtag && text[e.Start] == '#' {
			add(e)
		}
	}
	for _, m := range mentions {
		for at := 0; ; {
			i := strings.Index(text[at:], "@"+m.name)
			if i < 0 {
				break
			}
			e := measure.Entity{Start: at + i, End: at + i + 1 + len(m.name), Kind: measure.Mention, Value: m.urn}
			at = e.End
			next, _ := utf8.DecodeRuneInString(text[e.End:])
			goesOn := next != utf8.RuneError && (unicode.IsLetter(next) || unicode.IsDigit(next) || unicode.IsMark(next))
			if !goesOn {
				add(e)
			}
		}
	}
	slices.SortFunc(found, func(a, b measure.Entity) int { return a.Start - b.Start })
	return found
}

// The codes that only LinkedIn reports.
const (
	codeThread  finding.Code = "P140"
	codeAlt     finding.Code = "P141"
	codeMention finding.Code = "P142"
)

// Docs returns the documentation of the codes that only LinkedIn reports.
func (Adapter) Docs() []finding.Doc {
	return []finding.Doc{
		{
			Code: codeThread, Severity: finding.Error, Since: "0.1.0",
			Title: "thread for LinkedIn",
			Why:   "LinkedIn has posts and comments, and no threads. `first_comment:` is a comment on the post.",
			Bad:   "a body with a line of --- for LinkedIn",
			Good:  "overrides: {linkedin: {text: All of it in one part.}}",
		},
		{
			Code: codeAlt, Severity: finding.Info, Since: "0.1.0",
			Title: "alt text that LinkedIn does not take",
			Why:   "LinkedIn's API has alt text for pictures only. That of a video or document reaches nobody there.",
			Bad:   "media: [{file: plan.pdf, alt: The plan on four pages}] for LinkedIn",
			Good:  "the plan summed up in the text",
		},
		{
			Code: codeMention, Severity: finding.Warning, Since: "0.1.0",
			Title: "mention that LinkedIn cannot link",
			Why:   "LinkedIn links a name only where the post brings along the URN of who bears it. Without one, the handle stands there as plain text.",
			Bad:   "mentions: {acme: {linkedin: acme}}",
			Good:  `mentions: {acme: {linkedin: "Acme (urn:li:organization:123)"}}`,
		},
	}
}

// SameRendering implements [platform.Sharer]: pages have no visibility, everything else is the same for all.
func (Adapter) SameRendering(a, b *platform.Account) bool {
	x, ok := a.Options.(*Options)
	y, same := b.Options.(*Options)
	return ok && same && x.isPage() == y.isPage()
}

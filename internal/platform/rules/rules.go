// Package rules checks what a post brings along, beside its text, against one network's rules:
// media, polls, visibility, labels, languages, replies and quotes.
//
// The numbers are the adapters'; the messages, codes and their documentation are here, so that the
// same mistake has the same name on every network.
package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// Media are a network's rules for what is attached to one part of a thread. A zero number means "no rule".
type Media struct {
	Network       string
	Pictures      int      // how many pictures a part may have
	Types         []string // the accepted MIME types
	Mixed         bool     // videos may stand beside pictures, and count as such
	GIFAlone      bool     // a moving GIF goes alone, as a video does everywhere
	GIFStill      bool     // a moving GIF is shown, but does not move
	PictureBytes  int64
	PicturePixels int64
	GIFBytes      int64 // of a moving GIF; 0: as PictureBytes
	VideoBytes    int64 // of video and sound
	AltText       int   // in code points
}

// Check returns what is wrong with a variant's media. A file that could not be read is not judged:
// that is reported where it was read.
func (m *Media) Check(v *post.Variant) finding.List {
	var list finding.List
	for _, media := range v.PartMedia {
		if len(media) > 0 {
			m.checkPart(&list, v, media)
		}
	}
	return list
}

func (m *Media) checkPart(list *finding.List, v *post.Variant, media []post.Media) {
	alone := -1
	for i := range media {
		file := &media[i]
		m.checkFile(list, v, file)
		if alone < 0 && (isMoving(file) && !m.Mixed || m.GIFAlone && file.Animated) {
			alone = i
		}
	}
	switch {
	case alone >= 0 && len(media) > 1:
		list.Add(v.Finding(CodeMediaMix, finding.Error, media[alone].Range,
			fmt.Sprintf("%s takes %q only alone, but this part has %d files", m.Network, media[alone].File, len(media)),
			"move the other files to another part of the thread"))
	case m.Pictures > 0 && len(media) > m.Pictures:
		list.Add(v.Finding(CodeMediaCount, finding.Error, media[m.Pictures].Range,
			fmt.Sprintf("%d pictures are too many for %s, which takes %d", len(media), m.Network, m.Pictures),
			"move some to another part of the thread"))
	}
}

func isMoving(file *post.Media) bool {
	return strings.HasPrefix(file.MIME, "video/") || strings.HasPrefix(file.MIME, "audio/")
}

func (m *Media) checkFile(list *finding.List, v *post.Variant, file *post.Media) {
	if n := measure.CountCodePoints(file.Alt); m.AltText > 0 && n > m.AltText {
		list.Add(v.Finding(CodeAltLength, finding.Error, file.Range,
			fmt.Sprintf("the alt text of %q is too long for %s: %d of %d characters", file.File, m.Network, n, m.AltText),
			"describe what matters in fewer words"))
	}
	if file.MIME == "" {
		return
	}
	if len(m.Types) > 0 && !slices.Contains(m.Types, file.MIME) {
		list.Add(v.Finding(CodeMediaType, finding.Error, file.Range,
			fmt.Sprintf("%s does not take %q: it is %s", m.Network, file.File, file.MIME),
			"it takes "+strings.Join(m.Types, ", ")))
		return
	}
	most := m.PictureBytes
	switch {
	case isMoving(file):
		most = m.VideoBytes
	case file.Animated && m.GIFBytes > 0:
		most = m.GIFBytes
	}
	if most > 0 && file.Bytes > most {
		list.Add(v.Finding(CodeMediaBytes, finding.Error, file.Range,
			fmt.Sprintf("%q is too large for %s: %d of %d bytes", file.File, m.Network, file.Bytes, most),
			"make it smaller or compress it more"))
	}
	if pixels := int64(file.Width) * int64(file.Height); m.PicturePixels > 0 && pixels > m.PicturePixels && !isMoving(file) {
		list.Add(v.Finding(CodeMediaPixels, finding.Error, file.Range,
			fmt.Sprintf("%q is too large for %s: %d×%d is more than %d pixels", file.File, m.Network, file.Width, file.Height, m.PicturePixels),
			"make it smaller"))
	}
	if m.GIFStill && file.Animated {
		list.Add(v.Finding(CodeGIFStill, finding.Warning, file.Range,
			fmt.Sprintf("%q does not move on %s: only its first frame is shown", file.File, m.Network),
			"attach it to other networks only, or use a still picture"))
	}
}

// DefaultPollDuration is how long a poll runs that does not say.
const DefaultPollDuration = 24 * time.Hour

// Poll are a network's rules for polls.
type Poll struct {
	Network      string
	Options      [2]int // fewest, most
	Option       int    // the longest option, in what Count counts
	Count        func(string) int
	Duration     [2]time.Duration
	SingleChoice bool // `multiple` and `hide_totals` are not possible
}

// Apply returns the variant's poll as it will be sent, nil without one, and what is wrong with it.
func (p *Poll) Apply(v *post.Variant) (*platform.Poll, finding.List) {
	if v.Poll == nil {
		return nil, nil
	}
	var list finding.List
	at := v.Poll.Range
	if at == (finding.Range{}) {
		at = v.Place(post.FieldPoll)
	}
	wrong := func(message, hint string) {
		list.Add(v.Finding(CodePollLimit, finding.Error, at, message, hint))
	}
	poll := &platform.Poll{
		Options: slices.Clone(v.Poll.Options), Duration: v.Poll.Duration,
		Multiple: v.Poll.Multiple, HideTotals: v.Poll.HideTotals,
	}
	if poll.Duration == 0 {
		poll.Duration = DefaultPollDuration
	}
	if n := len(poll.Options); n < p.Options[0] || n > p.Options[1] {
		wrong(fmt.Sprintf("a poll on %s has %d to %d options, not %d", p.Network, p.Options[0], p.Options[1], n), "")
	}
	for _, option := range poll.Options {
		switch n := p.Count(option); {
		case n == 0:
			wrong("an option of the poll is empty", "")
		case n > p.Option:
			wrong(fmt.Sprintf("the poll's option %q is too long for %s: %d of %d characters", option, p.Network, n, p.Option), "")
		}
	}
	if poll.Duration < p.Duration[0] || poll.Duration > p.Duration[1] {
		wrong(fmt.Sprintf("a poll on %s runs for %s to %s, not %s", p.Network, span(p.Duration[0]), span(p.Duration[1]), span(poll.Duration)), "")
	}
	if p.SingleChoice && (poll.Multiple || poll.HideTotals) {
		wrong(p.Network+" has no polls with several choices or hidden totals", "override the poll for "+p.Network)
	}
	for _, media := range v.PartMedia[:min(1, len(v.PartMedia))] {
		if len(media) > 0 {
			wrong("a post on "+p.Network+" has a poll or media, not both", "move the media to another part of the thread")
		}
	}
	return poll, list
}

// span returns a duration as people say it.
func span(d time.Duration) string {
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := d / unit.d; n > 0 && d%unit.d < unit.d/2 {
			if n == 1 {
				return "1 " + unit.name
			}
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}

// NoPoll refuses polls.
func NoPoll(v *post.Variant, network string) finding.List {
	if v.Poll == nil {
		return nil
	}
	at := v.Poll.Range
	if at == (finding.Range{}) {
		at = v.Place(post.FieldPoll)
	}
	return finding.List{v.Finding(CodeNoPoll, finding.Error, at,
		network+" has no polls", "take the account out of `platforms:`, or override `poll:` for it")}
}

// OnlyPublic refuses every visibility but public: nothing is ever shown to more people than was asked for.
func OnlyPublic(v *post.Variant, network string) finding.List {
	if v.Visibility == "" || v.Visibility == "public" {
		return nil
	}
	return finding.List{Visibility(v, network+" has only public posts, and this one is to be "+v.Visibility,
		"take the account out of `platforms:`, or set `visibility: public` for it")}
}

// Visibility returns the finding for a visibility that the network does not have.
func Visibility(v *post.Variant, message, hint string) finding.Finding {
	return v.Finding(CodeVisibility, finding.Error, v.Place(post.FieldVisibility), message, hint)
}

// ReplyTo returns the finding for an address that is no post of the network.
func ReplyTo(v *post.Variant, network, want string) finding.Finding {
	return v.Finding(CodeReplyTo, finding.Error, v.Place(post.FieldReplyTo),
		fmt.Sprintf("%q is not a post on %s to reply to", v.ReplyTo, network), "write "+want)
}

// Quote returns the finding for an address that is no post of the network.
func Quote(v *post.Variant, network, want string) finding.Finding {
	return v.Finding(CodeQuote, finding.Error, v.Place(post.FieldQuote),
		fmt.Sprintf("%q is not a post on %s to quote", v.Quote, network), "write "+want)
}

// NoQuote returns the finding for a quote where the server has none.
func NoQuote(v *post.Variant, network string) finding.Finding {
	return v.Finding(CodeQuote, finding.Error, v.Place(post.FieldQuote),
		network+" cannot quote posts", "override `quote:` for the account and put the address into its text")
}

// Languages returns the finding for more languages than the network takes. With an error the post is
// refused, otherwise the first ones are sent.
func Languages(v *post.Variant, network string, most int, sev finding.Severity) finding.List {
	if len(v.Language) <= most {
		return nil
	}
	what := fmt.Sprintf("%s takes %d languages, and these are %d", network, most, len(v.Language))
	if most == 1 {
		what = fmt.Sprintf("%s takes one language, and these are %d: only %q is sent", network, len(v.Language), v.Language[0])
	}
	return finding.List{v.Finding(CodeLanguages, sev, v.Place(post.FieldLanguage), what, "")}
}

// CardByNetwork tells that a network builds link cards from the page itself, so that title,
// description and picture of `card:` are not used there.
func CardByNetwork(v *post.Variant, network string) finding.List {
	if v.Card == nil || v.Card.Title == "" && v.Card.Description == "" && v.Card.Image == nil {
		return nil
	}
	return finding.List{Card(v, finding.Info, network+" builds link cards from the linked page: the words and picture of `card:` are not used", "")}
}

// Card returns a finding about the variant's link card.
func Card(v *post.Variant, sev finding.Severity, message, hint string) finding.Finding {
	at := v.Place(post.FieldCard)
	if v.Card != nil && v.Card.Range != (finding.Range{}) {
		at = v.Card.Range
	}
	return v.Finding(CodeCard, sev, at, message, hint)
}

// Labels returns the finding for a content label.
func Labels(v *post.Variant, sev finding.Severity, message, hint string) finding.Finding {
	return v.Finding(CodeLabel, sev, v.Place(post.FieldLabels), message, hint)
}

// adultLabels are the labels of Bluesky that say that pictures are not for everybody. Networks with
// one mark for such posts get that mark.
var adultLabels = [...]string{"porn", "sexual", "nudity", "graphic-media"}

// SensitiveByLabel reports whether one of the labels says that pictures are not for everybody.
func SensitiveByLabel(labels []string) bool {
	return slices.ContainsFunc(labels, func(l string) bool { return slices.Contains(adultLabels[:], l) })
}

// LabelsAsSensitive returns whether the post is marked as sensitive on a network that has only that
// mark, and a warning for each label that it cannot express.
func LabelsAsSensitive(v *post.Variant, network string) (bool, finding.List) {
	var list finding.List
	for _, label := range v.Labels {
		if !slices.Contains(adultLabels[:], label) {
			list.Add(Labels(v, finding.Warning, fmt.Sprintf("%s has no label %q: it is left out", network, label), ""))
		}
	}
	return v.Sensitive || SensitiveByLabel(v.Labels), list
}

// Package rules checks what a post brings along, beside its text, against one network's rules:
// media, polls, visibility, labels, languages, replies and quotes.
//
// The numbers are the adapters'; the messages, codes and their documentation are here, so that the
// same mistake has the same name on every network.
package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/media"
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
	PictureSide   int        // the longer side, in pixels
	FitSide       int        // the longer side of a picture that [Media.Fit] encodes anew: what the network shows at most
	Aspect        [2]float64 // the least and the greatest width ÷ height
	GIFBytes      int64      // of a moving GIF; 0: as PictureBytes
	GIFFrames     int        // of a moving GIF
	GIFArea       int64      // of a moving GIF, in pixels of all its frames together
	VideoBytes    int64      // of video and sound
	VideoTime     [2]time.Duration
	VideoPixels   int64    // of one picture of a video
	VideoWidth    int      // in pixels
	VideoCodecs   []string // as package media calls them
	Pages         int      // of a document
	AltText       int      // in code points
	AltPictures   bool     // only pictures have alt text
	AltNone       bool     // nothing has
}

// Check returns what is wrong with a variant's media. A file that could not be read is not judged:
// that is reported where it was read.
func (m *Media) Check(v *post.Variant) finding.List {
	c := checker{Media: m, v: v}
	return c.check()
}

// Fit is [Media.Check] for a network that gets pictures as [platform.Media.Fit] makes them: a picture that is too large, of another type, or
// has a place written into it is not reported, but sent otherwise. The parts' media are told so. What is sent as it is, because it needs
// nothing, moves, or is of a type that cannot be decoded, is judged as it is.
func (m *Media) Fit(v *post.Variant, parts []platform.Part) finding.List {
	c := checker{Media: m, v: v, fits: map[string]*platform.Fit{}}
	list := c.check()
	for i := range parts {
		for k := range parts[i].Media {
			file := &parts[i].Media[k]
			file.Fit = c.fits[file.Path]
		}
	}
	return list
}

// Fetched is [Media.Fit] for a network that fetches files from addresses. An address gives a file as it is, unless there is a bucket to put it
// into as it is made to fit.
func (m *Media) Fetched(v *post.Variant, parts []platform.Part, hasBucket bool) finding.List {
	if hasBucket {
		return m.Fit(v, parts)
	}
	c := checker{Media: m, v: v, remedy: "it is made to fit once site.yaml has a media.bucket"}
	return c.check()
}

// FitFile is [Media.Fit] for one file that is not among the parts' media, such as the picture of a link card, and its form in the rendering.
func (m *Media) FitFile(v *post.Variant, file *post.Media, rendered *platform.Media) finding.List {
	c := checker{Media: m, v: v, fits: map[string]*platform.Fit{}}
	c.checkFile(file)
	rendered.Fit = c.fits[file.Path]
	return c.list
}

// checker judges one variant's media.
type checker struct {
	*Media
	v    *post.Variant
	list finding.List
	fits map[string]*platform.Fit // by path: how files are made to fit; nil: they are not
	// remedy is what makes files fit where they are not made to.
	remedy string
}

func (m *checker) check() finding.List {
	for _, files := range m.v.PartMedia {
		if len(files) > 0 {
			m.checkPart(files)
		}
	}
	return m.list
}

func (m *checker) add(code finding.Code, file *post.Media, message, hint string) {
	m.list.Add(m.v.Finding(code, finding.Error, file.Range, message, hint))
}

func (m *checker) checkPart(files []post.Media) {
	alone := -1
	for i := range files {
		file := &files[i]
		m.checkFile(file)
		if alone < 0 && (isMoving(file) && !m.Mixed || m.GIFAlone && file.Animated) {
			alone = i
		}
	}
	switch {
	case alone >= 0 && len(files) > 1:
		m.add(CodeMediaMix, &files[alone],
			fmt.Sprintf("%s takes %q only alone, but this part has %d files", m.Network, files[alone].File, len(files)),
			"move the other files to another part of the thread")
	case m.Pictures > 0 && len(files) > m.Pictures:
		m.add(CodeMediaCount, &files[m.Pictures],
			fmt.Sprintf("%d pictures are too many for %s, which takes %d", len(files), m.Network, m.Pictures),
			"move some to another part of the thread")
	}
}

func isMoving(file *post.Media) bool {
	return strings.HasPrefix(file.MIME, "video/") || strings.HasPrefix(file.MIME, "audio/")
}

func (m *checker) checkFile(file *post.Media) {
	if n := measure.CountCodePoints(file.Alt); m.AltText > 0 && n > m.AltText {
		m.add(CodeAltLength, file,
			fmt.Sprintf("the alt text of %q is too long for %s: %d of %d characters", file.File, m.Network, n, m.AltText),
			"describe what matters in fewer words")
	}
	if file.MIME == "" {
		return
	}
	if file.IsImage() && file.Height > 0 {
		shape := float64(file.Width) / float64(file.Height)
		if least, most := m.Aspect[0], m.Aspect[1]; shape < least || most > 0 && shape > most {
			m.add(CodeMediaShape, file,
				fmt.Sprintf("%q is too %s for %s: %d×%d is %.2f : 1, and it takes %.2f : 1 to %.2f : 1", file.File, narrowOrWide(shape < least), m.Network, file.Width, file.Height, shape, least, most),
				"crop it")
		}
	}
	if m.GIFStill && file.Animated {
		m.list.Add(m.v.Finding(CodeGIFStill, finding.Warning, file.Range,
			fmt.Sprintf("%q does not move on %s: only its first frame is shown", file.File, m.Network),
			"attach it to other networks only, or use a still picture"))
	}
	if m.fits != nil {
		if fit := m.fit(file); fit != nil {
			if !fit.StripOnly && !media.Fits(file.Width, file.Height) {
				m.add(CodeMediaHuge, file,
					fmt.Sprintf("%q cannot be made to fit %s: %d×%d is more than %d pixels", file.File, m.Network, file.Width, file.Height, media.MaxPixels),
					fmt.Sprintf("save it at %d×%d", fit.Width, fit.Height))
				return
			}
			m.fits[file.Path] = fit
			m.altDropped(file)
			return
		}
	}
	if !m.takes(file.MIME) {
		m.add(CodeMediaType, file, fmt.Sprintf("%s does not take %q: it is %s", m.Network, file.File, media.Kind(file.MIME)), m.orElse(file, m.taken(file)))
		return
	}
	m.altDropped(file)
	m.checkVideo(file)
	if m.Pages > 0 && file.Pages > m.Pages {
		m.add(CodePages, file, fmt.Sprintf("%q has too many pages for %s: %d of %d", file.File, m.Network, file.Pages, m.Pages), "leave some out")
	}
	if file.Animated {
		area := int64(file.Frames) * int64(file.Width) * int64(file.Height)
		switch {
		case m.GIFFrames > 0 && file.Frames > m.GIFFrames:
			m.add(CodeGIFFrames, file, fmt.Sprintf("%q has too many frames for %s: %d of %d", file.File, m.Network, file.Frames, m.GIFFrames), "make it shorter, or a video")
		case m.GIFArea > 0 && area > m.GIFArea:
			m.add(CodeGIFFrames, file,
				fmt.Sprintf("%q is too large for %s: %d frames of %d×%d are more than %d pixels", file.File, m.Network, file.Frames, file.Width, file.Height, m.GIFArea), "make it smaller or shorter, or a video")
		}
	}
	hint := "make it smaller or compress it more"
	if file.Animated {
		hint = "make it smaller: a moving picture is sent as it is"
	}
	hint = m.orElse(file, hint)
	if most := m.bytesOf(file); most > 0 && file.Bytes > most {
		m.add(CodeMediaBytes, file, fmt.Sprintf("%q is too large for %s: %d of %d bytes", file.File, m.Network, file.Bytes, most), hint)
	}
	pixels := int64(file.Width) * int64(file.Height)
	switch {
	case isMoving(file):
	case m.PicturePixels > 0 && pixels > m.PicturePixels:
		m.add(CodeMediaPixels, file,
			fmt.Sprintf("%q is too large for %s: %d×%d is more than %d pixels", file.File, m.Network, file.Width, file.Height, m.PicturePixels), "make it smaller")
	case m.PictureSide > 0 && max(file.Width, file.Height) > m.PictureSide:
		m.add(CodeMediaPixels, file,
			fmt.Sprintf("%q is too large for %s: %d×%d, and no side is longer than %d", file.File, m.Network, file.Width, file.Height, m.PictureSide), "make it smaller")
	}
}

// altDropped tells that a file's alt text is not sent.
func (m *checker) altDropped(file *post.Media) {
	if file.Alt == "" || !m.AltNone && !(m.AltPictures && !file.IsImage()) {
		return
	}
	has := "alt text for pictures only"
	if m.AltNone {
		has = "no alt text"
	}
	m.list.Add(m.v.Finding(CodeAltDropped, finding.Info, file.Range,
		fmt.Sprintf("%s has %s: that of %q is not sent", m.Network, has, file.File), "say in the text what matters in it"))
}

// taken returns a hint: what the network takes instead of a file.
func (m *Media) taken(file *post.Media) string {
	var kinds []string
	for _, mime := range m.Types {
		if kind := media.Kind(mime); kind != mime { // what no file is known as cannot be attached
			kinds = append(kinds, kind)
		}
	}
	takes := "it takes " + strings.Join(kinds, ", ")
	if file.MIME == "image/heic" || file.MIME == "image/avif" {
		return "export it as JPEG: Postrider does not decode " + media.Kind(file.MIME) + "; " + takes
	}
	return takes
}

// checkVideo judges what is known of a video or sound besides its bytes.
func (m *checker) checkVideo(file *post.Media) {
	if !strings.HasPrefix(file.MIME, "video/") {
		return
	}
	least, most := m.VideoTime[0], m.VideoTime[1]
	takes := finding.Span(least) + " to " + finding.Span(most)
	switch {
	case most == 0:
		takes = "at least " + finding.Span(least)
	case least == 0:
		takes = "up to " + finding.Span(most)
	}
	switch {
	case file.Duration == 0:
	case file.Duration < least:
		m.add(CodeVideoTime, file, fmt.Sprintf("%q is too short for %s: %s, and it takes %s", file.File, m.Network, finding.Span(file.Duration), takes), "make it longer, or use a picture")
	case most > 0 && file.Duration > most:
		m.add(CodeVideoTime, file, fmt.Sprintf("%q is too long for %s: %s, and it takes %s", file.File, m.Network, finding.Span(file.Duration), takes), "cut it")
	}
	if file.Codec != "" && len(m.VideoCodecs) > 0 && !slices.Contains(m.VideoCodecs, file.Codec) {
		m.add(CodeVideoCodec, file, fmt.Sprintf("%q is encoded as %s, and %s takes %s", file.File, file.Codec, m.Network, strings.Join(m.VideoCodecs, " and ")),
			"export it as "+m.VideoCodecs[0]+": Postrider changes no videos")
	}
	switch {
	case m.VideoPixels > 0 && int64(file.Width)*int64(file.Height) > m.VideoPixels:
		m.add(CodeMediaPixels, file,
			fmt.Sprintf("%q is too large for %s: %d×%d is more than %d pixels", file.File, m.Network, file.Width, file.Height, m.VideoPixels), "export it smaller")
	case m.VideoWidth > 0 && file.Width > m.VideoWidth:
		m.add(CodeMediaPixels, file,
			fmt.Sprintf("%q is too large for %s: %d×%d, and no video is wider than %d", file.File, m.Network, file.Width, file.Height, m.VideoWidth), "export it smaller")
	}
}

// orElse adds the remedy to a hint about a file that could be made to fit.
func (m *checker) orElse(file *post.Media, hint string) string {
	if m.remedy == "" || m.fit(file) == nil {
		return hint
	}
	return hint + "; " + m.remedy
}

func narrowOrWide(narrow bool) string {
	if narrow {
		return "narrow"
	}
	return "wide"
}

func (m *Media) takes(mime string) bool { return len(m.Types) == 0 || slices.Contains(m.Types, mime) }

// bytesOf returns how large a file may be.
func (m *Media) bytesOf(file *post.Media) int64 {
	switch {
	case isMoving(file):
		return m.VideoBytes
	case file.Animated && m.GIFBytes > 0:
		return m.GIFBytes
	}
	return m.PictureBytes
}

// fit returns how a file is made to fit, nil when it needs nothing or cannot be.
func (m *Media) fit(file *post.Media) *platform.Fit {
	switch file.MIME {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
	default:
		return nil
	}
	if file.Width <= 0 || file.Height <= 0 {
		return nil
	}
	side, pixels := max(file.Width, file.Height), int64(file.Width)*int64(file.Height)
	most := m.bytesOf(file)
	fits := m.takes(file.MIME) && (most == 0 || file.Bytes <= most) && (m.PicturePixels == 0 || pixels <= m.PicturePixels) && (m.PictureSide == 0 || side <= m.PictureSide)
	if fits && !file.Turned {
		if !file.Metadata || file.MIME == "image/gif" {
			return nil
		}
		return &platform.Fit{Width: file.Width, Height: file.Height, MIME: file.MIME, StripOnly: true, Version: media.Version}
	}
	mime := m.stillType(file)
	if file.Animated || mime == "" {
		return nil
	}
	k := 1.0
	for _, most := range [2]int{m.PictureSide, m.FitSide} {
		if most > 0 {
			k = min(k, float64(most)/float64(side))
		}
	}
	if m.PicturePixels > 0 {
		k = min(k, math.Sqrt(float64(m.PicturePixels)/float64(pixels)))
	}
	fit := &platform.Fit{Width: scaled(file.Width, k), Height: scaled(file.Height, k), MIME: mime, MaxBytes: m.PictureBytes, Version: media.Version}
	if m.PicturePixels > 0 && int64(fit.Width)*int64(fit.Height) > m.PicturePixels { // both were rounded up
		fit.Width = max(1, int(m.PicturePixels/int64(fit.Height)))
	}
	return fit
}

func scaled(n int, k float64) int { return max(1, int(math.Round(float64(n)*k))) }

// stillType returns what a picture becomes that is encoded anew: a photograph JPEG, and what lets something shine through PNG.
func (m *Media) stillType(file *post.Media) string {
	first, second := "image/jpeg", "image/png"
	if file.Transparent && file.MIME != "image/jpeg" {
		first, second = second, first
	}
	switch {
	case m.takes(first):
		return first
	case m.takes(second):
		return second
	}
	return ""
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

// FillCard gives a card without a title the words that the file beside the post has for its address, and its picture. It returns the
// picture that it has added, nil for none.
func FillCard(v *post.Variant, card *platform.Card) *post.Media {
	file := v.LinkCard(card.URL)
	if card.Title != "" || file == nil {
		return nil
	}
	card.Title, card.Fetch = file.Title, false
	if card.Description == "" {
		card.Description = file.Description
	}
	if card.Image != nil || file.Image == nil {
		return nil
	}
	m := platform.MediaOf(file.Image)
	card.Image = &m
	return file.Image
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

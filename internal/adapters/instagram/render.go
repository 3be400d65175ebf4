package instagram

import (
	"fmt"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
)

// What Rendering.Settings holds, by the name of the API: a post without media_type is one of pictures.
const (
	settingType = "media_type"
	typeReel    = "REELS"
	typeStory   = "STORIES"
	typeAlbum   = "CAROUSEL"
)

// Render implements [platform.Adapter].
func (Adapter) Render(v *post.Variant, a *platform.Account) (platform.Rendering, finding.List) {
	o, ok := a.Options.(*Options)
	story := ok && o.Story
	style := plaintext.Style{
		Network: network, Tags: !story, Append: v.Link, Max: maxText, Unit: measure.CodePoints,
		Count: measure.CountCodePoints, Entities: measure.InstagramEntities,
	}
	if style.Append == "" && v.Card != nil {
		style.Append = v.Card.URL
	}
	if v.ContentWarning != "" { // there is no field for it
		style.Lead = "⚠️ " + v.ContentWarning
	}
	parts, list := plaintext.Write(v, &style)
	r := platform.Rendering{Platform: "instagram", Parts: parts}
	add := func(code finding.Code, sev finding.Severity, at finding.Range, message, hint string) {
		list.Add(v.Finding(code, sev, at, message, hint))
	}
	for i := range parts {
		p := &parts[i]
		checkNames(&list, v, p)
		if i == 0 {
			continue
		}
		p.Comment = true
		if len(p.Media) > 0 {
			add(codeComment, finding.Error, plaintext.Place(v, p, 0),
				"a part after the first is a comment on Instagram, and comments have no pictures", "move them to the first part")
		}
	}
	if len(parts[0].Media) == 0 && (parts[0].Text != "" || len(parts) > 1) { // that nothing is left is said already
		add(codeNoMedia, finding.Error, plaintext.Place(v, &parts[0], 0),
			"Instagram has no posts of text alone", "attach a picture or a video, or take the account out of `platforms:`")
	}
	files := &media
	if story {
		files = &stories
		if parts[0].Text != "" {
			add(codeStory, finding.Warning, plaintext.Place(v, &parts[0], 0), "a story on Instagram has no caption: the text is not shown", "")
			parts[0] = platform.Part{Media: parts[0].Media, Max: maxText, Unit: measure.CodePoints}
		}
		if len(parts) > 1 {
			add(codeComment, finding.Error, plaintext.Place(v, &parts[1], 0), "a story on Instagram takes no comments", "write one part, without first_comment")
		}
	}
	if kind := typeOf(parts[0].Media, story); kind != "" {
		r.Settings = map[string]string{settingType: kind}
	}

	list.Add(files.Fetched(v, parts, a.HasBucket)...)
	list.Add(rules.OnlyPublic(v, network)...)
	list.Add(rules.NoPoll(v, network)...)
	list.Add(rules.CardByNetwork(v, network)...)
	sensitive, found := rules.LabelsAsSensitive(v, network)
	list.Add(found...)
	if sensitive {
		list.Add(rules.Labels(v, finding.Warning, "Instagram has no mark for sensitive media: it is shown as it is", ""))
	}
	if v.ReplyTo != "" {
		add(rules.CodeReplyTo, finding.Error, v.Place(post.FieldReplyTo), "a post on Instagram cannot answer another", "override `reply_to:` for Instagram")
	}
	if v.Quote != "" {
		list.Add(rules.NoQuote(v, network))
	}
	return r, list
}

// typeOf returns the media_type of a post, empty for one picture.
func typeOf(media []platform.Media, story bool) string {
	switch {
	case len(media) == 0:
		return ""
	case story:
		return typeStory
	case len(media) > 1:
		return typeAlbum
	case isVideo(media[0]):
		return typeReel
	}
	return ""
}

func isVideo(m platform.Media) bool { return strings.HasPrefix(m.MIME, "video/") }

// media and stories are the rules for files; see [Adapter.Info] for their sources. A picture is shown 1440 pixels wide.
var (
	media = rules.Media{
		Network: network, Pictures: maxMedia, Mixed: true, Types: []string{"image/jpeg", "video/mp4", "video/quicktime"},
		PictureBytes: maxImageBytes, VideoBytes: maxVideoBytes, AltText: maxAltText, AltPictures: true, Aspect: [2]float64{leastAspect, mostAspect}, FitSide: shownWidth / leastAspect,
		VideoTime: [2]time.Duration{leastVideo * time.Second, maxVideoTime * time.Second}, VideoWidth: maxVideoWidth, VideoCodecs: videoCodecs,
	}
	stories = rules.Media{
		Network: "a story on Instagram", Pictures: 1, Mixed: true, Types: media.Types,
		PictureBytes: maxImageBytes, VideoBytes: maxStoryBytes, AltNone: true, FitSide: shownWidth * 16 / 9,
		VideoTime: [2]time.Duration{leastVideo * time.Second, maxStoryTime * time.Second}, VideoWidth: maxVideoWidth, VideoCodecs: videoCodecs,
	}
	videoCodecs = []string{"h264", "h265"}
)

// The codes that only Instagram reports.
const (
	codeNoMedia finding.Code = "P170"
	codeComment finding.Code = "P171"
	codeStory   finding.Code = "P172"
	codeNames   finding.Code = "P173"
)

// checkNames reports a text with more hashtags or mentions than Instagram takes.
func checkNames(list *finding.List, v *post.Variant, p *platform.Part) {
	tags, mentions := 0, 0
	for _, f := range p.Facets {
		switch f.Kind {
		case platform.FacetTag:
			if tags++; tags == maxTags+1 {
				list.Add(v.Finding(codeNames, finding.Error, plaintext.Place(v, p, f.Start),
					fmt.Sprintf("Instagram takes %d hashtags in a text, and this is one more", maxTags), "readers stop at five"))
			}
		case platform.FacetMention:
			if mentions++; mentions == maxMentions+1 {
				list.Add(v.Finding(codeNames, finding.Error, plaintext.Place(v, p, f.Start),
					fmt.Sprintf("Instagram takes %d mentions in a text, and this is one more", maxMentions), ""))
			}
		}
	}
}

// Docs returns the documentation of the codes that only Instagram reports.
func (Adapter) Docs() []finding.Doc {
	return []finding.Doc{
		{
			Code: codeNoMedia, Severity: finding.Error, Since: "0.1.0",
			Title: "post without a picture for Instagram",
			Why:   "Every post on Instagram is a picture or a video; text is its caption.",
			Bad:   "a text alone, and platforms: [instagram]",
			Good:  "media: [{file: sled.jpg, alt: A red sled}]",
		},
		{
			Code: codeComment, Severity: finding.Error, Since: "0.1.0",
			Title: "comment that Instagram does not take",
			Why:   "What follows the first part is a comment on it. Comments have no pictures, and stories have no comments.",
			Bad:   "a picture behind a line of ---, for Instagram",
			Good:  "all pictures in the first part",
		},
		{
			Code: codeStory, Severity: finding.Warning, Since: "0.1.0",
			Title: "story with a text",
			Why:   "The API takes no caption with a story: what is to be read must be in the picture.",
			Bad:   "a text beside the picture, for an account with story: true",
			Good:  "overrides: {stories: {text: \"\"}}",
		},
		{
			Code: codeNames, Severity: finding.Error, Since: "0.1.0",
			Title: "more hashtags or mentions than Instagram takes",
			Why:   "Instagram refuses a caption with more than 30 hashtags or 20 mentions (" + docsMedia + ", " + verified + ").",
			Bad:   "thirty-one hashtags",
			Good:  "five hashtags",
		},
	}
}

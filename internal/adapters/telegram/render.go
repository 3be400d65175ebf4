package telegram

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
)

const network = "Telegram"

// Render implements [platform.Adapter]. A part with files is a caption, a part with a poll its question, every other one a message:
// each has a limit of its own. Settings has what the API is told beside the text, by its own names.
func (Adapter) Render(v *post.Variant, a *platform.Account) (platform.Rendering, finding.List) {
	o, ok := a.Options.(*Options)
	if !ok {
		o = &Options{}
	}
	style := plaintext.Style{
		Network: network, Tags: true, Append: v.Link, Rich: true, Links: plaintext.LinkFacet,
		Max: maxText, Unit: measure.CodePoints, Count: measure.CountCodePoints, Entities: entitiesIn,
	}
	if style.Append == "" && v.Card != nil {
		style.Append = v.Card.URL
	}
	if v.Poll != nil { // a question has no formatting
		style.Rich, style.Links = false, plaintext.LinkAddress
	}
	if v.ContentWarning != "" { // Telegram has no field for it
		style.Lead = "⚠️ " + v.ContentWarning
	}
	parts, list := write(v, &style)
	preview(v, o, parts)

	list.Add(mediaRules(v, parts)...)
	list.Add(rules.OnlyPublic(v, network)...)
	list.Add(rules.CardByNetwork(v, network)...)
	polls := rules.Poll{
		Network: network, Options: [2]int{1, maxOptions}, Option: maxOption, Count: measure.CountCodePoints,
		Duration: [2]time.Duration{minPollTime * time.Second, maxPollTime * time.Second},
	}
	poll, found := polls.Apply(v)
	list.Add(found...)
	sensitive, found := rules.LabelsAsSensitive(v, network)
	list.Add(found...)
	if v.ReplyTo != "" {
		if _, ok := parseMessage(v.ReplyTo); !ok {
			list.Add(rules.ReplyTo(v, network, wantMessage))
		}
	}
	if v.Quote != "" {
		list.Add(rules.NoQuote(v, network))
	}
	return platform.Rendering{
		Platform: "telegram", Parts: parts, Sensitive: sensitive, Poll: poll, ReplyTo: v.ReplyTo, Settings: settings(o),
	}, list
}

const wantMessage = "its address, https://t.me/NAME/NUMBER or https://t.me/c/CHAT/NUMBER, or its number in the account's chat"

// write writes the parts and holds each to its own limit. With `thread: auto`, where a part that has files is too long for a caption,
// all are cut so that they fit one.
func write(v *post.Variant, s *plaintext.Style) ([]platform.Part, finding.List) {
	narrow, wide := limits(v)
	s.Max = wide
	parts, list := plaintext.Write(v, s)
	tooLong := false
	for i := range parts {
		tooLong = tooLong || parts[i].Used > limit(v, parts, i)
	}
	if tooLong && v.Thread == "auto" {
		s.Max = narrow
		parts, list = plaintext.Write(v, s)
	}
	for i := range parts {
		p := &parts[i]
		if p.Max = limit(v, parts, i); p.Used > p.Max && p.Used <= s.Max {
			what, hint := "with files", "shorten it, or put a line of `---` behind the words that belong to the files"
			if v.Poll != nil && i == 0 {
				what, hint = "with a poll", "the text is the poll's question: put a line of `---` before the rest"
			}
			list.Add(v.Finding(plaintext.CodeTooLong, finding.Error, plaintext.Place(v, p, byteOf(p.Text, p.Max)),
				fmt.Sprintf("the text is too long for a post %s on %s: %d of %d %s", what, network, p.Used, p.Max, p.Unit), hint))
		}
		for k := range p.Media {
			p.Media[k].Alt = "" // it is not sent; mediaRules says so
		}
	}
	if v.Poll != nil {
		parts[0].Facets = nil
	}
	return parts, list
}

// limits returns the narrowest and the widest limit of the variant's parts as they are written.
func limits(v *post.Variant) (narrow, wide int) {
	narrow, wide = maxText, 0
	for i := range v.Parts {
		most := maxText
		if i < len(v.PartMedia) && len(v.PartMedia[i]) > 0 {
			most = maxCaption
		}
		if i == 0 && v.Poll != nil {
			most = maxQuestion
		}
		narrow, wide = min(narrow, most), max(wide, most)
	}
	if v.FirstComment != "" || wide == 0 {
		wide = maxText
	}
	return narrow, wide
}

// limit returns the limit of a part as it was rendered.
func limit(v *post.Variant, parts []platform.Part, i int) int {
	switch {
	case i == 0 && v.Poll != nil:
		return maxQuestion
	case len(parts[i].Media) > 0:
		return maxCaption
	}
	return maxText
}

// byteOf returns where in text the first n code points end.
func byteOf(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// entitiesIn returns what Telegram is expected to link by itself: addresses, hashtags, and mentions of names that there can be. Its own
// rules are not published; bare names of hosts, which it links too, are left out.
func entitiesIn(text string) []measure.Entity {
	return slices.DeleteFunc(measure.MastodonEntities(text), func(e measure.Entity) bool {
		return e.Kind == measure.Mention && !isName(e.Value)
	})
}

// preview gives parts the address of which Telegram is told to show a preview: that of `link:` or `card:` in the first part, and any
// part's first one where the account says how large it is to be, which counts only for an address that is named.
func preview(v *post.Variant, o *Options, parts []platform.Part) {
	if o.LinkPreview == previewOff {
		return
	}
	for i := range parts {
		p := &parts[i]
		if len(p.Media) > 0 || i == 0 && v.Poll != nil {
			continue
		}
		address := ""
		if i == 0 && v.Card != nil {
			address = v.Card.URL
		}
		if i == 0 && address == "" {
			address = v.Link
		}
		if f := slices.IndexFunc(p.Facets, func(f platform.Facet) bool { return f.Kind == platform.FacetLink }); address == "" && f >= 0 && o.LinkPreview != "" {
			address = p.Facets[f].Value
		}
		if address != "" {
			p.Card = &platform.Card{URL: address, Fetch: true}
		}
	}
}

// linkPreview is LinkPreviewOptions of the API: https://core.telegram.org/bots/api#linkpreviewoptions (2026-11-22).
type linkPreview struct {
	Disabled bool   `json:"is_disabled,omitempty"`
	URL      string `json:"url,omitempty"`
	Small    bool   `json:"prefer_small_media,omitempty"`
	Large    bool   `json:"prefer_large_media,omitempty"`
	Above    bool   `json:"show_above_text,omitempty"`
}

// settings returns what requests say beside the post, each value as JSON; nil when there is nothing.
func settings(o *Options) map[string]string {
	s := map[string]string{}
	if o.Topic > 0 {
		s["message_thread_id"] = strconv.FormatInt(o.Topic, 10)
	}
	if o.Silent {
		s["disable_notification"] = "true"
	}
	if o.Protect {
		s["protect_content"] = "true"
	}
	show := linkPreview{
		Disabled: o.LinkPreview == previewOff, Small: o.LinkPreview == previewSmall, Large: o.LinkPreview == previewLarge, Above: o.PreviewAbove,
	}
	if show != (linkPreview{}) {
		encoded, err := json.Marshal(show)
		if err != nil {
			panic("telegram: a struct of truths always marshals: " + err.Error())
		}
		s["link_preview_options"] = string(encoded)
	}
	if len(s) == 0 {
		return nil
	}
	return s
}

// settingWords says a setting as people do.
func settingWords(name, value string) string {
	switch name {
	case "message_thread_id":
		return "topic " + value
	case "disable_notification":
		return "silent"
	case "protect_content":
		return "not to be forwarded or saved"
	case "link_preview_options":
		var show linkPreview
		if json.Unmarshal([]byte(value), &show) != nil {
			return ""
		}
		words := "link preview"
		for _, w := range [...]struct {
			is   bool
			word string
		}{{show.Disabled, " off"}, {show.Small, " small"}, {show.Large, " large"}, {show.Above, " above the text"}} {
			if w.is {
				words += w.word
			}
		}
		return words
	}
	return ""
}

// kind is what Telegram makes of a file. It is also the name of the field that holds it.
type kind string

const (
	photo     kind = "photo"
	video     kind = "video"
	animation kind = "animation"
	audio     kind = "audio"
	document  kind = "document"
)

// kindOf returns what a file of a type is sent as.
func kindOf(mime string) kind {
	switch {
	case mime == "image/gif":
		return animation
	case strings.HasPrefix(mime, "image/"):
		return photo
	case strings.HasPrefix(mime, "video/"):
		return video
	case strings.HasPrefix(mime, "audio/"):
		return audio
	}
	return document
}

// mediaTypes are what Telegram says that it takes and shows, WebP as a photo aside, which is not documented.
var mediaTypes = []string{
	"image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4", "audio/mpeg", "audio/mp4", "application/pdf",
}

// mediaRules returns what is wrong with the variant's files, and tells the parts' pictures how they are made to fit. Unlike elsewhere,
// videos go together with pictures.
func mediaRules(v *post.Variant, parts []platform.Part) finding.List {
	var list finding.List
	described := false
	fits := map[string]*platform.Fit{}
	for _, media := range v.PartMedia {
		if len(media) > maxAlbum {
			list.Add(v.Finding(rules.CodeMediaCount, finding.Error, media[maxAlbum].Range,
				fmt.Sprintf("%d files are too many for %s, which takes %d", len(media), network, maxAlbum), "move some to another part of the thread"))
		}
		for i := range media {
			file := &media[i]
			fit, found := fileRules(v, file)
			fits[file.Path] = fit
			list.Add(found...)
			if file.MIME != "" && !together(kindOf(media[0].MIME), kindOf(file.MIME)) && i > 0 {
				list.Add(v.Finding(rules.CodeMediaMix, finding.Error, file.Range,
					fmt.Sprintf("%s does not take %q and %q in one post", network, media[0].File, file.File),
					"pictures and videos go together, documents with documents, sounds with sounds, a GIF alone: move it to another part of the thread"))
			}
			if file.Alt != "" && !described {
				described = true
				list.Add(v.Finding(codeAlt, finding.Info, file.Range,
					fmt.Sprintf("%s has no alt text: what describes %q is not sent", network, file.File), "say in the text what matters in the picture"))
			}
		}
	}
	for i := range parts {
		for k := range parts[i].Media {
			m := &parts[i].Media[k]
			m.Fit = fits[m.Path]
		}
	}
	return list
}

// together reports whether an album may have both. https://core.telegram.org/bots/api#sendmediagroup (2026-11-22)
func together(a, b kind) bool {
	if a == photo || a == video {
		return b == photo || b == video
	}
	return a == b && a != animation
}

// fileRules returns what is wrong with one file by itself, and how it is made to fit, nil for one that goes out as it is.
func fileRules(v *post.Variant, file *post.Media) (*platform.Fit, finding.List) {
	limits := rules.Media{Network: network, Types: mediaTypes, PictureBytes: maxPhotoBytes, GIFBytes: maxFileBytes, VideoBytes: maxFileBytes}
	if kindOf(file.MIME) != photo {
		limits.PictureBytes = maxFileBytes
		alone := *v
		alone.PartMedia = [][]post.Media{{*file}}
		return nil, limits.Check(&alone)
	}
	limits.Aspect = [2]float64{1. / maxPhotoRatio, maxPhotoRatio}
	if file.Width+file.Height > maxPhotoSides {
		limits.PictureSide = maxPhotoSides / 2
	}
	var rendered platform.Media
	list := limits.FitFile(v, file, &rendered)
	return rendered.Fit, list
}

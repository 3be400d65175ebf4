package threads

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/container"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
)

// What Rendering.Settings holds, by the names of the API.
const (
	settingTopic        = "topic_tag"
	settingReplyControl = "reply_control"
)

// Render implements [platform.Adapter]. The first of `tags:` is the topic. `link:` is attached where the first part has
// no media and no poll, since only such a post takes it, and written into the text otherwise.
func (Adapter) Render(v *post.Variant, a *platform.Account) (platform.Rendering, finding.List) {
	link := v.Link
	if link == "" && v.Card != nil {
		link = v.Card.URL
	}
	attach := v.Poll == nil && (len(v.PartMedia) == 0 || len(v.PartMedia[0]) == 0)
	style := plaintext.Style{
		Network: network, Max: maxText, Unit: measure.CodePoints, Count: measure.Threads, Entities: measure.ThreadsEntities,
	}
	if !attach {
		style.Append = link
	}
	if v.ContentWarning != "" { // there is no field for it
		style.Lead = "⚠️ " + v.ContentWarning
	}
	parts, list := plaintext.Write(v, &style)
	if attach && link != "" {
		parts[0].Card = &platform.Card{URL: link}
	}
	if v.FirstComment != "" && len(parts) > 1 {
		parts[len(parts)-1].Comment = true
	}
	for i := range parts {
		checkLinks(&list, v, &parts[i])
	}

	list.Add(media.Fetched(v, parts, a.HasBucket)...)
	list.Add(rules.OnlyPublic(v, network)...)
	list.Add(rules.CardByNetwork(v, network)...)
	poll, found := polls.Apply(v)
	list.Add(found...)
	sensitive, found := rules.LabelsAsSensitive(v, network)
	list.Add(found...)
	if v.ReplyTo != "" && !container.IsID(v.ReplyTo) {
		list.Add(rules.ReplyTo(v, network, wantID))
	}
	if v.Quote != "" && !container.IsID(v.Quote) {
		list.Add(rules.Quote(v, network, wantID))
	}
	r := platform.Rendering{
		Platform: "threads", Parts: parts, Sensitive: sensitive, Poll: poll, ReplyTo: v.ReplyTo, Quote: v.Quote,
	}
	setting := func(name, value string) {
		if value == "" {
			return
		}
		if r.Settings == nil {
			r.Settings = map[string]string{}
		}
		r.Settings[name] = value
	}
	topic, found := topicOf(v)
	list.Add(found...)
	setting(settingTopic, topic)
	if o, ok := a.Options.(*Options); ok {
		setting(settingReplyControl, o.ReplyControl)
	}
	return r, list
}

// media and polls are the rules of Threads; see [Adapter.Info] for their sources. How long a poll runs cannot be told:
// it is a day (UNVERIFIED).
var (
	media = rules.Media{
		Network: network, Pictures: maxMedia, Mixed: true,
		Types:        []string{"image/jpeg", "image/png", "video/mp4", "video/quicktime"},
		PictureBytes: maxImageBytes, VideoBytes: maxVideoBytes, AltText: maxAltText,
		VideoTime: [2]time.Duration{0, maxVideoTime * time.Second}, VideoWidth: maxVideoWidth, VideoCodecs: []string{"h264", "h265"},
	}
	polls = rules.Poll{
		Network: network, Options: [2]int{2, maxOptions}, Option: maxOption, Count: measure.CountCodePoints,
		Duration: [2]time.Duration{rules.DefaultPollDuration, rules.DefaultPollDuration}, SingleChoice: true,
	}
)

// The codes that only Threads reports.
const (
	codeLinks finding.Code = "P160"
	codeTopic finding.Code = "P161"
)

// checkLinks reports a part with more links than Threads takes: different ones, with the one that is attached.
func checkLinks(list *finding.List, v *post.Variant, p *platform.Part) {
	var seen []string
	if p.Card != nil {
		seen = append(seen, p.Card.URL)
	}
	for _, f := range p.Facets {
		if f.Kind != platform.FacetLink || slices.Contains(seen, f.Value) {
			continue
		}
		if seen = append(seen, f.Value); len(seen) == maxLinks+1 {
			list.Add(v.Finding(codeLinks, finding.Error, plaintext.Place(v, p, f.Start),
				fmt.Sprintf("Threads takes %d different links in a post, and %s is one more", maxLinks, f.Value),
				"move some to another part of the thread"))
		}
	}
}

// topicOf returns the topic of a post, the first of its tags.
// https://developers.facebook.com/docs/threads/posts (2026-11-22)
func topicOf(v *post.Variant) (string, finding.List) {
	var list finding.List
	topic := ""
	for _, tag := range v.Tags {
		clean := strings.TrimSpace(strings.Map(func(r rune) rune {
			if r == '.' || r == '&' || r < ' ' {
				return -1
			}
			return r
		}, tag))
		switch n := measure.CountCodePoints(clean); {
		case n == 0 || n > maxTopic:
			list.Add(v.Finding(codeTopic, finding.Warning, v.Place(post.FieldTags),
				fmt.Sprintf("the tag %q cannot be a topic on Threads: it is left out", tag), "a topic has 1 to 50 characters, and neither . nor &"))
		case topic == "":
			topic = clean
		default:
			list.Add(v.Finding(codeTopic, finding.Info, v.Place(post.FieldTags),
				fmt.Sprintf("a post on Threads has one topic, %q: the tag %q is left out", topic, tag), "write the most important tag first, or override `tags:` for Threads"))
		}
	}
	return topic, list
}

const wantID = "the number that the API has for it: addresses on Threads do not hold it"

// Docs returns the documentation of the codes that only Threads reports.
func (Adapter) Docs() []finding.Doc {
	return []finding.Doc{
		{
			Code: codeLinks, Severity: finding.Error, Since: "0.1.0",
			Title: "more links than Threads takes",
			Why:   "Threads refuses posts with more than five different links, the attached one included (" + docsLinks + ", " + verified + ").",
			Bad:   "six addresses in one part",
			Good:  "five addresses, and the sixth behind a line of ---",
		},
		{
			Code: codeTopic, Severity: finding.Info, Since: "0.1.0",
			Title: "tag that is no topic on Threads",
			Why:   "A post on Threads has one topic. It is the first of `tags:`; a hashtag in the text stays what it is.",
			Bad:   "tags: [snow, sled], and platforms: [threads]",
			Good:  "overrides: {threads: {tags: [snow]}}",
		},
	}
}

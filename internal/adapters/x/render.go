package x

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

const network = "X"

// settingReply is what the API calls the rule who may answer.
const settingReply = "reply_settings"

// Render implements [platform.Adapter].
func (Adapter) Render(v *post.Variant, a *platform.Account) (platform.Rendering, finding.List) {
	o, ok := a.Options.(*Options)
	if !ok {
		o = &Options{}
	}
	most := maxText
	if o.Premium {
		most = maxTextPremium
	}
	style := plaintext.Style{
		Network: network, Tags: true, Append: v.Link,
		Max: most, Unit: measure.Weighted,
		Count:    func(text string) int { return measure.XWithin(text, most).Weighted },
		Entities: measure.XEntities,
	}
	if style.Append == "" && v.Card != nil {
		style.Append = v.Card.URL
	}
	if v.ContentWarning != "" { // X has no field for it
		style.Lead = "⚠️ " + v.ContentWarning
	}
	parts, list := plaintext.Write(v, &style)
	for i := range parts {
		checkText(&list, v, &parts[i])
	}
	checkRepeat(&list, v, parts)

	files := media
	if o.Premium { // videos may be longer; how much is not documented for the API
		files.VideoTime[1] = 0
	}
	list.Add(files.Fit(v, parts)...)
	list.Add(rules.OnlyPublic(v, network)...)
	list.Add(rules.CardByNetwork(v, network)...)
	poll, found := polls.Apply(v)
	list.Add(found...)
	sensitive, found := rules.LabelsAsSensitive(v, network)
	list.Add(found...)
	if v.ReplyTo != "" && postID(v.ReplyTo) == "" {
		list.Add(rules.ReplyTo(v, network, wantPost))
	}
	if v.Quote != "" && postID(v.Quote) == "" {
		list.Add(rules.Quote(v, network, wantPost))
	}
	var settings map[string]string
	if o.ReplySettings != "" && v.ReplyTo == "" { // whoever begins a conversation says who may answer
		settings = map[string]string{settingReply: o.ReplySettings}
	}
	return platform.Rendering{
		Platform: "x", Parts: parts, Sensitive: sensitive, Poll: poll, ReplyTo: v.ReplyTo, Quote: v.Quote, Settings: settings,
	}, list
}

// media and polls are X's rules; see [Adapter.Info] for their sources.
var (
	media = rules.Media{
		Network: network, Pictures: maxImages, GIFAlone: true,
		Types:        []string{"image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/quicktime"},
		PictureBytes: maxImageBytes, GIFBytes: maxGIFBytes, GIFFrames: maxGIFFrames, GIFArea: maxGIFArea,
		VideoBytes: maxVideoBytes, VideoTime: [2]time.Duration{time.Second / 2, maxVideoTime * time.Second}, VideoCodecs: []string{"h264"},
		AltText: maxAltText, AltPictures: true,
	}
	polls = rules.Poll{
		Network: network, Options: [2]int{minPollOptions, maxPollOptions}, Option: maxPollOption, Count: measure.CountCodePoints,
		Duration: [2]time.Duration{minPollMinutes * time.Minute, maxPollMinutes * time.Minute}, SingleChoice: true,
	}
)

// The codes that only X reports.
const (
	codeCharacter finding.Code = "T210"
	codeCashtags  finding.Code = "P110"
	codeRepeat    finding.Code = "P111"
)

// forbidden are the code points that X refuses in any text, per twitter-text v3.
const forbidden = "\uFFFE\uFEFF\uFFFF"

func checkText(list *finding.List, v *post.Variant, p *platform.Part) {
	if i := strings.IndexAny(p.Text, forbidden); i >= 0 {
		list.Add(v.Finding(codeCharacter, finding.Error, plaintext.Place(v, p, i),
			"X refuses the invisible character U+FEFF, U+FFFE or U+FFFF that stands here", "delete it"))
	}
	cashtags := 0
	for _, f := range p.Facets {
		if f.Kind == platform.FacetTag && strings.HasPrefix(f.Value, "$") {
			if cashtags++; cashtags == maxCashtags+1 {
				list.Add(v.Finding(codeCashtags, finding.Error, plaintext.Place(v, p, f.Start),
					"X takes one cashtag in a post from apps, and "+p.Text[f.Start:f.End]+" is the second",
					"write the others without the $"))
			}
		}
	}
}

// checkRepeat refuses a part that says what one before it says: the thread would end there.
func checkRepeat(list *finding.List, v *post.Variant, parts []platform.Part) {
	first := make(map[string]int, len(parts))
	for i := range parts {
		text := parts[i].Text
		k, said := first[text]
		if said && text != "" {
			list.Add(v.Finding(codeRepeat, finding.Error, plaintext.Place(v, &parts[i], 0),
				fmt.Sprintf("part %d of the thread says the same as part %d, and X takes no words twice", i+1, k+1), "say it in other words"))
			return
		}
		first[text] = i
	}
}

const wantPost = "its address, https://x.com/NAME/status/NUMBER, or its number"

// postID returns the number of the post that s names: by number, or by an address that ends in /status/NUMBER; "" if it names none.
func postID(s string) string {
	rest, found := strings.CutPrefix(s, "https://")
	if !found {
		rest, found = strings.CutPrefix(s, "http://")
	}
	if found {
		host, path, _ := strings.Cut(rest, "/")
		switch strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(host), "www."), "mobile.") {
		case "x.com", "twitter.com":
		default:
			return ""
		}
		_, s, _ = strings.Cut(path, "/status/")
		if end := strings.IndexAny(s, "?#"); end >= 0 {
			s = s[:end]
		}
		s = strings.TrimSuffix(s, "/")
	}
	if !isNumber(s) {
		return ""
	}
	return s
}

// isNumber reports whether s is an id as the API takes it: up to 19 digits.
func isNumber(s string) bool {
	return s != "" && len(s) <= 19 && strings.Trim(s, "0123456789") == ""
}

// Docs returns the documentation of the codes that only X reports.
func (Adapter) Docs() []finding.Doc {
	return []finding.Doc{
		{
			Code: codeCharacter, Severity: finding.Error, Since: "0.1.0",
			Title: "character that X refuses",
			Why:   "X takes no text with U+FEFF (a byte-order mark, often pasted along), U+FFFE or U+FFFF.",
			Bad:   "a byte-order mark in the middle of a sentence",
			Good:  "the sentence typed anew",
		},
		{
			Code: codeCashtags, Severity: finding.Error, Since: "0.1.0",
			Title: "more than one cashtag",
			Why:   "X refuses posts from apps with more than one $TICKER (" + docsGuide + ", " + verified + ").",
			Bad:   "$ACME beats $EMCA",
			Good:  "$ACME beats EMCA",
		},
		{
			Code: codeRepeat, Severity: finding.Error, Since: "0.1.0",
			Title: "thread that says the same twice",
			Why:   "X refuses words that an account has said lately (\"duplicate content\"), so that the thread would end in the middle.",
			Bad:   "a thread whose second part is its first again",
			Good:  "a thread whose parts differ",
		},
	}
}

// SameRendering implements [platform.Sharer]: a premium account has another limit, and others may answer.
func (Adapter) SameRendering(a, b *platform.Account) bool {
	x, ok := a.Options.(*Options)
	y, same := b.Options.(*Options)
	return ok && same && x.Premium == y.Premium && x.ReplySettings == y.ReplySettings
}

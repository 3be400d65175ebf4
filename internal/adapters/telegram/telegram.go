// Package telegram is the adapter for channels, groups and topics of Telegram, by its Bot API.
//
// The API has no way to read a chat, and no key by which a request is recognised. So nothing here finds a message after a lost answer:
// such a delivery waits for a person.
package telegram

import (
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// Adapter is Telegram. The zero value is ready for use.
type Adapter struct{}

// The defaults of the options.
const (
	DefaultServer = "https://api.telegram.org"
	DefaultLinks  = "https://t.me"
)

// Options are a Telegram account's options in site.yaml.
type Options struct {
	Chat         string `yaml:"chat" help:"The channel or group: its @name, or its id in quotes, such as \"-1001234567890\"."`
	Topic        int64  `yaml:"topic,omitempty" help:"The number of the topic of a forum that gets the posts (message_thread_id)."`
	Silent       bool   `yaml:"silent,omitempty" help:"Whether posts arrive without a sound."`
	Protect      bool   `yaml:"protect,omitempty" help:"Whether posts can be neither forwarded nor saved."`
	LinkPreview  string `yaml:"link_preview,omitempty" help:"The preview of a link: small, large or off; left out, Telegram decides on the size."`
	PreviewAbove bool   `yaml:"preview_above,omitempty" help:"Whether the preview of a link stands above the text."`
	Server       string `yaml:"server,omitempty" help:"The Bot API server; https://api.telegram.org when left out."`
	Links        string `yaml:"links,omitempty" help:"What the addresses of messages begin with; https://t.me when left out."`
}

// The values of Options.LinkPreview.
const (
	previewSmall = "small"
	previewLarge = "large"
	previewOff   = "off"
)

// Validate implements [platform.OptionsValidator].
func (o *Options) Validate() []platform.OptionProblem {
	var problems []platform.OptionProblem
	add := func(key, message, hint string) {
		problems = append(problems, platform.OptionProblem{Key: key, Message: message, Hint: hint})
	}
	switch _, ok := parseChat(o.Chat); {
	case o.Chat == "":
		add("chat", "a Telegram account needs the chat to post to", "chat: \"@acme_news\"")
	case !ok:
		add("chat", "the chat is neither an @name nor the negative id of a channel or group", "chat: \"@acme_news\", or chat: \"-1001234567890\"")
	}
	if o.Topic < 0 {
		add("topic", "a topic has a positive number", "it is the last number in the address of the topic, https://t.me/c/1234567890/42")
	}
	switch o.LinkPreview {
	case "", previewSmall, previewLarge, previewOff:
	default:
		add("link_preview", "the link preview is neither small, large nor off", "leave it out to let Telegram decide")
	}
	if !isServer(o.Server) {
		add("server", "the server is not an http or https address", "server: "+DefaultServer)
	}
	if !isServer(o.Links) {
		add("links", "this is not an http or https address", "links: "+DefaultLinks)
	}
	return problems
}

func isServer(s string) bool {
	rest, secure := strings.CutPrefix(s, "https://")
	if !secure {
		var plain bool
		if rest, plain = strings.CutPrefix(s, "http://"); !plain {
			return false
		}
	}
	return rest != "" && !strings.HasPrefix(rest, "/") && !strings.ContainsAny(rest, "@?# ")
}

// The limits that render.go enforces. Sources and dates are in [Adapter.Info].
const (
	maxText       = 4096
	maxCaption    = 1024
	maxAlbum      = 10
	maxPhotoBytes = 10 << 20
	maxPhotoSides = 10_000 // width and height together
	maxPhotoRatio = 20
	maxFileBytes  = 50 << 20
	maxQuestion   = 300
	maxOptions    = 12
	maxOption     = 100
	minPollTime   = 5 // seconds
	maxPollTime   = 2_628_000
)

// The pages that state the limits, as of Bot API 10.1, read on [verified].
const (
	docs     = "https://core.telegram.org/bots/api"
	verified = "2026-11-22"
)

// Info implements [platform.Adapter].
func (Adapter) Info() platform.Info {
	return platform.Info{
		ID:      "telegram",
		Name:    "Telegram",
		DocsURL: "https://core.telegram.org/bots/features#botfather",
		Limits: []platform.Limit{
			{Name: "text", Max: maxText, Unit: measure.CodePoints, Doc: docs + "#sendmessage", Verified: verified, Note: "without the formatting"},
			{Name: "caption", Max: maxCaption, Unit: measure.CodePoints, Doc: docs + "#sendphoto", Verified: verified, Note: "the text of a part that has files"},
			{Name: "images", Max: maxAlbum, Unit: "images", Doc: docs + "#sendmediagroup", Verified: verified, Note: "an album of pictures and videos; or documents only, or sounds only, or one GIF"},
			{Name: "image_bytes", Max: maxPhotoBytes, Unit: measure.Bytes, Doc: docs + "#sendphoto", Verified: verified, Note: "stated as 10 MB"},
			{Name: "image_sides", Max: maxPhotoSides, Unit: "pixels", Doc: docs + "#sendphoto", Verified: verified, Note: "width and height together"},
			{Name: "image_ratio", Max: maxPhotoRatio, Unit: "to 1", Doc: docs + "#sendphoto", Verified: verified, Note: "the longer side to the shorter"},
			{Name: "file_bytes", Max: maxFileBytes, Unit: measure.Bytes, Doc: docs + "#sending-files", Verified: verified, Note: "stated as 50 MB; video, GIF, sound and document"},
			{Name: "poll_question", Max: maxQuestion, Unit: measure.CodePoints, Doc: docs + "#sendpoll", Verified: verified, Note: "the text of a part that has a poll"},
			{Name: "poll_options", Max: maxOptions, Unit: "options", Doc: docs + "#sendpoll", Verified: verified},
			{Name: "poll_option", Max: maxOption, Unit: measure.CodePoints, Doc: docs + "#inputpolloption", Verified: verified},
			{Name: "poll_duration", Max: maxPollTime, Unit: "seconds", Doc: docs + "#sendpoll", Verified: verified},
			{Name: "delete_age", Max: 48, Unit: "hours", Doc: docs + "#deletemessage", Verified: verified, Note: "an older message may no longer be taken down"},
		},
		Measure:    measure.CountCodePoints,
		Caps:       platform.CanPublish | platform.CanEdit | platform.CanDelete | platform.CanThread | platform.CanPoll,
		NewOptions: func() any { return &Options{Server: DefaultServer, Links: DefaultLinks} }, SettingWords: settingWords,
		Secrets: []platform.SecretSpec{{
			Name:    "BOT_TOKEN",
			Help:    "The token of the bot that posts, from @BotFather; the bot is an administrator of the channel, or a member of the group.",
			Aliases: []string{"TELEGRAM_BOT_TOKEN", "TELEGRAM_TOKEN"},
		}},
	}
}

// codeAlt is the code that only Telegram reports.
const codeAlt finding.Code = "P120"

// Docs returns the documentation of the codes that only Telegram reports.
func (Adapter) Docs() []finding.Doc {
	return []finding.Doc{{
		Code: codeAlt, Severity: finding.Info, Since: "0.1.0",
		Title: "description of a picture that the network does not take",
		Why:   "Telegram has no alt text, so who cannot see the picture learns of it only from the text (" + docs + "#sendphoto, " + verified + ").",
		Bad:   "media: [{file: sale.png, alt: \"Sleds from 15 euros\"}], and a text that does not say so",
		Good:  "Sleds from 15 euros, as the picture shows.",
	}}
}

// SameRendering implements [platform.Sharer]: where the posts go makes no difference to what they are.
func (Adapter) SameRendering(a, b *platform.Account) bool {
	x, ok := a.Options.(*Options)
	y, same := b.Options.(*Options)
	if !ok || !same {
		return false
	}
	p, q := *x, *y
	p.Chat, p.Server, p.Links = q.Chat, q.Server, q.Links
	return p == q
}

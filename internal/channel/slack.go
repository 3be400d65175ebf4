package channel

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/post"
)

// Slack is a channel in Slack, by an incoming webhook. The zero value is ready for use.
type Slack struct{}

// maxSlack is how long a text may be: Slack's own pages still speak of 40,000, of which it shows 4,000 or refuses the rest.
const maxSlack = 4000

const slackDocs = "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/"

// Info implements [platform.Adapter].
func (Slack) Info() platform.Info {
	return platform.Info{
		ID: "slack", Name: "Slack", DocsURL: slackDocs,
		Limits:     []platform.Limit{{Name: "text", Max: maxSlack, Unit: measure.UTF16, Doc: "https://docs.slack.dev/reference/methods/chat.postMessage", Verified: verified}},
		Caps:       platform.CanPublish,
		NewOptions: func() any { return new(noOptions) },
		Secrets: []platform.SecretSpec{{
			Name: hookSecret, Aliases: []string{"SLACK_WEBHOOK_URL"},
			Help: "The address of an incoming webhook of a Slack app, which posts to one channel: https://hooks.slack.com/services/….",
		}},
	}
}

// MentionProblem implements [platform.Mentioner].
func (Slack) MentionProblem(name string) string {
	switch {
	case name == "here" || name == "channel" || name == "everyone":
		return ""
	case len(name) > 1 && strings.Contains("UWS", name[:1]) && !strings.ContainsFunc(name, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }):
		return ""
	}
	return "write the id of a member (U…) or of a user group (S…) as Slack shows it, or here, channel or everyone"
}

// slackCall spells whom a message calls.
// https://docs.slack.dev/messaging/formatting-message-text/ (2026-11-22)
func slackCall(name string) string {
	switch {
	case name == "here" || name == "channel" || name == "everyone":
		return "<!" + name + ">"
	case strings.HasPrefix(name, "S"):
		return "<!subteam^" + name + ">"
	}
	return "<@" + name + ">"
}

// slackText is mrkdwn, as Slack calls it: only &, < and > are special, and marks count only at the edges of words.
// https://docs.slack.dev/messaging/formatting-message-text/ (2026-11-22)
func slackText() *dialect {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	d := &dialect{network: "Slack"}
	d.escape = func(s string) string { return escape.Replace(inertMarks(s)) }
	d.bare = func(address string) string { return "<" + strings.ReplaceAll(angled(address), "&", "&amp;") + ">" }
	d.verbatim = func(s string) string { return escape.Replace(strings.ReplaceAll(s, "`", "ˋ")) }
	d.open, d.end = marks(
		map[platform.FacetKind]string{platform.FacetBold: "*", platform.FacetItalic: "_", platform.FacetStrike: "~", platform.FacetCode: "`"},
		func(address string) string { return "<" + strings.ReplaceAll(angled(address), "&", "&amp;") + "|" },
		func(string) string { return ">" })
	return d
}

// inertMarks takes the meaning from Slack's marks with word joiners, which are not seen. Between letters marks have none, and are left as
// they are, so that the name of a variable can be copied.
func inertMarks(s string) string {
	var b strings.Builder
	runes := []rune(s)
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	for i, r := range runes {
		if strings.ContainsRune("*_~`", r) && !(word(i-1) && word(i+1)) {
			b.WriteString("\u2060" + string(r) + "\u2060")
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Render implements [platform.Adapter].
func (Slack) Render(v *post.Variant, _ *platform.Account) (platform.Rendering, finding.List) {
	r, list := slackText().compose(v, maxSlack, measure.UTF16, measure.CountUTF16, calls(v, slackCall))
	r.Platform = "slack"
	return r, list
}

// Open implements [platform.Adapter].
func (Slack) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	address, secrets, err := hook(a, &d)
	if err != nil {
		return nil, err
	}
	return &slack{address, &d, apihttp.Client{HTTP: d.HTTP, Log: d.Log, Now: d.Now, Timeout: d.Timeout, Budget: d.Budget, Secrets: secrets}}, nil
}

type slack struct {
	address string
	deps    *platform.Deps
	api     apihttp.Client
}

type slackMessage struct {
	Text   string `json:"text"`
	Unfurl bool   `json:"unfurl_links"`
	Media  bool   `json:"unfurl_media"`
}

// Verify implements [platform.Publisher]. A webhook has nobody to ask who it is. A message without a text is refused with "no_text" by one
// that works, and with another word by one that does not.
func (s *slack) Verify(ctx context.Context) (platform.Identity, error) {
	resp, err := s.api.Do(ctx, apihttp.Request{Op: "look at the webhook", Method: http.MethodPost, Path: s.address, JSON: slackMessage{}}, nil)
	if e, ok := errors.AsType[*platform.Error](err); ok && e.Status == http.StatusBadRequest && resp != nil {
		switch strings.TrimSpace(string(resp.Body)) {
		case "no_text", "invalid_payload", "missing_text_or_fallback_or_attachments":
			err = nil
		}
	}
	return platform.Identity{ID: hostOf(s.address), Handle: "an incoming webhook of " + hostOf(s.address)}, err
}

// Publish implements [platform.Publisher].
func (s *slack) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	if _, err := s.api.Do(ctx, apihttp.Request{
		Op: "send message", Method: http.MethodPost, Path: s.address, JSON: slackMessage{Text: r.Parts[0].Text}, Creates: true,
	}, nil); err != nil {
		return platform.Receipt{}, err
	}
	return receipt(a.Key, "", s.deps), nil // it has no id that Slack tells
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

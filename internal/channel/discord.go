package channel

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/post"
)

// Discord is a channel in Discord, by a webhook. The zero value is ready for use.
type Discord struct{}

const (
	maxDiscord  = 2000
	discordDocs = "https://docs.discord.com/developers/resources/webhook"
	// discordAgent is what Discord wants programs to call themselves.
	// https://docs.discord.com/developers/reference#user-agent (2026-11-22)
	discordAgent = "DiscordBot (https://github.com/postrider/postrider, 1)"
	// suppressEmbeds is the flag of a message whose links get no previews.
	suppressEmbeds = 1 << 2
)

// Info implements [platform.Adapter].
func (Discord) Info() platform.Info {
	return platform.Info{
		ID: "discord", Name: "Discord", DocsURL: discordDocs,
		Limits:     []platform.Limit{{Name: "text", Max: maxDiscord, Unit: measure.CodePoints, Doc: discordDocs + "#execute-webhook", Verified: verified}},
		Caps:       platform.CanPublish,
		NewOptions: func() any { return new(noOptions) },
		Secrets: []platform.SecretSpec{{
			Name: hookSecret, Aliases: []string{"DISCORD_WEBHOOK_URL"},
			Help: "The address of a webhook of a Discord channel (its settings, Integrations): https://discord.com/api/webhooks/….",
		}},
	}
}

// MentionProblem implements [platform.Mentioner].
func (Discord) MentionProblem(name string) string {
	id := strings.TrimPrefix(name, "&")
	if name == "here" || name == "everyone" || id != "" && strings.Trim(id, "0123456789") == "" {
		return ""
	}
	return "write the number of a user, or & and the number of a role, in quotes, or here or everyone"
}

// discordCall spells whom a message calls.
// https://docs.discord.com/developers/reference#message-formatting (2026-11-22)
func discordCall(name string) string {
	if name == "here" || name == "everyone" {
		return "@" + name
	}
	return "<@" + name + ">" // of a role, the & is part of the name
}

// mentionSetting is the part of a rendering's settings that says whom the message may call.
const mentionSetting = "allowed_mentions"

// Render implements [platform.Adapter].
func (Discord) Render(v *post.Variant, _ *platform.Account) (platform.Rendering, finding.List) {
	r, list := markdown("Discord").compose(v, maxDiscord, measure.CodePoints, measure.CountCodePoints, calls(v, discordCall))
	r.Platform = "discord"
	if names := calls(v, func(name string) string { return name }); len(names) > 0 {
		r.Settings = map[string]string{mentionSetting: strings.Join(names, " ")}
	}
	return r, list
}

// Open implements [platform.Adapter].
func (Discord) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	address, secrets, err := hook(a, &d)
	if err != nil {
		return nil, err
	}
	agent := func(r *http.Request) { r.Header.Set("User-Agent", discordAgent) }
	return &discord{address, &d, apihttp.Client{HTTP: d.HTTP, Header: agent, Log: d.Log, Now: d.Now, Timeout: d.Timeout, Budget: d.Budget, Secrets: secrets}}, nil
}

type discord struct {
	address string
	deps    *platform.Deps
	api     apihttp.Client
}

// Verify implements [platform.Publisher].
// https://docs.discord.com/developers/resources/webhook#get-webhook-with-token (2026-11-22)
func (s *discord) Verify(ctx context.Context) (platform.Identity, error) {
	var got struct{ ID, Name string }
	_, err := s.api.Do(ctx, apihttp.Request{Op: "look at the webhook", Path: s.address}, &got)
	return platform.Identity{ID: got.ID, Handle: got.Name}, err
}

type discordMessage struct {
	Content string          `json:"content"`
	Flags   int             `json:"flags"`
	Allowed allowedMentions `json:"allowed_mentions"`
}

// allowedMentions is whom a message may call: nobody whose name merely stands in a title.
// https://docs.discord.com/developers/resources/message#allowed-mentions-object (2026-11-22)
type allowedMentions struct {
	Parse []string `json:"parse"`
	Users []string `json:"users,omitempty"`
	Roles []string `json:"roles,omitempty"`
}

// Publish implements [platform.Publisher]. With wait=true Discord answers once the message is stored.
// https://docs.discord.com/developers/resources/webhook#execute-webhook (2026-11-22)
func (s *discord) Publish(ctx context.Context, r *platform.Rendering, _ platform.Attempt) (platform.Receipt, error) {
	m := discordMessage{Content: r.Parts[0].Text, Flags: suppressEmbeds, Allowed: allowedMentions{Parse: []string{}}}
	for name := range strings.FieldsSeq(r.Settings[mentionSetting]) {
		role, isRole := strings.CutPrefix(name, "&")
		switch {
		case isRole:
			m.Allowed.Roles = append(m.Allowed.Roles, role)
		case name == "here" || name == "everyone":
			m.Allowed.Parse = []string{"everyone"}
		default:
			m.Allowed.Users = append(m.Allowed.Users, name)
		}
	}
	address, err := url.Parse(s.address)
	if err != nil {
		return platform.Receipt{}, &platform.Error{Outcome: platform.Denied, Op: "send message", Message: "the incoming webhook is no address"}
	}
	query := address.Query() // it may name a thread
	query.Set("wait", "true")
	address.RawQuery = query.Encode()
	var got struct{ ID string }
	if _, err := s.api.Do(ctx, apihttp.Request{
		Op: "send message", Method: http.MethodPost, Path: address.String(), JSON: m, Creates: true,
	}, &got); err != nil {
		return platform.Receipt{}, err
	}
	return receipt(got.ID, "", s.deps), nil
}

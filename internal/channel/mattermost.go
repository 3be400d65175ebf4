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

// Mattermost is a channel on a Mattermost server, by an incoming webhook. The zero value is ready for use.
type Mattermost struct{}

// maxMattermost is the length of a post. Older servers split a longer one than 4,000.
const maxMattermost = 4000

const mattermostDocs = "https://developers.mattermost.com/integrate/webhooks/incoming/"

// Info implements [platform.Adapter].
func (Mattermost) Info() platform.Info {
	return platform.Info{
		ID: "mattermost", Name: "Mattermost", DocsURL: mattermostDocs,
		Limits:     []platform.Limit{{Name: "text", Max: maxMattermost, Unit: measure.CodePoints, Doc: mattermostDocs, Verified: verified, Note: "servers of today take 16,383"}},
		Caps:       platform.CanPublish,
		NewOptions: func() any { return new(noOptions) },
		Secrets: []platform.SecretSpec{{
			Name: hookSecret, Aliases: []string{"MATTERMOST_WEBHOOK_URL"},
			Help: "The address of an incoming webhook of the server (Integrations): https://chat.acme.example/hooks/….",
		}},
	}
}

// MentionProblem implements [platform.Mentioner].
func (Mattermost) MentionProblem(name string) string {
	rest, ok := strings.CutPrefix(name, "@")
	if ok && rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789._-") == "" {
		return ""
	}
	return "write a name with its @, in quotes: \"@ada\", \"@here\", \"@channel\""
}

// Render implements [platform.Adapter].
func (Mattermost) Render(v *post.Variant, _ *platform.Account) (platform.Rendering, finding.List) {
	r, list := markdown("Mattermost").compose(v, maxMattermost, measure.CodePoints, measure.CountCodePoints, calls(v, func(name string) string { return name }))
	r.Platform = "mattermost"
	return r, list
}

// Open implements [platform.Adapter].
func (Mattermost) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	address, secrets, err := hook(a, &d)
	if err != nil {
		return nil, err
	}
	return &mattermost{address, &d, apihttp.Client{HTTP: d.HTTP, Log: d.Log, Now: d.Now, Timeout: d.Timeout, Budget: d.Budget, Secrets: secrets}}, nil
}

type mattermost struct {
	address string
	deps    *platform.Deps
	api     apihttp.Client
}

// Verify implements [platform.Publisher]. Nothing tells of an incoming webhook whether it is known: that its server is there is all there
// is to know.
// https://developers.mattermost.com/api-documentation/#/operations/GetPing (2026-11-22)
func (s *mattermost) Verify(ctx context.Context) (platform.Identity, error) {
	u, err := url.Parse(s.address)
	if err != nil {
		return platform.Identity{}, &platform.Error{Outcome: platform.Denied, Op: "reach the server", Message: "the incoming webhook is no address"}
	}
	before, _, _ := strings.Cut(u.Path, "/hooks/") // the server may live below a path
	u.Path, u.RawQuery = before+"/api/v4/system/ping", ""
	_, err = s.api.Do(ctx, apihttp.Request{Op: "reach the server", Path: u.String()}, nil)
	return platform.Identity{ID: u.Host, Handle: "an incoming webhook of " + u.Host}, err
}

// Publish implements [platform.Publisher].
func (s *mattermost) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	body := map[string]string{"text": r.Parts[0].Text}
	if _, err := s.api.Do(ctx, apihttp.Request{Op: "send message", Method: http.MethodPost, Path: s.address, JSON: body, Creates: true}, nil); err != nil {
		return platform.Receipt{}, err
	}
	return receipt(a.Key, "", s.deps), nil // it has no id that Mattermost tells
}

package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

// Matrix is a room of Matrix, by the client API. Rooms with encryption are not written to. The zero value is ready for use.
type Matrix struct{}

// MatrixOptions are a Matrix room's options in site.yaml.
type MatrixOptions struct {
	Server string `yaml:"server" help:"The address of the homeserver, such as https://matrix.acme.example."`
	Room   string `yaml:"room" help:"The room's internal id, which begins with !, in quotes."`
}

// Validate implements [platform.OptionsValidator].
func (o *MatrixOptions) Validate() (problems []platform.OptionProblem) {
	if u, err := url.Parse(o.Server); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		problems = append(problems, platform.OptionProblem{Key: "server", Message: "the homeserver is not an http or https address", Hint: "server: https://matrix.acme.example"})
	}
	if len(o.Room) < 2 || o.Room[0] != '!' || strings.ContainsAny(o.Room, " \t\r\n/") {
		problems = append(problems, platform.OptionProblem{Key: "room", Message: "the room is not given by its internal id", Hint: "room: \"!AbCdEf:acme.example\"; clients show it among the room's advanced settings"})
	}
	return problems
}

// maxMatrix bounds a message: an event may have 65,536 bytes with everything that servers add, and the text is in it twice.
const maxMatrix = 20_000

const matrixDocs = "https://spec.matrix.org/v1.16/client-server-api/"

// Info implements [platform.Adapter].
func (Matrix) Info() platform.Info {
	return platform.Info{
		ID: "matrix", Name: "Matrix", DocsURL: matrixDocs,
		Limits:     []platform.Limit{{Name: "text", Max: maxMatrix, Unit: measure.Bytes, Doc: matrixDocs + "#size-limits", Verified: verified, Note: "of an event's 65,536 bytes"}},
		Caps:       platform.CanPublish | platform.CanIdempotent,
		NewOptions: func() any { return new(MatrixOptions) },
		Secrets: []platform.SecretSpec{{
			Name: "ACCESS_TOKEN", Aliases: []string{"MATRIX_ACCESS_TOKEN"},
			Help: "An access token of a user who is in the room, such as a bot of its own.",
		}},
	}
}

// MentionProblem implements [platform.Mentioner].
func (Matrix) MentionProblem(name string) string {
	user, server, ok := strings.Cut(name, ":")
	if name == "@room" || ok && len(user) > 1 && user[0] == '@' && server != "" && !strings.ContainsAny(name, " \t\r\n<>\"") {
		return ""
	}
	return "write a user's whole name, in quotes: \"@ada:acme.example\", or \"@room\""
}

// Render implements [platform.Adapter].
func (Matrix) Render(v *post.Variant, _ *platform.Account) (platform.Rendering, finding.List) {
	parts, list := plain(v, "Matrix")
	parts[0].Spans = nil
	d := &dialect{network: "Matrix"}
	r := platform.Rendering{Platform: "matrix", Title: v.Title, Parts: parts}
	if names := calls(v, func(name string) string { return name }); len(names) > 0 {
		r.Settings = map[string]string{mentionSetting: strings.Join(names, " ")}
	}
	return d.measured(v, r, list, maxMatrix, measure.Bytes, func(s string) int { return len(s) })
}

// Open implements [platform.Adapter].
func (Matrix) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	o, err := platform.OptionsOf[MatrixOptions](a)
	if err != nil {
		return nil, err
	}
	token, err := d.Secret(a, "ACCESS_TOKEN", "access token")
	if err != nil {
		return nil, err
	}
	return &matrix{o, &d, apihttp.Client{
		HTTP: d.HTTP, Base: o.Server, Log: d.Log, Now: d.Now, Timeout: d.Timeout, Budget: d.Budget, Secrets: []secret.String{token},
		Header: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.Reveal()) },
		Refine: func(e *platform.Error, r *apihttp.Response) {
			var said struct {
				Code  string `json:"errcode"`
				Error string `json:"error"`
			}
			if json.Unmarshal(r.Body, &said) == nil && said.Code != "" {
				e.Message = said.Error + " (" + said.Code + ")"
			}
		},
	}}, nil
}

type matrix struct {
	*MatrixOptions
	deps *platform.Deps
	api  apihttp.Client
}

func (m *matrix) path(format string, args ...any) string {
	return "/_matrix/client/v3/" + fmt.Sprintf(format, args...)
}

// Verify implements [platform.Publisher]: whose token it is, whether they are in the room, and whether it can be read without keys.
// https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv3accountwhoami (2026-11-22)
func (m *matrix) Verify(ctx context.Context) (platform.Identity, error) {
	var who struct {
		User string `json:"user_id"`
	}
	if _, err := m.api.Do(ctx, apihttp.Request{Op: "ask who we are", Path: m.path("account/whoami")}, &who); err != nil {
		return platform.Identity{}, err
	}
	id := platform.Identity{ID: who.User, Handle: who.User, Software: "Matrix"}
	var in struct {
		Rooms []string `json:"joined_rooms"`
	}
	if _, err := m.api.Do(ctx, apihttp.Request{Op: "ask for our rooms", Path: m.path("joined_rooms")}, &in); err != nil {
		return id, err
	}
	if !slices.Contains(in.Rooms, m.Room) {
		return id, &platform.Error{Outcome: platform.Denied, Op: "look at the room", Message: who.User + " is not in the room", Hint: "invite it, and let it join"}
	}
	_, err := m.api.Do(ctx, apihttp.Request{Op: "look at the room", Path: m.path("rooms/%s/state/m.room.encryption", url.PathEscape(m.Room))}, nil)
	if e, ok := errors.AsType[*platform.Error](err); ok && e.Status == http.StatusNotFound {
		return id, nil
	}
	if err != nil {
		return id, err
	}
	return id, &platform.Error{Outcome: platform.Denied, Op: "look at the room", Message: "the room is encrypted, and its members would see a message that is not", Hint: "use a room without encryption"}
}

// matrixEvent is m.room.message. A notice is what programs say, and other programs do not answer to it.
// https://spec.matrix.org/v1.16/client-server-api/#mnotice (2026-11-22)
type matrixEvent struct {
	Type     string         `json:"msgtype"`
	Body     string         `json:"body"`
	Format   string         `json:"format"`
	HTML     string         `json:"formatted_body"`
	Mentions matrixMentions `json:"m.mentions"`
}

type matrixMentions struct {
	Users []string `json:"user_ids,omitempty"`
	Room  bool     `json:"room,omitempty"`
}

// Publish implements [platform.Publisher]. The transaction's id is the attempt's key, by which the server knows a request that it has had.
// https://spec.matrix.org/v1.16/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid (2026-11-22)
func (m *matrix) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	p := &r.Parts[0]
	e := matrixEvent{Type: "m.notice", Body: asText(p), Format: "org.matrix.custom.html", HTML: asHTML(p)}
	if names := strings.Fields(r.Settings[mentionSetting]); len(names) > 0 {
		var links []string
		for _, name := range names {
			if name == "@room" {
				e.Mentions.Room = true
				links = append(links, name)
				continue
			}
			e.Mentions.Users = append(e.Mentions.Users, name)
			links = append(links, fmt.Sprintf(`<a href="https://matrix.to/#/%s">%s</a>`, url.PathEscape(name), html.EscapeString(name)))
		}
		e.Body = strings.Join(names, " ") + "\n" + e.Body
		e.HTML = strings.Join(links, " ") + "<br>\n" + e.HTML
	}
	var got struct {
		ID string `json:"event_id"`
	}
	if _, err := m.api.Do(ctx, apihttp.Request{
		Op: "send message", Method: http.MethodPut, Path: m.path("rooms/%s/send/m.room.message/%s", url.PathEscape(m.Room), url.PathEscape(a.Key)), JSON: e, Creates: true,
	}, &got); err != nil {
		return platform.Receipt{}, err
	}
	return receipt(got.ID, "https://matrix.to/#/"+url.PathEscape(m.Room)+"/"+url.PathEscape(got.ID), m.deps), nil
}

package fake

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The entities of the API. https://docs.joinmastodon.org/entities/

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// accountID makes a user name the account's id: any stable string will do.
func accountID(user string) string {
	id := uint64(109_000_000_000_000_000)
	for _, c := range []byte(user) {
		id += id%1_000_003*31 + uint64(c)
	}
	return strconv.FormatUint(id, 10)
}

func (s *Server) host() string {
	_, host, _ := strings.Cut(s.config.Base, "://")
	return host
}

func (s *Server) statusURL(st *status) string {
	return s.config.Base + "/@" + st.user + s.say("/", "/statuses/") + st.id
}

func (s *Server) statusURI(st *status) string {
	return s.config.Base + "/users/" + st.user + "/statuses/" + st.id
}

func (s *Server) fileURL(m *media) string { return s.config.Base + "/files/" + m.id }

func (s *Server) accountJSON(user string) map[string]any {
	count := 0
	for _, st := range s.statuses {
		if st.user == user {
			count++
		}
	}
	return map[string]any{
		"id": accountID(user), "username": user, "acct": user, "display_name": user, "locked": false, "bot": false,
		"created_at": "2024-01-01T00:00:00.000Z", "note": "", "url": s.config.Base + "/@" + user, "uri": s.config.Base + "/users/" + user,
		"followers_count": 0, "following_count": 0, "statuses_count": count, "emojis": []any{}, "fields": []any{},
	}
}

func (s *Server) verifyCredentials(_ *http.Request, user string) answer {
	account := s.accountJSON(user)
	account["source"] = map[string]any{"privacy": s.say("public", "unlisted"), "sensitive": false, "language": "en", "note": "", "fields": []any{}}
	return ok(account)
}

// verifyApp tells of the application that a token was made with. GoToSocial has no such thing.
func (s *Server) verifyApp(r *http.Request, _ string) answer {
	if s.config.GoToSocial {
		return s.notFound()
	}
	scopes := []string{"read", "write"}
	if token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); slices.Contains(s.config.ReadOnly, token) {
		scopes = scopes[:1]
	}
	return ok(map[string]any{"name": "postrider", "website": nil, "scopes": scopes, "redirect_uris": []string{"urn:ietf:wg:oauth:2.0:oob"}})
}

func (s *Server) mediaJSON(m *media) map[string]any {
	kind, _, _ := strings.Cut(m.mime, "/")
	v := map[string]any{
		"id": m.id, "type": kind, "url": nil, "preview_url": nil, "remote_url": nil, "description": nil, "blurhash": nil,
		"meta": map[string]any{"original": map[string]any{"width": m.width, "height": m.height}},
	}
	if m.description != "" {
		v["description"] = m.description
	}
	if m.pending == 0 {
		v["url"], v["preview_url"] = s.fileURL(m), s.fileURL(m)
	}
	return v
}

func (s *Server) statusJSON(st *status) map[string]any {
	attachments := []any{}
	for _, m := range st.media {
		attachments = append(attachments, s.mediaJSON(m))
	}
	v := map[string]any{
		"id": st.id, "uri": s.statusURI(st), "url": s.statusURL(st), "created_at": stamp(st.created), "edited_at": nil,
		"in_reply_to_id": nil, "in_reply_to_account_id": nil, "sensitive": st.sensitive, "spoiler_text": s.shownSpoiler(st.spoiler),
		"visibility": st.visibility, "language": st.language, "content": s.html(st.text), "reblog": nil, "account": s.accountJSON(st.user),
		"media_attachments": attachments, "mentions": []any{}, "tags": []any{}, "emojis": []any{}, "card": nil, "poll": nil,
		"replies_count": 0, "reblogs_count": 0, "favourites_count": 0, "application": map[string]any{"name": "Postrider", "website": nil},
	}
	if !st.edited.IsZero() {
		v["edited_at"] = stamp(st.edited)
	}
	if parent := s.find(st.replyTo); parent != nil {
		v["in_reply_to_id"], v["in_reply_to_account_id"] = parent.id, accountID(parent.user)
	}
	if quoted := s.find(st.quote); quoted != nil {
		v["quote"] = map[string]any{"state": "accepted", "quoted_status": s.statusJSON(quoted)}
		v["content"] = `<p class="quote-inline">RE: ` + s.link(s.statusURL(quoted)) + "</p>" + s.html(st.text)
	}
	if st.poll != nil {
		options := []any{}
		for _, title := range st.poll.options {
			options = append(options, map[string]any{"title": title, "votes_count": 0})
		}
		v["poll"] = map[string]any{
			"id": st.id, "expires_at": stamp(st.poll.expires), "expired": !s.config.Now().Before(st.poll.expires),
			"multiple": st.poll.multiple, "votes_count": 0, "options": options, "emojis": []any{},
		}
	}
	if s.config.GoToSocial {
		v["text"], v["content_type"] = st.text, "text/plain"
	}
	return v
}

// configuration is what both forms of the instance share.
func (s *Server) configuration() map[string]any {
	media := map[string]any{
		"supported_mime_types": []string{"image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4"},
		"description_limit":    maxDescription, "image_size_limit": 16_777_216, "image_matrix_limit": 33_177_600,
		"video_size_limit": 103_809_024, "video_matrix_limit": 8_294_400, "video_frame_rate_limit": 120,
	}
	if s.config.GoToSocial {
		media["image_size_limit"], media["video_size_limit"] = 41_943_040, 41_943_040
		for _, unlimited := range []string{"image_matrix_limit", "video_matrix_limit", "video_frame_rate_limit"} {
			media[unlimited] = math.MaxInt32
		}
	}
	return map[string]any{
		"statuses": map[string]any{
			"max_characters": s.maxCharacters(), "max_media_attachments": s.maxAttachments(), "characters_reserved_per_url": s.reservedPerURL(),
		},
		"media_attachments": media,
		"polls": map[string]any{
			"max_options": s.maxOptions(), "max_characters_per_option": maxOption, "min_expiration": minPoll, "max_expiration": maxPoll,
		},
	}
}

func (s *Server) reservedPerURL() int {
	if s.config.GoToSocial {
		return 25
	}
	return 23
}

func (s *Server) version() string { return s.say("4.5.1", "0.19.2") }

func (s *Server) instanceV2(w http.ResponseWriter, _ *http.Request) {
	if s.config.NoInstanceV2 {
		s.notFound().write(w)
		return
	}
	apiVersions := map[string]int{}
	if !s.config.GoToSocial {
		apiVersions["mastodon"] = 7
	}
	ok(map[string]any{
		"api_versions": apiVersions,
		"domain":       s.host(), "title": s.say("Mastodon", "GoToSocial"), "version": s.version(),
		"source_url":    s.say("https://github.com/mastodon/mastodon", "https://codeberg.org/superseriousbusiness/gotosocial"),
		"configuration": s.configuration(), "languages": []string{"en"},
	}).write(w)
}

func (s *Server) instanceV1(w http.ResponseWriter, _ *http.Request) {
	ok(map[string]any{
		"uri": s.host(), "title": s.say("Mastodon", "GoToSocial"), "version": s.version(), "configuration": s.configuration(),
	}).write(w)
}

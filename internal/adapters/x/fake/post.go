package fake

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// post is one post.
type post struct {
	id, text       string
	user           *User
	replyTo, quote string
	replySettings  string
	media          []*media
	poll           []string
	created        time.Time

	shown string // the text as the API shows it: with t.co, as HTML writes it
	urls  []map[string]any
}

// postRequest is the body of POST /2/tweets.
type postRequest struct {
	Text  string `json:"text"`
	Media *struct {
		IDs []string `json:"media_ids"`
	} `json:"media"`
	Poll *struct {
		Options []string `json:"options"`
		Minutes int      `json:"duration_minutes"`
	} `json:"poll"`
	Quote string `json:"quote_tweet_id"`
	Reply *struct {
		To string `json:"in_reply_to_tweet_id"`
	} `json:"reply"`
	ReplySettings *string `json:"reply_settings"`
}

func forbidden(detail string) *answer {
	a := fail(http.StatusForbidden, "Forbidden", detail)
	return &a
}

func (s *Server) create(r *http.Request, user *User) answer {
	var req postRequest
	if err := decode(r, &req); err != nil {
		return invalid("%v", err)
	}
	now := s.config.Now().UTC()
	p := &post{user: user, text: norm.NFC.String(req.Text), quote: req.Quote, created: now}
	for _, check := range []func(*postRequest, *post) *answer{s.checkText, s.checkReferences, s.attach} {
		if refused := check(&req, p); refused != nil {
			return *refused
		}
	}
	p.text = req.Text
	p.id = s.nextID()
	for _, m := range p.media {
		m.used = true
	}
	s.write(p)
	s.posts = append(s.posts, p)
	s.created++
	return answer{status: http.StatusCreated, body: map[string]any{
		"data": map[string]any{"id": p.id, "text": p.shown, "edit_history_post_ids": []string{p.id}},
	}}
}

// checkText refuses words that are too many, none, or those that the user has said already.
func (s *Server) checkText(req *postRequest, p *post) *answer {
	most := 280
	if p.user.Premium {
		most = 25_000
	}
	switch result := measure.XWithin(req.Text, most); {
	case req.Text == "" && req.Media != nil:
		return nil
	case result.Weighted > most:
		a := tooLong()
		return &a
	case !result.Valid:
		a := invalid("$.text: is empty or has characters that are not allowed")
		return &a
	}
	cashtags := 0
	for _, e := range measure.XEntities(req.Text) {
		if e.Kind == measure.Cashtag {
			cashtags++
		}
	}
	if cashtags > 1 && !s.config.Contract {
		return forbidden("Posts created via the API are limited to a maximum of 1 cashtag.")
	}
	for _, other := range s.posts {
		if other.user == p.user && norm.NFC.String(other.text) == p.text && p.created.Sub(other.created) < s.duplicates() {
			return forbidden("You are not allowed to create a Tweet with duplicate content.")
		}
	}
	return nil
}

// checkReferences refuses replies and quotes of what is not there or not allowed, and settings and polls that do not exist.
func (s *Server) checkReferences(req *postRequest, p *post) *answer {
	if req.Reply != nil {
		p.replyTo = req.Reply.To
		target := s.find(p.replyTo)
		switch {
		case target == nil:
			return forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
		case target.user != p.user && !s.config.Contract && !strings.Contains(target.text, "@"+p.user.Handle):
			return forbidden("Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author of the post you are replying to.")
		}
	}
	if req.Quote != "" {
		if s.find(req.Quote) == nil {
			return forbidden("You attempted to quote a Tweet that is deleted or not visible to you.")
		}
		if !s.config.Contract {
			return forbidden("Quoting is not available to your app.")
		}
	}
	if req.ReplySettings != nil {
		if p.replySettings = *req.ReplySettings; !slices.Contains([]string{"following", "mentionedUsers", "subscribers", "verified"}, p.replySettings) {
			a := invalid("$.reply_settings: does not have a value in the enumeration [following, mentionedUsers, subscribers, verified]")
			return &a
		}
	}
	if poll := req.Poll; poll != nil {
		wrong := func(o string) bool { return o == "" || utf8.RuneCountInString(o) > 25 }
		if n := len(poll.Options); n < 2 || n > 4 || slices.ContainsFunc(poll.Options, wrong) || poll.Minutes < 5 || poll.Minutes > 10080 || req.Media != nil {
			a := invalid("$.poll: is not a poll of 2 to 4 options of 1 to 25 characters, for 5 to 10080 minutes")
			return &a
		}
		p.poll = poll.Options
	}
	return nil
}

// attach finds the files that a request names.
func (s *Server) attach(req *postRequest, p *post) *answer {
	if req.Media == nil {
		return nil
	}
	wrong := func(format string, args ...any) *answer {
		a := invalid(format, args...)
		return &a
	}
	for _, id := range req.Media.IDs {
		m := s.ownMedia(id, p.user)
		if m == nil || m.data == nil || m.used || m.pending > 0 || s.config.Broken {
			return wrong("Your media IDs are invalid.")
		}
		p.media = append(p.media, m)
	}
	moving := slices.ContainsFunc(p.media, func(m *media) bool { return m.category != "tweet_image" })
	if n := len(p.media); n < 1 || n > 4 || moving && n > 1 {
		return wrong("$.media.media_ids: 4 pictures, or one GIF, or one video")
	}
	return nil
}

// write writes the text as X shows it, with an address of t.co for each one in it, for the media, and for a quoted post.
func (s *Server) write(p *post) {
	link := func(expanded, mediaKey string) string {
		s.links++
		u := map[string]any{"url": fmt.Sprintf("https://t.co/%010d", s.links), "expanded_url": expanded, "display_url": expanded}
		if mediaKey != "" {
			u["media_key"] = mediaKey
		}
		p.urls = append(p.urls, u)
		return u["url"].(string)
	}
	var out strings.Builder
	end := 0
	for _, e := range measure.XEntities(p.text) {
		if e.Kind == measure.URL {
			out.WriteString(p.text[end:e.Start] + link(e.Value, ""))
			end = e.End
		}
	}
	out.WriteString(p.text[end:])
	if p.quote != "" {
		if quoted := s.find(p.quote); quoted != nil {
			out.WriteString(" " + link("https://twitter.com/"+quoted.user.Handle+"/status/"+quoted.id, ""))
		}
	}
	if len(p.media) > 0 {
		out.WriteString(" " + link("https://x.com/"+p.user.Handle+"/status/"+p.id+"/photo/1", p.media[0].key()))
	}
	p.shown = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(strings.TrimSpace(out.String()))
}

// find returns a post, nil when there is none.
func (s *Server) find(id string) *post {
	for _, p := range s.posts {
		if p.id == id {
			return p
		}
	}
	return nil
}

func (s *Server) public(p *post) fakenet.Post {
	f := fakenet.Post{
		ID: p.id, URL: s.config.Base + "/" + p.user.Handle + "/status/" + p.id, Account: "@" + p.user.Handle, Text: p.text,
		Parent: p.replyTo, Root: s.root(p), Poll: slices.Clone(p.poll), Created: p.created,
	}
	for _, m := range p.media {
		f.Media = append(f.Media, s.attachment(m))
		f.Sensitive = f.Sensitive || m.sensitive
	}
	return f
}

// root returns the id of the first post of a post's thread, "" when it is the first itself.
func (s *Server) root(p *post) string {
	root := ""
	for p.replyTo != "" {
		parent := s.find(p.replyTo)
		if parent == nil {
			break
		}
		root, p = parent.id, parent
	}
	return root
}

// json returns a post with the fields that a request asks for.
func (s *Server) json(p *post, fields []string) map[string]any {
	shown := p.shown
	long := measure.X(p.text).Weighted > 280
	if long {
		shown = string([]rune(shown)[:200]) + "…"
	}
	entities := map[string]any{"urls": p.urls}
	all := map[string]any{
		"created_at": p.created.Format("2006-01-02T15:04:05.000Z"),
		"author_id":  s.userID(p.user),
	}
	if len(p.urls) > 0 {
		all["entities"] = entities
	}
	if long {
		all["note_tweet"] = map[string]any{"text": p.shown, "entities": entities}
	}
	var references []map[string]any
	if p.replyTo != "" {
		references = append(references, map[string]any{"type": "replied_to", "id": p.replyTo})
	}
	if p.quote != "" {
		references = append(references, map[string]any{"type": "quoted", "id": p.quote})
	}
	if references != nil {
		all["referenced_tweets"] = references
	}
	if len(p.media) > 0 {
		var keys []string
		for _, m := range p.media {
			keys = append(keys, m.key())
		}
		all["attachments"] = map[string]any{"media_keys": keys}
	}
	if p.poll != nil {
		all["attachments"] = map[string]any{"poll_ids": []string{p.id}}
	}
	answer := map[string]any{"id": p.id, "text": shown, "edit_history_tweet_ids": []string{p.id}}
	for _, f := range fields {
		if v, found := all[f]; found {
			answer[f] = v
		}
	}
	return answer
}

func lost(id string) answer {
	return answer{status: http.StatusOK, body: map[string]any{"errors": []any{map[string]any{
		"value": id, "detail": "Could not find tweet with id: [" + id + "].", "title": "Not Found Error", "resource_type": "tweet",
		"parameter": "id", "resource_id": id, "type": problems + "resource-not-found",
	}}}}
}

func fieldsOf(r *http.Request) []string { return strings.Split(r.URL.Query().Get("tweet.fields"), ",") }

func (s *Server) show(r *http.Request, _ *User) answer {
	p := s.find(r.PathValue("id"))
	if p == nil {
		return lost(r.PathValue("id"))
	}
	return ok(s.json(p, fieldsOf(r)))
}

func (s *Server) remove(r *http.Request, user *User) answer {
	p := s.find(r.PathValue("id"))
	if p == nil {
		return lost(r.PathValue("id"))
	}
	if p.user != user {
		return *forbidden("You are not authorized to delete this Tweet.")
	}
	s.posts = slices.DeleteFunc(s.posts, func(other *post) bool { return other == p })
	return ok(map[string]any{"deleted": true})
}

// timeline lists a user's posts, newest first, a page at a time.
func (s *Server) timeline(r *http.Request, _ *User) answer {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("max_results"))
	if err != nil || limit < 5 || limit > 100 {
		return invalid("The `max_results` query parameter value [%s] is not between 5 and 100", q.Get("max_results"))
	}
	var start time.Time
	if q.Has("start_time") {
		if start, err = time.Parse("2006-01-02T15:04:05Z", q.Get("start_time")); err != nil {
			return invalid("The `start_time` query parameter value [%s] is not valid", q.Get("start_time"))
		}
	}
	skip, _ := strconv.Atoi(strings.TrimPrefix(q.Get("pagination_token"), "page")) // the first has none
	list, files, meta := []any{}, []any{}, map[string]any{}
	for _, p := range slices.Backward(s.posts) {
		if s.userID(p.user) != r.PathValue("id") || p.created.Before(start) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(list) == limit {
			before, _ := strconv.Atoi(strings.TrimPrefix(q.Get("pagination_token"), "page"))
			meta["next_token"] = fmt.Sprintf("page%d", before+limit)
			break
		}
		list = append(list, s.json(p, fieldsOf(r)))
		for _, m := range p.media {
			file := map[string]any{"media_key": m.key(), "type": "photo"}
			if m.alt != "" {
				file["alt_text"] = m.alt
			}
			files = append(files, file)
		}
	}
	meta["result_count"] = len(list)
	body := map[string]any{"meta": meta}
	if len(list) > 0 {
		body["data"] = list
	}
	if len(files) > 0 && q.Get("expansions") == "attachments.media_keys" {
		body["includes"] = map[string]any{"media": files}
	}
	return answer{status: http.StatusOK, body: body}
}

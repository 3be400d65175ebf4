package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/measure"
)

// status is one post.
type status struct {
	id, user, key                       string
	text, spoiler, visibility, language string
	sensitive                           bool
	replyTo, quote                      string
	media                               []*media
	poll                                *poll
	created, edited                     time.Time
	history                             []version // what it said before, oldest first
}

type version struct {
	text, spoiler string
	at            time.Time
}

type poll struct {
	options              []string
	expires              time.Time
	multiple, hideTotals bool
}

// statusRequest is the body of a creation or an edit.
type statusRequest struct {
	Status          string   `json:"status"`
	MediaIDs        []string `json:"media_ids"`
	MediaAttributes []struct {
		ID          string  `json:"id"`
		Description *string `json:"description"`
	} `json:"media_attributes"`
	Poll *struct {
		Options    []string `json:"options"`
		ExpiresIn  int      `json:"expires_in"`
		Multiple   bool     `json:"multiple"`
		HideTotals bool     `json:"hide_totals"`
	} `json:"poll"`
	InReplyTo   string `json:"in_reply_to_id"`
	Quote       string `json:"quoted_status_id"`
	Sensitive   bool   `json:"sensitive"`
	Spoiler     string `json:"spoiler_text"`
	Visibility  string `json:"visibility"`
	Language    string `json:"language"`
	ScheduledAt string `json:"scheduled_at"`
}

const (
	maxOption        = 50
	minPoll, maxPoll = 300, 2_629_746 // seconds
	maxBody          = 1 << 20
	pageSize         = 20
	maxPageSize      = 40
)

func (s *Server) maxCharacters() int {
	if s.config.GoToSocial {
		return 5000
	}
	return 500
}

func (s *Server) maxAttachments() int {
	if s.config.GoToSocial {
		return 6
	}
	return 4
}

func (s *Server) maxOptions() int {
	if s.config.GoToSocial {
		return 6
	}
	return 4
}

// length returns what the server compares with its limit. https://docs.joinmastodon.org/user/posting/#text
func (s *Server) length(text, spoiler string) int {
	if s.config.GoToSocial {
		return utf8.RuneCountInString(text) + utf8.RuneCountInString(spoiler)
	}
	return measure.Mastodon(text, 23) + measure.CountGraphemes(spoiler)
}

func decodeStatus(r *http.Request) (statusRequest, bool) {
	var req statusRequest
	err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody)).Decode(&req)
	return req, err == nil
}

// postStatus makes a status, or returns the one that the same idempotency key has made within the hour.
func (s *Server) postStatus(r *http.Request, user string) answer {
	req, decoded := decodeStatus(r)
	if !decoded {
		return fail(http.StatusBadRequest, "%s", s.say("There was an error parsing the JSON body", "Bad Request: form could not be parsed"))
	}
	key := r.Header.Get("Idempotency-Key")
	now := s.config.Now()
	if use, used := s.keys[user+"\n"+key]; used && now.Before(use.until) {
		st := s.find(use.status)
		if st == nil {
			return s.notFound()
		}
		return ok(s.statusJSON(st))
	}
	if req.ScheduledAt != "" && s.config.GoToSocial {
		return fail(http.StatusNotImplemented, "Not Implemented: scheduled statuses are not yet supported")
	}
	if req.InReplyTo != "" && s.find(req.InReplyTo) == nil {
		return fail(http.StatusNotFound, "%s", s.say("The post you are trying to reply to does not appear to exist.", "Not Found: target status not found"))
	}
	if s.config.GoToSocial {
		req.Quote = "" // it does not know quotes
	}
	if req.Quote != "" && s.find(req.Quote) == nil {
		return s.notFound()
	}
	st := &status{user: user, key: key, replyTo: req.InReplyTo, quote: req.Quote, created: now.UTC().Truncate(time.Millisecond)}
	if refused := s.apply(st, &req, user); refused != nil {
		return *refused
	}
	switch req.Visibility {
	case "":
		st.visibility = s.say("public", "unlisted")
	case "public", "unlisted", "private", "direct":
		st.visibility = req.Visibility
	default:
		return fail(http.StatusUnprocessableEntity, "'%s' is not a valid visibility", req.Visibility)
	}
	st.id = s.nextID()
	for _, m := range st.media {
		m.status = st.id
	}
	s.statuses = append(s.statuses, st)
	s.created++
	if key != "" && !s.config.GoToSocial {
		s.keys[user+"\n"+key] = keyUse{status: st.id, until: now.Add(keyLifetime)}
	}
	return ok(s.statusJSON(st))
}

// apply validates what creations and edits have in common and, if nothing is wrong, makes st say it.
func (s *Server) apply(st *status, req *statusRequest, user string) *answer {
	attached, refused := s.attach(req, user, st.id)
	if refused != nil {
		return refused
	}
	text, spoiler := strings.TrimSpace(req.Status), strings.TrimSpace(req.Spoiler)
	if text == "" && len(attached) > 0 && !s.config.GoToSocial {
		text, spoiler = spoiler, ""
	}
	invalid := func(format string, args ...any) *answer {
		a := fail(http.StatusUnprocessableEntity, "Validation failed: "+format, args...)
		return &a
	}
	if text == "" && len(attached) == 0 && req.Poll == nil {
		if s.config.GoToSocial {
			a := fail(http.StatusBadRequest, "Bad Request: status contains no text, media or poll")
			return &a
		}
		return invalid("Text can't be blank")
	}
	if s.length(text, spoiler) > s.maxCharacters() {
		a := s.tooLong()
		return &a
	}
	if main, _, _ := strings.Cut(req.Language, "-"); s.config.GoToSocial {
		if strings.ContainsAny(req.Language, " _") || len(main) == 1 && main != "x" && main != "i" || len(main) > 3 {
			a := fail(http.StatusBadRequest, "Bad Request: invalid language tag: language: tag is not well-formed")
			return &a
		}
		req.Language = strings.ToLower(main) + req.Language[len(main):]
	}
	if refused := s.checkOptions(req); refused != nil {
		return refused
	}
	var p *poll
	if req.Poll != nil {
		switch long := slices.ContainsFunc(req.Poll.Options, func(o string) bool { return measure.CountGraphemes(o) > maxOption }); {
		case s.config.GoToSocial: // checked above, and any time is fine
		case len(req.Poll.Options) < 2:
			return invalid("Options must have more than one item")
		case len(req.Poll.Options) > s.maxOptions():
			return invalid("Options can't contain more than %d items", s.maxOptions())
		case long:
			return invalid("Options can't be longer than %d characters each", maxOption)
		case req.Poll.ExpiresIn < minPoll:
			return invalid("Expires at is too soon")
		case req.Poll.ExpiresIn > maxPoll:
			return invalid("Expires at is too far into the future")
		}
		p = &poll{
			options:    req.Poll.Options,
			expires:    s.config.Now().UTC().Add(time.Duration(req.Poll.ExpiresIn) * time.Second),
			multiple:   req.Poll.Multiple,
			hideTotals: req.Poll.HideTotals,
		}
	}
	st.text, st.spoiler, st.media, st.poll = text, spoiler, attached, p
	st.sensitive = req.Sensitive || spoiler != "" && !s.config.GoToSocial
	if req.Language != "" {
		st.language = req.Language
	} else if st.language == "" {
		st.language = "en"
	}
	return nil
}

// checkOptions returns why GoToSocial refuses a poll.
func (s *Server) checkOptions(req *statusRequest) *answer {
	if !s.config.GoToSocial || req.Poll == nil {
		return nil
	}
	invalid := func(format string, args ...any) *answer {
		a := fail(http.StatusBadRequest, "Bad Request: "+format, args...)
		return &a
	}
	if len(req.Poll.Options) > s.maxOptions() {
		return invalid("poll options exceed max count (%d)", s.maxOptions())
	}
	for i, option := range req.Poll.Options {
		if option == "" {
			return invalid("poll option cannot be empty")
		}
		if utf8.RuneCountInString(option) > maxOption {
			return invalid("poll option %d exceed max chars (%d)", i, maxOption)
		}
	}
	return nil
}

// attach returns the files that a request names, if the status, or a new one when id is "", may have them.
func (s *Server) attach(req *statusRequest, user, id string) ([]*media, *answer) {
	refuse := func(format string, args ...any) ([]*media, *answer) {
		a := fail(http.StatusUnprocessableEntity, format, args...)
		return nil, &a
	}
	if n := len(req.MediaIDs); n > s.maxAttachments() || n > 0 && req.Poll != nil {
		return refuse("Cannot attach more than %d files", s.maxAttachments())
	}
	var list []*media
	video := false
	for _, mid := range req.MediaIDs {
		m := s.media[mid]
		if m == nil || m.user != user || m.status != "" && m.status != id {
			if s.config.GoToSocial {
				reason := "media not found: "
				if m != nil && m.user == user {
					reason = "media already attached to status: "
				}
				a := fail(http.StatusBadRequest, "Bad Request: %s%s", reason, mid)
				return nil, &a
			}
			return refuse("Media %s not found or already attached to another post", mid)
		}
		if m.pending > 0 {
			return refuse("Cannot attach files that have not finished processing. Try again in a moment!")
		}
		video = video || !strings.HasPrefix(m.mime, "image/")
		list = append(list, m)
	}
	if video && len(list) > 1 {
		return refuse("Cannot attach a video to a post that already contains images")
	}
	for _, change := range req.MediaAttributes {
		if m := s.media[change.ID]; slices.Contains(list, m) && m != nil && change.Description != nil {
			if refused := s.describe(m, *change.Description); refused != nil {
				return nil, refused
			}
		}
	}
	return list, nil
}

// find returns a status, nil when there is none.
func (s *Server) find(id string) *status {
	for _, st := range s.statuses {
		if st.id == id {
			return st
		}
	}
	return nil
}

// visible returns the status that a request is about, nil when it does not exist for the user.
func (s *Server) visible(r *http.Request, user string) *status {
	st := s.find(r.PathValue("id"))
	if st == nil || !st.shownTo(user) {
		return nil
	}
	return st
}

func (st *status) shownTo(user string) bool {
	return st.user == user || st.visibility == "public" || st.visibility == "unlisted"
}

// own returns the status that a request is about if it is the user's, else nil.
func (s *Server) own(r *http.Request, user string) *status {
	if st := s.visible(r, user); st != nil && st.user == user {
		return st
	}
	return nil
}

func (s *Server) getStatus(r *http.Request, user string) answer {
	st := s.visible(r, user)
	if st == nil {
		return s.notFound()
	}
	return ok(s.statusJSON(st))
}

func (s *Server) getSource(r *http.Request, user string) answer {
	st := s.own(r, user)
	if st == nil || s.config.NoSource {
		return s.notFound()
	}
	return ok(map[string]any{"id": st.id, "text": st.text, "spoiler_text": st.spoiler})
}

func (s *Server) getHistory(r *http.Request, user string) answer {
	st := s.visible(r, user)
	if st == nil || s.config.NoSource {
		return s.notFound()
	}
	list := []map[string]any{}
	for _, v := range append(slices.Clone(st.history), version{st.text, st.spoiler, st.edited}) {
		list = append(list, map[string]any{
			"content": s.html(v.text), "spoiler_text": s.shownSpoiler(v.spoiler), "created_at": stamp(v.at), "account": s.accountJSON(st.user),
		})
	}
	if s.config.GoToSocial {
		slices.Reverse(list)
	}
	return ok(list)
}

func (s *Server) editStatus(r *http.Request, user string) answer {
	st := s.own(r, user)
	if st == nil {
		return s.notFound()
	}
	req, decoded := decodeStatus(r)
	if !decoded {
		return fail(http.StatusBadRequest, "%s", s.say("There was an error parsing the JSON body", "Bad Request: form could not be parsed"))
	}
	before := *st
	alts := st.alts()
	if refused := s.apply(st, &req, user); refused != nil {
		return *refused
	}
	if s.config.GoToSocial && s.html(st.text) == s.html(before.text) {
		st.text = before.text
		if st.spoiler == before.spoiler && st.language == before.language && st.sensitive == before.sensitive &&
			slices.Equal(st.media, before.media) && slices.Equal(st.alts(), alts) && st.poll == nil && before.poll == nil {
			return fail(http.StatusUnprocessableEntity, "Unprocessable Entity: status was not changed")
		}
	}
	for _, m := range before.media {
		if !slices.Contains(st.media, m) {
			delete(s.media, m.id)
		}
	}
	for _, m := range st.media {
		m.status = st.id
	}
	st.history = append(st.history, version{before.text, before.spoiler, before.lastChange()})
	st.edited = s.config.Now().UTC().Truncate(time.Millisecond)
	return ok(s.statusJSON(st))
}

func (st *status) alts() []string {
	var alts []string
	for _, m := range st.media {
		alts = append(alts, m.description)
	}
	return alts
}

func (st *status) lastChange() time.Time {
	if st.edited.IsZero() {
		return st.created
	}
	return st.edited
}

func (s *Server) deleteStatus(r *http.Request, user string) answer {
	st := s.own(r, user)
	if st == nil {
		return s.notFound()
	}
	s.statuses = slices.DeleteFunc(s.statuses, func(other *status) bool { return other == st })
	body := s.statusJSON(st)
	body["text"] = st.text
	return ok(body)
}

func (s *Server) getContext(r *http.Request, user string) answer {
	st := s.visible(r, user)
	if st == nil {
		return s.notFound()
	}
	ancestors, descendants := []any{}, []any{}
	for up := s.find(st.replyTo); up != nil; up = s.find(up.replyTo) {
		ancestors = append(ancestors, s.statusJSON(up))
	}
	slices.Reverse(ancestors)
	thread := map[string]bool{st.id: true}
	for _, other := range s.statuses { // an answer is always younger
		if thread[other.replyTo] && other.shownTo(user) {
			thread[other.id] = true
			descendants = append(descendants, s.statusJSON(other))
		}
	}
	return ok(map[string]any{"ancestors": ancestors, "descendants": descendants})
}

// accountStatuses lists an account's statuses, newest first, a page at a time.
func (s *Server) accountStatuses(r *http.Request, user string) answer {
	owner := ""
	for _, name := range s.config.Tokens {
		if accountID(name) == r.PathValue("id") {
			owner = name
		}
	}
	if owner == "" {
		return s.notFound()
	}
	query := r.URL.Query()
	limit := pageSize
	if n, err := strconv.Atoi(query.Get("limit")); err == nil && n > 0 {
		limit = min(n, maxPageSize)
	}
	list := []any{}
	first, last := "", ""
	for _, st := range slices.Backward(s.statuses) {
		maxID, sinceID := query.Get("max_id"), query.Get("since_id")
		switch {
		case st.user != owner || !st.shownTo(user):
		case maxID != "" && !less(st.id, maxID), sinceID != "" && !less(sinceID, st.id):
		case query.Get("only_media") == "true" && len(st.media) == 0:
		case query.Get("exclude_replies") == "true" && st.replyTo != "":
		case len(list) < limit:
			list = append(list, s.statusJSON(st))
			if first == "" {
				first = st.id
			}
			last = st.id
		}
	}
	a := ok(list)
	if len(list) > 0 {
		address := s.config.Base + r.URL.Path + "?"
		next, prev := cloneValues(query), cloneValues(query)
		next.Set("max_id", last)
		prev.Del("max_id")
		prev.Set("min_id", first)
		a.header = http.Header{"Link": {fmt.Sprintf("<%s>; rel=\"next\", <%s>; rel=\"prev\"", address+next.Encode(), address+prev.Encode())}}
	}
	return a
}

func cloneValues(v url.Values) url.Values {
	clone := url.Values{}
	for key, values := range v {
		clone[key] = slices.Clone(values)
	}
	return clone
}

// search finds a status by its address. GoToSocial does not find its own.
func (s *Server) search(r *http.Request, user string) answer {
	statuses := []any{}
	for _, st := range s.statuses {
		q := r.URL.Query().Get("q")
		if !s.config.GoToSocial && st.shownTo(user) && (q == s.statusURL(st) || q == s.statusURI(st)) {
			statuses = append(statuses, s.statusJSON(st))
		}
	}
	return ok(map[string]any{"accounts": []any{}, "statuses": statuses, "hashtags": []any{}})
}

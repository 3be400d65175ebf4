package fake

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// postRequest is the body of a creation.
type postRequest struct {
	Author       string  `json:"author"`
	Commentary   *string `json:"commentary"`
	Visibility   string  `json:"visibility"`
	Distribution *struct {
		FeedDistribution string `json:"feedDistribution"`
	} `json:"distribution"`
	Content        content `json:"content"`
	LifecycleState string  `json:"lifecycleState"`
	Reshare        struct {
		Parent string `json:"parent"`
	} `json:"reshareContext"`
}

// createPost publishes a post. Its name is in a header of the answer, which has no body.
func (s *Server) createPost(r *http.Request, member string) answer {
	var req postRequest
	if !decode(r, &req) || req.Commentary == nil || req.Distribution == nil || req.Distribution.FeedDistribution != "MAIN_FEED" || req.LifecycleState != "PUBLISHED" {
		return fail(http.StatusBadRequest, "ILLEGAL_ARGUMENT", "ERROR :: a required field is missing")
	}
	if !s.mayPostAs(member, req.Author) {
		return denied("author " + req.Author)
	}
	if req.Visibility != "PUBLIC" && (req.Visibility != "CONNECTIONS" || s.mayRead(req.Author)) {
		return invalid("INVALID_VALUE", "the visibility is invalid", "ERROR :: /visibility :: %q", req.Visibility)
	}
	e := &entry{author: req.Author, visibility: req.Visibility, commentary: *req.Commentary, text: Shown(*req.Commentary), content: req.Content, reshared: req.Reshare.Parent}
	if refused := s.check(e); refused != nil {
		return *refused
	}
	encoded, err := json.Marshal(req)
	if err != nil {
		panic("fake: a request always marshals: " + err.Error())
	}
	same := string(encoded)
	if urn := s.live[same]; urn != "" {
		return invalid("DUPLICATE_POST", "Duplicate post is detected", "Content is a duplicate of %s", urn)
	}
	e.urn = "urn:li:share:" + s.next()
	e.created = s.config.Now().UTC().Truncate(time.Millisecond)
	e.modified = e.created
	s.posts = append(s.posts, e)
	s.live[same] = e.urn
	s.created++
	return answer{status: http.StatusCreated, header: http.Header{"X-Restli-Id": {e.urn}}}
}

// check returns why a post is refused.
func (s *Server) check(e *entry) *answer {
	refuse := func(a answer) *answer { return &a }
	if n := len(utf16.Encode([]rune(e.text))); n > maxCommentary {
		return refuse(tooLong(n))
	}
	media := e.content.media()
	if c := e.content.MultiImage; c != nil && (len(media) < 2 || len(media) > 20) {
		return refuse(invalid("INVALID_VALUE", "the number of images is invalid", "ERROR :: /content/multiImage/images :: %d", len(media)))
	}
	if a := e.content.Article; a != nil {
		if u, err := url.Parse(a.Source); err != nil || u.Host == "" || a.Title == "" {
			return refuse(invalid("INVALID_VALUE", "the article is invalid", "ERROR :: /content/article"))
		}
		if a.Thumbnail != "" {
			media = append(media, mediaRef{ID: a.Thumbnail})
		}
	}
	for _, m := range media {
		f := s.files[m.ID]
		switch {
		case f == nil || f.owner != e.author || !f.complete():
			return refuse(invalid("INVALID_CONTENT_OWNERSHIP", "the media is not the author's", "ERROR :: /content/media/id :: %s", m.ID))
		case f.pending > 0:
			return refuse(invalid("MEDIA_ASSET_PROCESSING", "the media is still processing", "ERROR :: /content/media/id :: %s", m.ID))
		case f.kind != "images" && (len(media) > 1 || m.Title == "" || m.Alt != ""):
			return refuse(invalid("INVALID_VALUE", "the media is invalid", "ERROR :: /content/media :: %s", m.ID))
		case len(m.Alt) > 4*4086:
			return refuse(invalid("FIELD_LENGTH_TOO_LONG", "the length is too long", "ERROR :: /content/media/altText"))
		}
	}
	if p := e.content.Poll; p != nil {
		days := slices.Contains([]string{"ONE_DAY", "THREE_DAYS", "SEVEN_DAYS", "FOURTEEN_DAYS"}, p.Settings.Duration)
		if len(p.Options) < 2 || len(p.Options) > 4 || p.Question == "" || len(utf16.Encode([]rune(p.Question))) > 140 || !days {
			return refuse(invalid("INVALID_VALUE", "the poll is invalid", "ERROR :: /content/poll"))
		}
	}
	if e.text == "" && e.reshared == "" && len(media) == 0 && e.content.Article == nil && e.content.Poll == nil {
		return refuse(invalid("MISSING_REQUIRED_FIELD", "the post is empty", "ERROR :: /commentary"))
	}
	return nil
}

func (s *Server) postJSON(e *entry) map[string]any {
	post := map[string]any{
		"id": e.urn, "author": e.author, "commentary": e.commentary, "visibility": e.visibility, "lifecycleState": "PUBLISHED",
		"createdAt": e.created.UnixMilli(), "publishedAt": e.created.UnixMilli(), "lastModifiedAt": e.modified.UnixMilli(),
		"isReshareDisabledByAuthor": false,
	}
	if c := e.content; c.Media != nil || c.MultiImage != nil || c.Article != nil || c.Poll != nil {
		post["content"] = c
	}
	if e.reshared != "" {
		post["reshareContext"] = map[string]string{"parent": e.reshared, "root": e.reshared}
	}
	return post
}

// listPosts lists an author's posts, the last modified first.
func (s *Server) listPosts(r *http.Request, _ string) answer {
	q := r.URL.Query()
	if q.Get("q") != "author" || q.Get("sortBy") != "LAST_MODIFIED" {
		return fail(http.StatusBadRequest, "ILLEGAL_ARGUMENT", "Invalid query parameters passed to request")
	}
	if !s.mayRead(q.Get("author")) {
		return denied("partnerApiPostsExternal.FINDER-author.20260901")
	}
	var own []*entry
	for _, e := range slices.Backward(s.posts) {
		if e.author == q.Get("author") && e.parent == "" {
			own = append(own, e)
		}
	}
	slices.SortStableFunc(own, func(a, b *entry) int { return b.modified.Compare(a.modified) })
	list := []any{}
	for _, e := range paged(q, own) {
		list = append(list, s.postJSON(e))
	}
	return ok(map[string]any{"elements": list, "paging": map[string]any{"start": q.Get("start"), "count": q.Get("count")}})
}

func paged(q url.Values, list []*entry) []*entry {
	start, _ := strconv.Atoi(q.Get("start"))
	count, err := strconv.Atoi(q.Get("count"))
	if err != nil {
		count = 10
	}
	start = min(max(0, start), len(list))
	return list[start:min(len(list), start+min(max(0, count), 100))]
}

func (s *Server) getPost(r *http.Request, _ string) answer {
	e := s.find(r.PathValue("urn"))
	switch {
	case e == nil:
		return notFound(r.PathValue("urn"))
	case !s.mayRead(e.author):
		return denied("partnerApiPostsExternal.GET.20260901")
	}
	return ok(s.postJSON(e))
}

// editPost changes a post's words, and nothing else.
func (s *Server) editPost(r *http.Request, member string) answer {
	var req struct {
		Patch struct {
			Set map[string]string `json:"$set"`
		} `json:"patch"`
	}
	e := s.find(r.PathValue("urn"))
	if e == nil || !s.mayPostAs(member, e.author) {
		return notFound(r.PathValue("urn"))
	}
	patches := r.Header.Get("X-Restli-Method") == "PARTIAL_UPDATE" && decode(r, &req)
	commentary, has := req.Patch.Set["commentary"]
	if !patches || !has || len(req.Patch.Set) != 1 {
		return fail(http.StatusBadRequest, "ILLEGAL_ARGUMENT", "ERROR :: /patch")
	}
	if n := len(utf16.Encode([]rune(Shown(commentary)))); n > maxCommentary {
		return tooLong(n)
	}
	e.commentary, e.text = commentary, Shown(commentary)
	e.modified = s.config.Now().UTC().Add(time.Second).Truncate(time.Millisecond)
	return answer{status: http.StatusNoContent}
}

// deletePost takes a post down, with its comments. Doing so again is fine.
func (s *Server) deletePost(r *http.Request, member string) answer {
	urn := r.PathValue("urn")
	if e := s.find(urn); e != nil && !s.mayPostAs(member, e.author) {
		return denied(urn)
	}
	s.posts = slices.DeleteFunc(s.posts, func(e *entry) bool { return e.urn == urn || e.parent == urn })
	return answer{status: http.StatusNoContent}
}

// createComment comments on a post.
func (s *Server) createComment(r *http.Request, member string) answer {
	var req struct {
		Actor, Object string
		Message       struct{ Text string }
	}
	parent := s.find(r.PathValue("urn"))
	switch {
	case !decode(r, &req) || req.Message.Text == "" || req.Object != r.PathValue("urn"):
		return fail(http.StatusBadRequest, "ILLEGAL_ARGUMENT", "ERROR :: a required field is missing")
	case parent == nil:
		return notFound(r.PathValue("urn"))
	case !s.mayPostAs(member, req.Actor) || s.config.NoComments:
		return denied("socialActions.comments.CREATE")
	}
	id := s.next()
	now := s.config.Now().UTC().Truncate(time.Millisecond)
	e := &entry{
		urn: "urn:li:comment:(" + parent.urn + "," + id + ")", author: req.Actor, message: req.Message.Text, parent: parent.urn, created: now, modified: now,
	}
	s.posts = append(s.posts, e)
	s.created++
	return answer{status: http.StatusCreated, header: http.Header{"X-Restli-Id": {id}}, body: commentJSON(e)}
}

func commentID(e *entry) string {
	_, id, _ := strings.Cut(strings.TrimSuffix(e.urn, ")"), ",")
	return id
}

func commentJSON(e *entry) map[string]any {
	return map[string]any{
		"id": commentID(e), "commentUrn": e.urn, "actor": e.author, "object": e.parent,
		"message": map[string]any{"text": e.message, "attributes": []any{}}, "created": map[string]any{"actor": e.author, "time": e.created.UnixMilli()},
	}
}

func (s *Server) comments(post string) []*entry {
	var list []*entry
	for _, e := range s.posts {
		if e.parent == post {
			list = append(list, e)
		}
	}
	return list
}

func (s *Server) listComments(r *http.Request, _ string) answer {
	post := s.find(r.PathValue("urn"))
	switch {
	case post == nil:
		return notFound(r.PathValue("urn"))
	case !s.mayRead(post.author):
		return denied("socialActions.comments.GET_ALL")
	}
	list := []any{}
	for _, e := range paged(r.URL.Query(), s.comments(post.urn)) {
		list = append(list, commentJSON(e))
	}
	return ok(map[string]any{"elements": list})
}

// comment returns the comment that a request is about, nil when there is none.
func (s *Server) comment(r *http.Request) *entry {
	for _, e := range s.comments(r.PathValue("urn")) {
		if commentID(e) == r.PathValue("id") {
			return e
		}
	}
	return nil
}

func (s *Server) getComment(r *http.Request, _ string) answer {
	e := s.comment(r)
	switch {
	case e == nil:
		return notFound(r.PathValue("id"))
	case !s.mayRead(e.author):
		return denied("socialActions.comments.GET")
	}
	return ok(commentJSON(e))
}

func (s *Server) editComment(r *http.Request, _ string) answer {
	var req struct {
		Patch struct {
			Message struct {
				Set struct{ Text string } `json:"$set"`
			} `json:"message"`
		} `json:"patch"`
	}
	e := s.comment(r)
	switch {
	case e == nil || r.URL.Query().Get("actor") != e.author:
		return notFound(r.PathValue("id"))
	case r.Header.Get("X-Restli-Method") != "PARTIAL_UPDATE" || !decode(r, &req) || req.Patch.Message.Set.Text == "":
		return fail(http.StatusBadRequest, "ILLEGAL_ARGUMENT", "ERROR :: /patch")
	}
	e.message = req.Patch.Message.Set.Text
	e.modified = s.config.Now().UTC().Add(time.Second).Truncate(time.Millisecond)
	return ok(commentJSON(e))
}

// Package fake is a Bot API server of Telegram that lives in memory, with one bot and one chat.
//
// Methods are at /botTOKEN/METHOD, as on the real one, and take JSON or multipart/form-data. A public chat's messages have pages at
// /NAME/NUMBER, a private one's at /c/CHAT/NUMBER; files are at /file/DIGEST. It refuses what the real server is known to refuse, in
// its words (https://github.com/tdlib/telegram-bot-api, https://github.com/tdlib/td, 2026-11-22).
package fake

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// maxBody is the largest request.
const maxBody = 64 << 20

// Options say what the server is.
type Options struct {
	Base  string // where it will be served: "http://127.0.0.1:8090"
	Token string // of the bot
	Chat  Chat
	Now   func() time.Time
}

// Chat is the chat that the bot is in.
type Chat struct {
	ID       int64
	Type     string // channel, supergroup or group
	Username string // without '@'; empty when private
	Title    string
	Topics   []int64 // of a forum
	// Member is what getChatMember says of the bot; nil makes it an administrator who may post.
	Member map[string]any
	// MovedTo is the id of the supergroup that the group has become; 0 when it has not.
	MovedTo int64
}

// Entity is a MessageEntity.
type Entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url"`
}

// Request is one call of a method.
type Request struct {
	Method string
	Params map[string]string // as they arrived; what is not text as JSON
}

// Server is the fake. It implements [fakenet.Fake].
type Server struct {
	fakenet.Faults
	o   Options
	mux *http.ServeMux

	mu        sync.Mutex
	posts     []*message
	files     map[string]file // by digest
	last      int64           // the highest number of a message
	creations int
	quota     fakenet.Quota
	requests  []Request
}

// message is one post: a message, or the messages of an album.
type message struct {
	numbers  []int64
	kind     string // text, poll, photo …; of an album that of its first
	text     string
	entities []Entity
	media    []file
	poll     []string
	answers  int64
	veiled   bool
	created  time.Time
	edited   bool
}

type file struct {
	mime, digest string
	data         []byte
}

// call is one call of a method.
type call struct {
	method string
	values map[string]string
	files  map[string]file
}

// New returns a server with an empty chat.
func New(o Options) *Server {
	s := &Server{o: o, mux: http.NewServeMux(), files: map[string]file{}}
	s.Clock, s.Tell = o.Now, tell
	s.mux.HandleFunc("POST /{bot}/{method}", s.serve)
	s.mux.HandleFunc("GET /{name}/{number}", s.page)
	s.mux.HandleFunc("GET /c/{name}/{number}", s.page)
	s.mux.HandleFunc("GET /file/{digest}", s.file)
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Limit implements [fakenet.Fake].
func (s *Server) Limit(q fakenet.Quota) {
	s.mu.Lock()
	s.quota = q
	s.mu.Unlock()
	s.Faults.Limit(q)
}

// Creations implements [fakenet.Fake]. An album counts once.
func (s *Server) Creations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creations
}

// Requests returns all calls of methods that arrived whole, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Numbers returns how many messages there are: an album has one for each file.
func (s *Server) Numbers() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.posts {
		n += len(m.numbers)
	}
	return n
}

// Entities returns the formatting of a post, by its ID.
func (s *Server) Entities(id string) []Entity {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.posts {
		if s.id(m.numbers[0]) == id {
			return slices.Clone(m.entities)
		}
	}
	return nil
}

// Posts implements [fakenet.Fake]. An album is one post.
func (s *Server) Posts() []fakenet.Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	posts := []fakenet.Post{}
	for _, m := range s.posts {
		p := fakenet.Post{
			ID: s.id(m.numbers[0]), URL: s.url(m.numbers[0]), Account: cmp.Or(s.o.Chat.Username, s.o.Chat.Title), Text: m.text,
			Poll: m.poll, Sensitive: m.veiled, Created: m.created, Edited: m.edited,
		}
		for _, f := range m.media {
			p.Media = append(p.Media, fakenet.Media{URL: s.o.Base + "/file/" + f.digest, MIME: f.mime, Digest: f.digest, Bytes: int64(len(f.data))})
		}
		if m.answers != 0 {
			p.Parent, p.Root = s.id(m.answers), s.id(s.root(m).numbers[0])
		}
		posts = append(posts, p)
	}
	return posts
}

// root returns the first message of a thread, as far back as it is still there.
func (s *Server) root(m *message) *message {
	for m.answers != 0 {
		i := s.find(m.answers)
		if i < 0 {
			break
		}
		m = s.posts[i]
	}
	return m
}

// find returns the index of the post that a message belongs to, -1 when there is none.
func (s *Server) find(number int64) int {
	return slices.IndexFunc(s.posts, func(m *message) bool { return slices.Contains(m.numbers, number) })
}

func (s *Server) id(number int64) string { return fmt.Sprintf("%d/%d", s.o.Chat.ID, number) }

func (s *Server) url(number int64) string {
	if s.o.Chat.Username != "" {
		return fmt.Sprintf("%s/%s/%d", s.o.Base, s.o.Chat.Username, number)
	}
	if s.o.Chat.Type == "group" {
		return ""
	}
	return fmt.Sprintf("%s/c/%d/%d", s.o.Base, -1_000_000_000_000-s.o.Chat.ID, number)
}

// refusal is an answer that is an error.
type refusal struct {
	code       int
	text       string
	parameters map[string]any
}

func bad(text string) *refusal {
	return &refusal{code: http.StatusBadRequest, text: "Bad Request: " + text}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("bot") != "bot"+s.o.Token {
		fail(w, &refusal{code: http.StatusUnauthorized, text: "Unauthorized"})
		return
	}
	method := r.PathValue("method")
	creates := strings.HasPrefix(method, "send")
	if creates {
		s.Break(r, "")
	}
	c := &call{method: method}
	if err := c.read(w, r); err != nil {
		fail(w, &refusal{code: http.StatusRequestEntityTooLarge, text: "Request Entity Too Large"})
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{method, maps.Clone(c.values)})
	s.mu.Unlock()
	if !creates {
		if s.Strikes(fakenet.ExpiredToken) {
			s.refuse(w, fakenet.ExpiredToken)
			return
		}
		s.answer(w, c)
		return
	}
	s.Create(w, r, "", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, c) }, s.refuse)
}

// read reads the arguments and files of a call.
func (c *call) read(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	c.values, c.files = map[string]string{}, map[string]file{}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		raw := map[string]json.RawMessage{}
		if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
			return err
		}
		for key, value := range raw {
			var text string
			if json.Unmarshal(value, &text) != nil {
				text = string(value)
			}
			c.values[key] = text
		}
		return nil
	}
	if err := r.ParseMultipartForm(maxBody); err != nil {
		return err
	}
	for key, values := range r.MultipartForm.Value {
		c.values[key] = values[0]
	}
	for key, headers := range r.MultipartForm.File {
		f, err := headers[0].Open()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(f)
		if err := cmp.Or(err, f.Close()); err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		c.files[key] = file{headers[0].Header.Get("Content-Type"), hex.EncodeToString(sum[:]), data}
	}
	return nil
}

// answer carries a call out.
func (s *Server) answer(w http.ResponseWriter, c *call) {
	s.mu.Lock()
	result, refused := s.do(c)
	s.mu.Unlock()
	if refused != nil {
		fail(w, refused)
		return
	}
	reply(w, http.StatusOK, map[string]any{"ok": true, "result": result})
}

func (s *Server) do(c *call) (any, *refusal) {
	bot, _, _ := strings.Cut(s.o.Token, ":")
	botID, _ := strconv.ParseInt(bot, 10, 64) // 0 for a token that has none
	user := map[string]any{"id": botID, "is_bot": true, "first_name": "Postrider", "username": "postrider_bot"}
	if c.method == "getMe" {
		return user, nil
	}
	if refused := s.chat(c.values["chat_id"]); refused != nil {
		return nil, refused
	}
	switch c.method {
	case "getChat":
		return s.wireChat(), nil
	case "getChatMember":
		if s.o.Chat.Member != nil {
			return s.o.Chat.Member, nil
		}
		return map[string]any{"status": "administrator", "user": user, "can_post_messages": true}, nil
	case "sendMessage", "sendPoll", "sendPhoto", "sendVideo", "sendAnimation", "sendAudio", "sendDocument", "sendMediaGroup":
		return s.send(c)
	case "editMessageText", "editMessageCaption", "editMessageReplyMarkup":
		return s.edit(c)
	case "deleteMessage":
		return s.remove(c)
	}
	return nil, &refusal{code: http.StatusNotFound, text: "Not Found"}
}

// chat refuses every chat but the one that there is.
func (s *Server) chat(id string) *refusal {
	chat := &s.o.Chat
	switch {
	case id == "":
		return bad("chat_id is empty")
	case id != strconv.FormatInt(chat.ID, 10) && (chat.Username == "" || !strings.EqualFold(id, "@"+chat.Username)):
		return bad("chat not found")
	case chat.MovedTo != 0:
		r := bad("group chat was upgraded to a supergroup chat")
		r.parameters = map[string]any{"migrate_to_chat_id": chat.MovedTo}
		return r
	}
	return nil
}

func (s *Server) wireChat() map[string]any {
	chat := map[string]any{"id": s.o.Chat.ID, "type": s.o.Chat.Type, "title": s.o.Chat.Title}
	if s.o.Chat.Username != "" {
		chat["username"] = s.o.Chat.Username
	}
	return chat
}

func (s *Server) wireMessage(m *message, number int64) map[string]any {
	wire := map[string]any{"message_id": number, "date": m.created.Unix(), "chat": s.wireChat()}
	if m.edited {
		wire["edit_date"] = s.o.Now().Unix()
	}
	return wire
}

// The kinds of files that an album may have together.
var albums = [][]string{{"photo", "video"}, {"document"}, {"audio"}}

func (s *Server) send(c *call) (any, *refusal) {
	m := &message{created: s.o.Now()}
	if refused := s.place(c, m); refused != nil {
		return nil, refused
	}
	var refused *refusal
	switch c.method {
	case "sendMessage":
		m.kind = "text"
		refused = m.say(c.values["text"], c.values["entities"], 4096, "message text is empty", "message is too long")
	case "sendPoll":
		m.kind = "poll"
		refused = m.ask(c)
	case "sendMediaGroup":
		refused = s.album(c, m)
	default:
		m.kind = strings.ToLower(strings.TrimPrefix(c.method, "send"))
		m.veiled = c.values["has_spoiler"] == "true"
		refused = s.attach(c, m, m.kind)
		if refused == nil {
			refused = m.say(c.values["caption"], c.values["caption_entities"], 1024, "", "message caption is too long")
		}
	}
	if refused != nil {
		return nil, refused
	}
	for range max(1, len(m.media)) {
		s.last++
		m.numbers = append(m.numbers, s.last)
	}
	s.posts = append(s.posts, m)
	s.creations++
	if c.method != "sendMediaGroup" {
		return s.wireMessage(m, m.numbers[0]), nil
	}
	var list []any
	for _, n := range m.numbers {
		list = append(list, s.wireMessage(m, n))
	}
	return list, nil
}

// place finds the topic and the message that a new one belongs to.
func (s *Server) place(c *call, m *message) *refusal {
	if topic := c.values["message_thread_id"]; topic != "" {
		n, _ := strconv.ParseInt(topic, 10, 64)
		if !slices.Contains(s.o.Chat.Topics, n) {
			return bad("message thread not found")
		}
	}
	var reply struct {
		Message int64           `json:"message_id"`
		Chat    json.RawMessage `json:"chat_id"`
	}
	if text := c.values["reply_parameters"]; text != "" {
		if json.Unmarshal([]byte(text), &reply) != nil {
			return bad("can't parse reply parameters JSON object")
		}
		if reply.Chat == nil && s.find(reply.Message) < 0 {
			return bad("message to be replied not found")
		}
		if reply.Chat == nil {
			m.answers = reply.Message
		}
	}
	return nil
}

// say sets the text of a message, whose formatting must fit.
func (m *message) say(text, entities string, most int, empty, long string) *refusal {
	if strings.TrimSpace(text) == "" && empty != "" {
		return bad(empty)
	}
	if !utf8.ValidString(text) {
		return bad("strings must be encoded in UTF-8")
	}
	if utf8.RuneCountInString(text) > most {
		return bad(long)
	}
	var list []Entity
	if entities != "" && json.Unmarshal([]byte(entities), &list) != nil {
		return bad("can't parse entities: expected an Array of MessageEntity")
	}
	units := utf16.Encode([]rune(text))
	for _, e := range list {
		if e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > len(units) {
			return bad("entity beginning at UTF-16 offset " + strconv.Itoa(e.Offset) + " ends after the end of the text")
		}
		for _, at := range []int{e.Offset, e.Offset + e.Length} {
			if at > 0 && at < len(units) && utf16.IsSurrogate(rune(units[at-1])) && units[at-1] < 0xdc00 {
				return bad("entity beginning at UTF-16 offset " + strconv.Itoa(e.Offset) + " ends in a middle of a UTF-16 symbol")
			}
		}
		if (e.Type == "text_link") != (e.URL != "") {
			return bad("can't parse MessageEntity")
		}
	}
	m.text, m.entities = text, list
	return nil
}

// ask makes a message a poll.
func (m *message) ask(c *call) *refusal {
	var options []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal([]byte(c.values["options"]), &options) != nil || len(options) == 0 || len(options) > 12 {
		return bad("poll must have at least 1 option")
	}
	for _, o := range options {
		if n := utf8.RuneCountInString(o.Text); n == 0 || n > 100 {
			return bad("poll options length must not exceed 100")
		}
		m.poll = append(m.poll, o.Text)
	}
	return m.say(c.values["question"], "", 300, "poll question must be non-empty", "poll question length must not exceed 300")
}

// album makes a message an album.
func (s *Server) album(c *call, m *message) *refusal {
	var items []struct {
		Type     string          `json:"type"`
		Media    string          `json:"media"`
		Caption  string          `json:"caption"`
		Entities json.RawMessage `json:"caption_entities"`
		Veiled   bool            `json:"has_spoiler"`
	}
	if json.Unmarshal([]byte(c.values["media"]), &items) != nil {
		return bad("can't parse media JSON object")
	}
	if len(items) < 2 {
		return bad("group of messages must include at least 2 items")
	}
	if len(items) > 10 {
		return bad("too many messages to send as an album")
	}
	i := slices.IndexFunc(albums, func(kinds []string) bool { return slices.Contains(kinds, items[0].Type) })
	for n, item := range items {
		if i < 0 || !slices.Contains(albums[i], item.Type) {
			return bad("this type of media can't be mixed with other media in the album")
		}
		field, ok := strings.CutPrefix(item.Media, "attach://")
		if !ok {
			return bad("wrong file identifier/HTTP URL specified")
		}
		if refused := s.attach(c, m, field); refused != nil {
			return refused
		}
		if n == 0 {
			m.kind, m.veiled = item.Type, item.Veiled
			if refused := m.say(item.Caption, string(item.Entities), 1024, "", "message caption is too long"); refused != nil {
				return refused
			}
		}
	}
	return nil
}

// attach adds a file of the request to a message.
func (s *Server) attach(c *call, m *message, field string) *refusal {
	f, ok := c.files[field]
	switch {
	case !ok:
		return bad("there is no " + field + " in the request")
	case len(f.data) == 0:
		return bad("file must be non-empty")
	}
	s.files[f.digest] = f
	m.media = append(m.media, f)
	return nil
}

func (s *Server) edit(c *call) (any, *refusal) {
	number, _ := strconv.ParseInt(c.values["message_id"], 10, 64)
	i := s.find(number)
	if i < 0 {
		return nil, bad("message to edit not found")
	}
	const same = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"
	m := s.posts[i]
	after := *m
	var refused *refusal
	switch {
	case c.method == "editMessageReplyMarkup":
		return nil, bad(same)
	case c.method == "editMessageText" && m.kind != "text":
		return nil, bad("there is no text in the message to edit")
	case c.method == "editMessageText":
		refused = after.say(c.values["text"], c.values["entities"], 4096, "message text is empty", "message is too long")
	case m.kind == "text" || m.kind == "poll":
		return nil, bad("there is no caption in the message to edit")
	default:
		refused = after.say(c.values["caption"], c.values["caption_entities"], 1024, "", "message caption is too long")
	}
	if refused != nil {
		return nil, refused
	}
	if after.text == m.text && slices.Equal(after.entities, m.entities) {
		return nil, bad(same)
	}
	after.edited = true
	*m = after
	return s.wireMessage(m, number), nil
}

func (s *Server) remove(c *call) (any, *refusal) {
	number, _ := strconv.ParseInt(c.values["message_id"], 10, 64)
	i := s.find(number)
	if i < 0 {
		return nil, bad("message to delete not found")
	}
	m := s.posts[i]
	if s.o.Now().Sub(m.created) > 48*time.Hour {
		return nil, bad("message can't be deleted for everyone")
	}
	if len(m.numbers) == 1 {
		s.posts = slices.Delete(s.posts, i, i+1)
		return true, nil
	}
	k := slices.Index(m.numbers, number)
	m.numbers = slices.Delete(slices.Clone(m.numbers), k, k+1)
	m.media = slices.Delete(slices.Clone(m.media), k, k+1)
	return true, nil
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client may be gone
}

func fail(w http.ResponseWriter, r *refusal) {
	v := map[string]any{"ok": false, "error_code": r.code, "description": r.text}
	if r.parameters != nil {
		v["parameters"] = r.parameters
	}
	reply(w, r.code, v)
}

// tell writes when to come back once nothing is left: Telegram says nothing before.
func tell(h http.Header, a fakenet.Allowance) {
	if a.Left == 0 {
		h.Set("Retry-After", strconv.Itoa(int(a.Reset.Sub(a.Now).Seconds())))
	}
}

func (s *Server) refuse(w http.ResponseWriter, f fakenet.Fault) {
	switch f {
	case fakenet.Refuse:
		fail(w, bad("message is too long"))
	case fakenet.RateLimit:
		wait := 35
		s.mu.Lock()
		if q := s.quota; q.Posts > 0 {
			now := s.o.Now()
			wait = int(now.Truncate(q.Window).Add(q.Window).Sub(now).Seconds())
		}
		s.mu.Unlock()
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		fail(w, &refusal{http.StatusTooManyRequests, "Too Many Requests: retry after " + strconv.Itoa(wait), map[string]any{"retry_after": wait}})
	case fakenet.ExpiredSession, fakenet.ExpiredToken:
		fail(w, &refusal{code: http.StatusUnauthorized, text: "Unauthorized"})
	case fakenet.Forbidden:
		fail(w, &refusal{code: http.StatusForbidden, text: "Forbidden: bot is not a member of the channel chat"})
	default:
		fail(w, &refusal{code: http.StatusInternalServerError, text: "Internal Server Error"})
	}
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f, ok := s.files[r.PathValue("digest")]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.mime)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Write(f.data) //nolint:errcheck // the client may be gone
}

// pageTemplate is made for every page anew: nobody but a person asks for one.
const pageTemplate = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A message on Telegram</title>
<style>body{font:1rem/1.5 system-ui;max-width:36rem;margin:2rem auto;padding:0 1rem}p{white-space:pre-wrap;overflow-wrap:anywhere}img{max-width:100%}</style>
<h1>{{.Account}}</h1>
{{range .Media}}<img src="{{.URL}}" alt="">{{end}}
<p dir="auto">{{.Text}}</p>
{{with .Poll}}<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>{{end}}
</html>
`

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	posts := s.Posts()
	i := slices.IndexFunc(posts, func(p fakenet.Post) bool { return p.URL == s.o.Base+r.URL.Path })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")
	template.Must(template.New("").Parse(pageTemplate)).Execute(w, posts[i]) //nolint:errcheck // the client may be gone
}

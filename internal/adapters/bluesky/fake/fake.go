// Package fake is a Bluesky personal data server that lives in memory: enough of one for posts with
// text, facets, pictures, cards and threads, and as strict as the real one about what it accepts.
//
// It has pages, too: every post is at /profile/DID/post/KEY, every file at /blob/CID.
package fake

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

const (
	collection   = "app.bsky.feed.post"
	maxText      = 300
	maxTextBytes = 3000
	maxBlob      = 5 << 20 // what a self-hosted server takes unless told otherwise
)

// Account is one account on the server.
type Account struct {
	Handle   string
	Password string // "" for an account that nobody signs in to
}

// Options say what the server is.
type Options struct {
	Base     string // where it will be served: "http://127.0.0.1:2583"
	Accounts []Account
	Now      func() time.Time
}

// Server is the fake. It implements [fakenet.Fake].
type Server struct {
	fakenet.Faults
	options Options
	mux     *http.ServeMux

	mu        sync.Mutex
	access    map[string]*Account // by access token
	refresh   map[string]*Account // by refresh token
	issued    int
	records   []*stored          // in the order of their creation
	blobs     map[string]*upload // by CID
	creations int
}

type stored struct {
	account   *Account
	rkey, cid string
	raw       json.RawMessage
	record    record
	edited    bool
}

type upload struct {
	mime string
	data []byte
}

// record is what the server reads of a post.
type record struct {
	Type   string `json:"$type"`
	Text   *string
	Facets []struct {
		Index    struct{ ByteStart, ByteEnd *int }
		Features []struct {
			Type string `json:"$type"`
			URI  *string
			DID  *string
			Tag  *string
		}
	}
	Reply *struct{ Root, Parent ref }
	Embed *embed
	Langs []string
	Tags  []string
	Label *struct {
		Type   string `json:"$type"`
		Values []struct{ Val string }
	} `json:"labels"`
	CreatedAt *string
}

type ref struct{ URI, CID string }

type embed struct {
	Type     string `json:"$type"`
	Images   []picture
	Video    *blob
	Alt      string
	External *struct {
		URI, Title, Description *string
		Thumb                   *blob
	}
	Record json.RawMessage // a ref, or an embed with one
	Media  *embed
}

type picture struct {
	Image       *blob
	Alt         *string
	AspectRatio *struct{ Width, Height int }
}

type blob struct {
	Type string `json:"$type"`
	Ref  struct {
		Link string `json:"$link"`
	}
	MimeType string
	Size     int64
}

// New returns an empty server.
func New(o Options) *Server {
	s := &Server{
		options: o, mux: http.NewServeMux(),
		access: map[string]*Account{}, refresh: map[string]*Account{}, blobs: map[string]*upload{},
	}
	s.Clock, s.Tell = o.Now, tell
	const xrpc = "/xrpc/com.atproto."
	s.mux.HandleFunc("POST "+xrpc+"server.createSession", s.createSession)
	s.mux.HandleFunc("POST "+xrpc+"server.refreshSession", s.refreshSession)
	s.mux.HandleFunc("GET "+xrpc+"server.getSession", s.signedIn(s.getSession))
	s.mux.HandleFunc("GET "+xrpc+"server.describeServer", s.describeServer)
	s.mux.HandleFunc("GET "+xrpc+"identity.resolveHandle", s.resolveHandle)
	s.mux.HandleFunc("POST "+xrpc+"repo.uploadBlob", s.signedIn(func(w http.ResponseWriter, r *http.Request, a *Account) {
		s.Upload(w, r, func(w http.ResponseWriter, r *http.Request) { s.uploadBlob(w, r, a) }, s.refuse)
	}))
	s.mux.HandleFunc("POST "+xrpc+"repo.putRecord", s.signedIn(s.putRecord))
	s.mux.HandleFunc("POST "+xrpc+"repo.createRecord", s.signedIn(s.putRecord))
	s.mux.HandleFunc("POST "+xrpc+"repo.deleteRecord", s.signedIn(s.deleteRecord))
	s.mux.HandleFunc("GET "+xrpc+"repo.getRecord", s.getRecord)
	s.mux.HandleFunc("GET "+xrpc+"repo.listRecords", s.listRecords)
	s.mux.HandleFunc("GET /profile/{actor}/post/{rkey}", s.page)
	s.mux.HandleFunc("GET /blob/{cid}", s.file)
	s.mux.HandleFunc("/xrpc/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotImplemented, "MethodNotImplemented", "Method Not Implemented")
	})
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// DID returns the identity of a handle on this server.
func DID(handle string) string {
	sum := sha256.Sum256([]byte(handle))
	return "did:plc:" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15]))
}

func (s *Server) account(actor string) *Account {
	for i := range s.options.Accounts {
		if a := &s.options.Accounts[i]; a.Handle == actor || DID(a.Handle) == actor {
			return a
		}
	}
	return nil
}

// Creations implements [fakenet.Fake].
func (s *Server) Creations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creations
}

// Posts implements [fakenet.Fake].
func (s *Server) Posts() []fakenet.Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	posts := make([]fakenet.Post, 0, len(s.records))
	for _, r := range s.records {
		posts = append(posts, s.post(r))
	}
	return posts
}

func (s *Server) post(r *stored) fakenet.Post {
	p := fakenet.Post{
		ID: r.uri(), URL: s.options.Base + "/profile/" + DID(r.account.Handle) + "/post/" + r.rkey,
		Account: r.account.Handle, Key: r.rkey, Text: *r.record.Text, Language: r.record.Langs, Edited: r.edited,
	}
	p.Created, _ = time.Parse(time.RFC3339Nano, *r.record.CreatedAt) // it was checked
	if reply := r.record.Reply; reply != nil {
		p.Parent, p.Root = reply.Parent.URI, reply.Root.URI
	}
	e := r.record.Embed
	if e != nil && e.Media != nil {
		e = e.Media
	}
	if e == nil {
		return p
	}
	for _, i := range e.Images {
		p.Media = append(p.Media, s.media(i.Image, *i.Alt))
	}
	if e.Video != nil {
		p.Media = append(p.Media, s.media(e.Video, e.Alt))
	}
	if x := e.External; x != nil {
		p.Card = &fakenet.Card{URL: *x.URI, Title: *x.Title, Description: *x.Description}
		if x.Thumb != nil {
			m := s.media(x.Thumb, "")
			p.Card.Image = &m
		}
	}
	return p
}

func (s *Server) media(b *blob, alt string) fakenet.Media {
	u := s.blobs[b.Ref.Link]
	sum := sha256.Sum256(u.data)
	return fakenet.Media{
		URL: s.options.Base + "/blob/" + b.Ref.Link, MIME: u.mime, Alt: alt,
		Digest: hex.EncodeToString(sum[:]), Bytes: int64(len(u.data)),
	}
}

func (r *stored) uri() string {
	return "at://" + DID(r.account.Handle) + "/" + collection + "/" + r.rkey
}

func (s *Server) find(a *Account, rkey string) (int, *stored) {
	for i, r := range s.records {
		if r.account == a && r.rkey == rkey {
			return i, r
		}
	}
	return -1, nil
}

// answer writes a JSON answer.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client may be gone
}

// fail writes an error as AT Protocol does.
func fail(w http.ResponseWriter, status int, name, message string) {
	answer(w, status, map[string]string{"error": name, "message": message})
}

// putPoints is what a putRecord takes of an account's points, whether it makes a record or changes one.
const putPoints = 2

// tell writes what is left of an account's points, as the reference implementation does for the tightest limit
// (packages/xrpc-server/src/rate-limiter.ts, 2026-11-21).
func tell(h http.Header, a fakenet.Allowance) {
	h.Set("RateLimit-Limit", strconv.Itoa(a.Posts*putPoints))
	h.Set("RateLimit-Remaining", strconv.Itoa(a.Left*putPoints))
	h.Set("RateLimit-Reset", strconv.FormatInt(a.Reset.Unix(), 10))
	h.Set("RateLimit-Policy", fmt.Sprintf("%d;w=%d", a.Posts*putPoints, int(a.Window.Seconds())))
	h.Set("Date", a.Now.UTC().Format(http.TimeFormat))
}

// refuse answers a fault in the words of the reference implementation.
func (s *Server) refuse(w http.ResponseWriter, f fakenet.Fault) {
	switch f {
	case fakenet.Refuse:
		fail(w, http.StatusBadRequest, "InvalidRequest", "Invalid app.bsky.feed.post record: grapheme too big (maximum 300, got 301) at $.record.text")
	case fakenet.RateLimit:
		now := s.options.Now()
		tell(w.Header(), fakenet.Allowance{Quota: fakenet.Quota{Posts: 2500, Window: time.Hour}, Now: now, Reset: now.Add(5 * time.Minute)})
		fail(w, http.StatusTooManyRequests, "RateLimitExceeded", "Rate Limit Exceeded")
	case fakenet.ExpiredSession, fakenet.ExpiredToken:
		s.ExpireTokens()
		fail(w, http.StatusBadRequest, "ExpiredToken", "Token has expired")
	case fakenet.Forbidden:
		fail(w, http.StatusForbidden, "Forbidden", "Bad token scope")
	default:
		fail(w, http.StatusInternalServerError, "InternalServerError", "Internal Server Error")
	}
}

func (s *Server) createSession(w http.ResponseWriter, r *http.Request) {
	var in struct{ Identifier, Password string }
	if !decode(w, r, &in) {
		return
	}
	a := s.account(in.Identifier)
	if a == nil || a.Password == "" || a.Password != in.Password || s.Strikes(fakenet.ExpiredToken) {
		fail(w, http.StatusUnauthorized, "AuthenticationRequired", "Invalid identifier or password")
		return
	}
	s.session(w, a)
}

func (s *Server) refreshSession(w http.ResponseWriter, r *http.Request) {
	token := bearer(r)
	s.mu.Lock()
	a := s.refresh[token]
	delete(s.refresh, token)
	s.mu.Unlock()
	if a == nil || s.Strikes(fakenet.ExpiredToken) {
		fail(w, http.StatusBadRequest, "ExpiredToken", "Token has been revoked")
		return
	}
	s.session(w, a)
}

// session issues tokens.
func (s *Server) session(w http.ResponseWriter, a *Account) {
	s.mu.Lock()
	s.issued++
	access, refresh := fmt.Sprintf("fake-access-%d", s.issued), fmt.Sprintf("fake-refresh-%d", s.issued)
	s.access[access], s.refresh[refresh] = a, a
	s.mu.Unlock()
	did := DID(a.Handle)
	answer(w, http.StatusOK, map[string]any{
		"did": did, "handle": a.Handle, "accessJwt": access, "refreshJwt": refresh, "active": true,
		"didDoc": map[string]any{"id": did, "service": []map[string]string{{
			"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": s.options.Base,
		}}},
	})
}

// ExpireTokens makes every access token expire, as two hours do. Sessions can be renewed.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

func (s *Server) signedIn(next func(http.ResponseWriter, *http.Request, *Account)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := bearer(r)
		s.mu.Lock()
		a := s.access[token]
		s.mu.Unlock()
		switch {
		case token == "":
			fail(w, http.StatusUnauthorized, "AuthMissing", "Authentication Required")
		case a == nil && strings.HasPrefix(token, "fake-access-"):
			fail(w, http.StatusBadRequest, "ExpiredToken", "Token has expired")
		case a == nil:
			fail(w, http.StatusBadRequest, "InvalidToken", "Token could not be verified")
		default:
			next(w, r, a)
		}
	}
}

func (s *Server) getSession(w http.ResponseWriter, _ *http.Request, a *Account) {
	answer(w, http.StatusOK, map[string]any{"did": DID(a.Handle), "handle": a.Handle, "active": true})
}

func (s *Server) describeServer(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"did": "did:web:fake.example", "availableUserDomains": []string{".example"}, "blobUploadLimit": maxBlob,
	})
}

func (s *Server) resolveHandle(w http.ResponseWriter, r *http.Request) {
	a := s.account(r.URL.Query().Get("handle"))
	if a == nil {
		fail(w, http.StatusBadRequest, "InvalidRequest", "Unable to resolve handle")
		return
	}
	answer(w, http.StatusOK, map[string]string{"did": DID(a.Handle)})
}

// cidOf returns the address of bytes: a CID, version 1, of the given codec.
func cidOf(codec byte, data []byte) string {
	sum := sha256.Sum256(data)
	return "b" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append([]byte{1, codec, 0x12, 0x20}, sum[:]...)))
}

func (s *Server) uploadBlob(w http.ResponseWriter, r *http.Request, _ *Account) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBlob+1))
	if err != nil {
		return // the client broke off
	}
	if len(data) > maxBlob {
		fail(w, http.StatusRequestEntityTooLarge, "PayloadTooLarge", "request entity too large")
		return
	}
	mime := cmp.Or(r.Header.Get("Content-Type"), "application/octet-stream")
	cid := cidOf(0x55, data)
	s.mu.Lock()
	s.blobs[cid] = &upload{mime, data}
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"blob": map[string]any{
		"$type": "blob", "ref": map[string]string{"$link": cid}, "mimeType": mime, "size": len(data),
	}})
}

type putInput struct {
	Repo, Collection, RKey string
	Record                 json.RawMessage
	SwapRecord             json.RawMessage
}

func (s *Server) putRecord(w http.ResponseWriter, r *http.Request, a *Account) {
	s.Break(r, "")
	var in putInput
	if !decode(w, r, &in) {
		return
	}
	create := strings.HasSuffix(r.URL.Path, "createRecord")
	if create && in.RKey == "" {
		s.mu.Lock()
		in.RKey = tid(s.options.Now().UnixMicro() + int64(len(s.records)))
		s.mu.Unlock()
	}
	s.Create(w, r, in.RKey, func(w http.ResponseWriter, r *http.Request) { s.put(w, a, &in, create) }, s.refuse)
}

func (s *Server) put(w http.ResponseWriter, a *Account, in *putInput, create bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account(in.Repo) != a {
		fail(w, http.StatusUnauthorized, "AuthRequired", "Authentication Required")
		return
	}
	var rec record
	if no := s.check(in, &rec); no != nil {
		fail(w, http.StatusBadRequest, no.name, no.message)
		return
	}
	raw, err := canonical(in.Record)
	if err != nil {
		fail(w, http.StatusBadRequest, "InvalidRequest", "Invalid record")
		return
	}
	cid := cidOf(0x71, raw)
	_, present := s.find(a, in.RKey)
	if create && present != nil {
		fail(w, http.StatusInternalServerError, "InternalServerError", "Internal Server Error") // there is a value at the key
		return
	}
	if present == nil || present.cid != cid { // putting the same again does nothing
		if message := swap(in.SwapRecord, present); message != "" {
			fail(w, http.StatusBadRequest, "InvalidSwap", message)
			return
		}
		if present == nil {
			present = &stored{account: a, rkey: in.RKey}
			s.records = append(s.records, present)
			s.creations++
		} else {
			present.edited = true
		}
		present.cid, present.raw, present.record = cid, in.Record, rec
	}
	answer(w, http.StatusOK, map[string]any{"uri": present.uri(), "cid": cid, "validationStatus": "valid"})
}

// swap returns why the condition of a write does not hold, "" when it does.
func swap(want json.RawMessage, present *stored) string {
	if want == nil {
		return ""
	}
	is := "null"
	if present != nil {
		is = present.cid
	}
	var cid *string
	if json.Unmarshal(want, &cid) == nil && (cid == nil && present == nil || cid != nil && present != nil && *cid == present.cid) {
		return ""
	}
	return "Record was at " + is
}

// canonical returns JSON with sorted keys.
func canonical(raw json.RawMessage) ([]byte, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// refusal is why the server does not take something, in the words of the reference implementation.
type refusal struct{ name, message string }

// bad is the refusal of a record that is not as the lexicon has it.
func bad(format string, args ...any) *refusal {
	return &refusal{"InvalidRequest", "Invalid app.bsky.feed.post record: " + fmt.Sprintf(format, args...)}
}

// check reads a record and returns why it is refused, nil if it is not.
func (s *Server) check(in *putInput, rec *record) *refusal {
	if in.Collection != collection {
		return &refusal{"InvalidRequest", "this fake knows only " + collection}
	}
	if !isTID(in.RKey) {
		return bad("Invalid record key: must be a tid")
	}
	if err := json.Unmarshal(in.Record, rec); err != nil {
		return bad("%v", err)
	}
	if rec.Type != collection {
		return bad("Invalid $type: expected %s, got %q", collection, rec.Type)
	}
	if rec.Text == nil {
		return bad(`Missing required key "text" at $.record`)
	}
	if rec.CreatedAt == nil {
		return bad(`Missing required key "createdAt" at $.record`)
	}
	if _, err := time.Parse(time.RFC3339Nano, *rec.CreatedAt); err != nil {
		return bad("Invalid datetime (got %q) at $.record.createdAt", *rec.CreatedAt)
	}
	if len(*rec.Text) > maxTextBytes {
		return bad("string too big (maximum %d, got %d) at $.record.text", maxTextBytes, len(*rec.Text))
	}
	if n := measure.CountGraphemes(*rec.Text); n > maxText {
		return bad("grapheme too big (maximum %d, got %d) at $.record.text", maxText, n)
	}
	if len(rec.Langs) > 3 {
		return bad("array too big (maximum 3, got %d) at $.record.langs", len(rec.Langs))
	}
	for i, lang := range rec.Langs {
		if main, _, _ := strings.Cut(lang, "-"); len(main) < 2 || strings.Trim(main, "abcdefghijklmnopqrstuvwxyz") != "" || strings.ContainsAny(lang, " _") {
			return bad("Invalid language (got %q) at $.record.langs[%d]", lang, i)
		}
	}
	if len(rec.Tags) > 8 {
		return bad("array too big (maximum 8, got %d) at $.record.tags", len(rec.Tags))
	}
	last := 0
	for i, f := range rec.Facets {
		if f.Index.ByteStart == nil || f.Index.ByteEnd == nil || len(f.Features) == 0 {
			return bad("Missing required key at $.record.facets[%d]", i)
		}
		start, end := *f.Index.ByteStart, *f.Index.ByteEnd
		// The real server takes any range and clients ignore wrong ones; here they are mistakes of ours.
		if start < last || end <= start || end > len(*rec.Text) || !onRune(*rec.Text, start) || !onRune(*rec.Text, end) {
			return bad("the range %d to %d is wrong at $.record.facets[%d].index", start, end, i)
		}
		last = end
		for _, ft := range f.Features {
			kind := strings.TrimPrefix(ft.Type, "app.bsky.richtext.facet#")
			if !(kind == "link" && ft.URI != nil || kind == "tag" && ft.Tag != nil || kind == "mention" && ft.DID != nil && strings.HasPrefix(*ft.DID, "did:")) {
				return bad("no link, tag or mention at $.record.facets[%d]", i)
			}
			if ft.URI != nil && !isURI(*ft.URI) {
				return bad("Invalid uri (got %q) at $.record.facets[%d].features[0].uri", *ft.URI, i)
			}
			if ft.Tag != nil && measure.CountGraphemes(*ft.Tag) > 64 {
				return bad("grapheme too big (maximum 64) at $.record.facets[%d].tag", i)
			}
		}
	}
	if r := rec.Reply; r != nil && (!strings.HasPrefix(r.Root.URI, "at://") || r.Root.CID == "" || !strings.HasPrefix(r.Parent.URI, "at://") || r.Parent.CID == "") {
		return bad("Missing required key at $.record.reply")
	}
	if rec.Label != nil && (rec.Label.Type != "com.atproto.label.defs#selfLabels" || len(rec.Label.Values) > 10) {
		return bad("Invalid self labels at $.record.labels")
	}
	if rec.Embed == nil {
		return nil
	}
	return s.checkEmbed(rec.Embed)
}

func (s *Server) checkEmbed(e *embed) *refusal {
	switch strings.TrimPrefix(e.Type, "app.bsky.embed.") {
	case "images":
		if len(e.Images) == 0 || len(e.Images) > 4 {
			return bad("array too big (maximum 4, got %d) at $.record.embed.images", len(e.Images))
		}
		for i, p := range e.Images {
			if p.Alt == nil {
				return bad(`Missing required key "alt" at $.record.embed.images[%d]`, i)
			}
			if p.AspectRatio != nil && (p.AspectRatio.Width < 1 || p.AspectRatio.Height < 1) {
				return bad("integer too small (minimum 1) at $.record.embed.images[%d].aspectRatio", i)
			}
			if no := s.checkBlob(p.Image, "image/", 2_000_000); no != nil {
				return no
			}
		}
	case "video":
		return s.checkBlob(e.Video, "video/mp4", 300_000_000)
	case "external":
		if x := e.External; x == nil || x.URI == nil || x.Title == nil || x.Description == nil {
			return bad("Missing required key at $.record.embed.external")
		}
		if !isURI(*e.External.URI) {
			return bad("Invalid uri (got %q) at $.record.embed.external.uri", *e.External.URI)
		}
		if e.External.Thumb != nil {
			return s.checkBlob(e.External.Thumb, "image/", 1_000_000)
		}
	case "record":
		var r ref
		if json.Unmarshal(e.Record, &r) != nil || !strings.HasPrefix(r.URI, "at://") || r.CID == "" {
			return bad("Missing required key at $.record.embed.record")
		}
	case "recordWithMedia":
		var inner embed
		if e.Media == nil || json.Unmarshal(e.Record, &inner) != nil || inner.Type != "app.bsky.embed.record" {
			return bad("Missing required key at $.record.embed")
		}
		if no := s.checkEmbed(&inner); no != nil {
			return no
		}
		return s.checkEmbed(e.Media)
	default:
		return bad("unknown $type %q at $.record.embed", e.Type)
	}
	return nil
}

func (s *Server) checkBlob(b *blob, accept string, limit int) *refusal {
	if b == nil || b.Type != "blob" {
		return bad("a blob is missing")
	}
	u, ok := s.blobs[b.Ref.Link]
	switch {
	case !ok:
		return &refusal{"BlobNotFound", "Could not find blob: " + b.Ref.Link}
	case len(u.data) > limit:
		return &refusal{"BlobTooLarge", fmt.Sprintf("This file is too large. It is %d bytes but the maximum size is %d bytes.", len(u.data), limit)}
	case !strings.HasPrefix(u.mime, accept) || b.MimeType != u.mime || b.Size != int64(len(u.data)):
		return &refusal{"InvalidMimeType", fmt.Sprintf("Wrong type of file. It is %s but it must match %s*.", u.mime, accept)}
	}
	return nil
}

// isURI reports whether the server takes s for a URI: a scheme, and no white space.
func isURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	return ok && scheme != "" && rest != "" && !strings.ContainsFunc(s, unicode.IsSpace) && !strings.ContainsAny(scheme, "/?#.")
}

func onRune(s string, i int) bool { return i == len(s) || s[i]&0xC0 != 0x80 }

const tidAlphabet = "234567abcdefghijklmnopqrstuvwxyz"

func isTID(s string) bool {
	return len(s) == 13 && strings.IndexByte(tidAlphabet[:16], s[0]) >= 0 && strings.Trim(s, tidAlphabet) == ""
}

func tid(micros int64) string {
	n := uint64(micros) << 10
	var b [13]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = tidAlphabet[n&31]
		n >>= 5
	}
	return string(b[:])
}

func (s *Server) deleteRecord(w http.ResponseWriter, r *http.Request, a *Account) {
	var in putInput
	if !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account(in.Repo) != a {
		fail(w, http.StatusUnauthorized, "AuthRequired", "Authentication Required")
		return
	}
	if i, present := s.find(a, in.RKey); present != nil {
		s.records = slices.Delete(s.records, i, i+1)
	}
	answer(w, http.StatusOK, map[string]any{})
}

// view is a record as it is read.
func (r *stored) view() map[string]any {
	return map[string]any{"uri": r.uri(), "cid": r.cid, "value": r.raw}
}

func (s *Server) getRecord(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a := s.account(q.Get("repo"))
	if a == nil {
		fail(w, http.StatusBadRequest, "InvalidRequest", "Could not find repo: "+q.Get("repo"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, present := s.find(a, q.Get("rkey"))
	if present == nil || q.Get("collection") != collection {
		uri := "at://" + q.Get("repo") + "/" + q.Get("collection") + "/" + q.Get("rkey")
		fail(w, http.StatusBadRequest, "RecordNotFound", "Could not locate record: "+uri)
		return
	}
	answer(w, http.StatusOK, present.view())
}

func (s *Server) listRecords(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a := s.account(q.Get("repo"))
	if a == nil {
		fail(w, http.StatusBadRequest, "InvalidRequest", "Could not find repo: "+q.Get("repo"))
		return
	}
	limit := 50
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			fail(w, http.StatusBadRequest, "InvalidRequest", "Invalid com.atproto.repo.listRecords params: integer too big (maximum 100, got "+text+")")
			return
		}
		limit = n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := []*stored{}
	for _, rec := range s.records {
		if rec.account == a && (q.Get("cursor") == "" || rec.rkey < q.Get("cursor")) {
			mine = append(mine, rec)
		}
	}
	slices.SortFunc(mine, func(x, y *stored) int { return strings.Compare(y.rkey, x.rkey) })
	out := map[string]any{}
	if len(mine) > limit {
		mine = mine[:limit]
	}
	views := []map[string]any{}
	for _, rec := range mine {
		views = append(views, rec.view())
		out["cursor"] = rec.rkey
	}
	out["records"] = views
	answer(w, http.StatusOK, out)
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	u := s.blobs[r.PathValue("cid")]
	s.mu.Unlock()
	if u == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", u.mime)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Write(u.data) //nolint:errcheck // the client may be gone
}

// pageTemplate is made for every page anew: nobody but a person asks for one.
const pageTemplate = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Account}}: {{.Text}}</title>
<style>body{font:1rem/1.5 system-ui;max-width:36rem;margin:2rem auto;padding:0 1rem}p{white-space:pre-wrap;overflow-wrap:anywhere}img{max-width:100%}</style>
<h1>{{.Account}}</h1>
<p>{{.Text}}</p>
{{range .Media}}<img src="{{.URL}}" alt="{{.Alt}}">{{end}}
{{with .Card}}<blockquote><a href="{{.URL}}">{{.Title}}</a><br>{{.Description}}</blockquote>{{end}}
<footer>{{.Created.Format "2006-01-02 15:04 MST"}}{{if .Edited}} · edited{{end}}</footer>
</html>
`

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var p fakenet.Post
	a := s.account(r.PathValue("actor"))
	_, present := s.find(a, r.PathValue("rkey"))
	if present != nil {
		p = s.post(present)
	}
	s.mu.Unlock()
	if present == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")
	template.Must(template.New("").Parse(pageTemplate)).Execute(w, p) //nolint:errcheck // the client may be gone
}

// decode reads a JSON body.
func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(io.LimitReader(r.Body, 1_000_000)).Decode(v); err != nil {
		fail(w, http.StatusBadRequest, "InvalidRequest", "Invalid request body")
		return false
	}
	return true
}

package telegram_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters/telegram"
	"github.com/postrider/postrider/internal/adapters/telegram/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/secret"
)

// key is the part of the token that is secret by itself.
var _, key, _ = strings.Cut(token, ":")

// bench is a fake server, a publisher for it, and what was logged.
type bench struct {
	*fake.Server
	server *httptest.Server
	now    time.Time
	files  fstest.MapFS
	log    safeLog
	spec   *description
	answer http.HandlerFunc // in place of the fake's, where it is set

	pub interface {
		platform.Publisher
		platform.Editor
		platform.Deleter
		platform.Checker
	}
}

type safeLog struct {
	mu sync.Mutex
	strings.Builder
}

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Builder.Write(p)
}

func newBench(t *testing.T, chat fake.Chat, o telegram.Options) *bench {
	t.Helper()
	b := &bench{
		now: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), spec: readDescription(t),
		files: fstest.MapFS{"a.png": {Data: []byte("picture a")}, "b.mp4": {Data: []byte("video b")}, "c.gif": {Data: []byte("gif c")}, "d.pdf": {Data: []byte("pdf d")}, "e.mp3": {Data: []byte("mp3 e")}},
	}
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.answer != nil {
			b.answer(w, r)
			return
		}
		b.spec.checked(b.Server).ServeHTTP(w, r)
	}))
	t.Cleanup(b.server.Close)
	b.Server = fake.New(fake.Options{Base: b.server.URL, Token: token, Chat: chat, Now: func() time.Time { return b.now }})
	o.Server, o.Links = b.server.URL, telegram.DefaultLinks
	b.open(t, o, token)
	t.Cleanup(func() {
		if text := b.log.String(); strings.Contains(text, key) {
			t.Errorf("the log holds the token: %s", text)
		}
		if b.spec.requests > 0 {
			b.spec.report(t)
		}
	})
	return b
}

func (b *bench) open(t *testing.T, o telegram.Options, token string) {
	t.Helper()
	p, err := telegram.Adapter{}.Open(&platform.Account{Name: "news", Platform: "telegram", Options: &o}, platform.Deps{
		HTTP: &http.Client{}, Media: b.files, Now: func() time.Time { return b.now },
		Secrets: map[string]secret.String{"BOT_TOKEN": secret.New(token)},
		Log:     slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Wait:    func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	b.pub = p.(interface {
		platform.Publisher
		platform.Editor
		platform.Deleter
		platform.Checker
	})
}

func (b *bench) media(name, mime string) platform.Media {
	data := b.files[name].Data
	sum := sha256.Sum256(data)
	return platform.Media{Path: name, Digest: hex.EncodeToString(sum[:]), MIME: mime, Bytes: int64(len(data)), Width: 640, Height: 480}
}

func (b *bench) publish(t *testing.T, r *platform.Rendering) platform.Receipt {
	t.Helper()
	receipt, err := b.pub.Publish(t.Context(), r, attempt)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// sent returns the last request.
func (b *bench) sent(t *testing.T) fake.Request {
	t.Helper()
	all := b.Requests()
	if len(all) == 0 {
		t.Fatal("no request arrived")
	}
	return all[len(all)-1]
}

var attempt = platform.Attempt{Key: strings.Repeat("k", 26), N: 1}

func rendering(texts ...string) *platform.Rendering {
	r := &platform.Rendering{Platform: "telegram"}
	for _, text := range texts {
		r.Parts = append(r.Parts, platform.Part{Text: text})
	}
	return r
}

// wantError returns the *platform.Error in err, which must have an outcome and hold words in its message or hint, and no token.
func wantError(t *testing.T, err error, o platform.Outcome, words string) *platform.Error {
	t.Helper()
	e, ok := errors.AsType[*platform.Error](err)
	if !ok || e.Outcome != o || !strings.Contains(e.Error()+" "+e.Hint, words) {
		t.Fatalf("got %v (%v), want %v with %q", err, platform.OutcomeOf(err), o, words)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", err, err, err, e.Hint); strings.Contains(text, key) {
		t.Errorf("the error holds the token: %s", text)
	}
	return e
}

// TestSent has each kind of post arrive with what the API needs to know.
func TestSent(t *testing.T) {
	b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
	picture, video := b.media("a.png", "image/png"), b.media("b.mp4", "video/mp4")
	with := func(text string, media ...platform.Media) *platform.Rendering {
		r := rendering(text)
		r.Parts[0].Media = media
		return r
	}
	poll := rendering("Which sled?")
	poll.Poll = &platform.Poll{Options: []string{"Red", "Blue & fast"}, Duration: time.Hour, Multiple: true, HideTotals: true}
	veiled := with("", picture)
	veiled.Sensitive = true
	answering := rendering("Yes.")
	answering.ReplyTo = "https://t.me/other_news/12"
	linked := rendering("The shop, [x](y) & <b>")
	linked.Parts[0].Facets = []platform.Facet{{Start: 4, End: 8, Kind: platform.FacetLink, Value: "https://acme.com/shop"}}
	linked.Parts[0].Card = &platform.Card{URL: "https://acme.com", Fetch: true}
	linked.Settings = map[string]string{"disable_notification": "true", "link_preview_options": `{"prefer_large_media":true}`}

	tests := []struct {
		name     string
		r        *platform.Rendering
		want     fake.Request
		messages int
	}{
		{"text", rendering("<b>Hello</b> & *you*"), fake.Request{Method: "sendMessage", Params: map[string]string{"text": "<b>Hello</b> & *you*"}}, 1},
		{"formatted", linked, fake.Request{Method: "sendMessage", Params: map[string]string{
			"text": "The shop, [x](y) & <b>", "entities": `[{"type":"text_link","offset":4,"length":4,"url":"https://acme.com/shop"}]`,
			"link_preview_options": `{"url":"https://acme.com","prefer_large_media":true}`, "disable_notification": "true",
		}}, 1},
		{"photo", with("A sled", picture), fake.Request{Method: "sendPhoto", Params: map[string]string{"caption": "A sled"}}, 1},
		{"veiled photo", veiled, fake.Request{Method: "sendPhoto", Params: map[string]string{"has_spoiler": "true"}}, 1},
		{"video", with("A ride", video), fake.Request{Method: "sendVideo", Params: map[string]string{"caption": "A ride", "width": "640", "height": "480"}}, 1},
		{"GIF", with("", b.media("c.gif", "image/gif")), fake.Request{Method: "sendAnimation", Params: map[string]string{}}, 1},
		{"document", with("A flyer", b.media("d.pdf", "application/pdf")), fake.Request{Method: "sendDocument", Params: map[string]string{"caption": "A flyer"}}, 1},
		{"sound", with("", b.media("e.mp3", "audio/mpeg")), fake.Request{Method: "sendAudio", Params: map[string]string{}}, 1},
		{"album", with("Both", picture, video), fake.Request{Method: "sendMediaGroup", Params: map[string]string{
			"media": `[{"caption":"Both","media":"attach://file0","type":"photo"},{"height":480,"media":"attach://file1","type":"video","width":640}]`,
		}}, 2},
		{"poll", poll, fake.Request{Method: "sendPoll", Params: map[string]string{
			"question": "Which sled?", "options": `[{"text":"Red"},{"text":"Blue & fast"}]`, "open_period": "3600",
			"allows_multiple_answers": "true", "hide_results_until_closes": "true",
		}}, 1},
		{"answer", answering, fake.Request{Method: "sendMessage", Params: map[string]string{
			"text": "Yes.", "reply_parameters": `{"chat_id":"@other_news","message_id":12}`,
		}}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, posts := b.Numbers(), len(b.Posts())
			receipt := b.publish(t, tt.r)
			got := b.sent(t)
			tt.want.Params["chat_id"] = "@acme_news"
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +sent:\n%s", diff)
			}
			if n := b.Numbers() - before; n != tt.messages || len(b.Posts()) != posts+1 {
				t.Errorf("%d messages, want %d", n, tt.messages)
			}
			id := fmt.Sprintf("%d/%d", channel.ID, before+1)
			if p := receipt.Parts[0]; p.ID != id || p.URL != fmt.Sprintf("https://t.me/acme_news/%d", before+1) || !receipt.At.Equal(b.now) {
				t.Errorf("the receipt is %+v at %s", p, receipt.At)
			}
		})
	}
}

func TestThread(t *testing.T) {
	b := newBench(t, fake.Chat{ID: -1009876543210, Type: "supergroup", Title: "Inside"}, telegram.Options{Chat: "-1009876543210"})
	r := rendering("One", "Two", "Comment")
	r.Parts[2].Comment = true
	receipt := b.publish(t, r)
	posts := b.Posts()
	if posts[1].Parent != posts[0].ID || posts[2].Parent != posts[0].ID {
		t.Errorf("the thread is %+v", posts)
	}
	if got := receipt.Parts[2].URL; got != "https://t.me/c/9876543210/3" {
		t.Errorf("the address is %q", got)
	}
	// A person has settled the first part by its address.
	a := attempt
	a.Done = []platform.Remote{{ID: "https://t.me/c/9876543210/3"}}
	if _, err := b.pub.Publish(t.Context(), rendering("Three", "Four"), a); err != nil {
		t.Fatal(err)
	}
	if got := b.Posts()[3]; got.Parent != posts[2].ID {
		t.Errorf("it answers %q, want %q", got.Parent, posts[2].ID)
	}
}

func TestVerify(t *testing.T) {
	b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
	id, err := b.pub.Verify(t.Context())
	want := platform.Identity{ID: "-1001234567890", Handle: "@acme_news", URL: "https://t.me/acme_news", Scopes: []string{"administrator", "can_post_messages"}}
	if diff := cmp.Diff(want, id); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	group := fake.Chat{ID: -100987, Type: "supergroup", Title: "Inside"}
	for words, member := range map[string]map[string]any{
		"is no administrator":   {"status": "member"},
		"may not post messages": {"status": "administrator", "can_post_messages": false},
	} {
		chat := channel
		chat.Member = member
		b := newBench(t, chat, telegram.Options{Chat: "@acme_news"})
		_, err := b.pub.Verify(t.Context())
		wantError(t, err, platform.Denied, words)
	}
	for words, member := range map[string]map[string]any{
		"is not in the group":   {"status": "left"},
		"may not send messages": {"status": "restricted", "can_send_messages": false},
	} {
		chat := group
		chat.Member = member
		b := newBench(t, chat, telegram.Options{Chat: "-100987"})
		_, err := b.pub.Verify(t.Context())
		wantError(t, err, platform.Denied, words)
	}
	group.Member = map[string]any{"status": "member"}
	b = newBench(t, group, telegram.Options{Chat: "-100987"})
	if id, err = b.pub.Verify(t.Context()); err != nil || id.Handle != "Inside" || id.URL != "" {
		t.Errorf("%+v, %v", id, err)
	}
}

// TestRefusals: what a person can mend is Denied, with a remedy, and what Telegram says is passed on.
func TestRefusals(t *testing.T) {
	moved := fake.Chat{ID: -4711, Type: "group", Title: "Old", MovedTo: -1004711}
	for name, tt := range map[string]struct {
		chat    fake.Chat
		options telegram.Options
		change  func(*platform.Rendering)
		outcome platform.Outcome
		words   string
	}{
		"no such chat": {chat: channel, options: telegram.Options{Chat: "@other_news"}, outcome: platform.Denied, words: "is `chat` in site.yaml right"},
		"moved":        {chat: moved, options: telegram.Options{Chat: "-4711"}, outcome: platform.Denied, words: `write chat: "-1004711"`},
		"no such topic": {
			chat: channel, options: telegram.Options{Chat: "@acme_news"}, outcome: platform.Denied, words: "is `topic` in site.yaml right",
			change: func(r *platform.Rendering) { r.Settings = map[string]string{"message_thread_id": "99"} },
		},
		"answers nothing": {
			chat: channel, options: telegram.Options{Chat: "@acme_news"}, outcome: platform.Rejected, words: "message to be replied not found",
			change: func(r *platform.Rendering) { r.ReplyTo = "99" },
		},
		"answers nonsense": {
			chat: channel, options: telegram.Options{Chat: "@acme_news"}, outcome: platform.Rejected, words: "names no message to answer",
			change: func(r *platform.Rendering) { r.ReplyTo = "https://x.com/acme" },
		},
		"empty": {
			chat: channel, options: telegram.Options{Chat: "@acme_news"}, outcome: platform.Rejected, words: "message text is empty",
			change: func(r *platform.Rendering) { r.Parts[0].Text = "" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tt.chat, tt.options)
			r := rendering("Hello")
			if tt.change != nil {
				tt.change(r)
			}
			_, err := b.pub.Publish(t.Context(), r, attempt)
			wantError(t, err, tt.outcome, tt.words)
			if b.Creations() != 0 {
				t.Error("it is out all the same")
			}
		})
	}
}

// TestAnswers has the server say what it says seldom.
func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		status  int
		body    string
		outcome platform.Outcome
		words   string
	}{
		"rights":        {400, `{"ok":false,"error_code":400,"description":"Bad Request: need administrator rights in the channel chat"}`, platform.Denied, "administrator of the channel"},
		"kicked":        {403, `{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked from the channel chat"}`, platform.Denied, "bot was kicked"},
		"revoked":       {401, `{"ok":false,"error_code":401,"description":"Unauthorized"}`, platform.Denied, "@BotFather"},
		"wrong token":   {404, `{"ok":false,"error_code":404,"description":"Not Found"}`, platform.Denied, "@BotFather"},
		"flood":         {429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}`, platform.Limited, "retry after 7"},
		"closed topic":  {400, `{"ok":false,"error_code":400,"description":"Bad Request: TOPIC_CLOSED"}`, platform.Denied, "is the topic open"},
		"bad photo":     {400, `{"ok":false,"error_code":400,"description":"Bad Request: PHOTO_INVALID_DIMENSIONS"}`, platform.Rejected, "PHOTO_INVALID_DIMENSIONS"},
		"put off":       {200, `{"ok":true,"result":{"message_id":0,"date":1,"chat":{"id":-1001234567890}}}`, platform.Unknown, "may send it later"},
		"no result":     {200, `{"ok":true}`, platform.Unknown, "not what the API promises"},
		"no truth":      {200, `{"ok":false,"description":"?"}`, platform.Unknown, "not what the API promises"},
		"bad gateway":   {502, `<html>`, platform.Unknown, "bad gateway"},
		"echoed token":  {400, `{"ok":false,"description":"Bad Request: no /bot` + token + `/sendMessage"}`, platform.Rejected, "[redacted]"},
		"encoded token": {400, `{"ok":false,"description":"Bad Request: no /bot110201543%3A` + key + `/sendMessage"}`, platform.Rejected, "[redacted]"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
			b.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				w.Write([]byte(tt.body)) //nolint:errcheck // a test
			}
			_, err := b.pub.Publish(t.Context(), rendering("Hello"), attempt)
			e := wantError(t, err, tt.outcome, tt.words)
			if tt.outcome == platform.Limited && e.RetryAfter != 7*time.Second {
				t.Errorf("retry after %v", e.RetryAfter)
			}
		})
	}
}

// TestTokenStays: the token is a part of every address, and turns up in no error, no log, and at no other host.
func TestTokenStays(t *testing.T) {
	b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host got %s with the Referer %q", r.URL, r.Referer())
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		b.answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+r.URL.Path, status) }
		_, err := b.pub.Publish(t.Context(), rendering("Hello"), attempt)
		wantError(t, err, platform.OutcomeOf(err), "redirects")
		_, err = b.pub.Verify(t.Context())
		wantError(t, err, platform.OutcomeOf(err), "redirects")
	}
	b.answer = nil
	for _, fault := range []fakenet.Fault{fakenet.ResetBefore, fakenet.ResetAfterAccept, fakenet.HalfResponse, fakenet.Garbage} {
		b.Inject(fakenet.Plan{Fault: fault})
		_, err := b.pub.Publish(t.Context(), rendering("Hello"), attempt)
		wantError(t, err, platform.Unknown, "create message")
	}
	b.server.Close()
	_, err := b.pub.Publish(t.Context(), rendering("Hello"), attempt)
	wantError(t, err, platform.Unsent, "")
	_, err = b.pub.Verify(t.Context())
	wantError(t, err, platform.Unsent, "")
	if b.log.Len() == 0 {
		t.Error("nothing was logged")
	}
}

func TestOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		options any
		token   string
		outcome platform.Outcome
	}{
		"no options":  {nil, token, platform.Unsent},
		"bad options": {&telegram.Options{Chat: "acme"}, token, platform.Unsent},
		"no token":    {&telegram.Options{Chat: "@acme_news", Server: telegram.DefaultServer, Links: telegram.DefaultLinks}, "", platform.Denied},
		"half token":  {&telegram.Options{Chat: "@acme_news", Server: telegram.DefaultServer, Links: telegram.DefaultLinks}, key, platform.Denied},
	} {
		_, err := telegram.Adapter{}.Open(&platform.Account{Name: "news", Platform: "telegram", Options: tt.options},
			platform.Deps{Secrets: map[string]secret.String{"BOT_TOKEN": secret.New(tt.token)}})
		if platform.OutcomeOf(err) != tt.outcome || err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEdit(t *testing.T) {
	b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
	poll := rendering("Which sled?", "More")
	poll.Poll = &platform.Poll{Options: []string{"Red", "Blue"}, Duration: time.Hour}
	album := rendering("Both")
	album.Parts[0].Media = []platform.Media{b.media("a.png", "image/png"), b.media("b.mp4", "video/mp4")}
	texts := rendering("One", "Two")
	for name, tt := range map[string]struct {
		r      *platform.Rendering
		change func(*platform.Rendering)
		refuse string
	}{
		"words": {texts, func(r *platform.Rendering) { r.Parts[1].Text = "Two and a half" }, ""},
		"formatting": {texts, func(r *platform.Rendering) {
			r.Parts[0].Facets = []platform.Facet{{Start: 0, End: 3, Kind: platform.FacetBold}}
		}, ""},
		"nothing":    {texts, func(*platform.Rendering) {}, ""},
		"silence":    {texts, func(r *platform.Rendering) { r.Settings = map[string]string{"disable_notification": "true"} }, ""},
		"caption":    {album, func(r *platform.Rendering) { r.Parts[0].Text = "All" }, ""},
		"no caption": {album, func(r *platform.Rendering) { r.Parts[0].Text = "" }, ""},
		"after poll": {poll, func(r *platform.Rendering) { r.Parts[1].Text = "Less" }, ""},
		"files":      {album, func(r *platform.Rendering) { r.Parts[0].Media = r.Parts[0].Media[:1] }, "files"},
		"question":   {poll, func(r *platform.Rendering) { r.Parts[0].Text = "Which?" }, "poll"},
		"options":    {poll, func(r *platform.Rendering) { r.Poll = &platform.Poll{Options: []string{"Red"}, Duration: time.Hour} }, "poll"},
		"reply":      {texts, func(r *platform.Rendering) { r.ReplyTo = "1" }, "answers"},
		"parts":      {texts, func(r *platform.Rendering) { r.Parts = r.Parts[:1] }, "parts"},
	} {
		t.Run(name, func(t *testing.T) {
			receipt := b.publish(t, tt.r)
			b.now = b.now.Add(time.Hour)
			edited := *tt.r
			edited.Parts = slices.Clone(tt.r.Parts)
			tt.change(&edited)
			want := slices.Clone(edited.Parts)
			for range 2 { // repeating it is harmless
				after, err := b.pub.Edit(t.Context(), receipt, &edited)
				if tt.refuse != "" {
					wantError(t, err, platform.Rejected, tt.refuse)
					if !errors.Is(err, platform.ErrCannotEdit) {
						t.Errorf("got %v, want ErrCannotEdit", err)
					}
					want = tt.r.Parts
					continue
				}
				if err != nil || !slices.Equal(after.Parts, receipt.Parts) {
					t.Fatalf("%+v, %v", after, err)
				}
			}
			posts := b.Posts()
			posts = posts[len(posts)-len(want):]
			for i := range want {
				if posts[i].Text != want[i].Text || len(b.Entities(posts[i].ID)) != len(want[i].Facets) {
					t.Errorf("part %d is %q with %v, want %q", i, posts[i].Text, b.Entities(posts[i].ID), want[i].Text)
				}
			}
		})
	}
}

// TestHandMade: a person who settles a delivery gives the address of a message.
func TestHandMade(t *testing.T) {
	b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
	receipt := b.publish(t, rendering("Hello"))
	byHand := platform.Receipt{Parts: []platform.Remote{{ID: receipt.Parts[0].URL, URL: receipt.Parts[0].URL}}}
	if _, err := b.pub.Edit(t.Context(), byHand, rendering("Hello again")); err != nil {
		t.Fatal(err)
	}
	if got := b.Posts()[0].Text; got != "Hello again" {
		t.Errorf("it says %q", got)
	}
	if err := b.pub.Delete(t.Context(), byHand); err != nil || b.Numbers() != 0 {
		t.Errorf("%d are there, %v", b.Numbers(), err)
	}
	_, err := b.pub.Edit(t.Context(), byHand, rendering("Hello"))
	wantError(t, err, platform.Rejected, "message to edit not found")
	elsewhere := platform.Receipt{Parts: []platform.Remote{{ID: "https://t.me/other_news/12"}}}
	wantError(t, b.pub.Delete(t.Context(), elsewhere), platform.Denied, "chat not found")
	wantError(t, b.pub.Delete(t.Context(), platform.Receipt{Parts: []platform.Remote{{ID: "nothing"}}}), platform.Rejected, "not the address of a message")
}

func TestDeleteAlbum(t *testing.T) {
	b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
	r := rendering("Both", "and one")
	r.Parts[0].Media = []platform.Media{b.media("a.png", "image/png"), b.media("b.mp4", "video/mp4")}
	receipt := b.publish(t, r)
	if err := b.pub.Delete(t.Context(), receipt); err != nil || b.Numbers() != 0 {
		t.Fatalf("%d are left, %v", b.Numbers(), err)
	}
	var order []string
	for _, call := range b.Requests() {
		if call.Method == "deleteMessage" {
			order = append(order, call.Params["message_id"])
		}
	}
	if diff := cmp.Diff([]string{"3", "2", "1"}, order); diff != "" {
		t.Errorf("last first:\n%s", diff)
	}
}

func TestDeleteTooLate(t *testing.T) {
	b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
	receipt := b.publish(t, rendering("Hello"))
	b.now = b.now.Add(49 * time.Hour)
	wantError(t, b.pub.Delete(t.Context(), receipt), platform.Rejected, "48 hours")
}

func TestExists(t *testing.T) {
	b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
	receipt := b.publish(t, rendering("Hello"))
	if there, err := b.pub.Exists(t.Context(), receipt.Parts[0]); !there || err != nil {
		t.Errorf("%t, %v", there, err)
	}
	if b.Posts()[0].Edited {
		t.Error("to look for it has changed it")
	}
	if err := b.pub.Delete(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	if there, err := b.pub.Exists(t.Context(), receipt.Parts[0]); there || err != nil {
		t.Errorf("%t, %v", there, err)
	}
	b.server.Close()
	if _, err := b.pub.Exists(t.Context(), receipt.Parts[0]); err == nil {
		t.Error("a server that is gone proves nothing")
	}
}

// TestPutOffAlbum: an album of which not every message is named is not known to be whole.
func TestPutOffAlbum(t *testing.T) {
	b := newBench(t, channel, telegram.Options{Chat: "@acme_news"})
	r := rendering("Both")
	r.Parts[0].Media = []platform.Media{b.media("a.png", "image/png"), b.media("b.mp4", "video/mp4")}
	b.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"ok":true,"result":[{"message_id":1,"date":1,"chat":{"id":-1001234567890}}]}`)) //nolint:errcheck // a test
	}
	_, err := b.pub.Publish(t.Context(), r, attempt)
	wantError(t, err, platform.Unknown, "postrider resolve")
}

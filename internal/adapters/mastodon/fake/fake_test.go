package fake_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/adapters/mastodon/fake"
)

const base = "https://social.example"

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

type client struct {
	*fake.Server
	now   time.Time
	token string
}

func newClient(c fake.Config) *client {
	cl := &client{now: noon, token: "a-token"}
	c.Base, c.Now = base, func() time.Time { return cl.now }
	c.Tokens = map[string]string{"a-token": "acme", "b-token": "bob"}
	cl.Server = fake.New(c)
	return cl
}

// do makes a request with a JSON body and an idempotency key, both of which may be empty.
func (c *client) do(t *testing.T, method, path, body, key string) (status int, header http.Header, text string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+c.token)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w.Code, w.Header(), w.Body.String()
}

// post makes a status and returns it.
func (c *client) post(t *testing.T, body, key string) map[string]any {
	t.Helper()
	code, _, text := c.do(t, "POST", "/api/v1/statuses", body, key)
	var s map[string]any
	if err := json.Unmarshal([]byte(text), &s); err != nil || code != 200 {
		t.Fatalf("%d %s (%v)", code, text, err)
	}
	return s
}

func TestIdempotencyKeyLivesAnHour(t *testing.T) {
	c := newClient(fake.Config{})
	first := c.post(t, `{"status":"one"}`, "k")
	c.now = c.now.Add(59 * time.Minute)
	if again := c.post(t, `{"status":"two"}`, "k"); again["id"] != first["id"] || again["content"] != "<p>one</p>" {
		t.Errorf("within the hour: %v", again)
	}
	if other := c.post(t, `{"status":"one"}`, "l"); other["id"] == first["id"] {
		t.Error("another key is the same post")
	}
	c.token = "b-token"
	if other := c.post(t, `{"status":"one"}`, "k"); other["id"] == first["id"] {
		t.Error("another account's key is the same post")
	}
	c.token = "a-token"
	c.now = c.now.Add(2 * time.Minute)
	if again := c.post(t, `{"status":"one"}`, "k"); again["id"] == first["id"] {
		t.Error("the key has outlived its hour")
	}
	if c.Creations() != 4 || len(c.Calls()) != 5 {
		t.Errorf("%d posts, %d calls", c.Creations(), len(c.Calls()))
	}
}

func TestGoToSocialIgnoresKeys(t *testing.T) {
	c := newClient(fake.Config{GoToSocial: true})
	if a, b := c.post(t, `{"status":"one"}`, "k"), c.post(t, `{"status":"one"}`, "k"); a["id"] == b["id"] || a["visibility"] != "unlisted" {
		t.Errorf("%v, %v", a, b)
	}
}

func TestContent(t *testing.T) {
	const text = "Hi @bob@remote.example, @acme & @nobody <b>\n\n\n#Winter https://www.example.com/a/very/long/path/to/snow?a=1&b=2\n&amp; \"so\""
	for name, c := range map[string]struct {
		config fake.Config
		want   string
	}{
		"mastodon": {fake.Config{}, `<p>Hi <span class="h-card" translate="no"><a href="https://remote.example/@bob" class="u-url mention">@<span>bob</span></a></span>, ` +
			`<span class="h-card" translate="no"><a href="https://social.example/@acme" class="u-url mention">@<span>acme</span></a></span> &amp; @nobody &lt;b&gt;</p>` +
			`<p><a href="https://social.example/tags/winter" class="mention hashtag" rel="tag">#<span>Winter</span></a> ` +
			`<a href="https://www.example.com/a/very/long/path/to/snow?a=1&amp;b=2" target="_blank" rel="nofollow noopener noreferrer"><span class="invisible">https://www.</span>` +
			`<span class="ellipsis">example.com/a/very/long/path/t</span><span class="invisible">o/snow?a=1&amp;b=2</span></a><br />&amp;amp; &quot;so&quot;</p>`},
		"gotosocial": {fake.Config{GoToSocial: true}, `<p>Hi <span class="h-card" translate="no"><a href="https://remote.example/@bob" class="u-url mention">@<span>bob</span></a></span>, ` +
			`<span class="h-card" translate="no"><a href="https://social.example/@acme" class="u-url mention">@<span>acme</span></a></span> & @nobody &lt;b><br><br><br>` +
			`<a href="https://social.example/tags/winter" class="mention hashtag" rel="tag">#<span>Winter</span></a> ` +
			`<a href="https://www.example.com/a/very/long/path/to/snow?a=1&amp;b=2" rel="nofollow noreferrer noopener" target="_blank">https://www.example.com/a/very/long/path/to/snow?a=1&b=2</a><br>& "so"</p>`},
	} {
		c.config.Remote = []string{"bob@remote.example"}
		body, err := json.Marshal(map[string]string{"status": text})
		if err != nil {
			t.Fatal(err)
		}
		if got := newClient(c.config).post(t, string(body), "")["content"]; got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

func TestLengthIsTheServersOwn(t *testing.T) {
	link := "https://example.com/" + strings.Repeat("x", 600)
	for _, c := range []struct {
		name, text string
		gts        bool
		code       int
	}{
		{"500 characters", strings.Repeat("x", 500), false, 200},
		{"501 characters", strings.Repeat("x", 501), false, 422},
		{"500 families", strings.Repeat("👩‍👩‍👧‍👦", 500), false, 200},
		{"a long address", link + strings.Repeat(" x", 238), false, 200},
		{"a long address and one more", link + strings.Repeat(" x", 239), false, 422},
		{"5000 code points", strings.Repeat("é", 5000), true, 200},
		{"720 families of 7", strings.Repeat("👩‍👩‍👧‍👦", 720), true, 400},
	} {
		body, err := json.Marshal(map[string]string{"status": c.text})
		if err != nil {
			t.Fatal(err)
		}
		if code, _, text := newClient(fake.Config{GoToSocial: c.gts}).do(t, "POST", "/api/v1/statuses", string(body), ""); code != c.code {
			t.Errorf("%s: %d %.100s", c.name, code, text)
		}
	}
}

func TestErrors(t *testing.T) {
	c := newClient(fake.Config{ReadOnly: []string{"b-token"}})
	id := c.post(t, `{"status":"one","visibility":"private"}`, "")["id"].(string)
	for _, e := range []struct {
		token, method, path, body string
		code                      int
		words                     string
	}{
		{"", "POST", "/api/v1/statuses", `{"status":"x"}`, 401, "The access token is invalid"},
		{"b-token", "POST", "/api/v1/statuses", `{"status":"x"}`, 403, "outside the authorized scopes"},
		{"b-token", "GET", "/api/v1/statuses/" + id, "", 404, "Record not found"},
		{"b-token", "GET", "/api/v1/statuses/" + id + "/source", "", 404, "Record not found"},
		{"a-token", "POST", "/api/v1/statuses", `{"status":`, 400, "JSON"},
		{"a-token", "POST", "/api/v1/statuses", `{"status":" "}`, 422, "Validation failed: Text can't be blank"},
		{"a-token", "POST", "/api/v1/statuses", `{"status":"x","visibility":"everybody"}`, 422, "'everybody' is not a valid visibility"},
		{"a-token", "POST", "/api/v1/statuses", `{"status":"x","in_reply_to_id":"1"}`, 404, "reply"},
		{"a-token", "POST", "/api/v1/statuses", `{"status":"x","media_ids":["1"]}`, 422, "Media 1 not found"},
		{"a-token", "POST", "/api/v1/statuses", `{"status":"x","media_ids":["1","2","3","4","5"]}`, 422, "Cannot attach more than 4 files"},
		{"a-token", "POST", "/api/v1/statuses", `{"status":"x","poll":{"options":["a"],"expires_in":300}}`, 422, "more than one item"},
		{"a-token", "POST", "/api/v2/media", "", 422, "File can't be blank"},
		{"a-token", "GET", "/api/v1/nothing", "", 404, "Record not found"},
	} {
		c.token = e.token
		code, header, text := c.do(t, e.method, e.path, e.body, "")
		var body struct{ Error string }
		if err := json.Unmarshal([]byte(text), &body); err != nil || code != e.code || !strings.Contains(body.Error, e.words) {
			t.Errorf("%s %s: %d %s, want %d %s", e.method, e.path, code, text, e.code, e.words)
		}
		if !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
			t.Errorf("%s %s: %v", e.method, e.path, header)
		}
	}
}

func TestRateLimit(t *testing.T) {
	c := newClient(fake.Config{Requests: 2})
	c.now = noon.Add(time.Minute)
	const path = "/api/v1/accounts/verify_credentials"
	for want := 1; want >= 0; want-- {
		if code, header, _ := c.do(t, "GET", path, "", ""); code != 200 || header.Get("X-RateLimit-Remaining") != string(rune('0'+want)) {
			t.Errorf("%d %v", code, header)
		}
	}
	code, header, _ := c.do(t, "GET", path, "", "")
	if code != 429 || header.Get("X-RateLimit-Reset") != "2026-12-01T12:05:00.000000Z" {
		t.Errorf("%d %v", code, header)
	}
	c.now = noon.Add(5 * time.Minute)
	if code, _, _ := c.do(t, "GET", path, "", ""); code != 200 {
		t.Errorf("in the next window: %d", code)
	}
}

func TestListIsPagedByLink(t *testing.T) {
	c := newClient(fake.Config{})
	var account string
	for range 7 {
		account = c.post(t, `{"status":"x"}`, "")["account"].(map[string]any)["id"].(string)
	}
	next := regexp.MustCompile(`<https://social\.example([^>]*)>; rel="next"`)
	seen := map[string]bool{}
	path := "/api/v1/accounts/" + account + "/statuses?limit=3"
	for pages := 0; ; pages++ {
		_, header, text := c.do(t, "GET", path, "", "")
		var list []struct{ ID string }
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if seen[s.ID] {
				t.Errorf("%s is on two pages", s.ID)
			}
			seen[s.ID] = true
		}
		link := next.FindStringSubmatch(header.Get("Link"))
		if link == nil {
			if pages != 3 || len(seen) != 7 {
				t.Errorf("%d posts on %d pages", len(seen), pages)
			}
			return
		}
		path = link[1]
	}
}

func TestContext(t *testing.T) {
	c := newClient(fake.Config{})
	one := c.post(t, `{"status":"one"}`, "")["id"].(string)
	two := c.post(t, `{"status":"two","in_reply_to_id":"`+one+`"}`, "")["id"].(string)
	three := c.post(t, `{"status":"three","in_reply_to_id":"`+two+`"}`, "")["id"].(string)
	_, _, text := c.do(t, "GET", "/api/v1/statuses/"+two+"/context", "", "")
	var around struct{ Ancestors, Descendants []struct{ ID string } }
	if err := json.Unmarshal([]byte(text), &around); err != nil {
		t.Fatal(err)
	}
	if len(around.Ancestors) != 1 || around.Ancestors[0].ID != one || len(around.Descendants) != 1 || around.Descendants[0].ID != three {
		t.Errorf("%s", text)
	}
	if p := c.Posts()[2]; p.Root != one || p.Parent != two {
		t.Errorf("%+v", p)
	}
}

func TestPages(t *testing.T) {
	for name, config := range map[string]fake.Config{"mastodon": {}, "gotosocial": {GoToSocial: true}} {
		c := newClient(config)
		c.post(t, `{"status":"Hello <script>","visibility":"public","spoiler_text":"<i>careful"}`, "")
		c.post(t, `{"status":"Psst","visibility":"unlisted"}`, "")
		c.post(t, `{"status":"Secret","visibility":"private"}`, "")
		posts := c.Posts()
		for i, want := range []int{200, 200, 404} {
			if config.GoToSocial && i == 1 {
				want = 404 // no page for what is unlisted
			}
			path := strings.TrimPrefix(posts[i].URL, base)
			if code, _, text := c.do(t, "GET", path, "", ""); code != want || strings.Contains(text, "<script>") || strings.Contains(text, "<i>") {
				t.Errorf("%s: %s: %d %s", name, path, code, text)
			}
		}
		for _, path := range []string{"/", "/@acme"} {
			if code, _, text := c.do(t, "GET", path, "", ""); code != 200 || !strings.Contains(text, "Hello &lt;script") || strings.Contains(text, "Secret") {
				t.Errorf("%s: %s: %d %s", name, path, code, text)
			}
		}
	}
}

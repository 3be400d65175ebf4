package channel

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

func now() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }

// variant is what a message of this Markdown is for a channel.
func variant(t *testing.T, markdown string, mention ...string) *post.Variant {
	t.Helper()
	p, found := content.Parse("content/a.md", []byte("---\nid: a\ntitle: T\n---\n"+markdown), nil, content.Options{})
	if found.HasErrors() {
		t.Fatal(found)
	}
	v := p.For("team", "slack")
	for _, name := range mention {
		v.Mentions = append(v.Mentions, post.Mention{Name: name})
	}
	return &v
}

func TestRender(t *testing.T) {
	const hostile = "**bold *both* bold** `co_de<&` [w & <words>](https://acme.example/a_b?x=(1)&y=2) ~~gone~~\n\n- a_b, \\*not\\* \\`bold\\` @everyone & <!channel> \\_x\\_ #1\n"
	for name, c := range map[string]struct {
		adapter platform.Adapter
		mention []string
		want    string
	}{
		"slack": {Slack{}, []string{"here", "U1", "S2"},
			"<!here> <@U1> <!subteam^S2>\n*bold _both_ bold* `co_de&lt;&amp;` <https://acme.example/a_b?x=(1)&amp;y=2|w &amp; &lt;words&gt;> ~gone~\n\n" +
				"• a_b, \u2060*\u2060not\u2060*\u2060 \u2060`\u2060bold\u2060`\u2060 @everyone &amp; &lt;!channel&gt; \u2060_\u2060x\u2060_\u2060 #1"},
		"discord": {Discord{}, []string{"123", "&45", "here"},
			"<@123> <@&45> @here\n**bold *both* bold** `co_de<&` [w & \\<words\\>](https://acme.example/a_b?x=%281%29&y=2) ~~gone~~\n\n" +
				"• a\\_b, \\*not\\* \\`bold\\` @\u2060everyone & \\<!channel\\> \\_x\\_ \\#1"},
		"mattermost": {Mattermost{}, []string{"@ada"},
			"@ada\n**bold *both* bold** `co_de<&` [w & \\<words\\>](https://acme.example/a_b?x=%281%29&y=2) ~~gone~~\n\n" +
				"• a\\_b, \\*not\\* \\`bold\\` @\u2060everyone & \\<!channel\\> \\_x\\_ \\#1"},
		"matrix": {Matrix{}, []string{"@ada:acme.example"}, "bold both bold co_de<& w & <words> gone\n\n• a_b, *not* `bold` @everyone & <!channel> _x_ #1"},
		"smtp":   {Mail{}, nil, "bold both bold co_de<& w & <words> gone\n\n• a_b, *not* `bold` @everyone & <!channel> _x_ #1"},
	} {
		t.Run(name, func(t *testing.T) {
			r, list := c.adapter.Render(variant(t, hostile, c.mention...), &platform.Account{Name: "team"})
			if list.HasErrors() || len(r.Parts) != 1 {
				t.Fatalf("%d parts, %v", len(r.Parts), list)
			}
			if diff := cmp.Diff(c.want, r.Parts[0].Text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if id := c.adapter.Info().ID; string(id) != name || r.Platform != id {
				t.Errorf("%s renders for %s", id, r.Platform)
			}
			if r, list := c.adapter.Render(variant(t, strings.Repeat("word word word word word\n\n", 1000)), &platform.Account{}); !list.HasErrors() || r.Parts[0].Used <= r.Parts[0].Max {
				t.Errorf("25,000 characters are fine: %d of %d", r.Parts[0].Used, r.Parts[0].Max)
			}
			if _, list := c.adapter.Render(variant(t, "One\n\n---\n\nTwo\n"), &platform.Account{}); !list.HasErrors() {
				t.Error("a thread is fine, and only its first part would be sent")
			}
		})
	}
}

func TestHTML(t *testing.T) {
	r, _ := Mail{}.Render(variant(t, "**a *b*** <c> [\"d\"](https://x.example/?a=\"b\"&c)\nnext `e`\n"), nil)
	want := `<strong>a <em>b</em></strong> &lt;c&gt; <a href="https://x.example/?a=&#34;b&#34;&amp;c">&#34;d&#34;</a><br>` + "\nnext <code>e</code>"
	if got := asHTML(&r.Parts[0]); !strings.Contains(strings.ReplaceAll(got, "%22", "&#34;"), want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMentions(t *testing.T) {
	for _, c := range []struct {
		adapter   platform.Mentioner
		good, bad []string
	}{
		{Slack{}, []string{"here", "channel", "everyone", "U012AB3", "W9", "S1"}, []string{"", "@ada", "ada", "U", "C1", "U1>", "u1"}},
		{Discord{}, []string{"here", "everyone", "123", "&123"}, []string{"", "&", "@ada", "<@1>", "1a"}},
		{Mattermost{}, []string{"@ada", "@here", "@a.b-c_d"}, []string{"", "ada", "@", "@a b", "@a\n"}},
		{Matrix{}, []string{"@ada:acme.example", "@room"}, []string{"", "ada", "@ada", "@:x", "@a b:c", "#room:x"}},
		{Mail{}, nil, []string{"ada@acme.example"}},
	} {
		for _, name := range c.good {
			if p := c.adapter.MentionProblem(name); p != "" {
				t.Errorf("%T: %q: %s", c.adapter, name, p)
			}
		}
		for _, name := range c.bad {
			if c.adapter.MentionProblem(name) == "" {
				t.Errorf("%T calls %q", c.adapter, name)
			}
		}
	}
}

// request is what a server got.
type request struct {
	method, path, agent, auth string
	body                      string
}

// server answers the n-th request with the n-th answer, "STATUS BODY", and the last one from then on.
func server(t *testing.T, answers ...string) (base string, got *[]request) {
	t.Helper()
	got = new([]request)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer := answers[min(len(*got), len(answers)-1)]
		*got = append(*got, request{r.Method, r.URL.RequestURI(), r.UserAgent(), r.Header.Get("Authorization"), string(body)})
		status, text, _ := strings.Cut(answer, " ")
		w.WriteHeader(map[string]int{"200": 200, "204": 204, "400": 400, "403": 403, "404": 404, "429": 429, "503": 503}[status])
		io.WriteString(w, text) //nolint:errcheck // the client has gone
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

const hookPath = "/services/T1/B1/very-secret-0123456789"

func open(t *testing.T, a platform.Adapter, options any, secrets map[string]string) platform.Publisher {
	t.Helper()
	d := platform.Deps{HTTP: http.DefaultClient, Now: now, Log: slog.New(slog.DiscardHandler), Secrets: map[string]secret.String{}}
	for name, value := range secrets {
		d.Secrets[name] = secret.New(value)
	}
	p, err := a.Open(&platform.Account{Name: "team", Platform: a.Info().ID, Options: options}, d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func attempt() platform.Attempt {
	return platform.Attempt{Key: "k0123456789", At: now(), N: 1}
}

func publish(t *testing.T, a platform.Adapter, p platform.Publisher, mention ...string) (platform.Receipt, error) {
	t.Helper()
	r, list := a.Render(variant(t, "Hello **you**\n", mention...), &platform.Account{Name: "team"})
	if list.HasErrors() {
		t.Fatal(list)
	}
	return p.Publish(t.Context(), &r, attempt())
}

func TestHooks(t *testing.T) {
	for name, c := range map[string]struct {
		adapter  platform.Adapter
		mention  string
		answer   string
		path     string // what is requested, "" for the hook's own address
		body     string
		id       string
		verified string // the answer of a hook that works, when it is looked at
		gone     string // and of one that does not
	}{
		"slack": {
			Slack{}, "here", "200 ok", "", `{"text":"<!here>\nHello *you*","unfurl_links":false,"unfurl_media":false}`, attempt().Key, "400 no_text", "404 no_service",
		},
		"discord": {
			Discord{}, "&7", `200 {"id":"42"}`, hookPath + "?wait=true",
			`{"content":"<@&7>\nHello **you**","flags":4,"allowed_mentions":{"parse":[],"roles":["7"]}}`, "42", `200 {"id":"1","name":"bot"}`, `404 {"message":"Unknown Webhook"}`,
		},
		"mattermost": {Mattermost{}, "@ada", "200 ok", "", `{"text":"@ada\nHello **you**"}`, attempt().Key, `200 {"status":"OK"}`, "503 down"},
	} {
		t.Run(name, func(t *testing.T) {
			base, got := server(t, c.answer)
			p := open(t, c.adapter, c.adapter.Info().NewOptions(), map[string]string{hookSecret: base + hookPath})
			receipt, err := publish(t, c.adapter, p, c.mention)
			if err != nil || len(receipt.Parts) != 1 || receipt.Parts[0].ID != c.id {
				t.Fatalf("%+v, %v", receipt, err)
			}
			r := (*got)[0]
			if want := firstOf(c.path, hookPath); r.path != want || r.method != http.MethodPost || len(*got) != 1 {
				t.Errorf("%d requests: %s %s, want %s", len(*got), r.method, r.path, want)
			}
			if strings.TrimSpace(r.body) != c.body {
				t.Errorf("got  %s\nwant %s", r.body, c.body)
			}
			if name == "discord" && !strings.HasPrefix(r.agent, "DiscordBot (https://") {
				t.Errorf("it calls itself %q, which Discord may block", r.agent)
			}
			for answer, ok := range map[string]bool{c.verified: true, c.gone: false} {
				base, _ := server(t, answer)
				_, err := open(t, c.adapter, c.adapter.Info().NewOptions(), map[string]string{hookSecret: base + hookPath}).Verify(t.Context())
				if (err == nil) != ok {
					t.Errorf("answered %q, it is taken for one that works: %t (%v)", answer, err == nil, err)
				}
			}
		})
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// No failure tells the address, which is the secret.
func TestFailuresKeepTheSecret(t *testing.T) {
	outcomes := map[string]platform.Outcome{
		"403 " + hookPath: platform.Denied, "404 no such " + hookPath: platform.Rejected, "429 slow down": platform.Limited, "503 very-secret-0123456789": platform.Unknown,
	}
	for _, a := range []platform.Adapter{Slack{}, Discord{}, Mattermost{}} {
		for answer, want := range outcomes {
			base, _ := server(t, answer)
			p := open(t, a, a.Info().NewOptions(), map[string]string{hookSecret: base + hookPath})
			_, err := publish(t, a, p)
			if err == nil || platform.OutcomeOf(err) != want || strings.Contains(err.Error(), "/B1/very-secret") {
				t.Errorf("%T, answered %q: %v (%v), want %v", a, answer, err, platform.OutcomeOf(err), want)
			}
		}
		p := open(t, a, a.Info().NewOptions(), map[string]string{hookSecret: "http://127.0.0.1:1" + hookPath})
		if _, err := publish(t, a, p); platform.OutcomeOf(err) != platform.Unsent || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%T, nobody there: %v", a, err)
		}
		for _, bad := range []string{"", "hooks.slack.com/services/x", "https://hooks.slack.com", "https://hooks.slack.com/", "ftp://x/y", "https://x/\x7f"} {
			_, err := a.Open(&platform.Account{Name: "team", Options: a.Info().NewOptions()}, platform.Deps{Secrets: map[string]secret.String{hookSecret: secret.New(bad)}})
			e, ok := errors.AsType[*platform.Error](err)
			if !ok || e.Outcome != platform.Denied || !strings.Contains(e.Hint, "POSTRIDER_TEAM_WEBHOOK_URL") || bad != "" && strings.Contains(e.Error(), bad) {
				t.Errorf("%T: %q: %v", a, bad, err)
			}
		}
	}
}

func TestMatrix(t *testing.T) {
	const room = "!AbC:acme.example"
	base, got := server(t, `200 {"event_id":"$e1"}`)
	options := &MatrixOptions{Server: base, Room: room}
	p := open(t, Matrix{}, options, map[string]string{"ACCESS_TOKEN": "syt_secret"})
	receipt, err := publish(t, Matrix{}, p, "@ada:acme.example", "@room")
	if err != nil {
		t.Fatal(err)
	}
	if r := receipt.Parts[0]; r.ID != "$e1" || r.URL != "https://matrix.to/#/%21AbC:acme.example/$e1" {
		t.Errorf("%+v", r)
	}
	r := (*got)[0]
	if r.method != http.MethodPut || r.path != "/_matrix/client/v3/rooms/%21AbC:acme.example/send/m.room.message/k0123456789" || r.auth != "Bearer syt_secret" {
		t.Errorf("%+v", r)
	}
	var e map[string]any
	if err := json.Unmarshal([]byte(r.body), &e); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"msgtype": "m.notice", "format": "org.matrix.custom.html", "body": "@ada:acme.example @room\nHello you",
		"formatted_body": `<a href="https://matrix.to/#/@ada:acme.example">@ada:acme.example</a> @room<br>` + "\nHello <strong>you</strong>",
		"m.mentions":     map[string]any{"user_ids": []any{"@ada:acme.example"}, "room": true},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	in, out := `200 {"joined_rooms":["!AbC:acme.example"]}`, `200 {"joined_rooms":["!other:acme.example"]}`
	who, none := `200 {"user_id":"@bot:acme.example"}`, `404 {"errcode":"M_NOT_FOUND"}`
	for name, c := range map[string]struct {
		answers []string
		want    string // part of the error
	}{
		"all is well":  {[]string{who, in, none}, ""},
		"not in it":    {[]string{who, out}, "not in the room"},
		"encrypted":    {[]string{who, in, `200 {"algorithm":"m.megolm.v1.aes-sha2"}`}, "encrypted"},
		"not the bot":  {[]string{`403 {"errcode":"M_UNKNOWN_TOKEN","error":"who are you?"}`}, "M_UNKNOWN_TOKEN"},
		"server is up": {[]string{who, in, "503 x"}, "503"},
	} {
		base, _ := server(t, c.answers...)
		id, err := open(t, Matrix{}, &MatrixOptions{Server: base, Room: room}, map[string]string{"ACCESS_TOKEN": "syt_secret"}).Verify(t.Context())
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || err == nil && id.Handle != "@bot:acme.example" {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		options platform.OptionsValidator
		want    int
	}{
		{&MatrixOptions{Server: "https://m.example", Room: "!a:b"}, 0},
		{&MatrixOptions{Server: "m.example", Room: "#a:b"}, 2},
		{&MatrixOptions{Server: "https://u:p@m.example", Room: "!"}, 2},
		{&MailOptions{Server: "smtp.example", From: "a@b.example", To: []string{"c@d.example"}}, 0},
		{&MailOptions{Server: "smtp.example:2525", From: "Ada <a@b.example>", To: []string{"c@d.example"}}, 0},
		{&MailOptions{}, 3},
		{&MailOptions{Server: "https://smtp.example/", From: "a", To: []string{"b", "c@d.example\r\nBcc: x@y"}}, 4},
		{&MailOptions{Server: "smtp.example:0", From: "a@b.example", To: []string{"c@d.example"}}, 1},
	} {
		if got := c.options.Validate(); len(got) != c.want {
			t.Errorf("%+v: %d problems, want %d: %v", c.options, len(got), c.want, got)
		}
	}
	for security, port := range map[string]int{"": 587, securityStartTLS: 587, securityTLS: 465, securityNone: 25} {
		if _, got, err := (&MailOptions{Server: "smtp.example", Security: security}).address(); got != port || err != nil {
			t.Errorf("%q: port %d, %v, want %d", security, got, err, port)
		}
	}
}

// FuzzWrite holds the markup to the text: nothing of it is lost, and nothing panics, however the facets lie.
func FuzzWrite(f *testing.F) {
	f.Add("a *b* `c` <d>", uint8(0), uint8(4), uint8(2), uint8(9))
	f.Add("ünïcode _x_", uint8(1), uint8(7), uint8(1), uint8(3))
	f.Fuzz(func(t *testing.T, text string, a, b, c, d uint8) {
		at := func(n uint8) int { return min(int(n), len(text)) }
		p := platform.Part{Text: text, Facets: []platform.Facet{
			{Start: min(at(a), at(b)), End: max(at(a), at(b)), Kind: platform.FacetBold}, {Start: min(at(c), at(d)), End: max(at(c), at(d)), Kind: platform.FacetLink, Value: "https://x"},
		}}
		same := &dialect{escape: func(s string) string { return s }, open: func(platform.Facet, string) string { return "" }, end: func(platform.Facet, string) string { return "" }}
		if got := same.write(&p); got != text {
			t.Errorf("%q became %q", text, got)
		}
		slackText().write(&p)
		markdown("x").write(&p)
		asHTML(&p)
	})
}

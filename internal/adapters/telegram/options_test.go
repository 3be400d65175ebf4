package telegram

import (
	"testing"

	"github.com/postrider/postrider/internal/platform"
)

func TestValidateOptions(t *testing.T) {
	ok := Options{Chat: "@acme_news", Server: DefaultServer, Links: DefaultLinks}
	with := func(change func(*Options)) Options {
		o := ok
		change(&o)
		return o
	}
	tests := []struct {
		options Options
		want    string // the key with a problem
	}{
		{ok, ""},
		{with(func(o *Options) { o.Chat = "-1001234567890" }), ""},
		{with(func(o *Options) { o.Chat, o.Topic, o.LinkPreview = "-100123", 7, "large" }), ""},
		{with(func(o *Options) { o.Server = "http://127.0.0.1:8081" }), ""},
		{with(func(o *Options) { o.Chat = "" }), "chat"},
		{with(func(o *Options) { o.Chat = "acme_news" }), "chat"},
		{with(func(o *Options) { o.Chat = "@acme news" }), "chat"},
		{with(func(o *Options) { o.Chat = "https://t.me/acme_news" }), "chat"},
		{with(func(o *Options) { o.Chat = "1234567890" }), "chat"}, // a person
		{with(func(o *Options) { o.Topic = -1 }), "topic"},
		{with(func(o *Options) { o.LinkPreview = "huge" }), "link_preview"},
		{with(func(o *Options) { o.Server = "api.telegram.org" }), "server"},
		{with(func(o *Options) { o.Server = "https://user:word@api.telegram.org" }), "server"},
		{with(func(o *Options) { o.Links = "" }), "links"},
	}
	for _, tt := range tests {
		got := ""
		for _, p := range tt.options.Validate() {
			got += p.Key
		}
		if got != tt.want {
			t.Errorf("%+v: problems with %q, want %q", tt.options, got, tt.want)
		}
	}
}

func TestSameRendering(t *testing.T) {
	account := func(o Options) *platform.Account { return &platform.Account{Options: &o} }
	a := account(Options{Chat: "@acme_news", Silent: true})
	if !(Adapter{}).SameRendering(a, account(Options{Chat: "-1001", Silent: true, Links: "https://telegram.me"})) {
		t.Error("where posts go changes what they are")
	}
	if (Adapter{}).SameRendering(a, account(Options{Chat: "@acme_news"})) {
		t.Error("a silent account is like a loud one")
	}
}

func TestParseMessage(t *testing.T) {
	acme, private := chatRef{name: "@acme_news"}, chatRef{id: -1001234567890}
	for s, want := range map[string]messageRef{
		"12":                                   {message: 12},
		"-1001234567890/12":                    {private, 12},
		"@acme_news/12":                        {acme, 12},
		"https://t.me/acme_news/12":            {acme, 12},
		"https://t.me/acme_news/12?single":     {acme, 12},
		"https://telegram.me/acme_news/12/":    {acme, 12},
		"https://t.me/acme_news/7/12":          {acme, 12}, // in topic 7
		"https://t.me/c/1234567890/12":         {private, 12},
		"https://t.me/c/1234567890/7/12":       {private, 12},
		"https://t.me/acme_news/12?comment=99": {},
		"https://t.me/acme_news":               {},
		"https://example.com/acme_news/12":     {},
		"https://t.me/acme_news/x/12":          {},
		"https://t.me/acme_news/1/2/3":         {},
		"https://t.me/c/12":                    {},
		"https://t.me/+AbCdEf/12":              {},
		"at://did:plc:x/app.bsky.feed.post/3k": {},
		"12345/12":                             {},
		"+12":                                  {},
		"-12":                                  {},
		"0":                                    {},
		"":                                     {},
		"99999999999999999999":                 {},
		"://":                                  {},
	} {
		got, ok := parseMessage(s)
		if ok != (want != messageRef{}) || ok && got != want {
			t.Errorf("%q: got %+v, %t, want %+v", s, got, ok, want)
		}
	}
}

// FuzzParseMessage proves that every message that is understood is understood again from the record of it.
func FuzzParseMessage(f *testing.F) {
	for _, s := range []string{"12", "-1001/12", "@acme_news/12", "https://t.me/acme_news/12", "https://t.me/c/12/7/9?single", "https://[::1/x", "\xff/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := parseMessage(s)
		if !ok {
			return
		}
		if m.message <= 0 || m.chat.id > 0 || m.chat.name != "" && m.chat.id != 0 {
			t.Errorf("%q is %+v", s, m)
		}
		if m.chat.id != 0 {
			if again, ok := parseMessage(m.id()); !ok || again != m {
				t.Errorf("%q is %+v, and its record %+v", s, m, again)
			}
		}
	})
}

func TestAddress(t *testing.T) {
	for want, c := range map[string]wireChat{
		"https://t.me/acme_news/12":    {ID: -1001234567890, Username: "acme_news"},
		"https://t.me/c/1234567890/12": {ID: -1001234567890},
		"":                             {ID: -4711}, // a basic group
	} {
		if got := address(DefaultLinks, &c, 12); got != want {
			t.Errorf("%+v: got %q, want %q", c, got, want)
		}
	}
}

func TestIsToken(t *testing.T) {
	for s, want := range map[string]bool{
		"110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw": true,
		"AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw":           false,
		"bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0":       false,
		"110201543:AAHdqTcvCH1vGWJx/../getMe":          false,
		"110201543:AAHdqTcv?x=1":                       false,
		"110201543:":                                   false,
		"":                                             false,
	} {
		if got := isToken(s); got != want {
			t.Errorf("isToken(%q) = %t", s, got)
		}
	}
}

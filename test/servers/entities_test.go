package servers

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/postrider/postrider/internal/measure"
)

// fediLink is a link to a web page, not to a tag or an account.
var fediLink = regexp.MustCompile(`<a href="([^"]*)" rel="nofollow`)

// TestRealEntities asks GoToSocial what it links, and compares that with what previews say it will.
func TestRealEntities(t *testing.T) {
	gts := StartGoToSocial(t)
	c := &client{http: &http.Client{}, url: gts.URL, token: gts.Token}
	long := strings.Repeat("a", 100)
	for _, text := range []string{
		// Mentions: the account is called alice, and knows nobody else.
		"@alice", "@Alice", "hi @alice there", "hi\n@alice\nthere", "@alice. So", "@alice.", "@alice, so", "@alice!", "@alice…", "@alice- x",
		"@alice: x", "@alice's", "(@alice)", "«@alice»", "„@alice“", "*@alice* x", "-@alice", "x/@alice y", "=@alice",
		"|@alice", "😀@alice", "ü@alice", "a@alice", "@alicé", "@@alice", `\@alice`, `\\@alice`, "@alice@", "https://a.com/@alice",
		// Hashtags.
		"#tag", "#Tag", "#tag.", "#tag, #tag2", "(#tag)", "„#tag“", "x#tag", "/#tag", "#tag/#tag2", "#tag#tag2", "##tag", "-#tag", "…#tag", "😀#tag",
		"#tag😀", "#tag-x", "#tag's", "#1a", "#123", "#_", "#_a", "#a_b", "#a·b", "#日本語", "#tag\u200btag", "＃tag", "#naïve", "#nai\u0308ve",
		"#नमस्ते", "#c++", "#a.b", "#" + long, "#" + long + "a", `\#tag`, `\\#tag`, "#x;", "https://a.com/#tag",
		// Addresses.
		"https://a.com", "HTTPS://A.COM/x", "http://a.com/x.", "see https://a.com/x, y", "(https://a.com/x)", "https://a.com/(x)", "https://a.com/(x(y)z)",
		"https://a.com/(x", "https://a.com/[x]", "https://a.com/{x}", "https://a.com/x?y=z&w=1#f", "https://a.com?x", "https://a.com/#!x", "https://a.com/x;y",
		"https://a.com/x'y", "https://a.com/x|y", "https://a.com/x_y_", "https://a.com/*x*", "*https://a.com*", "_https://a.com_", "~https://a.com",
		`"https://a.com"`, "“https://a.com/”", "«https://a.com»", "—https://a.com", "x/https://a.com", "xhttps://a.com", "foo:https://a.com", "https://a.com…",
		`https://a.com\x`, "https://a.com:8080/x", "https://user:pw@a.com/x", "http://localhost/x", "https://127.0.0.1:80/x", "https://fichtl.example/nine",
		"https://a.notld/x", "ftp://a.com", "a.com", "x a.com/y z", "a@a.com", "mailto:a@a.com", "a\nhttps://a.com\nb", "https://", "https://.", "https://-",
		"https://a.com https://b.com", "https://a.com(https://b.com)", "https://a.com/日本語",
		"https://a.com/x-", "https://a.com/x~", "https://a.com/x&", "https://a.com/x=", "https://a.com/x+", "https://a.com/x$", "https://a.com/x%",
		"https://a.com/x?", "https://a.com/x@", "https://a.com/x!", "https://a.com/x;", "https://a.com/&amp;", "https://a.com/x)", "https://a.com/x)))", "https://a.com/(x) y",
	} {
		var s status
		err := c.call(t.Context(), http.MethodPost, "/api/v1/statuses", map[string]any{"status": text, "content_type": "text/plain"}, &s)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var want, got []string
		for _, e := range measure.GoToSocialEntities(text) {
			what := e.Kind.String() + " " + norm.NFC.String(e.Value)
			if e.Kind != measure.URL {
				what = strings.ToLower(what)
			}
			want = append(want, what)
		}
		for _, tag := range s.Tags {
			got = append(got, "hashtag "+norm.NFC.String(strings.ToLower(tag.Name)))
		}
		for _, m := range s.Mentions {
			got = append(got, "mention "+m.Acct)
		}
		for _, link := range fediLink.FindAllStringSubmatch(s.Content, -1) {
			address := html.UnescapeString(link[1])
			if plain, err := url.PathUnescape(address); err == nil {
				address = plain
			}
			got = append(got, "URL "+address)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("%q: we say %q, GoToSocial %q: %s", text, want, got, s.Content)
		}
	}
}

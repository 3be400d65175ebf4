package utm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var values = map[string]string{"account": "fedi", "campaign": "winter", "platform": "mastodon", "post": "k3v9"}

func tags(params map[string]string, hosts ...string) Tags {
	return Rule{Params: params, Hosts: hosts}.Fill(values)
}

func social(hosts ...string) Tags {
	return tags(map[string]string{"source": "{platform}", "medium": "social"}, hosts...)
}

func TestAdd(t *testing.T) {
	for name, test := range map[string]struct{ address, want string }{
		"plain":                 {"https://acme.example/winter", "https://acme.example/winter?utm_source=mastodon&utm_medium=social"},
		"no path":               {"https://acme.example", "https://acme.example?utm_source=mastodon&utm_medium=social"},
		"http, capitals":        {"HTTP://ACME.EXAMPLE/", "HTTP://ACME.EXAMPLE/?utm_source=mastodon&utm_medium=social"},
		"query":                 {"https://acme.example/?b=2&a=%c3%BC", "https://acme.example/?b=2&a=%c3%BC&utm_source=mastodon&utm_medium=social"},
		"empty query":           {"https://acme.example/?", "https://acme.example/?utm_source=mastodon&utm_medium=social"},
		"query ends open":       {"https://acme.example/?a=1&", "https://acme.example/?a=1&utm_source=mastodon&utm_medium=social"},
		"fragment":              {"https://acme.example/#a?b", "https://acme.example/?utm_source=mastodon&utm_medium=social#a?b"},
		"query and fragment":    {"https://acme.example/?a=1#:~:text=x", "https://acme.example/?a=1&utm_source=mastodon&utm_medium=social#:~:text=x"},
		"one of its own":        {"https://acme.example/?utm_source=mail", "https://acme.example/?utm_source=mail&utm_medium=social"},
		"all of its own":        {"https://acme.example/?utm_medium=m&utm_source=mail", "https://acme.example/?utm_medium=m&utm_source=mail"},
		"own, without a value":  {"https://acme.example/?utm_source&utm_medium=", "https://acme.example/?utm_source&utm_medium="},
		"own, otherwise spelt":  {"https://acme.example/?UTM_Source=a;utm%5Fmedium=b", "https://acme.example/?UTM_Source=a;utm%5Fmedium=b"},
		"only in the fragment":  {"https://acme.example/#utm_source=a", "https://acme.example/?utm_source=mastodon&utm_medium=social#utm_source=a"},
		"only a part of a name": {"https://acme.example/?my_utm_source=a&u=utm_medium", "https://acme.example/?my_utm_source=a&u=utm_medium&utm_source=mastodon&utm_medium=social"},
		"port":                  {"http://localhost:8080/a", "http://localhost:8080/a?utm_source=mastodon&utm_medium=social"},
		"mail":                  {"mailto:a@acme.example", "mailto:a@acme.example"},
		"another scheme":        {"ftp://acme.example/a", "ftp://acme.example/a"},
		"relative":              {"/winter", "/winter"},
		"no scheme":             {"acme.example/winter", "acme.example/winter"},
		"user":                  {"https://me:pw@acme.example/", "https://me:pw@acme.example/"},
		"no host":               {"https:///winter", "https:///winter"},
		"empty":                 {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := social().Add(test.address); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	for address, want := range map[string]bool{
		"https://acme.example/":              true,
		"https://www.Acme.Example:8080/":     true,
		"https://acme.example./":             true,
		"https://shop.acme.example?a":        true,
		"https://notacme.example/":           false,
		"https://acme.example.evil.example/": false,
		"https://evil.example/acme.example":  false,
		"https://evil.example#acme.example":  false,
		"https://evil.example\\acme.example": false,
		"https://ACME.de/":                   true,
	} {
		if got := social("acme.example", "acme.de").Add(address) != address; got != want {
			t.Errorf("%s is covered: %t, want %t", address, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	for name, test := range map[string]struct {
		params map[string]string
		values map[string]string
		want   string
	}{
		"all, in their order": {
			map[string]string{"id": "6", "content": "{post}", "term": "4", "campaign": "{campaign}", "medium": "2", "source": "{platform}-{account}"}, values,
			"?utm_source=mastodon-fedi&utm_medium=2&utm_campaign=winter&utm_term=4&utm_content=k3v9&utm_id=6",
		},
		"escaped":            {map[string]string{"source": "a b&c=d#é.", "medium": "a.b_c-d~"}, values, "?utm_source=a%20b%26c%3Dd%23%C3%A9%2E&utm_medium=a.b_c-d%7E"},
		"a placeholder's":    {map[string]string{"content": "{post}"}, map[string]string{"post": "ü/{campaign}", "campaign": "w"}, "?utm_content=%C3%BC%2F%7Bcampaign%7D"},
		"no campaign":        {map[string]string{"source": "a", "campaign": "{campaign}", "term": "x-{campaign}"}, nil, "?utm_source=a"},
		"empty is none":      {map[string]string{"source": "", "medium": "m"}, values, "?utm_medium=m"},
		"unknown is none":    {map[string]string{"sauce": "a", "hosts": "b"}, values, ""},
		"unknown in braces":  {map[string]string{"source": "{net}"}, values, "?utm_source=%7Bnet%7D"},
		"nothing at all":     {nil, values, ""},
		"everything is left": {map[string]string{"campaign": "{campaign}"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tags := Rule{Params: test.params}.Fill(test.values)
			if got := tags.Add("https://a.example/"); got != "https://a.example/"+test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if tags.Empty() != (test.want == "") {
				t.Errorf("Empty: %t", tags.Empty())
			}
		})
	}
}

func TestOver(t *testing.T) {
	base := Rule{Params: map[string]string{"source": "a", "medium": "b"}, Hosts: []string{"x.example"}}
	for name, test := range map[string]struct{ over, want Rule }{
		"nothing":       {Rule{}, base},
		"one and more":  {Rule{Params: map[string]string{"medium": "", "id": "c"}}, Rule{Params: map[string]string{"source": "a", "medium": "", "id": "c"}, Hosts: base.Hosts}},
		"hosts alone":   {Rule{Hosts: []string{"y.example"}}, Rule{Params: base.Params, Hosts: []string{"y.example"}}},
		"hosts all":     {Rule{Hosts: []string{}}, Rule{Params: base.Params, Hosts: []string{}}},
		"not in a name": {Rule{Params: map[string]string{"term": "t"}}, Rule{Params: map[string]string{"source": "a", "medium": "b", "term": "t"}, Hosts: base.Hosts}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, base.Over(test.over)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	if len(base.Params) != 2 {
		t.Errorf("the rule itself was changed: %v", base)
	}
}

// TestAddText marks what is taken for an address with brackets.
func TestAddText(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"alone":               {"https://a.example", "[https://a.example]"},
		"in a sentence":       {"See https://a.example/b.", "See [https://a.example/b]."},
		"question":            {"Seen https://a.example/b?", "Seen [https://a.example/b]?"},
		"in brackets":         {"(https://a.example/b)", "([https://a.example/b])"},
		"brackets of its own": {"https://a.example/b_(c), d", "[https://a.example/b_(c)], d"},
		"many brackets":       {"((https://a.example/(b))).", "(([https://a.example/(b)]))."},
		"square":              {"[https://a.example/b[1]]", "[[https://a.example/b[1]]]"},
		"quoted":              {`"https://a.example/b"`, `"[https://a.example/b]"`},
		"angles":              {"<https://a.example/b>", "<[https://a.example/b]>"},
		"two":                 {"https://a.example/b\nhttp://c.example", "[https://a.example/b]\n[http://c.example]"},
		"within another":      {"https://a.example/?u=https://b.example/", "[https://a.example/?u=https://b.example/]"},
		"underscore":          {"https://a.example/b_", "[https://a.example/b_]"},
		"umlauts":             {"https://ä.example/käse,", "[https://ä.example/käse],"},
		"cyrillic":            {"https://a.example/сани", "[https://a.example/сани]"},
		"quotation marks":     {"„https://a.example/b“", "„[https://a.example/b]“"},
		"an ellipsis":         {"https://a.example/b…", "[https://a.example/b]…"},
		"backslash":           {`https://a.example/b\c`, `https://a.example/b\c`},
		"runs into Japanese":  {"https://a.example/bです", "https://a.example/bです"},
		"no word before":      {"xhttps://a.example @https://a.example", "xhttps://a.example @https://a.example"},
		"Japanese before":     {"見よ https://a.example/b", "見よ [https://a.example/b]"},
		"no host":             {"https:// and http://. ", "https:// and http://. "},
		"no scheme":           {"a.example/b ://a ftp://a.example", "a.example/b ://a ftp://a.example"},
		"not UTF-8":           {"https://a.example/b\xff", "https://a.example/b\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			done := 0
			for _, a := range Addresses(test.text) {
				b.WriteString(test.text[done:a.Start] + "[" + test.text[a.Start:a.End] + "]")
				done = a.End
			}
			if got := b.String() + test.text[done:]; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	const text, want = "A https://a.example/#b, and https://b.example?utm_id=1.", "A https://a.example/?utm_id=2#b, and https://b.example?utm_id=1."
	if got := tags(map[string]string{"id": "2"}).AddText(text); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestStrip(t *testing.T) {
	for text, want := range map[string]string{
		"https://a.example/?utm_source=a":                       "https://a.example/",
		"https://a.example/?b=1&UTM_id=a&c=2#utm_x":             "https://a.example/?b=1&c=2#utm_x",
		"(https://a.example?utm_a=1) and http://b.example?c=2.": "(https://a.example) and http://b.example?c=2.",
		"utm_source=a is no address":                            "utm_source=a is no address",
		"https://a.example/?my_utm_a=b&utm_=c":                  "https://a.example/?my_utm_a=b&utm_=c",
		"https://a.example/utm_source=a":                        "https://a.example/utm_source=a",
	} {
		if got := Strip(text); got != want {
			t.Errorf("Strip(%q) = %q, want %q", text, got, want)
		}
	}
	if got := Without("https://a.example/a b?utm_source=a"); got != "https://a.example/a b" {
		t.Errorf("Without: %s", got)
	}
}

// onlyAdded fails unless b is a with nothing but UTM parameters put in.
func onlyAdded(t *testing.T, a, b string, pairs []pair) {
	t.Helper()
	type state struct{ i, j int } // as far as a and b have been explained
	seen := map[state]bool{}
	for open := []state{{}}; len(open) > 0; {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		if s == (state{len(a), len(b)}) {
			return
		}
		if seen[s] {
			continue
		}
		seen[s] = true
		if rest := cutPair(b[s.j:], pairs); len(rest) < len(b[s.j:]) {
			open = append(open, state{s.i, len(b) - len(rest)})
		}
		if s.i < len(a) && s.j < len(b) && a[s.i] == b[s.j] {
			open = append(open, state{s.i + 1, s.j + 1})
		}
	}
	t.Errorf("more than UTM parameters differs:\n%q\n%q", a, b)
}

// cutPair cuts a parameter off the start of s, with what separates it from others.
func cutPair(s string, pairs []pair) string {
	body := s
	if s != "" && (s[0] == '?' || s[0] == '&') {
		body = s[1:]
	}
	for _, p := range pairs {
		if rest, ok := strings.CutPrefix(body, p.text); ok {
			return rest
		}
	}
	return s
}

func FuzzAdd(f *testing.F) {
	for _, s := range []string{
		"https://a.example", "https://a.example/?a=1&utm_source=b#c", "See (https://a.example/b_(c)).", "http://a.example?#?", "https://a.example/?utm%5Fsource;b",
		"https://a.exampleです", "xhttps://[::1]:80/", "https://ä.example/?&&#", "\xff://https://\xff", "https://a)))]]]", "http://https://http://", "mailto:a@b",
	} {
		f.Add(s, "mastodon", "a.example")
		f.Add(s, "a b&c#d.", "")
	}
	f.Fuzz(func(t *testing.T, s, value, hosts string) {
		tags := tags(map[string]string{"source": value, "medium": "{platform}"}, strings.Fields(hosts)...)
		for _, add := range []func(string) string{tags.Add, tags.AddText} {
			once := add(s)
			if twice := add(once); twice != once {
				t.Errorf("not the same when added twice:\n%q\n%q\n%q", s, once, twice)
			}
			onlyAdded(t, s, once, tags.pairs)
		}
		if a, b := Without(s), Without(tags.Add(s)); a != b && a+"?" != b && a != b+"?" && !strings.Contains(s, "?") {
			t.Errorf("%q: %q and %q differ in more than UTM parameters", s, a, b)
		}
		if once := Strip(s); Strip(once) != once {
			t.Errorf("not the same when stripped twice: %q, %q", once, Strip(once))
		}
	})
}

package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseSites(t *testing.T) {
	got, err := ParseSites([]byte(`# Ours.
sites:
  - name: acme
    path: /srv/acme
    env_file: acme.env
  - name: press.team
    url: https://git.example/press/social.git
    folder: social
    branch: live
    fetch: 5m
    webhook_secret: PRESS_WEBHOOK
    env_prefix: PRESS_
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Line: 3, Name: "acme", Path: "/srv/acme", EnvFile: "acme.env"},
		{Line: 6, Name: "press.team", URL: "https://git.example/press/social.git", Folder: "social", Branch: "live", Fetch: 5 * time.Minute, WebhookSecret: "PRESS_WEBHOOK", EnvPrefix: "PRESS_"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseSitesProblems(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", "it is empty"},
		{"sites: []\n", "line 1: expected a list with at least one site"},
		{"sites:\n  acme: {path: /srv}\n", "line 1: expected a list"},
		{"site:\n  - {name: a, path: /a}\n", `line 2: unknown key "site": expected sites`},
		{"- a\n", "line 1: expected keys with values"},
		{"sites:\n  - {name: a, path: /a}\n  - {name: b, pth: /b}\n", `line 3: unknown key "pth"`},
		{"sites:\n  - {name: a, path: /a}\n  - {name: a, path: /b}\n", `line 3: the name "a" is that of the site at line 2, too`},
		{"sites:\n  - {name: a, name: b, path: /b}\n", `line 2: the key "name" is there twice`},
		{"sites:\n  - {name: a b, path: /a}\n", `line 2: name is "a b"`},
		{"sites:\n  - {path: /a}\n", `line 2: name is ""`},
		{"sites:\n  - {name: .., path: /a}\n", `line 2: name is ".."`},
		{"sites:\n  - {name: a}\n", `line 2: site "a" needs either a path or a url`},
		{"sites:\n  - {name: a, path: /a, url: https://git.example/a}\n", `needs either a path or a url`},
		{"sites:\n  - {name: a, path: /a, folder: ../b}\n", `folder of site "a" is "../b"`},
		{"sites:\n  - {name: a, path: /a, fetch: soon}\n", `fetch is "soon"`},
		{"sites:\n  - {name: a, path: /a, fetch: 1ms}\n", `fetch is "1ms"`},
		{"sites:\n  - {name: a, path: /a, env_prefix: 1-}\n", `env_prefix of site "a" must be`},
		{"sites:\n  - {name: a, path: /a, webhook_secret: 0123-hunter2}\n", `webhook_secret of site "a" must be the name of a variable`},
		{"sites:\n  - {name: a, url: 'https://ada:hunter2@git.example/a'}\n", `url of site "a" has a password in it`},
		{"sites:\n  - {name: [a], path: /a}\n", "line 2: name must be a text on one line"},
		{"sites: &a\n  - *a\n", "line 2: expected keys with values"},
		{"sites: {\n", "it is not YAML"},
		{"\xff", "it is not valid UTF-8"},
	} {
		entries, err := ParseSites([]byte(c.src))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v, %v; want %q", c.src, entries, err, c.want)
		}
	}
}

func FuzzParseSites(f *testing.F) {
	f.Add([]byte("sites:\n  - {name: acme, path: /srv/acme, fetch: 1m, env_file: a.env}\n"))
	f.Add([]byte("sites:\n  - name: b\n    url: git@git.example:acme/social\n    folder: a/b\n    env_prefix: B_\n    webhook_secret: B\n"))
	f.Add([]byte("sites: &a [*a, {name: x}]\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		entries, err := ParseSites(src)
		if (err == nil) != (len(entries) > 0) {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		for _, e := range entries {
			if e.Line < 1 || e.Name == "" || (e.Path == "") == (e.URL == "") {
				t.Errorf("%+v", e)
			}
		}
	})
}

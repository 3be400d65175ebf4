package forge_test

import (
	"testing"

	"github.com/postrider/postrider/internal/forge"
)

func TestRaw(t *testing.T) {
	env := map[string]string{"GITHUB_SERVER_URL": "https://git.example/", "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.example/acme/group/site"}
	for kind, want := range map[forge.Kind]string{
		forge.GitHub: "https://git.example/acme/site/blob/pictures/of%20us/7/a%3Fb.png?raw=true",
		forge.Gitea:  "https://git.example/acme/site/raw/branch/pictures/of%20us/7/a%3Fb.png",
		forge.GitLab: "https://gitlab.example/acme/group/site/-/raw/pictures/of%20us/7/a%3Fb.png",
	} {
		web := forge.Web(forge.Place{Kind: kind, Repository: "acme/site"}, func(name string) string { return env[name] })
		if got := forge.Raw(kind, web, "pictures/of us", "7/a?b.png"); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
		if got := forge.Web(forge.Place{Kind: kind, Repository: "acme/site"}, func(string) string { return "" }); got != "" {
			t.Errorf("%s: without an environment the repository is at %q", kind, got)
		}
	}
}

package forge

import (
	"net/url"
	"strings"
)

// Web returns the address at which people see the repository of a place, "" when the job's environment does not tell it.
func Web(p Place, env func(string) string) string {
	if p.Kind == GitLab {
		return strings.TrimSuffix(env("CI_MERGE_REQUEST_PROJECT_URL"), "/")
	}
	server := strings.TrimSuffix(env("GITHUB_SERVER_URL"), "/")
	if server == "" || p.Repository == "" {
		return ""
	}
	return server + "/" + p.Repository
}

// Raw returns the address under which a comment shows a picture that is on a branch of the repository, also to those who have to log in to see the
// repository at all. web is what [Web] returned.
//
// GitHub: https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#images,
// while raw.githubusercontent.com knows no log-in; GitLab: /-/raw/ of https://docs.gitlab.com/development/routing/; Gitea: /raw/branch/ of
// routers/web/web.go (2026-11-22).
func Raw(kind Kind, web, branch, path string) string {
	file := (&url.URL{Path: branch + "/" + path}).EscapedPath()
	switch kind {
	case GitLab:
		return web + "/-/raw/" + file
	case Gitea:
		return web + "/raw/branch/" + file
	default:
		return web + "/blob/" + file + "?raw=true"
	}
}

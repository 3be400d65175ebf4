package forge

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrUnknownHost means that nothing says which code host a repository is on, or that it is on none.
var ErrUnknownHost = errors.New("it is not known which code host the repository is on")

// DetectRepository finds out on which code host a repository is, and where people see it there: from a CI job's environment, else from the address of its remote. Of
// the hosts that are not known by name, POSTRIDER_FORGE says what they are (github, gitlab or gitea), and POSTRIDER_FORGE_API where their
// API is, if it is not on the host of the remote.
func DetectRepository(env func(string) string, remote string) (Place, error) {
	kind, api := Kind(env("POSTRIDER_FORGE")), env("POSTRIDER_FORGE_API")
	switch {
	case kind != "" && kind != GitHub && kind != GitLab && kind != Gitea:
		return Place{}, fmt.Errorf("POSTRIDER_FORGE is %q: it must be github, gitlab or gitea", kind)
	case kind == "" && env("GITLAB_CI") == "true":
		return Place{Kind: GitLab, API: env("CI_API_V4_URL"), Repository: env("CI_PROJECT_ID"), Web: env("CI_PROJECT_URL")}, nil
	case kind == "" && env("GITHUB_ACTIONS") == "true":
		return actionsRepository(env), nil
	}
	scheme, host, repository := splitRemote(remote)
	if host = strings.ToLower(host); host == "" || !strings.Contains(repository, "/") || strings.ContainsAny(host+repository, " ?#\\") {
		return Place{}, fmt.Errorf("%w: its remote is no address on one", ErrUnknownHost)
	}
	if kind == "" {
		if kind = kindOf(host); kind == "" {
			return Place{}, fmt.Errorf("%w: what runs on %s; POSTRIDER_FORGE says it: github, gitlab or gitea", ErrUnknownHost, host)
		}
	}
	p := Place{Kind: kind, Repository: repository, Web: scheme + "://" + host + "/" + repository}
	switch kind {
	case GitHub:
		if p.API = scheme + "://" + host + "/api/v3"; host == "github.com" {
			p.API = "https://api.github.com"
		}
	case GitLab:
		p.API = scheme + "://" + host + "/api/v4"
	case Gitea:
		p.API = scheme + "://" + host
	}
	p.API = cmp.Or(api, p.API)
	return p, nil
}

// actionsRepository is the repository of a job of GitHub's, Gitea's or Forgejo's workflows.
func actionsRepository(env func(string) string) Place {
	p := Place{Kind: GitHub, API: env("GITHUB_API_URL"), Repository: env("GITHUB_REPOSITORY")}
	if env("GITEA_ACTIONS") == "true" || env("FORGEJO_ACTIONS") == "true" {
		p.Kind, p.API = Gitea, env("GITHUB_SERVER_URL")
	}
	if server := strings.TrimSuffix(env("GITHUB_SERVER_URL"), "/"); server != "" {
		p.Web = server + "/" + p.Repository
	}
	return p
}

// kindOf returns what runs on a host, "" where its name does not tell.
func kindOf(host string) Kind {
	name, _, _ := strings.Cut(host, ":")
	switch first, _, _ := strings.Cut(name, "."); {
	case name == "github.com", first == "github":
		return GitHub
	case name == "gitlab.com", first == "gitlab":
		return GitLab
	case name == "codeberg.org", name == "gitea.com", first == "gitea", first == "forgejo":
		return Gitea
	}
	return ""
}

// splitRemote takes the address of a remote apart: "https://git.example:3000/acme/site.git", "ssh://git@git.example/acme/site" and
// "git@git.example:acme/site.git". What an API is asked by is HTTPS, unless the remote itself is asked by HTTP.
func splitRemote(remote string) (scheme, host, repository string) {
	scheme = "https"
	if !strings.Contains(remote, "://") {
		var path string
		if host, path, _ = strings.Cut(remote, ":"); strings.ContainsAny(host, `/\`) || len(host) < 2 { // a folder
			return "", "", ""
		}
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			host = host[at+1:]
		}
		return scheme, host, trimRepository(path)
	}
	u, err := url.Parse(remote)
	if err != nil || u.Host == "" {
		return "", "", ""
	}
	switch u.Scheme {
	case "http", "https":
		return u.Scheme, u.Host, trimRepository(u.Path)
	case "ssh", "git+ssh":
		return scheme, u.Hostname(), trimRepository(u.Path)
	}
	return "", "", ""
}

func trimRepository(path string) string { return strings.TrimSuffix(strings.Trim(path, "/"), ".git") }

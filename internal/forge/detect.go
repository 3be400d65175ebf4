package forge

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// ErrNowhere means that the environment is not that of a CI job for a pull request.
var ErrNowhere = errors.New("this is no CI job for a pull request")

// Detect finds out from a CI job's environment which pull request it is at work for. read reads the file of a given name.
//
// https://docs.github.com/en/actions/reference/workflows-and-actions/variables (2026-11-22), which Gitea and Forgejo have alike;
// https://docs.gitlab.com/ci/variables/predefined_variables/ (2026-11-22)
func Detect(env func(string) string, read func(string) ([]byte, error)) (Place, error) {
	switch {
	case env("GITLAB_CI") == "true":
		return detectGitLab(env)
	case env("GITHUB_ACTIONS") == "true":
		return detectActions(env, read)
	default:
		return Place{}, ErrNowhere
	}
}

func detectGitLab(env func(string) string) (Place, error) {
	p := Place{
		Kind: GitLab, API: env("CI_API_V4_URL"), Repository: env("CI_MERGE_REQUEST_PROJECT_ID"),
		Base: env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"), Head: env("CI_COMMIT_SHA"),
	}
	if sha := env("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"); sha != "" { // of a pipeline for what merging would give
		p.Head = sha
	}
	number := env("CI_MERGE_REQUEST_IID")
	if number == "" {
		return Place{}, fmt.Errorf("%w: CI_MERGE_REQUEST_IID is empty; let the job run in pipelines for merge requests", ErrNowhere)
	}
	pull, err := strconv.Atoi(number)
	if err != nil || pull <= 0 {
		return Place{}, fmt.Errorf("CI_MERGE_REQUEST_IID is %q, and no number", number)
	}
	p.Pull = pull
	return p, nil
}

// event is what a workflow is told about what has happened, as far as it matters here.
type event struct {
	PullRequest *struct {
		Number int `json:"number"`
		Base   struct {
			Ref string `json:"ref"`
		} `json:"base"`
		Head struct {
			SHA string `json:"sha"`
		} `json:"head"`
	} `json:"pull_request"`
	// WorkflowRun is another workflow that has ended. Of a pull request from a fork it does not say the number.
	WorkflowRun *struct {
		HeadSHA        string `json:"head_sha"`
		HeadBranch     string `json:"head_branch"`
		HeadRepository struct {
			Owner struct {
				Login string `json:"login"`
			} `json:"owner"`
		} `json:"head_repository"`
	} `json:"workflow_run"`
}

func detectActions(env func(string) string, read func(string) ([]byte, error)) (Place, error) {
	p := Place{Kind: GitHub, API: env("GITHUB_API_URL"), Repository: env("GITHUB_REPOSITORY")}
	if env("GITEA_ACTIONS") == "true" || env("FORGEJO_ACTIONS") == "true" {
		p.Kind, p.API = Gitea, env("GITHUB_SERVER_URL")
	}
	name := env("GITHUB_EVENT_PATH")
	src, err := read(name)
	if err != nil {
		return Place{}, fmt.Errorf("read what has happened (GITHUB_EVENT_PATH): %w", err)
	}
	var e event
	if err := json.Unmarshal(src, &e); err != nil {
		return Place{}, fmt.Errorf("read what has happened (GITHUB_EVENT_PATH, %q): %w", name, err)
	}
	switch {
	case e.PullRequest != nil && e.PullRequest.Number > 0:
		p.Pull, p.Base, p.Head = e.PullRequest.Number, e.PullRequest.Base.Ref, e.PullRequest.Head.SHA
	case e.WorkflowRun != nil && e.WorkflowRun.HeadRepository.Owner.Login != "" && e.WorkflowRun.HeadBranch != "":
		w := e.WorkflowRun
		p.Head, p.Fork = w.HeadSHA, w.HeadRepository.Owner.Login+":"+w.HeadBranch
	default:
		return Place{}, fmt.Errorf("%w: what happened is a %s", ErrNowhere, strings.TrimSpace(env("GITHUB_EVENT_NAME")))
	}
	return p, nil
}

// Home finds out on which code host a repository is at home, and the address at which people see it: a CI job is told; elsewhere the address
// of the git remote says so. POSTRIDER_FORGE names the kind of a host whose name does not tell. Nothing in it is about a pull request.
func Home(env func(string) string, remote string) (p Place, web string, err error) {
	switch {
	case env("GITLAB_CI") == "true":
		p = Place{Kind: GitLab, API: env("CI_API_V4_URL"), Repository: env("CI_PROJECT_ID")}
		web = env("CI_PROJECT_URL")
	case env("GITHUB_ACTIONS") == "true":
		p = Place{Kind: GitHub, API: env("GITHUB_API_URL"), Repository: env("GITHUB_REPOSITORY")}
		if env("GITEA_ACTIONS") == "true" || env("FORGEJO_ACTIONS") == "true" {
			p.Kind, p.API = Gitea, env("GITHUB_SERVER_URL")
		}
		if server := strings.TrimSuffix(env("GITHUB_SERVER_URL"), "/"); server != "" {
			web = server + "/" + p.Repository
		}
	default:
		host, path, ok := remoteHost(remote)
		if !ok {
			return Place{}, "", ErrNoHome
		}
		kind := kindOf(host)
		switch k := Kind(env("POSTRIDER_FORGE")); k {
		case GitHub, GitLab, Gitea:
			kind = k
		case "":
		default:
			return Place{}, "", fmt.Errorf("POSTRIDER_FORGE is %q: it must be github, gitlab or gitea", string(k))
		}
		p = Place{Kind: kind, Repository: path}
		web = "https://" + host + "/" + path
		switch kind {
		case GitHub:
			if p.API = "https://api.github.com"; host != "github.com" {
				p.API = "https://" + host + "/api/v3"
			}
		case GitLab:
			p.API = "https://" + host + "/api/v4"
		case Gitea:
			p.API = "https://" + host
		default:
			return Place{}, "", fmt.Errorf("%w: %s does not tell which it is; set POSTRIDER_FORGE to github, gitlab or gitea", ErrNoHome, host)
		}
	}
	if p.Repository == "" {
		return Place{}, "", ErrNoHome
	}
	return p, web, nil
}

// ErrNoHome means that neither a CI job nor the git remote says on which code host the repository is.
var ErrNoHome = errors.New("it is not known on which code host the repository is")

// remoteHost returns the host and the repository of a remote's address: https://HOST/OWNER/NAME.git, ssh://git@HOST/OWNER/NAME or
// git@HOST:OWNER/NAME. The port of an address for SSH is not that of the API.
func remoteHost(remote string) (host, path string, ok bool) {
	if u, err := url.Parse(remote); err == nil && u.Host != "" {
		switch u.Scheme {
		case "https", "http":
			host, path = u.Host, u.Path
		case "ssh", "git":
			host, path = u.Hostname(), u.Path
		}
	} else if before, after, found := strings.Cut(remote, ":"); found && !strings.ContainsAny(before, "/\\") && len(before) > 1 {
		host, path = before[strings.LastIndexByte(before, '@')+1:], after
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return strings.ToLower(host), path, host != "" && strings.Contains(path, "/") && !strings.ContainsAny(host+path, " ?#\\")
}

// kindOf returns which API a host has, as far as its name tells; "" where it does not.
func kindOf(host string) Kind {
	for _, known := range [...]struct {
		part string
		kind Kind
	}{{"github", GitHub}, {"gitlab", GitLab}, {"gitea", Gitea}, {"forgejo", Gitea}, {"codeberg", Gitea}} {
		if strings.Contains(host, known.part) {
			return known.kind
		}
	}
	return ""
}

// FileURL returns where a code host shows a file at a commit, "" where that is not known. web is what [Home] returns.
func FileURL(kind Kind, web, commit, path string) string {
	middle := map[Kind]string{GitHub: "/blob/", GitLab: "/-/blob/", Gitea: "/src/commit/"}[kind]
	if web == "" || commit == "" || middle == "" {
		return ""
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return web + middle + commit + "/" + strings.Join(segments, "/")
}

// RunURL returns the address of the CI job that this is, "" for none.
// Gitea and Forgejo count the runs of a repository: https://docs.gitea.com/usage/actions/variables (2026-11-22)
func RunURL(env func(string) string) string {
	switch {
	case env("GITLAB_CI") == "true":
		return env("CI_JOB_URL")
	case env("GITHUB_ACTIONS") != "true" || env("GITHUB_SERVER_URL") == "" || env("GITHUB_REPOSITORY") == "":
		return ""
	}
	run := env("GITHUB_RUN_ID")
	if env("GITEA_ACTIONS") == "true" || env("FORGEJO_ACTIONS") == "true" {
		run = env("GITHUB_RUN_NUMBER")
	}
	if run == "" {
		return ""
	}
	return strings.TrimSuffix(env("GITHUB_SERVER_URL"), "/") + "/" + env("GITHUB_REPOSITORY") + "/actions/runs/" + run
}

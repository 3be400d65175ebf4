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
	// WorkflowRun is another workflow that has ended. Of a pull request from a fork, GitHub says the branch and not the number; Gitea says
	// neither, but at which reference the workflow ran: "check.yml@refs/pull/7/head".
	WorkflowRun *struct {
		ID             int64  `json:"id"`
		Event          string `json:"event"`
		Path           string `json:"path"`
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
		p.After = e.WorkflowRun != nil
	case e.WorkflowRun != nil && e.WorkflowRun.HeadRepository.Owner.Login != "" && e.WorkflowRun.HeadBranch != "":
		w := e.WorkflowRun
		p.Head, p.Fork, p.After, p.Run = w.HeadSHA, w.HeadRepository.Owner.Login+":"+w.HeadBranch, true, w.ID
	case e.WorkflowRun != nil && pullOfRun(e.WorkflowRun.Event, e.WorkflowRun.Path) > 0:
		w := e.WorkflowRun
		p.Head, p.Pull, p.After = w.HeadSHA, pullOfRun(w.Event, w.Path), true
	default:
		return Place{}, fmt.Errorf("%w: what happened is a %s", ErrNowhere, strings.TrimSpace(env("GITHUB_EVENT_NAME")))
	}
	return p, nil
}

// pullOfRun returns the number of the pull request that a workflow has run for, by the path that Gitea gives it; 0 for none.
func pullOfRun(event, path string) int {
	_, ref, _ := strings.Cut(path, "@refs/pull/")
	number, end, _ := strings.Cut(ref, "/")
	pull, err := strconv.Atoi(number)
	if err != nil || pull <= 0 || end != "head" || event != "pull_request" {
		return 0
	}
	return pull
}

// FileURL returns where a code host shows a file at a commit, "" where that is not known.
func (p *Place) FileURL(commit, path string) string {
	middle := map[Kind]string{GitHub: "/blob/", GitLab: "/-/blob/", Gitea: "/src/commit/"}[p.Kind]
	if p.Web == "" || commit == "" || middle == "" {
		return ""
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return p.Web + middle + commit + "/" + strings.Join(segments, "/")
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

package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// gitlabIssue is one line of a report on code quality. GitLab takes "info", "minor", "major", "critical" and "blocker" as severities, and
// compares two branches by fingerprints, which must not repeat.
// https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format (2026-11-22)
type gitlabIssue struct {
	Description string         `json:"description"`
	CheckName   Code           `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
}

type gitlabLocation struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

// WriteGitLab writes the findings as a report on code quality, which GitLab shows in a merge request. What a finding is known by there
// does not depend on its line, so that one that only moves is neither new nor resolved.
func WriteGitLab(w io.Writer, l List) error {
	issues := make([]gitlabIssue, 0, len(l))
	seen := map[string]int{}
	for i := range l {
		f := &l[i]
		known := fmt.Sprintf("%s\x00%s\x00%s\x00%s", f.Path, f.Code, f.Account, f.Message)
		seen[known]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", known, seen[known]))
		issue := gitlabIssue{
			Description: f.Message, CheckName: f.Code, Fingerprint: hex.EncodeToString(sum[:16]),
			Severity: map[Severity]string{Error: "critical", Warning: "minor", Info: "info"}[f.Severity],
			Location: gitlabLocation{Path: f.Path},
		}
		if f.Account != "" {
			issue.Description = f.Account + ": " + issue.Description
		}
		if f.Hint != "" {
			issue.Description += ". " + f.Hint
		}
		issue.Location.Lines.Begin = cmp.Or(f.Range.Start.Line, 1)
		issues = append(issues, issue)
	}
	b, err := marshal(issues)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

// Whatever a run has to say ends where it should: no value ends itself, none is longer than GitLab takes, and no secret is in them.
func TestOutputsEndWhereTheyShould(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) *os.File {
		f, err := appendTo(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() }) //nolint:errcheck // read by name
		return f
	}
	var notes strings.Builder
	a := &app{Env: Env{Stderr: &notes}}
	r := &results{a: a, outputs: file("output"), dotenv: file("dotenv")}
	hostile := jsonLine([]string{"x\npublished<<EOF\n9\nEOF", "end-" + strings.Repeat("0", 64), "</details>"})
	r.give([]output{{"urls", hostile}, {"published", "1"}, {"long", strings.Repeat("x", maxDotenv)}})
	r.close()
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := outputsOf(t, read("output")); got["urls"] != hostile || got["published"] != "1" || len(got) != 3 {
		t.Errorf("GitHub reads %q", got)
	}
	if got, want := read("dotenv"), "POSTRIDER_URLS="+hostile+"\nPOSTRIDER_PUBLISHED=1\n"; got != want {
		t.Errorf("GitLab reads %q, want %q", got, want)
	}
	if !strings.Contains(notes.String(), "long is too long for a dotenv report") {
		t.Errorf("nothing is said of what was left out: %q", notes.String())
	}
}

// outputsOf reads a file of outputs as GitHub's runner does.
func outputsOf(t *testing.T, text string) map[string]string {
	t.Helper()
	all := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		name, mark, ok := strings.Cut(lines[i], "<<")
		if !ok {
			t.Fatalf("line %d is %q", i+1, lines[i])
		}
		var value []string
		for i++; i < len(lines) && lines[i] != mark; i++ {
			value = append(value, lines[i])
		}
		all[name] = strings.Join(value, "\n")
	}
	return all
}

// A summary is a heading and tables, whatever people, networks and errors say, and never longer than GitHub takes.
func TestSummaries(t *testing.T) {
	now := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	hostile := "| a | b |\n\n# @all [x](javascript:alert(1)) <img src=x> `" + strings.Repeat("&", 5000)
	r := &publish.Report{At: now, RecordErr: errors.New("refused: <b>" + hostile)}
	for range 300 {
		r.Deliveries = append(r.Deliveries,
			publish.Delivery{Title: hostile, Account: "x", Outcome: "published", Parts: []platform.Remote{{ID: "1", URL: "https://x.example/a|b>c d"}}},
			publish.Delivery{Path: "content/a.md", Account: "x", Outcome: "unknown", Err: errors.New(hostile), Parts: []platform.Remote{{ID: "1", URL: "javascript:alert(1)"}}},
			publish.Delivery{Title: "t", Account: "x", Outcome: "updated"}, publish.Delivery{Title: "t", Account: "x", Outcome: "denied"})
		r.Waiting = append(r.Waiting, plan.Waiting{Target: plan.Target{Title: hostile, Account: "x"}, State: plan.WaitFirstRun, Reason: hostile})
	}
	r.Waiting = append(r.Waiting, plan.Waiting{Target: plan.Target{Title: "Next | one", Account: "fedi"}, State: plan.WaitScheduled, Until: now.Add(time.Hour)})
	var findings finding.List
	for range 300 {
		findings = append(findings, finding.Finding{Code: "C101", Severity: finding.Error, Path: hostile, Message: hostile, Hint: hostile}, finding.Finding{Severity: finding.Info, Path: "remark"})
	}
	for name, text := range map[string]string{"publish": publishSummary(r), "check": checkSummary(findings, 7, 0)} {
		if len(text) > summaryLimit {
			t.Errorf("%s: %d bytes, want at most %d", name, len(text), summaryLimit)
		}
		for line := range strings.Lines(text) {
			switch {
			case line == "\n", strings.HasPrefix(line, "### Postrider: "), strings.HasPrefix(line, "| "), strings.HasPrefix(line, "|---|"), strings.HasPrefix(line, "… and "),
				strings.HasPrefix(line, "**The results could not be pushed:** refused: &#60;b&#62;"), strings.HasPrefix(line, "1 delivery waits"):
			default:
				t.Fatalf("%s has the line %q", name, line)
			}
			for _, bad := range []string{"<img", "](javascript", "@all", "<javascript"} {
				if strings.Contains(line, bad) {
					t.Fatalf("%s has %q in the line %q", name, bad, line)
				}
			}
		}
	}
	text := publishSummary(r)
	for _, want := range []string{
		"### Postrider: 300 published, 300 changed, 300 failed, 300 unknown\n", "](<https://x.example/a%7Cb%3Ec%20d>)", "| updated | t | x |  |\n", "| **denied** | t | x |  |\n",
		"1 delivery waits for a time or a condition. Next: Next &#124; one on fedi, Tue 1 Dec 2026 09:00 UTC.\n", "… and ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the summary has no %q", want)
		}
	}
	if got, want := publishSummary(&publish.Report{At: now}), "### Postrider: nothing to send\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := publishOutputs(r)[3].value, `["https://x.example/a|b\u003ec d",`; !strings.HasPrefix(got, want) {
		t.Errorf("the addresses begin with %.60s, want %s", got, want)
	}
}

package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// resultFlags are the flags that say where a CI service finds what a run has to say, besides its output.
type resultFlags struct{ summary, outputs string }

func (f *resultFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.summary, "summary", "", "add a summary in Markdown to `FILE`; without it, to the step's in GitHub Actions")
}

func (f *resultFlags) addOutputs(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.outputs, "outputs", "", "add what came of it to `FILE`, a variable a line, as GitLab takes it for a dotenv report")
}

// results are the files that a CI service reads once the run is over. They are opened before anything is done, so that a file that
// cannot be written to keeps a run from beginning, and never from telling what it did.
type results struct {
	a       *app
	summary *os.File // Markdown for people; nil for nowhere
	outputs *os.File // of a step of GitHub Actions; nil for nowhere
	dotenv  *os.File // GitLab's; nil for nowhere
}

// The variables with which GitHub Actions names its files. Gitea and Forgejo set them, too; Gitea shows summaries since version 1.27.
//
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands (2026-11-22)
const (
	summaryVariable = "GITHUB_STEP_SUMMARY"
	outputsVariable = "GITHUB_OUTPUT"
)

// summaryLimit is how long a summary gets. GitHub drops one of more than 1 MiB whole; the same step may have written some already.
const summaryLimit = 1<<20 - 1<<16

// openResults opens what the flags and the CI service name. The caller closes it.
func (a *app) openResults(f resultFlags) (_ *results, err error) {
	r := &results{a: a}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	named := func(flag, name string) (*os.File, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(a.dir, name)
		}
		file, err := appendTo(name)
		if err != nil {
			return nil, &usageError{msg: fmt.Sprintf("--%s: %v", flag, err), hint: "name a file in a folder that exists and may be written to"}
		}
		return file, nil
	}
	offered := func(variable string) *os.File {
		name := a.Getenv(variable)
		if name == "" || a.Getenv("GITHUB_ACTIONS") != "true" {
			return nil
		}
		file, err := appendTo(name)
		if err != nil { // the service's own affair: what people see in the log is complete
			a.notef("%s %s: %v", a.stderrStyle().yellow("note:"), variable, err)
			return nil
		}
		return file
	}
	if f.summary != "" {
		if r.summary, err = named("summary", f.summary); err != nil {
			return nil, err
		}
	} else {
		r.summary = offered(summaryVariable)
	}
	if f.outputs != "" {
		if r.dotenv, err = named("outputs", f.outputs); err != nil {
			return nil, err
		}
	}
	r.outputs = offered(outputsVariable)
	return r, nil
}

func appendTo(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
}

func (r *results) close() {
	for _, f := range []*os.File{r.summary, r.outputs, r.dotenv} {
		if f != nil {
			f.Close() //nolint:errcheck // what could not be written has been said
		}
	}
}

// say adds Markdown to the summary.
func (r *results) say(markdown string) {
	r.write(r.summary, r.a.scrub(markdown)+"\n")
}

// output is a value that later steps or jobs can use.
type output struct {
	name  string // lower case
	value string // one line
}

// maxDotenv is how large a dotenv report may be; GitLab refuses a larger one, and with it the job's artefacts.
//
// https://docs.gitlab.com/administration/instance_limits/#limit-dotenv-file-size (2026-11-22)
const maxDotenv = 5 << 10

// give writes outputs in the forms of those who read them: for GitHub Actions between lines that no value can contain, for GitLab as
// POSTRIDER_NAME=value, without those that would make the report too large.
func (r *results) give(outputs []output) {
	var actions, dotenv strings.Builder
	for _, o := range outputs {
		o.value = r.a.scrub(o.value)
		mark := endOf(o.value)
		fmt.Fprintf(&actions, "%s<<%s\n%s\n%s\n", o.name, mark, o.value, mark)
		line := fmt.Sprintf("POSTRIDER_%s=%s\n", strings.ToUpper(o.name), o.value)
		if r.dotenv != nil && dotenv.Len()+len(line) > maxDotenv {
			r.a.notef("%s %s is too long for a dotenv report, and left out of %s", r.a.stderrStyle().yellow("note:"), o.name, r.a.shown(r.dotenv.Name()))
			continue
		}
		dotenv.WriteString(line)
	}
	r.write(r.outputs, actions.String())
	r.write(r.dotenv, dotenv.String())
}

// endOf returns a line that ends a value and cannot be in it, whoever wrote it: nobody can put the digest of a text into that text.
func endOf(value string) string {
	sum := sha256.Sum256([]byte(value))
	return "end-" + hex.EncodeToString(sum[:])
}

// write adds to a file. What was done is done: that it cannot be told there is a note.
func (r *results) write(f *os.File, text string) {
	if f == nil {
		return
	}
	if _, err := f.WriteString(text); err != nil {
		r.a.notef("%s what came of it could not be written: %v", r.a.stderrStyle().yellow("note:"), err)
	}
}

// jsonLine writes a list as JSON on one line.
func jsonLine(list []string) string {
	b, _ := json.Marshal(list) // strings cannot fail
	return string(b)
}

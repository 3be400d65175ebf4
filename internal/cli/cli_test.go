package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/platform"
)

// run runs the program in dir and returns its exit code and what it printed.
func run(t *testing.T, dir string, change func(*Env), args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := Env{
		Args: args, Dir: dir, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Now:      func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) },
		Zone:     func() string { return "" },
		Wait:     func(context.Context, time.Duration) error { return nil },
		Rand:     strings.NewReader(strings.Repeat("0123456789", 10)),
		Registry: adapters.All(),
	}
	if change != nil {
		change(&env)
	}
	code = Main(env)
	return code, out.String(), errs.String()
}

// Every verb says what it does, shows how, and has its place; whoever writes a new one learns it here.
func TestEveryVerbIsDescribed(t *testing.T) {
	a := &app{Env: Env{Registry: adapters.All()}}
	for _, c := range a.root().Commands() {
		t.Run(c.Name(), func(t *testing.T) {
			switch {
			case c.Short == "" || strings.HasSuffix(c.Short, ".") || len(c.Short) > 70:
				t.Errorf("Short is %q: want up to 70 bytes without a full stop", c.Short)
			case c.GroupID == "":
				t.Error("it is in no group of the help text")
			case c.Long == "" || c.Example == "":
				t.Error("it has no Long text or no Example")
			case c.RunE == nil || c.Run != nil:
				t.Error("it has no RunE: a verb returns its error, and report prints it")
			}
			for _, line := range strings.Split(c.Long, "\n") {
				if len([]rune(line)) > 110 {
					t.Errorf("a line of its help is too long for a terminal: %q", line)
				}
			}
			for _, line := range strings.Split(c.Example, "\n") {
				if !strings.HasPrefix(line, "  ") {
					t.Errorf("the example %q is not indented by two blanks", line)
				}
			}
			if f := c.Flags().Lookup("json"); f == nil && c.Name() != "init" && c.Name() != "demo" && c.Name() != "preview" && c.Name() != "daemon" {
				t.Error("it reports, but has no --json")
			}
			c.Flags().VisitAll(func(f *pflag.Flag) {
				if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
					t.Errorf("the usage of --%s is %q: want words without a full stop", f.Name, f.Usage)
				}
			})
		})
	}
}

// The examples in the help texts are commands that exist, with flags that exist.
func TestExamplesExist(t *testing.T) {
	a := &app{Env: Env{Registry: adapters.All()}}
	root := a.root()
	for _, c := range root.Commands() {
		for _, line := range strings.Split(c.Example, "\n") {
			_, command, ok := strings.Cut(line, "postrider ")
			if !ok {
				continue
			}
			command, _, _ = strings.Cut(command, "#")
			command, _, _ = strings.Cut(command, "|")
			words := strings.Fields(command)
			verb, _, err := root.Find(words)
			if err != nil || verb == root {
				t.Errorf("%s: %q names no verb", c.Name(), line)
				continue
			}
			checkFlags(t, verb, words)
		}
	}
}

func checkFlags(t *testing.T, verb *cobra.Command, words []string) {
	t.Helper()
	for _, w := range words {
		name, isFlag := strings.CutPrefix(strings.Trim(w, `")`), "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && verb.Flags().Lookup(name) == nil && verb.InheritedFlags().Lookup(name) == nil {
			t.Errorf("an example of %s has the unknown flag --%s", verb.Name(), name)
		}
	}
}

func TestInterruptEndsAWaitForInput(t *testing.T) {
	interrupt := make(chan os.Signal, 1)
	stdin, _ := io.Pipe() // never says anything
	code, stdout, stderr := run(t, t.TempDir(), func(e *Env) {
		e.Stdin, e.StdinTerminal, e.Interrupt = stdin, true, interrupt
		interrupt <- os.Interrupt
	}, "count")
	if code != ExitFailed || stdout != "" || !strings.HasSuffix(stderr, "postrider: interrupted\n") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestColours(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name   string
		args   []string
		change func(*Env)
		want   bool
	}{
		{"terminal", nil, func(e *Env) { e.StderrTerminal = true }, true},
		{"no terminal", nil, nil, false},
		{"NO_COLOR", nil, func(e *Env) { e.StderrTerminal, e.Environ = true, []string{"NO_COLOR=1"} }, false},
		{"NO_COLOR is empty", nil, func(e *Env) { e.StderrTerminal, e.Environ = true, []string{"NO_COLOR=1", "NO_COLOR="} }, true},
		{"TERM=dumb", nil, func(e *Env) { e.StderrTerminal, e.Environ = true, []string{"TERM=dumb"} }, false},
		{"--no-color", []string{"--no-color"}, func(e *Env) { e.StderrTerminal = true }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := run(t, dir, c.change, append(c.args, "check")...)
			if got := strings.Contains(stderr, "\x1b["); got != c.want || code != ExitUsage {
				t.Errorf("exit code %d, colours %t, want %t: %q", code, got, c.want, stderr)
			}
		})
	}
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		err        error
		code       int
		wantStderr string
	}{
		{nil, ExitDone, ""},
		{fmt.Errorf("wrapped: %w", errFindings), ExitFindings, ""},
		{&usageError{"no such thing", "look it up"}, ExitUsage, "postrider: no such thing\nhint: look it up\n"},
		{&usageError{msg: "a line\n\x1b[2Jbreak"}, ExitUsage, "postrider: a line\n\ufffd[2Jbreak\n"},
		{errors.New("the token hunter2-hunter2 is old"), ExitFailed, "postrider: the token [redacted] is old\n"},
		{fmt.Errorf("read it: %w", os.ErrPermission), ExitFailed, "postrider: read it: permission denied\nhint: check who may read and write that file\n"},
		{fmt.Errorf("%w: in \"/x\"", gitrepo.ErrNoRepository), ExitUsage, "postrider: not a git repository: in \"/x\"\nhint: posts are published from git: run `git init` in the site's folder, or -C DIR works in another one\n"},
		{
			&platform.MissingSecretError{Account: "fedi", Names: []string{"POSTRIDER_FEDI_ACCESS_TOKEN"}, Specs: []platform.SecretSpec{{Help: "A token."}}}, ExitUsage,
			"postrider: account \"fedi\" lacks its secret: set POSTRIDER_FEDI_ACCESS_TOKEN\nhint: POSTRIDER_FEDI_ACCESS_TOKEN: A token. It belongs in the environment, or for local use in .env.\n",
		},
		{
			fmt.Errorf("fedi: %w", &platform.Error{Outcome: platform.Denied, Op: "verify", Message: "no", Hint: "get a new token", Status: 401}), ExitFailed,
			"postrider: fedi: verify: no (HTTP 401)\nhint: get a new token\n",
		},
	} {
		var stderr bytes.Buffer
		a := &app{Env: Env{Stderr: &stderr, Environ: []string{"SECRET=hunter2-hunter2"}}}
		a.lookup("SECRET")
		if code := a.report(c.err); code != c.code || stderr.String() != c.wantStderr {
			t.Errorf("%v: exit code %d, want %d, stderr\n%s\nwant\n%s", c.err, code, c.code, stderr.String(), c.wantStderr)
		}
	}
}

func TestLogHasNoSecrets(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{Env: Env{Stderr: &stderr}, verbose: true, dotenv: map[string]string{"TOKEN": "hunter2-hunter2"}}
	a.log = a.newLog()
	if got := a.lookup("TOKEN"); got != "hunter2-hunter2" {
		t.Fatalf("lookup gives %q", got)
	}
	a.log.Debug("request", "header", "Bearer hunter2-hunter2")
	if got := stderr.String(); !strings.Contains(got, `header="Bearer [redacted]"`) {
		t.Errorf("the log says %q", got)
	}
}

func TestEnvironmentWins(t *testing.T) {
	a := &app{Env: Env{Environ: []string{"A=old", "A=env", "EMPTY="}}, dotenv: map[string]string{"A": "file", "B": "file", "EMPTY": "file"}}
	for name, want := range map[string]string{"A": "env", "B": "file", "C": "", "EMPTY": "file"} {
		if got := a.lookup(name); got != want {
			t.Errorf("lookup(%q) = %q, want %q", name, got, want)
		}
	}
}

// Package cli is the command line: one file for each verb, and all printing, hints and exit codes.
//
// # Output
//
// Results go to stdout; progress, logs and errors to stderr, so that a result can always be piped.
// With --json a verb prints exactly one JSON value, in the shape that docs/JSON.md promises. Colours and progress
// bars need a terminal. An error is printed once, as `postrider: …`, in lower case and without a full stop, with
// what to do about it on a line that begins with `hint: `.
//
// # Exit codes
//
// See [ExitDone], [ExitFindings], [ExitUsage] and [ExitFailed].
package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/secret"
)

// The exit codes of every verb.
const (
	// ExitDone means that everything went well.
	ExitDone = 0
	// ExitFindings means that the work was done, with error findings or with deliveries that did not end well.
	ExitFindings = 1
	// ExitUsage means wrong usage or configuration: flags, arguments, site.yaml, a missing secret.
	ExitUsage = 2
	// ExitFailed means that the work could not be done: files, git or a network failed.
	ExitFailed = 3
)

// app is one run of the program.
type app struct {
	Env
	dir     string // the folder to work in: Env.Dir, or -C
	verbose bool
	noColor bool
	log     *slog.Logger

	// stop is closed at the first interrupt. A verb that ends by itself then calls a.graceful first;
	// for all others the context is cancelled at once.
	stop     chan struct{}
	patience sync.Once
	patient  chan struct{} // closed by graceful

	mu      sync.Mutex
	secrets []secret.String // every secret that was looked at, to be kept out of what is printed
	dotenv  map[string]string
}

// Main runs the program and returns its exit code.
func Main(env Env) int {
	collectLate()
	out := &stickyWriter{w: env.Stdout}
	env.Stdout = out
	a := &app{Env: env, dir: env.Dir, stop: make(chan struct{}), patient: make(chan struct{})}
	a.log = a.newLog()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	go a.heed(ctx, cancel)

	root := a.root()
	root.SetArgs(env.Args)
	err := root.ExecuteContext(ctx)
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		if err == context.Canceled { //nolint:errorlint // what wraps it says more, and is kept
			err = cause
		} else {
			err = fmt.Errorf("%w: %w", cause, err)
		}
	}
	if out.err != nil {
		err = fmt.Errorf("write the result: %w", out.err)
	}
	return a.report(err)
}

// heed turns interrupts into the end of the run: see app.stop.
func (a *app) heed(ctx context.Context, cancel context.CancelCauseFunc) {
	select {
	case <-ctx.Done():
		return
	case <-a.Interrupt:
	}
	close(a.stop)
	select {
	case <-a.patient: // the verb ends by itself, unless asked again
		select {
		case <-ctx.Done():
			return
		case <-a.Interrupt:
		}
	default:
	}
	cancel(errInterrupted)
	if a.Release != nil {
		a.Release()
	}
}

// graceful says that the verb watches a.stop itself and ends soon after it is closed; its context lives
// on until a second interrupt.
func (a *app) graceful() { a.patience.Do(func() { close(a.patient) }) }

// root returns the command tree. Commands are cheap to make; what a verb needs is loaded when it runs.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "postrider",
		Short: "Publish social media from a git repository",
		Long: `Postrider publishes social media from a git repository. A post is a Markdown file with
front matter; merging it is the approval; when it comes due, it is sent to every network it
names, exactly once, and what happened is recorded in git.

Start with "postrider init", then "postrider new TITLE". "postrider demo" shows everything
without an account.`,
		Version:           buildVersion().String(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.log = a.newLog()
			return a.enterDir()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(flagError)
	global := root.PersistentFlags()
	global.StringVarP(&a.dir, "dir", "C", a.dir, "work in `DIR` instead of the current folder")
	global.Lookup("dir").DefValue = ""
	global.BoolVarP(&a.verbose, "verbose", "v", false, "log what is being done to stderr")
	global.BoolVar(&a.noColor, "no-color", false, "no colours, also on a terminal (as NO_COLOR does)")

	root.AddGroup(
		&cobra.Group{ID: groupWrite, Title: "Write:"},
		&cobra.Group{ID: groupPublish, Title: "Publish:"},
		&cobra.Group{ID: groupKnow, Title: "Look up:"},
	)
	root.AddCommand(a.verbs()...)
	root.SetHelpCommand(helpCommand())
	return root
}

// helpCommand is for those who type "postrider help VERB"; --help says the same.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "help [VERB]",
		Hidden: true,
		Args:   argsBetween(0, 1, "one verb"),
		RunE: func(cmd *cobra.Command, args []string) error {
			verb, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if err := noArgs(verb, rest); err != nil {
				return err
			}
			verb.InitDefaultHelpFlag()
			verb.InitDefaultVersionFlag()
			return verb.Help()
		},
	}
}

// The groups of verbs in the help text.
const (
	groupWrite   = "write"
	groupPublish = "publish"
	groupKnow    = "know"
)

const helpTemplate = `{{with or .Long .Short}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}`

const usageTemplate = `Usage:
  {{if .HasParent}}{{.UseLine}}{{else}}postrider VERB [flags]{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}
{{- end}}
{{- $root := .}}{{range .Groups}}{{$group := .}}

{{.Title}}
{{- range $root.Commands}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}
{{- end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{- end}}
{{- if .HasAvailableInheritedFlags}}

Flags of every verb:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}
{{- end}}
{{- if not .HasParent}}

Exit codes: 0 done; 1 done, with error findings or deliveries that did not end well; 2 wrong usage or
configuration; 3 could not run. "postrider VERB --help" tells more about a verb.
{{- end}}
`

// verbs returns all commands. Each is one file.
func (a *app) verbs() []*cobra.Command {
	return []*cobra.Command{
		a.initCommand(),
		a.newCommand(),
		a.checkCommand(),
		a.explainCommand(),
		a.renderCommand(),
		a.countCommand(),
		a.cardsCommand(),
		a.previewCommand(),
		a.buildCommand(),
		a.demoCommand(),
		a.adoptCommand(),
		a.daemonCommand(),
		a.doctorCommand(),
		a.holdCommand(),
		a.notifyCommand(),
		a.planCommand(),
		a.reviewCommand(),
		a.platformsCommand(),
		a.publishCommand(),
		a.resolveCommand(),
		a.statusCommand(),
		a.withdrawCommand(),
		a.schemaCommand(),
		a.versionCommand(),
	}
}

// enterDir makes a.dir absolute and proves that it is a folder.
func (a *app) enterDir() error {
	if !filepath.IsAbs(a.dir) {
		a.dir = filepath.Join(a.Dir, a.dir)
	}
	a.dir = filepath.Clean(a.dir)
	if fi, err := os.Stat(a.dir); err != nil || !fi.IsDir() {
		if a.dir == filepath.Clean(a.Dir) {
			return nil // not every verb needs the folder; those that do will say what is wrong with it
		}
		return &usageError{msg: fmt.Sprintf("%q is not a folder", a.dir), hint: "-C takes the folder to work in"}
	}
	return nil
}

// scrub removes every secret that the program has looked at from a text that is about to be printed.
func (a *app) scrub(text string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return secret.Scrub(text, a.secrets...)
}

// noArgs refuses arguments, and for the root suggests the verb that was meant.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasParent() {
		hint := "`postrider --help` lists the verbs"
		if near := nearestVerb(cmd, args[0]); near != "" {
			hint = fmt.Sprintf("did you mean `postrider %s`?", near)
		}
		return &usageError{msg: fmt.Sprintf("unknown verb %q", args[0]), hint: hint}
	}
	return usagef(cmd, "takes no arguments, and %q is one", args[0])
}

// nearestVerb returns the verb that was most likely meant, "" when none is close.
func nearestVerb(root *cobra.Command, word string) string {
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	if near := content.Nearest(word, names); near != "" {
		return near
	}
	for _, name := range names {
		if len(word) > 1 && strings.HasPrefix(name, strings.ToLower(word)) {
			return name
		}
	}
	return ""
}

// argsBetween accepts low to high arguments; what says what they are.
func argsBetween(low, high int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return usagef(cmd, "needs %s", what)
		case len(args) > high:
			return usagef(cmd, "takes %s, and %q is too much", what, args[high])
		}
		return nil
	}
}

// exclusive refuses two flags that were given together, of which one must not be.
func exclusive(cmd *cobra.Command, flag string, others ...string) error {
	for _, other := range others {
		if cmd.Flags().Changed(flag) && cmd.Flags().Changed(other) {
			return usagef(cmd, "takes either --%s or --%s", flag, other)
		}
	}
	return nil
}

// flagError turns pflag's errors into ours, with the nearest flag for an unknown one.
func flagError(cmd *cobra.Command, err error) error {
	e := &usageError{msg: err.Error(), hint: seeHelp(cmd)}
	if unknown, ok := err.(*pflag.NotExistError); ok && unknown.GetSpecifiedShortnames() == "" { //nolint:errorlint // pflag does not wrap it
		var names []string
		add := func(f *pflag.Flag) { names = append(names, f.Name) }
		cmd.Flags().VisitAll(add)
		cmd.InheritedFlags().VisitAll(add)
		e.msg = fmt.Sprintf("unknown flag --%s", unknown.GetSpecifiedName())
		if near := content.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			e.hint = fmt.Sprintf("did you mean --%s?", near)
		}
	}
	return e
}

// seeHelp points at the help text of a verb.
func seeHelp(cmd *cobra.Command) string { return fmt.Sprintf("see `%s --help`", cmd.CommandPath()) }

package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// gitCmd runs the git binary on one repository.
type gitCmd struct {
	path    string
	gitDir  string
	dir     string   // where it works, at the top as git itself does: that is where relative addresses of remotes begin
	environ []string // nil: that of this process
}

// gitError is a git process that failed.
type gitError struct {
	command string
	code    int
	stderr  string
	stdout  []byte
	err     error
}

func (e *gitError) Error() string {
	if e.stderr != "" {
		return fmt.Sprintf("git %s: %s", e.command, redactURLs(e.stderr))
	}
	return fmt.Sprintf("git %s: %v", e.command, e.err)
}

func (e *gitError) Unwrap() error { return e.err }

// command prepares a git process: it never asks anybody for anything, speaks English, and is not
// misled by what a git hook that started us has put into the environment.
func (g *gitCmd) command(ctx context.Context, extraEnv []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.path, append([]string{"--git-dir=" + g.gitDir, "--no-pager"}, args...)...) //nolint:gosec // the binary that Options names
	cmd.Dir = g.dir
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = g.environ
	env := make([]string, 0, 64)
	for _, kv := range cmd.Environ() {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
			"GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_TRACE", "GIT_TRACE_CURL", "GIT_CURL_VERBOSE",
			"GIT_TRACE_PACKET", "GIT_REFLOG_ACTION", "LANG", "LANGUAGE", "PWD":
		default:
			env = append(env, kv)
		}
	}
	cmd.Env = append(append(env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GCM_INTERACTIVE=never", "GIT_OPTIONAL_LOCKS=0"), extraEnv...)
	return cmd
}

// output runs git and returns what it printed.
func (g *gitCmd) output(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	return g.outputEnv(ctx, nil, stdin, args...)
}

func (g *gitCmd) outputEnv(ctx context.Context, env []string, stdin io.Reader, args ...string) ([]byte, error) {
	return g.finish(ctx, g.command(ctx, env, args...), stdin, args)
}

// remote runs a command that talks to a remote, which may be a folder of this machine, and which ends with its children.
func (g *gitCmd) remote(ctx context.Context, folder bool, env []string, args ...string) ([]byte, error) {
	cmd := g.command(ctx, env, args...)
	cmd.WaitDelay = time.Second
	ownGroup(cmd, folder)
	out, err := g.finish(ctx, cmd, nil, args)
	if ctx.Err() != nil {
		endGroup(cmd, folder)
	}
	return out, err
}

// finish runs a command that is prepared.
func (g *gitCmd) finish(ctx context.Context, cmd *exec.Cmd, stdin io.Reader, args []string) ([]byte, error) {
	cmd.Stdin = stdin
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return out, &gitError{
			command: subcommand(args), code: cmd.ProcessState.ExitCode(),
			stderr: strings.TrimSpace(stderr.String()), stdout: out, err: err,
		}
	}
	return out, nil
}

// subcommand returns "push" of -c a=b push …
func subcommand(args []string) string {
	for i := 0; i < len(args); i++ {
		if args[i] == "-c" {
			i++
			continue
		}
		return args[i]
	}
	return ""
}

// exitCode returns a git process's exit code, -1 when err is something else.
func exitCode(err error) int {
	if e, ok := errors.AsType[*gitError](err); ok {
		return e.code
	}
	return -1
}

// revParse returns the object that an expression names, Zero when none.
func (g *gitCmd) revParse(rev string) (Hash, error) {
	out, err := g.output(context.Background(), nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev)
	if err != nil {
		if c := exitCode(err); c == 1 || c == 128 {
			return Zero, nil
		}
		return Zero, err
	}
	lines := strings.Fields(string(out))
	if len(lines) == 0 {
		return Zero, nil
	}
	return Hash(lines[len(lines)-1]), nil
}

// tracked reports whether the index lists a path.
func (g *gitCmd) tracked(path string) (bool, error) {
	out, err := g.output(context.Background(), nil, "ls-files", "--cached", "-z", "--full-name", "--", ":(top,literal)"+path)
	return len(out) > 0, err
}

// gitBackend reads the repository through the git binary.
type gitBackend struct {
	repo *Repo
	*gitCmd

	mu    sync.Mutex
	batch *batch
}

func newGitBackend(r *Repo) *gitBackend { return &gitBackend{repo: r, gitCmd: r.git} }

func (g *gitBackend) name() string { return "git" }

// batch is a running git cat-file --batch.
type batch struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer
}

func (b *batch) close() error {
	b.stdin.Close() //nolint:errcheck // it ends the process, whose state is what counts
	return b.cmd.Wait()
}

// object asks the running cat-file; if that has died, a new one is asked once.
func (g *gitBackend) object(id Hash) (objectKind, []byte, error) {
	if !g.repo.format.valid(string(id)) {
		return "", nil, fmt.Errorf("%w: %q", errMissing, id)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for try := 0; ; try++ {
		if g.batch == nil {
			b, err := g.startBatch()
			if err != nil {
				return "", nil, err
			}
			g.batch = b
		}
		kind, data, err := g.batch.ask(id)
		if err == nil || errors.Is(err, errMissing) {
			return kind, data, err
		}
		g.batch.close() //nolint:errcheck // it is broken
		words := redactURLs(strings.TrimSpace(g.batch.stderr.String()))
		g.batch = nil
		if try > 0 {
			return "", nil, fmt.Errorf("object %s: git cat-file: %w: %s", id.Short(), err, words)
		}
	}
}

func (g *gitBackend) startBatch() (*batch, error) {
	b := &batch{cmd: g.command(context.Background(), nil, "cat-file", "--batch")}
	b.cmd.Stderr = &b.stderr
	var err error
	if b.stdin, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	b.stdout = bufio.NewReaderSize(out, 64<<10)
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	return b, nil
}

func (b *batch) ask(id Hash) (objectKind, []byte, error) {
	if _, err := io.WriteString(b.stdin, string(id)+"\n"); err != nil {
		return "", nil, err
	}
	line, err := b.stdout.ReadString('\n')
	if err != nil {
		return "", nil, err
	}
	return readBatchAnswer(line, b.stdout)
}

// readBatchAnswer reads "<id> <type> <size>", the content and a line break; or "<id> missing".
func readBatchAnswer(line string, r io.Reader) (objectKind, []byte, error) {
	f := strings.Fields(line)
	if len(f) == 2 && f[1] == "missing" {
		return "", nil, fmt.Errorf("%w: %s", errMissing, f[0])
	}
	if len(f) != 3 {
		return "", nil, fmt.Errorf("%w: unexpected answer %q", errCorrupt, line)
	}
	n, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil || n < 0 || n > maxObject {
		return "", nil, fmt.Errorf("%w: size %q", errCorrupt, f[2])
	}
	data := make([]byte, n+1)
	if _, err := io.ReadFull(r, data); err != nil {
		return "", nil, err
	}
	if data[n] != '\n' {
		return "", nil, fmt.Errorf("%w: answer is longer than announced", errCorrupt)
	}
	return objectKind(f[1]), data[:n:n], nil
}

func (g *gitBackend) ref(name string) (Hash, error) {
	out, err := g.output(context.Background(), nil, "rev-parse", "--verify", "--quiet", name)
	if exitCode(err) == 1 {
		return Zero, nil
	}
	if err != nil {
		return Zero, err
	}
	return Hash(strings.TrimSpace(string(out))), nil
}

func (g *gitBackend) symref(name string) (string, error) {
	out, err := g.output(context.Background(), nil, "symbolic-ref", "--quiet", name)
	if exitCode(err) == 1 {
		return "", nil
	}
	return strings.TrimSpace(string(out)), err
}

func (g *gitBackend) expand(rev string) (Hash, error) { return g.revParse(rev) }

// updateRef lets git take the lock. Why git failed is read from the repository, not from its words.
func (g *gitBackend) updateRef(ctx context.Context, u refUpdate) error {
	name, email, _ := strings.Cut(u.who, " <")
	email = strings.TrimSuffix(email, ">")
	env := []string{
		"GIT_COMMITTER_NAME=" + name, "GIT_COMMITTER_EMAIL=" + email,
		"GIT_COMMITTER_DATE=@" + gitTime(u.when),
	}
	return waitForLock(ctx, g.repo.opts, func() (string, error) {
		_, err := g.outputEnv(ctx, env, nil, "update-ref", "--no-deref", "-m", u.reason, u.name,
			string(u.new), g.repo.format.orZeros(u.old))
		if err == nil || ctx.Err() != nil {
			return "", err
		}
		have, refErr := g.ref(u.name)
		if refErr == nil && have != u.old {
			return "", &MovedError{Ref: u.name, Want: u.old, Have: have}
		}
		for _, lock := range []string{
			filepath.Join(g.repo.layout.commonDir, filepath.FromSlash(u.name)+".lock"),
			filepath.Join(g.repo.layout.commonDir, "reftable", "tables.list.lock"),
		} {
			if _, statErr := os.Lstat(lock); statErr == nil {
				return lock, err
			}
		}
		if strings.Contains(err.Error(), "ermission denied") || strings.Contains(err.Error(), "ead-only file system") ||
			strings.Contains(err.Error(), "No space left") {
			return "", fmt.Errorf("%w: %w", ErrNotWritable, err)
		}
		return "", err
	})
}

// Close ends the helper process.
func (g *gitBackend) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.batch == nil {
		return nil
	}
	b := g.batch
	g.batch = nil
	return b.close()
}

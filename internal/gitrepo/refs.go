package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// checkRefName applies the rules of git check-ref-format to a full reference name.
func checkRefName(name string) error {
	bad := func(why string) error { return fmt.Errorf("%q is not a reference name: %s", name, why) }
	if !strings.Contains(name, "/") {
		return bad("it has no slash")
	}
	if strings.HasSuffix(name, ".") || strings.Contains(name, "..") || strings.Contains(name, "@{") {
		return bad(`it ends in ".", or has ".." or "@{"`)
	}
	for i := range len(name) {
		if c := name[i]; c < 0x20 || c == 0x7f || strings.IndexByte(` ~^:?*[\`, c) >= 0 {
			return bad(fmt.Sprintf("it has %q", c))
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return bad(`a part is empty, starts with "." or ends in ".lock"`)
		}
	}
	return nil
}

// fileRefs reads and moves references that are files, as git does, with git's own locks.
type fileRefs struct {
	layout layout
	format objectFormat
	opts   Options
}

// path returns the file of a reference: some belong to one work tree only.
func (r *fileRefs) path(name string) string {
	dir := r.layout.commonDir
	if !strings.HasPrefix(name, "refs/") || strings.HasPrefix(name, "refs/worktree/") ||
		strings.HasPrefix(name, "refs/bisect/") || strings.HasPrefix(name, "refs/rewritten/") {
		dir = r.layout.gitDir
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// read returns what a reference says: an id or another reference's name; both empty when absent.
func (r *fileRefs) read(name string) (id Hash, target string, err error) {
	b, err := os.ReadFile(r.path(name))
	switch {
	case err == nil:
		line := strings.TrimRight(string(b), " \t\r\n")
		if t, ok := strings.CutPrefix(line, "ref:"); ok {
			return Zero, strings.TrimSpace(t), nil
		}
		line, _, _ = strings.Cut(line, "\n")
		if !r.format.valid(line) {
			return Zero, "", fmt.Errorf("reference %q: %w: the file does not hold an object id", name, errCorrupt)
		}
		return Hash(line), "", nil
	case errors.Is(err, fs.ErrNotExist), isDir(err):
	default:
		return Zero, "", fmt.Errorf("reference %q: %w", name, err)
	}
	packed, err := r.packed()
	if err != nil {
		return Zero, "", err
	}
	return findPackedRef(packed, name, r.format), "", nil
}

// isDir reports whether err says that a folder is where a file was expected, or the reverse.
func isDir(err error) bool {
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR) {
		return true
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		fi, statErr := os.Stat(p.Path)
		return statErr == nil && fi.IsDir()
	}
	return false
}

func (r *fileRefs) packed() ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(r.layout.commonDir, "packed-refs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("packed references: %w", err)
	}
	return b, nil
}

// findPackedRef looks a name up in the text of packed-refs: lines of id, space, name.
func findPackedRef(packed []byte, name string, f objectFormat) Hash {
	for rest, want := packed, []byte(name); ; {
		i := bytes.Index(rest, want)
		if i < 0 {
			return Zero
		}
		start, end := i-2*f.size-1, i+len(want)
		if start >= 0 && rest[i-1] == ' ' && (start == 0 || rest[start-1] == '\n') &&
			(end == len(rest) || rest[end] == '\n' || rest[end] == '\r') {
			if id := string(rest[start : i-1]); f.valid(id) {
				return Hash(id)
			}
		}
		rest = rest[i+1:]
	}
}

// ref follows symbolic references to an object.
func (r *fileRefs) ref(name string) (Hash, error) {
	for range 6 {
		id, target, err := r.read(name)
		if err != nil || target == "" {
			return id, err
		}
		if err := checkRefName(target); err != nil {
			return Zero, err
		}
		name = target
	}
	return Zero, fmt.Errorf("reference %q: %w: it leads in a circle", name, errCorrupt)
}

func (r *fileRefs) symref(name string) (string, error) {
	_, target, err := r.read(name)
	return target, err
}

// lockWaits is how long is waited between tries for a lock, 1.27 s in all. Moving a reference takes
// milliseconds, so a lock that is still there then is a leftover or a slow disk: the caller decides.
var lockWaits = [...]time.Duration{10, 20, 40, 80, 160, 320, 640}

// waitForLock calls try until it does not fail because the lock file is there.
func waitForLock(ctx context.Context, o Options, try func() (lock string, err error)) error {
	for i := 0; ; i++ {
		lock, err := try()
		if lock == "" {
			return err
		}
		if i == len(lockWaits) {
			return lockedBy(o, lock)
		}
		if err := o.Sleep(ctx, lockWaits[i]*time.Millisecond); err != nil {
			return err
		}
	}
}

func lockedBy(o Options, lock string) *LockedError {
	e := &LockedError{Path: lock}
	if fi, err := os.Stat(lock); err == nil {
		e.Age = max(0, o.Now().Sub(fi.ModTime()))
	}
	return e
}

// locked is the error of a git process that met a lock. A lock in the remote, when that is a folder on this machine, is
// as much in the way as one of ours.
func (r *Repo) locked(lock string) error { return lockedBy(r.opts, lock) }

// updateRef moves a reference under its lock, as a compare-and-swap.
func (r *fileRefs) updateRef(ctx context.Context, u refUpdate) error {
	if _, target, err := r.read(u.name); err != nil {
		return err
	} else if target != "" {
		return fmt.Errorf("reference %q is a symbolic one to %q: move that instead", u.name, target)
	}
	path := r.path(u.name)
	// What takes long comes first: a process that is killed while it has the lock leaves it to everybody else.
	content, err := prepare(r.layout.commonDir, string(u.new)+"\n")
	if err != nil {
		return err
	}
	defer os.Remove(content) //nolint:errcheck // it is gone when all is well
	l, err := r.lock(ctx, u.name, path)
	if err != nil {
		return err
	}
	return errors.Join(r.moveLocked(u, path, content), l.release())
}

// prepare writes what a file in the git folder is to hold to a temporary file on the same disk, synced.
func prepare(dir, text string) (string, error) {
	name := filepath.Join(dir, fmt.Sprintf("tmp_new_%s%d", ours, rand.Uint64()))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", notWritable(err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(name) //nolint:errcheck // the error that counts is err
		return "", notWritable(err)
	}
	return name, nil
}

// lock takes git's lock on a reference, whose file is path.
func (r *fileRefs) lock(ctx context.Context, name, path string) (*lock, error) {
	return takeLock(ctx, r.opts, r.layout.commonDir, path, func() error {
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		if err != nil && isDir(err) {
			return fmt.Errorf("reference %q: another reference is in its way: %w", name, err)
		}
		return notWritable(err)
	})
}

// replaceDamaged writes a reference whose file cannot be understood.
func (r *fileRefs) replaceDamaged(ctx context.Context, name string, new Hash) error {
	path := r.path(name)
	content, err := prepare(r.layout.commonDir, string(new)+"\n")
	if err != nil {
		return err
	}
	defer os.Remove(content) //nolint:errcheck // it is gone when all is well
	l, err := r.lock(ctx, name, path)
	if err != nil {
		return err
	}
	if _, _, err = r.read(name); !errors.Is(err, errCorrupt) {
		err = errors.Join(err, fmt.Errorf("reference %q is not damaged", name))
	} else {
		err = notWritable(os.Rename(content, path))
	}
	return errors.Join(err, l.release())
}

// moveLocked does the work while the lock of path, the reference's file, keeps others out. Content is what is moved there.
func (r *fileRefs) moveLocked(u refUpdate, path, content string) error {
	have, _, err := r.read(u.name)
	if err != nil {
		return err
	}
	if have != u.old {
		return &MovedError{Ref: u.name, Want: u.old, Have: have}
	}
	if have == Zero {
		if err := r.makeRoom(u.name, path); err != nil {
			return err
		}
	}
	if err := r.appendLogs(u); err != nil {
		return err
	}
	return notWritable(os.Rename(content, path))
}

// makeRoom refuses a new reference that another one is in the way of ("a" and "a/b" cannot both
// exist), and removes the empty folders that deleted ones left behind.
func (r *fileRefs) makeRoom(name, path string) error {
	packed, err := r.packed()
	if err != nil {
		return err
	}
	for p := name; ; {
		i := strings.LastIndexByte(p, '/')
		if i < 0 {
			break
		}
		if p = p[:i]; findPackedRef(packed, p, r.format) != Zero {
			return fmt.Errorf("reference %q cannot be made: %q exists", name, p)
		}
	}
	if bytes.Contains(packed, []byte(" "+name+"/")) {
		return fmt.Errorf("reference %q cannot be made: others below it exist", name)
	}
	fi, err := os.Lstat(path)
	if err != nil || !fi.IsDir() {
		return nil //nolint:nilerr // absent: there is room
	}
	var dirs []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			return fmt.Errorf("reference %q cannot be made: others below it exist", name)
		}
		dirs = append(dirs, p)
		return err
	})
	for i := len(dirs) - 1; i >= 0 && err == nil; i-- {
		err = os.Remove(dirs[i])
	}
	return err
}

// appendLogs writes what git would to the reflog of the reference, and of HEAD if it points there.
func (r *fileRefs) appendLogs(u refUpdate) error {
	line := logLine(u, r.format)
	if err := r.appendLog(u.name, filepath.Join(r.layout.commonDir, "logs", filepath.FromSlash(u.name)), line); err != nil {
		return err
	}
	if _, head, err := r.read("HEAD"); err == nil && head == u.name {
		return r.appendLog("HEAD", filepath.Join(r.layout.gitDir, "logs", "HEAD"), line)
	}
	return nil
}

func logLine(u refUpdate, f objectFormat) string {
	return fmt.Sprintf("%s %s %s %s\t%s\n", f.orZeros(u.old), f.orZeros(u.new), u.who, gitTime(u.when),
		strings.Join(strings.Fields(u.reason), " "))
}

func (r *fileRefs) appendLog(name, path, line string) error {
	flags := os.O_WRONLY | os.O_APPEND
	if r.wantsLog(name) {
		flags |= os.O_CREATE
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return notWritable(err)
		}
	}
	f, err := os.OpenFile(path, flags, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a log is only continued here, not begun
	}
	if err != nil {
		return notWritable(err)
	}
	_, err = f.WriteString(line)
	return notWritable(errors.Join(err, f.Close()))
}

// wantsLog reports whether a reference gets a reflog by core.logAllRefUpdates.
func (r *fileRefs) wantsLog(name string) bool {
	v, ok := r.layout.local.lookup("core.logallrefupdates")
	if strings.EqualFold(v, "always") {
		return true
	}
	if ok && !isTrue(v) || !ok && r.layout.root == "" {
		return false
	}
	return name == "HEAD" || strings.HasPrefix(name, "refs/heads/") ||
		strings.HasPrefix(name, "refs/remotes/") || strings.HasPrefix(name, "refs/notes/")
}

// gitTime formats a time as git stores it: seconds and offset.
func gitTime(t time.Time) string { return fmt.Sprintf("%d %s", t.Unix(), t.Format("-0700")) }

// signature formats whom something is by, without what git's format has no place for.
func signature(name, email string) string {
	clean := func(s, def string) string {
		s = strings.Map(func(c rune) rune {
			if c < 0x20 || c == 0x7f || c == '<' || c == '>' {
				return -1
			}
			return c
		}, s)
		if s = strings.Trim(s, " .,:;\"'\\"); s == "" {
			return def
		}
		return s
	}
	return clean(name, "Postrider") + " <" + strings.ReplaceAll(clean(email, "postrider@localhost"), " ", "") + ">"
}

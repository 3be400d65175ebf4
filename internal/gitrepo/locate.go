package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// layout is where the parts of a repository are. All paths are absolute and without symbolic links.
type layout struct {
	root      string // top of the work tree, "" when bare
	gitDir    string // this work tree's own folder: HEAD and index
	commonDir string // objects, references and configuration
	local     config // the repository's own configuration
}

func (l layout) describe() string {
	if l.root != "" {
		return l.root
	}
	return l.gitDir
}

// locate finds the repository that dir is in.
func locate(dir string) (layout, error) {
	start, err := realPath(dir)
	if err != nil {
		return layout{}, fmt.Errorf("open repository: %w", err)
	}
	for d := start; ; d = filepath.Dir(d) {
		l, ok, err := layoutAt(d)
		if err != nil {
			return layout{}, err
		}
		if ok {
			return l, nil
		}
		if d == filepath.Dir(d) {
			return layout{}, fmt.Errorf("%w: neither %q nor a folder above it has .git; run `git init` there, or name a folder inside the repository",
				ErrNoRepository, dir)
		}
	}
}

func realPath(p string) (string, error) {
	abs, err := filepath.Abs(p)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// layoutAt reports whether d is the top of a work tree or a git folder itself.
func layoutAt(d string) (layout, bool, error) {
	gitDir := filepath.Join(d, ".git")
	fi, err := os.Stat(gitDir)
	switch {
	case err == nil && fi.IsDir() && isGitDir(gitDir):
		l, err := newLayout(gitDir, d)
		return l, err == nil, err
	case err == nil && fi.Mode().IsRegular():
		b, err := os.ReadFile(gitDir)
		if err != nil {
			return layout{}, false, fmt.Errorf("open repository: %w", err)
		}
		target, ok := strings.CutPrefix(strings.TrimRight(string(b), "\r\n"), "gitdir: ")
		if !ok {
			return layout{}, false, fmt.Errorf("%w: the file %q does not name a git folder", ErrNoRepository, gitDir)
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(d, target)
		}
		if !isGitDir(target) {
			return layout{}, false, fmt.Errorf("%w: %q points at %q, which is gone; run `git worktree repair` in the main work tree",
				ErrNoRepository, gitDir, target)
		}
		l, err := newLayout(target, d)
		return l, err == nil, err
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return layout{}, false, fmt.Errorf("open repository: %w", err)
	}
	if isGitDir(d) {
		l, err := newLayout(d, "")
		return l, err == nil, err
	}
	return layout{}, false, nil
}

// isGitDir applies git's own test: a HEAD, and objects and refs here or in the shared folder.
func isGitDir(d string) bool {
	if _, err := os.Lstat(filepath.Join(d, "HEAD")); err != nil {
		return false
	}
	common := commonDirOf(d)
	for _, n := range []string{"objects", "refs"} {
		if fi, err := os.Stat(filepath.Join(common, n)); err != nil || !fi.IsDir() {
			return false
		}
	}
	return true
}

func commonDirOf(gitDir string) string {
	b, err := os.ReadFile(filepath.Join(gitDir, "commondir"))
	if err != nil {
		return gitDir
	}
	c := strings.TrimRight(string(b), "\r\n")
	if !filepath.IsAbs(c) {
		c = filepath.Join(gitDir, c)
	}
	return c
}

// newLayout reads the configuration of a git folder that was found at or below root.
func newLayout(gitDir, root string) (layout, error) {
	gitDir, err := realPath(gitDir)
	if err != nil {
		return layout{}, fmt.Errorf("open repository: %w", err)
	}
	common, err := realPath(commonDirOf(gitDir))
	if err != nil {
		return layout{}, fmt.Errorf("open repository: %w", err)
	}
	l := layout{gitDir: gitDir, commonDir: common, root: root}
	inc := includes{gitDir: gitDir}
	if l.local, err = readConfigFile(filepath.Join(common, "config"), inc); err != nil {
		return layout{}, fmt.Errorf("open repository: %w", err)
	}
	if l.local.getBool("extensions.worktreeconfig", false) {
		c, err := readConfigFile(filepath.Join(gitDir, "config.worktree"), inc)
		if err != nil {
			return layout{}, fmt.Errorf("open repository: %w", err)
		}
		l.local = append(l.local, c...)
	}
	linked := gitDir != common
	if root != "" && !linked {
		if w := l.local.get("core.worktree"); w != "" {
			if !filepath.IsAbs(w) {
				w = filepath.Join(gitDir, w)
			}
			if root, err = realPath(w); err != nil {
				return layout{}, fmt.Errorf("open repository: core.worktree: %w", err)
			}
			l.root = root
		}
	}
	if root == "" && linked { // inside .git/worktrees/x: the work tree is named by its gitdir file
		if b, err := os.ReadFile(filepath.Join(gitDir, "gitdir")); err == nil {
			if top, err := realPath(filepath.Dir(strings.TrimRight(string(b), "\r\n"))); err == nil {
				l.root = top
			}
		}
	}
	if root == "" && !linked && filepath.Base(gitDir) == ".git" && !l.local.getBool("core.bare", false) {
		l.root = filepath.Dir(gitDir) // started inside .git
	}
	if !linked && l.local.getBool("core.bare", false) {
		l.root = ""
	}
	return l, nil
}

// requirements returns the object format, and the first thing about this repository that the native
// backend cannot read ("" when it can read everything).
func (l layout) requirements() (f objectFormat, feature string, err error) {
	f = sha1Format
	version := l.local.get("core.repositoryformatversion")
	if version != "" && version != "0" && version != "1" {
		return f, "repository format " + version, nil
	}
	need := func(s string) {
		if feature == "" {
			feature = s
		}
	}
	for _, e := range l.local {
		ext, ok := strings.CutPrefix(e.key, "extensions.")
		switch {
		case e.key == "remote."+e.sub()+".promisor" && isTrue(e.value), e.key == "remote."+e.sub()+".partialclonefilter":
			need("a partial clone")
		case !ok:
		case ext == "objectformat" && strings.EqualFold(e.value, "sha256"):
			f = sha256Format
			need("SHA-256 objects")
		case ext == "objectformat" && !strings.EqualFold(e.value, "sha1"):
			return f, "", fmt.Errorf("open repository: unknown object format %q", e.value)
		case ext == "refstorage" && e.value != "files":
			need("references stored as " + e.value)
		case ext == "partialclone":
			need("a partial clone")
		case ext == "compatobjectformat":
			need("two object formats at once")
		case ext == "objectformat", ext == "refstorage", ext == "worktreeconfig", ext == "noop", ext == "noop-v1",
			ext == "preciousobjects", ext == "relativeworktrees":
		case version == "1":
			need("the extension " + ext)
		}
	}
	return f, feature, nil
}

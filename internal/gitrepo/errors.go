package gitrepo

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Errors to test for with [errors.Is]. Those with data have a type of their own, which says so.
var (
	// ErrNoRepository means that neither the folder nor one above it is a git repository.
	ErrNoRepository = errors.New("not a git repository")
	// ErrNotFound means that a revision or an object does not exist.
	ErrNotFound = errors.New("not found in git")
	// ErrDamaged means that an object or a reference is there and cannot be read.
	ErrDamaged = errors.New("damaged object")
	// ErrMoved means that a branch is not where the caller last saw it: read it again and re-apply. See [MovedError].
	ErrMoved = errors.New("branch has moved")
	// ErrLocked means that another process holds git's lock on a reference. See [LockedError].
	ErrLocked = errors.New("reference is locked")
	// ErrUnsupported means that this repository takes a git binary, and there is none. See [UnsupportedError].
	ErrUnsupported = errors.New("repository is not supported without git")
	// ErrNotWritable means that objects or references cannot be written: read-only, or disk full.
	ErrNotWritable = errors.New("cannot write to the git repository")
	// ErrNoGit means that an operation takes a git binary, and there is none.
	ErrNoGit = errors.New("needs the git program, which was not found")
	// ErrNoRemote means that no remote of that name is configured.
	ErrNoRemote = errors.New("no such remote")
	// ErrAuth means that a remote refused the credentials or wants some. See [RemoteError].
	ErrAuth = errors.New("authentication failed")
	// ErrUnreachable means that a remote did not answer, or answered nonsense. See [RemoteError].
	ErrUnreachable = errors.New("remote is unreachable")
	// ErrRefused means that a remote declined a push: a hook, or a protected branch. See [RemoteError].
	ErrRefused = errors.New("remote refused the push")
)

// MovedError is an [ErrMoved] with the details.
type MovedError struct {
	Ref        string // "refs/heads/postrider/ledger"
	Remote     string // "" for a local reference
	Want, Have Hash   // where it was expected, where it is
}

func (e *MovedError) Error() string {
	where := e.Ref
	if e.Remote != "" {
		where += " of " + e.Remote
	}
	return fmt.Sprintf("%s has moved: expected %s, found %s", where, orNothing(e.Want), orNothing(e.Have))
}

// Is reports that e is an [ErrMoved].
func (e *MovedError) Is(target error) bool { return target == ErrMoved }

func orNothing(h Hash) string {
	if h == Zero {
		return "no branch"
	}
	return h.Short()
}

// LockedError is an [ErrLocked] with the lock's file and its age when the waiting ended.
type LockedError struct {
	Path string
	Age  time.Duration
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("%q exists for %s: another git process is at work there; if none is running, remove the file",
		e.Path, e.Age.Round(time.Second))
}

// Is reports that e is an [ErrLocked].
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// UnsupportedError is an [ErrUnsupported] with the feature that only git itself, or a newer git, can read.
type UnsupportedError struct {
	Repository string
	Feature    string // "SHA-256 objects"; "" when the git backend was asked for
	Git        string // what the git program says, when it is there and cannot read the repository either
}

func (e *UnsupportedError) Error() string {
	if e.Git != "" {
		return fmt.Sprintf("repository %q cannot be read: %s", e.Repository, e.Git)
	}
	if e.Feature == "" {
		return fmt.Sprintf("repository %q: the git program was asked for and not found: install git", e.Repository)
	}
	return fmt.Sprintf("repository %q uses %s, which takes the git program: install git", e.Repository, e.Feature)
}

// Is reports that e is an [ErrUnsupported].
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// RemoteError is a failed conversation with a remote. It holds no credentials.
type RemoteError struct {
	Op     string // "fetch" or "push"
	Remote string // its name
	URL    string // without user and password
	Kind   error  // ErrAuth, ErrUnreachable, ErrRefused or ErrNoGit
	Detail string // the server's or the system's own words
	Cause  error  // a context's error, if that ended it
}

func (e *RemoteError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Op, e.Remote)
	if e.URL != "" && e.URL != e.Remote {
		fmt.Fprintf(&b, " (%s)", e.URL)
	}
	fmt.Fprintf(&b, ": %s", e.Kind)
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	return b.String()
}

// Unwrap returns the kind of failure and what ended it.
func (e *RemoteError) Unwrap() []error {
	if e.Cause != nil {
		return []error{e.Kind, e.Cause}
	}
	return []error{e.Kind}
}

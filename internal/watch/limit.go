package watch

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
)

// LimitError means that a limit of the system keeps it from reporting changes. Its message says how to raise the limit.
type LimitError struct {
	Limit   string // the limit's name, for example "fs.inotify.max_user_watches"
	Raise   string // a command that raises it
	Folders int    // how many folders could be watched
	Err     error
}

func (e *LimitError) Error() string {
	what := "the system watches no folder"
	if e.Folders > 0 {
		what = fmt.Sprintf("the system watches no more than %d of the folders", e.Folders)
	}
	return fmt.Sprintf("%s, because of the limit %s; raise it with: %s", what, e.Limit, e.Raise)
}

func (e *LimitError) Unwrap() error { return e.Err }

// explain returns a LimitError for an error that is about a limit, and any other as it is.
//
// inotify(7) and inotify_add_watch(2) name the limits: ENOSPC is that of watches, EMFILE that of instances or of the process's open
// files (https://man7.org/linux/man-pages/man7/inotify.7.html, 2026-11-22). kqueue opens every file that it watches.
func explain(err error, folders int) error {
	e := &LimitError{Folders: folders, Err: err}
	linux := runtime.GOOS == "linux"
	switch {
	case errors.Is(err, syscall.ENOSPC) && linux:
		e.Limit, e.Raise = "fs.inotify.max_user_watches", "sudo sysctl fs.inotify.max_user_watches=524288"
	case errors.Is(err, syscall.EMFILE) && linux && folders == 0:
		e.Limit, e.Raise = "fs.inotify.max_user_instances", "sudo sysctl fs.inotify.max_user_instances=1024 (or ulimit -n 65536)"
	case errors.Is(err, syscall.EMFILE):
		e.Limit, e.Raise = "of open files", "ulimit -n 65536"
	case errors.Is(err, syscall.ENFILE):
		e.Limit, e.Raise = "of open files of the whole system", "sudo sysctl fs.file-max=1000000"
		if !linux {
			e.Raise = "sudo sysctl kern.maxfiles=1000000"
		}
	default:
		return err
	}
	return e
}

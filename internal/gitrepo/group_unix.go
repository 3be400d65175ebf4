//go:build unix

package gitrepo

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// ownGroup makes a command that talks to a network end with all of its children when its context does: git starts ssh
// and remote helpers, which outlive it when it is killed and go on waiting for a server that says nothing. They are
// asked first, because git removes its temporary files then.
//
// With a terminal they stay in its foreground: ssh may have to ask somebody for a passphrase there, and whoever is
// asked can press Ctrl-C.
//
// Of a remote in a folder, git's receiving end is a child, too. It is the remote's, and is not ended, neither by us nor
// by Ctrl-C: git leaves what it was sent lying about when it is (checked with git 2.39, 2026-11-21), and a
// server on a network would not notice either.
func ownGroup(cmd *exec.Cmd, folder bool) {
	own := &syscall.SysProcAttr{Setpgid: true}
	if folder {
		cmd.SysProcAttr = own
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		return
	}
	if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
		tty.Close() //nolint:errcheck // nothing was written
		return
	}
	cmd.SysProcAttr = own
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

// endGroup kills what is left of a command's group a while after it was asked to end.
func endGroup(cmd *exec.Cmd, folder bool) {
	if folder || cmd.SysProcAttr == nil || cmd.Process == nil {
		return
	}
	for range 25 {
		if syscall.Kill(-cmd.Process.Pid, 0) != nil {
			return // nobody is left
		}
		sleep(context.Background(), 20*time.Millisecond) //nolint:errcheck // it has no end but its own
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // nobody may be left by now
}

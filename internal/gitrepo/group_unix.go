//go:build unix

package gitrepo

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup makes a command that talks to a network end with all of its children when its context does: git starts ssh
// and remote helpers, which outlive it when it is killed and go on waiting for a server that says nothing.
//
// With a terminal they stay in its foreground: ssh may have to ask somebody for a passphrase there, and whoever is
// asked can press Ctrl-C.
func ownGroup(cmd *exec.Cmd) {
	if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
		tty.Close() //nolint:errcheck // nothing was written
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// The request first: git removes its temporary files. What does not listen is killed when the wait is over.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

// endGroup kills what is left of a command's group.
func endGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr != nil && cmd.SysProcAttr.Setpgid && cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // usually nobody is left
	}
}

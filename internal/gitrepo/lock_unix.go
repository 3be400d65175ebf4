//go:build unix

package gitrepo

import (
	"os"
	"syscall"
)

// canHold reports whether files can be held here.
const canHold = true

// hold locks a file with the operating system until it is closed, or its process ends. It reports whether it could: not
// while another process has it.
func hold(f *os.File) bool { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil }

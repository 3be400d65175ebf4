//go:build unix

package main

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// fillDisk makes every write of this process to a file fail beyond FSIZE bytes, as a full disk does: the kernel
// refuses it in the middle of the work.
func fillDisk() {
	text := os.Getenv("FSIZE")
	if text == "" {
		return
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
		panic(err)
	}
}

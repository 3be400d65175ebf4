package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// processOwner identifies this process among all that ever ran: the boot of the machine, the process
// namespace (containers on one machine have their own), the process id and when the process began.
// It is empty where /proc does not tell.
func processOwner() string {
	boot, space, err := whereabouts()
	if err != nil {
		return ""
	}
	start, err := startOf(os.Getpid())
	if err != nil {
		return ""
	}
	return fmt.Sprintf("linux %s %s %d %s", boot, space, os.Getpid(), start)
}

// ownerDead reports whether the process that processOwner described is proved dead: it ran on this boot of
// this machine, in this process namespace, and is no longer there.
func ownerDead(owner string) bool {
	f := strings.Fields(owner)
	if len(f) != 5 || f[0] != "linux" {
		return false
	}
	boot, space, err := whereabouts()
	if err != nil || boot != f[1] || space != f[2] {
		return false
	}
	pid, err := strconv.Atoi(f[3])
	if err != nil {
		return false
	}
	start, err := startOf(pid)
	if errors.Is(err, os.ErrNotExist) {
		return true
	}
	return err == nil && start != f[4] // the number went to another process
}

func whereabouts() (boot, space string, err error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", "", err
	}
	space, err = os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "", "", err
	}
	return strings.TrimSpace(string(b)), space, nil
}

// startOf returns when a process began, in clock ticks since boot: field 22 of /proc/PID/stat (proc(5)),
// counted behind the name, which may hold anything. A zombie has ended.
func startOf(pid int) (string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	_, rest, ok := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
	f := strings.Fields(rest)
	if !ok || len(f) < 20 {
		return "", errors.New("unexpected /proc/PID/stat")
	}
	if f[0] == "Z" || f[0] == "X" {
		return "", os.ErrNotExist
	}
	return f[19], nil
}

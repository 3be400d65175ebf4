//go:build !linux

package servers

import "os/exec"

// dieWithParent does nothing: only Linux can tie a process to the one that started it.
func dieWithParent(*exec.Cmd) {}

// leadGroup does nothing.
func leadGroup(*exec.Cmd) {}

// endGroup does nothing.
func endGroup(*exec.Cmd) {}

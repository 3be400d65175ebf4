//go:build !unix

package gitrepo

import "os/exec"

// ownGroup does nothing here: killing a command leaves its children to the operating system.
func ownGroup(*exec.Cmd, bool) {}

func endGroup(*exec.Cmd, bool) {}

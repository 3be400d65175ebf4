//go:build !unix

package screenshot

import "os/exec"

// ownGroup does nothing here: the children of a browser that is killed notice, and end.
func ownGroup(*exec.Cmd) {}

func endGroup(*exec.Cmd) {}

package servers

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel kill the command when this process is gone, however it went.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// leadGroup has a command that [dieWithParent] prepared lead a process group, with everything that it starts.
func leadGroup(cmd *exec.Cmd) { cmd.SysProcAttr.Setpgid = true }

// endGroup ends what is left of the group of a command that has ended.
func endGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

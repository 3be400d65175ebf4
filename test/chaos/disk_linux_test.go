package chaos_test

import (
	"syscall"
	"unsafe"
)

func init() { fillDisk = limitFiles }

// limitFiles lets every write of a process to a file fail from now on, and of those that it starts.
func limitFiles(pid int) error {
	var none syscall.Rlimit
	_, _, no := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&none)), 0, 0, 0)
	if no != 0 {
		return no
	}
	return nil
}

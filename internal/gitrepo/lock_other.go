//go:build !unix

package gitrepo

import "os"

// hold reports that a file cannot be locked: nothing here proves that a process has ended.
func hold(*os.File) bool { return false }

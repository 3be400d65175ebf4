//go:build !unix

package gitrepo

import "os"

// canHold reports whether files can be held here.
const canHold = false

// hold reports that a file cannot be locked: nothing here proves that a process has ended.
func hold(*os.File) bool { return false }

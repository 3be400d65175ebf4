package cli

import (
	"runtime"
	"runtime/debug"
)

// firstCollection is how large the heap gets, in percent of Go's 4 MB, before memory is collected for the first time.
const firstCollection = 800

// collectLate puts the first garbage collection off until the heap has 32 MB. Most runs of most verbs end before: a
// publish with one post due allocates some 20 MB, and spent a fifth of its CPU time on collecting them. Whatever needs
// more, such as check on a large site, goes on with Go's own setting, so that its peak does not grow.
func collectLate() {
	was := debug.SetGCPercent(firstCollection)
	if was != 100 { // GOGC is set: somebody knows better
		debug.SetGCPercent(was)
		return
	}
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) { debug.SetGCPercent(was) })
}

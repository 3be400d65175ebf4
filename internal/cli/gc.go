package cli

import (
	"runtime"
	"runtime/debug"
)

// laterCollections is how much the heap grows between collections after that, in percent: twice Go's own setting.
// A verb lives for seconds; check of 50,000 posts then peaks near 300 MB.
const laterCollections = 200

// firstCollection is how large the heap gets, in percent of Go's 4 MB, before memory is collected for the first time.
const firstCollection = 800

// collectLate puts the first garbage collection off until the heap has 32 MB. Most runs of most verbs end before: a
// publish with one post due allocates some 20 MB, and spent a fifth of its CPU time on collecting them. Whatever needs
// more, such as check on a large site, goes on with fewer collections than Go would make.
func collectLate() {
	was := debug.SetGCPercent(firstCollection)
	if was != 100 { // GOGC is set: somebody knows better
		debug.SetGCPercent(was)
		return
	}
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) {
		if was := debug.SetGCPercent(laterCollections); was != firstCollection {
			debug.SetGCPercent(was) // a verb knows better: preview, which lives all day
		}
	})
}

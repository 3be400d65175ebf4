package platform

import (
	"sync"
	"time"
)

// Budget is what a network lets an account do for now, as far as its answers tell: how long to leave it alone, if at
// all. All who send for one account in a run share it. The zero value knows of no limit, and so does a nil Budget; it
// is safe for concurrent use.
type Budget struct {
	mu    sync.Mutex
	until time.Time
}

// Block notes that creating another post is of no use before a time. An earlier time never shortens a later one.
func (b *Budget) Block(until time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if until.After(b.until) {
		b.until = until
	}
}

// Until returns when posts may be created again; the zero time, or one that has passed, means now.
func (b *Budget) Until() time.Time {
	if b == nil {
		return time.Time{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until
}

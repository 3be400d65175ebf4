package inbound

import (
	"crypto/sha256"
	"sync"
	"time"
)

// mark is what something is recognised by when it comes again.
type mark = [sha256.Size]byte

// most is how many marks a generation may have: about 2 MB of them. Nothing gets in here without a secret, so no stranger can fill it; a code host
// that sends more than this within the window is remembered for less long.
const most = 1 << 14

// memory remembers what has been received, at least for as long as keep, and at most twice as long. It has two generations, of which the older
// one is forgotten as a whole.
type memory struct {
	keep time.Duration

	mu       sync.Mutex
	since    time.Time // when the young generation began
	old, new map[mark]struct{}
}

// before reports whether one of the marks is known, and otherwise remembers all of them.
func (m *memory) before(now time.Time, marks []mark) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch age := now.Sub(m.since); {
	case m.new == nil || age >= 2*m.keep:
		m.old, m.new, m.since = nil, map[mark]struct{}{}, now
	case age >= m.keep || len(m.new) >= most:
		m.old, m.new, m.since = m.new, map[mark]struct{}{}, now
	}
	for _, k := range marks {
		if _, ok := m.old[k]; ok {
			return true
		}
		if _, ok := m.new[k]; ok {
			return true
		}
	}
	for _, k := range marks {
		m.new[k] = struct{}{}
	}
	return false
}

//go:build unix

package chaos_test

import (
	"sync"
	"testing"
	"time"
)

// verdict is how something that was stopped goes on.
type verdict int

const (
	pass  verdict = iota // as if it had not been stopped
	abort                // a request: its connection breaks; a push: the remote refuses it
	die                  // a push: the remote's git is killed on the spot
)

// stop holds something, a request or a push, at one exact point until the harness says how it goes on.
type stop struct {
	t    *testing.T
	name string
	open bool // what is held has not been carried out yet

	once    sync.Once
	arrived chan struct{}
	decided sync.Once
	decide  chan struct{}
	verdict verdict
}

func newStop(t *testing.T, name string) *stop {
	t.Helper()
	return &stop{t: t, name: name, arrived: make(chan struct{}), decide: make(chan struct{})}
}

// hold is called at the point, and returns once the harness has decided.
func (s *stop) hold() verdict {
	s.once.Do(func() { close(s.arrived) })
	<-s.decide
	return s.verdict
}

// wait returns when the point is reached.
func (s *stop) wait() {
	s.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.arrived:
	case <-timer.C:
		s.t.Fatalf("nothing came to %s", s.name)
	}
}

// waitOr returns whether the point was reached before something else happened.
func (s *stop) waitOr(other <-chan struct{}) bool {
	s.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.arrived:
		return true
	case <-other:
		return false
	case <-timer.C:
		s.t.Fatalf("neither came anything to %s nor did the run end", s.name)
		return false
	}
}

// release lets what was held go on; only the first verdict counts.
func (s *stop) release(v verdict) {
	s.decided.Do(func() {
		s.verdict = v
		close(s.decide)
	})
}

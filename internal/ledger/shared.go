package ledger

import (
	"sync"

	"github.com/postrider/postrider/internal/platform"
)

// Shared returns a View that may be used by many goroutines, over one that may not.
func Shared(v View) View { return &shared{v: v} }

type shared struct {
	mu sync.Mutex
	v  View
}

func (s *shared) Brief(id ID) (Brief, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v.Brief(id)
}

func (s *shared) Record(id ID) (*Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v.Record(id)
}

func (s *shared) Open() ([]*Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v.Open()
}

func (s *shared) Said(account, words string) (*Saying, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v.Said(account, words)
}

func (s *shared) Spent(account string, m Month) (platform.USD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v.Spent(account, m)
}

func (s *shared) Empty() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v.Empty()
}

func (s *shared) Opening() (Opening, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v.Opening()
}

func (s *shared) Untimed(post string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v.Untimed(post)
}

func (s *shared) Holds() ([]Hold, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v.Holds()
}

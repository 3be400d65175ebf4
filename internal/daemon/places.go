package daemon

import (
	"context"
	"sync"
	"time"
)

// rank says who comes first when more sites want to work than may at once.
type rank int

const (
	due     rank = iota // a post is due, and its site has worked before
	woken               // a webhook told of news
	ticked              // the remote is to be asked for news
	failing             // the last time it failed
	ranks
)

// patience is for how long a site keeps others waiting. One that takes longer, since its remote hangs or it uploads a film, goes on
// beside them.
const patience = 5 * time.Second

// places bounds how many sites work at once. The last free place is kept for posts that are due.
type places struct {
	wait func(context.Context, time.Duration) error

	mu    sync.Mutex
	free  int
	alone bool // there is only one place: nothing to keep
	queue [ranks][]chan struct{}
}

func newPlaces(n int, wait func(context.Context, time.Duration) error) *places {
	return &places{free: n, alone: n == 1, wait: wait}
}

// take waits for a place. leave gives it back; it is never nil, and may be called more than once.
func (p *places) take(ctx context.Context, r rank) (leave func(), err error) {
	turn := make(chan struct{})
	p.mu.Lock()
	p.queue[r] = append(p.queue[r], turn)
	p.next()
	p.mu.Unlock()
	select {
	case <-turn:
	case <-ctx.Done():
		if !p.withdraw(r, turn) {
			p.put()
		}
		return func() {}, ctx.Err()
	}
	given, give := context.WithCancel(context.WithoutCancel(ctx))
	var once sync.Once
	leave = func() { once.Do(func() { give(); p.put() }) }
	go func() {
		if p.wait(given, patience) == nil {
			leave()
		}
	}()
	return leave, nil
}

func (p *places) put() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free++
	p.next()
}

// next lets in who comes first, as long as there are places. p.mu is held.
func (p *places) next() {
	for r := range p.queue {
		for len(p.queue[r]) > 0 && (p.free > 1 || p.free == 1 && (rank(r) == due || p.alone)) {
			close(p.queue[r][0])
			p.queue[r] = p.queue[r][1:]
			p.free--
		}
	}
}

// withdraw takes somebody out of the queue, and reports whether he was still in it.
func (p *places) withdraw(r rank, turn chan struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range p.queue[r] {
		if t == turn {
			p.queue[r] = append(p.queue[r][:i:i], p.queue[r][i+1:]...)
			return true
		}
	}
	return false
}

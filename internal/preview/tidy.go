package preview

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// tidyAfter is how long nothing was asked for, and nothing has changed, before memory is given back.
	tidyAfter = 300 * time.Millisecond
	// litter is how much there must be to give back, in bytes, and part which part of what stays: to look through 300 MB for 4 would
	// keep a processor busy more than it is worth.
	litter, part = 4 << 20, 16
)

// stir tells whoever tidies up that there is something to do.
func (s *Server) stir() {
	select {
	case s.stirred <- struct{}{}:
	default: // it has not heard of the last one yet
	}
}

// tidy makes ready what pages ask of a board first, and gives memory back that is not needed any more, whenever it has been quiet for a moment.
// To look for it means to go through all that a site has, which takes several times as long as a page: a person who waits for one should
// not wait for that too.
func (s *Server) tidy(ctx context.Context) {
	quiet := time.NewTimer(tidyAfter)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.stirred:
			quiet.Reset(tidyAfter)
		case <-quiet.C:
			if b := s.state.Load().board; b != nil {
				b.Prepare()
			}
			if unneeded, needed := heap(); unneeded >= max(litter, needed/part) {
				debug.FreeOSMemory()
			}
		}
	}
}

// heap returns how many bytes have been asked for since memory was looked through last, most of which were needed for a moment only, and
// how many were needed then.
func heap() (unneeded, needed uint64) {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(heap)
	all, live := heap[0].Value.Uint64(), heap[1].Value.Uint64()
	return all - min(all, live), live
}

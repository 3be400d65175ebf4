package platform

import "context"

// Checker is a publisher that can tell whether a part that was recorded is still there. It is for looking after the fact, and
// decides nothing about sending: that is what [Finder] is for.
type Checker interface {
	// Exists asks for one part by its id. False means that the network answered that there is no such post; an error means
	// that nothing is known.
	Exists(ctx context.Context, part Remote) (bool, error)
}

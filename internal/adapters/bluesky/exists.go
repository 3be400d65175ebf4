package bluesky

import (
	"context"
	"fmt"

	"github.com/postrider/postrider/internal/platform"
)

// Exists implements [platform.Checker].
func (p *publisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	who, rkey, ok := postOf(part.ID)
	if !ok {
		return false, &platform.Error{Outcome: platform.Rejected, Op: "look for the post", Message: fmt.Sprintf("%q is not a post", part.ID)}
	}
	if err := p.login(ctx); err != nil {
		return false, err
	}
	s, err := p.get(ctx, who, rkey)
	return s != nil, err
}

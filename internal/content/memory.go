package content

import (
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/slab"
)

// memory is where that of a post is put which stays. The zero value asks for everything by itself, so that it goes when its post does.
type memory struct {
	posts     slab.Of[post.Post]
	overrides slab.Of[post.Override]
	places    slab.Of[post.Place]
	docs      slab.Of[post.Doc]
	blocks    slab.Of[post.Block]
	inlines   slab.Of[post.Inline]
	media     slab.Of[post.Media]
	words     slab.Of[string]
	texts     slab.Texts
}

// together returns memory for posts that stay together, as those of a site that is read as a whole.
func together() memory {
	return memory{
		slab.Of[post.Post]{Together: true}, slab.Of[post.Override]{Together: true}, slab.Of[post.Place]{Together: true},
		slab.Of[post.Doc]{Together: true}, slab.Of[post.Block]{Together: true}, slab.Of[post.Inline]{Together: true},
		slab.Of[post.Media]{Together: true}, slab.Of[string]{Together: true}, slab.Texts{Together: true},
	}
}

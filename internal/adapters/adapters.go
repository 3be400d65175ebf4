// Package adapters lists the platforms that Postrider knows.
package adapters

import (
	"github.com/postrider/postrider/internal/adapters/bluesky"
	"github.com/postrider/postrider/internal/adapters/facebook"
	"github.com/postrider/postrider/internal/adapters/instagram"
	"github.com/postrider/postrider/internal/adapters/linkedin"
	"github.com/postrider/postrider/internal/adapters/mastodon"
	"github.com/postrider/postrider/internal/adapters/telegram"
	"github.com/postrider/postrider/internal/adapters/threads"
	"github.com/postrider/postrider/internal/adapters/webhook"
	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/platform"
)

// All returns a registry of every adapter. Adding a platform adds one line, in alphabetical order.
func All() *platform.Registry {
	return platform.NewRegistry(
		bluesky.Adapter{},
		facebook.Adapter{},
		instagram.Adapter{},
		linkedin.Adapter{},
		mastodon.Adapter{},
		telegram.Adapter{},
		threads.Adapter{},
		webhook.Adapter{},
		x.Adapter{},
	)
}

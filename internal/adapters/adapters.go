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
	"github.com/postrider/postrider/internal/channel"
	"github.com/postrider/postrider/internal/platform"
)

// All returns a registry of every adapter, and of the channels by which people are told of things: two platforms where a group reads what is
// sent, and not the world, are among them. Adding a platform adds one line, in alphabetical order.
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
	).WithChannels(append(channel.All(), telegram.Adapter{}, webhook.Adapter{})...)
}

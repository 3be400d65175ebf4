package notify

import (
	"context"
	"sync"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// Health is how a channel is.
type Health struct {
	Channel  string
	Account  string // the site's account that it is, "" for a channel of its own
	Platform platform.ID
	Identity platform.Identity
	Err      error // a [*platform.MissingSecretError], or what the channel has said
}

// Check asks all channels who we are there, side by side, without saying anything.
func Check(ctx context.Context, o Options) []Health {
	return o.each(nil, func(h *Health, l *line) {
		ctx, cancel := context.WithTimeout(ctx, o.Timeout)
		defer cancel()
		h.Identity, h.Err = l.publisher.Verify(ctx)
	})
}

// Test sends a message to channels that says that it is a test; all channels when none is named.
func Test(ctx context.Context, o Options, names []string, run string) []Health {
	return o.each(names, func(h *Health, l *line) {
		ctx, cancel := context.WithTimeout(ctx, o.Timeout)
		defer cancel()
		title := "Postrider can tell you here"
		if o.Site.Title != "" {
			title = o.Site.Title + ": " + title
		}
		d := post.Doc{Blocks: []post.Block{
			{Kind: post.Paragraph, Inlines: []post.Inline{strong(title)}},
			{Kind: post.Paragraph, Inlines: commands("This is a test, by `postrider notify --test`. Nothing has happened.")},
		}}
		var mention []string
		for i := range o.Site.Notify.Channels {
			if c := &o.Site.Notify.Channels[i]; c.Name == h.Channel {
				mention = c.Mention
			}
		}
		r, _ := written(l.adapter, l.account, mention, title, d)
		h.Err = l.send(ctx, &r, run, o.Now())
	})
}

// each does something with every channel, or with those that are named, side by side, in the order of their names.
func (o *Options) each(names []string, do func(*Health, *line)) []Health {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	channels := o.Site.Notify.Channels
	all := make([]Health, 0, len(channels)) // never grown: each has a place that stays
	var wg sync.WaitGroup
	for i := range channels {
		c := &channels[i]
		if len(names) > 0 && !wanted[c.Name] {
			continue
		}
		all = append(all, Health{Channel: c.Name, Account: c.Account, Platform: o.PlatformOf(c.Name)})
		h := &all[len(all)-1]
		l, err := o.open(c)
		if err != nil {
			h.Err = err
			continue
		}
		wg.Go(func() { do(h, l) })
	}
	wg.Wait()
	return all
}

// PlatformOf returns the platform that a channel is on, "" for none.
func (o *Options) PlatformOf(channel string) platform.ID {
	for i := range o.Site.Notify.Channels {
		c := &o.Site.Notify.Channels[i]
		if c.Name != channel {
			continue
		}
		if a, ok := o.Site.Account(c.Account); ok {
			return a.Platform
		}
		return c.Own.Platform
	}
	return ""
}

package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/platform"
)

// Notify says who is told of what runs did.
type Notify struct {
	What     []What        `yaml:"what" help:"What people are told of: failed, unknown, attention (what waits for a person), held, published."`
	Remind   time.Duration `yaml:"remind" help:"After how long people are told again of what still waits for a person, such as 2d; 0: never."`
	Channels []Channel     `yaml:"channels" help:"Where they are told, by a name of your own. Channels are no accounts: posts do not go there."` // sorted by name
	Issue    Issue         `yaml:"issue" help:"Whether an issue on the code host lists what is open, and is closed when all is settled: true, or with labels and assignees."`
	Status   bool          `yaml:"status" help:"Whether the published commit shows on the code host what became of its posts."`
}

// On reports whether anybody is told of anything.
func (n *Notify) On() bool { return len(n.Channels) > 0 || n.Issue.On || n.Status }

// What is a kind of thing that people are told of.
type What string

// The kinds.
const (
	WhatFailed    What = "failed"    // deliveries that did not go out
	WhatUnknown   What = "unknown"   // deliveries that may be out or not
	WhatAttention What = "attention" // what nothing happens to unless a person acts
	WhatHeld      What = "held"      // what is due and stopped by a hold
	WhatPublished What = "published" // what went out, was changed or taken down
)

// Whats returns all kinds, the most urgent first.
func Whats() []What {
	return []What{WhatUnknown, WhatFailed, WhatAttention, WhatHeld, WhatPublished}
}

// Channel is where people are told.
type Channel struct {
	Name    string
	Account string           // an account of the site; "" for a channel of its own
	Own     platform.Account // the channel's own account, by the channel's name; zero with Account
	What    []What           // those of Notify where the channel does not say
	Mention []string         // who is called, as the channel spells it
}

// Issue says whether an issue on the code host lists what is open.
type Issue struct {
	On        bool     `yaml:"-"`
	Labels    []string `yaml:"labels" help:"The issue's labels."`
	Assignees []string `yaml:"assignees" help:"Whom the issue is assigned to, by their names on the code host."`
}

// notify reads `notify:`; a list names accounts.
func (d *decoder) notify(n *yaml.Node, p *Notify, where string) {
	if n.Kind != yaml.SequenceNode {
		d.structure(n, reflect.ValueOf(p).Elem(), where)
		return
	}
	var names []string
	d.decode(n, reflect.ValueOf(&names).Elem(), where)
	for i, name := range names {
		d.site.places["notify.channels."+name] = d.site.places[fmt.Sprintf("%s[%d]", where, i)]
		p.Channels = append(p.Channels, Channel{Name: name, Account: name})
	}
}

// issue reads `notify.issue:`.
func (d *decoder) issue(n *yaml.Node, p *Issue, where string) {
	if n.Kind == yaml.MappingNode {
		p.On = true
		d.structure(n, reflect.ValueOf(p).Elem(), where)
		return
	}
	d.decode(n, reflect.ValueOf(&p.On).Elem(), where)
}

// whats reads a list of kinds.
func (d *decoder) whats(n *yaml.Node, p *[]What, where string) {
	var known []string
	for _, w := range Whats() {
		known = append(known, string(w))
	}
	*p = []What{}
	for _, item := range d.items(n, lastKey(where)) {
		d.scalar(item, lastKey(where), oneOf(known), func(s string) error {
			if !slices.Contains(known, s) {
				return fmt.Errorf("%q is none", s)
			}
			*p = append(*p, What(s))
			return nil
		})
	}
}

// channels reads `notify.channels:`.
func (d *decoder) channels(n *yaml.Node, list *[]Channel, where string) {
	for _, e := range d.pairs(n, where) {
		at := where + "." + e.key
		d.site.places[at] = d.span(e.keyNode)
		c := Channel{Name: e.key}
		if d.oneChannel(e, &c, at) && d.checkName("channel", e) {
			*list = append(*list, c)
		}
	}
}

// oneChannel reads one channel; ok is false when it leads nowhere.
func (d *decoder) oneChannel(e pair, c *Channel, at string) (ok bool) {
	entries := d.pairs(e.value, at)
	own := slices.IndexFunc(entries, func(p pair) bool { return p.key == "platform" })
	account := slices.IndexFunc(entries, func(p pair) bool { return p.key == "account" })
	options := reflect.Value{}
	known := []string{"account", "mention", "platform", "what"}
	var info platform.Info
	switch {
	case own >= 0 && account >= 0:
		d.fail(CodeNotify, d.span(entries[account].keyNode), fmt.Sprintf("channel %q is on an account of the site and on a platform of its own", e.key), "keep one of account and platform")
		return false
	case account >= 0:
		d.decode(entries[account].value, reflect.ValueOf(&c.Account).Elem(), at+".account")
	default:
		adapter, found := d.channelPlatform(e, entries, own)
		if !found {
			return false
		}
		info = adapter.Info()
		c.Own = platform.Account{Name: e.key, Platform: info.ID, Options: info.NewOptions()}
		options = reflect.ValueOf(c.Own.Options).Elem()
		known = append(known, keys(options.Type())...)
		slices.Sort(known)
	}
	before := len(d.out)
	for _, p := range entries {
		switch {
		case p.key == "platform" || p.key == "account":
		case p.key == "what":
			d.decode(p.value, reflect.ValueOf(&c.What).Elem(), at+".what")
		case p.key == "mention":
			d.decode(p.value, reflect.ValueOf(&c.Mention).Elem(), at+".mention")
		case slices.Contains(known, p.key):
			d.option(p, options, at)
		case isSecret(p.key, info):
			d.secret(p, secretNames(e.key, info))
		default:
			d.unknown(p, known, "")
		}
	}
	if len(d.out) == before {
		d.checkOptions(c.Own.Options, "notify", "channels", e.key)
	}
	return true
}

// channelPlatform finds the platform of a channel of its own: as given, or the channel's name where that is one.
func (d *decoder) channelPlatform(e pair, entries []pair, own int) (platform.Adapter, bool) {
	var ids []string
	for _, a := range d.reg.Channels() {
		ids = append(ids, string(a.Info().ID))
	}
	name, at := e.key, d.span(e.keyNode)
	if own >= 0 {
		n := resolve(entries[own].value)
		if n.Kind != yaml.ScalarNode || null(n) {
			d.wrong(n, "platform", "the name of a platform")
			return nil, false
		}
		name, at = n.Value, d.span(n)
	}
	if a, ok := d.reg.Channel(platform.ID(name)); ok {
		return a, true
	}
	known := "people can be told on " + strings.Join(ids, ", ")
	info, isPlatform := d.reg.Info(platform.ID(name))
	switch {
	case own < 0 && resolve(e.value).Kind != yaml.MappingNode && !null(resolve(e.value)): // there is a finding
	case isPlatform:
		d.fail(CodeNotify, at, fmt.Sprintf("what is said on %s is said to the world", info.Name), known)
	case own < 0:
		d.fail(CodeNotify, at, fmt.Sprintf("channel %q does not say where it is", e.key), "add platform, or account for one of the site's accounts; "+known)
	default:
		d.fail(CodePlatform, at, fmt.Sprintf("unknown platform %q", name), didYouMean(name, ids, known))
	}
	return nil, false
}

// validateNotify checks what takes the accounts to know. A channel that is wrong counts as none.
func (d *decoder) validateNotify() {
	n := &d.site.Notify
	slices.SortFunc(n.Channels, func(a, b Channel) int { return strings.Compare(a.Name, b.Name) })
	n.Channels = slices.DeleteFunc(n.Channels, func(c Channel) bool { return !d.validChannel(&c) })
	for i := range n.Channels {
		if c := &n.Channels[i]; c.What == nil {
			c.What = n.What
		}
	}
	if n.Remind > 0 && n.Remind < time.Hour {
		d.fail(CodeValue, d.site.Place("notify", "remind"), "people would be reminded all the time", "remind: 1d, for example; an hour at least, or 0 for never")
	}
}

func (d *decoder) validChannel(c *Channel) bool {
	at := d.site.Place("notify", "channels", c.Name)
	id := c.Own.Platform
	if c.Account != "" {
		at = d.site.Place("notify", "channels", c.Name, "account") // the channel's name, where it is short for both
		if slices.Contains(d.site.broken, c.Account) {
			return false
		}
		a, ok := d.site.Account(c.Account)
		if !ok {
			var known []string
			for i := range d.site.Accounts {
				known = append(known, d.site.Accounts[i].Name)
			}
			d.fail(CodeNotify, at, fmt.Sprintf("channel %q: there is no account %q", c.Name, c.Account), didYouMean(c.Account, known, "known: "+strings.Join(known, ", ")))
			return false
		}
		id = a.Platform
	} else {
		prefix := platform.EnvName(c.Name, "")
		for i := range d.site.Accounts {
			if other := d.site.Accounts[i].Name; platform.EnvName(other, "") == prefix {
				d.fail(CodeClash, at, fmt.Sprintf("account %q and channel %q would take their secrets from the same variables, %s…", other, c.Name, prefix), "rename one of them, or say account: "+other)
				return false
			}
		}
		for _, other := range d.site.Notify.Channels {
			if other.Name < c.Name && other.Account == "" && platform.EnvName(other.Name, "") == prefix {
				d.fail(CodeClash, at, fmt.Sprintf("channels %q and %q would take their secrets from the same variables, %s…", other.Name, c.Name, prefix), "rename one of them")
				return false
			}
		}
	}
	adapter, ok := d.reg.Channel(id)
	if !ok {
		info, _ := d.reg.Info(id)
		d.fail(CodeNotify, at, fmt.Sprintf("account %q is on %s, where what is said is said to the world", c.Account, info.Name), "give people a channel of their own")
		return false
	}
	if m, ok := adapter.(platform.Mentioner); ok {
		for i, name := range c.Mention {
			if problem := m.MentionProblem(name); problem != "" {
				d.fail(CodeNotify, d.site.Place("notify", "channels", c.Name, fmt.Sprintf("mention[%d]", i)), fmt.Sprintf("%s cannot call %q", adapter.Info().Name, name), problem)
				return false
			}
		}
	}
	return true
}

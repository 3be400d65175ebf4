package notify

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
	"github.com/postrider/postrider/internal/secret"
)

// Item is one thing that people are told of.
type Item struct {
	What       config.What
	Post       string // empty of something about the whole run
	Path       string
	Title      string
	Account    string
	Platform   platform.ID
	Occurrence string
	State      string // as the outputs spell it: an outcome, or why it waits
	Reason     string // what happened, in a sentence
	Next       string // what to do, or what happens by itself; commands stand in `backquotes`
	URL        string // where it is, of something that went out
	// Person says that nothing happens unless somebody acts.
	Person bool
}

// ID returns the delivery that the item is about.
func (i *Item) ID() ledger.ID {
	return ledger.ID{Post: i.Post, Account: i.Account, Occurrence: i.Occurrence}
}

// Items returns what people may be told of after a run: of what it did itself, and of everything that is open, since a run that died may
// have told nobody. failed is why the run could not be made, nil for one that could. Secrets have been taken out by scrub.
func Items(r *publish.Report, failed error, scrub func(string) string) []Item {
	c := collector{seen: map[ledger.ID]bool{}, scrub: scrub}
	if failed != nil {
		c.add(Item{What: config.WhatAttention, State: "failed", Reason: failed.Error(), Next: "`postrider publish` says more, and `postrider doctor` what else would fail", Person: true})
	}
	for i := range r.Deliveries {
		c.delivery(&r.Deliveries[i])
	}
	for i := range r.Waiting {
		c.waiting(&r.Waiting[i], r.At)
	}
	slices.SortStableFunc(c.items, func(a, b Item) int {
		return cmp.Or(
			rank(a.What)-rank(b.What), strings.Compare(a.Path, b.Path), strings.Compare(a.Account, b.Account), strings.Compare(a.Occurrence, b.Occurrence))
	})
	return c.items
}

func rank(w config.What) int { return slices.Index(config.Whats(), w) }

type collector struct {
	items []Item
	seen  map[ledger.ID]bool
	scrub func(string) string
}

func (c *collector) add(i Item) {
	i.Reason, i.Title = c.clean(i.Reason, maxReason), c.clean(cmp.Or(i.Title, i.Path), maxTitle)
	c.items = append(c.items, i)
	c.seen[i.ID()] = true
}

// The most characters of what others wrote that a message repeats.
const (
	maxTitle  = 80
	maxReason = 300
)

// clean returns a text on one line, cut, without anything that is or looks like a secret.
func (c *collector) clean(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029:
			return ' '
		case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069: // they would turn what follows
			return -1
		}
		return r
	}, secret.Mask(c.scrub(text)))
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		return strings.TrimSpace(string(r[:most-1])) + "…"
	}
	return text
}

// delivery adds what became of a delivery of this run. One that was not begun is left to the next.
func (c *collector) delivery(d *publish.Delivery) {
	i := Item{Post: d.Post, Path: d.Path, Title: d.Title, Account: d.Account, Platform: d.Platform, Occurrence: d.Occurrence, State: d.Outcome}
	if d.OK() {
		i.What = config.WhatPublished
		for _, p := range d.Parts {
			i.URL = cmp.Or(i.URL, p.URL)
		}
		if d.Outcome != "skipped" {
			c.add(i)
		}
		return
	}
	if !d.Begun() {
		return
	}
	if d.Err != nil {
		i.Reason = d.Err.Error()
	}
	if e, ok := errors.AsType[*platform.Error](d.Err); ok && e.Hint != "" {
		i.Reason += " (" + e.Hint + ")"
	}
	switch d.Verb {
	case plan.Update:
		i.Reason = "its update: " + i.Reason
	case plan.Withdraw:
		i.Reason = "its withdrawal: " + i.Reason
	}
	i.What = config.WhatFailed
	switch d.Outcome {
	case platform.Unknown.String():
		i.What = config.WhatUnknown
		i.Next = fmt.Sprintf("the next run looks for it; if it cannot tell, look yourself, then `%s --published URL`, or `--unsent`", resolve(d.Post, d.Account))
	case platform.Denied.String():
		i.Person, i.Next = true, deniedNext
	case platform.Rejected.String():
		if i.Person, i.Next = true, rejectedNext; d.Verb == plan.Withdraw {
			i.Next = byHand(d.Post, d.Account)
		}
	default:
		i.Next = laterNext
	}
	c.add(i)
}

const (
	laterNext    = "a later run sends it by itself"
	deniedNext   = "mend the token or the permission, which `postrider doctor` looks at; the next run then sends it"
	rejectedNext = "change the post and merge: the next run then sends it"
)

func resolve(post, account string) string {
	return fmt.Sprintf("postrider resolve %s %s", post, account)
}

// byHand is what is left to do of what cannot be taken down from here.
func byHand(post, account string) string {
	return fmt.Sprintf("take it down by hand, then `%s --withdrawn`", resolve(post, account))
}

// waiting adds a target that waits, if that is for more than its time.
func (c *collector) waiting(w *plan.Waiting, now time.Time) {
	i := Item{
		What: config.WhatAttention, Post: w.Post, Path: w.Path, Title: w.Title, Account: w.Account, Platform: w.Platform, Occurrence: w.Occurrence,
		State: string(w.State), Reason: w.Reason, Person: w.Until.IsZero(),
	}
	if c.seen[i.ID()] {
		return
	}
	settle := resolve(w.Post, w.Account)
	switch w.State {
	case plan.WaitUnknown:
		i.What = config.WhatUnknown
		if i.Next = "a later run looks for it again"; i.Person {
			i.Next = fmt.Sprintf("look on the network, then `%s --published URL`, or `--unsent`", settle)
		}
	case plan.WaitUnsent, plan.WaitLimited:
		i.What, i.Person, i.Next = config.WhatFailed, false, laterNext
	case plan.WaitDenied:
		i.What, i.Next = config.WhatFailed, deniedNext
	case plan.WaitRejected:
		i.What, i.Next = config.WhatFailed, rejectedNext
	case plan.WaitHeld:
		if w.Due.After(now) {
			return
		}
		i.What, i.Person, i.Next = config.WhatHeld, false, "`postrider hold` lists what is held and lifts it"
	case plan.WaitBlocked:
		if w.Due.After(now) {
			return
		}
		i.Next = fmt.Sprintf("mend it and merge; `postrider check %s` says more", quoted(w.Path))
	case plan.WaitLate, plan.WaitDuplicate:
		i.Next = fmt.Sprintf("`%s --send`, or `--skip`", settle)
	case plan.WaitBudget:
		i.Next = "raise the account's monthly_cap and merge, or wait for the next month"
	case plan.WaitFirstRun:
		i.Next = "choose what becomes of posts from before the ledger: `postrider publish` says how"
	case plan.WaitCannot:
		i.Next = byHand(w.Post, w.Account)
	case plan.WaitChanged:
		i.Next = "what is out stays as it is; change it by hand, or take the change back"
	case plan.WaitOrphan:
		i.Next = fmt.Sprintf("look on the network, then `%s --published URL`, `--unsent` or `--skip`", settle)
	default:
		return
	}
	c.add(i)
}

// quoted returns a path as a shell takes it.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

package notify

import (
	"fmt"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// Links are addresses that messages lead to. Each may be missing.
type Links struct {
	// File returns where a file of the site is shown on the code host; nil or "" for nowhere.
	File func(path string) string
	Run  string // the CI job that this run is
}

func (l Links) file(path string) string {
	if l.File == nil || path == "" {
		return ""
	}
	return l.File(path)
}

// headline says in a line what a message is about: "2 failed, 1 may be out or not".
func headline(items []Item) string {
	counts := map[config.What]int{}
	for i := range items {
		counts[items[i].What]++
	}
	var parts []string
	for _, w := range config.Whats() {
		n := counts[w]
		if n == 0 {
			continue
		}
		words := map[config.What]string{
			config.WhatUnknown: "may be out or not", config.WhatFailed: "failed", config.WhatAttention: "waiting for a person",
			config.WhatHeld: "held", config.WhatPublished: "went out",
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, words[w]))
	}
	return strings.Join(parts, ", ")
}

// states says in words where something stands.
func stateWords(state string) string {
	switch state {
	case "published", "updated", "withdrawn":
		return state
	case platform.Unknown.String():
		return "may be out or not"
	case platform.Unsent.String():
		return "not out"
	case platform.Limited.String():
		return "not out, the network asks to wait"
	case platform.Denied.String():
		return "not out, the token or a permission was refused"
	case platform.Rejected.String():
		return "not out, the network refuses it"
	case "first_run":
		return "from before the ledger began"
	case "over_budget":
		return "costs more than is left"
	case "cannot_withdraw":
		return "cannot be taken down from here"
	case "changed":
		return "changed since it went out"
	case "orphan":
		return "half done, and no longer on the branch"
	case "failed":
		return "the run could not be made"
	}
	return state
}

// doc writes a message: its headline, the first n items, how many more there are, and where to read on.
func doc(title string, m *message, n int, links Links) post.Doc {
	paragraph := func(inlines ...post.Inline) post.Block { return post.Block{Kind: post.Paragraph, Inlines: inlines} }
	d := post.Doc{Blocks: []post.Block{paragraph(strong(title))}}
	left := n
	list := func(items []Item, lead string) {
		items = items[:min(left, len(items))]
		left -= len(items)
		if len(items) == 0 {
			return
		}
		if lead != "" {
			d.Blocks = append(d.Blocks, paragraph(text(lead)))
		}
		block := post.Block{Kind: post.List}
		for i := range items {
			block.Blocks = append(block.Blocks, post.Block{Kind: post.Item, Blocks: []post.Block{paragraph(lines(&items[i], links)...)}})
		}
		d.Blocks = append(d.Blocks, block)
	}
	list(m.fresh, "")
	list(m.again, "Still open:")
	if more := len(m.fresh) + len(m.again) - n; more > 0 {
		d.Blocks = append(d.Blocks, paragraph(append([]post.Inline{text(fmt.Sprintf("… and %d more: ", more))}, commands("`postrider plan` and `postrider status`")...)...))
	}
	if links.Run != "" {
		d.Blocks = append(d.Blocks, paragraph(link("The run", links.Run)))
	}
	return d
}

// lines writes one item.
func lines(i *Item, links Links) []post.Inline {
	br := post.Inline{Kind: post.HardBreak}
	var all []post.Inline
	if i.Post == "" {
		all = append(all, strong(stateWords(i.State)))
	} else {
		all = append(all, strong(i.Title), text(" → "+i.Account+": "+stateWords(i.State)))
	}
	if i.URL != "" {
		all = append(all, br, link(i.URL, i.URL))
	}
	if i.Reason != "" {
		all = append(all, br, text(i.Reason))
	}
	if i.Next != "" {
		all = append(append(all, br, text("→ ")), commands(i.Next)...)
	}
	if address := links.file(i.Path); address != "" && i.What != config.WhatPublished {
		all = append(all, br, link(i.Path, address))
	}
	return all
}

func text(s string) post.Inline { return post.Inline{Kind: post.Text, Text: s} }
func strong(s string) post.Inline {
	return post.Inline{Kind: post.Strong, Inlines: []post.Inline{text(s)}}
}
func link(words, address string) post.Inline {
	return post.Inline{Kind: post.Link, Dest: address, Inlines: []post.Inline{text(words)}}
}

// commands returns a sentence with what stands in backquotes as code.
func commands(s string) []post.Inline {
	var all []post.Inline
	for i, piece := range strings.Split(s, "`") {
		switch {
		case piece == "":
		case i%2 == 1:
			all = append(all, post.Inline{Kind: post.CodeSpan, Text: piece})
		default:
			all = append(all, text(piece))
		}
	}
	return all
}

// maxItems is how many things one message names: who has more to do looks at the site itself.
const maxItems = 20

// render writes a message as a channel shows it: with as many items as it has room for. The rendering of the shortest message counts even
// where a channel finds fault with it.
func render(adapter platform.Adapter, account *platform.Account, mention []string, site string, m *message, links Links) platform.Rendering {
	title := strings.TrimPrefix(site+": ", ": ") + headline(append(append([]Item{}, m.fresh...), m.again...))
	for n := min(maxItems, len(m.fresh)+len(m.again)); ; n-- {
		r, list := written(adapter, account, mention, title, doc(title, m, n, links))
		if n == 0 || !list.HasErrors() {
			return r
		}
	}
}

// written renders a text as a channel shows it, with the names of those who are called.
func written(adapter platform.Adapter, account *platform.Account, mention []string, title string, d post.Doc) (platform.Rendering, finding.List) {
	v := &post.Variant{Post: &post.Post{ID: "notification", Path: "notification"}, Account: account.Name, Platform: string(account.Platform)}
	v.Title = title
	if _, calls := adapter.(platform.Mentioner); calls {
		for _, name := range mention {
			v.Mentions = append(v.Mentions, post.Mention{Name: name})
		}
	} else if len(mention) > 0 {
		d.Blocks = append([]post.Block{{Kind: post.Paragraph, Inlines: []post.Inline{text(strings.Join(mention, " "))}}}, d.Blocks...)
	}
	v.Parts = []post.Doc{d}
	return adapter.Render(v, account)
}

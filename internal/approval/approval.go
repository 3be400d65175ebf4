// Package approval decides whether people have approved what is to go out.
//
// It is given what was said of a rendering, and of its earlier versions, in reviews of merged pull requests and in Reviewed-by trailers of
// commits. Who said it, and which version it was said of, others have found out; nothing here reads a repository or asks a code host.
package approval

import (
	"fmt"
	"slices"
	"strings"
)

// Source says where something was said.
type Source string

// The sources.
const (
	Forge    Source = "forge"    // a review of a pull request
	Trailers Source = "trailers" // a Reviewed-by trailer
)

// Rule is what must have been said.
type Rule struct {
	People  int      // how many people must have approved
	Sources []Source // where; one of them must have enough
	// By names those whose approval counts: names on the code host, mail addresses in trailers. Empty: everybody's does.
	By []string
}

// Flaw says why somebody's approval counts for nothing, whatever it is about.
type Flaw string

// The flaws.
const (
	Own       Flaw = "own"       // by somebody who wrote a part of it
	Bot       Flaw = "bot"       // by a program
	Stranger  Flaw = "stranger"  // by somebody who may not write to the repository
	Uncertain Flaw = "uncertain" // it cannot be told who wrote what was approved
)

// Word is one person's approval of one version of what a post says on an account.
type Word struct {
	Source Source
	By     string // who, as one and the same person is always called in a source: a name on the code host, a mail address
	Name   string // who, for people
	Where  string // "#12", "!12", "commit 0123456789"
	Flaw   Flaw   // "" for none
	// Fingerprint is that of the version: empty when the post did not go to the account in it.
	Fingerprint string
	// Same says that what was approved left the rendering as it was: it was not what they looked at.
	Same bool
	// Lost says why the version is not known, "" when it is.
	Lost string
}

// Verdict is what came of it.
type Verdict struct {
	Approved bool
	Why      string // a sentence for people: why it is not approved
}

// Judge decides whether a rendering with a fingerprint is approved. words may be of other versions of it, too; the latest come first.
//
// An approval counts for what it was about: a version that says the very same, in a change that made it say so. The same person counts once,
// and each source by itself, since nobody knows who on a code host has which mail address.
func Judge(rule Rule, fingerprint string, words []Word) Verdict {
	words = slices.DeleteFunc(slices.Clone(words), func(w Word) bool { return w.Same || !slices.Contains(rule.Sources, w.Source) })
	var most []Word
	for _, source := range rule.Sources {
		var counted []Word
		for _, w := range words {
			if w.Source == source && w.Fingerprint == fingerprint && w.Lost == "" && w.Flaw == "" && rule.counts(&w) && !slices.ContainsFunc(counted, w.by) {
				counted = append(counted, w)
			}
		}
		if len(counted) >= rule.People {
			return Verdict{Approved: true}
		}
		if len(counted) > len(most) {
			most = counted
		}
	}
	return Verdict{Why: rule.why(fingerprint, most, words)}
}

// by reports whether two words are one person's.
func (w *Word) by(other Word) bool {
	return w.Source == other.Source && strings.EqualFold(w.By, other.By)
}

// counts reports whether the approval of whoever said something counts.
func (r *Rule) counts(w *Word) bool {
	return len(r.By) == 0 || slices.ContainsFunc(r.By, func(name string) bool { return strings.EqualFold(name, w.By) })
}

// why says what is missing: what is nearest to an approval comes first.
func (r *Rule) why(fingerprint string, counted, words []Word) string {
	if len(counted) > 0 {
		return r.more(counted)
	}
	for _, nearly := range []struct {
		is  func(w *Word) bool
		say func(w *Word) string
	}{
		{func(w *Word) bool {
			return w.Flaw == "" && r.counts(w) && w.Lost == "" && w.Fingerprint != "" && w.Fingerprint != fingerprint
		},
			func(w *Word) string { return fmt.Sprintf("edited since %s approved it in %s", w.Name, w.Where) }},
		{func(w *Word) bool { return w.Flaw == "" && r.counts(w) && w.Lost == "" && w.Fingerprint == "" },
			func(w *Word) string {
				return fmt.Sprintf("it did not go to this account yet when %s approved %s", w.Name, w.Where)
			}},
		{func(w *Word) bool { return w.Flaw == "" && r.counts(w) && w.Lost != "" },
			func(w *Word) string {
				return fmt.Sprintf("what %s approved in %s is not known: %s", w.Name, w.Where, w.Lost)
			}},
		{func(w *Word) bool { return w.Flaw == Own },
			func(w *Word) string {
				return fmt.Sprintf("in %s only %s has approved it, who wrote a part of it", w.Where, w.Name)
			}},
		{func(w *Word) bool { return w.Flaw == Uncertain },
			func(w *Word) string {
				return fmt.Sprintf("%s has approved it in %s, which has too many commits to tell who wrote it", w.Name, w.Where)
			}},
		{func(w *Word) bool { return w.Flaw == Bot },
			func(w *Word) string {
				return fmt.Sprintf("in %s only %s has approved it, which is a bot", w.Where, w.Name)
			}},
		{func(w *Word) bool { return w.Flaw == Stranger },
			func(w *Word) string {
				return fmt.Sprintf("in %s only %s has approved it, who may not write to the repository", w.Where, w.Name)
			}},
		{func(w *Word) bool { return !r.counts(w) },
			func(w *Word) string {
				return fmt.Sprintf("in %s only %s has approved it, whom require_approval does not name", w.Where, w.Name)
			}},
	} {
		for i := range words {
			if nearly.is(&words[i]) {
				return nearly.say(&words[i])
			}
		}
	}
	switch {
	case len(r.Sources) > 1:
		return "neither an approved pull request nor a commit with a Reviewed-by has this text"
	case slices.Contains(r.Sources, Trailers):
		return "no commit with a Reviewed-by has this text"
	default:
		return "no approved pull request has this text"
	}
}

// more says how many have yet to approve.
func (r *Rule) more(counted []Word) string {
	if r.People == 2 {
		return fmt.Sprintf("needs a second person: only %s has approved it in %s", counted[0].Name, counted[0].Where)
	}
	var names []string
	for _, w := range counted {
		names = append(names, fmt.Sprintf("%s in %s", w.Name, w.Where))
	}
	return fmt.Sprintf("needs %s: so far %s", People(r.People), strings.Join(names, " and "))
}

// People writes how many people are asked for.
func People(n int) string {
	if n == 1 {
		return "one person"
	}
	return fmt.Sprintf("%d people", n)
}

// Have writes how many people are to have done something.
func Have(n int) string {
	if n == 1 {
		return People(n) + " has"
	}
	return People(n) + " have"
}

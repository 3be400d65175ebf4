package ledger

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// Merge combines two versions of one record that were written without knowing of each other: a run
// that could not push its receipts, and a later run elsewhere. The state is that of the version that knows more;
// between equals, the later one. No evidence is lost: attempts are united, and so are parts. Where the versions disagree
// about a part, it exists twice on the network: one is among the record's Parts then and the other among its Doubles.
//
// A version that goes on from the other is the last word on it: a part that it no longer has was replaced or found
// gone by somebody who knew of it.
//
// Merge(a, b) and Merge(b, a) are the same, and merging a version again changes nothing. In whatever order
// several versions are merged, the attempts are the same, and so are the ids in Parts and Doubles together; only an id
// that one of the versions knew to be replaced may come back as a double, never the reverse.
func Merge(ours, theirs *Record) *Record {
	switch {
	case ours == nil:
		return theirs.Clone()
	case theirs == nil:
		return ours.Clone()
	}
	winner, loser := ours, theirs
	if newer(theirs, ours) {
		winner, loser = theirs, ours
	}
	m := winner.Clone()
	if goesOn(winner, loser) {
		return m
	}
	m.Attempts = unite(winner.Attempts, loser.Attempts)
	m.Parts, m.Doubles = settleParts(winner, loser)
	if loser.Fingerprint == m.Fingerprint { // of another rendering they are of no use
		for part, id := range loser.Anchors {
			if _, ok := m.Anchors[part]; !ok {
				m.Anchor(part, id)
			}
		}
	}
	return m
}

// unite returns all attempts of two versions in order. Of one that ended differently in each, both ends stay: the run
// itself said one thing, and a later run, which took it for dead, another.
func unite(ours, theirs []Attempt) []Attempt {
	all := slices.Concat(ours, theirs)
	slices.SortStableFunc(all, func(a, b Attempt) int {
		return cmp.Or(cmp.Compare(a.N, b.N), a.Started.Compare(b.Started), cmp.Compare(a.Run, b.Run), cmp.Compare(weight(a.Outcome), weight(b.Outcome)),
			a.Ended.Compare(b.Ended), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Error, b.Error),
			cmp.Compare(b.Charge.USD, a.Charge.USD), cmp.Compare(a.Charge.Month, b.Charge.Month)) // a charge only ever shrinks, the more is known
	})
	list := make([]Attempt, 0, len(all))
	for i, a := range all {
		later := func(b Attempt) bool {
			return a.N == b.N && a.Run == b.Run && (a.Outcome == "" || a.Outcome == b.Outcome && a.Ended.Equal(b.Ended))
		}
		if !slices.ContainsFunc(all[i+1:], later) {
			list = append(list, a)
		}
	}
	return list
}

// weight ranks outcomes of one attempt: a success is proved, a doubt is not removed by a failure that somebody else
// saw, and anything is more than nothing.
func weight(outcome string) int {
	switch outcome {
	case "published", "updated", "withdrawn":
		return 3
	case "unknown":
		return 2
	case "":
		return 0
	default:
		return 1
	}
}

// settleParts returns what exists of a delivery by two versions of its record, and what exists beside it. When both
// versions have the same part under different ids, each has a thread of its own: the two are not mixed, since the parts
// of one answer each other.
func settleParts(winner, loser *Record) (parts, doubles []Part) {
	parts, others := winner.Parts, loser.Parts
	if !winner.State.Settled() && len(others) > len(parts) {
		parts, others = others, parts // what is unfinished goes on where more of it exists
	}
	parts = slices.Clone(parts)
	if winner.State != Withdrawn && !disagree(parts, others) {
		for _, p := range others {
			if !hasPart(parts, p) {
				parts = append(parts, p)
			}
		}
	}
	sortParts(parts)
	for _, p := range slices.Concat(winner.Doubles, loser.Doubles, others) {
		if !hasPart(parts, p) && !hasPart(doubles, p) {
			doubles = append(doubles, p)
		}
	}
	sortParts(doubles)
	return parts, doubles
}

// disagree reports whether a part is one thing here and another there.
func disagree(a, b []Part) bool {
	return slices.ContainsFunc(a, func(p Part) bool {
		return slices.ContainsFunc(b, func(q Part) bool { return p.Part == q.Part && !samePart(p, q) })
	})
}

func hasPart(parts []Part, p Part) bool {
	return slices.ContainsFunc(parts, func(q Part) bool { return samePart(p, q) })
}

// samePart reports whether two parts are the same thing on the network. One that a person has recorded may have its
// address in the place of its id.
func samePart(p, q Part) bool {
	return p.ID == q.ID || p.Part == q.Part && p.URL != "" && p.URL == q.URL
}

func sortParts(parts []Part) {
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.ID, b.ID)) })
}

// newer reports whether a is the better word on the delivery than b.
func newer(a, b *Record) bool {
	if knowsA, knowsB := extends(a, b), extends(b, a); knowsA != knowsB {
		return knowsA // its history contains the other's: it was written knowing it
	}
	return cmp.Or(
		cmp.Compare(knowledge(a.State), knowledge(b.State)),
		latestWord(a).Compare(latestWord(b)),
		bytes.Compare(a.head(), b.head()),
	) > 0
}

// extends reports whether a contains every attempt of b, and knows as much of its outcome.
func extends(a, b *Record) bool {
	return !slices.ContainsFunc(b.Attempts, func(x Attempt) bool {
		return !a.has(x, func(y Attempt) bool { return weight(y.Outcome) > weight(x.Outcome) || y.Outcome == x.Outcome })
	})
}

// goesOn reports whether a was made from b, or from something that was: it has all of b's attempts, just as b has them,
// and more.
func goesOn(a, b *Record) bool {
	lastA, lastB := a.Last(), b.Last()
	if lastA == nil || lastB == nil || lastA.N <= lastB.N {
		return false
	}
	return !slices.ContainsFunc(b.Attempts, func(x Attempt) bool {
		return !a.has(x, func(y Attempt) bool { return y.Outcome == x.Outcome && y.Ended.Equal(x.Ended) })
	})
}

// has reports whether the record has an attempt, and knows what same asks of it. Those that a long record has
// dropped it had.
func (r *Record) has(x Attempt, same func(Attempt) bool) bool {
	if n := len(r.Attempts); n >= maxAttempts && r.Attempts[0].N < x.N && x.N < r.Attempts[1].N {
		return true
	}
	return slices.ContainsFunc(r.Attempts, func(y Attempt) bool { return x.N == y.N && x.Run == y.Run && same(y) })
}

// head returns the record without the lists that merging unites.
func (r *Record) head() []byte {
	c := r.Clone()
	c.Attempts, c.Parts, c.Doubles = nil, nil, nil
	return c.Encode()
}

// knowledge ranks states by how much they are the last word on a delivery.
func knowledge(s State) int {
	switch s {
	case Withdrawn:
		return 5
	case Published:
		return 4
	case Unknown:
		return 3 // once doubtful, it must be settled: a mere "unsent" elsewhere does not settle it
	case Sending:
		return 2
	case Skipped:
		return 1
	default:
		return 0
	}
}

// latestWord returns when something was last heard of the delivery.
func latestWord(r *Record) (at time.Time) {
	for _, a := range r.Attempts {
		for _, t := range []time.Time{a.Started, a.Ended} {
			if t.After(at) {
				at = t
			}
		}
	}
	return at
}

// SetParts records the parts of a receipt, with the texts that were sent.
func (r *Record) SetParts(receipt platform.Receipt, rendering *platform.Rendering) {
	parts := make([]Part, 0, len(receipt.Parts))
	for _, remote := range receipt.Parts {
		p := Part{Remote: remote}
		if rendering != nil && remote.Part >= 0 && remote.Part < len(rendering.Parts) {
			p.Text = rendering.Parts[remote.Part].Text
		}
		parts = append(parts, p)
	}
	r.Parts = parts
}

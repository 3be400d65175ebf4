package ledger

import (
	"cmp"
	"slices"

	"github.com/postrider/postrider/internal/platform"
)

// Merge combines two versions of one record that were written without knowing of each other: a run
// that could not push its receipts, and a later run elsewhere. No evidence is lost: attempts and parts
// are united. The state is that of the version that knows more; between equals, the later one.
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
	for _, a := range loser.Attempts {
		same := func(b Attempt) bool { return a.N == b.N && a.Run == b.Run }
		i := slices.IndexFunc(m.Attempts, same)
		switch {
		case i < 0:
			m.Attempts = append(m.Attempts, a)
		case m.Attempts[i].Outcome == "" && a.Outcome != "":
			m.Attempts[i] = a
		}
	}
	slices.SortStableFunc(m.Attempts, func(a, b Attempt) int {
		return cmp.Or(cmp.Compare(a.N, b.N), a.Started.Compare(b.Started))
	})
	if m.State == Withdrawn {
		return m
	}
	for _, p := range loser.Parts {
		if !slices.ContainsFunc(m.Parts, func(q Part) bool { return q.ID == p.ID }) && !hasPart(m.Parts, p.Part) {
			m.Parts = append(m.Parts, p)
		}
	}
	slices.SortStableFunc(m.Parts, func(a, b Part) int { return cmp.Compare(a.Part, b.Part) })
	return m
}

// newer reports whether a is the better word on the delivery than b.
func newer(a, b *Record) bool {
	if knowsA, knowsB := extends(a, b), extends(b, a); knowsA != knowsB {
		return knowsA // its history contains the other's: it was written knowing it
	}
	if c := cmp.Compare(knowledge(a.State), knowledge(b.State)); c != 0 {
		return c > 0
	}
	return lastEnd(a) > lastEnd(b)
}

// extends reports whether a contains every attempt of b, with the outcome that b knows.
func extends(a, b *Record) bool {
	for _, x := range b.Attempts {
		if !slices.ContainsFunc(a.Attempts, func(y Attempt) bool {
			return x.N == y.N && x.Run == y.Run && (x.Outcome == "" || x.Outcome == y.Outcome)
		}) {
			return false
		}
	}
	return true
}

func hasPart(parts []Part, n int) bool {
	return slices.ContainsFunc(parts, func(p Part) bool { return p.Part == n })
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

func lastEnd(r *Record) int64 {
	if last := r.Last(); last != nil {
		if !last.Ended.IsZero() {
			return last.Ended.UnixNano()
		}
		return last.Started.UnixNano()
	}
	return 0
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

package board

import "encoding/binary"

// Tens of thousands of posts are of a few hundred kinds, as far as filters and counts are concerned: who wrote them, and for which accounts
// and campaigns they are in which states. So a filter judges kinds, and what is counted is counted for all posts of a kind at once.

// kinds are all kinds of the rows of a board, and of the boards that are made of it. What makes boards holds the shelf's lock.
type kinds struct {
	number map[string]uint32
	rows   []*Row // one of each, with what all of that kind have in common
	key    []byte // scratch
}

// of returns the number of a row's kind.
func (k *kinds) of(r *Row) uint32 {
	b := append(k.key[:0], r.rank)
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	text(r.Author)
	text(r.campaign)
	for i := range r.Targets {
		t := &r.Targets[i]
		b = append(binary.AppendUvarint(b, uint64(t.number)), t.rank)
		text(t.Campaign)
	}
	k.key = b
	n, ok := k.number[string(b)]
	if !ok {
		n = uint32(len(k.rows)) //nolint:gosec // at most one for each row that there was
		k.number[string(b)] = n
		k.rows = append(k.rows, &Row{Author: r.Author, State: r.State, Targets: r.Targets, rank: r.rank, campaign: r.campaign, alike: r.alike, accounts: r.accounts, kind: n})
	}
	return n
}

// countKinds returns how many rows there are of each kind.
func (b *Board) countKinds() []int {
	n := make([]int, len(b.kinds))
	for _, r := range b.rows {
		n[r.kind]++
	}
	return n
}

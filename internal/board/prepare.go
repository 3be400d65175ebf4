package board

// Prepare makes ready what is made when a page asks for it for the first time: the orders of posts, what waits for a person, and the
// campaigns. With tens of thousands of posts that takes as long as such a page itself. It may be called at any time, and again.
func (b *Board) Prepare() {
	b.byTime.sorted(b.rows, sortByTime, compareTime)
	b.byName.sorted(b.rows, sortByName, compareName)
	b.needs()
	b.campaigns()
	b.tally()
	b.perKind()
}

package board

import (
	"time"

	"github.com/postrider/postrider/internal/finding"
)

// Board is a site at one moment. It is not changed once made and may be used by many goroutines; callers must not modify what
// it returns.
type Board struct {
	in   Input
	rows []*Row
}

// New makes a board. An error means that the ledger cannot be read.
func New(in Input) (*Board, error) { return &Board{in: in}, nil }

// With returns the board after the posts at the changed paths have changed; everything else is shared with b, which stays as it
// is. With the same Site and no paths, only the ledger, the findings or the time are another.
func (b *Board) With(in Input, changed []string) (*Board, error) { return New(in) }

// Input returns what the board was made of.
func (b *Board) Input() Input { return b.in }

// Rows returns all posts in the order of their paths, one for each of Site.Posts.
func (b *Board) Rows() []*Row { return b.rows }

// Row returns the post with an id, or the one at a path.
func (b *Board) Row(idOrPath string) (*Row, bool) { return nil, false }

// Posts returns the posts that a filter chooses, in its order.
func (b *Board) Posts(f Filter) []*Row { return nil }

// Facets counts the posts by what a filter can choose, each with the filter's other fields applied. Posts without a campaign count
// as "-", posts of whom nobody knows the author not at all.
func (b *Board) Facets(f Filter) (states map[State]int, accounts, campaigns, authors map[string]int) {
	return nil, nil, nil, nil
}

// Days returns the calendar from the day of from to the day before to, in the site's zone.
func (b *Board) Days(from, to time.Time, f Filter) []Day { return nil }

// Today returns what there is to know in the morning, at most n of each kind.
func (b *Board) Today(n int) Today { return Today{} }

// Campaigns returns the campaigns of site.yaml, sorted by name.
func (b *Board) Campaigns() []Campaign { return nil }

// Campaign returns the campaign of site.yaml called name.
func (b *Board) Campaign(name string) (Campaign, bool) { return Campaign{}, false }

// Detail renders a post for each of its accounts.
func (b *Board) Detail(r *Row) (Detail, error) { return Detail{Row: r}, nil }

// Problems returns what is wrong, sorted, with the given severities; all without any.
func (b *Board) Problems(sev ...finding.Severity) finding.List { return nil }

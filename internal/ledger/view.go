package ledger

import (
	"cmp"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/platform"
)

// Brief is what a listing tells of a record without opening its file.
type Brief struct {
	State State
	Mark  string // of a published record: the start of its source digest
}

// View is the ledger at one moment.
type View interface {
	// Brief returns what the listing tells of a record; ok is false when there is none.
	Brief(id ID) (b Brief, ok bool, err error)
	// Record returns a record, nil when there is none.
	Record(id ID) (*Record, error)
	// Open returns all records that are not settled, sorted by id.
	Open() ([]*Record, error)
	// Said returns when and where the account last said these words (see the function [Said]); nil when it never has.
	Said(account, words string) (*Saying, error)
	// Spent returns what an account has spent in a month. An error that wraps [ErrFormat] means that nobody knows.
	Spent(account string, m Month) (platform.USD, error)
	// Empty reports whether nothing was ever recorded.
	Empty() (bool, error)
	// Opening returns since when the ledger knows everything; the zero Opening when it was not begun yet.
	Opening() (Opening, error)
	// Untimed reports whether a post without a time was on the publishing branch when the ledger began.
	Untimed(post string) (bool, error)
	// Holds returns the emergency stops that are on.
	Holds() ([]Hold, error)
}

// Stamper is a View that knows without reading records whether they may have changed.
type Stamper interface {
	// Stamp returns what is the same for two views as long as the settled records of a post are. It is safe for
	// concurrent use.
	Stamp(post string) (string, error)
}

// Memory is a View of records held in memory.
type Memory []*Record

// Brief implements View.
func (m Memory) Brief(id ID) (Brief, bool, error) {
	if r, _ := m.Record(id); r != nil {
		return Brief{State: r.State, Mark: sourceMark(r.Source)}, true, nil
	}
	return Brief{}, false, nil
}

// Record implements View.
func (m Memory) Record(id ID) (*Record, error) {
	for _, r := range m {
		if r.ID() == id {
			return r, nil
		}
	}
	return nil, nil
}

// Open implements View.
func (m Memory) Open() ([]*Record, error) {
	var open []*Record
	for _, r := range m {
		if !r.State.Settled() {
			open = append(open, r)
		}
	}
	SortRecords(open)
	return open, nil
}

// Said implements View.
func (m Memory) Said(account, words string) (*Saying, error) {
	var last *Saying
	for _, r := range m {
		if r.Account == account && r.Said == words && words != "" && !r.PublishedAt.IsZero() && (last == nil || r.PublishedAt.After(last.At)) {
			s := r.Saying()
			last = &s
		}
	}
	return last, nil
}

// Spent implements View.
func (m Memory) Spent(account string, month Month) (platform.USD, error) {
	spent := Spent{}
	for _, r := range m {
		spent.Note(month, r)
	}
	return spent.By(account), nil
}

// Empty implements View.
func (m Memory) Empty() (bool, error) { return len(m) == 0, nil }

// Opening implements View.
func (m Memory) Opening() (Opening, error) { return Opening{}, nil }

// Untimed implements View.
func (m Memory) Untimed(string) (bool, error) { return false, nil }

// Holds implements View.
func (m Memory) Holds() ([]Hold, error) { return nil, nil }

// SortRecords orders records by post, occurrence and account.
func SortRecords(records []*Record) {
	slices.SortFunc(records, func(a, b *Record) int {
		return cmp.Or(strings.Compare(a.Post, b.Post), strings.Compare(a.Occurrence, b.Occurrence), strings.Compare(a.Account, b.Account))
	})
}

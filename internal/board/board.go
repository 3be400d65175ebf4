// Package board is a site as those see it who run it: every post with its times, targets, states and problems, the
// calendar, the campaigns, and what needs a person today.
//
// A [Board] is immutable and pure: the same snapshot, ledger, findings and time give the same board. It holds no
// renderings; [Board.Detail] makes those of one post when they are asked for.
package board

import (
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
)

// Input is what a board is made of.
type Input struct {
	Site     *site.Snapshot
	Registry *platform.Registry // the one that Site was loaded with; nil: the program's own
	// Ledger is nil when nothing is known of what went out. Views need not be safe for concurrent use: a board, and those made
	// of it by With, ask it one after the other, and nobody else may at the same time.
	Ledger  ledger.View
	Latest  []*ledger.Record  // what happened last, newest first; may be empty
	Authors map[string]string // who wrote a post, by its path; nil while that is not known
	Check   *Check            // what the last whole check has found; nil while there was none
	Drafts  bool              // whether drafts are shown in calendars
	Now     time.Time
}

// State says where a post, or one of its targets, stands.
type State string

// The states, those that press most first.
const (
	Attention State = "attention" // a person is needed: its delivery is unknown, denied or rejected
	Broken    State = "broken"    // an error keeps it from going out
	Late      State = "late"      // its time is long over
	Sending   State = "sending"
	Waiting   State = "waiting" // goes again by itself: unsent or limited
	Held      State = "held"    // an emergency stop is on; also of posts whose time is yet to come
	Due       State = "due"     // goes out with the next run once it is merged
	Changed   State = "changed" // out, and the file has changed since; see [Row]
	Scheduled State = "scheduled"
	Draft     State = "draft"
	Published State = "published"
	Withdrawn State = "withdrawn"
	Skipped   State = "skipped" // never goes out
)

// States returns all states, those that press most first.
func States() []State {
	return []State{Attention, Broken, Late, Sending, Waiting, Held, Due, Changed, Scheduled, Draft, Published, Withdrawn, Skipped}
}

// rank returns how much a state presses: 0 most. One that there is not presses less than all, and is no row's.
func (s State) rank() uint8 {
	switch s {
	case Attention:
		return 0
	case Broken:
		return 1
	case Late:
		return 2
	case Sending:
		return 3
	case Waiting:
		return 4
	case Held:
		return 5
	case Due:
		return 6
	case Changed:
		return 7
	case Scheduled:
		return 8
	case Draft:
		return 9
	case Published:
		return 10
	case Withdrawn:
		return 11
	case Skipped:
		return 12
	default:
		return 13
	}
}

// Row is a post on the board. It is shared between boards and never changed.
//
// Whether the file of what is out has changed since is known from its bytes, by the same digest that publishing makes of the
// merged file. Of a post with media that digest takes git's ids of the media files, which are not known here: its row says
// Published until [Board.Detail] compares the rendering.
type Row struct {
	Post    *post.Post
	Good    *post.Post // the last version that could be read, when Post cannot; else nil
	Name    string     // what people call it: its title, else its first words, else its path
	Author  string
	At      time.Time // the earliest time of its targets; zero: as soon as it is merged
	State   State     // of its targets the one that presses most
	Targets []Target  // sorted by account

	facts       *facts
	number      uint32 // its own among the rows of its board
	kind        uint32 // see kinds
	unreadable  bool   // Post cannot be read
	until       int64  // when a state changes by itself, see stamp
	first, last int64  // the earliest and the latest time of its targets, see stamp; of a repeated post last is never
	rank        uint8  // of State
	campaign    string
	// alike says that all targets are in the row's state and campaign, as those of most posts are; accounts has a bit for each then.
	// Going through all targets of all posts would be most of what a page of tens of thousands of posts costs.
	alike    bool
	accounts uint64
	together bool // all targets, of which there are at most 64, go out at one time, first, and once
}

// Target is one account of a post.
type Target struct {
	Account *platform.Account
	*Turn   // shared by targets that have the same
	*Stand  // as well

	number uint16 // of Account in the configuration
}

// Stand is where a target stands. It is never changed.
type Stand struct {
	State State
	Why   string // a sentence on the state where it needs one: "held: the price is wrong"

	rank uint8 // of State
}

// Turn is when a target goes out, and for what. It is never changed.
type Turn struct {
	At       time.Time // in the zone the post is written in; zero: as soon as it is merged
	Campaign string
	Repeat   string // RRULE

	cycle *cycle // of Repeat, nil when it cannot be read
}

// at returns the target at another time of its cycle.
func (t *Target) at(when time.Time) *Target {
	other, turn := *t, *t.Turn
	turn.At = when
	other.Turn = &turn
	return &other
}

// cycle is when a repeated post goes out.
type cycle struct {
	repeat           *plan.Repeat
	first            time.Time
	rule             string
	latest, upcoming time.Time // around the board's time; zero where there is none
	last             int64     // when it ends, see stamp; never, where that is far away
}

// Excerpt returns the beginning of the post's text, without marks, on one line.
func (r *Row) Excerpt() string { return excerpt(r.Shown()) }

// Shown returns the version of the post that can be shown.
func (r *Row) Shown() *post.Post {
	if r.Good != nil {
		return r.Good
	}
	return r.Post
}

// Sort orders posts.
type Sort string

// The orders.
const (
	ByTime   Sort = "time" // the next first, then those without a time, then the past, latest first
	ByOldest Sort = "oldest"
	ByName   Sort = "name"
	ByPath   Sort = "path"
	ByState  Sort = "state" // what presses most first
)

// Filter chooses posts. Empty fields choose all.
type Filter struct {
	Account  string // an account's name, or a platform's id
	Campaign string // "-" chooses posts without one
	Author   string
	State    State
	Text     string // words that all must be in its title, text, tags, id or path, whatever their case
	Sort     Sort   // empty: ByTime
}

// Event is a time at which a post goes out to some of its accounts.
type Event struct {
	Row        *Row
	Targets    []Target
	At         time.Time // in the site's zone
	Occurrence bool      // of a repeated post, other than its first
	Collides   bool      // another post goes to the same account within 15 minutes
	State      State     // of these targets the one that presses most

	rank uint8 // of State
}

// Day is a day of the calendar.
type Day struct {
	Date   time.Time // midnight in the site's zone
	Events []Event   // sorted by time
	More   int       // events beyond those
	Quiet  []Span    // when nothing goes out
	Gap    bool      // nothing goes out on it, between days on which something does, and not for quiet hours alone
	// Campaigns run on this day.
	Campaigns []*config.Campaign
}

// Span is a stretch of time, End exclusive.
type Span struct{ Start, End time.Time }

// Need is something that waits for a person.
type Need struct {
	Row     *Row           // nil when the post is gone
	Record  *ledger.Record // nil when it has none
	Account string         // empty: all of the post's
	State   State
	Why     string // a sentence
	// Command is what settles it: "postrider resolve k3v9q2xh fedi --published URL". Empty when a file must change, or when
	// something must be done on the network.
	Command string
	At      time.Time // when it was or is due; zero when that is not known
}

// Today is what a manager looks at in the morning.
type Today struct {
	Next  []Event // the next to go out, those with a time
	Needs []Need  // what waits for a person, most pressing first
	More  int     // needs beyond those listed
	Out   []*ledger.Record
	Count map[State]int // of all posts
	Holds []ledger.Hold
	Hold  *config.Hold // of site.yaml, when it is on
}

// Campaign is a campaign with its posts.
type Campaign struct {
	*config.Campaign
	Rows        []*Row // sorted by time
	Count       map[State]int
	First, Last time.Time
	Gaps        []Span // days within it without a post, between its first and its last
	Outside     []*Row // posts that go out before it starts or after it ends
	Held        string // the reason when it is stopped
	Out         []*ledger.Record
}

// Detail is everything about one post.
type Detail struct {
	Row      *Row
	Stale    bool // what is shown is an earlier version than the file's
	Targets  []DetailTarget
	Findings finding.List // about the file as it is, sorted
}

// DetailTarget is one account of a post with what its network gets.
type DetailTarget struct {
	Target
	Info     platform.Info
	Rendered site.Rendered
	Record   *ledger.Record // nil when nothing was tried; of a repeated post that of its latest occurrence
	Differs  bool           // what is out is not what Rendered is
	Next     time.Time      // of a repeated post: when it goes out next
	Cost     platform.Cost  // what sending Rendered is estimated to cost; nil where the network charges nothing
}

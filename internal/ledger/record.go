// Package ledger is the memory of what was sent where.
//
// There is one [Record] for each post and account (and, for a repeated post, for each occurrence). It
// is written before the first request, so that a crash leaves a trace, and again with every result.
// The package is pure: it knows states, transitions, the file format and how two versions of one
// record merge. Package gitledger keeps the files on a git branch.
package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// State is where a delivery stands.
type State string

// The states of a delivery. It has no record before its first intent.
const (
	Sending   State = "sending"   // a run is about to send it, is sending it, or died doing so
	Published State = "published" // it is out, completely
	Unsent    State = "unsent"    // provably not (completely) out; goes again by itself
	Limited   State = "limited"   // refused for now; goes again by itself after RetryAt
	Denied    State = "denied"    // token or permission; goes again once that is mended
	Rejected  State = "rejected"  // the network refuses the content; goes again when it changes
	Unknown   State = "unknown"   // may be out; is looked for, or waits for a person
	Withdrawn State = "withdrawn" // was out and has been taken down
	Skipped   State = "skipped"   // a person decided that it never goes out
)

// States lists all states, those that need attention first.
func States() []State {
	return []State{Unknown, Sending, Denied, Rejected, Limited, Unsent, Published, Withdrawn, Skipped}
}

// Settled reports whether nothing more happens in this state by itself.
func (s State) Settled() bool { return s == Published || s == Withdrawn || s == Skipped }

// StateOf returns the state that a failed attempt leaves.
func StateOf(o platform.Outcome) State {
	switch o {
	case platform.Unsent:
		return Unsent
	case platform.Limited:
		return Limited
	case platform.Denied:
		return Denied
	case platform.Rejected:
		return Rejected
	default:
		return Unknown
	}
}

// Op is what an attempt tries to do.
type Op string

// The operations.
const (
	OpPublish  Op = "publish"
	OpUpdate   Op = "update"
	OpWithdraw Op = "withdraw"
	OpLook     Op = "look" // an attempt that has only looked for an earlier one, or that a stop kept from being begun
)

// ID identifies a record.
type ID struct {
	Post       string
	Account    string
	Occurrence string // of a repeated post: its time in UTC as 20060102T150405Z, else empty
}

// String returns the record's name: "k3v9q2xh@bluesky" or "k3v9q2xh+20261201T080000Z@bluesky".
func (id ID) String() string {
	name := id.Post
	if id.Occurrence != "" {
		name += "+" + id.Occurrence
	}
	return name + "@" + id.Account
}

// Key derives the delivery's idempotency key: the same for every attempt of one record, different
// for every other. It is 26 characters of a–z and 2–7.
func (id ID) Key() string {
	sum := sha256.Sum256([]byte("postrider delivery\x00" + id.Post + "\x00" + id.Account + "\x00" + id.Occurrence))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:16]))[:26]
}

// Attempt is one try.
type Attempt struct {
	N           int       `json:"n"`
	Op          Op        `json:"op"`
	Run         string    `json:"run"`
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended,omitzero"`
	Outcome     string    `json:"outcome,omitempty"` // "published", "updated", "withdrawn" or a platform.Outcome; empty while it runs
	Fingerprint string    `json:"fingerprint,omitempty"`
	Error       string    `json:"error,omitempty"`
	Charge      Charge    `json:"charge,omitzero"` // on networks that charge for posts
}

// Lease says which run may send, and until when. While it lasts, no other run touches the delivery.
type Lease struct {
	Run   string    `json:"run"`
	Until time.Time `json:"until"`
	// Owner identifies the process where the operating system allows that, so that its death can be
	// proved before the lease ends.
	Owner string `json:"owner,omitempty"`
}

// Part is one part of a post as it exists on the network, with the text that was sent.
type Part struct {
	platform.Remote
	Text string `json:"text,omitempty"`
}

// Record is all that is known of one delivery.
type Record struct {
	Version     int       `json:"version"` // of this format: 1
	Post        string    `json:"post"`
	Account     string    `json:"account"`
	Occurrence  string    `json:"occurrence,omitempty"`
	Platform    string    `json:"platform"`
	Path        string    `json:"path"`
	Title       string    `json:"title,omitempty"`
	Campaign    string    `json:"campaign,omitempty"`
	State       State     `json:"state"`
	Op          Op        `json:"op"`           // what is, or was last, being done
	Key         string    `json:"key"`          // idempotency key
	At          time.Time `json:"at"`           // first intent; part of what some networks derive ids from
	Due         time.Time `json:"due,omitzero"` // when it was meant to go out
	PublishedAt time.Time `json:"published_at,omitzero"`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
	RetryAt     time.Time `json:"retry_at,omitzero"`
	Fingerprint string    `json:"fingerprint"`      // of what is out, or being sent
	Said        string    `json:"said,omitempty"`   // digest of the words of Fingerprint, see the function Said
	Source      string    `json:"source,omitempty"` // digest of the file and its media that Fingerprint was rendered from
	Commit      string    `json:"commit,omitempty"` // the content commit
	Parts       []Part    `json:"parts,omitempty"`
	// Doubles are parts that exist on the network beside the ones in Parts: evidence that something went out twice,
	// for a person to look at.
	Doubles []Part `json:"doubles,omitempty"`
	// Rendering is what Fingerprint stands for, as long as it may have to be looked for or finished: the commit
	// that it came from may be gone by then, or out of a shallow clone's reach. It is not modified.
	Rendering *platform.Rendering `json:"rendering,omitempty"`
	// Anchors are the ids, by number of the part, under which the network keeps what was prepared of Fingerprint and
	// perhaps published; see platform.Attempt. They mean nothing once the delivery is settled.
	Anchors  map[int]string `json:"anchors,omitempty"`
	Lease    *Lease         `json:"lease,omitempty"`   // only while sending
	Allowed  string         `json:"allowed,omitempty"` // a person's word that it goes out although late or a repeat, and whose
	Note     string         `json:"note,omitempty"`    // a person's reason given to `resolve`
	Unsure   bool           `json:"unsure,omitempty"`  // from before the ledger began: it may have gone out unknown to it
	Attempts []Attempt      `json:"attempts,omitempty"`

	// Damaged names the file that could not be read, of a record that stands for it. Nothing is ever
	// sent or written on its account before a person has looked.
	Damaged string `json:"-"`
}

// ID returns what identifies the record.
func (r *Record) ID() ID { return ID{r.Post, r.Account, r.Occurrence} }

// Clone returns a deep copy.
func (r *Record) Clone() *Record {
	c := *r
	c.Parts = slices.Clone(r.Parts)
	c.Doubles = slices.Clone(r.Doubles)
	c.Attempts = slices.Clone(r.Attempts)
	c.Anchors = maps.Clone(r.Anchors)
	if r.Lease != nil {
		lease := *r.Lease
		c.Lease = &lease
	}
	return &c
}

// Anchor notes the id under which the network keeps what was prepared of a part.
func (r *Record) Anchor(part int, id string) {
	if r.Anchors == nil {
		r.Anchors = map[int]string{}
	}
	r.Anchors[part] = id
}

// Remotes returns the parts as publishers know them.
func (r *Record) Remotes() []platform.Remote {
	remotes := make([]platform.Remote, len(r.Parts))
	for i, p := range r.Parts {
		remotes[i] = p.Remote
	}
	return remotes
}

// Last returns the latest attempt, nil when there was none.
func (r *Record) Last() *Attempt {
	if len(r.Attempts) == 0 {
		return nil
	}
	return &r.Attempts[len(r.Attempts)-1]
}

// Failures counts the attempts since the last success.
func (r *Record) Failures() (n int) {
	for i := len(r.Attempts) - 1; i >= 0; i-- {
		switch r.Attempts[i].Outcome {
		case "published", "updated", "withdrawn":
			return n
		}
		n++
	}
	return n
}

// maxAttempts bounds how many attempts a record remembers; the first one is always kept.
const maxAttempts = 20

// Begin appends an attempt.
func (r *Record) Begin(op Op, run string, at time.Time, fingerprint string) {
	n := 1
	if last := r.Last(); last != nil {
		n = last.N + 1
	}
	if len(r.Attempts) >= maxAttempts {
		if spent := r.Attempts[1].Charge; spent.USD > 0 { // another one remembers it
			heir := &r.Attempts[2].Charge
			if first := &r.Attempts[0].Charge; first.Month == "" || first.Month == spent.Month {
				heir = first
			}
			heir.Month, heir.USD = cmp.Or(heir.Month, spent.Month), heir.USD+spent.USD
		}
		r.Attempts = slices.Delete(r.Attempts, 1, 2)
	}
	r.Op = op
	r.Attempts = append(r.Attempts, Attempt{N: n, Op: op, Run: run, Started: at, Fingerprint: fingerprint})
}

// End closes the latest attempt.
func (r *Record) End(at time.Time, outcome, message string) {
	if last := r.Last(); last != nil {
		last.Ended, last.Outcome, last.Error = at, outcome, message
	}
	r.Lease = nil
}

// ErrFormat is wrapped by the errors of [Decode].
var ErrFormat = errors.New("not a ledger record")

// Encode returns the record's file: indented JSON with a line break at the end, times in UTC.
func (r *Record) Encode() []byte {
	r.Version = 1
	return encodeJSON(r.utc())
}

func (r *Record) utc() *Record {
	c := r.Clone()
	if c.State.Settled() {
		c.Rendering, c.Anchors = nil, nil
	}
	for _, t := range []*time.Time{&c.At, &c.Due, &c.PublishedAt, &c.WithdrawnAt, &c.RetryAt} {
		*t = t.UTC()
	}
	for i := range c.Attempts {
		c.Attempts[i].Started, c.Attempts[i].Ended = c.Attempts[i].Started.UTC(), c.Attempts[i].Ended.UTC()
	}
	if c.Lease != nil {
		c.Lease.Until = c.Lease.Until.UTC()
	}
	return c
}

// Decode reads a record's file. Errors wrap [ErrFormat]. Unknown keys are refused when they come with a
// version that this program does not know, so that an old program never drops what a newer one wrote. It also refuses
// what could make a run send something wrongly, and nothing else that [Validate] finds: a record that is refused
// waits for a person.
func Decode(b []byte) (*Record, error) {
	var r Record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch {
	case r.Version != 1:
		return nil, fmt.Errorf("%w: version %d, this program knows version 1", ErrFormat, r.Version)
	case !slices.Contains(States(), r.State):
		return nil, fmt.Errorf("%w: unknown state %q", ErrFormat, r.State)
	}
	if why := r.refusal(); why != "" {
		return nil, fmt.Errorf("%w: %s", ErrFormat, why)
	}
	if r.Key == "" { // it follows from the id
		r.Key = r.ID().Key()
	}
	return &r, nil
}

// File returns where the record's file stands on the ledger branch.
//
// The state is the first folder, so that a run lists only what is open. The many settled ones are
// spread over 256 folders, and a published record's name ends with the start of its source digest: whether
// a post has changed since it went out is seen from the listing, without opening a file.
func (r *Record) File() string {
	name := r.ID().String()
	if r.State == Published {
		name += "." + sourceMark(r.Source)
	}
	name += ".json"
	if r.State.Settled() {
		return path.Join(Shard(r.State, r.Post), name)
	}
	return path.Join(string(r.State), name)
}

// sourceMark is the part of a source digest that stands in file names.
func sourceMark(source string) string {
	if len(source) > 10 {
		source = source[:10]
	}
	if source == "" {
		return "0"
	}
	return source
}

// SameSource reports whether a mark from a file name stands for source.
func SameSource(mark, source string) bool { return mark == sourceMark(source) }

// ShardFolder returns the folder of a shard of a settled state.
func ShardFolder(s State, number byte) string {
	return path.Join(string(s), hex.EncodeToString([]byte{number}))
}

// ShardNumber returns which of the 256 folders of a settled state a post's records are in.
func ShardNumber(post string) byte {
	sum := sha256.Sum256([]byte(post))
	return sum[0]
}

// Shard returns the folder of a post's records within a settled state.
func Shard(s State, post string) string { return ShardFolder(s, ShardNumber(post)) }

// ParsePath reads a record's path back: its state, id and, when published, the source mark.
func ParsePath(p string) (s State, id ID, mark string, ok bool) {
	dir, name := path.Split(p)
	first, _, _ := strings.Cut(dir, "/")
	s = State(first)
	name, isJSON := strings.CutSuffix(name, ".json")
	if !isJSON || !slices.Contains(States(), s) {
		return "", ID{}, "", false
	}
	at := strings.LastIndexByte(name, '@')
	if at < 1 {
		return "", ID{}, "", false
	}
	id.Post, id.Account = name[:at], name[at+1:]
	if s == Published {
		if id.Account, mark, ok = strings.Cut(id.Account, "."); !ok {
			return "", ID{}, "", false
		}
	}
	id.Post, id.Occurrence, _ = strings.Cut(id.Post, "+")
	return s, id, mark, id.Post != "" && id.Account != ""
}

// Package platform is the contract between Postrider and the networks.
//
// One [Adapter] per network says what the network can do ([Info]), turns a variant of a post into
// exactly what will be sent ([Rendering]), and opens a [Publisher] that sends it. Rendering is pure;
// only publishers use the network.
//
// The heart of the contract is [Outcome]: a request that timed out may have been carried out, so
// whatever an adapter cannot prove is [Unknown], and nothing unknown is ever sent again blindly.
package platform

import (
	"context"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

// ID names a platform: lower case, also the name of the adapter's folder, for example "bluesky".
type ID string

// Account is one account of a site on one platform.
type Account struct {
	Name     string // the key under `accounts:` in site.yaml: [a-z0-9][a-z0-9_-]*
	Platform ID
	// Options is what Info.NewOptions returned, filled from site.yaml. Adapters must not modify it.
	Options any
	// Defaults are field values for every post to this account (`accounts.NAME.defaults`).
	Defaults post.Fields
	// MonthlyCap is how much posts may cost in a month of the calendar (`accounts.NAME.monthly_cap`); 0: as much as they do.
	MonthlyCap USD
	// TokenExpires is the first instant of the day on which the account's token dies, as site.yaml has it (`accounts.NAME.token_expires`); zero
	// when it does not say, or Info.TokensEnd is false.
	TokenExpires time.Time
	// HasBucket says that the site has a bucket for files: a network that fetches media gets pictures from there as they are made to
	// fit, and not only as they are.
	HasBucket bool
}

// Adapter is one platform. It is a stateless value, safe for concurrent use.
type Adapter interface {
	// Info returns static facts. It does no I/O and returns the same at every call.
	Info() Info
	// Render returns exactly what Publish would send for a variant, and what is wrong with it. It is
	// pure, deterministic and total: no clock, network or file, a result for every input, inputs unchanged.
	// A rendering that the platform would refuse comes with an error finding.
	Render(v *post.Variant, a *Account) (Rendering, finding.List)
	// Open returns a publisher for an account. It checks options and secrets and never touches the network.
	// Its errors are of type *Error with outcome Denied or Unsent.
	Open(a *Account, d Deps) (Publisher, error)
}

// AccountCapser is implemented by adapters whose accounts differ in what they can do: two servers that speak
// one API need not keep the same promises.
type AccountCapser interface {
	// AccountCaps returns what an account can do: Info.Caps, with more where its server promises more, and less where
	// it promises less.
	AccountCaps(a *Account) Caps
}

// CapsOf returns what an account can do.
func CapsOf(adapter Adapter, a *Account) Caps {
	if c, ok := adapter.(AccountCapser); ok {
		return c.AccountCaps(a)
	}
	return adapter.Info().Caps
}

// Sharer is implemented by adapters that know when two accounts get the same rendering, so that it need be made
// only once to check a post for both.
type Sharer interface {
	// SameRendering reports whether Render gives two accounts the same parts and findings for variants that differ
	// in nothing but Variant.Account, when neither the post nor its defaults name either account.
	SameRendering(a, b *Account) bool
}

// Mentioner is implemented by adapters of channels that call people by what Variant.Mentions names, in a spelling of their own. On others a
// name is part of the text.
type Mentioner interface {
	// MentionProblem says how a name must be written that cannot be called there, "" for one that can.
	MentionProblem(name string) string
}

// OptionsValidator is implemented by options (see Info.NewOptions) that have rules beyond their types.
type OptionsValidator interface {
	// Validate returns one problem a rule, each naming the option's key in site.yaml.
	Validate() []OptionProblem
}

// OptionProblem says what is wrong with one option of an account.
type OptionProblem struct {
	Key     string // as in site.yaml: "server"
	Message string
	Hint    string
}

// Info is what is known of a platform without asking it.
type Info struct {
	ID      ID
	Name    string // as people write it: "Bluesky"
	DocsURL string // how to get the tokens
	Limits  []Limit
	// Measure returns the length of a text that is sent as it is, as the network counts it by default, in the
	// unit of the limit "text". nil where the network states no such limit.
	Measure func(text string) int
	Caps    Caps
	// NewOptions returns a pointer to a fresh struct for the account's options in site.yaml, with
	// defaults filled in. Its fields carry `yaml:"key"` and `help:"one sentence"` tags.
	NewOptions func() any
	// KeyLifetime is how long the network honours an idempotency key after its first use; with
	// CanIdempotent, 0 means for ever. An unknown outcome may be repeated only within it.
	KeyLifetime time.Duration
	// FetchesMedia says that the network takes no files but fetches them from addresses: posts with media need
	// Deps.PublicMedia.
	FetchesMedia bool
	// SettingWords returns what an entry of Rendering.Settings means, for people: "silent" for disable_notification. nil, or an empty
	// answer, where the API's own words say it.
	SettingWords func(name, value string) string
	// TokensEnd says that tokens die on a day that whoever makes them is told, so that accounts take `token_expires`.
	TokensEnd bool
	Secrets   []SecretSpec
	// Prices are what the network charges, in documentation order; none where posting is free.
	Prices []Price
}

// SentWith returns what a rendering's settings mean, in words, sorted by their names: ["silent", "topic 42"].
func (i Info) SentWith(r *Rendering) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		value, words := r.Settings[name], ""
		if i.SettingWords != nil {
			words = i.SettingWords(name, value)
		}
		if words == "" {
			if words = strings.NewReplacer("_", " ", ".", " ").Replace(name); value != "true" {
				words += ": " + value
			}
		}
		list = append(list, words)
	}
	return list
}

// Limit is a number that the platform enforces.
type Limit struct {
	Name     string // "text", "images", "image_bytes", "alt_text", "poll_options" …
	Max      int
	Unit     measure.Unit // or "images", "seconds" …
	Doc      string       // address of the documentation that states it
	Verified string       // the date on which that was checked, YYYY-MM-DD
	Note     string       // "the server's own setting wins", for example
}

// Limit returns the maximum called name, 0 when the platform states none.
func (i Info) Limit(name string) int {
	for _, l := range i.Limits {
		if l.Name == name {
			return l.Max
		}
	}
	return 0
}

// Caps is a set of capabilities.
type Caps uint16

// The capabilities. Each one with an interface is declared exactly when the adapter's publisher
// implements it; the conformance suite proves that.
const (
	CanPublish    Caps = 1 << iota // Open works: without it, the platform can be previewed and counted only
	CanEdit                        // Editor
	CanDelete                      // Deleter
	CanFind                        // Finder
	CanThread                      // renderings may have several parts
	CanIdempotent                  // repeating a Publish with the same Attempt.Key creates nothing new
	CanPoll
	CanVisibility
	CanContentWarning
	CanLanguage
	CanCard // link cards are built by us
)

var capNames = []struct {
	c    Caps
	name string
}{
	{CanPublish, "publish"}, {CanEdit, "edit"}, {CanDelete, "delete"}, {CanFind, "find"}, {CanThread, "thread"},
	{CanIdempotent, "idempotent"}, {CanPoll, "poll"}, {CanVisibility, "visibility"},
	{CanContentWarning, "content_warning"}, {CanLanguage, "language"}, {CanCard, "card"},
}

// Has reports whether all of want are in c.
func (c Caps) Has(want Caps) bool { return c&want == want }

// Names returns the capabilities' names in documentation order: "edit", "delete", "find" ….
func (c Caps) Names() []string {
	names := []string{}
	for _, n := range capNames {
		if c.Has(n.c) {
			names = append(names, n.name)
		}
	}
	return names
}

// SecretSpec describes one secret that a platform's accounts need.
type SecretSpec struct {
	Name     string   // "APP_PASSWORD": the last part of POSTRIDER_<ACCOUNT>_<NAME>
	Help     string   // one sentence: what it is and where to get it
	Aliases  []string // environment names that people have from other tools; used where one account of the platform exists
	Optional bool
}

// Deps is what a publisher needs from the outside.
type Deps struct {
	HTTP    *http.Client                               // the only way to the account's network
	Web     *http.Client                               // for pages that posts link to, which anybody may have written; nil: HTTP
	Media   fs.FS                                      // the site's folder at the published commit: Media.Path opens here
	Now     func() time.Time                           // the clock
	Log     *slog.Logger                               // for debugging; secrets are never logged
	Secrets map[string]secret.String                   // by SecretSpec.Name
	Wait    func(context.Context, time.Duration) error // sleeps, or returns the context's error
	// Budget takes what the network says about how much more the account may create, and when.
	Budget *Budget
	// Timeout bounds one request with its answer; 0 leaves that to the publisher.
	Timeout time.Duration
	// AllowPrivate permits reading link cards from private and loopback addresses.
	AllowPrivate bool
	// PublicMedia makes a file public for networks that fetch media by address, and returns the address, which has been seen to give
	// these bytes. nil where site.yaml says of no place. Its errors are of type *Error with outcome Unsent.
	PublicMedia func(context.Context, Media) (string, error)
}

// Publisher sends to one account. It is safe for use by one goroutine at a time.
type Publisher interface {
	// Verify asks the network, without changing anything, who the account is.
	Verify(ctx context.Context) (Identity, error)
	// Publish creates the rendering's parts that Attempt.Done does not list, in order. It makes at
	// most one creating request for a part and MUST NOT retry one. With a non-nil error, the receipt
	// still lists every part that is known to exist, those of Done included. An error that is not an
	// *Error counts as Unknown.
	Publish(ctx context.Context, r *Rendering, a Attempt) (Receipt, error)
}

// Finder is a publisher that can tell whether an attempt was carried out after all.
type Finder interface {
	// Find looks for the parts of an earlier attempt on the network. A complete receipt means that all
	// exist; an incomplete one that the first len(Parts) exist and the next is proved absent; ErrNotFound that
	// none exists, proved. Any other error means that nothing is known. a.Since bounds the search; a.Owned are
	// remote ids that belong to other records and must not be adopted.
	Find(ctx context.Context, r *Rendering, a Attempt) (Receipt, error)
}

// Editor is a publisher that can change what is out.
type Editor interface {
	// Edit makes the published parts say what r says. It returns ErrCannotEdit, wrapped in *Error, where the
	// network cannot express the change (another number of parts, for example). Repeating it is harmless.
	Edit(ctx context.Context, old Receipt, r *Rendering) (Receipt, error)
}

// Deleter is a publisher that can take a post down.
type Deleter interface {
	// Delete removes all parts, last first. Parts that are gone already are a success; repeating it is harmless.
	Delete(ctx context.Context, old Receipt) error
}

// Identity is who an account's token belongs to.
type Identity struct {
	ID      string    // the network's own id: a DID, an account number
	Handle  string    // as people know it
	URL     string    // the profile's address
	Expires time.Time // when the token dies; zero when it does not or is not known
	// DataExpires is when the network stops telling the token's app anything of the account, though the token lives on; zero when it does
	// not, or is not known.
	DataExpires time.Time
	// Scopes are what the token may do, as the network names it, sorted; nil when it does not tell.
	Scopes []string
	// Lacks are scopes that the token should have and does not; see [Lacking].
	Lacks  []Need
	Limits []Limit // the server's own limits, where they differ from Info.Limits
	// Software is what the account's server runs, as the platform's options spell it; empty where all
	// servers run the same or it does not tell.
	Software string
}

// Need is a scope that something takes.
type Need struct {
	Scope string // as the network names it
	For   string // what fails without it: "posting"
	Minor bool   // whether posts go out without it all the same
}

// Lacking returns the needs whose scopes are not among those of a token. Nothing is lacking where the network does not tell them.
func Lacking(scopes []string, needs ...Need) (lacks []Need) {
	for _, n := range needs {
		if scopes != nil && !slices.Contains(scopes, n.Scope) {
			lacks = append(lacks, n)
		}
	}
	return lacks
}

// Attempt identifies one delivery over all its retries.
type Attempt struct {
	Key   string    // stable over retries, unique for (post, account, occurrence); [a-z0-9]{26}
	At    time.Time // when the delivery was first intended; stable over retries, recorded before the first request
	N     int       // 1 for the first try
	Done  []Remote  // parts that exist already, in order
	Owned []string  // for Find: remote ids of other records of this account
	// Anchors are ids, by number of the part, under which the network keeps what an earlier try has prepared and perhaps published
	// (a container of the Graph API). Anchor notes one; when it returns nil, the id survives a crash of this program, and the request
	// that publishes what was prepared may be made. Anchor is nil where nothing can be noted.
	Anchors map[int]string
	Anchor  func(part int, id string) error
	Since   time.Time // for Find: nothing older than this belongs to the attempt
}

// Remote is one part as it exists on the network.
type Remote struct {
	ID   string `json:"id"`            // what the platform's API calls it
	URL  string `json:"url,omitempty"` // where people see it
	Part int    `json:"part"`          // from 0
	// Version is what the network says of the state of the part (an AT Protocol CID); empty when it has none.
	Version string `json:"version,omitempty"`
}

// Receipt is what a publisher brings back.
type Receipt struct {
	Parts []Remote
	At    time.Time // when the network accepted it, by its own clock where it tells
}

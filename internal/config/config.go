// Package config reads site.yaml: the accounts, the campaigns, the schedule and the rules of a site.
//
// [Parse] is strict. An unknown key, a value of the wrong kind, a name that nothing has, a secret that does not
// belong into a file: each is a finding with its place and what to do, and the rest of the file still counts,
// so that a preview works while somebody is typing. Nothing here does I/O, apart from looking time zones up.
package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

// File is the name of the configuration file in a site's folder.
const File = "site.yaml"

// MaxBytes is the size above which a configuration file is refused unread.
const MaxBytes = 1 << 20

// Site is site.yaml with all defaults applied. It is not changed after [Parse].
type Site struct {
	Title     string             `yaml:"title" help:"The site's name."`
	URL       string             `yaml:"url" help:"The address of the site that the posts speak for."`
	Timezone  string             `yaml:"timezone" help:"The time zone of all times without an offset: an IANA name such as Europe/Berlin."`
	Accounts  []platform.Account `yaml:"accounts" help:"The accounts to publish to, by a name of your own. Secrets are not written here but come from the environment."` // sorted by name
	Defaults  post.Fields        `yaml:"defaults" help:"Front matter that every post starts from."`
	Campaigns []Campaign         `yaml:"campaigns" help:"The campaigns that posts may belong to, by name."` // sorted by name
	Schedule  Schedule           `yaml:"schedule" help:"When posts go out, and what happens to late ones."`
	Style     Style              `yaml:"style" help:"The house rules that check enforces."`
	Hold      Hold               `yaml:"hold" help:"The emergency stop: with a reason, nothing in its scope goes out."`
	Ledger    Ledger             `yaml:"ledger" help:"Where results are recorded."`
	Publish   Publish            `yaml:"publish" help:"What is published."`
	Media     Media              `yaml:"media" help:"Where the world finds the site's files."`
	Notify    Notify             `yaml:"notify" help:"Who is told of what runs did: channels, or a list of accounts."`

	RequireApproval Approval `yaml:"require_approval" help:"What must have been approved by people before it goes out: true, false, a number of people, or the whole rule."`

	Location *time.Location `yaml:"-"` // of Timezone; UTC where that is not known

	utm      map[string]utm.Rule      // by account name: those accounts that have a rule of their own
	approval map[string]People        // by account name: those accounts that say themselves whether they need approval
	names    []string                 // what posts may be sent to: account names and the platforms that have accounts, sorted
	broken   []string                 // accounts that are declared but unusable; they have findings
	places   map[string]finding.Range // where keys stand: "accounts.fedi.server"
}

// Campaign is a run of posts with a common purpose.
type Campaign struct {
	Name            string        `yaml:"-"`
	Title           string        `yaml:"title" help:"The campaign's name for people."`
	Brief           string        `yaml:"brief" help:"What the campaign is for, in a few sentences. It is shown in the preview and never published."`
	Starts          time.Time     `yaml:"starts" help:"The first day, as YYYY-MM-DD in the site's time zone."` // zero: open
	Ends            time.Time     `yaml:"ends" help:"The last day, inclusive, as YYYY-MM-DD."`                 // the first instant after it; zero: open
	UTM             utm.Rule      `yaml:"utm" help:"UTM parameters that links of the campaign's posts get, such as source: \"{platform}\". {platform}, {account}, {campaign} and {post} are replaced."`
	RequireApproval People        `yaml:"require_approval" help:"How many people must have approved the campaign's posts, on any account: true, false or a number, instead of what the site says."`
	Range           finding.Range `yaml:"-"` // of the name
}

// Contains reports whether t is within the campaign.
func (c *Campaign) Contains(t time.Time) bool {
	return (c.Starts.IsZero() || !t.Before(c.Starts)) && (c.Ends.IsZero() || t.Before(c.Ends))
}

// Schedule says when posts go out.
type Schedule struct {
	Late      Late     `yaml:"late" help:"What happens to a post that is found long after its time."`
	MaxPerRun int      `yaml:"max_per_run" help:"The most posts one run may send: a guard against accidents."`
	Quiet     []Window `yaml:"quiet" help:"Times at which nothing goes out, such as 22:00-07:00 or Sat-Sun 00:00-24:00; a post moves to the end of the window."`
	Slots     []Slot   `yaml:"slots" help:"Named times for new posts, such as morning: Mon-Fri 09:00."` // sorted by name
}

// Late says what happens to a post that is found long after its time.
type Late struct {
	After time.Duration `yaml:"after" help:"How much later than its time a post counts as late, such as 6h or 2d."`
	Then  post.Late     `yaml:"then" enum:"publish,skip,hold" help:"publish it all the same, skip it for ever, or hold it for a person."`
}

// Style is the house rules.
type Style struct {
	MaxHashtags int      `yaml:"max_hashtags" help:"The most hashtags a post may show."` // NoLimit: any number
	Banned      []string `yaml:"banned" help:"Words and phrases that no post may contain, whatever their case."`
	RequireAlt  Strength `yaml:"require_alt" enum:"error,warning,off" help:"How a picture without alt text counts."`
}

// NoLimit is the Style.MaxHashtags of a site that sets none.
const NoLimit = -1

// Strength says how a rule of the house counts.
type Strength string

// The strengths.
const (
	StrengthError   Strength = "error"
	StrengthWarning Strength = "warning"
	StrengthOff     Strength = "off"
)

// Severity returns the severity of findings of the rule, and false when the rule is off.
func (s Strength) Severity() (finding.Severity, bool) {
	switch s {
	case StrengthOff:
		return finding.Info, false
	case StrengthWarning:
		return finding.Warning, true
	default:
		return finding.Error, true
	}
}

// Hold is the emergency stop. It is on when it has a reason.
type Hold struct {
	Reason string   `yaml:"reason" help:"Why nothing goes out, shown wherever a post waits for it. Empty: no hold."`
	Scope  []string `yaml:"scope" help:"all, or names of campaigns, accounts and platforms."` // platforms resolved to their accounts; sorted
}

// ScopeAll is the scope of a hold that stops everything.
const ScopeAll = "all"

// Ledger says where results are recorded.
type Ledger struct {
	Branch string `yaml:"branch" help:"The git branch that holds the results."`
	Remote string `yaml:"remote" help:"The git remote it is pushed to. Left out: origin, where the repository has one."`
}

// Publish says what is published.
type Publish struct {
	Branch string `yaml:"branch" help:"The branch whose posts go out. Left out: the remote's default branch."`
}

// Media says where the world finds the site's files: some networks take none but fetch them from an address.
type Media struct {
	PublicURL string `yaml:"public_url" help:"The address of a file of the site, such as https://raw.githubusercontent.com/acme/site/{commit}/{path}. {commit} and {path} are replaced."`
	Bucket    Bucket `yaml:"bucket" help:"An S3-compatible bucket to which publish uploads the files that a network fetches, as it gets them, and from which it removes them again. Its keys come from the environment."`
}

// Address returns the public address of a file of the site at a commit, empty when site.yaml has none.
func (m Media) Address(commit, file string) string {
	if m.PublicURL == "" {
		return ""
	}
	return strings.NewReplacer("{commit}", commit, "{path}", escapePath(file)).Replace(m.PublicURL)
}

// Account returns the account called name.
func (s *Site) Account(name string) (*platform.Account, bool) {
	i, ok := slices.BinarySearchFunc(s.Accounts, name, func(a platform.Account, name string) int { return strings.Compare(a.Name, name) })
	if !ok {
		return nil, false
	}
	return &s.Accounts[i], true
}

// Campaign returns the campaign called name.
func (s *Site) Campaign(name string) (*Campaign, bool) {
	i, ok := slices.BinarySearchFunc(s.Campaigns, name, func(c Campaign, name string) int { return strings.Compare(c.Name, name) })
	if !ok {
		return nil, false
	}
	return &s.Campaigns[i], true
}

// UTM returns the rule for the links of a post: that of its campaign, which may be empty, with what the account says instead.
func (s *Site) UTM(account, campaign string) utm.Rule {
	var rule utm.Rule
	if c, ok := s.Campaign(campaign); ok {
		rule = c.UTM
	}
	return rule.Over(s.utm[account])
}

// UTMTells reports whether links of a post on the account may get other UTM parameters than on another account of its platform.
func (s *Site) UTMTells(account string) bool {
	_, own := s.utm[account]
	return own || slices.ContainsFunc(s.Campaigns, func(c Campaign) bool { return c.UTM.Names("account") })
}

// Names returns everything that `platforms:` may list: account names, and the ids of platforms that have an account; sorted.
func (s *Site) Names() []string { return s.names }

// Known reports whether name is an account or a platform that has one. Accounts that are declared but
// broken are known: their own finding says what is wrong with them.
func (s *Site) Known(name string) bool {
	if _, ok := slices.BinarySearch(s.names, name); ok {
		return true
	}
	return slices.Contains(s.broken, name)
}

// Expand resolves account names and platform ids, a platform standing for all its accounts. accounts is sorted
// and has no repeats; unknown holds, in the given order, what is neither.
func (s *Site) Expand(names []string) (accounts, unknown []string) {
	for _, a := range s.Accounts {
		if slices.Contains(names, a.Name) || slices.Contains(names, string(a.Platform)) {
			accounts = append(accounts, a.Name)
		}
	}
	for _, name := range names {
		if !s.Known(name) {
			unknown = append(unknown, name)
		}
	}
	return accounts, unknown
}

// Alone reports whether the account is the only one of its platform: then the environment variables of other tools count.
func (s *Site) Alone(account string) bool {
	a, ok := s.Account(account)
	if !ok {
		return false
	}
	n := 0
	for i := range s.Accounts {
		if s.Accounts[i].Platform == a.Platform {
			n++
		}
	}
	return n == 1
}

// HeldBy returns the reason why nothing goes to an account, or of a campaign, for now. campaign may be empty.
func (s *Site) HeldBy(account, campaign string) (reason string, held bool) {
	if s.Hold.Reason == "" {
		return "", false
	}
	for _, name := range s.Hold.Scope {
		if name == ScopeAll || name == account || campaign != "" && name == campaign {
			return s.Hold.Reason, true
		}
	}
	return "", false
}

// CapOf returns how much an account may spend in a month of the calendar, 0 for no limit.
func (s *Site) CapOf(account string) platform.USD {
	a, ok := s.Account(account)
	if !ok {
		return 0
	}
	return a.MonthlyCap
}

// Place returns where a key stands in site.yaml, such as Place("accounts", "fedi", "server"): the range of its
// value, else that of the nearest key above it, else the start of the file.
func (s *Site) Place(keys ...string) finding.Range {
	for n := len(keys); n > 0; n-- {
		if r, ok := s.places[strings.Join(keys[:n], ".")]; ok {
			return r
		}
	}
	return finding.Range{Start: finding.Pos{Line: 1, Column: 1}}
}

// index fills what is looked up often.
func (s *Site) index() {
	slices.SortFunc(s.Accounts, func(a, b platform.Account) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Campaigns, func(a, b Campaign) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Schedule.Slots, func(a, b Slot) int { return strings.Compare(a.Name, b.Name) })
	set := map[string]bool{}
	for i := range s.Accounts {
		set[s.Accounts[i].Name] = true
		set[string(s.Accounts[i].Platform)] = true
	}
	s.names = slices.Sorted(maps.Keys(set))
}

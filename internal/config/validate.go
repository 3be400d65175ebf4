package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// validate checks what takes more than one key, or more than a type, to know.
func (d *decoder) validate() {
	for _, rule := range [...]func(*decoder){
		(*decoder).validateTop, (*decoder).validateSchedule, (*decoder).validateCampaigns, (*decoder).validateDefaults, (*decoder).validateHold, (*decoder).validateGit, (*decoder).validateMedia, (*decoder).validateApproval, (*decoder).validateNotify,
	} {
		rule(d)
	}
}

func (d *decoder) validateTop() {
	if name := d.site.Timezone; name != d.site.Location.String() {
		d.fail(CodeZone, d.site.Place("timezone"), fmt.Sprintf("unknown time zone %q", name), "names look like Europe/Berlin or America/New_York; UTC is one too")
	}
	if u := d.site.URL; u != "" {
		if parsed, err := url.Parse(u); err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" {
			d.fail(CodeValue, d.site.Place("url"), fmt.Sprintf("%q is not an address", u), "write it with https://")
		}
	}
	if limit := d.site.Style.MaxHashtags; limit < 0 && d.given("style.max_hashtags") {
		d.fail(CodeValue, d.site.Place("style", "max_hashtags"), fmt.Sprintf("%d hashtags cannot be", limit), "leave the key out to allow any number")
		d.site.Style.MaxHashtags = NoLimit
	}
	d.site.Style.Banned = slices.DeleteFunc(d.site.Style.Banned, func(w string) bool { return strings.TrimSpace(w) == "" })
}

// given reports whether the file has a key.
func (d *decoder) given(where string) bool { _, ok := d.site.places[where]; return ok }

func (d *decoder) validateSchedule() {
	s := &d.site.Schedule
	if s.MaxPerRun < 1 {
		d.fail(CodeValue, d.site.Place("schedule", "max_per_run"), fmt.Sprintf("with max_per_run %d nothing would go out", s.MaxPerRun), "to stop everything, use hold")
	}
	if s.Late.Then == "" {
		s.Late.Then = post.LateHold
	}
	if len(s.Quiet) > 0 && coversWeek(s.Quiet) {
		d.fail(CodeQuiet, d.site.Place("schedule", "quiet"), "the quiet windows cover the whole week", "leave some time, or use hold to stop everything")
		s.Quiet = nil
	}
}

func (d *decoder) validateCampaigns() {
	for i := range d.site.Campaigns {
		c := &d.site.Campaigns[i]
		if !c.Starts.IsZero() && !c.Ends.IsZero() && !c.Starts.Before(c.Ends) {
			d.fail(CodeCampaign, d.site.Place("campaigns", c.Name, "ends"), fmt.Sprintf("campaign %q ends before it starts", c.Name), "")
		}
	}
}

// placeholders yields the names in braces.
func placeholders(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			_, after, ok := strings.Cut(s, "{")
			name, rest, closed := strings.Cut(after, "}")
			if !ok || !closed || !yield(name) {
				return
			}
			s = rest
		}
	}
}

func (d *decoder) validateDefaults() {
	_, unknown := d.site.Expand(d.site.Defaults.Platforms)
	for _, name := range unknown {
		d.fail(CodeDefault, d.site.Place("defaults", "platforms"), fmt.Sprintf("defaults: %q is neither an account nor a platform that has one", name),
			didYouMean(name, d.site.Names(), "known: "+strings.Join(d.site.Names(), ", ")))
		d.mend(d.site.Place("defaults", "platforms"), name, content.Certain(name, d.site.Names()))
	}
	d.defaultCampaign(&d.site.Defaults, "defaults")
	for i := range d.site.Accounts {
		a := &d.site.Accounts[i]
		d.account = a.Name
		d.defaultCampaign(&a.Defaults, "accounts", a.Name, "defaults")
		if a.Defaults.Set.Has(post.FieldPlatforms) {
			d.fail(CodeDefault, d.site.Place("accounts", a.Name, "defaults", "platforms"), "an account's defaults cannot say where posts go", "move it to the site's defaults")
		}
	}
	d.account = ""
}

// defaultCampaign reports a default campaign that is not defined.
func (d *decoder) defaultCampaign(f *post.Fields, where ...string) {
	if f.Campaign == "" {
		return
	}
	if _, ok := d.site.Campaign(f.Campaign); ok {
		return
	}
	var known []string
	for i := range d.site.Campaigns {
		known = append(known, d.site.Campaigns[i].Name)
	}
	d.fail(CodeDefault, d.site.Place(append(where, "campaign")...), fmt.Sprintf("defaults: campaign %q is not defined", f.Campaign),
		didYouMean(f.Campaign, known, "define it under campaigns"))
	d.mend(d.site.Place(append(where, "campaign")...), f.Campaign, content.Certain(f.Campaign, known))
}

func (d *decoder) validateHold() {
	h := &d.site.Hold
	if d.given("hold.scope") && !d.given("hold.reason") {
		d.fail(CodeHold, d.site.Place("hold", "scope"), "the hold has a scope but no reason, so it holds nothing", "add a reason, or an empty one (\"\") to keep the line for later")
	}
	var scope []string
	for i, name := range h.Scope {
		_, isAccount := d.site.Account(name)
		_, isCampaign := d.site.Campaign(name)
		switch {
		case name == ScopeAll || isAccount || isCampaign:
			scope = append(scope, name)
		case d.site.Known(name):
			accounts, _ := d.site.Expand([]string{name})
			scope = append(scope, accounts...)
		default:
			known := append([]string{ScopeAll}, d.site.Names()...)
			for i := range d.site.Campaigns {
				known = append(known, d.site.Campaigns[i].Name)
			}
			d.fail(CodeHold, d.site.Place("hold", fmt.Sprintf("scope[%d]", i)), fmt.Sprintf("hold: %q is neither an account nor a platform nor a campaign", name), didYouMean(name, known, "known: "+strings.Join(known, ", ")))
		}
	}
	slices.Sort(scope)
	h.Scope = slices.Compact(scope)
}

func (d *decoder) validateGit() {
	if d.site.Ledger.Branch == "" {
		d.site.Ledger.Branch = DefaultLedgerBranch
	}
	for _, b := range [...]struct{ name, section, key string }{
		{d.site.Ledger.Branch, "ledger", "branch"}, {d.site.Ledger.Remote, "ledger", "remote"}, {d.site.Publish.Branch, "publish", "branch"},
	} {
		if b.name != "" && !refName(b.name) {
			d.fail(CodeBranch, d.site.Place(b.section, b.key), fmt.Sprintf("git does not allow %q as the name of a %s", b.name, b.key), "")
		}
	}
}

// validateMedia checks where files are for the world. What is wrong counts as absent.
func (d *decoder) validateMedia() {
	m := &d.site.Media
	if m.PublicURL != "" && !d.validateAddress(CodeMediaURL, d.site.Place("media", "public_url"), m.PublicURL, m.Address("0123abc", "content/hero.jpg"), "path", "commit") {
		m.PublicURL = ""
	}
	d.validateBucket()
	for i := range d.site.Accounts {
		d.site.Accounts[i].HasBucket = m.Bucket.Name != ""
	}
}

// validateAddress checks how the address of a file is made: example is what comes of it, which must have the first of the placeholders,
// and may have the others.
func (d *decoder) validateAddress(code finding.Code, at finding.Range, template, example string, need string, others ...string) bool {
	wrong := func(message, hint string) bool {
		d.fail(code, at, message, hint)
		return false
	}
	for name := range placeholders(template) {
		if known := append(others, need); !slices.Contains(known, name) {
			return wrong(fmt.Sprintf("unknown placeholder {%s}", name), didYouMean(name, known, "known: "+strings.Join(known, ", ")))
		}
	}
	switch u, err := url.Parse(example); {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return wrong(fmt.Sprintf("%q is not an address", template), "write it with https://")
	case u.User != nil:
		return wrong("the address has a name or password in it", "networks fetch files without one")
	case !strings.Contains(template, "{"+need+"}"):
		return wrong("the address is the same for all files", fmt.Sprintf("put {%s} where the file's %s belongs", need, map[bool]string{true: "path", false: "name"}[need == "path"]))
	}
	return true
}

// refName reports whether git accepts a name for a branch.
// https://git-scm.com/docs/git-check-ref-format (2026-11-21)
func refName(s string) bool {
	if s == "" || s == "@" || strings.HasPrefix(s, "-") || strings.HasSuffix(s, ".") || len(s) > 200 ||
		strings.Contains(s, "..") || strings.Contains(s, "@{") || strings.ContainsAny(s, " ~^:?*[\\\x7f") {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' })
}

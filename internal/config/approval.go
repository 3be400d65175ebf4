package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Approval says what must have been approved, by how many people, before it goes out.
type Approval struct {
	People    People         `yaml:"people" help:"How many people, other than those who wrote it, must have approved what goes out."`
	From      ApprovalSource `yaml:"from" enum:"forge,trailers,either" help:"Where approvals are read: reviews of merged pull requests on the code host (forge), Reviewed-by trailers of commits, or whichever has enough."`
	Accounts  []string       `yaml:"accounts" help:"The accounts that need approval. Left out, with campaigns left out, too: all."` // platforms resolved to their accounts; sorted
	Campaigns []string       `yaml:"campaigns" help:"The campaigns whose posts need approval, on any account."`                     // sorted
	By        []string       `yaml:"by" help:"Whose approval counts: names on the code host, or mail addresses in trailers. Left out: that of everybody who may write to the repository."`
}

// People is a number of people who must approve; 0: nothing is said about that.
type People int

// Nobody needs to approve: what `require_approval: false` says.
const Nobody People = -1

// mostPeople is more than anybody asks for who means it.
const mostPeople = 20

// ApprovalSource says where approvals are read.
type ApprovalSource string

// The places where approvals are read.
const (
	FromForge    ApprovalSource = "forge"
	FromTrailers ApprovalSource = "trailers"
	FromEither   ApprovalSource = "either"
)

// ApprovalOf returns how many people must have approved what an account is sent of a campaign, which may be empty; 0: nobody.
//
// What the account or the campaign says itself comes before what the site says, and of the two the higher number: false on one of them
// lifts the site's rule, and not that of the other.
func (s *Site) ApprovalOf(account, campaign string) int {
	own := s.approval[account]
	if c, ok := s.Campaign(campaign); ok && c.RequireApproval != 0 && (own == 0 || c.RequireApproval > own) {
		own = c.RequireApproval
	}
	r := &s.RequireApproval
	all := len(r.Accounts) == 0 && len(r.Campaigns) == 0
	switch {
	case own > 0:
		return int(own)
	case own == Nobody, r.People <= 0:
		return 0
	case all || slices.Contains(r.Accounts, account) || campaign != "" && slices.Contains(r.Campaigns, campaign):
		return int(r.People)
	}
	return 0
}

// NeedsApproval reports whether anything of the site needs approval.
func (s *Site) NeedsApproval() bool {
	if s.RequireApproval.People > 0 {
		return true
	}
	for _, n := range s.approval {
		if n > 0 {
			return true
		}
	}
	return slices.ContainsFunc(s.Campaigns, func(c Campaign) bool { return c.RequireApproval > 0 })
}

// approvalKey is the key that asks for approval, in the site, in an account and in a campaign.
const approvalKey = "require_approval"

// requireApproval reads the site's rule: true, false, a number of people, or all of it.
func (d *decoder) requireApproval(n *yaml.Node, a *Approval, where string) {
	a.From = FromForge
	if n.Kind != yaml.MappingNode {
		d.people(n, &a.People)
		return
	}
	a.People = 1
	d.structure(n, reflect.ValueOf(a).Elem(), where)
	if a.From == "" {
		a.From = FromForge
	}
}

// people reads a number of people; true is one, false is nobody.
func (d *decoder) people(n *yaml.Node, p *People) {
	const want = "true, false or a number of people such as 2"
	switch n.ShortTag() {
	case "!!bool":
		yes, err := strconv.ParseBool(n.Value)
		if err != nil {
			d.wrong(n, approvalKey, want)
			return
		}
		if *p = Nobody; yes {
			*p = 1
		}
	case "!!int":
		if i, err := strconv.Atoi(n.Value); err != nil || i < 1 || i > mostPeople {
			d.fail(CodeApproval, d.span(n), fmt.Sprintf("approval by %s people cannot be asked for", n.Value), fmt.Sprintf("a number from 1 to %d, or false for no approval", mostPeople))
		} else {
			*p = People(i)
		}
	default:
		d.wrong(n, approvalKey, want)
	}
}

// validateApproval checks the names in the rule, and that it can be met.
func (d *decoder) validateApproval() {
	r := &d.site.RequireApproval
	var accounts, campaigns []string
	for i, name := range r.Accounts {
		expanded, unknown := d.site.Expand([]string{name})
		if len(unknown) > 0 {
			d.fail(CodeApproval, d.site.Place(approvalKey, fmt.Sprintf("accounts[%d]", i)), fmt.Sprintf("require_approval: %q is neither an account nor a platform that has one", name),
				didYouMean(name, d.site.Names(), "known: "+strings.Join(d.site.Names(), ", ")))
		}
		accounts = append(accounts, expanded...)
	}
	var known []string
	for i := range d.site.Campaigns {
		known = append(known, d.site.Campaigns[i].Name)
	}
	for i, name := range r.Campaigns {
		if !slices.Contains(known, name) {
			d.fail(CodeApproval, d.site.Place(approvalKey, fmt.Sprintf("campaigns[%d]", i)), fmt.Sprintf("require_approval: campaign %q is not defined", name), didYouMean(name, known, "define it under campaigns"))
			continue
		}
		campaigns = append(campaigns, name)
	}
	slices.Sort(accounts)
	slices.Sort(campaigns)
	broken := len(accounts) == 0 && len(r.Accounts) > 0 || len(campaigns) == 0 && len(r.Campaigns) > 0
	if r.Accounts, r.Campaigns = slices.Compact(accounts), slices.Compact(campaigns); broken {
		return // it would stand for all; the site is not published either way
	}
	if r.People == Nobody && (len(r.Accounts) > 0 || len(r.Campaigns) > 0) {
		d.fail(CodeApproval, d.site.Place(approvalKey, "people"), "require_approval names what needs approval, and then asks nobody for it", "people: 1, or require_approval: false")
	}
	if len(r.By) == 0 {
		return
	}
	for i, name := range r.By {
		if r.By[i] = strings.TrimPrefix(strings.TrimSpace(name), "@"); r.By[i] == "" {
			d.fail(CodeApproval, d.site.Place(approvalKey, fmt.Sprintf("by[%d]", i)), "require_approval: an empty name is nobody's", "")
		}
	}
	if most := d.site.mostPeople(); most > len(r.By) {
		d.fail(CodeApproval, d.site.Place(approvalKey, "by"), fmt.Sprintf("approval by %d people is asked for, and the approval of %d counts: nothing could ever go out", most, len(r.By)), "name more people, or ask fewer")
	}
}

// mostPeople returns the highest number of people that anything asks for.
func (s *Site) mostPeople() int {
	most := s.RequireApproval.People
	for _, n := range s.approval {
		most = max(most, n)
	}
	for i := range s.Campaigns {
		most = max(most, s.Campaigns[i].RequireApproval)
	}
	return int(most)
}

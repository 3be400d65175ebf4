package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

const (
	// tokenSoon is how long before its end a token is worth a warning.
	tokenSoon = 14 * 24 * time.Hour
	// maxBeyond is how many posts are named that lie beyond a token's end; all count.
	maxBeyond = 3
)

// scheduledFor returns what a plan has for an account at a time to come, soonest first.
func scheduledFor(p *plan.Plan, account string) []plan.Waiting {
	var list []plan.Waiting
	for _, w := range sortedByTime(p.Waiting) {
		if w.Account == account {
			list = append(list, w)
		}
	}
	return list
}

// token is doctor's look at an account's token: when it dies, what it may do, and which posts are scheduled for afterwards.
type token struct {
	*doctor
	check     *jsonCheck
	health    *publish.Health
	account   *platform.Account
	scheduled []plan.Waiting
	loc       *time.Location
	now       time.Time

	hints []string
	lines []string // what people are told besides
}

// examine notes what there is to say in the check.
func (t *token) examine(info *platform.Info) {
	id := &t.health.Identity
	page := fmt.Sprintf("see docs/platforms/%s.md", t.health.Platform)
	t.scopes(id, page)
	switch {
	case !id.Expires.IsZero():
		t.dies(id.Expires, t.day(id.Expires)+id.Expires.In(t.loc).Format(" 15:04 MST"), page)
		if info.TokensEnd {
			t.suggest(id.Expires.In(t.loc).Format(time.DateOnly))
		}
	case !t.account.TokenExpires.IsZero():
		if t.account.TokenExpires.AddDate(0, 0, 1).After(t.now) {
			t.dies(t.account.TokenExpires, t.day(t.account.TokenExpires)+", by site.yaml", page)
			break
		}
		t.worse(statusWarning, fmt.Sprintf("its token works, and by site.yaml died on %s", t.day(t.account.TokenExpires)))
		t.hints = append(t.hints, fmt.Sprintf("write the day on which it does die as `token_expires:` of account %s in site.yaml", t.account.Name))
	}
	if end := id.DataExpires; !end.IsZero() && end.Sub(t.now) < tokenSoon {
		word := "ends"
		if !end.After(t.now) {
			word = "has ended"
		}
		t.worse(statusWarning, fmt.Sprintf("its app's access to the account's data %s on %s", word, t.day(end)))
		t.hints = append(t.hints, "log in to the app that made it once more: "+page)
	}
	t.check.Hint = strings.Join(t.hints, "; ")
}

// scopes says what the token may do, and what it may not.
func (t *token) scopes(id *platform.Identity, page string) {
	var lacks []string
	for _, n := range id.Lacks {
		t.check.Account.Lacks = append(t.check.Account.Lacks, jsonLack{n.Scope, n.For, n.Minor})
		if n.Minor {
			t.lines = append(t.lines, fmt.Sprintf("without %s: no %s", n.Scope, n.For))
		} else {
			lacks = append(lacks, fmt.Sprintf("%s (for %s)", n.Scope, n.For))
		}
	}
	if len(id.Scopes) > 0 {
		t.lines = append([]string{"its scopes: " + strings.Join(id.Scopes, ", ")}, t.lines...)
	}
	if len(lacks) > 0 {
		t.worse(statusProblem, "its token lacks "+strings.Join(lacks, " and "))
		t.hints = append(t.hints, "make one that has it: "+page)
	}
}

// dies says when the token dies, in words, too, and which posts lie beyond that.
func (t *token) dies(at time.Time, words, page string) {
	left := at.Sub(t.now)
	if left <= 0 && at.Equal(t.health.Identity.Expires) {
		t.worse(statusProblem, "its token has expired on "+words)
		t.hints = append(t.hints, "make a new one: "+page)
		return
	}
	text := "its token expires on " + words
	if left > 0 {
		text += fmt.Sprintf(" (in %s)", longDuration(left))
	}
	status := statusOK
	if left < tokenSoon {
		status = statusWarning
	}
	var beyond []string
	for i := range t.scheduled {
		w := &t.scheduled[i]
		if w.Until.Before(at) {
			continue
		}
		status = statusWarning
		t.check.Account.Beyond = append(t.check.Account.Beyond, jsonBeyond{w.Post, w.Path, jsonTime{w.Until}})
		if len(beyond) < maxBeyond {
			beyond = append(beyond, fmt.Sprintf("%s at %s", cmp.Or(w.Title, w.Path), clockTime(w.Until)))
		}
	}
	if n := len(t.check.Account.Beyond); n > 0 {
		verb := "lies"
		if n > 1 {
			verb = "lie"
		}
		text += fmt.Sprintf("; %s %s beyond it", count(n, "scheduled post"), verb)
		line := "beyond it: " + strings.Join(beyond, ", ")
		if more := n - len(beyond); more > 0 {
			line += fmt.Sprintf(", and %d more", more)
		}
		t.lines = append(t.lines, line)
	}
	t.worse(status, text)
	if status != statusOK {
		t.hints = append(t.hints, "make a new one before: "+page)
	}
}

// suggest has site.yaml say when the token dies, so that check can tell without asking anybody.
func (t *token) suggest(day string) {
	verb := "add"
	switch said := t.account.TokenExpires; {
	case said.IsZero():
	case said.Format(time.DateOnly) == day:
		return
	default:
		verb = "mend it to"
	}
	t.hints = append(t.hints, fmt.Sprintf("%s `token_expires: %s` for account %s in site.yaml, so that `postrider check` knows", verb, day, t.account.Name))
}

func (t *token) day(at time.Time) string { return at.In(t.loc).Format("Mon 2 Jan 2006") }

// worse adds to the message, and makes the check's status what is worse.
func (t *token) worse(status, text string) {
	t.check.Message += "; " + text
	for _, s := range [...]string{statusProblem, statusWarning} {
		if status == s || t.check.Status == s {
			t.check.Status = s
			return
		}
	}
}

package gitledger

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// message writes a commit message: a subject for people, then trailers for programs, one group of
// Post, Account, Outcome, Id and Url for each record, and the run.
func message(subject string, records []*ledger.Record) string {
	var b strings.Builder
	b.WriteString(oneLine(subject, 100))
	b.WriteString("\n\n")
	run := ""
	for _, r := range records {
		outcome := string(r.State)
		if last := r.Last(); last != nil {
			run = last.Run
			if last.Outcome != "" && r.State != ledger.Sending {
				outcome = last.Outcome
			}
		}
		post := r.Post
		if r.Occurrence != "" {
			post += "+" + r.Occurrence
		}
		trailer(&b, "Post", post)
		trailer(&b, "Account", r.Account)
		trailer(&b, "Outcome", outcome)
		for _, p := range r.Parts {
			trailer(&b, "Id", p.ID)
			if p.URL != "" {
				trailer(&b, "Url", p.URL)
			}
		}
	}
	if run != "" {
		trailer(&b, "Run", run)
	}
	return b.String()
}

func trailer(b *strings.Builder, key, value string) {
	fmt.Fprintf(b, "%s: %s\n", key, oneLine(value, 2000))
}

// oneLine returns text with line breaks and control characters as spaces, cut at n bytes on a code point boundary.
func oneLine(text string, n int) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }), " ")
	if len(text) <= n {
		return text
	}
	cut := 0
	for i := range text {
		if i > n-3 {
			break
		}
		cut = i
	}
	return text[:cut] + "…"
}

// Owned returns the remote ids that records of id's account other than id's have been given since a time, as
// the ledger knew at a commit: what a look-up must not adopt. It is safe to call while the ledger is being written.
//
// They are read from the trailers of the log, which a shallow clone does not have. So the records that
// a look-up is most likely to mistake for this one, those of the same post and of the one that last said these words
// (see [ledger.Said]), are read themselves.
func (l *Ledger) Owned(at gitrepo.Hash, id ledger.ID, words string, since time.Time) ([]string, error) {
	if at == "" {
		return nil, nil
	}
	owned, err := l.alike(at, id, words)
	if err != nil {
		return nil, err
	}
	account := id.Account
	own := id.Post
	if id.Occurrence != "" {
		own += "+" + id.Occurrence
	}
	err = l.repo.Log(at, 0, func(c gitrepo.CommitInfo) error {
		if c.Time.Before(since.Add(-24 * time.Hour)) { // a day's tolerance for clocks that disagree
			return errStop
		}
		var post, of string
		for line := range strings.Lines(c.Body) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "Post":
				post = value
			case "Account":
				of = value
			case "Id":
				if of == account && post != own {
					owned = append(owned, value)
				}
			}
		}
		return nil
	})
	if err != nil && err != errStop { //nolint:errorlint // a sentinel of our own, never wrapped
		return nil, fmt.Errorf("read the ledger's log: %w", err)
	}
	slices.Sort(owned)
	return slices.Compact(owned), nil
}

// alike returns the remote ids of the records of id's account that are of the same post, or of the one that last said
// these words.
func (l *Ledger) alike(at gitrepo.Hash, id ledger.ID, words string) ([]string, error) {
	view, err := l.viewAt(at)
	if err != nil {
		return nil, err
	}
	records, err := view.Of(id.Post)
	if err != nil {
		return nil, err
	}
	said, err := view.Said(id.Account, words)
	if err != nil {
		return nil, err
	}
	if said != nil && said.Post != "" && said.Post != id.Post {
		more, err := view.Of(said.Post)
		if err != nil {
			return nil, err
		}
		records = append(records, more...)
	}
	var owned []string
	for _, r := range records {
		if r.Account != id.Account || r.ID() == id {
			continue
		}
		for _, p := range r.Parts {
			owned = append(owned, p.ID)
		}
	}
	return owned, nil
}

type stop struct{}

func (stop) Error() string { return "enough" }

var errStop error = stop{}

const (
	readmeRows  = 50
	tableHead   = "| when (UTC) | post | account | result |\n|---|---|---|---|\n"
	readmeIntro = `# %s: what went out

This branch is written by Postrider. Please do not edit it by hand: it is how the next run knows what
has been sent. Each file is the record of one post on one account, in a folder named after its state:

- ` + "`published`, `withdrawn` and `skipped`" + ` are settled.
- ` + "`unsent`, `limited` and `sending`" + ` go on by themselves.
- ` + "`unknown`, `denied` and `rejected`" + ` may need a person: ` + "`postrider status`" + ` says what, ` + "`postrider resolve`" + ` settles it.

`
	readmeResults = "## Latest results\n\n"
)

// readme returns the README of the branch: the holds that are on, and the old one's table with a row for each new result
// on top.
func readme(old []byte, o Options, holds []ledger.Hold, records []*ledger.Record) []byte {
	var rows []string
	for _, r := range records {
		if row, ok := row(r, o.Now()); ok {
			rows = append(rows, row)
		}
	}
	if _, table, ok := bytes.Cut(old, []byte(tableHead)); ok {
		for line := range strings.Lines(string(table)) {
			if strings.HasPrefix(line, "| ") && !slices.Contains(rows, line) {
				rows = append(rows, line)
			}
		}
	}
	title := o.SiteTitle
	if title == "" {
		title = "This site"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, readmeIntro, oneLine(title, 80))
	if len(holds) > 0 {
		b.WriteString("## Stopped\n\n")
		for _, h := range holds {
			fmt.Fprintf(&b, "- **%s**: %s (%s, since %s)\n", cell(h.Scope), cell(oneLine(h.Reason, 200)), cell(oneLine(cmp.Or(h.By, "nobody knows who"), 80)), stamp(h.At))
		}
		b.WriteString("\n")
	}
	b.WriteString(readmeResults + tableHead)
	for _, row := range rows[:min(len(rows), readmeRows)] {
		b.WriteString(row)
	}
	return b.Bytes()
}

func row(r *ledger.Record, now time.Time) (string, bool) {
	last := r.Last()
	if r.State == ledger.Sending || last == nil && r.State != ledger.Skipped {
		return "", false
	}
	when, result := now, string(r.State)
	if last != nil {
		if last.Outcome != "" {
			result = last.Outcome
		}
		if !last.Ended.IsZero() {
			when = last.Ended
		}
	}
	if len(r.Parts) > 0 && r.Parts[0].URL != "" && r.State == ledger.Published {
		result = fmt.Sprintf("[%s](%s)", result, escapeURL(r.Parts[0].URL))
	} else if last != nil && last.Error != "" {
		result += ": " + cell(oneLine(last.Error, 160))
	}
	for _, p := range r.Doubles {
		again := cell(oneLine(p.ID, 160))
		if p.URL != "" {
			again = fmt.Sprintf("[%s](%s)", again, escapeURL(p.URL))
		}
		result += ", **and again**: " + again
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", stamp(when), cell(oneLine(cmp.Or(r.Title, r.Post), 80)), r.Account, result), true
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

var cellEscapes = strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;", "[", "\\[", "]", "\\]", "`", "\\`", "*", "\\*", "_", "\\_")

// cell escapes what Markdown would take for markup in a table.
func cell(text string) string { return cellEscapes.Replace(text) }

var urlEscapes = strings.NewReplacer(" ", "%20", "(", "%28", ")", "%29", "|", "%7C", "<", "%3C", ">", "%3E", "\n", "")

func escapeURL(u string) string { return urlEscapes.Replace(u) }

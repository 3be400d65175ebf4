package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/draft"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/webpage"
)

// The limits of reading pages for cards.
const (
	cardsAtOnce = 4                // hosts; of one, one page after the other is read
	cardTimeout = 30 * time.Second // for a page and its picture
)

func (a *app) cardsCommand() *cobra.Command {
	var o cardsOptions
	cmd := &cobra.Command{
		Use:     "cards [PATH…]",
		GroupID: groupWrite,
		Short:   "Read the link cards of posts from their pages, to be reviewed",
		Long: `Cards reads the pages that posts link to, and writes title, description and picture of each link card
into a file beside its post: launch.card.yaml for launch.md. The file is committed and reviewed like the
post, and may be edited. Networks that can be told what is on a card show it as it stands there, and no
page is read when the post goes out.

It takes the posts that are not out yet, or those at the given paths, and makes the cards that are
missing. A card that is there stays as it is. With --update, cards that are old or for another link are
made anew; with paths, all of theirs are.`,
		Example: `  postrider cards
  postrider cards content/2026/12/launch.md --update
  postrider cards --dry-run --json | jq '.cards[] | select(.result == "failed")'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.cards(cmd.Context(), args, o)
		},
	}
	cmd.Flags().BoolVar(&o.update, "update", false, "make cards anew that are old or for another link, and all of the posts at the given paths")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "read the pages, say what would be written, and write nothing")
	cmd.Flags().BoolVar(&o.allowPrivate, "allow-private", false, "let pages be read from private addresses")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	return cmd
}

type cardsOptions struct{ update, dryRun, allowPrivate, json bool }

// cardResult is what became of a card.
type cardResult string

// The results.
const (
	cardMade    cardResult = "made"
	cardRenewed cardResult = "renewed"
	cardKept    cardResult = "kept"   // it was there
	cardOther   cardResult = "other"  // it was there, and is for another link than the post's
	cardFailed  cardResult = "failed" // the page cannot be read, or the file not be written
)

// cardJob is one post whose link card is looked after.
type cardJob struct {
	post    *post.Post
	address string
	file    *draft.CardFile
	fetch   bool

	result  cardResult
	card    linkcard.Card // as it is in the file, or would be
	changes []jsonCardChange
	note    string // what is not as one would expect
	err     error
}

func (a *app) cards(ctx context.Context, args []string, o cardsOptions) error {
	s, err := a.site(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if broken := slices.DeleteFunc(slices.Clone(s.Findings), func(f finding.Finding) bool { return f.Path != config.File }); broken.HasErrors() {
		return &configError{findings: broken}
	}
	posts, err := a.selectPosts(s, args)
	if err != nil {
		return err
	}
	web, err := webpage.New(a.HTTP.Transport, o.allowPrivate)
	if err != nil {
		return err
	}
	var jobs []*cardJob
	for _, p := range posts {
		if len(args) == 0 && a.goneOut(s, p) {
			continue
		}
		if address := a.cardAddress(s, p); address != "" {
			jobs = append(jobs, a.cardJob(s, p, address, o.update, len(args) > 0))
		}
	}
	pages := fetchCards(ctx, web, jobs)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	now := a.Now().In(s.Config.Location).Truncate(time.Second)
	for _, j := range jobs {
		if j.fetch {
			j.finish(pages[j.address], now, o.dryRun)
		}
	}
	if o.json {
		err = a.printJSON(cardsJSON(jobs, o.dryRun))
	} else {
		a.printCards(jobs, o.dryRun)
	}
	if err == nil && slices.ContainsFunc(jobs, func(j *cardJob) bool { return j.result == cardFailed }) {
		err = errFindings
	}
	return err
}

// goneOut reports whether a post's time has passed for every account that it goes to, or it is to be taken down.
func (a *app) goneOut(s *openSite, p *post.Post) bool {
	for _, account := range s.Accounts(p) {
		v := s.Variant(p, account)
		if !v.Withdraw && (v.PublishAt.IsZero() || v.Repeat != "" || v.PublishAt.After(a.Now())) {
			return false
		}
	}
	return true
}

// cardAddress returns the address whose card a post is to have. Accounts may get different links: then it is that of the card that there is,
// else the first.
func (a *app) cardAddress(s *openSite, p *post.Post) string {
	first := ""
	for _, account := range s.Accounts(p) {
		info, ok := a.Registry.Info(account.Platform)
		if !ok {
			continue
		}
		r := s.Render(p, account)
		address := check.CardAddress(&info, &r.Variant, &r.Rendering)
		if address != "" && r.Variant.LinkCard(address) != nil {
			return address
		}
		if first == "" {
			first = address
		}
	}
	return first
}

// cardJob looks at the card that a post has, and decides whether its page is to be read.
func (a *app) cardJob(s *openSite, p *post.Post, address string, update, named bool) *cardJob {
	j := &cardJob{post: p, address: address}
	if j.file, j.err = draft.OpenCard(s.root, p.Path); j.err != nil {
		j.result = cardFailed
		return j
	}
	j.card = j.file.Card
	j.result = cardKept
	switch {
	case !j.file.Exists:
		j.fetch = true
	case len(j.file.Problems) > 0:
		problem := j.file.Problems[0]
		j.result, j.err = cardFailed, &failedError{
			err:  fmt.Errorf("%s, line %d: %s", path.Base(j.file.Path), problem.Line, problem.Message),
			hint: "mend it, or delete it and run `postrider cards` again",
		}
	case (&post.Variant{Post: p}).LinkCard(address) == nil:
		j.result, j.note, j.fetch = cardOther, "it is the card of "+j.file.Card.URL+", and the post links to "+address, update
	default:
		j.fetch = update && (named || a.oldCard(s, p, j.file.Card.Fetched))
	}
	return j
}

// oldCard reports whether a card is old when its post goes out, or now for one without a time. What was read within a day is not
// read again: nothing newer is to be had.
func (a *app) oldCard(s *openSite, p *post.Post, fetched time.Time) bool {
	if a.Now().Sub(fetched) < 24*time.Hour {
		return false
	}
	return slices.ContainsFunc(s.Accounts(p), func(account *platform.Account) bool {
		at := s.Variant(p, account).PublishAt
		if at.IsZero() {
			at = a.Now()
		}
		return check.OldCard(fetched, at)
	})
}

// fetchedCard is what came of reading a page.
type fetchedCard struct {
	webpage.Card
	err error
}

// fetchCards reads each page that a job needs once.
func fetchCards(ctx context.Context, web *webpage.Reader, jobs []*cardJob) map[string]fetchedCard {
	pages := map[string]fetchedCard{}
	byHost := map[string][]string{}
	var hosts []string
	for _, j := range jobs {
		if _, known := pages[j.address]; known || !j.fetch {
			continue
		}
		pages[j.address] = fetchedCard{}
		host := ""
		if u, err := url.Parse(j.address); err == nil {
			host = strings.ToLower(u.Host)
		}
		if byHost[host] == nil {
			hosts = append(hosts, host)
		}
		byHost[host] = append(byHost[host], j.address)
	}
	var mu sync.Mutex
	var workers sync.WaitGroup
	next := make(chan string)
	for range min(cardsAtOnce, len(hosts)) {
		workers.Go(func() {
			for host := range next {
				for _, address := range byHost[host] {
					card := fetchCard(ctx, web, address)
					mu.Lock()
					pages[address] = card
					mu.Unlock()
				}
			}
		})
	}
	for _, host := range hosts {
		next <- host
	}
	close(next)
	workers.Wait()
	return pages
}

func fetchCard(ctx context.Context, web *webpage.Reader, address string) fetchedCard {
	ctx, cancel := context.WithTimeout(ctx, cardTimeout)
	defer cancel()
	card, err := web.Card(ctx, address)
	return fetchedCard{card, plainly(err)}
}

// plainly returns an error without the request that the reader knows.
func plainly(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("it has not answered within %d seconds", int(cardTimeout.Seconds()))
	}
	return err
}

// finish writes the card that was read.
func (j *cardJob) finish(page fetchedCard, now time.Time, dryRun bool) {
	if page.err != nil {
		j.result, j.err = cardFailed, fmt.Errorf("%s: %w", j.address, page.err)
		if errors.Is(page.err, webpage.ErrPrivate) {
			j.err = &failedError{err: j.err, hint: "--allow-private reads it all the same"}
		}
		return
	}
	was := j.file.Card
	j.note = ""
	card := linkcard.Card{URL: j.address, Title: page.Title, Description: page.Description, Fetched: now}
	if card.Title == "" {
		card.Title, j.note = j.address, "the page has no title: its address stands there instead"
	}
	if page.PictureErr != nil {
		j.note = fmt.Sprintf("the card has no picture: %s: %v", page.Picture, plainly(page.PictureErr))
	}
	if page.Data != nil {
		card.Image = path.Base(linkcard.Picture(j.file.Path, page.MIME))
		if card.ImageAlt = page.PictureAlt; card.ImageAlt == "" && j.file.HasPicture(page.Data) {
			card.ImageAlt = was.ImageAlt // what somebody wrote of this picture still holds
		}
	}
	if j.result = cardMade; j.file.Exists {
		j.result, j.changes = cardRenewed, cardChanges(was, card)
		if card.Image != "" && card.Image == was.Image && !j.file.HasPicture(page.Data) {
			j.changes = append(j.changes, jsonCardChange{Field: "picture"})
		}
	}
	j.card = card
	if dryRun {
		return
	}
	if err := j.file.Write(card, page.Data, page.MIME); err != nil {
		j.result, j.err = cardFailed, err
	}
}

// cardChanges returns what differs between two cards, but for their dates.
func cardChanges(was, is linkcard.Card) (changes []jsonCardChange) {
	for _, f := range [...]jsonCardChange{
		{"url", was.URL, is.URL}, {"title", was.Title, is.Title}, {"description", was.Description, is.Description},
		{"image", was.Image, is.Image}, {"image_alt", was.ImageAlt, is.ImageAlt},
	} {
		if f.From != f.To {
			changes = append(changes, f)
		}
	}
	return changes
}

// jsonCards is what cards prints, as docs/JSON.md promises it.
type (
	jsonCards struct {
		Cards  []jsonCardFile `json:"cards"`
		DryRun bool           `json:"dry_run,omitempty"`
	}
	jsonCardFile struct {
		Post        string           `json:"post"`
		Path        string           `json:"path"`
		File        string           `json:"file"`
		URL         string           `json:"url"`
		Result      cardResult       `json:"result"`
		Title       string           `json:"title,omitempty"`
		Description string           `json:"description,omitempty"`
		Image       string           `json:"image,omitempty"`
		ImageAlt    string           `json:"image_alt,omitempty"`
		Fetched     jsonTime         `json:"fetched,omitzero"`
		Changes     []jsonCardChange `json:"changes,omitempty"`
		Note        string           `json:"note,omitempty"`
		Error       string           `json:"error,omitempty"`
	}
	jsonCardChange struct {
		Field string `json:"field"`
		From  string `json:"from"`
		To    string `json:"to"`
	}
)

func cardsJSON(jobs []*cardJob, dryRun bool) jsonCards {
	out := jsonCards{Cards: []jsonCardFile{}, DryRun: dryRun}
	for _, j := range jobs {
		c := jsonCardFile{
			Post: j.post.ID, Path: j.post.Path, File: linkcard.File(j.post.Path), URL: j.address, Result: j.result,
			Title: j.card.Title, Description: j.card.Description, Image: j.card.Image, ImageAlt: j.card.ImageAlt,
			Fetched: jsonTime{j.card.Fetched}, Changes: j.changes, Note: j.note,
		}
		if j.err != nil {
			c.Error = j.err.Error()
		}
		out.Cards = append(out.Cards, c)
	}
	return out
}

// printCards says what became of the cards; those that stay as they are, are only counted.
func (a *app) printCards(jobs []*cardJob, dryRun bool) {
	s := a.stdoutStyle()
	tally := map[cardResult]int{}
	plain := func(text string) string { return text }
	for _, j := range jobs {
		tally[j.result]++
		word, paint, file := string(j.result), s.green, linkcard.File(j.post.Path)
		switch j.result {
		case cardKept:
			continue
		case cardOther:
			word, paint = "kept", s.yellow
		case cardFailed:
			paint, file = s.red, j.post.Path // there may be no other
		}
		a.printf("%s  %s\n", paint(pad(word, 10)), s.bold(oneLine(file)))
		if j.err != nil {
			a.detail(s.red, j.err.Error())
			if _, hint := explain(draftError(j.err)); hint != "" {
				a.detail(s.dim, hint)
			}
			continue
		}
		if j.result != cardOther {
			a.detail(plain, j.card.Title)
			if j.card.Description != "" {
				a.detail(s.dim, j.card.Description)
			}
			if j.card.Image != "" {
				a.detail(plain, "picture: "+j.card.Image)
			}
		}
		for _, c := range j.changes {
			if c.Field == "picture" {
				a.detail(s.yellow, "the picture is another one")
				continue
			}
			a.detail(s.yellow, fmt.Sprintf("%s was %q", c.Field, c.From))
		}
		if j.note != "" {
			a.detail(s.yellow, j.note)
		}
		if j.result == cardOther {
			a.detail(s.dim, "--update makes it anew")
		}
	}
	var parts []string
	for _, r := range []cardResult{cardMade, cardRenewed, cardKept, cardOther, cardFailed} {
		if n := tally[r]; n > 0 {
			word := string(r)
			if r == cardOther {
				word = "for another link"
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no post needs one"}
	}
	what := "link cards: "
	if dryRun {
		what = "link cards, if this were done: "
	}
	a.printf("%s%s\n", what, strings.Join(parts, ", "))
}

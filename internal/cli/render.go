package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
)

func (a *app) renderCommand() *cobra.Command {
	var (
		account string
		asJSON  bool
	)
	cmd := &cobra.Command{
		Use:     "render PATH",
		GroupID: groupWrite,
		Short:   "Show a post as each network will get it",
		Long: `Render shows exactly what publish would send for a post, named by its path or its id, to each
account that it goes to: the text with its length, links, mentions and hashtags, pictures with
their alt texts, the card. The fingerprint identifies these bytes; plan and publish name the same.

It reads the file as it stands on disk. What is wrong with it comes last; with errors the exit
code is 1.`,
		Example: `  postrider render content/2026/12/winter-launch.md
  postrider render k3v9q2xh --account bluesky
  postrider render k3v9q2xh --json | jq -r '.renderings[].parts[].text'`,
		Args: argsBetween(1, 1, "the path or the id of one post"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.render(cmd.Context(), args[0], account, asJSON)
		},
	}
	cmd.Flags().StringVarP(&account, "account", "a", "", "only for the account `NAME`, or for all of a platform")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *app) render(ctx context.Context, name, account string, asJSON bool) error {
	s, err := a.site(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	p, err := a.findPost(s, name)
	if err != nil {
		return err
	}
	accounts := s.Accounts(p)
	if account != "" {
		if accounts, err = narrow(s, p, accounts, account); err != nil {
			return err
		}
	}
	findings := s.Check(ctx, p.Path)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	findings = slices.DeleteFunc(findings, func(f finding.Finding) bool {
		concerns := f.Account == "" || slices.ContainsFunc(accounts, func(acc *platform.Account) bool { return acc.Name == f.Account })
		return f.Path != p.Path || !concerns
	})
	var rendered []site.Rendered
	for _, acc := range accounts {
		rendered = append(rendered, s.Render(p, acc))
	}
	if asJSON {
		out := renderJSON(p, rendered, findings)
		for i := range rendered {
			out.Renderings[i].Cost = costJSON(a.costOf(s, &rendered[i]))
		}
		err = a.printJSON(out)
	} else {
		a.printRenderings(s, p, rendered, findings)
	}
	if err == nil && findings.HasErrors() {
		err = errFindings
	}
	return err
}

// findPost returns the post that somebody named by its id or by its path.
func (a *app) findPost(s *openSite, name string) (*post.Post, error) {
	if p, err := a.path(s.dir, name); err == nil {
		if found, ok := s.Find(p); ok && found.Path == p {
			return found, nil
		}
	}
	if p, ok := s.Find(name); ok {
		return p, nil
	}
	var known []string
	for _, p := range s.Posts {
		known = append(known, p.Path, p.ID)
	}
	return nil, &usageError{msg: fmt.Sprintf("there is no post %q", name), hint: suggestion(name, known, "name one of the .md files in "+site.ContentDir+"/ by its path, or a post by its id")}
}

// narrow returns those of a post's accounts that name means.
func narrow(s *openSite, p *post.Post, accounts []*platform.Account, name string) ([]*platform.Account, error) {
	var names []string
	kept := slices.DeleteFunc(slices.Clone(accounts), func(acc *platform.Account) bool {
		names = append(names, acc.Name)
		return acc.Name != name && string(acc.Platform) != name
	})
	if len(kept) > 0 {
		return kept, nil
	}
	if !s.Config.Known(name) {
		return nil, &usageError{msg: fmt.Sprintf("the site has no account %q", name), hint: suggestion(name, s.Config.Names(), oneOf("site.yaml has", s.Config.Names()))}
	}
	hint := "it goes nowhere yet: list accounts under platforms:"
	if len(names) > 0 {
		hint = "it goes to " + strings.Join(names, ", ")
	}
	return nil, &usageError{msg: fmt.Sprintf("the post %q does not go to %q", p.ID, name), hint: hint}
}

// The shape that docs/JSON.md promises.
type (
	jsonRender struct {
		Post       string          `json:"post"`
		Path       string          `json:"path"`
		Title      string          `json:"title,omitempty"`
		Renderings []jsonRendering `json:"renderings"`
		Findings   finding.List    `json:"findings"`
	}
	jsonRendering struct {
		Account        string        `json:"account"`
		Platform       platform.ID   `json:"platform"`
		Fingerprint    string        `json:"fingerprint"`
		Due            jsonTime      `json:"due,omitzero"`
		Draft          bool          `json:"draft,omitempty"`
		Title          string        `json:"title,omitempty"`
		Parts          []jsonMessage `json:"parts"`
		Language       []string      `json:"language,omitempty"`
		Visibility     string        `json:"visibility,omitempty"`
		ContentWarning string        `json:"content_warning,omitempty"`
		Sensitive      bool          `json:"sensitive,omitempty"`
		Labels         []string      `json:"labels,omitempty"`
		Tags           []string      `json:"tags,omitempty"`
		Poll           *jsonPoll     `json:"poll,omitempty"`
		ReplyTo        string        `json:"reply_to,omitempty"`
		Quote          string        `json:"quote,omitempty"`
		CanonicalURL   string        `json:"canonical_url,omitempty"`
		Cost           *jsonCost     `json:"cost,omitempty"`
		// Settings is what else the network is told, by the names of its API.
		Settings map[string]string `json:"settings,omitempty"`
	}
	jsonMessage struct {
		Text     string           `json:"text"`
		Facets   []platform.Facet `json:"facets"` // UTF-8 byte offsets into Text
		Media    []jsonMedia      `json:"media"`
		Card     *jsonCard        `json:"card,omitempty"`
		Used     int              `json:"used"`
		Max      int              `json:"max"` // 0: no limit
		Unit     measure.Unit     `json:"unit"`
		Bytes    int              `json:"bytes,omitempty"`
		MaxBytes int              `json:"max_bytes,omitempty"`
	}
	jsonMedia struct {
		File   string `json:"file"` // relative to the site's folder
		Alt    string `json:"alt"`
		MIME   string `json:"mime,omitempty"`
		Width  int    `json:"width,omitempty"`
		Height int    `json:"height,omitempty"`
		Bytes  int64  `json:"bytes,omitempty"`
		Digest string `json:"digest,omitempty"`
		// Fit is how the picture is changed before it is sent; what stands above is the file.
		Fit *platform.Fit `json:"fit,omitempty"`
	}
	jsonCard struct {
		URL         string     `json:"url"`
		Title       string     `json:"title,omitempty"`
		Description string     `json:"description,omitempty"`
		Image       *jsonMedia `json:"image,omitempty"`
		// Fetch says that the card is read from the link's page when the post goes out.
		Fetch bool `json:"fetch,omitempty"`
	}
	jsonPoll struct {
		Options    []string `json:"options"`
		Seconds    int      `json:"seconds"`
		Multiple   bool     `json:"multiple,omitempty"`
		HideTotals bool     `json:"hide_totals,omitempty"`
	}
)

func renderJSON(p *post.Post, rendered []site.Rendered, findings finding.List) jsonRender {
	out := jsonRender{Post: p.ID, Path: p.Path, Title: p.Title, Renderings: []jsonRendering{}, Findings: findings}
	for i := range rendered {
		out.Renderings = append(out.Renderings, renderingJSON(&rendered[i].Variant, &rendered[i].Rendering))
	}
	return out
}

func renderingJSON(v *post.Variant, r *platform.Rendering) jsonRendering {
	out := jsonRendering{
		Account: v.Account, Platform: r.Platform, Fingerprint: r.Fingerprint(), Due: jsonTime{v.PublishAt}, Draft: v.Draft,
		Title: r.Title, Parts: []jsonMessage{}, Language: r.Language, Visibility: r.Visibility, ContentWarning: r.ContentWarning,
		Sensitive: r.Sensitive, Labels: r.Labels, Tags: r.Tags, ReplyTo: r.ReplyTo, Quote: r.Quote, CanonicalURL: r.CanonicalURL, Settings: r.Settings,
	}
	for i := range r.Parts {
		part := &r.Parts[i]
		j := jsonMessage{
			Text: part.Text, Facets: list(part.Facets), Media: []jsonMedia{},
			Used: part.Used, Max: part.Max, Unit: part.Unit, MaxBytes: part.MaxByte,
		}
		if part.MaxByte > 0 {
			j.Bytes = part.UsedByte
		}
		for k := range part.Media {
			j.Media = append(j.Media, *mediaJSON(&part.Media[k]))
		}
		if c := part.Card; c != nil {
			j.Card = &jsonCard{URL: c.URL, Title: c.Title, Description: c.Description, Image: mediaJSON(c.Image), Fetch: c.Fetch}
		}
		out.Parts = append(out.Parts, j)
	}
	if p := r.Poll; p != nil {
		out.Poll = &jsonPoll{Options: list(p.Options), Seconds: int(p.Duration / time.Second), Multiple: p.Multiple, HideTotals: p.HideTotals}
	}
	return out
}

func mediaJSON(m *platform.Media) *jsonMedia {
	if m == nil {
		return nil
	}
	return &jsonMedia{File: m.Path, Alt: m.Alt, MIME: m.MIME, Width: m.Width, Height: m.Height, Bytes: m.Bytes, Digest: m.Digest, Fit: m.Fit}
}

// printRenderings shows a post in a terminal.
func (a *app) printRenderings(s *openSite, p *post.Post, rendered []site.Rendered, findings finding.List) {
	paint := a.stdoutStyle()
	a.printf("%s  %s", paint.bold(printable(p.Path)), p.ID)
	if p.Title != "" {
		a.printf("  %s", oneLine(p.Title))
	}
	a.printf("\n")
	if len(rendered) == 0 {
		a.printf("it goes nowhere yet: list accounts under platforms:\n")
	}
	for i := range rendered {
		a.printf("\n")
		a.printRendering(s, &rendered[i])
	}
	if len(findings) > 0 {
		a.printf("\n")
		a.printFindings(a.Stdout, findings, paint)
	}
}

func (a *app) printRendering(s *openSite, rendered *site.Rendered) {
	v, r, paint := &rendered.Variant, &rendered.Rendering, a.stdoutStyle()
	name := string(r.Platform)
	info, ok := a.Registry.Info(r.Platform)
	if ok {
		name = info.Name
	}
	a.printf("%s  %s  %s  %s\n", paint.bold(v.Account), name, dueText(s, v), paint.dim("fingerprint "+r.Fingerprint()[:12]))
	say := func(what, text string) {
		if text != "" {
			a.printf("  %s %s\n", paint.dim(what+":"), oneLine(text))
		}
	}
	say("title", r.Title)
	say("content warning", r.ContentWarning)
	say("visibility", r.Visibility)
	say("language", strings.Join(r.Language, ", "))
	say("labels", strings.Join(r.Labels, ", "))
	say("tags", strings.Join(r.Tags, ", "))
	say("reply to", r.ReplyTo)
	say("quotes", r.Quote)
	say("original", r.CanonicalURL)
	if r.Sensitive {
		say("media", "marked as sensitive")
	}
	say("sent with", strings.Join(info.SentWith(r), " · "))
	for i := range r.Parts {
		a.printPart(&r.Parts[i], i, len(r.Parts))
	}
	if cost := a.costOf(s, rendered); len(cost) > 0 {
		say("cost (USD)", costText(cost))
	}
	if poll := r.Poll; poll != nil {
		say("poll", fmt.Sprintf("%s for %s", strings.Join(poll.Options, " | "), poll.Duration))
	}
}

// costOf returns what an account's rendering is estimated to cost; nil where the network charges nothing.
func (a *app) costOf(s *openSite, r *site.Rendered) platform.Cost {
	account, known := s.Config.Account(r.Variant.Account)
	adapter, ok := a.Registry.Get(r.Rendering.Platform)
	if !known || !ok {
		return nil
	}
	return platform.Sum(platform.CostOf(adapter, account, &r.Rendering)...)
}

// dueText says when an account gets its post.
func dueText(s *openSite, v *post.Variant) string {
	switch {
	case v.Withdraw:
		return "withdrawn"
	case v.Draft:
		return "draft: stays here until draft is taken out"
	case v.PublishAt.IsZero():
		return "goes out once it is merged"
	default:
		return "goes out " + v.PublishAt.In(s.Config.Location).Format("Mon 2006-01-02 15:04 MST")
	}
}

func (a *app) printPart(part *platform.Part, n, of int) {
	paint := a.stdoutStyle()
	bar := paint.dim("│") + " "
	meter := fmt.Sprintf("%s %s", outOf(part.Used, part.Max), part.Unit)
	if part.MaxByte > 0 {
		meter += fmt.Sprintf(", %s bytes", outOf(part.UsedByte, part.MaxByte))
	}
	if part.Max > 0 && part.Used > part.Max || part.MaxByte > 0 && part.UsedByte > part.MaxByte {
		meter = paint.red(meter + ": too long")
	} else {
		meter = paint.dim(meter)
	}
	if of > 1 {
		meter = fmt.Sprintf("part %d of %d, %s", n+1, of, meter)
		if part.AutoCut {
			meter += paint.dim(", cut here by thread: auto")
		}
	}
	a.printf("  %s\n", meter)
	for line := range strings.SplitSeq(highlight(part, paint), "\n") {
		a.printf("  %s%s\n", bar, line)
	}
	for _, f := range part.Facets {
		if f.Kind == platform.FacetLink || f.Kind == platform.FacetMention || f.Kind == platform.FacetTag {
			a.printf("  %s %s\n", paint.dim(string(f.Kind)+":"), oneLine(facetText(part.Text, f)))
		}
	}
	for i := range part.Media {
		a.printf("  %s\n", mediaText(&part.Media[i], "media", paint))
	}
	if c := part.Card; c != nil {
		text := oneLine(c.URL)
		if c.Fetch {
			text += "  (title, description and picture are read from the page when the post goes out)"
		} else {
			text += "  " + oneLine(c.Title)
			if c.Description != "" {
				text += ": " + oneLine(c.Description)
			}
		}
		a.printf("  %s %s\n", paint.dim("card:"), text)
		if c.Image != nil {
			a.printf("  %s\n", mediaText(c.Image, "card picture", paint))
		}
	}
}

// facetText returns what a facet links, and the words it does so with where they differ.
func facetText(text string, f platform.Facet) string {
	if f.Start < 0 || f.End > len(text) || f.Start > f.End {
		return f.Value
	}
	words := text[f.Start:f.End]
	if words == f.Value || strings.TrimLeft(words, "@#") == f.Value {
		return words
	}
	return words + " → " + f.Value
}

func mediaText(m *platform.Media, what string, paint style) string {
	text := paint.dim(what+":") + " " + oneLine(m.Path)
	if m.MIME != "" {
		text += " " + m.MIME
	}
	if m.Width > 0 {
		text += fmt.Sprintf(" %d×%d", m.Width, m.Height)
	}
	if change := m.Change(); change != "" {
		text += "  " + paint.dim("sent as:") + " " + change
	}
	if m.Alt == "" {
		return text + paint.yellow("  no alt text")
	}
	return text + "  " + paint.dim("alt:") + " " + oneLine(m.Alt)
}

// highlight returns a part's text, on a terminal with its facets painted.
func highlight(part *platform.Part, paint style) string {
	if !paint.on {
		return printable(part.Text)
	}
	facets := slices.Clone(part.Facets)
	slices.SortStableFunc(facets, func(a, b platform.Facet) int { return a.Start - b.Start })
	var b strings.Builder
	at := 0
	for _, f := range facets {
		if f.Start < at || f.End > len(part.Text) || f.End < f.Start {
			continue // nested in the one before
		}
		b.WriteString(printable(part.Text[at:f.Start]))
		words := printable(part.Text[f.Start:f.End])
		for i, line := range strings.Split(words, "\n") {
			if i > 0 {
				b.WriteByte('\n')
			}
			switch f.Kind {
			case platform.FacetBold:
				b.WriteString(paint.bold(line))
			case platform.FacetItalic, platform.FacetStrike, platform.FacetCode:
				b.WriteString(paint.under(line))
			default:
				b.WriteString(paint.blue(line))
			}
		}
		at = f.End
	}
	b.WriteString(printable(part.Text[at:]))
	return b.String()
}

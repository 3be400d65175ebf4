// Package card shows a rendering as its network will show it.
//
// [New] turns a platform.Rendering into a [View]: plain data about what folds, what is cropped, how links are displayed
// and what the counters say. The templates in templates/preview make HTML of it, and templates/assets/cards.css gives
// each network its look. What differs from network to network is data too, a [Look]; a network that nobody has drawn
// yet is shown as a sheet of paper.
//
// A card is close to the network, not a copy of it: glyphs are our own, and everything that Postrider has to say stands
// outside of what the network's readers will see.
package card

import (
	"cmp"
	"hash/fnv"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

// Input is what a card shows besides the rendering. Everything may be zero.
type Input struct {
	Info    platform.Info
	Account *platform.Account
	Name    string // the name that the account shows
	Handle  string // the account's name on its network, with or without "@"
	Server  string // its server: an address, or the host alone
	At      time.Time
	// Location is the zone in which At is shown; nil: that of At.
	Location *time.Location
	// MediaURL returns the address under which the page shows a file; empty where it cannot.
	MediaURL func(platform.Media) string
	// Decorative tells of which files, by their paths, the post says that they have nothing to describe; nil: of none.
	Decorative map[string]bool
	// Page is what the file beside the post says of a page; nil: there is none. A card that the network makes by itself will look much
	// like it, and is shown so.
	Page *post.LinkCard
}

// View is what a card shows, for the template "card".
type View struct {
	Network string // as people write it: "Bluesky"
	Account string // its name in site.yaml
	Label   string // names the card: "Bluesky, @acme.example"
	Class   string // the style sheet's name of the look
	Key     string // begins the ids of what a page must find again; empty: without an account there are none
	Look    *Look
	Header  Header
	Lang    string // of the text, BCP 47; empty where not known
	// Languages are all that the post says it is in.
	Languages string
	Title     string
	Warning   string // the text and the media are behind it
	Veil      string // the media are behind it
	Parts     []Part
	Facts     []Fact // what is sent and not seen in the post
	// Counters of the first part.
	Counters []Counter
	Notes    []string // sentences on what the network makes of it
}

// Header is who posts, and when.
type Header struct {
	Name     string
	Handle   string // as the network writes it; may be empty
	Initials string // stand for the account's picture
	Hue      int    // 0–7: its colour
	Time     string // as the network writes it: "2 Jan"
	When     string // in full
	Machine  string // RFC 3339; empty where there is no time yet
	Icon     string // of the visibility
	Who      string // who may see it: "Everybody"
}

// Part is one message.
type Part struct {
	Number, Total int
	Text, Folded  Text   // what is shown, and what is shown when the reader asks for it
	More          string // how the network words that
	Media         Gallery
	Card          *LinkCard
	Poll          *Poll
	Reply, Quote  *Stub
	Counters      []Counter
	AutoCut       bool   // it begins where a thread was cut automatically
	Key           string // as View.Key, of this part
	Lang          string
	Veil          string // the media are behind it
}

// LinkCard is the preview of a link.
type LinkCard struct {
	URL, Host          string
	Title, Description string
	Image              *Tile
	// Later says why there are no words yet: they are read from the page when the post goes out.
	Later string
	Style string
}

// Poll is a poll.
type Poll struct {
	Options  []string
	Multiple bool
	Open     string // how long: "1 day"
	Hidden   bool   // totals are not shown before its end
}

// Stub stands for another post.
type Stub struct{ Text, Href string }

// Fact is something that goes out with the post.
type Fact struct{ Term, Text, Href string }

// Counter is a length and its limit.
type Counter struct {
	Used, Max int    // Max 0: there is no limit
	Unit      string // as words: "characters"
	Percent   int    // of the limit, at most 100
	State     State
	Short     string // "212 / 280", "300 / 280, 20 over"
	Words     string // "212 of 280 characters"
}

// State says how close a length is to its limit.
type State string

// The states of a counter.
const (
	Free State = "free" // there is no limit
	OK   State = "ok"
	Near State = "near" // less than a tenth is left
	Over State = "over"
)

// New returns the view of a rendering. It is pure and total: there is one for every rendering and every platform.
func New(r *platform.Rendering, in Input) View {
	look := LookOf(r.Platform)
	network := in.Info.Name
	switch {
	case network != "":
	case look.ID == r.Platform:
		network = look.Name
	default:
		network = string(r.Platform)
	}
	if network == "" {
		network = "Unknown network"
	}
	host := in.Server
	if strings.Contains(host, "://") {
		host = serverHost(host)
	}
	v := View{
		Network: network, Class: string(look.ID), Look: look, Title: r.Title, Veil: veil(look, r),
		Header: header(look, r, &in, host, network),
	}
	if look.Layout == Plain && look.ID != r.Platform {
		v.Class = "plain"
	}
	if in.Account != nil {
		v.Account = in.Account.Name
		v.Key = "card-" + v.Account
	}
	v.Label = network
	who := cmp.Or(v.Header.Handle, v.Account, v.Header.Name)
	if look.ByHandle {
		who = v.Header.Name
	}
	if who != network {
		v.Label += ", " + who
	}
	if len(r.Language) > 0 {
		v.Lang, v.Languages = r.Language[0], strings.Join(r.Language, ", ")
	}
	if look.Warns && r.ContentWarning != "" {
		v.Warning, v.Veil = r.ContentWarning, "" // one door is enough
	}
	v.Parts = make([]Part, len(r.Parts))
	for i := range r.Parts {
		v.Parts[i] = look.part(r, i, &in, host, network)
		v.Parts[i].Lang, v.Parts[i].Veil = v.Lang, v.Veil
		if v.Key != "" {
			v.Parts[i].Key = v.Key + "-" + strconv.Itoa(i+1)
		}
	}
	if len(v.Parts) > 0 {
		v.Parts[0].Poll = poll(r.Poll)
		v.Parts[0].Reply, v.Parts[0].Quote = stub(r.ReplyTo), stub(r.Quote)
		v.Counters = v.Parts[0].Counters
	}
	v.Facts = facts(look, r, &in.Info)
	v.Notes = notes(&v, r)
	return v
}

// Thread reports whether there are several parts.
func (v View) Thread() bool { return len(v.Parts) > 1 }

// NoAlt returns how many files lack a description.
func (v View) NoAlt() int {
	n := 0
	for i := range v.Parts {
		n += v.Parts[i].Media.NoAlt
	}
	return n
}

// Files returns all files that have a description or lack one, in order: none where the network has no descriptions.
func (v View) Files() []Tile {
	if v.Look.NoAlt {
		return nil
	}
	var all []Tile
	for i := range v.Parts {
		all = append(all, v.Parts[i].Media.Alts...)
	}
	return all
}

// First reports whether the part is the first.
func (p Part) First() bool { return p.Number == 1 }

// Last reports whether the part is the last.
func (p Part) Last() bool { return p.Number == p.Total }

// part returns the view of one part.
func (l *Look) part(r *platform.Rendering, i int, in *Input, host, network string) Part {
	p := &r.Parts[i]
	c := l.read(p, host)
	cut := l.Fold.cut(&c)
	v := Part{
		Number: i + 1, Total: len(r.Parts), AutoCut: p.AutoCut,
		Text: c.between(0, cut), Media: l.gallery(p.Media, in), Counters: counters(p),
	}
	if cut < len(p.Text) {
		rest := strings.TrimLeftFunc(p.Text[cut:], unicode.IsSpace)
		v.Folded, v.More = c.between(len(p.Text)-len(rest), len(p.Text)), l.Fold.More
	}
	if l.Card != "" {
		v.Card = l.linkCard(p.Card, in)
	}
	if p.Card == nil && len(p.Media) == 0 && !(l.QuietWarning && r.ContentWarning != "") && !(i == 0 && r.Poll != nil) && !noPreview(r) {
		v.Card = l.unfurl(&c, network, in)
	}
	return v
}

// noPreview reports whether the network is told to make no card of any link, in the words of Telegram's API.
func noPreview(r *platform.Rendering) bool {
	return strings.Contains(r.Settings["link_preview_options"], `"is_disabled":true`)
}

// linkCard returns the view of a card that goes out with the post.
func (l *Look) linkCard(card *platform.Card, in *Input) *LinkCard {
	if card == nil {
		return nil
	}
	v := &LinkCard{
		URL: webAddress(card.URL), Host: hostOf(card.URL), Title: card.Title, Description: card.Description, Style: l.Card,
	}
	if card.Image != nil {
		t := tile(card.Image, in.MediaURL).in(Ratio{191, 100})
		v.Image = &t
	}
	if card.Fetch {
		v.Later = "Title and picture are read from the page when the post goes out."
	}
	if card.Title == "" {
		v.fill(card.URL, in)
	}
	if v.Title == "" && !card.Fetch {
		v.Title = card.URL
	}
	return v
}

// fill shows what the file beside the post says of the page, in a card that the network makes by itself.
func (v *LinkCard) fill(address string, in *Input) {
	if in.Page == nil || utm.Without(in.Page.URL) != utm.Without(address) {
		return
	}
	v.Title, v.Description = in.Page.Title, in.Page.Description
	if in.Page.Image != nil {
		m := platform.MediaOf(in.Page.Image)
		t := tile(&m, in.MediaURL).in(Ratio{191, 100})
		v.Image = &t
	}
	if v.Later == "" {
		v.Later = "The network reads the page by itself."
	}
	v.Later += " Shown is what stands in " + path.Base(in.Page.File) + "."
}

// unfurl returns the card that the network makes of a link by itself.
func (l *Look) unfurl(c *content, network string, in *Input) *LinkCard {
	if l.Unfurl == NoLink {
		return nil
	}
	var address string
	for _, e := range c.entities {
		if e.run.Kind != Link || e.run.Href == "" {
			continue
		}
		address = e.run.Href
		if l.Unfurl == FirstLink {
			break
		}
	}
	if address == "" {
		return nil
	}
	v := &LinkCard{
		URL: address, Host: hostOf(address), Style: l.Card,
		Later: network + " reads title and picture from the page once the post is out.",
	}
	v.fill(address, in)
	return v
}

// covered are the labels of media that are covered until the reader asks for them.
var covered = []struct{ label, words string }{
	{"graphic-media", "Graphic media"}, {"nudity", "Nudity"}, {"porn", "Adult content"}, {"sexual", "Suggestive content"},
}

func veil(l *Look, r *platform.Rendering) string {
	if !l.Veils {
		return ""
	}
	for _, c := range covered {
		for _, label := range r.Labels {
			if label == c.label {
				return c.words
			}
		}
	}
	if r.Sensitive {
		return "Sensitive content"
	}
	return ""
}

func poll(p *platform.Poll) *Poll {
	if p == nil {
		return nil
	}
	return &Poll{Options: p.Options, Multiple: p.Multiple, Open: duration(p.Duration), Hidden: p.HideTotals}
}

func stub(address string) *Stub {
	if address == "" {
		return nil
	}
	return &Stub{strings.TrimPrefix(address, "https://"), webAddress(address)}
}

func header(l *Look, r *platform.Rendering, in *Input, host, network string) Header {
	account := ""
	if in.Account != nil {
		account = in.Account.Name
	}
	handle := strings.TrimPrefix(in.Handle, "@")
	h := Header{Name: cmp.Or(in.Name, handle, account, network), Time: "now", When: "as soon as it is merged"}
	if handle != "" {
		h.Handle = writeHandle(l.Handle, handle, host)
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(h.Name))
	h.Initials, h.Hue = initials(h.Name), int(sum.Sum32()%8)
	if l.ByHandle && h.Handle != "" {
		h.Name, h.Handle = h.Handle, ""
	}
	if !in.At.IsZero() {
		at := in.At
		if in.Location != nil {
			at = at.In(in.Location)
		}
		h.Time, h.When, h.Machine = at.Format(l.Time), at.Format("Monday, 2 January 2006, 15:04 MST"), at.Format(time.RFC3339)
	}
	if l.Visibility {
		h.Icon, h.Who = visibility(r.Visibility)
	}
	return h
}

func writeHandle(pattern, handle, host string) string {
	if strings.Contains(handle, "@") || host == "" {
		pattern = strings.TrimSuffix(pattern, "@{host}")
	}
	return strings.NewReplacer("{handle}", handle, "{host}", host).Replace(pattern)
}

func visibility(v string) (icon, who string) {
	switch v {
	case "", "public":
		return "globe", "Everybody sees it"
	case "unlisted":
		return "moon", "Unlisted: everybody who has the link or follows sees it"
	case "followers":
		return "lock", "Followers see it"
	case "connections":
		return "lock", "Connections see it"
	case "direct":
		return "at", "Those who are mentioned see it"
	}
	return "globe", v
}

// serverHost returns the host of a server's address, with its port.
func serverHost(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// initials returns the first characters of the first two words of a name.
func initials(name string) string {
	var b strings.Builder
	n := 0
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }) {
		if it := graphemes.FromString(word); it.Next() {
			b.WriteString(strings.ToUpper(strings.ToValidUTF8(it.Value(), "")))
		}
		if n++; n == 2 {
			break
		}
	}
	if b.Len() == 0 {
		return "?"
	}
	return b.String()
}

func counters(p *platform.Part) []Counter {
	var list []Counter
	if p.Max > 0 || p.Used > 0 || p.Unit != "" {
		list = append(list, counter(p.Used, p.Max, p.Unit))
	}
	if p.MaxByte > 0 {
		list = append(list, counter(p.UsedByte, p.MaxByte, measure.Bytes))
	}
	return list
}

func counter(used, most int, unit measure.Unit) Counter {
	c := Counter{Used: used, Max: most, Unit: unitWords(unit), State: Free, Short: number(used)}
	if most <= 0 {
		c.Words = c.Short + " " + c.Unit
		return c
	}
	c.Percent = min(100, max(0, int(float64(used)*100/float64(most))))
	switch {
	case used > most:
		c.State = Over
	case used*10 > most*9:
		c.State = Near
	default:
		c.State = OK
	}
	c.Short += " / " + number(most)
	c.Words = number(used) + " of " + number(most) + " " + c.Unit
	if c.State == Over {
		c.Short += ", " + number(used-most) + " over"
		c.Words += ", " + number(used-most) + " too many"
	}
	return c
}

// Presses reports whether the length is close to its limit, or over it.
func (c Counter) Presses() bool { return c.State == Near || c.State == Over }

func unitWords(u measure.Unit) string {
	switch u {
	case measure.Weighted:
		return "weighted characters"
	case measure.Graphemes, measure.CodePoints, "":
		return "characters"
	case measure.UTF16:
		return "UTF-16 units"
	}
	return string(u)
}

// number writes n with commas between thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// duration writes how long something takes, in the two largest units.
func duration(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute"
	}
	var words []string
	for _, u := range []struct {
		d    time.Duration
		word string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		n := int(d / u.d)
		if n == 0 {
			continue
		}
		d -= time.Duration(n) * u.d
		word := strconv.Itoa(n) + " " + u.word
		if n > 1 {
			word += "s"
		}
		words = append(words, word)
		if len(words) == 2 {
			break
		}
	}
	return strings.Join(words, " ")
}

// facts returns what goes out with the post and is not seen on its surface.
func facts(l *Look, r *platform.Rendering, info *platform.Info) []Fact {
	var list []Fact
	add := func(term, text, address string) {
		if text != "" {
			list = append(list, Fact{term, text, webAddress(address)})
		}
	}
	if !l.Warns {
		add("Content warning", r.ContentWarning, "")
	}
	add("Labels", strings.Join(r.Labels, ", "), "")
	add("Tags", strings.Join(r.Tags, ", "), "")
	if !l.Visibility || r.Visibility != "public" {
		add("Visibility", r.Visibility, "")
	}
	if r.Sensitive && !l.Veils {
		add("Sensitive", "yes", "")
	}
	add("Canonical address", r.CanonicalURL, r.CanonicalURL)
	add("Sent with", strings.Join(info.SentWith(r), " · "), "")
	return list
}

// notes returns what a writer should know of how the network shows the post.
func notes(v *View, r *platform.Rendering) []string {
	var list []string
	for i := range v.Parts {
		p := &v.Parts[i]
		of := ""
		if len(v.Parts) > 1 {
			of = " in part " + strconv.Itoa(p.Number)
		}
		if v.Look.Card == "" && r.Parts[i].Card != nil {
			list = append(list, v.Network+" shows no link cards.")
		}
		if cropped := cropped(p.Media.Tiles); cropped != "" {
			list = append(list, "The feed hides "+cropped+of+".")
		}
		list = append(list, fitted(&r.Parts[i])...)
	}
	return list
}

// cropped tells what of which pictures a crop hides, where that is worth mentioning: "20 % of picture 1 and 33 % of
// picture 3".
func cropped(tiles []Tile) string {
	const noticed = 15 // percent
	var list []string
	for _, t := range tiles {
		switch {
		case t.Hidden < noticed:
		case len(tiles) == 1:
			list = append(list, strconv.Itoa(t.Hidden)+" % of the picture")
		default:
			list = append(list, strconv.Itoa(t.Hidden)+" % of picture "+strconv.Itoa(t.Number))
		}
	}
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " and " + list[last]
}

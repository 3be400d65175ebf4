package content

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

// decoder turns the values of one map of fields, a post's or an override's, into fields.
type decoder struct {
	*reader
	name     string // of the override, "" for the post's own fields
	defaults bool   // of the site
	scope    func(Key) bool
	f        *post.Fields
	places   *[]post.Place
	first    [64]finding.Range // where each field was set, by post.Field; for the second time it is

	id        *pair
	text      *pair
	overrides *pair
	publishAt *pair
	expiresAt *pair
	location  *time.Location // of timezone, nil without one or with an unknown one
}

// DecodeFields reads the map of fields under `defaults:` in site.yaml. Its findings have no path, and
// its media are relative to the site's folder and not probed.
func DecodeFields(n *yaml.Node, loc *time.Location) (post.Fields, []post.Place, finding.List) {
	var f post.Fields
	var places []post.Place
	r := &reader{o: Options{Location: loc}, shared: &shared{}, scratch: &scratch{}, loc: finding.NewLocator(nil)}
	y := yamlReader{fail: func(rng finding.Range, message, hint string) { r.add(codeSyntax, finding.Error, rng, message, hint) }}
	v := y.value(n, 0)
	if !y.failed {
		d := decoder{reader: r, defaults: true, scope: func(k Key) bool { return k.Default }, f: &f, places: &places}
		d.decode(&v)
	}
	return f, places, r.list
}

// decode reads all fields. Times wait, since the time zone may come after them.
func (d *decoder) decode(v *value) {
	if v.kind == kindNull {
		return
	}
	if v.kind != kindMap {
		d.wrong("the front matter", v.rng, v.kind, "a map of keys to values")
		return
	}
	for i := range v.pairs {
		p := &v.pairs[i]
		field, ok := lookup(p.key)
		if !ok {
			d.unknown(p, "front-matter key", catalogue().names, "remove it, or see `postrider schema` for the keys there are")
			continue
		}
		if !d.scope(catalogue().keys[field]) {
			message := fmt.Sprintf("%q cannot be overridden", p.key)
			switch {
			case d.defaults:
				message = fmt.Sprintf("%q cannot be a default", p.key)
			case field == post.FieldText:
				message = `"text" belongs into an override: the text of a post is what follows the front matter`
			}
			d.add(codeMisplaced, finding.Error, p.rng, message, "remove it")
			continue
		}
		if was := d.first[field]; was.Start.Line != 0 {
			d.add(codeTwice, finding.Error, p.rng, fmt.Sprintf("%q sets %s again: line %d has set it", p.key, field.Key(), was.Start.Line),
				fmt.Sprintf("remove line %d or line %d", was.Start.Line, p.rng.Start.Line))
			continue
		}
		d.first[field] = p.rng
		*d.places = append(*d.places, post.Place{Name: d.name, Field: field, Range: p.place()})
		if d.field(field, p) {
			d.f.Set = d.f.Set.With(field)
		}
	}
}

// field reads one field and reports whether it could.
func (d *decoder) field(field post.Field, p *pair) bool {
	f, v := d.f, &p.val
	switch field {
	case post.FieldID:
		d.id = p
	case post.FieldText:
		d.text = p
	case post.FieldOverrides:
		d.overrides = p
	case post.FieldPublishAt:
		d.publishAt = p
		return false // set when it is resolved
	case post.FieldExpiresAt:
		d.expiresAt = p
		return false
	case post.FieldTitle:
		return d.line(p, &f.Title)
	case post.FieldPlatforms:
		return d.names(p, &f.Platforms)
	case post.FieldTimezone:
		return d.timezone(p)
	case post.FieldCampaign:
		return d.line(p, &f.Campaign)
	case post.FieldTags:
		return d.tags(p)
	case post.FieldLink:
		return d.address(p, &f.Link)
	case post.FieldCanonicalURL:
		return d.address(p, &f.CanonicalURL)
	case post.FieldMedia:
		return d.mediaList(p)
	case post.FieldCard:
		return d.card(p)
	case post.FieldDraft:
		return d.boolean(p, &f.Draft)
	case post.FieldLanguage:
		return d.languages(p)
	case post.FieldVisibility:
		return d.enum(p, catalogue().keys[field].Values, &f.Visibility)
	case post.FieldContentWarning:
		return d.str(p, &f.ContentWarning)
	case post.FieldSensitive:
		return d.boolean(p, &f.Sensitive)
	case post.FieldLabels:
		return d.list(p, &f.Labels)
	case post.FieldPoll:
		return d.poll(p)
	case post.FieldReplyTo:
		return d.line(p, &f.ReplyTo)
	case post.FieldQuote:
		return d.line(p, &f.Quote)
	case post.FieldFirstComment:
		return d.str(p, &f.FirstComment)
	case post.FieldThread:
		return d.enum(p, catalogue().keys[field].Values, &f.Thread)
	case post.FieldWithdraw:
		return d.boolean(p, &f.Withdraw)
	case post.FieldLate:
		return d.enum(p, catalogue().keys[field].Values, (*string)(&f.Late))
	case post.FieldEmbargo:
		return d.enum(p, catalogue().keys[field].Values, (*string)(&f.Embargo))
	case post.FieldMentions:
		return d.mentions(p)
	case post.FieldRepeat:
		return d.repeat(p)
	case post.FieldNotes:
		var lines []string
		if v.kind != kindList {
			return d.str(p, &f.Remark)
		}
		ok := d.list(p, &lines)
		f.Remark = strings.Join(lines, "\n")
		return ok
	}
	return true
}

func (d *decoder) wrong(what string, rng finding.Range, got kind, want string) bool {
	d.add(codeType, finding.Error, rng, fmt.Sprintf("%s must be %s, not %s", what, want, got), "")
	return false
}

func (d *decoder) bad(rng finding.Range, message, hint string) bool {
	d.add(codeValue, finding.Error, rng, message, hint)
	return false
}

func (d *decoder) unknown(p *pair, what string, names []string, otherwise string) {
	if secret.Key(p.key) {
		d.add(codeSecret, finding.Error, p.rng, fmt.Sprintf("key %q looks like a secret, which must not be in the file", p.key),
			"secrets come from the environment, and one that was committed must be replaced")
		return
	}
	hint := didYouMean(p.key, names)
	switch n := Nearest(snake(p.key), names); {
	case p.key == "published" && what == "front-matter key":
		hint = "write draft: true for a post that is not to go out"
	case hint == "" && n != "":
		hint = "did you mean " + quote(n) + "?"
	case hint == "":
		hint = otherwise
	}
	d.add(codeUnknownKey, finding.Error, p.rng, fmt.Sprintf("unknown %s %q", what, p.key), hint)
	d.mendKey(p, names)
}

// str reads a text. What looks like a number or a time is taken as it is written; nothing is an empty text.
func (d *decoder) str(p *pair, to *string) bool {
	switch p.val.kind {
	case kindNull:
		*to = ""
	case kindString, kindNumber, kindTime, kindBool:
		*to = p.val.text
	default:
		return d.wrong(quote(p.key), p.place(), p.val.kind, "a text")
	}
	return true
}

// line reads a text without the white space around it.
func (d *decoder) line(p *pair, to *string) bool {
	ok := d.str(p, to)
	*to = strings.TrimSpace(*to)
	return ok
}

func (d *decoder) boolean(p *pair, to *bool) bool {
	if p.val.kind != kindBool {
		d.add(codeType, finding.Error, p.place(), fmt.Sprintf("%q must be true or false, not %s", p.key, p.val.kind), "write true or false, without quotes")
		d.mendBool(p)
		return false
	}
	*to = strings.EqualFold(p.val.text, "true")
	return true
}

func (d *decoder) enum(p *pair, values []string, to *string) bool {
	var s string
	if !d.line(p, &s) {
		return false
	}
	if !slices.Contains(values, s) {
		d.bad(p.place(), fmt.Sprintf("%s is %s: it must be %s", p.key, quote(s), oneOf(values)), didYouMean(s, values))
		d.mend(p.place(), s, Certain(s, values))
		return false
	}
	*to = s
	return true
}

// list reads a list of texts; one text is a list of one.
func (d *decoder) list(p *pair, to *[]string) bool {
	switch p.val.kind {
	case kindNull:
		*to = nil
		return true
	case kindMap:
		return d.wrong(quote(p.key), p.place(), p.val.kind, "a list of texts")
	case kindList:
		texts := make([]string, 0, len(p.val.items))
		for i := range p.val.items {
			item := pair{key: p.key, rng: p.val.items[i].rng, val: p.val.items[i]}
			var s string
			if item.val.kind == kindNull || item.val.kind == kindList || item.val.kind == kindMap {
				return d.wrong(fmt.Sprintf("item %d of %q", i+1, p.key), item.rng, item.val.kind, "a text")
			}
			if d.line(&item, &s); s == "" {
				return d.bad(item.rng, fmt.Sprintf("item %d of %q is empty", i+1, p.key), "remove it")
			}
			texts = append(texts, s)
		}
		*to = texts
		return true
	}
	var s string
	if d.line(p, &s); s != "" {
		*to = []string{s}
	}
	return true
}

// names reads the names of accounts and platforms.
func (d *decoder) names(p *pair, to *[]string) bool {
	var names []string
	if p.val.kind == kindMap { // mastodon: true
		for i := range p.val.pairs {
			var on bool
			if !d.boolean(&p.val.pairs[i], &on) {
				return false
			}
			if on {
				names = append(names, p.val.pairs[i].key)
			}
		}
	} else if !d.list(p, &names) {
		return false
	}
	unique := names[:0]
	for _, n := range names {
		if !isName(n) {
			hint := "names have letters, digits, _ . and -"
			if strings.ContainsAny(n, ", ") {
				hint = "write a list: [" + strings.Join(strings.FieldsFunc(n, func(r rune) bool { return r == ',' || r == ' ' }), ", ") + "]"
			}
			d.bad(p.place(), fmt.Sprintf("%s is not the name of an account or a platform", quote(n)), hint)
			d.mendNames(p, n)
			return false
		}
		if slices.Contains(unique, n) {
			d.add(codeListedTwice, finding.Warning, p.place(), fmt.Sprintf("%q lists %s twice", p.key, quote(n)), "remove one of them")
			continue
		}
		unique = append(unique, n)
	}
	*to = unique
	return true
}

// isName reports whether s can name an account, a platform or a post: [A-Za-z0-9][A-Za-z0-9_.-]*.
func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '_' || c == '.' || c == '-'):
		default:
			return false
		}
	}
	return s != "" && len(s) <= 128
}

func (d *decoder) tags(p *pair) bool {
	var tags []string
	if !d.list(p, &tags) {
		return false
	}
	if p.val.kind == kindString && len(tags) == 1 { // "winter, launch" or "#winter #launch"
		tags = strings.FieldsFunc(tags[0], func(r rune) bool { return r == ',' || r == '#' })
	}
	kept := tags[:0]
	for _, t := range tags {
		t = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(t), "#"))
		if t == "" {
			continue
		}
		if slices.Contains(kept, t) {
			d.add(codeListedTwice, finding.Warning, p.place(), fmt.Sprintf("%q lists %s twice", p.key, quote(t)), "remove one of them")
			continue
		}
		kept = append(kept, t)
	}
	d.f.Tags = d.scratch.kept.words.Copy(kept)
	return true
}

// address reads an absolute http(s) address.
func (d *decoder) address(p *pair, to *string) bool {
	var s string
	if !d.line(p, &s) {
		return false
	}
	if s != "" && !isWebAddress(s) {
		return d.bad(p.place(), fmt.Sprintf("%s is not a web address: %s", p.key, quote(s)), "write it in full: https://example.com/page")
	}
	*to = s
	return true
}

func isWebAddress(s string) bool {
	if strings.ContainsAny(s, " \t\r\n") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func (d *decoder) languages(p *pair) bool {
	var tags []string
	if !d.list(p, &tags) {
		return false
	}
	for i, t := range tags {
		if !isLanguage(t) {
			hint, with := "write tags like en, de or pt-BR", ""
			if strings.ContainsAny(t, "_") && isLanguage(strings.ReplaceAll(t, "_", "-")) {
				with = strings.ReplaceAll(t, "_", "-")
				hint = "write " + with
			}
			d.bad(p.place(), fmt.Sprintf("%s is not a language tag (BCP 47)", quote(t)), hint)
			d.mend(p.place(), t, with)
			return false
		}
		// Bluesky refuses tags like "DE".
		main, _, _ := strings.Cut(t, "-")
		tags[i] = strings.ToLower(main) + t[len(main):]
	}
	d.f.Language = tags
	return true
}

// isLanguage reports whether s has the form of a language tag: en, pt-BR, zh-Hant-TW. A part of one
// character announces others (RFC 5646, section 2.2.6): nothing ends with one.
func isLanguage(s string) bool {
	parts := strings.Split(s, "-")
	for i, part := range parts {
		if len(part) == 0 || len(part) > 8 || i == 0 && (len(part) < 2 || len(part) > 3) || i == len(parts)-1 && len(part) < 2 {
			return false
		}
		for _, c := range part {
			letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
			if !letter && (i == 0 || c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

func (d *decoder) timezone(p *pair) bool {
	var name string
	if !d.line(p, &name) {
		return false
	}
	loc, ok := d.shared.zones.load(name)
	if !ok {
		hint := didYouMean(name, zoneNames())
		if hint == "" {
			hint = "write a name like Europe/Berlin or America/New_York"
		}
		d.add(codeZone, finding.Error, p.place(), fmt.Sprintf("unknown time zone %s", quote(name)), hint)
		d.mend(p.place(), name, Certain(name, zoneNames()))
		return false
	}
	d.location, d.f.Timezone = loc, name
	return true
}

// submap walks over a map with a closed set of keys, each in any spelling, each at most once.
func (d *decoder) submap(v *value, what string, names []string, aliases map[string]string, use func(key string, p *pair) bool) bool {
	ok := true
	var seen []string
	for i := range v.pairs {
		p := &v.pairs[i]
		key := snake(p.key)
		if a, found := aliases[key]; found {
			key = a
		}
		switch {
		case !slices.Contains(names, key):
			d.unknown(p, "key of "+what, names, "the keys are "+strings.Join(names, ", "))
			ok = false
		case slices.Contains(seen, key):
			d.add(codeTwice, finding.Error, p.rng, fmt.Sprintf("%q sets %s again", p.key, key), "remove one of them")
			ok = false
		default:
			seen = append(seen, key)
			ok = use(key, p) && ok
		}
	}
	return ok
}

func (d *decoder) mediaList(p *pair) bool {
	items := p.val.items
	switch p.val.kind {
	case kindNull:
	case kindString, kindMap:
		items = []value{p.val}
	case kindList:
	default:
		return d.wrong(quote(p.key), p.place(), p.val.kind, "a list of files")
	}
	ok := true
	list := make([]post.Media, 0, len(items))
	for i := range items {
		if items[i].rng.Start.Line == 0 { // TOML does not say where a map in a list stands
			items[i].rng = p.place()
		}
		m, good := d.media(&items[i], fmt.Sprintf("item %d of %q", i+1, p.key))
		if good {
			list = append(list, m)
		}
		ok = ok && good
	}
	d.f.Media = d.scratch.kept.media.Copy(list) // what could be read, for the preview
	return ok || len(list) > 0
}

// media reads one file, a text or a map with file and alt.
func (d *decoder) media(v *value, what string) (post.Media, bool) {
	m := post.Media{Range: v.rng}
	file := pair{rng: v.rng, val: *v}
	switch v.kind {
	case kindString:
	case kindMap:
		file = pair{}
		aliases := map[string]string{"path": "file", "url": "file", "src": "file", "alt_text": "alt"}
		ok := d.submap(v, "a medium", []string{"file", "alt"}, aliases, func(key string, p *pair) bool {
			if key == "file" {
				file = *p
				return true
			}
			m.HasAlt = p.val.kind != kindNull // `alt:` with nothing after it is one that was forgotten
			return d.line(p, &m.Alt)
		})
		if !ok {
			return m, false
		}
		if file.val.kind == kindNull {
			return m, d.bad(v.rng, what+" names no file", "add file: with a path relative to the post's file")
		}
	default:
		return m, d.wrong(what, v.rng, v.kind, "a file, or a map with file and alt")
	}
	if !d.line(&file, &m.File) {
		return m, false
	}
	m.Range = file.place()
	return m, d.attach(&m)
}

func (d *decoder) card(p *pair) bool {
	if p.val.kind == kindNull {
		return true
	}
	if p.val.kind != kindMap {
		return d.wrong(quote(p.key), p.place(), p.val.kind, "a map with url, title, description and image")
	}
	c := &post.Card{Range: p.place()}
	alt, hasAlt := "", false
	ok := d.submap(&p.val, "a card", []string{"url", "title", "description", "image", "alt"}, nil, func(key string, q *pair) bool {
		switch key {
		case "url":
			return d.address(q, &c.URL)
		case "title":
			return d.line(q, &c.Title)
		case "description":
			return d.line(q, &c.Description)
		case "alt":
			hasAlt = true
			return d.line(q, &alt)
		}
		if q.val.kind == kindNull {
			return true
		}
		m, ok := d.media(&q.val, "the card's image")
		c.Image = &m
		return ok
	})
	if hasAlt && c.Image != nil && !c.Image.HasAlt {
		c.Image.Alt, c.Image.HasAlt = alt, true
	}
	d.f.Card = c
	return ok
}

func (d *decoder) poll(p *pair) bool {
	poll := &post.Poll{Duration: 24 * time.Hour, Range: p.place()}
	switch p.val.kind {
	case kindNull:
		return true
	case kindList:
		if !d.list(p, &poll.Options) {
			return false
		}
	case kindMap:
		ok := d.submap(&p.val, "a poll", []string{"options", "duration", "multiple", "hide_totals"}, nil, func(key string, q *pair) bool {
			switch key {
			case "options":
				return d.list(q, &poll.Options)
			case "multiple":
				return d.boolean(q, &poll.Multiple)
			case "hide_totals":
				return d.boolean(q, &poll.HideTotals)
			}
			var s string
			if !d.line(q, &s) {
				return false
			}
			var ok bool
			if poll.Duration, ok = parseDuration(s); !ok {
				return d.bad(q.place(), fmt.Sprintf("%s is not a duration: %s", q.key, quote(s)), "write 30m, 12h, 1d or 1d12h")
			}
			return true
		})
		if !ok {
			return false
		}
	default:
		return d.wrong(quote(p.key), p.place(), p.val.kind, "a map with options and duration")
	}
	if len(poll.Options) < 2 {
		return d.bad(p.place(), fmt.Sprintf("a poll needs two options or more, and has %d", len(poll.Options)), "")
	}
	d.f.Poll = poll
	return true
}

// parseDuration reads a positive duration of weeks, days, hours, minutes and seconds: 1d12h.
func parseDuration(s string) (time.Duration, bool) {
	var total time.Duration
	if s == "" {
		return 0, false
	}
	for s != "" {
		i := 0
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		n, err := strconv.Atoi(s[:i])
		if err != nil || i == len(s) {
			return 0, false
		}
		var unit time.Duration
		switch s[i] {
		case 'w':
			unit = 7 * 24 * time.Hour
		case 'd':
			unit = 24 * time.Hour
		case 'h':
			unit = time.Hour
		case 'm':
			unit = time.Minute
		case 's':
			unit = time.Second
		}
		const most = 10 * 365 * 24 * time.Hour
		if unit == 0 || time.Duration(n) > most/unit || total > most {
			return 0, false
		}
		total += time.Duration(n) * unit
		s = s[i+1:]
	}
	return total, total > 0
}

func (d *decoder) mentions(p *pair) bool {
	if p.val.kind == kindNull {
		return true
	}
	if p.val.kind != kindMap {
		return d.wrong(quote(p.key), p.place(), p.val.kind, "a map of names to handles")
	}
	list := make([]post.Mention, 0, len(p.val.pairs))
	seen := make(map[string]bool, len(p.val.pairs))
	for i := range p.val.pairs {
		q := &p.val.pairs[i]
		m := post.Mention{Name: strings.TrimPrefix(q.key, "@")}
		switch {
		case m.Name == "" || strings.ContainsAny(m.Name, " \t\n@"):
			return d.bad(q.rng, fmt.Sprintf("%s is not a name to mention", quote(q.key)), "write one word, which the text has with an @ before it")
		case seen[m.Name]:
			d.add(codeTwice, finding.Error, q.rng, fmt.Sprintf("%q is mentioned twice", q.key), "remove one of them")
			return false
		case q.val.kind != kindMap || len(q.val.pairs) == 0:
			return d.wrong(quote(q.key), q.place(), q.val.kind, "a map of platforms to handles")
		}
		seen[m.Name] = true
		m.Handles = make(map[string]string, len(q.val.pairs))
		for j := range q.val.pairs {
			h := &q.val.pairs[j]
			var handle string
			if !d.line(h, &handle) {
				return false
			}
			handle = strings.TrimPrefix(handle, "@")
			if _, twice := m.Handles[h.key]; twice {
				d.add(codeTwice, finding.Error, h.rng, fmt.Sprintf("%q has two handles for %q", q.key, h.key), "remove one of them")
				return false
			}
			if !isName(h.key) || handle == "" || strings.ContainsAny(handle, " \t\n") && !namesID(handle) {
				return d.bad(h.place(), fmt.Sprintf("%s is not a handle for %s", quote(handle), quote(h.key)), "write platform: handle, without blanks, or platform: \"Name (id)\"")
			}
			m.Handles[h.key] = handle
		}
		list = append(list, m)
	}
	d.f.Mentions = list
	return true
}

// namesID reports whether a handle is a name and an id, as networks need both that link names: "Acme Corp (urn:li:organization:123)".
func namesID(handle string) bool {
	at := strings.LastIndex(handle, " (")
	if at <= 0 || strings.ContainsAny(handle, "\t\n") {
		return false
	}
	id, closed := strings.CutSuffix(handle[at+2:], ")")
	return closed && id != "" && !strings.ContainsAny(id, " )")
}

func (d *decoder) repeat(p *pair) bool {
	var rule string
	if !d.line(p, &rule) {
		return false
	}
	rule = strings.TrimPrefix(rule, "RRULE:")
	if rule != "" {
		upper := strings.ToUpper(rule)
		option, err := rrule.StrToROption(rule)
		switch {
		case err == nil && option.Freq > rrule.DAILY:
			err = fmt.Errorf("more often than daily is more than anybody wants to read")
		case err == nil && strings.Contains(upper, "DTSTART"):
			err = fmt.Errorf("it has a start of its own, which is the post's publish_at")
		case err == nil && !strings.Contains(upper, "FREQ="):
			err = fmt.Errorf("FREQ is missing")
		}
		if err != nil {
			d.add(codeRepeat, finding.Error, p.place(), fmt.Sprintf("repeat is not a recurrence rule: %s (%v)", quote(rule), err), "write one like FREQ=WEEKLY;BYDAY=MO;COUNT=4")
			return false
		}
	}
	d.f.Repeat = rule
	return true
}

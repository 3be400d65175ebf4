package measure

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// The classes of characters that the URL rules of twitter-text tell apart.
const (
	inDomain = 1 << iota
	inPath
	endsPath
	inQuery
	endsQuery
)

// urlRules says how a network that builds on twitter-text finds URLs. The search is the same for X and
// Mastodon, the characters are not.
type urlRules struct {
	// ascii has the classes of each ASCII character, other decides for the rest.
	ascii [utf8.RuneSelf]uint8
	other func(r rune, class uint8) bool
	// schemes are the accepted ones in lower case.
	schemes []string
	// bare tells that URLs without a scheme count.
	bare bool
	// parens, when set, are the rules for parentheses that may end a path; nil means these rules.
	parens *urlRules
	// tcoQuery tells that a t.co URL keeps its query.
	tcoQuery bool
}

// urlMatch is a URL that was found, with offsets into the text.
type urlMatch struct {
	start, end int
	scheme     bool
}

const (
	maxURLLength   = 4096 // UTF-16 units
	maxTCoSlug     = 40
	maxDomainLabel = 63
)

const asciiAlnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func asciiClasses(notDomain, path, pathEnd, query, queryEnd string) (classes [utf8.RuneSelf]uint8) {
	for i := range classes {
		classes[i] = inDomain
	}
	for i := 0; i < len(notDomain); i++ {
		classes[notDomain[i]] &^= inDomain
	}
	for _, set := range []struct {
		chars string
		class uint8
	}{{path, inPath}, {pathEnd, endsPath}, {query, inQuery}, {queryEnd, endsQuery}} {
		for i := 0; i < len(set.chars); i++ {
			classes[set.chars[i]] |= set.class
		}
	}
	return classes
}

// twitterPunct is the punctuation that no domain has.
const twitterPunct = `!'#%&()*+,\-./:;<=>?@[]^_{|}~$`

// xURLs are the rules of twitter-text 3.1 for JavaScript (js/src/regexp), which the conformance
// vectors describe. Two oddities are left to it and decided as the Java and Ruby versions do: an astral
// character is never taken for two, and a label that begins with "xn--" must be ASCII.
var xURLs = urlRules{
	ascii: asciiClasses(
		twitterPunct+" \t\n\v\f\r",
		asciiAlnum+`!*';:=+,.$/%#[]-_~@|&`,
		asciiAlnum+`+-=_#/`,
		asciiAlnum+`!?*'@();:&=+$/%#[]-_.,~|`,
		asciiAlnum+`-_&=#/`,
	),
	other: func(r rune, class uint8) bool {
		switch class {
		case inDomain:
			return !isTwitterSpace(r) && !isTwitterInvalid(r) && !isDirectional(r)
		case inPath:
			return r == '–' || isCyrillic(r) || isLatinAccent(r)
		case endsPath:
			return isCyrillic(r) || isLatinAccent(r)
		}
		return false
	},
	schemes:  []string{"http", "https"},
	bare:     true,
	tcoQuery: true,
}

func (u *urlRules) is(r rune, class uint8) bool {
	if r < utf8.RuneSelf {
		return u.ascii[r]&class != 0
	}
	return u.other(r, class)
}

func isTwitterInvalid(r rune) bool { return r == 0xFFFE || r == 0xFEFF || r == 0xFFFF }

func isDirectional(r rune) bool {
	return 0x202A <= r && r <= 0x202E || r == 0x061C || r == 0x200E || r == 0x200F || 0x2066 <= r && r <= 0x2069
}

func isTwitterSpace(r rune) bool {
	return isJSSpace(r) && r != 0xFEFF || r == 0x85 || r == 0x180E
}

func isCyrillic(r rune) bool { return 0x400 <= r && r <= 0x4FF }

func isLatinAccent(r rune) bool {
	switch {
	case r < 0xC0:
		return false
	case r <= 0x24F:
		return r != 0xD7 && r != 0xF7
	case r <= 0x2BB:
		switch r {
		case 0x253, 0x254, 0x256, 0x257, 0x259, 0x25B, 0x263, 0x268, 0x26F, 0x272, 0x289, 0x28B, 0x2BB:
			return true
		}
		return false
	}
	return 0x300 <= r && r <= 0x36F || 0x1E00 <= r && r <= 0x1EFF
}

// mayPrecedeURL reports whether a URL may begin after r.
func mayPrecedeURL(r rune) bool {
	if r < utf8.RuneSelf {
		return !isAlnum(byte(r)) && r != '@' && r != '$' && r != '#'
	}
	return r != '＠' && r != '＃' && !isTwitterInvalid(r)
}

// inRun reports whether r may occur between the first character of a domain and its last.
func (u *urlRules) inRun(r rune) bool {
	return r == '.' || r == '-' || r == '_' || u.is(r, inDomain)
}

// find appends the URLs of text to dst, in order.
//
// It does what a regular expression does that is tried at every position and goes on behind each match.
// A domain needs a dot, so the search goes from dot to dot, and looks at the run of characters around
// each that a domain may have.
func (u *urlRules) find(dst []urlMatch, text string) []urlMatch {
	last := 0 // end of the match before: nothing before it takes part any more
	for from := 0; ; {
		dot := strings.IndexByte(text[from:], '.')
		if dot < 0 {
			return dst
		}
		dot += from
		from = dot + 1
		if next, _ := utf8.DecodeRuneInString(text[dot+1:]); dot+1 == len(text) || !u.is(next, inDomain) {
			continue // the end of a sentence
		}
		run := domainRun{u: u, text: text, from: last}
		run.around(dot)
		from = run.end
		for run.start < run.end {
			m, ok := run.match()
			if !ok {
				break
			}
			last = u.tail(text, m.domainEnd)
			from = max(from, last)
			dst = u.accept(dst, text, m, last)
			run.cut(last)
		}
	}
}

// label is a part of a run that ends with a dot.
type label struct {
	start, dot int
	valid      bool // begins and ends as a domain's label must
	// tldEnd is the end of a domain whose last dot is this one, or -1.
	tldEnd int
	// best is the last label with a tldEnd that can be reached from here through valid labels, or -1.
	best int
}

// domainRun is a run of characters that may belong to a domain, cut at its dots.
type domainRun struct {
	u          *urlRules
	text       string
	from       int // the first byte that may take part, also in front of the run
	start, end int
	labels     []label
}

// candidate is a domain that was found, with the scheme in front of it, if any.
type candidate struct {
	start, domainStart, domainEnd int
}

// around makes d the run with the dot at the given offset.
func (d *domainRun) around(dot int) {
	u, text := d.u, d.text
	d.start = dot
	for d.start > d.from {
		r, n := utf8.DecodeLastRuneInString(text[d.from:d.start])
		if !u.inRun(r) {
			break
		}
		d.start -= n
	}
	start := d.start
	d.end = d.start
	for d.end < len(text) {
		r, n := utf8.DecodeRuneInString(text[d.end:])
		if !u.inRun(r) {
			break
		}
		if r == '.' {
			d.labels = append(d.labels, label{start: start, dot: d.end, tldEnd: -1, best: -1})
			start = d.end + 1
		}
		d.end += n
	}
	for i := len(d.labels) - 1; i >= 0; i-- {
		l := &d.labels[i]
		l.valid = u.isLabel(text[l.start:l.dot])
		if u.endsLabel(text[l.start:l.dot]) {
			l.tldEnd = twitterTLD(text, l.dot+1)
		}
		if i+1 < len(d.labels) && d.labels[i+1].valid {
			l.best = d.labels[i+1].best
		}
		if l.best < 0 && l.tldEnd >= 0 && strings.IndexByte(text[l.start:l.dot], '_') < 0 {
			l.best = i
		}
	}
}

// cut leaves of the run what begins at i.
func (d *domainRun) cut(i int) {
	d.from, d.start = i, i
	for len(d.labels) > 0 && d.labels[0].dot < i {
		d.labels = d.labels[1:]
	}
	// What d.labels has on the first label is no longer true of its rest, but nobody asks.
}

func (u *urlRules) isLabel(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && u.is(r, inDomain) && u.endsLabel(s)
}

func (u *urlRules) endsLabel(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && u.is(r, inDomain)
}

// match returns the first candidate of the run.
func (d *domainRun) match() (candidate, bool) {
	if start := d.schemeStart(); start >= 0 {
		if end := d.domain(d.start, 0); end >= 0 {
			return candidate{start, d.start, end}, true
		}
	}
	labels := d.labels
	for s := d.start; s < d.end && len(labels) > 0; {
		r, n := utf8.DecodeRuneInString(d.text[s:])
		if s > labels[0].dot {
			labels = labels[1:]
			continue
		}
		k := len(d.labels) - len(labels)
		if s == 0 {
			// The character in front of a URL is looked for before its absence is.
			if mayPrecedeURL(r) {
				k := k
				if n > labels[0].dot {
					k++
				}
				if end := d.domain(n, k); end >= 0 {
					return candidate{n, n, end}, true
				}
			}
			if end := d.domain(0, k); end >= 0 {
				return candidate{0, 0, end}, true
			}
		} else if d.preceded(s) {
			if end := d.domain(s, k); end >= 0 {
				return candidate{s, s, end}, true
			}
		}
		s += n
	}
	return candidate{}, false
}

// schemeStart returns the start of the scheme in front of the run, or -1.
func (d *domainRun) schemeStart() int {
	head := d.text[d.from:d.start]
	if !strings.HasSuffix(head, "://") {
		return -1
	}
	colon := d.start - len("://")
	for _, scheme := range d.u.schemes {
		start := colon - len(scheme)
		if start >= d.from && hasPrefixFold(d.text[start:colon], scheme) && (start == 0 || d.preceded(start)) {
			return start
		}
	}
	return -1
}

// preceded reports whether a character in front of s, still free to be used, lets a URL begin at s.
func (d *domainRun) preceded(s int) bool {
	r, n := utf8.DecodeLastRuneInString(d.text[d.from:s])
	return n > 0 && mayPrecedeURL(r)
}

// domain returns the end of the longest domain that begins at s, within label k, or -1.
func (d *domainRun) domain(s, k int) int {
	if k >= len(d.labels) {
		return -1
	}
	l := d.labels[k]
	if !d.u.isLabel(d.text[s:l.dot]) {
		return -1
	}
	if k+1 < len(d.labels) && d.labels[k+1].valid {
		if best := d.labels[k+1].best; best >= 0 {
			return d.labels[best].tldEnd
		}
	}
	if l.tldEnd < 0 || strings.IndexByte(d.text[s:l.dot], '_') >= 0 {
		return -1
	}
	return l.tldEnd
}

// tail returns the end of a URL whose domain ends at i: port, path and query are added to it.
func (u *urlRules) tail(text string, i int) int {
	if i+1 < len(text) && text[i] == ':' && isDigit(text[i+1]) {
		i += 2
		for i < len(text) && isDigit(text[i]) {
			i++
		}
	}
	if i < len(text) && text[i] == '/' {
		i = u.path(text, i+1)
	}
	return u.query(text, i)
}

// path returns the end of a path that began before i.
func (u *urlRules) path(text string, i int) int {
	end := i
	parens := u.parens
	if parens == nil {
		parens = u
	}
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == '(' {
			closed := u.balanced(text, i)
			if closed < 0 {
				break
			}
			if parens == u || parens.balanced(text, i) == closed {
				end = closed
			}
			i = closed
			continue
		}
		if !u.is(r, inPath) {
			break
		}
		i += n
		if u.is(r, endsPath) {
			end = i
		}
	}
	return end
}

// balanced returns the end of the parenthesis that opens at i, with at most one more inside, or -1.
func (u *urlRules) balanced(text string, i int) int {
	depth, inner, nested := 0, 0, false
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		switch {
		case r == '(':
			if depth == 2 || nested {
				return -1
			}
			depth++
			nested = depth == 2
			if nested {
				inner = 0
			}
		case r == ')':
			if inner == 0 {
				return -1
			}
			depth--
			if depth == 0 {
				return i
			}
		case u.is(r, inPath):
			inner++
		default:
			return -1
		}
	}
	return -1
}

// query returns the end of the query that begins at i, or i.
func (u *urlRules) query(text string, i int) int {
	end := i
	if i < len(text) && text[i] == '?' {
		for i++; i < len(text); {
			r, n := utf8.DecodeRuneInString(text[i:])
			if !u.is(r, inQuery) {
				break
			}
			i += n
			if u.is(r, endsQuery) {
				end = i
			}
		}
	}
	return end
}

// accept appends what of the match c, which ends at end, is a URL to the network.
func (u *urlRules) accept(dst []urlMatch, text string, c candidate, end int) []urlMatch {
	domain := text[c.domainStart:c.domainEnd]
	prefix := len("https://")
	if c.domainStart > c.start {
		prefix = c.domainStart - c.start
	}
	if CountUTF16(text[c.start:end])+prefix > maxURLLength || !u.isResolvable(domain) {
		return dst
	}
	if c.domainStart > c.start {
		if host := text[c.start:end]; hasPrefixFold(host, "https://t.co/") || hasPrefixFold(host, "http://t.co/") {
			slug := c.domainEnd + 1
			i := slug
			for i < end && isAlnum(text[i]) {
				i++
			}
			if i-slug > maxTCoSlug {
				return dst
			}
			if i > slug {
				end = i
				if u.tcoQuery {
					end = u.query(text, i)
				}
			}
		}
		return append(dst, urlMatch{c.start, end, true})
	}
	if !u.bare {
		return dst
	}
	if c.start > 0 {
		switch text[c.start-1] {
		case '-', '_', '.', '/':
			return dst
		}
	}
	first := len(dst)
	for at := c.start; at < c.domainEnd; {
		var m urlMatch
		if m, at = nextASCIIDomain(text[:c.domainEnd], at); m.end > 0 {
			dst = append(dst, m)
		}
	}
	// The path belongs to the last of the names found.
	pathStart := c.domainEnd
	if pathStart < end && text[pathStart] == ':' {
		for pathStart++; pathStart < end && isDigit(text[pathStart]); pathStart++ {
		}
	}
	if len(dst) > first && pathStart < end && text[pathStart] == '/' {
		dst[len(dst)-1].end = end
	}
	return dst
}

// nextASCIIDomain finds the next domain at or after i whose labels are ASCII or accented Latin: only
// such a domain is a URL without a scheme. It returns where to go on as well.
func nextASCIIDomain(text string, i int) (urlMatch, int) {
	var dots [32]int
	for i < len(text) {
		found := dots[:0]
		j := i
		for {
			labelStart := j
			for j < len(text) {
				r, n := utf8.DecodeRuneInString(text[j:])
				if r != '-' && (r >= utf8.RuneSelf || !isAlnum(byte(r))) && !isLatinAccent(r) {
					break
				}
				j += n
			}
			if j == labelStart || j >= len(text) || text[j] != '.' {
				break
			}
			found = append(found, j)
			j++
		}
		for k := len(found) - 1; k >= 0; k-- {
			if end := twitterTLD(text, found[k]+1); end >= 0 {
				return urlMatch{i, end, false}, end
			}
		}
		if j < len(text) {
			_, n := utf8.DecodeRuneInString(text[j:])
			j += n
		}
		i = j
	}
	return urlMatch{}, i
}

// isResolvable reports whether the labels of domain fit the DNS once they are encoded.
func (u *urlRules) isResolvable(domain string) bool {
	if strings.HasPrefix(domain, "xn--") && !isASCII(domain) {
		if m, _ := nextASCIIDomain(domain, 0); m.end == 0 {
			return false
		}
	}
	for label := range strings.SplitSeq(domain, ".") {
		n := len(label)
		if !isASCII(label) {
			encoded, err := idna.Punycode.ToASCII(label)
			if err != nil {
				return false
			}
			n = len(encoded)
		}
		if n < 1 || n > maxDomainLabel {
			return false
		}
	}
	return true
}

// isHashtagLetter reports whether twitter-text takes r for a letter or mark of a hashtag.
func isHashtagLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return isLetter(byte(r))
	}
	return unicode.In(r, unicode.L, unicode.M)
}

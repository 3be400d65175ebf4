// Package utm adds UTM parameters to links, by which web analytics tell where readers come from.
//
// Nothing but such parameters is ever added or taken away: the rest of an address, its order and its fragment stay byte for
// byte. A parameter that an address has already is never added again, so that adding twice is adding once.
package utm

import (
	"net/url"
	"slices"
	"strings"
)

const prefix = "utm_"

// Names returns the parameters that analytics know, without "utm_", in the order in which they are added.
// https://support.google.com/analytics/answer/10917952 (2026-11-22)
func Names() []string { return []string{"source", "medium", "campaign", "term", "content", "id"} }

// Placeholders returns the names that stand in braces in the values of a rule.
func Placeholders() []string { return []string{"account", "campaign", "platform", "post"} }

// Rule says what is added to which links.
type Rule struct {
	Params map[string]string // by their names without "utm_"; in the values, placeholders in braces. An empty one is not added
	Hosts  []string          // links to these hosts and those below them; nil or empty: to all
}

// Over returns the rule with what other says replaced, parameter by parameter; hosts are replaced as a whole, also by an
// empty list that is not nil. Neither rule is changed.
func (r Rule) Over(other Rule) Rule {
	if len(other.Params) == 0 && other.Hosts == nil {
		return r
	}
	out := Rule{Params: make(map[string]string, len(r.Params)+len(other.Params)), Hosts: r.Hosts}
	for _, from := range [...]map[string]string{r.Params, other.Params} {
		for name, value := range from {
			out.Params[name] = value
		}
	}
	if other.Hosts != nil {
		out.Hosts = other.Hosts
	}
	return out
}

// Names reports whether a value of the rule has a placeholder.
func (r Rule) Names(placeholder string) bool {
	for _, value := range r.Params {
		if strings.Contains(value, "{"+placeholder+"}") {
			return true
		}
	}
	return false
}

// Tags is a rule with its placeholders filled, for the links of one post on one account. The zero Tags adds nothing.
type Tags struct {
	pairs []pair
	hosts []string
}

type pair struct{ name, text string } // "utm_source", "utm_source=mastodon"

// Fill returns the tags for a post. A parameter with a placeholder that is empty, such as the campaign of a post without
// one, is left out.
func (r Rule) Fill(values map[string]string) Tags {
	t := Tags{hosts: r.Hosts}
	for _, name := range Names() {
		value, complete := r.Params[name], true
		for _, p := range Placeholders() {
			if field := "{" + p + "}"; strings.Contains(value, field) {
				complete = complete && values[p] != ""
			}
		}
		if value == "" || !complete {
			continue
		}
		value = strings.NewReplacer("{account}", values["account"], "{campaign}", values["campaign"], "{platform}", values["platform"], "{post}", values["post"]).Replace(value)
		t.pairs = append(t.pairs, pair{prefix + name, prefix + name + "=" + escape(value)})
	}
	return t
}

// Empty reports whether nothing is ever added.
func (t Tags) Empty() bool { return len(t.pairs) == 0 }

// Add returns an address with the parameters that it lacks. What is no web address, or one of a host that the rule leaves out, is
// returned as it is.
func (t Tags) Add(address string) string {
	at, more := t.insertion(address)
	return address[:at] + more + address[at:]
}

// insertion returns what an address lacks, and where it belongs: behind the query, before the fragment.
func (t Tags) insertion(address string) (at int, more string) {
	name, ok := host(address)
	if !ok || !t.covers(name) {
		return 0, ""
	}
	at = len(address)
	if i := strings.IndexByte(address, '#'); i >= 0 {
		at = i
	}
	_, query, asked := strings.Cut(address[:at], "?")
	var b strings.Builder
	for _, p := range t.pairs {
		if has(query, p.name) {
			continue
		}
		switch {
		case b.Len() > 0:
			b.WriteByte('&')
		case !asked:
			b.WriteByte('?')
		case query != "" && !strings.HasSuffix(query, "&"):
			b.WriteByte('&')
		}
		b.WriteString(p.text)
	}
	return at, b.String()
}

func (t Tags) covers(name string) bool {
	return len(t.hosts) == 0 || slices.ContainsFunc(t.hosts, func(h string) bool {
		above, ok := cutSuffixFold(name, h)
		return ok && (above == "" || above[len(above)-1] == '.')
	})
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if i := len(s) - len(suffix); i >= 0 && strings.EqualFold(s[i:], suffix) {
		return s[:i], true
	}
	return s, false
}

// Strip returns a text with the UTM parameters of all addresses in it taken away, to compare what was said.
func Strip(text string) string {
	if !mayHave(text) {
		return text
	}
	var b strings.Builder
	done := 0
	for _, a := range Addresses(text) {
		b.WriteString(text[done:a.Start])
		b.WriteString(without(text[a.Start:a.End]))
		done = a.End
	}
	return b.String() + text[done:]
}

// Without returns an address without UTM parameters.
func Without(address string) string {
	if _, ok := host(address); !ok || !mayHave(address) {
		return address
	}
	return without(address)
}

// mayHave is a quick look that spares most texts a thorough one.
func mayHave(text string) bool {
	for i := strings.IndexByte(text, '_'); i >= 0; {
		if i >= 3 && strings.EqualFold(text[i-3:i], "utm") {
			return true
		}
		next := strings.IndexByte(text[i+1:], '_')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return false
}

func without(address string) string {
	end := len(address)
	if i := strings.IndexByte(address, '#'); i >= 0 {
		end = i
	}
	base, query, ok := strings.Cut(address[:end], "?")
	if !ok {
		return address
	}
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(p string) bool {
		return len(nameOf(p)) > len(prefix) && strings.EqualFold(nameOf(p)[:len(prefix)], prefix)
	})
	if len(kept) == 0 {
		return base + address[end:]
	}
	return base + "?" + strings.Join(kept, "&") + address[end:]
}

// has reports whether a query has a parameter, however it is spelled.
func has(query, name string) bool {
	for p := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == '&' || r == ';' }) {
		if strings.EqualFold(nameOf(p), name) {
			return true
		}
	}
	return false
}

func nameOf(param string) string {
	name, _, _ := strings.Cut(param, "=")
	if plain, err := url.QueryUnescape(name); err == nil {
		return plain
	}
	return name
}

// host returns the name of a web address's host, without port. An address with a user name has none for us: whoever writes
// one wants it untouched.
func host(address string) (string, bool) {
	rest, ok := cutScheme(address)
	if !ok {
		return "", false
	}
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		rest = rest[:i]
	}
	if strings.Contains(rest, "@") {
		return "", false
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		rest = rest[:i]
	}
	rest = strings.TrimSuffix(rest, ".")
	return rest, rest != ""
}

func cutScheme(address string) (string, bool) {
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(address) >= len(scheme) && strings.EqualFold(address[:len(scheme)], scheme) {
			return address[len(scheme):], true
		}
	}
	return "", false
}

// escape returns a value as it stands in a query. It escapes more than it must, so that no network takes the end of the value for
// the punctuation behind an address.
func escape(value string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(value) {
		c := value[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.' && i < len(value)-1:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

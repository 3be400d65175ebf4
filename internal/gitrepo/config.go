package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// config is git configuration in reading order: later entries win.
type config []configEntry

// configEntry is one setting. Its key is "section.name" or "section.Sub.Section.name", lower-case but
// for the subsection. A key without "=" has the value "true", as git reads it.
type configEntry struct{ key, value string }

// sub returns the subsection of the key, "" when it has none.
func (e configEntry) sub() string {
	i, j := strings.IndexByte(e.key, '.'), strings.LastIndexByte(e.key, '.')
	if i < 0 || i == j {
		return ""
	}
	return e.key[i+1 : j]
}

func (c config) get(key string) string {
	v, _ := c.lookup(key)
	return v
}

func (c config) lookup(key string) (string, bool) {
	for i := len(c) - 1; i >= 0; i-- {
		if c[i].key == key {
			return c[i].value, true
		}
	}
	return "", false
}

func (c config) getBool(key string, def bool) bool {
	if v, ok := c.lookup(key); ok {
		return isTrue(v)
	}
	return def
}

func isTrue(v string) bool {
	switch strings.ToLower(v) {
	case "", "false", "no", "off", "0":
		return false
	}
	return true
}

// config returns everything git would read: system, global and repository files with their
// includes, and the environment. It is read once, when it is first needed.
func (r *Repo) config(ctx context.Context) (config, error) {
	r.settingsOnce.Do(func() {
		if r.git != nil {
			var out []byte
			if out, r.settingsErr = r.git.output(ctx, nil, "config", "--list", "-z"); r.settingsErr == nil {
				r.settings = parseConfigList(out)
				return
			}
			if ctx.Err() != nil { // do not remember a cancelled read as the truth
				r.settings = r.layout.local
				return
			}
		}
		r.settings, r.settingsErr = r.nativeConfig()
	})
	return r.settings, r.settingsErr
}

// parseConfigList reads the output of git config --list -z.
func parseConfigList(out []byte) config {
	var c config
	for rec := range bytes.SplitSeq(out, []byte{0}) {
		if len(rec) == 0 {
			continue
		}
		k, v, ok := strings.Cut(string(rec), "\n")
		if !ok {
			v = "true"
		}
		c = append(c, configEntry{k, v})
	}
	return c
}

// nativeConfig reads the files that git reads, without git.
func (r *Repo) nativeConfig() (config, error) {
	env := r.opts.Env
	var files []string
	if env("GIT_CONFIG_NOSYSTEM") == "" {
		f := env("GIT_CONFIG_SYSTEM")
		if f == "" {
			f = "/etc/gitconfig"
		}
		files = append(files, f)
	}
	home := env("HOME")
	if g := env("GIT_CONFIG_GLOBAL"); g != "" {
		files = append(files, g)
	} else if home != "" {
		xdg := env("XDG_CONFIG_HOME")
		if xdg == "" {
			xdg = filepath.Join(home, ".config")
		}
		files = append(files, filepath.Join(xdg, "git", "config"), filepath.Join(home, ".gitconfig"))
	}
	var all config
	inc := includes{gitDir: r.layout.gitDir, home: home}
	for _, f := range files {
		c, err := readConfigFile(f, inc)
		if err != nil {
			return r.layout.local, err
		}
		all = append(all, c...)
	}
	local, err := readConfigFile(filepath.Join(r.layout.commonDir, "config"), inc)
	if err != nil {
		return r.layout.local, err
	}
	all = append(all, local...)
	if all.getBool("extensions.worktreeconfig", false) {
		c, err := readConfigFile(filepath.Join(r.layout.gitDir, "config.worktree"), inc)
		if err != nil {
			return r.layout.local, err
		}
		all = append(all, c...)
	}
	return all, nil
}

// includes is what decides about include.path and includeIf.<condition>.path.
type includes struct {
	gitDir, home string
	depth        int
}

// maxIncludes is git's own limit on nested includes.
const maxIncludes = 10

// readConfigFile reads one file with what it includes. A file that does not exist is empty.
func readConfigFile(file string, inc includes) (config, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("git configuration: %w", err)
	}
	entries, err := parseConfig(b)
	if err != nil {
		return nil, fmt.Errorf("git configuration %q: %w", file, err)
	}
	var out config
	for _, e := range entries {
		out = append(out, e)
		take := e.key == "include.path"
		if cond, ok := strings.CutPrefix(e.key, "includeif."); ok {
			cond, isPath := strings.CutSuffix(cond, ".path")
			take = isPath && inc.matches(cond, filepath.Dir(file))
		}
		if !take || inc.depth >= maxIncludes {
			continue
		}
		next := inc
		next.depth++
		sub, err := readConfigFile(inc.expand(e.value, filepath.Dir(file)), next)
		if err != nil {
			return nil, err
		}
		out = append(out, sub...)
	}
	return out, nil
}

func (inc includes) expand(p, base string) string {
	if rest, ok := strings.CutPrefix(p, "~/"); ok && inc.home != "" {
		return filepath.Join(inc.home, rest)
	}
	if !filepath.IsAbs(p) {
		return filepath.Join(base, p)
	}
	return p
}

// matches decides an includeIf condition. Only gitdir conditions are known; others do not hold.
func (inc includes) matches(cond, base string) bool {
	pattern, ok := strings.CutPrefix(cond, "gitdir:")
	dir := filepath.ToSlash(inc.gitDir)
	if !ok {
		if pattern, ok = strings.CutPrefix(cond, "gitdir/i:"); !ok {
			return false
		}
		pattern, dir = strings.ToLower(pattern), strings.ToLower(dir)
	}
	switch {
	case strings.HasPrefix(pattern, "~/"):
		pattern = filepath.ToSlash(inc.home) + pattern[1:]
	case strings.HasPrefix(pattern, "./"):
		pattern = filepath.ToSlash(base) + pattern[1:]
	case !strings.HasPrefix(pattern, "/"):
		pattern = "**/" + pattern
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	return globMatch(strings.Split(pattern, "/"), strings.Split(dir, "/"))
}

// globMatch matches path elements, where "**" stands for any number of them.
func globMatch(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for len(pattern) > 0 && pattern[0] == "**" { // a run of them is as good as one
				pattern = pattern[1:]
			}
			if len(pattern) == 0 {
				return true
			}
			for i := range name {
				if globMatch(pattern, name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

// parseConfig reads the text of one configuration file (https://git-scm.com/docs/git-config#_syntax,
// checked 2026-11-21).
func parseConfig(b []byte) (config, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	p := configParser{text: strings.ReplaceAll(string(b), "\r\n", "\n"), line: 1}
	return p.parse()
}

type configParser struct {
	text    string
	pos     int
	line    int
	section string
}

func (p *configParser) next() (byte, bool) {
	if p.pos >= len(p.text) {
		return 0, false
	}
	c := p.text[p.pos]
	p.pos++
	if c == '\n' {
		p.line++
	}
	return c, true
}

func (p *configParser) fail(what string) error { return fmt.Errorf("line %d: %s", p.line, what) }

func (p *configParser) parse() (config, error) {
	var out config
	for {
		c, ok := p.next()
		switch {
		case !ok:
			return out, nil
		case c == ' ' || c == '\t' || c == '\n':
		case c == '#' || c == ';':
			p.skipLine()
		case c == '[':
			if err := p.readSection(); err != nil {
				return nil, err
			}
		case isAlpha(c):
			if p.section == "" {
				return nil, p.fail("setting outside a section")
			}
			p.pos--
			e, err := p.readEntry()
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		default:
			return nil, p.fail(fmt.Sprintf("unexpected %q", c))
		}
	}
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isKey(c byte) bool   { return isAlpha(c) || '0' <= c && c <= '9' || c == '-' }

func (p *configParser) skipLine() {
	for {
		if c, ok := p.next(); !ok || c == '\n' {
			return
		}
	}
}

func (p *configParser) readSection() error {
	start := p.pos
	for p.pos < len(p.text) && (isKey(p.text[p.pos]) || p.text[p.pos] == '.') {
		p.pos++
	}
	name := strings.ToLower(p.text[start:p.pos])
	if name == "" {
		return p.fail("section without a name")
	}
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
	c, ok := p.next()
	if ok && c == '"' {
		var sub strings.Builder
		for {
			c, ok = p.next()
			if ok && c == '\\' {
				if c, ok = p.next(); ok && c != '\n' {
					sub.WriteByte(c)
					continue
				}
			}
			if !ok || c == '\n' {
				return p.fail("section name is not closed")
			}
			if c == '"' {
				break
			}
			sub.WriteByte(c)
		}
		name += "." + sub.String()
		c, ok = p.next()
	}
	if !ok || c != ']' {
		return p.fail("section is not closed")
	}
	p.section = name
	return nil
}

func (p *configParser) readEntry() (configEntry, error) {
	start := p.pos
	for p.pos < len(p.text) && isKey(p.text[p.pos]) {
		p.pos++
	}
	e := configEntry{key: p.section + "." + strings.ToLower(p.text[start:p.pos]), value: "true"}
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
	c, ok := p.next()
	switch {
	case !ok || c == '\n':
		return e, nil
	case c == '#' || c == ';':
		p.skipLine()
		return e, nil
	case c != '=':
		return e, p.fail(fmt.Sprintf("unexpected %q after %q", c, e.key))
	}
	v, err := p.readValue()
	e.value = v
	return e, err
}

func (p *configParser) readValue() (string, error) {
	var out strings.Builder
	quoted, keep := false, 0 // keep: length without trailing unquoted white space
	for {
		c, ok := p.next()
		switch {
		case !ok || c == '\n':
			if quoted {
				return "", p.fail("quote is not closed")
			}
			return out.String()[:keep], nil
		case c == '"':
			quoted = !quoted
			keep = out.Len()
		case !quoted && (c == '#' || c == ';'):
			p.skipLine()
			return out.String()[:keep], nil
		case !quoted && (c == ' ' || c == '\t'):
			if out.Len() > 0 {
				out.WriteByte(c)
			}
		case c == '\\':
			c, ok = p.next()
			switch {
			case !ok:
				return "", p.fail("backslash at the end")
			case c == '\n': // the value goes on in the next line
				continue
			case c == 'n':
				c = '\n'
			case c == 't':
				c = '\t'
			case c == 'b':
				c = '\b'
			case c != '"' && c != '\\':
				return "", p.fail(fmt.Sprintf("unknown escape %q", c))
			}
			out.WriteByte(c)
			keep = out.Len()
		default:
			out.WriteByte(c)
			keep = out.Len()
		}
	}
}

// httpHeaders returns the extra headers that git would send to u: those of http.extraheader and of
// every http.<url>.extraheader that matches, where an empty value forgets the ones before it and an
// entry for a less specific URL than one already seen is ignored, as git does.
func (c config) httpHeaders(u *url.URL) []string {
	var out []string
	best := -1
	for _, e := range c {
		if e.key != "http."+e.sub()+".extraheader" && e.key != "http.extraheader" {
			continue
		}
		score := urlMatch(e.sub(), u)
		if score < 0 || score < best {
			continue
		}
		best = score
		if e.value == "" {
			out = nil
			continue
		}
		out = append(out, e.value)
	}
	return out
}

// httpSetting reports whether http.<name> or a matching http.<url>.<name> is set to something.
func (c config) httpSetting(u *url.URL, name string) bool {
	for _, e := range c {
		if (e.key == "http."+name || e.key == "http."+e.sub()+"."+name) && e.value != "" && urlMatch(e.sub(), u) >= 0 {
			return true
		}
	}
	return false
}

// urlMatch tells how specific a pattern of http.<pattern>.* is for u: -1 when it does not apply, 0
// for the empty pattern, more for a longer host, path or a user.
func urlMatch(pattern string, u *url.URL) int {
	if pattern == "" {
		return 0
	}
	p, err := url.Parse(pattern)
	if err != nil || !strings.EqualFold(p.Scheme, u.Scheme) || portOf(p) != portOf(u) {
		return -1
	}
	ph, uh := strings.Split(strings.ToLower(p.Hostname()), "."), strings.Split(strings.ToLower(u.Hostname()), ".")
	if len(ph) != len(uh) {
		return -1
	}
	for i := range ph {
		if ph[i] != "*" && ph[i] != uh[i] {
			return -1
		}
	}
	pp := strings.TrimSuffix(p.Path, "/")
	if u.Path != pp && !strings.HasPrefix(u.Path, pp+"/") {
		return -1
	}
	score := 1 + 4*len(strings.ReplaceAll(p.Hostname(), "*", "")) + 1024*len(pp)
	if p.User != nil {
		if u.User == nil || u.User.Username() != p.User.Username() {
			return -1
		}
		score += 2
	}
	return score
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	switch strings.ToLower(u.Scheme) {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// rewriteURL applies url.<base>.insteadOf (and pushInsteadOf when pushing): the longest match wins.
func (c config) rewriteURL(raw string, push bool) string {
	best, base := "", ""
	for _, e := range c {
		b, ok := strings.CutPrefix(e.key, "url.")
		if !ok {
			continue
		}
		name, isPush := ".insteadof", push && strings.HasSuffix(b, ".pushinsteadof")
		if isPush {
			name = ".pushinsteadof"
		}
		b, ok = strings.CutSuffix(b, name)
		if ok && strings.HasPrefix(raw, e.value) && len(e.value) > len(best) {
			best, base = e.value, b
		}
	}
	if best == "" {
		return raw
	}
	return base + raw[len(best):]
}

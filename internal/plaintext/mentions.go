package plaintext

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// text writes a piece of prose, in which the names of `mentions:` become handles.
func (w *writer) text(text string, source post.Span) {
	if len(w.c.v.Mentions) == 0 {
		w.write(text, source)
		return
	}
	exact := source.End-source.Start == len(text)
	sub := func(i, j int) post.Span {
		if exact {
			return post.Span{Start: source.Start + i, End: source.Start + j}
		}
		return source
	}
	done := 0
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '@')
		if i < 0 {
			break
		}
		start := at + i
		at = start + 1
		if before, _ := utf8.DecodeLastRuneInString(text[:start]); isNameRune(before) {
			continue
		}
		m := w.mention(text[at:])
		if m == nil {
			continue
		}
		end := at + len(mentionName(m))
		w.write(text[done:start], sub(done, start))
		w.write(w.handle(m, sub(start, end)), sub(start, end))
		done, at = end, end
	}
	w.write(text[done:], sub(done, len(text)))
}

// mention returns the mention with the longest name that text begins with.
func (w *writer) mention(text string) *post.Mention {
	var found *post.Mention
	for i := range w.c.v.Mentions {
		m := &w.c.v.Mentions[i]
		name := mentionName(m)
		if name == "" || !strings.HasPrefix(text, name) || found != nil && len(name) <= len(mentionName(found)) {
			continue
		}
		if endsName(text[len(name):]) {
			found = m
		}
	}
	return found
}

func mentionName(m *post.Mention) string { return strings.TrimPrefix(m.Name, "@") }

// endsName reports whether a name ends before rest: "@anna." is anna, "@anna.b" and "@anna@server" are not.
func endsName(rest string) bool {
	r, n := utf8.DecodeRuneInString(rest)
	if r == '.' || r == '-' {
		r, _ = utf8.DecodeRuneInString(rest[n:])
		return !isNameRune(r)
	}
	return r != '@' && !isNameRune(r)
}

func isNameRune(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// handle returns what stands for a mention: the handle, or the bare name where the network has none. What
// is not for one network keeps the name as it is.
func (w *writer) handle(m *post.Mention, source post.Span) string {
	handle, _ := m.Handle(w.c.v.Account, w.c.v.Platform)
	if handle = strings.TrimPrefix(strings.TrimSpace(handle), "@"); handle != "" {
		return "@" + handle
	}
	name := mentionName(m)
	if w.c.s.takesAll() {
		return "@" + name
	}
	w.c.add(CodeNoHandle, finding.Warning, w.place(source),
		"`mentions:` has no handle of \""+name+"\" for "+w.c.s.Network+": the name stands there without @",
		"add `"+w.c.v.Platform+": handle` to the mention \""+name+"\"")
	return name
}

package draft

import (
	"bytes"
	"strings"
)

// language is what a front matter is written in.
type language uint8

const (
	noLanguage language = iota // there is no front matter
	langYAML
	langTOML
	langJSON
)

// head is the beginning of a front matter, where a key can always be written.
type head struct {
	lang   language
	at     int    // the offset for the first key; beyond the file when its delimiter is its last line
	inline bool   // right after a brace, before other keys on its line
	first  bool   // there is no other key after it, so no comma
	indent string // before a key on a line of its own
	eol    string // how the file ends its lines
}

// opening finds the front matter of a file as content does; that it is ever closed is for content to say. Without one, at is
// where it would begin.
func opening(src []byte) head {
	h := head{eol: "\n"}
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		h.at = len("\ufeff")
	}
	for { // blank lines before the header change nothing
		end := bytes.IndexByte(src[h.at:], '\n')
		if end < 0 || len(bytes.TrimSpace(src[h.at:h.at+end])) > 0 {
			break
		}
		h.at += end + 1
	}
	line, _, _ := bytes.Cut(src[h.at:], []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		h.eol = "\r\n"
	}
	switch open := string(bytes.TrimRight(line, " \t\r")); {
	case open == "---":
		h.lang = langYAML
		h.at += len(line) + 1
		h.yaml(src)
	case open == "+++":
		h.lang = langTOML
		h.at += len(line) + 1
	case strings.HasPrefix(open, "{"):
		h.lang, h.indent = langJSON, "  "
		h.first = bytes.HasPrefix(bytes.TrimLeft(src[h.at+1:], " \t\r\n"), []byte("}"))
		if h.inline = open != "{"; h.inline {
			h.at++
			break
		}
		h.at += len(line) + 1
		if next := indentOf(src, h.at); next != "" {
			h.indent = next
		}
	}
	return h
}

// yaml looks at the first key: how far it is indented, and whether it stands in braces.
func (h *head) yaml(src []byte) {
	for at := h.at; at < len(src); {
		line, _, _ := bytes.Cut(src[at:], []byte("\n"))
		text := bytes.TrimSpace(line)
		if len(text) == 0 || text[0] == '#' {
			at += len(line) + 1
			continue
		}
		h.indent = indentOf(src, at)
		if text[0] == '{' {
			h.inline = true
			h.at = at + len(h.indent) + 1
			h.first = bytes.HasPrefix(bytes.TrimLeft(src[h.at:], " \t\r\n"), []byte("}"))
		} else if bytes.HasPrefix(text, []byte("---")) || bytes.HasPrefix(text, []byte("...")) {
			h.indent = ""
		}
		return
	}
}

// pair writes a key and its value, which is written as the language wants it.
func (h *head) pair(key, value string) string {
	switch h.lang {
	case langTOML:
		return key + " = " + value
	case langJSON:
		return `"` + key + `": ` + value
	default:
		return key + ": " + value
	}
}

// insert returns src with a key that is the first of its front matter.
func (h *head) insert(src []byte, key, value string) []byte {
	comma := ","
	if h.first || h.lang != langJSON && !h.inline {
		comma = ""
	}
	if h.inline {
		if h.at < len(src) && !bytes.ContainsAny(src[h.at:h.at+1], " \t\r\n}") {
			comma += " "
		}
		return splice(src, h.at, h.at, h.pair(key, value)+comma)
	}
	return splice(src, h.at, h.at, h.indent+h.pair(key, value)+comma+h.eol)
}

// indentOf returns the blanks that the line at an offset begins with.
func indentOf(src []byte, at int) string {
	if at >= len(src) {
		return ""
	}
	return string(src[at : len(src)-len(bytes.TrimLeft(src[at:], " \t"))])
}

// splice returns src with text in place of what stands from start to end.
func splice(src []byte, start, end int, text string) []byte {
	out := make([]byte, 0, len(src)-(end-start)+len(text))
	out = append(out, src[:start]...)
	out = append(out, text...)
	return append(out, src[end:]...)
}

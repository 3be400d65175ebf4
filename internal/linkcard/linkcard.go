// Package linkcard knows what stands on a link card: the file beside a post that holds one (see [File], [Parse] and
// [Format]), and the head of the page from which one is made ([ReadPage]).
//
// The file is what reviewers see and what is sent, so that nothing is read from the web when a post goes out. The package is
// pure: who reads pages is package webpage, who writes files is package draft.
package linkcard

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxBytes bounds the file of a card.
const MaxBytes = 64 << 10

// The longest texts that are taken from a page, in code points. Networks show less; a person may write more.
const (
	MaxTitle       = 300
	MaxDescription = 1000
)

// Card is the file of a link card.
type Card struct {
	URL         string // the page's address
	Title       string
	Description string
	Image       string    // the name of a file beside the card's; "" for none
	ImageAlt    string    // describes the picture; "" where nobody has
	Fetched     time.Time // when the page was read, to the second; zero when a person wrote the card
}

const extension = ".yaml"

// File returns the path of the file that holds a post's card: content/x/card.yaml for content/x/index.md, and
// content/x.card.yaml for content/x.md.
func File(post string) string {
	dir, name := path.Split(post)
	if name = strings.TrimSuffix(name, path.Ext(name)); name == "index" {
		return dir + "card" + extension
	}
	return dir + name + ".card" + extension
}

// IsFile reports whether a path may be that of a card's file.
func IsFile(name string) bool {
	base := path.Base(name)
	return base == "card"+extension || strings.HasSuffix(base, ".card"+extension)
}

// Picture returns the path of a card's picture: that of the card's file with the extension of a MIME type, "" for a type that no
// card has.
func Picture(file, mime string) string {
	if i := slices.IndexFunc(pictures, func(p [2]string) bool { return p[0] == mime }); i >= 0 {
		return strings.TrimSuffix(file, extension) + pictures[i][1]
	}
	return ""
}

// IsPicture reports whether a name is one that [Picture] gives to a picture of the card in file.
func IsPicture(file, name string) bool {
	return slices.ContainsFunc(pictures, func(p [2]string) bool { return Picture(file, p[0]) == name })
}

var pictures = [][2]string{{"image/jpeg", ".jpg"}, {"image/png", ".png"}, {"image/webp", ".webp"}, {"image/gif", ".gif"}}

// Problem is what is wrong with a card's file.
type Problem struct {
	Line    int // from 1
	Message string
	Hint    string
}

// The keys of the file, in its order.
const (
	keyURL         = "url"
	keyTitle       = "title"
	keyDescription = "description"
	keyImage       = "image"
	keyImageAlt    = "image_alt"
	keyFetched     = "fetched"
)

func keys() []string {
	return []string{keyURL, keyTitle, keyDescription, keyImage, keyImageAlt, keyFetched}
}

// Parse reads the file of a card. A card with problems holds what could be read of it, and is not to be used.
func Parse(src []byte) (Card, []Problem) {
	p := parser{}
	if len(src) > MaxBytes {
		return p.card, []Problem{{1, fmt.Sprintf("the file is larger than %d KiB", MaxBytes>>10), "a card is a few lines"}}
	}
	if !utf8.Valid(src) {
		return p.card, []Problem{{1, "the file is not valid UTF-8", "save it as UTF-8"}}
	}
	var doc yaml.Node
	if err := yaml.Load(src, &doc); err != nil {
		return p.card, []Problem{syntax(err)}
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return p.card, []Problem{{1, "the file is no map of " + strings.Join(keys(), ", "), ""}}
	}
	p.read(doc.Content[0])
	return p.card, p.problems
}

// syntax returns what is wrong with a file that is no YAML.
func syntax(err error) Problem {
	line, message := 1, err.Error()
	if le, ok := errors.AsType[*yaml.LoadError](err); ok {
		if message = le.Message; le.Mark.Line > 0 {
			line = le.Mark.Line
		}
	}
	return Problem{line, "it is not valid YAML: " + strings.TrimPrefix(message, "yaml: "), `put quotes around a text that contains ": " or " #"`}
}

type parser struct {
	card     Card
	problems []Problem
}

func (p *parser) add(n *yaml.Node, message, hint string) {
	p.problems = append(p.problems, Problem{max(1, n.Line), message, hint})
}

func (p *parser) read(m *yaml.Node) {
	seen := map[string]int{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		switch was, twice := seen[key.Value]; {
		case !slices.Contains(keys(), key.Value):
			p.add(key, fmt.Sprintf("unknown key %q", key.Value), "the keys are "+strings.Join(keys(), ", "))
			continue
		case twice:
			p.add(key, fmt.Sprintf("%q is set again: line %d has done it", key.Value, was), "keep one of them")
			continue
		case value.Kind != yaml.ScalarNode:
			p.add(value, fmt.Sprintf("%q must be a text", key.Value), "")
			continue
		}
		seen[key.Value] = key.Line
		if value.Tag != "!!null" {
			p.set(key.Value, value)
		}
	}
	for _, need := range [...]struct{ key, value string }{{keyURL, p.card.URL}, {keyTitle, p.card.Title}} {
		if _, set := seen[need.key]; need.value == "" && (!set || len(p.problems) == 0) {
			p.add(m, fmt.Sprintf("the card has no %q", need.key), "write it, or delete the file and run `postrider cards`")
		}
	}
}

func (p *parser) set(key string, n *yaml.Node) {
	text := oneLine(n.Value)
	switch key {
	case keyURL:
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			p.add(n, fmt.Sprintf("%q is no address of the web", text), "write it with https://")
			return
		}
		p.card.URL = text
	case keyTitle:
		p.card.Title = text
	case keyDescription:
		p.card.Description = text
	case keyImage:
		if text == "" {
			return
		}
		if strings.ContainsAny(text, "/\\\x00") || text[0] == '.' {
			p.add(n, fmt.Sprintf("the picture %q does not stand beside the card", text), "put it into the same folder, and write its name alone")
			return
		}
		p.card.Image = text
	case keyImageAlt:
		p.card.ImageAlt = text
	case keyFetched:
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || at.Year() < 1 {
			p.add(n, fmt.Sprintf("%q is no time", text), "write it as 2026-11-22T09:00:00Z")
			return
		}
		p.card.Fetched = at
	}
}

// comment stands at the top of every card that is made.
const comment = `# The link card of the post beside this file, made from its page by "postrider cards". Networks that can be told what
# is on a card show these words and this picture: edit them as you like. "postrider cards --update" reads the page again.
`

// Format returns the file of a card, the same bytes for the same card. Texts are put on one line.
func Format(c Card) ([]byte, error) {
	m := &yaml.Node{Kind: yaml.MappingNode}
	add := func(key, value string) error {
		if value = oneLine(value); value == "" {
			return nil
		}
		var n yaml.Node
		if err := n.Encode(value); err != nil {
			return fmt.Errorf("write the %s of a link card: %w", key, err)
		}
		if key == keyFetched {
			n.Tag, n.Style = "!!timestamp", 0
		}
		m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &n)
		return nil
	}
	fetched := ""
	if !c.Fetched.IsZero() {
		fetched = c.Fetched.Format(time.RFC3339)
	}
	for _, f := range [...]struct{ key, value string }{
		{keyURL, c.URL}, {keyTitle, c.Title}, {keyDescription, c.Description}, {keyImage, c.Image}, {keyImageAlt, c.ImageAlt}, {keyFetched, fetched},
	} {
		if err := add(f.key, f.value); err != nil {
			return nil, err
		}
	}
	out, err := yaml.Dump(m, yaml.WithLineWidth(-1))
	return append([]byte(comment), out...), err
}

// oneLine puts a text on one line, without characters that nobody sees; what is not UTF-8 becomes nothing.
func oneLine(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF, r == utf8.RuneError:
			return -1
		default:
			return r
		}
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

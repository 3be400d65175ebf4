package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/text/unicode/norm"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
	"github.com/postrider/postrider/templates"
)

// newPost is what the template of a post can use.
type newPost struct {
	ID        string
	Title     string
	Platforms []string
	PublishAt string
	Campaign  string
}

func (a *app) newCommand() *cobra.Command {
	var o struct {
		newPost
		bundle, json bool
		idFor        string
	}
	cmd := &cobra.Command{
		Use:     "new TITLE",
		GroupID: groupWrite,
		Short:   "Start a post from a template",
		Long: `New writes a post to content/YYYY/MM/, by the date of --at or else today's, and prints its path.
The post has an id of its own, so that it is known after a rename, and is a draft until you take
"draft: true" out. A site's own templates/post.md replaces the built-in template.

--at takes a time as front matter does ("2026-12-01 09:00", in the site's time zone unless it
carries an offset) or the name of a slot in site.yaml, whose next time after now it then is.

--id-for FILE writes into an existing post, as one line, the id that it has gone by so far: the
rest of the file stays as it is, byte for byte.`,
		Example: `  postrider new "Winter launch"
  postrider new "Winter launch" --platforms x,bluesky --at "2026-12-01 09:00" --campaign winter
  $EDITOR "$(postrider new 'Winter launch' --bundle)"
  postrider new --id-for content/2026/old-post.md`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := exclusive(cmd, "id-for", "platforms", "at", "campaign", "bundle"); err != nil {
				return err
			}
			if cmd.Flags().Changed("id-for") {
				return noArgs(cmd, args)
			}
			return argsBetween(1, 1, `one title (in quotes: "Winter launch")`)(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := a.safeSiteDir()
			if err != nil {
				return err
			}
			var file, id string
			if o.idFor != "" {
				file, id, err = a.pinID(dir, o.idFor)
			} else {
				o.Title = args[0]
				file, id, err = a.createPost(dir, o.newPost, o.bundle)
			}
			if err != nil {
				return err
			}
			if o.json {
				return a.printJSON(struct {
					Post string `json:"post"`
					Path string `json:"path"`
				}{id, file})
			}
			a.printf("%s\n", a.shown(filepath.Join(dir, filepath.FromSlash(file))))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringSliceVarP(&o.Platforms, "platforms", "p", nil, "`NAMES` of accounts or platforms, separated by commas")
	f.StringVar(&o.PublishAt, "at", "", "when it goes out: a `TIME` or the name of a slot")
	f.StringVar(&o.Campaign, "campaign", "", "`NAME` of the campaign that it belongs to")
	f.BoolVar(&o.bundle, "bundle", false, "make a folder with index.md, to hold its pictures as well")
	f.StringVar(&o.idFor, "id-for", "", "give the post in `FILE` its id as a line of front matter")
	f.BoolVar(&o.json, "json", false, "print the post's id and path as one JSON object")
	return cmd
}

// createPost writes a new post and returns its path, relative to the site's folder, and its id.
func (a *app) createPost(dir string, n newPost, bundle bool) (file, id string, err error) {
	cfg, err := a.readConfig(dir)
	if err != nil {
		return "", "", err
	}
	if strings.TrimSpace(n.Title) == "" {
		return "", "", &usageError{msg: "the title is empty"}
	}
	if _, unknown := cfg.Expand(n.Platforms); len(unknown) > 0 {
		return "", "", &usageError{
			msg:  fmt.Sprintf("the site has no account %q, and no account on a platform of that name", unknown[0]),
			hint: suggestion(unknown[0], cfg.Names(), oneOf("site.yaml has", cfg.Names())),
		}
	}
	if _, ok := cfg.Campaign(n.Campaign); n.Campaign != "" && !ok {
		var names []string
		for _, c := range cfg.Campaigns {
			names = append(names, c.Name)
		}
		return "", "", &usageError{msg: fmt.Sprintf("site.yaml defines no campaign %q", n.Campaign), hint: suggestion(n.Campaign, names, oneOf("it defines", names))}
	}
	for i := range cfg.Schedule.Slots {
		if slot := &cfg.Schedule.Slots[i]; slot.Name == n.PublishAt {
			n.PublishAt = slot.Next(a.Now(), cfg.Location).In(cfg.Location).Format("2006-01-02 15:04")
		}
	}
	if n.ID, err = newID(a.Rand); err != nil {
		return "", "", err
	}
	src, err := fill(dir, templates.Post, n)
	if err != nil {
		return "", "", err
	}
	p, findings := content.Parse(site.ContentDir+"/new.md", []byte(src), nil, content.Options{Location: cfg.Location})
	for _, f := range findings {
		if f.Severity != finding.Error || !strings.HasPrefix(string(f.Code), "F") && !strings.HasPrefix(string(f.Code), "D") {
			continue // what is wrong with the text is for the writer to mend
		}
		return "", "", &usageError{msg: f.Message, hint: f.Hint}
	}
	if p.ID != n.ID {
		return "", "", &usageError{msg: "the site's templates/post.md does not write the id", hint: "it needs a line `id: {{.ID}}` in its front matter"}
	}
	date := a.Now().In(cfg.Location)
	if !p.PublishAt.IsZero() {
		date = p.PublishAt.In(cfg.Location)
	}
	file, err = placePost(dir, date, slugOf(n.Title, n.ID), bundle, []byte(src))
	return file, n.ID, err
}

// suggestion is a hint for an unknown name: the nearest one, else what follows.
func suggestion(name string, known []string, otherwise string) string {
	if near := content.Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// oneOf phrases the names that there are: "the formats are json, text".
func oneOf(what string, names []string) string {
	if len(names) == 0 {
		return what + " none"
	}
	return what + " " + strings.Join(names, ", ")
}

// placePost writes the file under the first free name.
func placePost(dir string, date time.Time, slug string, bundle bool, src []byte) (string, error) {
	for n := 1; n < 1000; n++ {
		name := slug
		if n > 1 {
			name = fmt.Sprintf("%s-%d", slug, n)
		}
		file := path.Join(site.ContentDir, date.Format("2006/01"), name)
		other := file + "/index.md"
		if file += ".md"; bundle {
			file, other = other, file
		}
		if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(other))); err == nil {
			continue
		}
		err := createFile(filepath.Join(dir, filepath.FromSlash(file)), src)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
	return "", fmt.Errorf("there are 1000 posts called %q already", slug)
}

// newID returns a random id of 8 characters, 40 bits.
func newID(random io.Reader) (string, error) {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	for i := range b {
		b[i] = letters[b[i]&31]
	}
	return string(b[:]), nil
}

// maxSlug bounds the length of a file's name in bytes.
const maxSlug = 60

// slugOf returns a title as the name of a file: lower case, letters and digits of any script without their accents,
// everything else as '-'. A title without any gives the id.
func slugOf(title, id string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(title)) {
		switch {
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
			continue
		case r == 'ß':
			b.WriteString("ss")
		case r == 'æ':
			b.WriteString("ae")
		case r == 'ø':
			b.WriteString("o")
		case r == 'ł':
			b.WriteString("l")
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() > maxSlug {
			break
		}
	}
	slug := norm.NFC.String(b.String())
	if len(slug) > maxSlug {
		if i := strings.LastIndexByte(slug[:maxSlug], '-'); i > maxSlug/2 {
			slug = slug[:i]
		} else {
			slug = strings.ToValidUTF8(slug[:maxSlug], "")
		}
	}
	slug = strings.Trim(slug, "-")
	switch {
	case slug == "":
		return id
	case !content.IsPost(slug + ".md"): // README.md
		return slug + "-" + id
	}
	return slug
}

// pinID writes the id that a post has gone by into its front matter. It is the one derived from the path and not a
// new one, because the ledger knows the post by it: with another, it would go out again.
func (a *app) pinID(dir, name string) (file, id string, err error) {
	file, err = a.path(dir, name)
	if err != nil {
		return "", "", err
	}
	name = filepath.Join(dir, filepath.FromSlash(file))
	fi, err := os.Lstat(name)
	switch {
	case err != nil:
		return "", "", &usageError{msg: fmt.Sprintf("cannot read the post: %v", err)}
	case !fi.Mode().IsRegular():
		return "", "", &usageError{msg: fmt.Sprintf("%q is not a file", file), hint: "name the post's own file, not a folder or a link to it"}
	case fi.Size() > content.DefaultMaxBytes:
		return "", "", &usageError{msg: fmt.Sprintf("%q is too large for a post", file)}
	case !strings.HasPrefix(file, site.ContentDir+"/") || !content.IsPost(strings.TrimPrefix(file, site.ContentDir+"/")):
		return "", "", &usageError{msg: fmt.Sprintf("%q is not a post", file), hint: "posts are the .md files in " + site.ContentDir + "/"}
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return "", "", err
	}
	p, findings := content.Parse(file, src, nil, content.Options{})
	if p.OwnID {
		return "", "", &usageError{msg: fmt.Sprintf("%q has an id already: %s", file, p.ID)}
	}
	for _, pl := range p.Places {
		if pl.Field == post.FieldID && pl.Name == "" {
			return "", "", &usageError{msg: fmt.Sprintf("%q has an id, but it is not a valid one", file), hint: "`postrider check` shows what is wrong with it"}
		}
	}
	if unreadable(findings) {
		return "", "", &usageError{msg: fmt.Sprintf("the front matter of %q cannot be read, so nothing was changed", file), hint: firstHint(findings)}
	}
	changed, err := insertID(src, p.ID)
	if err != nil {
		return "", "", &usageError{msg: fmt.Sprintf("%q: %v", file, err), hint: firstHint(findings)}
	}
	if got, _ := content.Parse(file, changed, nil, content.Options{}); !got.OwnID || got.ID != p.ID {
		return "", "", &usageError{msg: fmt.Sprintf("the front matter of %q cannot be read, so nothing was changed", file), hint: firstHint(findings)}
	}
	return file, p.ID, replaceFile(name, changed)
}

// unreadable reports whether reading a file has failed before its first key: there is no telling then what is front
// matter and what is text.
func unreadable(l finding.List) bool {
	return slices.ContainsFunc(l, func(f finding.Finding) bool {
		return f.Severity == finding.Error && f.Code < "F120" && strings.HasPrefix(string(f.Code), "F")
	})
}

// firstHint says what the first error of a file is.
func firstHint(l finding.List) string {
	for _, f := range l {
		if f.Severity == finding.Error {
			return fmt.Sprintf("line %d: %s", max(1, f.Range.Start.Line), f.Message)
		}
	}
	return ""
}

// insertID returns src with an id in its front matter, in the front matter's own language and with the file's own line
// endings. A file without front matter gets one.
func insertID(src []byte, id string) ([]byte, error) {
	start := 0
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		start = len("\ufeff")
	}
	for { // blank lines before the header change nothing
		end := bytes.IndexByte(src[start:], '\n')
		if end < 0 || len(bytes.TrimSpace(src[start:start+end])) > 0 {
			break
		}
		start += end + 1
	}
	first, _, _ := bytes.Cut(src[start:], []byte("\n"))
	eol := "\n"
	if bytes.HasSuffix(first, []byte("\r")) {
		eol = "\r\n"
	}
	at, line := start, ""
	switch open := string(bytes.TrimRight(first, " \t\r")); {
	case open == "---":
		at, line = start+len(first)+1, "id: "+yamlID(id)+eol
	case open == "+++":
		at, line = start+len(first)+1, "id = \""+id+"\""+eol
	case strings.HasPrefix(open, "{"):
		comma := ","
		if bytes.HasPrefix(bytes.TrimLeft(src[start+1:], " \t\r\n"), []byte("}")) {
			comma = ""
		}
		if open == "{" {
			at, line = start+len(first)+1, "  \"id\": \""+id+"\""+comma+eol
		} else {
			at, line = start+1, "\"id\": \""+id+"\""+comma+" "
		}
	default:
		line = "---" + eol + "id: " + yamlID(id) + eol + "---" + eol
	}
	if at > len(src) {
		return nil, errors.New("the front matter is never closed")
	}
	out := make([]byte, 0, len(src)+len(line))
	out = append(out, src[:at]...)
	out = append(out, line...)
	return append(out, src[at:]...), nil
}

// yamlID quotes an id that YAML would read as something else than a text: a number, a date, true.
func yamlID(id string) string {
	if s, err := yamlLine(id); err == nil {
		return s
	}
	return `"` + id + `"`
}

package draft

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/site"
)

// Request is what somebody wants a new post to be.
type Request struct {
	Title     string
	Platforms []string // names of accounts or platforms; none: the site's defaults
	PublishAt string   // a time as front matter has it, or the name of a slot in site.yaml; "" for none
	Campaign  string   // "" for none
	Kind      string   // one of [Kinds]; "" is [DefaultKind]
	Bundle    bool     // make a folder with index.md, to hold the post's pictures as well
}

// fields is what the template of a post can use.
type fields struct {
	ID        string
	Title     string
	Platforms []string
	PublishAt string
	Campaign  string
}

// Surroundings are what making a post depends on besides the site.
type Surroundings struct {
	Now  time.Time
	Rand io.Reader // where ids come from
}

// New writes a new post to content/YYYY/MM, by the date on which it goes out or else today's, and returns its path, which is
// slash-separated and relative to root, the site's folder, and its id. Nothing that exists is ever overwritten.
//
// What is wrong with the request is [ErrNoTitle], an [AccountError], a [CampaignError], a [KindError] or an [InputError];
// what is wrong with the site's template, a [TemplateError] or a [NoIDError]. Nothing is written then.
func New(root *os.Root, cfg *config.Site, r Request, env Surroundings) (file, id string, err error) {
	data, err := r.fields(cfg, env)
	if err != nil {
		return "", "", err
	}
	name, template, err := kindSource(root, r.Kind)
	if err != nil {
		return "", "", err
	}
	src, err := Execute(name, template, data)
	if err != nil {
		return "", "", err
	}
	p, findings := content.Parse(site.ContentDir+"/new.md", []byte(src), nil, content.Options{Location: cfg.Location})
	for _, f := range findings {
		if f.Severity != finding.Error || !strings.HasPrefix(string(f.Code), "F") && !strings.HasPrefix(string(f.Code), "D") {
			continue // what is wrong with the text is for the writer to mend
		}
		return "", "", &InputError{Finding: f}
	}
	if p.ID != data.ID {
		return "", "", &NoIDError{Template: name}
	}
	date := env.Now.In(cfg.Location)
	if !p.PublishAt.IsZero() {
		date = p.PublishAt.In(cfg.Location)
	}
	file, err = place(root, date, slugOf(data.Title, data.ID), r.Bundle, []byte(src))
	return file, data.ID, err
}

// fields returns what the template is filled in with.
func (r Request) fields(cfg *config.Site, env Surroundings) (fields, error) {
	f := fields{Title: r.Title, Platforms: r.Platforms, PublishAt: r.PublishAt, Campaign: r.Campaign}
	if strings.TrimSpace(f.Title) == "" {
		return f, ErrNoTitle
	}
	if _, unknown := cfg.Expand(f.Platforms); len(unknown) > 0 {
		return f, &AccountError{Name: unknown[0], Known: cfg.Names()}
	}
	if _, ok := cfg.Campaign(f.Campaign); f.Campaign != "" && !ok {
		e := &CampaignError{Name: f.Campaign}
		for i := range cfg.Campaigns {
			e.Known = append(e.Known, cfg.Campaigns[i].Name)
		}
		return f, e
	}
	for i := range cfg.Schedule.Slots {
		if slot := &cfg.Schedule.Slots[i]; slot.Name == f.PublishAt {
			f.PublishAt = slot.Next(env.Now, cfg.Location).In(cfg.Location).Format("2006-01-02 15:04")
		}
	}
	var err error
	f.ID, err = NewID(env.Rand)
	return f, err
}

// place writes the file under the first free name.
func place(root *os.Root, date time.Time, slug string, bundle bool, src []byte) (string, error) {
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
		if _, err := root.Lstat(filepath.FromSlash(other)); err == nil {
			continue
		}
		err := Create(root, file, src)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
	return "", fmt.Errorf("there are 1000 posts called %q already", slug)
}

// NewID returns a random id of 8 characters, 40 bits.
func NewID(random io.Reader) (string, error) {
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

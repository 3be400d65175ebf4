package draft

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// PinID writes the id that a post has gone by into its front matter, as one line, and returns it. It is the one derived from
// the path and not a new one, because the ledger knows the post by it: with another, it would go out again. Why a file was
// left alone is a [RefusedError]. The name is slash-separated and relative to root, the site's folder.
func PinID(root *os.Root, name string) (id string, err error) {
	moving.Lock()
	defer moving.Unlock()
	src, perm, err := readPost(root, name, 0)
	if err != nil {
		return "", err
	}
	changed, id, err := pin(name, src)
	if err != nil {
		return "", err
	}
	return id, replace(root, name, changed, perm, unchanged(root, name, src))
}

// pin returns a post's file with the post's id in it.
func pin(name string, src []byte) (changed []byte, id string, err error) {
	p, findings := content.Parse(name, src, nil, content.Options{})
	refuse := func(r Reason, f finding.Finding) ([]byte, string, error) {
		return nil, "", &RefusedError{Path: name, Reason: r, Detail: p.ID, Finding: f}
	}
	if p.OwnID {
		return refuse(HasID, finding.Finding{})
	}
	for _, pl := range p.Places {
		if pl.Field == post.FieldID && pl.Name == "" {
			return refuse(BadID, finding.Finding{})
		}
	}
	if _, ok := unreadable(findings); ok {
		return refuse(Unreadable, firstError(findings))
	}
	changed, err = insertID(src, p.ID)
	if err != nil {
		return refuse(Unreadable, firstError(findings))
	}
	if got, _ := content.Parse(name, changed, nil, content.Options{}); !got.OwnID || got.ID != p.ID {
		return refuse(Unreadable, firstError(findings))
	}
	return changed, p.ID, nil
}

// unreadable returns the finding that reading a file has failed before its first key: there is no telling then what is front
// matter and what is text.
func unreadable(l finding.List) (finding.Finding, bool) {
	i := slices.IndexFunc(l, func(f finding.Finding) bool {
		return f.Severity == finding.Error && f.Code < "F120" && strings.HasPrefix(string(f.Code), "F")
	})
	if i < 0 {
		return finding.Finding{}, false
	}
	return l[i], true
}

// firstError returns the first error of a file, the zero Finding without one.
func firstError(l finding.List) finding.Finding {
	for _, f := range l {
		if f.Severity == finding.Error {
			return f
		}
	}
	return finding.Finding{}
}

// insertID returns src with an id in its front matter, in the front matter's own language and with the file's own line
// endings. A file without front matter gets one.
func insertID(src []byte, id string) ([]byte, error) {
	o := opening(src)
	if o.lang == noLanguage {
		return splice(src, o.at, o.at, "---"+o.eol+"id: "+yamlID(id)+o.eol+"---"+o.eol), nil
	}
	if o.at > len(src) {
		return nil, errors.New("the front matter is never closed")
	}
	value := `"` + id + `"`
	if o.lang == langYAML {
		value = yamlID(id)
	}
	return o.insert(src, "id", value), nil
}

// yamlID quotes an id that YAML would read as something else than a text: a number, a date, true.
func yamlID(id string) string {
	if s, err := YAML(id); err == nil {
		return s
	}
	return `"` + id + `"`
}

// unchanged returns an error when a file is no longer what it was when it was read.
func unchanged(root *os.Root, name string, src []byte) func() error {
	return func() error {
		now, _, err := readPost(root, name, int64(len(src)))
		if err != nil || !bytes.Equal(now, src) {
			return &RefusedError{Path: name, Reason: Changed}
		}
		return nil
	}
}

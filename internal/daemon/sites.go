package daemon

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Entry is a site of a sites file. Every text but Name may be empty.
type Entry struct {
	Line          int    // of the file, from 1
	Name          string // as [Site.Name]
	Path          string // the folder of a clone, or of a site in one
	URL           string // of a repository that the daemon is to clone; either this or Path is set
	Folder        string // the site's folder inside the repository, with slashes
	Branch        string // the publishing branch
	Fetch         time.Duration
	WebhookSecret string // the name of the variable that holds the secret of its webhooks
	EnvFile       string // the file with its secrets
	EnvPrefix     string // what the names of its secrets begin with in the environment
}

// FileError says what is wrong with a sites file. It never quotes what may be a secret.
type FileError struct {
	Line    int // from 1; 0 when it is about the whole file
	Problem string
}

// Error implements error.
func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Problem
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Problem)
}

// maxFile is the size above which a sites file cannot be what it is taken for.
const maxFile = 4 << 20

// settings are the keys of a site, each with where its text goes.
func (e *Entry) settings() map[string]*string {
	return map[string]*string{
		"name": &e.Name, "path": &e.Path, "url": &e.URL, "folder": &e.Folder, "branch": &e.Branch,
		"webhook_secret": &e.WebhookSecret, "env_file": &e.EnvFile, "env_prefix": &e.EnvPrefix, "fetch": new(string),
	}
}

// ParseSites reads a sites file: a list of entries under the key sites. The error is the first [FileError].
func ParseSites(src []byte) ([]Entry, error) {
	if len(src) > maxFile {
		return nil, &FileError{0, fmt.Sprintf("it is larger than %d bytes", maxFile)}
	}
	if !utf8.Valid(src) {
		return nil, &FileError{0, "it is not valid UTF-8"}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, &FileError{0, "it is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	if len(doc.Content) == 0 {
		return nil, &FileError{0, "it is empty: expected a list of sites under the key sites"}
	}
	var list *yaml.Node
	err := eachKey(doc.Content[0], func(key string, value *yaml.Node) error {
		if key != "sites" {
			return &FileError{value.Line, fmt.Sprintf("unknown key %q: expected sites", key)}
		}
		list = value
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0:
		return nil, &FileError{doc.Content[0].Line, "expected a list with at least one site under the key sites"}
	}
	var entries []Entry
	for _, n := range list.Content {
		e, err := parseEntry(n)
		if err != nil {
			return nil, err
		}
		if same := slices.IndexFunc(entries, func(o Entry) bool { return o.Name == e.Name }); same >= 0 {
			return nil, &FileError{e.Line, fmt.Sprintf("the name %q is that of the site at line %d, too", e.Name, entries[same].Line)}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// eachKey calls fn for the keys of a mapping, each of which it may have once.
func eachKey(n *yaml.Node, fn func(key string, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return &FileError{n.Line, "expected keys with values"}
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || seen[key.Value] {
			return &FileError{key.Line, fmt.Sprintf("the key %q is there twice, or is none", key.Value)}
		}
		seen[key.Value] = true
		if err := fn(key.Value, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func parseEntry(n *yaml.Node) (e Entry, err error) {
	e.Line = n.Line
	known := e.settings()
	err = eachKey(n, func(key string, value *yaml.Node) error {
		text, ok := known[key]
		switch {
		case !ok:
			return &FileError{value.Line, fmt.Sprintf("unknown key %q: a site has name, path or url, folder, branch, fetch, webhook_secret, env_file and env_prefix", key)}
		case value.Kind != yaml.ScalarNode || value.Value == "" || strings.ContainsAny(value.Value, "\x00\n"):
			return &FileError{value.Line, fmt.Sprintf("%s must be a text on one line", key)}
		}
		*text = value.Value
		return nil
	})
	if err != nil {
		return e, err
	}
	if every := *known["fetch"]; every != "" {
		if e.Fetch, err = time.ParseDuration(every); err != nil || e.Fetch < time.Second {
			return e, &FileError{e.Line, fmt.Sprintf("fetch is %q: expected a second or more, such as 1m or 30s", every)}
		}
	}
	if problem := e.problem(); problem != "" {
		return e, &FileError{e.Line, problem}
	}
	return e, nil
}

// problem returns what is wrong with an entry, "" for nothing.
func (e *Entry) problem() string {
	switch {
	case !isName(e.Name):
		return fmt.Sprintf("name is %q: expected up to 64 letters, digits, '-', '_' and '.'", e.Name)
	case (e.Path == "") == (e.URL == ""):
		return fmt.Sprintf("site %q needs either a path or a url", e.Name)
	case e.Folder != "" && (!filepath.IsLocal(filepath.FromSlash(e.Folder)) || path.Clean(e.Folder) != e.Folder):
		return fmt.Sprintf("folder of site %q is %q: expected a folder inside the repository, such as social", e.Name, e.Folder)
	case e.EnvPrefix != "" && !isVariable(e.EnvPrefix):
		return fmt.Sprintf("env_prefix of site %q must be the beginning of a variable's name, such as ACME_", e.Name)
	case e.WebhookSecret != "" && !isVariable(e.WebhookSecret):
		return fmt.Sprintf("webhook_secret of site %q must be the name of a variable, such as ACME_WEBHOOK_SECRET, never the secret itself", e.Name)
	}
	if u, err := url.Parse(e.URL); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			return fmt.Sprintf("url of site %q has a password in it: put it into POSTRIDER_GIT_TOKEN, in its env_file", e.Name)
		}
	}
	return ""
}

// isName reports whether s may be the name of a site.
func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '-' && c != '_' && c != '.' && !letter(c) && (c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 64 && strings.Trim(s, ".") != ""
}

// isVariable reports whether s may be the name of a variable, or its beginning.
func isVariable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && !letter(c) && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

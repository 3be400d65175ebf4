package draft

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/templates"
)

// DefaultKind is the name of the template that every site has: its own templates/post.md, else the built-in one.
const DefaultKind = "post"

// maxTemplate bounds a template in bytes, far above what anybody writes.
const maxTemplate = 1 << 20

// Kinds returns the names of the templates that a site offers for new posts: [DefaultKind], and then the files in
// templates/posts by their names without .md, sorted.
func Kinds(root *os.Root) ([]string, error) {
	entries, err := fs.ReadDir(root.FS(), "templates/posts")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the site's templates: %w", err)
	}
	kinds := []string{DefaultKind}
	for _, e := range entries { // sorted by name
		name, ok := strings.CutSuffix(e.Name(), ".md")
		if ok && !e.IsDir() && name != DefaultKind && name != "" && name[0] != '.' && name[0] != '_' {
			kinds = append(kinds, name)
		}
	}
	slices.Sort(kinds[1:])
	return kinds, nil
}

// kindSource returns the template for a kind of post, and the name of its file. Its file may be a template of the site's, or
// the one that is built in.
func kindSource(root *os.Root, kind string) (name string, src []byte, err error) {
	name = path.Join("templates", templates.Post)
	if kind != "" && kind != DefaultKind {
		kinds, err := Kinds(root)
		if err != nil {
			return "", nil, err
		}
		if !slices.Contains(kinds, kind) { // nor is it a path then
			return "", nil, &KindError{Name: kind, Known: kinds}
		}
		name = path.Join("templates/posts", kind+".md")
	}
	file := filepath.FromSlash(name)
	fi, err := root.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == path.Join("templates", templates.Post):
		src, err = templates.Files.ReadFile(templates.Post)
	case err == nil && (!fi.Mode().IsRegular() || fi.Size() > maxTemplate):
		err = &TemplateError{Name: name, Err: fmt.Errorf("%s is no file of up to %d MiB", name, maxTemplate>>20)}
	case err == nil:
		src, err = root.ReadFile(file)
	}
	return name, src, err
}

// Execute fills in a template in the syntax of text/template, which has the function yaml besides the usual ones: it writes
// a value as YAML on one line. The name is for messages. What is wrong with the template is a [TemplateError].
func Execute(name string, src []byte, data any) (string, error) {
	broken := func(err error) (string, error) {
		e := &TemplateError{Name: name, Err: err}
		if m := regexp.MustCompile(`^template: ` + regexp.QuoteMeta(name) + `:(\d+)`).FindStringSubmatch(err.Error()); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
		}
		return "", e
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{"yaml": YAML}).Parse(string(src))
	if err != nil {
		return broken(err)
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return broken(err)
	}
	return b.String(), nil
}

// YAML writes a value as YAML that fits on one line.
func YAML(v any) (string, error) {
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		return "", err
	}
	n.Style |= yaml.FlowStyle
	if n.Kind == yaml.ScalarNode && strings.ContainsAny(n.Value, "\r\n\u0085\u2028\u2029") {
		n.Style = yaml.DoubleQuotedStyle
	}
	out, err := yaml.Dump(&n, yaml.WithLineWidth(-1))
	return strings.TrimRight(string(out), "\n"), err
}

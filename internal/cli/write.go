package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/templates"
)

// fill fills in a template: the site's own where it has one, else the embedded one. Without a site, dir is empty.
func fill(dir, name string, data any) (string, error) {
	var src []byte
	err := fs.ErrNotExist
	where := name
	if dir != "" {
		where = filepath.Join(dir, "templates", filepath.FromSlash(name))
		src, err = os.ReadFile(where)
	}
	if errors.Is(err, fs.ErrNotExist) {
		where = name
		src, err = templates.Files.ReadFile(name)
	}
	if err != nil {
		return "", err
	}
	t, err := template.New(where).Option("missingkey=error").Funcs(template.FuncMap{"yaml": yamlLine}).Parse(string(src))
	if err != nil {
		return "", templateError(err)
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", templateError(err)
	}
	return b.String(), nil
}

func templateError(err error) error {
	return &usageError{msg: err.Error(), hint: "a template of a post may use {{.ID}}, {{yaml .Title}}, .Platforms, .PublishAt and .Campaign"}
}

// yamlLine writes a value as YAML that fits on one line.
func yamlLine(v any) (string, error) {
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

// createFile writes a file that must not exist yet, and the folders above it. A file that could not be
// written whole is not left behind.
func createFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// replaceFile gives an existing file new content in one step: a crash leaves the old or the new.
func replaceFile(path string, data []byte) error {
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".postrider-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(fi.Mode().Perm()), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// readConfig reads site.yaml alone, for verbs that need no posts.
func (a *app) readConfig(dir string) (*config.Site, error) {
	src, err := os.ReadFile(filepath.Join(dir, config.File))
	if err != nil {
		return nil, err
	}
	cfg, findings := config.Parse(config.File, src, a.Registry)
	if findings.HasErrors() {
		return nil, &configError{findings: findings}
	}
	return cfg, nil
}

// shown returns a path as it is printed: relative to the folder that the program was started in, where that is above it.
func (a *app) shown(path string) string {
	if rel, err := filepath.Rel(a.Dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// Where things are in the repository.
const (
	adaptersFolder = "internal/adapters"
	registryFile   = "internal/adapters/adapters.go"
	pagesFolder    = "docs/platforms"
)

// refuse says why nothing can be called name, which becomes a package, a folder and a word in people's files.
func refuse(name string) error {
	outside := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	switch {
	case name == "" || name[0] < 'a' || name[0] > 'z' || strings.ContainsFunc(name, outside):
		return fmt.Errorf("%q is no name for a platform: it is made of a to z and 0 to 9, and begins with a letter", name)
	case token.IsKeyword(name), slices.Contains([]string{"init", "main", "internal", "vendor", "testdata", "documentation", "platform"}, name):
		return fmt.Errorf("%q means something else to Go or to the registry: choose another name", name)
	}
	return nil
}

// files returns the files of a platform, by their path in the repository.
func files(name string) (map[string][]byte, error) {
	said := struct{ Name, Title string }{name, strings.ToUpper(name[:1]) + name[1:]}
	made := map[string][]byte{}
	err := fs.WalkDir(templates, "templates", func(source string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := templates.ReadFile(source)
		if err != nil {
			return err
		}
		t, err := template.New(source).Delims("[[", "]]").Option("missingkey=error").Parse(string(text))
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, said); err != nil {
			return err
		}
		file := target(name, strings.TrimSuffix(strings.TrimPrefix(source, "templates/"), ".tmpl"))
		made[file] = b.Bytes()
		if path.Ext(file) == ".go" {
			if made[file], err = format.Source(b.Bytes()); err != nil {
				return fmt.Errorf("%s: %w", source, err)
			}
		}
		return nil
	})
	return made, err
}

// target returns where a file of the scaffold goes.
func target(name, file string) string {
	switch file {
	case "page.md":
		return path.Join(pagesFolder, name+".md")
	case "adapter.go":
		file = name + ".go"
	}
	return path.Join(adaptersFolder, name, file)
}

// register returns the registry's source with one more line, and its import, each in its alphabetical place.
func register(source []byte, name string) ([]byte, error) {
	const begin, end = "\t\"github.com/postrider/postrider/internal/adapters/", "\"\n"
	adapter := "\t\t" + name + ".Adapter{},\n"
	isImport := func(line string) bool { return strings.HasPrefix(line, begin) && line < begin+name+end }
	isAdapter := func(line string) bool { return strings.HasSuffix(line, ".Adapter{},\n") && line < adapter }
	lines := slices.Collect(strings.Lines(strings.ReplaceAll(string(source), "\r\n", "\n")))
	for _, add := range []struct {
		line    string
		before  func(string) bool
		opening string
	}{{begin + name + end, isImport, "import (\n"}, {adapter, isAdapter, "\treturn platform.NewRegistry(\n"}} {
		at := slices.Index(lines, add.opening)
		if at < 0 {
			return nil, fmt.Errorf("%s is not as it was: it has no line %q", registryFile, strings.TrimSpace(add.opening))
		}
		for i, line := range lines {
			if add.before(line) {
				at = i
			}
		}
		lines = slices.Insert(lines, at+1, add.line)
	}
	return format.Source([]byte(strings.Join(lines, "")))
}

// create writes a new platform into the repository at root, and its line into the registry if that is wanted. It overwrites nothing: what it
// cannot finish, it takes away again. It returns the files that it wrote.
func create(root, name string, andRegister bool) (written []string, err error) {
	if err := refuse(name); err != nil {
		return nil, err
	}
	for _, taken := range []string{path.Join(adaptersFolder, name), target(name, "page.md")} {
		if _, err := os.Lstat(filepath.Join(root, taken)); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%q is taken: there is %s", name, taken)
		}
	}
	made, err := files(name)
	if err != nil {
		return nil, err
	}
	registry := filepath.Join(root, registryFile)
	source, err := os.ReadFile(registry)
	if err != nil {
		return nil, err
	}
	registered, err := register(source, name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(filepath.Join(root, adaptersFolder, name)) //nolint:errcheck // the error that is returned says what matters
			os.Remove(filepath.Join(root, target(name, "page.md"))) //nolint:errcheck // as above
		}
	}()
	for _, file := range slices.Sorted(maps.Keys(made)) {
		whole := filepath.Join(root, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(whole), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(whole, made[file], 0o644); err != nil {
			return nil, err
		}
		written = append(written, file)
	}
	if andRegister {
		if err := os.WriteFile(registry, registered, 0o644); err != nil {
			return nil, err
		}
		written = append(written, registryFile)
	}
	return written, nil
}

// rootOf returns the folder of this module that dir is in.
func rootOf(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, registryFile)); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is in no checkout of Postrider", dir)
		}
	}
}

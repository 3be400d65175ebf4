// Package internal holds the rooms of the house; this test holds their walls.
package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/postrider/postrider"

// exclusive are the libraries that one package alone may import, so that they can be replaced, and the
// standard library's doors to ambient input.
var exclusive = map[string]string{
	"github.com/go-git/go-git/v5":     "internal/gitrepo",
	"github.com/yuin/goldmark":        "internal/content",
	"github.com/adrg/frontmatter":     "internal/content",
	"github.com/spf13/cobra":          "internal/cli",
	"golang.org/x/term":               "internal/cli",
	"github.com/BurntSushi/toml":      "internal/content",
	"github.com/pelletier/go-toml/v2": "internal/content",
	"github.com/minio/minio-go/v7":    "internal/bucket",
	"github.com/wneessen/go-mail":     "internal/channel",
}

// TestLayers reads the table of rooms in docs/ARCHITECTURE.md and holds every import of the project against it: a
// package may import only packages of a lower level. A package that the table does not have is an error too.
func TestLayers(t *testing.T) {
	levels := rooms(t)
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		if strings.Contains(filepath.ToSlash(name), "/testdata/") {
			return nil
		}
		here := path.Join("internal", path.Dir(filepath.ToSlash(name)))
		level, ok := levelOf(levels, here)
		if !ok {
			t.Errorf("%s is not in the table of rooms in docs/ARCHITECTURE.md", here)
			return nil
		}
		seen[here] = true
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			for library, owner := range exclusive {
				if (imported == library || strings.HasPrefix(imported, library+"/")) && here != owner && !strings.HasPrefix(here, owner+"/") {
					t.Errorf("%s imports %s, which only %s may: ask that package for what is needed", name, imported, owner)
				}
			}
			rest, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			below, ok := levelOf(levels, rest)
			switch {
			case !ok:
				t.Errorf("%s imports %s, which is not in the table of rooms", name, rest)
			case strings.HasPrefix(rest, here+"/") || strings.HasPrefix(here, rest+"/") && level > below: // a room and its own alcove
			case below >= level:
				t.Errorf("%s (level %d) imports %s (level %d): what flows down may not flow up", name, level, rest, below)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range levels {
		if strings.HasPrefix(room, "internal/") && !strings.Contains(room, "<") && !seen[room] {
			t.Errorf("the table of rooms has %s, which does not exist", room)
		}
	}
}

var row = regexp.MustCompile("^\\| (\\d+) \\| `([^`]+)` \\|")

// rooms reads the levels from docs/ARCHITECTURE.md.
func rooms(t *testing.T) map[string]int {
	t.Helper()
	b, err := os.ReadFile("../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string]int{}
	for line := range strings.Lines(string(b)) {
		if m := row.FindStringSubmatch(line); m != nil {
			levels[m[2]], _ = strconv.Atoi(m[1])
		}
	}
	if len(levels) < 10 {
		t.Fatalf("docs/ARCHITECTURE.md has %d rooms: is the table still there?", len(levels))
	}
	return levels
}

// levelOf returns the level of a package: its own row, or that of all adapters.
func levelOf(levels map[string]int, room string) (int, bool) {
	if level, ok := levels[room]; ok {
		return level, true
	}
	if rest, ok := strings.CutPrefix(room, "internal/adapters/"); ok {
		if strings.HasSuffix(rest, "/fake") {
			level, ok := levels["internal/adapters/<id>/fake"]
			return level, ok
		}
		level, ok := levels["internal/adapters/<id>"]
		return level, ok
	}
	return 0, false
}

// TestNames keeps names out that say nothing.
func TestNames(t *testing.T) {
	banned := []string{"util", "utils", "common", "helper", "helpers", "manager", "misc"}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := strings.TrimSuffix(d.Name(), ".go")
		if d.IsDir() && (base == ".git" || base == "node_modules" || base == "testdata") {
			return fs.SkipDir
		}
		if slices.Contains(banned, base) {
			t.Errorf("%s: a name that says nothing", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

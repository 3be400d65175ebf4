package postrider_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestPreCommitManifest holds .pre-commit-hooks.yaml to the fields of the framework (https://pre-commit.com/#new-hooks, 2026-11-22) and to what the
// program takes.
func TestPreCommitManifest(t *testing.T) {
	src, err := os.ReadFile(".pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct {
		ID             string   `yaml:"id"`
		Name           string   `yaml:"name"`
		Description    string   `yaml:"description"`
		Language       string   `yaml:"language"`
		Entry          string   `yaml:"entry"`
		Files          string   `yaml:"files"`
		PassFilenames  *bool    `yaml:"pass_filenames"`
		RequireSerial  bool     `yaml:"require_serial"`
		Stages         []string `yaml:"stages"`
		MinimumVersion string   `yaml:"minimum_pre_commit_version"`
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	d.KnownFields(true)
	if err := d.Decode(&hooks); err != nil {
		t.Fatal(err)
	}
	if len(hooks) != 1 {
		t.Fatalf("%d hooks, want 1", len(hooks))
	}
	h := hooks[0]
	if h.ID != "postrider" || h.Name == "" || h.Language != "golang" || strings.Join(h.Stages, " ") != "pre-commit" {
		t.Errorf("%+v", h)
	}
	if h.Entry != "postrider check --staged" || h.PassFilenames == nil || *h.PassFilenames {
		t.Errorf("entry %q: --staged finds out what is staged, and takes no names", h.Entry)
	}
	if _, err := os.Stat("cmd/postrider/main.go"); err != nil {
		t.Errorf("what `go install ./...` makes must have a program of the entry's name: %v", err)
	}
	files, err := regexp.Compile(h.Files)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"site.yaml": true, "content/2026/a.md": true, "social/site.yaml": true, "social/content/a.png": true, "media/logo.png": true,
		"README.md": false, "site.yaml.bak": false, "src/mycontent/a.go": false,
	} {
		if files.MatchString(name) != want {
			t.Errorf("%s: want it to be looked at: %v", name, want)
		}
	}
}

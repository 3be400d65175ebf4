package site

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/check"
)

var update = flag.Bool("update", false, "write docs/CHECKS.md and testdata/files.txt")

// TestChecksPage keeps docs/CHECKS.md as the checks, readers and adapters document themselves. It stands here since this is the
// lowest package that may know all of them.
func TestChecksPage(t *testing.T) {
	docs := check.Catalogue(registry())
	for i, d := range docs {
		if i > 0 && docs[i-1].Code == d.Code {
			t.Errorf("%s is documented twice: %q and %q", d.Code, docs[i-1].Title, d.Title)
		}
	}
	var page bytes.Buffer
	if err := check.WriteMarkdown(&page, docs); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("..", "..", "docs", "CHECKS.md")
	if *update {
		if err := os.WriteFile(name, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, page.Bytes()) {
		t.Errorf("docs/CHECKS.md is not current: run `go test ./internal/site -update`; first difference: %s", firstDifference(string(want), page.String()))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "\n- " + w[i] + "\n+ " + g[i]
		}
	}
	return "one is longer"
}

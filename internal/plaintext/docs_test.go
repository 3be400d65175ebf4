package plaintext_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform/rules"
)

// TestDocs proves that each code of a rendering is documented once, and that the decisions show each one.
func TestDocs(t *testing.T) {
	docs := slices.Concat(plaintext.Docs(), rules.Docs(), x.Adapter{}.Docs())
	seen := map[finding.Code]bool{}
	for _, d := range docs {
		if seen[d.Code] || d.Title == "" || d.Why == "" || d.Bad == "" || d.Good == "" || d.Since == "" {
			t.Errorf("%s is documented twice or not in full: %+v", d.Code, d)
		}
		seen[d.Code] = true
	}

	goldens, err := filepath.Glob("testdata/decisions/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	reported := map[finding.Code]bool{}
	for _, name := range goldens {
		golden, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^ {4}\d+:\d+ ([A-Z]\d{3}) `).FindAllSubmatch(golden, -1) {
			reported[finding.Code(m[1])] = true
		}
	}
	for code := range reported {
		if !seen[code] {
			t.Errorf("%s is reported and not documented", code)
		}
	}
	for code := range seen {
		if code == "M209" || code == "M212" { // only of networks that are not among these accounts: the tests of telegram, instagram and rules show them
			continue
		}
		if !reported[code] {
			t.Errorf("%s is documented and no decision shows it", code)
		}
	}
}

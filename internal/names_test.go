package internal

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Go refuses a module with a file that some system could not have, and with it `go install` of the program.
//
// https://pkg.go.dev/golang.org/x/mod/module#CheckFilePath (2026-11-22)
func TestFilesHaveNamesForEverySystem(t *testing.T) {
	reserved := regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)
	seen := map[string]string{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		if name := d.Name(); d.IsDir() && (name == ".git" || name == "node_modules") {
			return fs.SkipDir
		}
		if stem, _, _ := strings.Cut(d.Name(), "."); reserved.MatchString(stem) || strings.ContainsAny(d.Name(), "\"'*<>?`|/\\:") || strings.HasSuffix(d.Name(), ".") {
			t.Errorf("%s: Go's modules have no file of that name", path)
		}
		if other, ok := seen[strings.ToLower(path)]; ok {
			t.Errorf("%s and %s differ in case only", path, other)
		}
		seen[strings.ToLower(path)] = path
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

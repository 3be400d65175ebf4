package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// TestPlatform has the scaffold write a platform into a checkout, and runs there what holds for every platform: vet has nothing against it, it
// passes the suite, and the registry compiles with its one line.
func TestPlatform(t *testing.T) {
	const name = "example"
	dir := checkout(t)
	written, err := create(dir, name, true)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for _, file := range written {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if path.Ext(file) == ".go" {
			overlay.Replace[filepath.Join(repository(t), file)] = filepath.Join(dir, file)
		}
		if path.Dir(file) == adaptersFolder+"/"+name && !strings.HasSuffix(file, "_test.go") {
			lines += bytes.Count(text, []byte("\n"))
		}
	}
	if lines == 0 || lines > 600 {
		t.Errorf("the adapter has %d lines: it is to be read in a sitting", lines)
	}

	run := func(in string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = in
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	const one = "./" + adaptersFolder + "/" + name
	run(dir, "vet", one+"/...")
	run(dir, "test", "-run", "Conformance", one, "-update")
	out := run(dir, "test", "-v", one)
	for _, want := range []string{
		"--- PASS: TestConformance/after_every_failure,_everything_ends_up_once/late-accept/thread/2",
		"--- PASS: TestConformance/find_sees_what_was_accepted_without_an_answer",
		"--- PASS: FuzzAnswers",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the suite does not say %q", want)
		}
	}
	if strings.Contains(out, "SKIP") {
		t.Error("something was skipped")
	}
	goldens, err := filepath.Glob(filepath.Join(dir, one, "testdata", "*", "plain.*"))
	if err != nil || len(goldens) != 2 {
		t.Errorf("the goldens are %v, %v", goldens, err)
	}

	// The registry is compiled in place, over all other adapters, which are compiled already.
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	over := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(over, list, 0o644); err != nil {
		t.Fatal(err)
	}
	run(root, "build", "-overlay", over, "./"+adaptersFolder)
	if deps := run(root, "list", "-overlay", over, "-deps", "./"+adaptersFolder); !strings.Contains(deps, adaptersFolder+"/"+name+"\n") {
		t.Errorf("the registry does not have the platform:\n%s", deps)
	}
}

// repository returns the folder of this repository.
func repository(t *testing.T) string {
	t.Helper()
	whole, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

// checkout returns a folder that is this repository, as far as packages need it, and in which a platform may be added.
func checkout(t *testing.T) string {
	t.Helper()
	dir, whole := t.TempDir(), repository(t)
	for _, folder := range []string{"internal", adaptersFolder} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	list := []string{"go.mod", "go.sum", "templates"}
	for _, folder := range []string{"internal", adaptersFolder} {
		entries, err := os.ReadDir(filepath.Join(whole, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			list = append(list, path.Join(folder, e.Name()))
		}
	}
	for _, name := range list {
		switch name {
		case adaptersFolder: // its entries follow
		case registryFile:
			source, err := os.ReadFile(filepath.Join(whole, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), source, 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			if err := os.Symlink(filepath.Join(whole, name), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestCreate writes into a repository that has no more than a registry.
func TestCreate(t *testing.T) {
	dir := t.TempDir()
	write := func(file, text string) {
		t.Helper()
		whole := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(whole), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(whole, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	source, err := os.ReadFile(filepath.Join(root, registryFile))
	if err != nil {
		t.Fatal(err)
	}
	write(registryFile, string(source))

	written, err := create(dir, "pigeon", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"internal/adapters/pigeon/pigeon.go", "internal/adapters/pigeon/fake/fake.go", "docs/platforms/pigeon.md", registryFile} {
		if !slices.Contains(written, want) {
			t.Errorf("%s was not written: %q", want, written)
		}
	}
	for _, file := range written {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("[[.")) || bytes.Contains(text, []byte("TODO")) {
			t.Errorf("%s is not finished", file)
		}
	}
	registry, err := os.ReadFile(filepath.Join(dir, registryFile))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(registry), "\n") - strings.Count(string(source), "\n"); n != 2 {
		t.Errorf("the registry has %d lines more, want the import and the line", n)
	}
	for _, want := range []string{
		"\tmastodon.Adapter{},\n\t\tpigeon.Adapter{},\n\t\ttelegram.Adapter{},",
		"adapters/mastodon\"\n\t\"github.com/postrider/postrider/internal/adapters/pigeon\"\n\t\"github.com/postrider/postrider/internal/adapters/telegram\"",
	} {
		if !strings.Contains(string(registry), want) {
			t.Errorf("the registry has no %q:\n%s", want, registry)
		}
	}

	// Nothing is written over, and nothing half-done is left.
	write("docs/platforms/owl.md", "mine")
	write("internal/adapters/crow/crow.go", "mine")
	for _, name := range []string{"pigeon", "owl", "crow", "", "Owl", "2fa", "a-b", "a_b", "a/b", "..", "é", "type", "main", "platform"} {
		if written, err := create(dir, name, true); err == nil {
			t.Errorf("%q was made: %q", name, written)
		}
	}
	for file, want := range map[string]string{"docs/platforms/owl.md": "mine", "internal/adapters/crow/crow.go": "mine", registryFile: string(registry)} {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
			t.Errorf("%s was written over: %v", file, err)
		}
	}
	write(registryFile, "package adapters\n")
	if _, err := create(dir, "raven", false); err == nil {
		t.Error("a registry of another form passes")
	}
	if _, err := os.Stat(filepath.Join(dir, adaptersFolder, "raven")); err == nil {
		t.Error("something half-done is left")
	}
}

// TestRegister has the first and the last of the alphabet find their places.
func TestRegister(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root, registryFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, beside := range map[string]string{"aaa": "NewRegistry(\n\t\taaa.Adapter{},\n", "zzz": "\t\tzzz.Adapter{},\n\t)"} {
		got, err := register(source, name)
		if err != nil || !strings.Contains(string(got), beside) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

func TestRun(t *testing.T) {
	for _, args := range [][]string{{}, {"-register"}, {"a", "b"}, {"-help"}} {
		if err := run(args, new(bytes.Buffer), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "usage") {
			t.Errorf("%q: %v", args, err)
		}
	}
	if err := run([]string{"mastodon"}, new(bytes.Buffer), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("a platform that there is: %v", err)
	}
	if _, err := rootOf(t.TempDir()); err == nil {
		t.Error("no checkout at all passes")
	}
	text := after("owl", []string{"a"}, false)
	for _, want := range []string{"owl.Adapter{},", "| owl |", "ADDING-A-PLATFORM"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	if fmt.Sprint(after("owl", nil, true)) == text {
		t.Error("it asks for the line that it has written")
	}
}

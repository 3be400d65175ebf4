// Package docs_test holds the documentation to the code: what the program knows is documented, and the examples work.
package docs_test

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/schema"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// TestPostFields wants a section for every front-matter key, with its aliases and values, and none for anything else.
func TestPostFields(t *testing.T) {
	_, fields, ok := strings.Cut(read(t, "POSTS.md"), "\n## All fields\n")
	if !ok {
		t.Fatal("POSTS.md has no section \"All fields\"")
	}
	sections := map[string]string{}
	for _, s := range strings.Split(fields, "\n### ")[1:] {
		name, text, _ := strings.Cut(s, "\n")
		sections[strings.Trim(name, "`")] = text
	}
	for _, k := range content.Known() {
		text, ok := sections[k.Name]
		if !ok {
			t.Errorf("POSTS.md does not describe the field %q", k.Name)
			continue
		}
		delete(sections, k.Name)
		for _, word := range slices.Concat(k.Aliases, k.Values) {
			if !strings.Contains(text, "`"+word+"`") {
				t.Errorf("POSTS.md does not say that %q knows %q", k.Name, word)
			}
		}
		if _, said, _ := strings.Cut(text, "Default: "); strings.HasPrefix(said, "yes") != k.Default {
			t.Errorf("POSTS.md says of %q the contrary about site.yaml's defaults", k.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		t.Errorf("POSTS.md describes %q, which is no field", name)
	}
}

// keyRow is a row of SITE.md about a key, with the platforms of an account's option.
var keyRow = regexp.MustCompile("(?m)^\\| `([a-zA-Z_.]+)` \\| ([a-z]*(?:, [a-z]+)*)")

// TestSiteKeys wants a row for every key of site.yaml, and none for anything else.
func TestSiteKeys(t *testing.T) {
	reg := adapters.All()
	var root property
	if err := json.Unmarshal(schema.Site(reg), &root); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	root.keys("", "", known)

	var platforms []string
	for _, i := range reg.Infos() {
		platforms = append(platforms, string(i.ID))
	}
	page, _, ok := strings.Cut(read(t, "SITE.md"), "\n## Secrets\n")
	if !ok {
		t.Fatal("SITE.md has no section \"Secrets\"")
	}
	rows := map[string]bool{}
	for _, m := range keyRow.FindAllStringSubmatch(page, -1) {
		key := m[1]
		switch {
		case !strings.HasPrefix(key, "accounts.NAME."):
			rows[key] = true
		case slices.Contains(platforms, strings.Split(m[2], ", ")[0]):
			for _, p := range strings.Split(m[2], ", ") {
				rows[key+" "+p] = true
			}
		default: // all platforms
			for _, p := range platforms {
				rows[key+" "+p] = true
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if !rows[key] {
			t.Errorf("SITE.md has no row for %s", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if !known[key] {
			t.Errorf("SITE.md has a row for %s, which there is not", key)
		}
	}
}

// property is the part of a JSON Schema that says which keys there are.
type property struct {
	Const      string              `json:"const"`
	Properties map[string]property `json:"properties"`
	AnyOf      []property          `json:"anyOf"`
	Additional json.RawMessage     `json:"additionalProperties"`
}

// keys collects the paths of all keys below p; those of accounts with the platform that has them.
func (p property) keys(path, platform string, into map[string]bool) {
	if c := p.Properties["platform"].Const; c != "" {
		platform = c
	}
	for name, sub := range p.Properties {
		key := strings.TrimPrefix(path+"."+name, ".")
		if platform == "" || strings.HasPrefix(key, "notify.") { // NOTIFY.md tells channels apart
			into[key] = true
		} else {
			into[key+" "+platform] = true
		}
		sub.keys(key, platform, into)
	}
	for _, sub := range p.AnyOf {
		sub.keys(path, platform, into)
	}
	var each property
	if json.Unmarshal(p.Additional, &each) == nil {
		each.keys(path+".NAME", platform, into)
	}
}

// TestRecordFields wants every field and state of a ledger record in LEDGER.md.
func TestRecordFields(t *testing.T) {
	page := read(t, "LEDGER.md")
	record := reflect.TypeFor[ledger.Record]()
	for i := range record.NumField() {
		key, _, _ := strings.Cut(record.Field(i).Tag.Get("json"), ",")
		if key != "-" && !strings.Contains(page, "`"+key+"`") {
			t.Errorf("LEDGER.md does not describe the field %q of a record", key)
		}
	}
	for _, state := range ledger.States() {
		if !strings.Contains(page, "`"+string(state)+"`") {
			t.Errorf("LEDGER.md does not name the state %q", state)
		}
	}
	for format := range ledger.Format {
		if row := fmt.Sprintf("\n| %d | ", format+1); !strings.Contains(page, row) {
			t.Errorf("LEDGER.md does not say what format %d changed", format+1)
		}
	}
}

// TestLedgerFiles reads the files that LEDGER.md shows: they are as the program writes them, at the paths that the page names.
func TestLedgerFiles(t *testing.T) {
	page := read(t, "LEDGER.md")
	shown := func(heading string) []byte {
		_, rest, _ := strings.Cut(page, "\n## "+heading+"\n")
		_, rest, _ = strings.Cut(rest, "\n```json\n")
		file, _, ok := strings.Cut(rest, "```\n")
		if !ok {
			t.Fatalf("LEDGER.md shows no file under %q", heading)
		}
		return []byte(file)
	}
	same := func(name string, want, got []byte) {
		if string(want) != string(got) {
			t.Errorf("%s is written as\n%s\nand LEDGER.md shows\n%s", name, got, want)
		}
	}
	record := shown("A record")
	r, err := ledger.Decode(record)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range ledger.Validate(r) {
		t.Errorf("of the record, doctor says: %s", problem)
	}
	same("the record", record, r.Encode())
	if key := r.ID().Key(); key != r.Key {
		t.Errorf("the record's key is %s, want %s", r.Key, key)
	}
	for _, p := range []string{r.File(), ledger.SaidPath(r.Account, r.Words())} {
		if !strings.Contains(page, "\n"+p+" ") {
			t.Errorf("LEDGER.md does not list %s", p)
		}
	}
	file := shown("ledger.json")
	opening, err := ledger.DecodeOpening(file)
	if err != nil {
		t.Fatal(err)
	}
	same(ledger.OpeningFile, file, opening.Encode())
	file = shown("holds.json")
	holds, err := ledger.DecodeHolds(file)
	if err != nil {
		t.Fatal(err)
	}
	same(ledger.HoldsFile, file, ledger.EncodeHolds(holds))
}

// TestWaitStates wants every reason to wait, a string constant of package plan, in the pages about it.
func TestWaitStates(t *testing.T) {
	source := read(t, "../internal/plan/plan.go")
	states := waitState.FindAllStringSubmatch(source, -1)
	if len(states) < 15 {
		t.Fatalf("only %d states were found in package plan", len(states))
	}
	for _, page := range []string{"PUBLISHING.md", "JSON.md"} {
		text := read(t, page)
		for _, m := range states {
			if !strings.Contains(text, "`"+m[1]+"`") {
				t.Errorf("%s does not name the state %q", page, m[1])
			}
		}
	}
}

var waitState = regexp.MustCompile(`(?m)^\s*Wait\w+ +(?:WaitState )?= "(\w+)"`)

// examples returns the fenced blocks of a language in a page.
func examples(page, language string) (blocks []string) {
	fence := ""
	var block strings.Builder
	for line := range strings.Lines(page) {
		text := strings.TrimRight(line, "\n")
		switch {
		case fence != "" && text == fence:
			blocks = append(blocks, block.String())
			fence = ""
		case fence != "":
			block.WriteString(line)
		case text == "```"+language || text == "````"+language:
			fence = strings.TrimSuffix(text, language)
			block.Reset()
		}
	}
	return blocks
}

// TestPostExamples reads every post in POSTS.md and RENDERING.md.
func TestPostExamples(t *testing.T) {
	n := 0
	for _, page := range []string{"POSTS.md", "RENDERING.md"} {
		for _, src := range examples(read(t, page), "markdown") {
			if !strings.HasPrefix(src, "---\n") && !strings.HasPrefix(src, "+++\n") && !strings.HasPrefix(src, "{\n") {
				continue
			}
			n++
			_, found := content.Parse("content/example.md", []byte(src), nil, content.Options{})
			for _, f := range found {
				if f.Severity != finding.Info {
					t.Errorf("%s: line %d of an example: %s\n%s", page, f.Range.Start.Line, f.Message, src)
				}
			}
		}
	}
	_, fields, _ := strings.Cut(read(t, "POSTS.md"), "\n## All fields\n")
	for _, src := range examples(fields, "yaml") {
		n++
		_, found := content.Parse("content/example.md", []byte("---\n"+src+"---\nText\n"), nil, content.Options{})
		for _, f := range found {
			if f.Severity == finding.Error {
				t.Errorf("POSTS.md: %s: %s", strings.TrimSpace(src), f.Message)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d examples were found: are they still marked as markdown and yaml?", n)
	}
}

// TestSiteExamples reads every site.yaml in the pages.
func TestSiteExamples(t *testing.T) {
	pages, err := filepath.Glob("platforms/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, page := range append(pages, "SITE.md") {
		for _, src := range examples(read(t, page), "yaml") {
			if !strings.Contains(src, "accounts:") {
				continue
			}
			n++
			_, found := config.Parse(config.File, []byte(src), adapters.All())
			for _, f := range found {
				t.Errorf("%s: line %d of an example: %s\n%s", page, f.Range.Start.Line, f.Message, src)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d examples were found: are they still marked as yaml?", n)
	}
}

const module = "github.com/postrider/postrider"

var (
	required = regexp.MustCompile(`(?m)^(?:require )?\s*([a-z0-9.-]+\.[a-z]+/\S+|[a-z0-9.-]+\.[a-z]+/\S+) v[0-9]`)
	depRow   = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
)

// TestDependencies wants a row for every module that our own code imports, and none for any other.
func TestDependencies(t *testing.T) {
	var modules []string
	for _, m := range required.FindAllStringSubmatch(read(t, "../go.mod"), -1) {
		modules = append(modules, m[1])
	}
	if len(modules) < 5 {
		t.Fatalf("go.mod requires %d modules: is it read right?", len(modules))
	}
	imported, err := imports("..")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]string{}
	for path, file := range imported {
		best := ""
		for _, m := range modules {
			if (path == m || strings.HasPrefix(path, m+"/")) && len(m) > len(best) {
				best = m
			}
		}
		if best == "" {
			t.Errorf("%s imports %s, which is of no module in go.mod", file, path)
			continue
		}
		used[best] = file
	}
	rows := map[string]bool{}
	for _, m := range depRow.FindAllStringSubmatch(read(t, "DEPENDENCIES.md"), -1) {
		rows[m[1]] = true
	}
	for _, m := range slices.Sorted(maps.Keys(used)) {
		if !rows[m] {
			t.Errorf("DEPENDENCIES.md has no row for %s, which %s imports", m, used[m])
		}
	}
	for _, m := range slices.Sorted(maps.Keys(rows)) {
		if used[m] == "" {
			t.Errorf("DEPENDENCIES.md has a row for %s, which nothing imports", m)
		}
	}
}

// imports returns the packages of other modules that Go files below root import, each with one of the files.
func imports(root string) (map[string]string, error) {
	found := map[string]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := d.Name(); d.IsDir() && name != root && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && path != module && !strings.HasPrefix(path, module+"/") {
				found[path] = name
			}
		}
		return nil
	})
	return found, err
}

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codeSpan = regexp.MustCompile("`[^`\n]+`")
)

// TestLinks follows every link from one page of the project to another.
func TestLinks(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "platforms/*.md", "../*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	anchors := map[string]map[string]bool{}
	for _, page := range pages {
		for line := range strings.Lines(prose(read(t, page))) {
			for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
				if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
					continue
				}
				file, anchor, _ := strings.Cut(m[1], "#")
				target := page
				if file != "" {
					target = filepath.Join(filepath.Dir(page), filepath.FromSlash(file))
				}
				if _, err := os.Stat(target); err != nil {
					t.Errorf("%s: the link %q leads nowhere", page, m[1])
					continue
				}
				if anchor == "" {
					continue
				}
				if anchors[target] == nil {
					anchors[target] = headings(read(t, target))
				}
				if !anchors[target][anchor] {
					t.Errorf("%s: the link %q leads to a heading that is not there", page, m[1])
				}
			}
		}
	}
}

// prose returns a page without its fenced blocks.
func prose(page string) string {
	var b strings.Builder
	fence := ""
	for line := range strings.Lines(page) {
		text := strings.TrimSpace(line)
		switch {
		case fence != "":
			if text == fence {
				fence = ""
			}
		case strings.HasPrefix(text, "```"):
			fence = text[:len(text)-len(strings.TrimLeft(text, "`"))]
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}

// headings returns the anchors of a page's headings, as code hosts make them.
func headings(page string) map[string]bool {
	anchors := map[string]bool{}
	for line := range strings.Lines(prose(page)) {
		text := strings.TrimLeft(line, "#")
		if text == line || !strings.HasPrefix(text, " ") {
			continue
		}
		var b strings.Builder
		for _, r := range strings.ToLower(strings.TrimSpace(text)) {
			switch {
			case r == ' ':
				b.WriteByte('-')
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				b.WriteRune(r)
			}
		}
		anchors[b.String()] = true
	}
	return anchors
}

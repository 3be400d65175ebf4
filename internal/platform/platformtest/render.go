package platformtest

import (
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

var update = flag.Bool("update", false, "rewrite the goldens of renderings and requests")

func infoIsWellFormed(t *testing.T, s *Suite) {
	info := s.Adapter.Info()
	if !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(string(info.ID)) || info.Name == "" {
		t.Errorf("id %q, name %q", info.ID, info.Name)
	}
	isHTTPS(t, "DocsURL", info.DocsURL)
	seen := map[string]bool{}
	for _, l := range info.Limits {
		if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(l.Name) || seen[l.Name] || l.Max <= 0 || l.Unit == "" {
			t.Errorf("limit %+v", l)
		}
		seen[l.Name] = true
		isHTTPS(t, "limit "+l.Name, l.Doc)
		if day, err := time.Parse(time.DateOnly, l.Verified); err != nil || day.Year() < 2026 || day.Year() > 2099 {
			t.Errorf("limit %s was verified on %q", l.Name, l.Verified)
		}
	}
	for _, p := range info.Prices {
		if p.Name == "" || p.One == "" || p.Many == "" || p.USD <= 0 {
			t.Errorf("price %+v", p)
		}
		isHTTPS(t, "price "+p.Name, p.Doc)
		if day, err := time.Parse(time.DateOnly, p.Verified); err != nil || day.After(Clock()) {
			t.Errorf("price %s was verified on %q", p.Name, p.Verified)
		}
	}
	if _, charges := s.Adapter.(platform.Coster); charges != (len(info.Prices) > 0) {
		t.Errorf("it has %d prices, and tells what a post costs: %t", len(info.Prices), charges)
	}
	for _, spec := range info.Secrets {
		for _, name := range append([]string{spec.Name}, spec.Aliases...) {
			if !regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`).MatchString(name) {
				t.Errorf("secret %q", name)
			}
		}
		if !strings.HasSuffix(spec.Help, ".") {
			t.Errorf("the help of secret %s is no sentence: %q", spec.Name, spec.Help)
		}
	}
	functions := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type().Kind() == reflect.Func }, cmp.Ignore())
	if diff := cmp.Diff(info, s.Adapter.Info(), functions); diff != "" {
		t.Errorf("Info changes from call to call:\n%s", diff)
	}
}

func isHTTPS(t *testing.T, what, address string) {
	t.Helper()
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" {
		t.Errorf("%s is %q, want an https address", what, address)
	}
}

func optionsDescribeThemselves(t *testing.T, s *Suite) {
	info := s.Adapter.Info()
	a, b := reflect.ValueOf(info.NewOptions()), reflect.ValueOf(info.NewOptions())
	if a.Kind() != reflect.Pointer || a.Elem().Kind() != reflect.Struct || (a.Type().Elem().Size() > 0 && a.Pointer() == b.Pointer()) {
		t.Fatalf("NewOptions returns a %v, want a pointer to a fresh struct", a.Type())
	}
	for i := range a.Elem().NumField() {
		f := a.Elem().Type().Field(i)
		if f.Tag.Get("yaml") == "" || !strings.HasSuffix(f.Tag.Get("help"), ".") {
			t.Errorf("option %s has the tags %q, want yaml and help", f.Name, f.Tag)
		}
	}
	account := s.Account(GoldenBase)
	if reflect.TypeOf(account.Options) != a.Type() {
		t.Errorf("the account's options are a %T, want %v", account.Options, a.Type())
	}
	if v, ok := account.Options.(platform.OptionsValidator); ok {
		if problems := v.Validate(); len(problems) > 0 {
			t.Errorf("the account of the test is refused: %+v", problems)
		}
	}
}

// golden is what a file of testdata/golden holds.
type golden struct {
	Rendering   platform.Rendering `json:"rendering"`
	Fingerprint string             `json:"fingerprint"`
	Lengths     []length           `json:"lengths"`
	Findings    []findingLine      `json:"findings"`
}

type length struct {
	Used     int          `json:"used"`
	Max      int          `json:"max,omitempty"`
	Unit     measure.Unit `json:"unit,omitempty"`
	UsedByte int          `json:"used_byte,omitempty"`
	MaxByte  int          `json:"max_byte,omitempty"`
	AutoCut  bool         `json:"auto_cut,omitempty"`
}

type findingLine struct {
	Code     finding.Code     `json:"code"`
	Severity finding.Severity `json:"severity"`
	Message  string           `json:"message"`
	Hint     string           `json:"hint,omitempty"`
}

func renderingsMatchGoldens(t *testing.T, s *Suite) {
	dir := filepath.Join("testdata", "golden")
	account := s.Account(GoldenBase)
	var names []string
	for _, sample := range Corpus() {
		r, findings := s.Adapter.Render(s.variant(sample, account), account)
		g := golden{Rendering: r, Fingerprint: r.Fingerprint(), Findings: []findingLine{}}
		for _, p := range r.Parts {
			g.Lengths = append(g.Lengths, length{p.Used, p.Max, p.Unit, p.UsedByte, p.MaxByte, p.AutoCut})
		}
		for _, f := range findings {
			g.Findings = append(g.Findings, findingLine{f.Code, f.Severity, f.Message, f.Hint})
		}
		encoded, err := json.MarshalIndent(g, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		s.leaks(t, "the golden "+sample.Name, string(encoded))
		name := sample.Name + ".json"
		names = append(names, name)
		path := filepath.Join(dir, name)
		if *update {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, append(encoded, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v (go test -update writes it)", err)
			continue
		}
		if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), string(encoded)+"\n"); diff != "" {
			t.Errorf("%s (-golden +rendered; go test -update rewrites it):\n%s", name, diff)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) {
			t.Errorf("%s belongs to no sample", filepath.Join(dir, e.Name()))
		}
	}
}

func renderIsPure(t *testing.T, s *Suite) {
	account := s.Account(GoldenBase)
	for _, sample := range Corpus() {
		v := s.variant(sample, account)
		want, wantFindings := s.Adapter.Render(v, account)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				got, findings := s.Adapter.Render(v, account)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s renders differently the next time:\n%s", sample.Name, diff)
				}
				if diff := cmp.Diff(wantFindings, findings); diff != "" {
					t.Errorf("%s has other findings the next time:\n%s", sample.Name, diff)
				}
			})
		}
		wg.Wait()
		if diff := cmp.Diff(s.variant(sample, s.Account(GoldenBase)), v); diff != "" {
			t.Errorf("Render changed the post %s:\n%s", sample.Name, diff)
		}
		if diff := cmp.Diff(s.Account(GoldenBase), account); diff != "" {
			t.Fatalf("Render changed the account:\n%s", diff)
		}
	}
}

func partsAreWithinLimits(t *testing.T, s *Suite) {
	account := s.Account(GoldenBase)
	images := s.Adapter.Info().Limit("images")
	for _, sample := range Corpus() {
		r, findings := s.Adapter.Render(s.variant(sample, account), account)
		if findings.HasErrors() {
			continue
		}
		for i, p := range r.Parts {
			if (p.Max > 0 && p.Used > p.Max) || (p.MaxByte > 0 && p.UsedByte > p.MaxByte) || (images > 0 && len(p.Media) > images) {
				t.Errorf("%s, part %d: %d of %d %s, %d of %d bytes, %d media, and no finding", sample.Name, i, p.Used, p.Max, p.Unit, p.UsedByte, p.MaxByte, len(p.Media))
			}
			if !utf8.ValidString(p.Text) {
				t.Errorf("%s, part %d: %q is not UTF-8", sample.Name, i, p.Text)
			}
		}
	}
}

func facetsLieOnRunes(t *testing.T, s *Suite) {
	account := s.Account(GoldenBase)
	for _, sample := range Corpus() {
		r, _ := s.Adapter.Render(s.variant(sample, account), account)
		for i, p := range r.Parts {
			fits := func(start, end int) bool {
				return start >= 0 && start < end && end <= len(p.Text) && boundary(p.Text, start) && boundary(p.Text, end)
			}
			for _, f := range p.Facets {
				if !fits(f.Start, f.End) || f.Kind == "" {
					t.Errorf("%s, part %d: facet %+v in %q", sample.Name, i, f, p.Text)
				}
			}
			last := 0
			for _, span := range p.Spans {
				if !fits(span.Start, span.End) || span.Start < last {
					t.Errorf("%s, part %d: span %+v in %q", sample.Name, i, span, p.Text)
				}
				last = span.Start
			}
		}
	}
}

func boundary(s string, i int) bool { return i == len(s) || utf8.RuneStart(s[i]) }

func renderingsHaveParts(t *testing.T, s *Suite) {
	account := s.Account(GoldenBase)
	info := s.Adapter.Info()
	for _, sample := range Corpus() {
		r, findings := s.Adapter.Render(s.variant(sample, account), account)
		if len(r.Parts) == 0 || r.Platform != info.ID {
			t.Errorf("%s: %d parts for %q", sample.Name, len(r.Parts), r.Platform)
		}
		if len(r.Parts) > 1 && !info.Caps.Has(platform.CanThread) && !findings.HasErrors() {
			t.Errorf("%s: %d parts on a platform without threads, and no finding", sample.Name, len(r.Parts))
		}
		if costs := platform.CostOf(s.Adapter, account, &r); len(info.Prices) > 0 && len(costs) != len(r.Parts) {
			t.Errorf("%s: %d costs for %d parts", sample.Name, len(costs), len(r.Parts))
		}
		for _, f := range findings {
			if f.Code == "" || f.Message == "" {
				t.Errorf("%s: finding %+v has no code or message", sample.Name, f)
			}
		}
	}
}

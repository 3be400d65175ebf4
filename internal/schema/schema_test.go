package schema

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

var update = flag.Bool("update", false, "write the golden files")

// toy is a platform with an option of each kind.
type toy struct{ id platform.ID }

type toyOptions struct {
	Handle string            `yaml:"handle" help:"The name."`
	Server string            `yaml:"server,omitempty" help:"The server."`
	Kind   string            `yaml:"kind,omitempty" enum:"big,small" help:"A kind."`
	Wait   time.Duration     `yaml:"wait,omitempty" help:"A time."`
	Ratio  float64           `yaml:"ratio,omitempty" help:"A number."`
	Loud   *bool             `yaml:"loud,omitempty" help:"A switch."`
	Words  []string          `yaml:"words,omitempty" help:"Words."`
	Extra  map[string]string `yaml:"extra,omitempty" help:"More."`
	Limits struct {
		Text int `yaml:"text,omitempty" help:"Characters."`
	} `yaml:"limits,omitempty" help:"Limits."`
	Ignored string `yaml:"-"`
}

// serverOptions are those of a platform where only the server is needed.
type serverOptions struct {
	Server string `yaml:"server" help:"The server."`
}

func (t toy) Info() platform.Info {
	i := platform.Info{ID: t.id, Name: strings.ToUpper(string(t.id)), NewOptions: func() any { return new(toyOptions) }}
	if t.id == "x" {
		i.Prices = []platform.Price{{Name: "post", USD: 1}}
	}
	if t.id == "mastodon" {
		i.NewOptions = func() any { return new(serverOptions) }
	}
	return i
}

func (toy) Render(*post.Variant, *platform.Account) (platform.Rendering, finding.List) {
	return platform.Rendering{}, nil
}

func (toy) Open(*platform.Account, platform.Deps) (platform.Publisher, error) { return nil, nil }

func registry() *platform.Registry {
	return platform.NewRegistry(toy{"bluesky"}, toy{"mastodon"}, toy{"x"})
}

func TestGolden(t *testing.T) {
	for name, got := range map[string][]byte{"post": Post(), "site": Site(registry())} {
		golden := filepath.Join("testdata", name+".schema.json")
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", golden, diff)
		}
	}
}

// TestEveryKeyIsCovered: the reader and the schema know the same keys, also those below other keys.
func TestEveryKeyIsCovered(t *testing.T) {
	var s map[string]any
	if err := json.Unmarshal(Post(), &s); err != nil {
		t.Fatal(err)
	}
	properties := s["properties"].(map[string]any)
	for _, k := range content.Known() {
		if _, ok := properties[k.Name]; ok != k.Post {
			t.Errorf("%s: in the schema %t, want %t", k.Name, ok, k.Post)
		}
	}
	for _, key := range []string{"card", "poll", "media"} {
		for _, sub := range subkeys(properties[key]) {
			src := fmt.Sprintf("---\nid: a\n%s: {%s: x}\n---\nHi\n", key, sub)
			if key == "media" {
				src = fmt.Sprintf("---\nid: a\nmedia: [{%s: x}]\n---\nHi\n", sub)
			}
			_, found := content.Parse("content/a.md", []byte(src), nil, content.Options{})
			for _, f := range found {
				if strings.Contains(f.Message, "unknown") {
					t.Errorf("%s.%s is in the schema, but not read: %s", key, sub, f.Message)
				}
			}
		}
	}
}

// subkeys returns the properties below a schema, wherever they stand.
func subkeys(s any) (keys []string) {
	switch s := s.(type) {
	case map[string]any:
		if p, ok := s["properties"].(map[string]any); ok {
			keys = append(keys, slices.Sorted(maps.Keys(p))...)
		}
		for _, k := range slices.Sorted(maps.Keys(s)) {
			if k != "properties" {
				keys = append(keys, subkeys(s[k])...)
			}
		}
	case []any:
		for _, e := range s {
			keys = append(keys, subkeys(e)...)
		}
	}
	return keys
}

// TestSiteExamples: what the reader takes the schema takes, and of what the reader refuses for its shape it refuses the same.
func TestSiteExamples(t *testing.T) {
	const shapes = "S103 S104 S113 S114" // what a schema can know
	for _, d := range config.Docs() {
		for _, e := range []struct {
			src string
			ok  bool
		}{{d.Good, true}, {d.Bad, !strings.Contains(shapes, string(d.Code))}} {
			var doc any
			if e.src == "" || d.Code == config.CodeSyntax || d.Code == config.CodeRepeated || yaml.Load([]byte(e.src), &doc) != nil {
				continue
			}
			if d.Code == config.CodeName {
				continue // the name's pattern is the schema's too
			}
			err := validate(Site(registry()), doc)
			if (err == nil) != e.ok {
				t.Errorf("%s: the schema says %v of\n%s", d.Code, err, e.src)
			}
		}
	}
}

func TestExamples(t *testing.T) {
	post, site := Post(), Site(registry())
	for _, test := range []struct {
		schema []byte
		src    string
		ok     bool
	}{
		{post, "id: a\ntitle: 2026\nplatforms: [x]\npublish_at: \"2026-12-01 09:00\"\ntags: winter\nmedia: [a.png, {file: b.png, alt: b}]\nlate: hold\n", true},
		{post, "platforms: {x: true}\npoll: {options: [a, b], duration: 1d}\nmentions: {eva: {x: eva}}\ncard: {url: u, title: t}\n", true},
		{post, "overrides: {x: {title: t, text: other}}\nhashtags: [a]\n", true},
		{post, "overrides: {x: {id: b}}\n", false},
		{post, "platfroms: [x]\n", false},
		{post, "late: never\n", false},
		{post, "draft: maybe\n", false},
		{post, "text: x\n", false},
		{post, "card: {link: x}\n", false},
		{site, "accounts: {x: {handle: a}, other: {platform: bluesky, handle: b, kind: big, wait: 2d, extra: {a: b}, words: [c], limits: {text: 5}, loud: true, defaults: {language: en}}}\n", true},
		{site, "accounts: {x: {platform: x}}\n", false},
		{site, "accounts: {x: {platform: x, handle: a, kind: huge}}\n", false},
		{site, "accounts: {X: {platform: x, handle: a}}\n", false},
		{site, "hold: fire\nschedule: {quiet: '22:00-07:00', late: {after: 1d12h}, slots: {a: Mon-Fri 09:00}}\ncampaigns: {winter: {utm: {source: a}}, empty: }\nstyle: {require_alt: off}\n", true},
		{site, "schedule: {quiet: [night]}\n", false},
		{site, "schedule: {max_per_run: -1}\n", false},
		{site, "defaults: {publish_at: now}\n", false},
	} {
		var doc any
		if err := yaml.Load([]byte(test.src), &doc); err != nil {
			t.Fatal(err)
		}
		if err := validate(test.schema, doc); (err == nil) != test.ok {
			t.Errorf("the schema says %v of\n%s", err, test.src)
		}
	}
}

// validate judges a document by as much of JSON Schema as is used here.
func validate(schema []byte, doc any) error {
	var root map[string]any
	if err := json.Unmarshal(schema, &root); err != nil {
		return err
	}
	return valid(root, root, doc, "")
}

func valid(root, s map[string]any, v any, at string) error {
	if ref, ok := s["$ref"].(string); ok {
		return valid(root, root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any), v, at)
	}
	if types := s["type"]; types != nil {
		list, several := types.([]any)
		if !several {
			list = []any{types}
		}
		if !slices.ContainsFunc(list, func(t any) bool { return isType(t.(string), v) }) {
			return fmt.Errorf("%s is no %v", at, types)
		}
	}
	if want, ok := s["const"]; ok && want != v {
		return fmt.Errorf("%s is not %v", at, want)
	}
	if list, ok := s["enum"].([]any); ok && !slices.Contains(list, v) {
		return fmt.Errorf("%s is not one of %v", at, list)
	}
	if text, isText := v.(string); isText && s["pattern"] != nil && !regexp.MustCompile(s["pattern"].(string)).MatchString(text) {
		return fmt.Errorf("%s does not match %v", at, s["pattern"])
	}
	if least, ok := s["minimum"].(float64); ok && isType("integer", v) && float64(reflect.ValueOf(v).Int()) < least {
		return fmt.Errorf("%s is too small", at)
	}
	if list, ok := s["anyOf"].([]any); ok {
		var errs []string
		for _, alternative := range list {
			err := valid(root, alternative.(map[string]any), v, at)
			if err == nil {
				errs = nil
				break
			}
			errs = append(errs, err.Error())
		}
		if errs != nil {
			return fmt.Errorf("%s fits none: %s", at, strings.Join(errs, "; "))
		}
	}
	if items, ok := s["items"].(map[string]any); ok {
		if list, isList := v.([]any); isList {
			for i, e := range list {
				if err := valid(root, items, e, fmt.Sprintf("%s[%d]", at, i)); err != nil {
					return err
				}
			}
		}
	}
	m, isMap := v.(map[string]any)
	if !isMap {
		return nil
	}
	if list, ok := s["required"].([]any); ok {
		for _, key := range list {
			if _, given := m[key.(string)]; !given {
				return fmt.Errorf("%s lacks %v", at, key)
			}
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for key, e := range m {
		if n, ok := s["propertyNames"].(map[string]any); ok {
			if err := valid(root, n, key, at+"."+key); err != nil {
				return err
			}
		}
		if p, ok := properties[key].(map[string]any); ok {
			if err := valid(root, p, e, at+"."+key); err != nil {
				return err
			}
			continue
		}
		switch more := s["additionalProperties"].(type) {
		case bool:
			if !more {
				return fmt.Errorf("%s.%s is unknown", at, key)
			}
		case map[string]any:
			if err := valid(root, more, e, at+"."+key); err != nil {
				return err
			}
		}
	}
	return nil
}

func isType(name string, v any) bool {
	switch v.(type) {
	case string, time.Time: // YAML's days are texts to a schema
		return name == "string"
	case bool:
		return name == "boolean"
	case int, int64:
		return name == "integer" || name == "number"
	case float64:
		return name == "number"
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	case nil:
		return name == "null"
	default:
		return false
	}
}

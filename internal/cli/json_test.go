package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// docs/JSON.md promises every key that a verb prints, and marks those that may be missing.
func TestJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/JSON.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[reflect.Type]bool{}
	for _, v := range []any{
		length{}, jsonDoc{}, jsonCards{}, jsonRender{}, jsonPlatforms{}, jsonAction{}, jsonWaiting{}, jsonReport{}, jsonRecord{}, jsonHolds{}, jsonAdopt{}, jsonDryRun{}, jsonDoctor{}, jsonNotify{}, version{}, platform.Facet{},
	} {
		documented(t, string(page), reflect.TypeOf(v), seen)
	}
	var keys map[string]any
	full := finding.Finding{Code: "T1", Path: "p", Post: "p", Account: "a", Hint: "h"}
	full.Range = finding.Range{Start: finding.Pos{Line: 1, Column: 1}, End: finding.Pos{Line: 1, Column: 2}}
	if b, err := json.Marshal(full); err != nil || json.Unmarshal(b, &keys) != nil {
		t.Fatal(err)
	}
	for key := range keys {
		if !strings.Contains(string(page), `"`+key+`"`) {
			t.Errorf("docs/JSON.md does not have the key %q of a finding", key)
		}
	}
}

func documented(t *testing.T, page string, typ reflect.Type, seen map[reflect.Type]bool) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ] || typ == reflect.TypeFor[jsonTime]() || typ == reflect.TypeFor[finding.Finding]() {
		return
	}
	seen[typ] = true
	for i := range typ.NumField() {
		f := typ.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous {
			documented(t, page, f.Type, seen)
			continue
		}
		if key == "" {
			t.Errorf("%s.%s has no key", typ, f.Name)
		} else if !strings.Contains(page, `"`+key+`"`) {
			t.Errorf("docs/JSON.md does not have the key %q of %s", key, typ)
		}
		documented(t, page, f.Type, seen)
	}
}

// Whatever is missing, a list is [] and never null.
func TestEmptyJSON(t *testing.T) {
	var out bytes.Buffer
	a := &app{Env: Env{Stdout: &out}}
	for _, v := range []any{
		lengths{}, cardsJSON(nil, false), explainJSON(nil), platformsJSON([]platform.Info{{}}), jsonRender{Renderings: []jsonRendering{}}, waitingJSON(nil), actionsJSON(nil), partsJSON(nil), recordsJSON(nil), holdsJSON(nil, &config.Site{}), adoptionsJSON(nil),
		renderingJSON(&post.Variant{}, &platform.Rendering{Parts: []platform.Part{{}}, Poll: &platform.Poll{}}),
	} {
		if err := a.printJSON(v); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(out.String(), "null") {
		t.Errorf("there is a null in\n%s", out.String())
	}
}

func TestJSONTime(t *testing.T) {
	b, err := json.Marshal(struct {
		A jsonTime `json:"a,omitzero"`
		B jsonTime `json:"b,omitzero"`
	}{B: jsonTime{time.Date(2026, 12, 1, 9, 0, 0, 999, time.FixedZone("", 3600))}})
	if want := `{"b":"2026-12-01T09:00:00+01:00"}`; err != nil || string(b) != want {
		t.Errorf("%s, %v, want %s", b, err, want)
	}
}

package ledger

import (
	"bytes"
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

	"github.com/postrider/postrider/internal/platform"
)

var update = flag.Bool("update", false, "write docs/ledger.schema.json")

// schema is the part of JSON Schema that the ledger needs.
// https://json-schema.org/draft/2020-12/json-schema-core (2026-11-21)
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	AnyOf       []*schema          `json:"anyOf,omitempty"`
	Type        string             `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Enum        []any              `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Minimum     *int               `json:"minimum,omitempty"`
	MinItems    int                `json:"minItems,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Additional  any                `json:"additionalProperties,omitempty"` // false, or the *schema of all values of a map
	Defs        map[string]*schema `json:"$defs,omitempty"`
}

// defs names the structs of the ledger's files.
var defs = map[reflect.Type]string{
	reflect.TypeFor[Record](): "record", reflect.TypeFor[Attempt](): "attempt", reflect.TypeFor[Lease](): "lease", reflect.TypeFor[Part](): "part",
	reflect.TypeFor[Charge](): "charge", reflect.TypeFor[Opening](): "opening", reflect.TypeFor[Hold](): "hold", reflect.TypeFor[holdsFile](): "holds",
	reflect.TypeFor[Told](): "told", reflect.TypeFor[ToldItem](): "told_item", reflect.TypeFor[Telling](): "telling",
	reflect.TypeFor[platform.Rendering](): "rendering", reflect.TypeFor[platform.Part](): "rendering_part", reflect.TypeFor[platform.Facet](): "facet",
	reflect.TypeFor[platform.Media](): "media", reflect.TypeFor[platform.Fit](): "fit", reflect.TypeFor[platform.Card](): "card", reflect.TypeFor[platform.Poll](): "poll",
}

// about says of definitions and fields what their types do not.
var about = map[string]schema{
	"record":              {Description: "What is known of one post on one account. Its path is STATE/POST@ACCOUNT.json, with a shard and a mark where LEDGER.md says so."},
	"record.version":      {Description: "of this file", Enum: []any{1}},
	"record.post":         {Description: "the post's id", Pattern: `^[A-Za-z0-9][A-Za-z0-9_.-]*$`},
	"record.account":      {Description: "the account's name in site.yaml", Pattern: `^[a-z0-9][a-z0-9_-]*$`},
	"record.occurrence":   {Description: "of a repeated post: its time in UTC", Pattern: `^[0-9]{8}T[0-9]{6}Z$`},
	"record.platform":     {Description: "the network"},
	"record.path":         {Description: "the post's file"},
	"record.title":        {Description: "the post's title"},
	"record.campaign":     {Description: "the post's campaign"},
	"record.state":        {Description: "where the delivery stands"},
	"record.op":           {Description: "what is, or was last, being done; empty when nothing ever was"},
	"record.key":          {Description: "the idempotency key, the same for every attempt", Pattern: `^[a-z2-7]{26}$`},
	"record.at":           {Description: "when it was first intended; ids on some networks are made of it"},
	"record.due":          {Description: "when it was meant to go out"},
	"record.published_at": {Description: "when it went out"},
	"record.withdrawn_at": {Description: "when it was taken down"},
	"record.retry_at":     {Description: "when it is tried again"},
	"record.fingerprint":  {Description: "SHA-256, in hexadecimal, of what is out or being sent; empty when that is not one rendering"},
	"record.said":         {Description: "a digest of its words alone: texts, link cards, polls; of its pictures where there are none"},
	"record.source":       {Description: "a digest of the file and its media that the fingerprint was rendered from"},
	"record.commit":       {Description: "the content commit"},
	"record.parts":        {Description: "what exists on the network, in order"},
	"record.doubles":      {Description: "what exists beside it: evidence that something went out twice"},
	"record.rendering":    {Description: "what the fingerprint stands for, until the delivery is settled"},
	"record.anchors":      {Description: "by number of the part, the id under which the network keeps what was prepared, until the delivery is settled"},
	"record.lease":        {Description: "which run is at work on it"},
	"record.allowed":      {Description: "whose word it is that it goes out although late or a repeat"},
	"record.note":         {Description: "a person's reason"},
	"record.unsure":       {Description: "it was due before the ledger began, and may have gone out unknown to it"},
	"record.attempts":     {Description: "every try; the first and the latest 19"},

	"attempt":             {Description: "One try. Two with one number are of publishers that did not know of each other, or two accounts of how one ended."},
	"attempt.n":           {Description: "from 1", Minimum: new(1)},
	"attempt.op":          {Description: "what was tried"},
	"attempt.run":         {Description: "which run it was, or by whose hand"},
	"attempt.started":     {},
	"attempt.ended":       {},
	"attempt.outcome":     {Description: "missing while it runs", Enum: enum(outcomes())},
	"attempt.fingerprint": {Description: "of what was to be out then"},
	"attempt.error":       {Description: "why it failed"},
	"attempt.charge":      {Description: "on networks that charge for posts: what it has cost or, as long as nobody knows how it ended, may have cost"},
	"charge":              {Description: "What a network is estimated to charge."},
	"charge.month":        {Description: "of the calendar in the site's time zone", Pattern: `^[0-9]{4}-[0-9]{2}$`},
	"charge.micro_usd":    {Description: "millionths of a US dollar", Minimum: new(int)},
	"lease":               {Description: "While it lasts, no other run touches the delivery."},
	"lease.run":           {},
	"lease.until":         {},
	"lease.owner":         {Description: "the process, where the system tells whether it lives"},
	"part":                {Description: "One part of a post as it exists on the network."},
	"part.id":             {Description: "what the network's API calls it"},
	"part.url":            {Description: "where people see it"},
	"part.part":           {Description: "from 0", Minimum: new(0)},
	"part.version":        {Description: "what the network says of its state"},
	"part.text":           {Description: "what was sent"},

	"opening":        {Title: "ledger.json", Description: "What the ledger is, and since when it knows everything that goes out."},
	"opening.format": {Description: "of the whole ledger", Minimum: new(2)},
	"opening.began":  {Description: "what was due before may have gone out unknown to the ledger"},
	"opening.commit": {Description: "the tip of the publishing branch then"},
	"holds":          {Title: "holds.json", Description: "The emergency stops that are on."},
	"holds.holds":    {MinItems: 1},
	"hold":           {},
	"hold.scope":     {Description: "all, or the name of an account, a platform or a campaign"},
	"hold.reason":    {},
	"hold.by":        {Description: "who pulled it"},
	"hold.at":        {},

	"told":                 {Title: "told.json", Description: "What people were told of, of what is open."},
	"told.items":           {},
	"told.issue":           {Description: "the digest of what the open issue on the code host lists"},
	"told.status":          {Description: "the digest of the commit whose status on the code host was set last, and of what was open there"},
	"told_item":            {},
	"told_item.what":       {Description: "failed, unknown, attention or held"},
	"told_item.post":       {Description: "absent of something about a whole run"},
	"told_item.account":    {},
	"told_item.occurrence": {},
	"told_item.since":      {Description: "when a run came upon it first"},
	"told_item.channels":   {Description: "those that were told, by their names"},
	"telling":              {Description: "When a channel was told, or that a run is about to tell it."},
	"telling.at":           {},
	"telling.run":          {},
	"telling.until":        {Description: "set while that run is at it"},

	"rendering":       {Description: "Exactly what is sent; the fingerprint is made of it."},
	"rendering.parts": {MinItems: 1},
}

func enum(words []string) (list []any) {
	for _, w := range words {
		list = append(list, w)
	}
	return list
}

// schemaOf writes the schema of all files of the ledger.
func schemaOf() []byte {
	root := &schema{
		Schema: "https://json-schema.org/draft/2020-12/schema", Title: "Postrider ledger", Defs: map[string]*schema{},
		Description: "The JSON files of a ledger: records, ledger.json, holds.json and told.json. docs/LEDGER.md tells the rest.",
		AnyOf:       []*schema{{Ref: "#/$defs/record"}, {Ref: "#/$defs/opening"}, {Ref: "#/$defs/holds"}, {Ref: "#/$defs/told"}},
	}
	for _, t := range []reflect.Type{reflect.TypeFor[Record](), reflect.TypeFor[Opening](), reflect.TypeFor[holdsFile](), reflect.TypeFor[Told]()} {
		root.define(t)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (root *schema) define(t reflect.Type) {
	name, ok := defs[t]
	if !ok {
		panic(fmt.Sprintf("%v has no name", t))
	}
	if root.Defs[name] != nil {
		return
	}
	s := about[name]
	s.Type, s.Properties, s.Additional = "object", map[string]*schema{}, false
	root.Defs[name] = &s
	for _, f := range reflect.VisibleFields(t) {
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || key == "-" || key == "" {
			continue
		}
		p := about[name+"."+key]
		root.describe(&p, f.Type)
		s.Properties[key] = &p
		if !strings.Contains(options, "omit") {
			s.Required = append(s.Required, key)
		}
	}
}

func (root *schema) describe(s *schema, t reflect.Type) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		s.Type, s.Format = "string", "date-time"
	case t == reflect.TypeFor[State]():
		s.Type = "string"
		for _, state := range States() {
			s.Enum = append(s.Enum, string(state))
		}
	case t == reflect.TypeFor[Op]():
		s.Type = "string"
		for _, op := range append(ops(), "") {
			s.Enum = append(s.Enum, string(op))
		}
	case t.Kind() == reflect.Pointer:
		root.describe(s, t.Elem())
	case t.Kind() == reflect.Struct:
		root.define(t)
		s.Ref = "#/$defs/" + defs[t]
	case t.Kind() == reflect.Slice:
		s.Type, s.Items = "array", &schema{}
		root.describe(s.Items, t.Elem())
	case t.Kind() == reflect.Map: // whose keys are texts in JSON, whatever they are here
		values := &schema{}
		root.describe(values, t.Elem())
		s.Type, s.Additional = "object", values
	case t.Kind() == reflect.String:
		s.Type = "string"
	case t.Kind() == reflect.Bool:
		s.Type = "boolean"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		s.Type = "integer"
	default:
		panic(fmt.Sprintf("no schema for %v", t))
	}
}

// TestSchema holds the published schema to the code: every field is in it, and nothing else.
func TestSchema(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "ledger.schema.json")
	want := schemaOf()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil { //nolint:gosec // a page of the documentation
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/ledger.schema.json is not what the code says; go test ./internal/ledger -update writes it:\n%s", diff)
	}
	var root schema
	if err := json.Unmarshal(want, &root); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(about)) {
		def, field, ok := strings.Cut(name, ".")
		if s := root.Defs[def]; s == nil || ok && s.Properties[field] == nil {
			t.Errorf("%s is described and does not exist", name)
		}
	}
	for _, def := range []string{"record", "attempt", "lease", "part", "opening", "holds", "hold", "told", "told_item", "telling"} {
		for _, field := range slices.Sorted(maps.Keys(root.Defs[def].Properties)) {
			if _, ok := about[def+"."+field]; !ok {
				t.Errorf("%s.%s is not described", def, field)
			}
		}
	}
}

// TestFilesFollowTheSchema checks files as they are written against the published schema.
func TestFilesFollowTheSchema(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "ledger.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(b, &root); err != nil {
		t.Fatal(err)
	}
	full := sample()
	full.State, full.Campaign, full.Said, full.Note, full.Allowed, full.Unsure = Sending, "winter", strings.Repeat("5", 32), "why", "Ada", true
	full.Occurrence, full.RetryAt, full.WithdrawnAt = "20261201T080000Z", t0, t0
	full.Doubles = []Part{remotePart(0, "again")}
	full.Parts[0].Version, full.Attempts[0].Error, full.Attempts[0].Fingerprint = "v", "no", "ab"
	full.Lease = &Lease{Run: "r", Until: t0, Owner: "linux:1:2"}
	full.Rendering = &platform.Rendering{
		Platform: "bluesky", Parts: []platform.Part{{
			Text: "Hello", Facets: []platform.Facet{{End: 5, Kind: platform.FacetLink, Value: "https://x.example"}}, Media: []platform.Media{{Path: "a.png", Width: 1}},
			Card: &platform.Card{URL: "https://x.example", Image: &platform.Media{Path: "b.png"}},
		}}, Language: []string{"en"}, Poll: &platform.Poll{Options: []string{"a", "b"}, Duration: time.Hour},
	}
	skipped := sample()
	skipped.State, skipped.Op, skipped.Attempts, skipped.Parts = Skipped, "", nil, nil
	for _, tt := range []struct {
		name, def string
		file      []byte
	}{
		{"a published record", "record", sample().Encode()},
		{"a record with everything", "record", full.Encode()},
		{"a skipped record", "record", skipped.Encode()},
		{"an opening", "opening", Opening{Format: Format, Began: t0, Commit: "c0ffee"}.Encode()},
		{"holds", "holds", EncodeHolds([]Hold{{Scope: ScopeAll, Reason: "fire", By: "Ada", At: t0}, {Scope: "winter", Reason: "wrong", At: t0}})},
		{"what was told", "told", EncodeTold(toldSample())},
	} {
		var v any
		if err := json.Unmarshal(tt.file, &v); err != nil {
			t.Fatal(err)
		}
		for _, problem := range root.check(root.Defs[tt.def], v, "") {
			t.Errorf("%s: %s", tt.name, problem)
		}
	}
	// The checker itself must find something.
	for wrong, part := range map[string]string{
		`{"version": 2}`: "version: 2 is none of", `{"version": 1}`: "post is missing", `{"post": "a/b"}`: "post: \"a/b\" does not match",
		`{"parts": [{"id": 1}]}`: "parts[0].id: is no string", `{"colour": "red"}`: "colour is not known", `{"at": "today"}`: "at: \"today\" is no time",
		`{"attempts": [{"n": 0}]}`: "attempts[0].n: 0 is below 1", `[]`: "is no object",
	} {
		var v any
		if err := json.Unmarshal([]byte(wrong), &v); err != nil {
			t.Fatal(err)
		}
		if problems := strings.Join(root.check(root.Defs["record"], v, ""), "\n"); !strings.Contains(problems, part) {
			t.Errorf("%s: %s; want %q among them", wrong, problems, part)
		}
	}
}

// valuesOf returns the schema of all values of a map as it was read, nil where there is none.
func valuesOf(additional any) *schema {
	if _, ok := additional.(map[string]any); !ok {
		return nil
	}
	b, err := json.Marshal(additional)
	if err != nil {
		return nil
	}
	var s schema
	if json.Unmarshal(b, &s) != nil {
		return nil
	}
	return &s
}

// check validates a value, as far as the ledger's schema goes.
func (root *schema) check(s *schema, v any, at string) (problems []string) {
	add := func(format string, args ...any) {
		problems = append(problems, strings.TrimPrefix(at+": "+fmt.Sprintf(format, args...), ": "))
	}
	if s.Ref != "" {
		return root.check(root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")], v, at)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		add("%v is none of %v", v, s.Enum)
	}
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			add("is no %s", s.Type)
			return problems
		}
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				add("%s is missing", name)
			}
		}
		for name, value := range v {
			if p := s.Properties[name]; p != nil {
				problems = append(problems, root.check(p, value, strings.TrimPrefix(at+"."+name, "."))...)
			} else if values := valuesOf(s.Additional); values != nil {
				problems = append(problems, root.check(values, value, strings.TrimPrefix(at+"."+name, "."))...)
			} else {
				add("%s is not known", name)
			}
		}
	case []any:
		if s.Type != "array" {
			add("is no %s", s.Type)
			return problems
		}
		if len(v) < s.MinItems {
			add("%d are too few", len(v))
		}
		for i, value := range v {
			problems = append(problems, root.check(s.Items, value, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case string:
		if s.Type != "string" {
			add("is no %s", s.Type)
			return problems
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			add("%q does not match %s", v, s.Pattern)
		}
		if _, err := time.Parse(time.RFC3339, v); s.Format == "date-time" && err != nil {
			add("%q is no time", v)
		}
	case float64:
		if s.Type != "integer" {
			add("is no %s", s.Type)
		} else if s.Minimum != nil && v < float64(*s.Minimum) {
			add("%v is below %d", v, *s.Minimum)
		}
	case bool:
		if s.Type != "boolean" {
			add("is no %s", s.Type)
		}
	default:
		add("is %v", v)
	}
	return problems
}

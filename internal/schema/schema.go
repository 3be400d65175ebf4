// Package schema describes posts and site.yaml as JSON Schema (draft 2020-12), so that editors complete keys and mark
// mistakes while somebody types. The schemas follow from what the readers themselves go by: content's catalogue of
// front-matter keys, and the tags of the configuration's and the adapters' structs.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

// Post returns the schema of a post's front matter, as indented JSON.
func Post() []byte {
	s := fields(func(k content.Key) bool { return k.Post })
	s.Title = "Postrider post"
	s.Description = "The front matter of a post."
	s.Defs = map[string]*node{"override": fields(func(k content.Key) bool { return k.Override })}
	return s.document()
}

// Site returns the schema of site.yaml with the options of every platform of the registry, as indented JSON.
func Site(reg *platform.Registry) []byte {
	s := structure(reflect.TypeFor[config.Site](), reg)
	s.Title = "Postrider site"
	s.Description = "site.yaml: accounts, campaigns, schedule and house rules. Secrets never stand here."
	s.Defs = map[string]*node{"fields": fields(func(k content.Key) bool { return k.Default }), "utm": utmRule()}
	return s.document()
}

// node is the part of JSON Schema that is needed here.
// https://json-schema.org/draft/2020-12/json-schema-core (2026-11-21)
type node struct {
	Schema      string           `json:"$schema,omitempty"`
	Ref         string           `json:"$ref,omitempty"`
	Title       string           `json:"title,omitempty"`
	Description string           `json:"description,omitempty"`
	Deprecated  bool             `json:"deprecated,omitempty"`
	Type        any              `json:"type,omitempty"` // a name, or several
	Const       string           `json:"const,omitempty"`
	Enum        []any            `json:"enum,omitempty"`
	Pattern     string           `json:"pattern,omitempty"`
	Minimum     *int             `json:"minimum,omitempty"`
	Items       *node            `json:"items,omitempty"`
	Properties  map[string]*node `json:"properties,omitempty"`
	Required    []string         `json:"required,omitempty"`
	Names       *node            `json:"propertyNames,omitempty"`
	Additional  any              `json:"additionalProperties,omitempty"` // a *node, or false where nothing but Properties may stand
	AnyOf       []*node          `json:"anyOf,omitempty"`
	Defs        map[string]*node `json:"$defs,omitempty"`
}

func (s *node) document() []byte {
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		panic("schema: a schema always marshals: " + err.Error())
	}
	return b.Bytes()
}

// text is a text; a number is taken as it is written.
func text() *node                       { return &node{Type: []string{"string", "number"}} }
func words() *node                      { return &node{Type: "string"} }
func boolean() *node                    { return &node{Type: "boolean"} }
func anyOf(alternatives ...*node) *node { return &node{AnyOf: alternatives} }
func listOf(items *node) *node          { return &node{Type: "array", Items: items} }
func listOrOne(items *node) *node       { return anyOf(listOf(items), items) }
func mapOf(values *node) *node          { return &node{Type: "object", Additional: values} }

// object is a mapping with these keys and no others.
func object(properties map[string]*node, required ...string) *node {
	return &node{Type: "object", Properties: properties, Required: required, Additional: false}
}

// fields describes a mapping of those front-matter keys that may stand in some place.
func fields(in func(content.Key) bool) *node {
	s := object(map[string]*node{})
	for _, k := range content.Known() {
		if !in(k) {
			continue
		}
		v := shape(k)
		v.Description = k.Help
		s.Properties[k.Name] = v
		for _, alias := range k.Aliases {
			other := shape(k)
			other.Description, other.Deprecated = "Another spelling of "+k.Name+".", true
			s.Properties[alias] = other
		}
	}
	return s
}

// shape describes the values of a front-matter key.
func shape(k content.Key) *node {
	file := func() *node { return anyOf(words(), object(map[string]*node{"file": words(), "alt": text()}, "file")) }
	switch k.Shape {
	case content.ShapeBool:
		return boolean()
	case content.ShapeEnum:
		return &node{Type: "string", Enum: values(k.Values)}
	case content.ShapeNames:
		return anyOf(listOf(text()), text(), mapOf(boolean()))
	case content.ShapeList:
		return listOrOne(text())
	case content.ShapeMedia:
		return anyOf(listOf(file()), words())
	case content.ShapeCard:
		return object(map[string]*node{"url": words(), "title": text(), "description": text(), "image": file(), "alt": text()})
	case content.ShapePoll:
		return anyOf(listOf(text()), object(map[string]*node{"options": listOf(text()), "duration": text(), "multiple": boolean(), "hide_totals": boolean()}, "options"))
	case content.ShapeMentions:
		return mapOf(mapOf(text()))
	case content.ShapeFields:
		return mapOf(&node{Ref: "#/$defs/override"})
	case content.ShapeText, content.ShapeMarkdown, content.ShapeTime:
		return text()
	}
	panic(fmt.Sprintf("schema: no form for the shape of key %q", k.Name))
}

func values(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

// structure describes a configuration struct by its yaml, help and enum tags.
func structure(t reflect.Type, reg *platform.Registry) *node {
	s := object(map[string]*node{})
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "-" || key == "" || !f.IsExported() {
			continue
		}
		v := form(f.Type, reg)
		if allowed := f.Tag.Get("enum"); allowed != "" {
			v = &node{Type: "string", Enum: values(strings.Split(allowed, ","))}
			if strings.Contains(","+allowed+",", ",off,") { // which editors that go by YAML 1.1 read as false
				v = &node{Enum: append(v.Enum, false)}
			}
		}
		v.Description = f.Tag.Get("help")
		s.Properties[key] = v
	}
	return s
}

// names is the pattern of the names of accounts and campaigns.
const names = "^[a-z0-9][a-z0-9_-]*$"

// form describes the values of a type.
func form(t reflect.Type, reg *platform.Registry) *node {
	one := 1
	switch t {
	case reflect.TypeFor[[]platform.Account]():
		v := mapOf(account(reg))
		v.Names = &node{Pattern: names}
		return v
	case reflect.TypeFor[[]config.Campaign]():
		v := mapOf(anyOf(structure(t.Elem(), reg), &node{Type: "null"}))
		v.Names = &node{Pattern: names}
		return v
	case reflect.TypeFor[[]config.Slot]():
		return mapOf(&node{Type: "string", Pattern: `^([A-Za-z,-]+ )?[0-9]{1,2}:[0-9]{2}$`})
	case reflect.TypeFor[[]config.Window]():
		return listOrOne(&node{Type: "string", Pattern: `^([A-Za-z,-]+ )?[0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}$`})
	case reflect.TypeFor[config.Hold]():
		return anyOf(structure(t, reg), words())
	case reflect.TypeFor[config.Approval]():
		return anyOf(structure(t, reg), boolean(), &node{Type: "integer", Minimum: &one})
	case reflect.TypeFor[config.People]():
		return anyOf(boolean(), &node{Type: "integer", Minimum: &one})
	case reflect.TypeFor[config.Notify]():
		return anyOf(structure(t, reg), listOf(words()))
	case reflect.TypeFor[[]config.Channel]():
		v := mapOf(channel(reg))
		v.Names = &node{Pattern: names}
		return v
	case reflect.TypeFor[config.What]():
		v := &node{Type: "string"}
		for _, w := range config.Whats() {
			v.Enum = append(v.Enum, string(w))
		}
		return v
	case reflect.TypeFor[config.Issue]():
		return anyOf(structure(t, reg), boolean())
	case reflect.TypeFor[utm.Rule]():
		return &node{Ref: "#/$defs/utm"}
	case reflect.TypeFor[post.Fields]():
		return &node{Ref: "#/$defs/fields"}
	case reflect.TypeFor[time.Time]():
		return &node{Type: "string", Pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`}
	case reflect.TypeFor[time.Duration]():
		return &node{Type: []string{"string", "integer"}, Pattern: `^([0-9]+(\.[0-9]+)?[a-zµ]+)+$|^0$`}
	}
	switch t.Kind() {
	case reflect.String:
		return text()
	case reflect.Bool:
		return boolean()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &node{Type: "integer", Minimum: new(int)}
	case reflect.Float32, reflect.Float64:
		return &node{Type: "number"}
	case reflect.Pointer:
		return form(t.Elem(), reg)
	case reflect.Slice:
		return listOrOne(form(t.Elem(), reg))
	case reflect.Map:
		return mapOf(form(t.Elem(), reg))
	case reflect.Struct:
		return structure(t, reg)
	}
	panic(fmt.Sprintf("schema: no form for %s", t))
}

// utmRule describes a rule for UTM parameters.
func utmRule() *node {
	s := object(map[string]*node{})
	for _, name := range utm.Names() {
		s.Properties[name] = text()
		s.Properties[name].Description = "The parameter utm_" + name + "; empty: none."
	}
	s.Properties["hosts"] = listOrOne(words())
	s.Properties["hosts"].Description = "The hosts whose links get them, with all below, such as acme.example. Left out: all."
	return s
}

// account describes an account: one alternative for each platform, told apart by `platform:`.
func account(reg *platform.Registry) *node {
	s := &node{Type: "object"}
	for _, info := range reg.Infos() {
		one := object(map[string]*node{})
		if info.NewOptions != nil {
			options := reflect.TypeOf(info.NewOptions()).Elem()
			one = structure(options, reg)
			for i := range options.NumField() {
				if key, flags, _ := strings.Cut(options.Field(i).Tag.Get("yaml"), ","); key != "" && key != "-" && flags != "omitempty" {
					one.Required = append(one.Required, key)
				}
			}
		}
		one.Title = info.Name
		one.Properties["platform"] = &node{Const: string(info.ID), Description: "The platform that the account is on."}
		one.Properties["defaults"] = &node{Ref: "#/$defs/fields", Description: "Front matter that every post to this account starts from."}
		one.Properties["utm"] = &node{Ref: "#/$defs/utm", Description: "UTM parameters that links on this account get, instead of what the campaign says."}
		one.Properties["require_approval"] = form(reflect.TypeFor[config.People](), reg)
		one.Properties["require_approval"].Description = "How many people must have approved what goes to this account: true, false or a number, instead of what the site says."
		if len(info.Prices) > 0 {
			one.Properties["monthly_cap"] = &node{
				Type: []string{"string", "number"}, Pattern: `^(\$?[0-9]+(\.[0-9]{1,6})?|[0-9]+(\.[0-9]{1,6})? ?USD)$`,
				Description: "The most that posts may cost in a month of the calendar, estimated, in US dollars, such as 25 or 12.50 USD; what would go beyond waits.",
			}
		}
		if info.TokensEnd {
			day := form(reflect.TypeFor[time.Time](), reg)
			day.Description = "The day on which the account's token dies, as YYYY-MM-DD: check, doctor and the preview say what lies beyond it."
			one.Properties["token_expires"] = day
		}
		s.AnyOf = append(s.AnyOf, one)
	}
	return s
}

// channel describes where people are told: on an account of the site, or one alternative for each platform on which they can be.
func channel(reg *platform.Registry) *node {
	common := func(n *node) *node {
		n.Properties["what"] = listOrOne(form(reflect.TypeFor[config.What](), reg))
		n.Properties["what"].Description = "What people are told of there. Left out: notify.what."
		n.Properties["mention"] = listOrOne(text())
		n.Properties["mention"].Description = "Who is called, as the channel spells it."
		return n
	}
	account := common(object(map[string]*node{"account": {Type: "string", Description: "An account of the site that is the channel."}}, "account"))
	s := &node{AnyOf: []*node{account}}
	for _, a := range reg.Channels() {
		info := a.Info()
		options := reflect.TypeOf(info.NewOptions()).Elem()
		one := common(structure(options, reg))
		one.Title = info.Name
		for i := range options.NumField() {
			if key, flags, _ := strings.Cut(options.Field(i).Tag.Get("yaml"), ","); key != "" && key != "-" && flags != "omitempty" {
				one.Required = append(one.Required, key)
			}
		}
		one.Properties["platform"] = &node{Const: string(info.ID), Description: "The platform that the channel is on."}
		s.AnyOf = append(s.AnyOf, one)
	}
	return s
}

package cli

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

func (a *app) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "schema [post|site]",
		GroupID: groupKnow,
		Short:   "JSON Schema of a post's front matter or of site.yaml, for editors",
		Long: `Schema prints a JSON Schema (draft 2020-12), from which editors complete keys and mark mistakes.
"postrider check" knows more than a schema can say.`,
		Example: `  postrider schema site > site.schema.json    # then, as the first line of site.yaml:
                                              # yaml-language-server: $schema=site.schema.json
  postrider schema post > post.schema.json`,
		ValidArgs: []string{"post", "site"},
		Args:      argsBetween(0, 1, `"post" or "site"`),
		RunE: func(cmd *cobra.Command, args []string) error {
			what := "post"
			if len(args) == 1 {
				what = args[0]
			}
			var s *schema
			switch what {
			case "post":
				s = postSchema()
			case "site":
				s = siteSchema(a.Registry)
			default:
				return usagef(cmd, `takes "post" or "site", not %q`, what)
			}
			s.Schema = "https://json-schema.org/draft/2020-12/schema"
			e := json.NewEncoder(a.Stdout)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(s)
		},
	}
	cmd.Flags().Bool("json", true, "the output is always JSON")
	cmd.Flags().Lookup("json").Hidden = true
	return cmd
}

// schema is the part of JSON Schema that is needed here.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Deprecated  bool               `json:"deprecated,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Type        any                `json:"type,omitempty"`
	Const       any                `json:"const,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Minimum     *int               `json:"minimum,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Names       *schema            `json:"propertyNames,omitempty"`
	// Additional is a *schema, or false where nothing but Properties may stand.
	Additional any                `json:"additionalProperties,omitempty"`
	AnyOf      []*schema          `json:"anyOf,omitempty"`
	OneOf      []*schema          `json:"oneOf,omitempty"`
	Defs       map[string]*schema `json:"$defs,omitempty"`
}

// The simplest schemas, each a fresh value.
func textSchema() *schema { return &schema{Type: "string"} }
func boolSchema() *schema { return &schema{Type: "boolean"} }
func anyOf(s ...*schema) *schema {
	return &schema{AnyOf: s}
}
func listOf(s *schema) *schema { return &schema{Type: "array", Items: s} }

// object is a mapping with these keys and no others.
func object(properties map[string]*schema, required ...string) *schema {
	return &schema{Type: "object", Properties: properties, Required: required, Additional: false}
}

// mapOf is a mapping of any names.
func mapOf(values *schema) *schema { return &schema{Type: "object", Additional: values} }

// postSchema describes the front matter of a post.
func postSchema() *schema {
	s := fieldsSchema(func(k content.Key) bool { return k.Post })
	s.Title = "Postrider post"
	s.Description = "The front matter of a post."
	s.Defs = map[string]*schema{"override": fieldsSchema(func(k content.Key) bool { return k.Override })}
	return s
}

// fieldsSchema describes a mapping of those front-matter keys that stand in some place.
func fieldsSchema(in func(content.Key) bool) *schema {
	s := object(map[string]*schema{})
	for _, k := range content.Known() {
		if !in(k) {
			continue
		}
		v := shapeSchema(k)
		v.Description = k.Help
		s.Properties[k.Name] = v
		for _, alias := range k.Aliases {
			other := shapeSchema(k)
			other.Description, other.Deprecated = "Another spelling of "+k.Name+".", true
			s.Properties[alias] = other
		}
	}
	return s
}

// shapeSchema describes the values of a front-matter key.
func shapeSchema(k content.Key) *schema {
	file := func() *schema { return textSchema() }
	switch k.Shape {
	case content.ShapeBool:
		return boolSchema()
	case content.ShapeEnum:
		return &schema{Type: "string", Enum: k.Values}
	case content.ShapeNames:
		return anyOf(listOf(textSchema()), textSchema(), mapOf(boolSchema()))
	case content.ShapeList:
		return anyOf(listOf(textSchema()), textSchema())
	case content.ShapeMedia:
		one := anyOf(file(), object(map[string]*schema{"file": file(), "alt": textSchema()}, "file"))
		return anyOf(listOf(one), file())
	case content.ShapeCard:
		return object(map[string]*schema{
			"url": textSchema(), "title": textSchema(), "description": textSchema(),
			"image": anyOf(file(), object(map[string]*schema{"file": file(), "alt": textSchema()}, "file")),
		})
	case content.ShapePoll:
		return anyOf(listOf(textSchema()), object(map[string]*schema{
			"options": listOf(textSchema()), "duration": anyOf(textSchema(), &schema{Type: "integer"}),
			"multiple": boolSchema(), "hide_totals": boolSchema(),
		}, "options"))
	case content.ShapeMentions:
		return mapOf(mapOf(textSchema()))
	case content.ShapeFields:
		return mapOf(&schema{Ref: "#/$defs/override"})
	case content.ShapeText, content.ShapeMarkdown, content.ShapeTime:
		return textSchema()
	}
	panic(fmt.Sprintf("cli: no schema for shape %d of %q", k.Shape, k.Name))
}

// siteSchema describes site.yaml with the options of every platform.
func siteSchema(reg *platform.Registry) *schema {
	s := structSchema(reflect.TypeFor[config.Site](), reg)
	s.Title = "Postrider site"
	s.Description = "site.yaml: accounts, campaigns, schedule and house rules. Secrets never stand here."
	s.Defs = map[string]*schema{
		"fields":   fieldsSchema(func(k content.Key) bool { return k.Default }),
		"override": fieldsSchema(func(k content.Key) bool { return k.Override }),
	}
	return s
}

// structSchema describes a configuration struct by its yaml, help and enum tags.
func structSchema(t reflect.Type, reg *platform.Registry) *schema {
	s := object(map[string]*schema{})
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "-" || key == "" || !f.IsExported() {
			continue
		}
		v := typeSchema(f.Type, reg)
		if values := f.Tag.Get("enum"); values != "" {
			v.Enum = strings.Split(values, ",")
		}
		v.Description = f.Tag.Get("help")
		s.Properties[key] = v
	}
	return s
}

func typeSchema(t reflect.Type, reg *platform.Registry) *schema {
	switch t {
	case reflect.TypeFor[[]platform.Account]():
		v := mapOf(accountSchema(reg))
		v.Names = &schema{Pattern: "^[a-z0-9][a-z0-9_-]*$"}
		return v
	case reflect.TypeFor[[]config.Campaign]():
		v := mapOf(structSchema(t.Elem(), reg))
		v.Names = &schema{Pattern: "^[a-z0-9][a-z0-9_-]*$"}
		return v
	case reflect.TypeFor[[]config.Slot]():
		return mapOf(textSchema())
	case reflect.TypeFor[[]config.Window]():
		return anyOf(listOf(textSchema()), textSchema())
	case reflect.TypeFor[post.Fields]():
		return &schema{Ref: "#/$defs/fields"}
	case reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration]():
		return textSchema()
	}
	switch t.Kind() {
	case reflect.String:
		return textSchema()
	case reflect.Bool:
		return boolSchema()
	case reflect.Int, reflect.Int64:
		return &schema{Type: "integer", Minimum: new(int)}
	case reflect.Slice:
		return anyOf(listOf(typeSchema(t.Elem(), reg)), typeSchema(t.Elem(), reg))
	case reflect.Map:
		return mapOf(typeSchema(t.Elem(), reg))
	case reflect.Struct:
		return structSchema(t, reg)
	}
	panic(fmt.Sprintf("cli: no schema for %s", t))
}

// accountSchema describes an account: one alternative for each platform, told apart by `platform:`.
func accountSchema(reg *platform.Registry) *schema {
	s := &schema{Type: "object"}
	for _, info := range reg.Infos() {
		one := object(map[string]*schema{})
		if info.NewOptions != nil {
			options := reflect.TypeOf(info.NewOptions()).Elem()
			one = structSchema(options, reg)
			for i := range options.NumField() {
				if key, flags, _ := strings.Cut(options.Field(i).Tag.Get("yaml"), ","); key != "" && flags != "omitempty" {
					one.Required = append(one.Required, key)
				}
			}
		}
		one.Title = info.Name
		one.Properties["platform"] = &schema{Const: string(info.ID), Description: "The platform that the account is on."}
		one.Properties["defaults"] = &schema{Ref: "#/$defs/fields", Description: "Front matter that every post to this account starts from."}
		s.AnyOf = append(s.AnyOf, one)
	}
	return s
}

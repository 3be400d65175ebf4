package cli

import (
	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/schema"
)

func (a *app) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "schema [post|site]",
		GroupID: groupKnow,
		Short:   "JSON Schema of a post's front matter or of site.yaml, for editors",
		Long: `Schema prints a JSON Schema (draft 2020-12) of a post's front matter or of site.yaml, from which
editors complete keys and mark mistakes. "postrider check" knows more than a schema can say.

An editor with a YAML language server takes it from the first line of site.yaml:
# yaml-language-server: $schema=site.schema.json`,
		Example: `  postrider schema site > site.schema.json
  postrider schema post > post.schema.json`,
		ValidArgs: []string{"post", "site"},
		Args:      argsBetween(0, 1, `"post" or "site"`),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 || args[0] == "post":
				a.printf("%s", schema.Post())
			case args[0] == "site":
				a.printf("%s", schema.Site(a.Registry))
			default:
				return usagef(cmd, `takes "post" or "site", not %q`, args[0])
			}
			return nil
		},
	}
	cmd.Flags().Bool("json", true, "the output is always JSON")
	cmd.Flags().Lookup("json").Hidden = true
	return cmd
}

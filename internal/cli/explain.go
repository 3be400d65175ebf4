package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/finding"
)

func (a *app) explainCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "explain [CODE]",
		GroupID: groupWrite,
		Short:   "Why check reports a finding, with examples",
		Long: `Explain tells why a finding matters, and shows an example that has it and one that does not.
Without a code it lists all.`,
		Example: `  postrider explain T201
  postrider explain`,
		Args: argsBetween(0, 1, "one code"),
		RunE: func(_ *cobra.Command, args []string) error {
			docs := check.Catalogue(a.Registry)
			if len(args) == 1 {
				doc, ok := check.Explain(a.Registry, args[0])
				if !ok {
					var codes []string
					for _, d := range docs {
						codes = append(codes, string(d.Code))
					}
					return &usageError{msg: fmt.Sprintf("unknown code %q", args[0]), hint: suggestion(args[0], codes, "`postrider explain` lists all codes")}
				}
				docs = []finding.Doc{doc}
			}
			switch {
			case asJSON:
				return a.printJSON(explainJSON(docs))
			case len(args) == 1:
				a.printf("%s", docs[0].Text())
				return nil
			}
			w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
			for _, d := range docs {
				fmt.Fprintf(w, "%s\t%s\t%s\n", d.Code, d.Severity, d.Title) //nolint:errcheck // see stickyWriter
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// jsonDoc is the documentation of a code, in the shape that docs/JSON.md promises.
type jsonDoc struct {
	Code     finding.Code     `json:"code"`
	Title    string           `json:"title"`
	Severity finding.Severity `json:"severity"`
	Why      string           `json:"why"`
	Bad      string           `json:"bad"`
	Good     string           `json:"good"`
	Since    string           `json:"since"`
}

func explainJSON(docs []finding.Doc) any {
	out := struct {
		Codes []jsonDoc `json:"codes"`
	}{[]jsonDoc{}}
	for _, d := range docs {
		out.Codes = append(out.Codes, jsonDoc(d))
	}
	return out
}

package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

func (a *app) platformsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "platforms [PLATFORM]",
		GroupID: groupKnow,
		Short:   "What each network can do, its limits and its secrets",
		Long: `Platforms lists the networks that this version knows, what each can do, and which
secrets an account needs. With a name it shows that one in full: every limit with the page that
states it and the day on which that was checked.`,
		Example: `  postrider platforms
  postrider platforms bluesky
  postrider platforms --json | jq '.platforms[].limits'`,
		Args: argsBetween(0, 1, "one platform"),
		RunE: func(_ *cobra.Command, args []string) error {
			infos := a.Registry.Infos()
			if len(args) == 1 {
				info, err := a.platform(args[0])
				if err != nil {
					return err
				}
				infos = []platform.Info{info}
			}
			switch {
			case asJSON:
				return a.printJSON(platformsJSON(infos))
			case len(args) == 1:
				return a.platformDetails(infos[0])
			default:
				return a.platformTable(infos)
			}
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// The shape that docs/JSON.md promises.
type (
	jsonPlatforms struct {
		Platforms []jsonPlatform `json:"platforms"`
	}
	jsonPlatform struct {
		ID           platform.ID  `json:"id"`
		Name         string       `json:"name"`
		Docs         string       `json:"docs,omitempty"`
		Limits       []jsonLimit  `json:"limits"`
		Capabilities []string     `json:"capabilities"`
		Secrets      []jsonSecret `json:"secrets"`
		Prices       []jsonPrice  `json:"prices,omitempty"`
	}
	jsonLimit struct {
		Name     string       `json:"name"`
		Max      int          `json:"max"`
		Unit     measure.Unit `json:"unit"`
		Doc      string       `json:"doc"`
		Verified string       `json:"verified"`
		Note     string       `json:"note,omitempty"`
	}
	jsonPrice struct {
		Name     string       `json:"name"`
		What     string       `json:"what"`
		USD      platform.USD `json:"micro_usd"`
		Doc      string       `json:"doc"`
		Verified string       `json:"verified"`
		Note     string       `json:"note,omitempty"`
	}
	jsonSecret struct {
		Name     string   `json:"name"`
		Env      string   `json:"env"`
		Aliases  []string `json:"aliases"`
		Help     string   `json:"help"`
		Optional bool     `json:"optional,omitempty"`
	}
)

// accountInEnv stands for an account's name in the names of environment variables.
const accountInEnv = "<ACCOUNT>"

func secretEnv(spec platform.SecretSpec) string {
	return strings.Replace(platform.EnvName("A", spec.Name), "_A_", "_"+accountInEnv+"_", 1)
}

func platformsJSON(infos []platform.Info) jsonPlatforms {
	out := jsonPlatforms{Platforms: []jsonPlatform{}}
	for _, info := range infos {
		p := jsonPlatform{
			ID: info.ID, Name: info.Name, Docs: info.DocsURL,
			Limits: limitsJSON(info.Limits), Capabilities: info.Caps.Names(), Secrets: []jsonSecret{},
		}
		for _, s := range info.Secrets {
			p.Secrets = append(p.Secrets, jsonSecret{
				Name: s.Name, Env: secretEnv(s), Aliases: list(s.Aliases), Help: s.Help, Optional: s.Optional,
			})
		}
		for _, x := range info.Prices {
			p.Prices = append(p.Prices, jsonPrice{x.Name, x.One, x.USD, x.Doc, x.Verified, x.Note})
		}
		out.Platforms = append(out.Platforms, p)
	}
	return out
}

// platformTable prints one line a platform.
func (a *app) platformTable(infos []platform.Info) error {
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PLATFORM\tTEXT\tIMAGES\tCAN") //nolint:errcheck // see stickyWriter
	for _, info := range infos {
		text, images := "no limit", "-"
		for _, l := range info.Limits {
			switch l.Name {
			case "text":
				text = fmt.Sprintf("%d %s", l.Max, l.Unit)
			case "images":
				images = fmt.Sprint(l.Max)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", info.ID, text, images, strings.Join(info.Caps.Names(), ", ")) //nolint:errcheck // see stickyWriter
	}
	return w.Flush()
}

// platformDetails prints everything about one platform.
func (a *app) platformDetails(info platform.Info) error {
	s := a.stdoutStyle()
	a.printf("%s (%s)\n", s.bold(info.Name), info.ID)
	a.printf("can: %s\n", strings.Join(info.Caps.Names(), ", "))
	if len(info.Limits) > 0 {
		a.printf("\n%s\n", s.bold("Limits"))
		w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
		for _, l := range info.Limits {
			fmt.Fprintf(w, "  %s\t%d %s\tchecked %s\t%s\n", l.Name, l.Max, l.Unit, l.Verified, l.Doc) //nolint:errcheck // see stickyWriter
			if l.Note != "" {
				fmt.Fprintf(w, "  \t(%s)\n", l.Note) //nolint:errcheck // see stickyWriter
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if len(info.Prices) > 0 {
		a.printf("\n%s, in US dollars (USD); `monthly_cap:` in site.yaml bounds what posts cost\n", s.bold("Prices"))
		w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
		for _, p := range info.Prices {
			fmt.Fprintf(w, "  %s\t%s\tchecked %s\t%s\n", p.One, p.USD, p.Verified, p.Doc) //nolint:errcheck // see stickyWriter
			if p.Note != "" {
				fmt.Fprintf(w, "  \t(%s)\n", p.Note) //nolint:errcheck // see stickyWriter
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if len(info.Secrets) > 0 {
		a.printf("\n%s, where to get them: %s\n", s.bold("Secrets"), info.DocsURL)
		for _, spec := range info.Secrets {
			need := ""
			if spec.Optional {
				need = " (optional)"
			}
			a.printf("  %s%s\n      %s\n", secretEnv(spec), need, spec.Help)
			if len(spec.Aliases) > 0 {
				a.printf("      with one account of the platform also %s\n", strings.Join(spec.Aliases, ", "))
			}
		}
	}
	return nil
}

func limitsJSON(limits []platform.Limit) []jsonLimit {
	out := []jsonLimit{}
	for _, l := range limits {
		out = append(out, jsonLimit(l))
	}
	return out
}

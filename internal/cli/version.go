package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// projectURL is where the program comes from.
const projectURL = "https://github.com/postrider/postrider"

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		GroupID: groupKnow,
		Short:   "The version of this program",
		Long: `Version prints which build of the program this is, and what it was built with. --version prints the same
line.`,
		Example: "  postrider version --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if asJSON {
				return a.printJSON(v)
			}
			a.printf("%s\n", v)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// version is what is known of the running program.
type version struct {
	Version  string `json:"version"` // "v0.1.0", or "devel"
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a work tree with changes
	Go       string `json:"go"`
	Platform string `json:"platform"` // "linux/amd64"
}

// String returns the version as one line.
func (v version) String() string {
	s := "postrider " + v.Version
	if v.Revision != "" {
		s += " " + v.Revision[:min(len(v.Revision), 12)]
		if v.Modified {
			s += "+changes"
		}
	}
	return fmt.Sprintf("%s (%s, %s)", s, v.Go, v.Platform)
}

// buildVersion reads what the Go toolchain wrote into the program.
func buildVersion() version {
	v := version{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

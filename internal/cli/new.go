package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/draft"
)

func (a *app) newCommand() *cobra.Command {
	var o struct {
		draft.Request
		json  bool
		idFor string
	}
	cmd := &cobra.Command{
		Use:     "new TITLE",
		GroupID: groupWrite,
		Short:   "Start a post from a template",
		Long: `New writes a post to content/YYYY/MM/, by the date of --at or else today's, and prints its path.
The post has an id of its own, so that it is known after a rename, and is a draft until you take
"draft: true" out. A site's own templates/post.md replaces the built-in template, and --template NAME
takes templates/posts/NAME.md instead.

--at takes a time as front matter does ("2026-12-01 09:00", in the site's time zone unless it
carries an offset) or the name of a slot in site.yaml, whose next time after now it then is.

--id-for FILE writes into an existing post, as one line, the id that it has gone by so far: the
rest of the file stays as it is, byte for byte.`,
		Example: `  postrider new "Winter launch"
  postrider new "Winter launch" --platforms x,bluesky --at "2026-12-01 09:00" --campaign winter
  $EDITOR "$(postrider new 'Winter launch' --bundle)"
  postrider new --id-for content/2026/old-post.md`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := exclusive(cmd, "id-for", "platforms", "at", "campaign", "template", "bundle"); err != nil {
				return err
			}
			if cmd.Flags().Changed("id-for") {
				return noArgs(cmd, args)
			}
			return argsBetween(1, 1, `one title (in quotes: "Winter launch")`)(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := a.safeSiteDir()
			if err != nil {
				return err
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				return err
			}
			defer root.Close() //nolint:errcheck // what was written is closed
			var file, id string
			if o.idFor != "" {
				if file, err = a.path(dir, o.idFor); err == nil {
					id, err = draft.PinID(root, file)
				}
			} else {
				o.Title = args[0]
				file, id, err = a.newPost(root, dir, o.Request)
			}
			if err != nil {
				return draftError(err)
			}
			if o.json {
				return a.printJSON(struct {
					Post string `json:"post"`
					Path string `json:"path"`
				}{id, file})
			}
			a.printf("%s\n", a.shown(filepath.Join(dir, filepath.FromSlash(file))))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringSliceVarP(&o.Platforms, "platforms", "p", nil, "`NAMES` of accounts or platforms, separated by commas")
	f.StringVar(&o.PublishAt, "at", "", "when it goes out: a `TIME` or the name of a slot")
	f.StringVar(&o.Campaign, "campaign", "", "`NAME` of the campaign that it belongs to")
	f.StringVar(&o.Kind, "template", "", "`NAME` of a template in templates/posts")
	f.BoolVar(&o.Bundle, "bundle", false, "make a folder with index.md, to hold its pictures as well")
	f.StringVar(&o.idFor, "id-for", "", "give the post in `FILE` its id as a line of front matter")
	f.BoolVar(&o.json, "json", false, "print the post's id and path as one JSON object")
	return cmd
}

// newPost writes a new post to a site.
func (a *app) newPost(root *os.Root, dir string, r draft.Request) (file, id string, err error) {
	cfg, err := a.readConfig(dir)
	if err != nil {
		return "", "", err
	}
	return draft.New(root, cfg, r, draft.Surroundings{Now: a.Now(), Rand: a.Rand})
}

// draftError says what kind of mistake it was that nothing was written for.
func draftError(err error) error {
	if e, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		return &usageError{msg: err.Error(), hint: e.Hint()}
	}
	if errors.Is(err, draft.ErrNoTitle) {
		return &usageError{msg: err.Error()}
	}
	return err
}

// suggestion is a hint for an unknown name: the nearest one, else what follows.
func suggestion(name string, known []string, otherwise string) string {
	if near := content.Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// oneOf phrases the names that there are: "the formats are json, text".
func oneOf(what string, names []string) string {
	if len(names) == 0 {
		return what + " none"
	}
	return what + " " + strings.Join(names, ", ")
}

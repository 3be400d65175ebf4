// Package draft writes posts: new ones from a template, and into existing ones the id that they have gone by or a new
// time; and beside them the files of their link cards. It is the only writer of a site's files.
//
// What people wrote stays as they wrote it. An edit is one line, or one value on a line, in the file's own language,
// line endings and style; the result is read again before it is written, and what reads differently from what was meant
// is refused. A file that cannot be changed this way is left alone, and a [RefusedError] says why.
//
// Files are reached through an [os.Root], so no name and no symbolic link leads out of the site.
package draft

import (
	"errors"
	"fmt"
	"strings"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/site"
)

// ErrNoTitle says that a new post has no title to be named after.
var ErrNoTitle = errors.New("the title is empty")

// AccountError says that a new post is to go to an account that the site does not have.
type AccountError struct {
	Name  string
	Known []string // what it may be: accounts and platforms
}

// Error implements error.
func (e *AccountError) Error() string {
	return fmt.Sprintf("the site has no account %q, and no account on a platform of that name", e.Name)
}

// Hint says what the name may be.
func (e *AccountError) Hint() string { return suggest(e.Name, e.Known, "site.yaml has") }

// CampaignError says that a new post is to belong to a campaign that the site does not define.
type CampaignError struct {
	Name  string
	Known []string
}

// Error implements error.
func (e *CampaignError) Error() string {
	return fmt.Sprintf("site.yaml defines no campaign %q", e.Name)
}

// Hint says what the name may be.
func (e *CampaignError) Hint() string { return suggest(e.Name, e.Known, "it defines") }

// KindError says that a site has no template of a name.
type KindError struct {
	Name  string
	Known []string // see [Kinds]
}

// Error implements error.
func (e *KindError) Error() string { return fmt.Sprintf("the site has no template %q", e.Name) }

// Hint says what the name may be.
func (e *KindError) Hint() string { return suggest(e.Name, e.Known, "there are") }

// TemplateError says that a template is broken.
type TemplateError struct {
	Name string // of its file: "templates/post.md"
	Line int    // 0 when it is not known
	Err  error  // names file and line too
}

// Error implements error.
func (e *TemplateError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TemplateError) Unwrap() error { return e.Err }

// Hint says what a template may use.
func (e *TemplateError) Hint() string {
	return "a template of a post may use {{.ID}}, {{yaml .Title}}, .Platforms, .PublishAt and .Campaign"
}

// NoIDError says that a template makes posts without the id that they are to have.
type NoIDError struct {
	Template string // its file
}

// Error implements error.
func (e *NoIDError) Error() string {
	return fmt.Sprintf("the site's %s does not write the id", e.Template)
}

// Hint says what is missing.
func (e *NoIDError) Hint() string { return "it needs a line `id: {{.ID}}` in its front matter" }

// InputError says that a new post could not be read, such as for a time that is none.
type InputError struct {
	Finding finding.Finding // its place is in a file that was never written
}

// Error implements error.
func (e *InputError) Error() string { return e.Finding.Message }

// Hint says what to do about it.
func (e *InputError) Hint() string { return e.Finding.Hint }

// Reason is why a file was left as it is.
type Reason uint8

// The reasons.
const (
	Unread     Reason = iota // it cannot be opened; RefusedError.Err says more
	NotFile                  // it is a folder, a symbolic link or a device
	TooLarge                 // it is larger than a post may be
	NotPost                  // it is not a Markdown file below the content folder
	Unreadable               // its front matter cannot be read; RefusedError.Finding says more
	HasID                    // it has an id already
	BadID                    // it has an id that is not valid
	Changed                  // it is not what the caller has seen: somebody else has written it meanwhile
	Present                  // it is there already, and does not belong to what is to be written
	NoHeader                 // it has no front matter to write into
	Twice                    // a key of its front matter is set twice; RefusedError.Finding says which
	Override                 // RefusedError.Detail names an account or platform with a time of its own
	Intricate                // its time is written in a way that is not one plain value; RefusedError.Detail says how
	Misfit                   // the new time is not possible in it; RefusedError.Finding may say more
)

// RefusedError says that a file was left as it is, and why.
type RefusedError struct {
	Path    string
	Reason  Reason
	Detail  string
	Finding finding.Finding // what reading the file, or what it would have become, has found
	Err     error
}

// Error implements error.
func (e *RefusedError) Error() string {
	switch e.Reason {
	case Unread:
		return fmt.Sprintf("cannot read the post: %v", e.Err)
	case NotFile:
		return fmt.Sprintf("%q is not a file", e.Path)
	case TooLarge:
		return fmt.Sprintf("%q is too large for a post", e.Path)
	case NotPost:
		return fmt.Sprintf("%q is not a post", e.Path)
	case Unreadable:
		return fmt.Sprintf("the front matter of %q cannot be read, so nothing was changed", e.Path)
	case HasID:
		return fmt.Sprintf("%q has an id already: %s", e.Path, e.Detail)
	case BadID:
		return fmt.Sprintf("%q has an id, but it is not a valid one", e.Path)
	case Changed:
		return fmt.Sprintf("%q has changed meanwhile, so nothing was written", e.Path)
	case Present:
		return fmt.Sprintf("%q is there already, so nothing was written", e.Path)
	case NoHeader:
		return fmt.Sprintf("%q has no front matter to write a time into", e.Path)
	case Twice:
		return fmt.Sprintf("the front matter of %q sets a key twice, so nothing was changed", e.Path)
	case Override:
		return fmt.Sprintf("%q has a time of its own for %s, so there is not one time to change", e.Path, e.Detail)
	case Intricate:
		return fmt.Sprintf("the time in %q %s, so nothing was changed", e.Path, e.Detail)
	default:
		if e.Finding.Message != "" {
			return fmt.Sprintf("the new time does not fit into %q: %s", e.Path, e.Finding.Message)
		}
		return fmt.Sprintf("the new time does not fit into %q: %s", e.Path, e.Detail)
	}
}

// Unwrap returns the cause, if there is one.
func (e *RefusedError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *RefusedError) Hint() string {
	switch e.Reason {
	case NotFile:
		return "name the post's own file, not a folder or a link to it"
	case NotPost:
		return "posts are the .md files in " + site.ContentDir + "/"
	case BadID:
		return "`postrider check` shows what is wrong with it"
	case Changed:
		return "look at it again, and then decide"
	case NoHeader:
		return "begin the file with a line ---, publish_at: and the time, and a line ---"
	case Present:
		return "move it away, or name it in a card of your own"
	case Override, Intricate:
		return "write the time into the file by hand"
	case Misfit:
		return e.Finding.Hint
	}
	if e.Finding.Message == "" {
		return ""
	}
	return fmt.Sprintf("line %d: %s", max(1, e.Finding.Range.Start.Line), e.Finding.Message)
}

// suggest is a hint for an unknown name: the nearest one, else all that there are.
func suggest(name string, known []string, there string) string {
	if near := content.Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(known) == 0 {
		return there + " none"
	}
	return there + " " + strings.Join(known, ", ")
}

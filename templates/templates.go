// Package templates holds the files that new sites, new posts and the preview's pages are made from.
//
// A site may have a file of the same name in a templates folder of its own, which then counts instead.
package templates

import "embed"

// Post is the name of the template of a new post: Go's text/template with ID, Title, Platforms, PublishAt and
// Campaign, and the function yaml, which writes a value as YAML on one line. A site may have more of them in posts.
const Post = "post.md"

// Init is the folder of what `postrider init` writes. Its files are templates too, with Title, Timezone and
// Secrets; their names are those in [InitFiles].
const Init = "init"

// Preview is the folder of the templates that pages are made from, html/template files whose names end in ".html"; Assets is that of
// the style sheets, scripts and drawings that they refer to.
const (
	Preview = "preview"
	Assets  = "assets"
)

// CI is the folder of the workflows that `postrider init --ci` writes, with a folder for each code host. They are templates whose actions stand
// in [[ and ]], since {{ and }} mean something in workflows; what they share is in install.yml.
const CI = "ci"

// Files holds all templates.
//
//go:embed post.md init ci preview assets
var Files embed.FS

// InitFile is a file of a new site.
type InitFile struct {
	Template string // its name in [Files]
	Path     string // where it goes, slash-separated, relative to the site's folder
}

// InitFiles returns the files of a new site, in the order in which they are written: site.yaml, which makes
// the folder a site, comes last.
func InitFiles() []InitFile {
	return []InitFile{
		{Init + "/env.example", ".env.example"},
		{Init + "/hello.md", "content/hello.md"},
		{Init + "/site.yaml", "site.yaml"},
	}
}

// Package postrider holds the sample site: what a new user sees first, what `postrider demo` publishes, and
// the tests' real input. The program is in cmd/postrider.
package postrider

import "embed"

// Sample is the sample site: site.yaml and the posts and pictures in content.
//
//go:embed site.yaml all:content
var Sample embed.FS

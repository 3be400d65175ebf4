package cli

import (
	"os"
	"path/filepath"

	"github.com/postrider/postrider/internal/config"
)

// readConfig reads site.yaml alone, for verbs that need no posts.
func (a *app) readConfig(dir string) (*config.Site, error) {
	src, err := os.ReadFile(filepath.Join(dir, config.File))
	if err != nil {
		return nil, err
	}
	cfg, findings := config.Parse(config.File, src, a.Registry)
	if findings.HasErrors() {
		return nil, &configError{findings: findings}
	}
	return cfg, nil
}

// shown returns a path as it is printed: relative to the folder that the program was started in, where that is above it.
func (a *app) shown(path string) string {
	if rel, err := filepath.Rel(a.Dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

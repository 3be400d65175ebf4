package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
)

// TestSecretKeys has nobody write a secret into site.yaml under the name that its platform has for it, and says where it belongs.
func TestSecretKeys(t *testing.T) {
	reg := adapters.All()
	for _, a := range reg.All() {
		info := a.Info()
		for _, s := range info.Secrets {
			key := strings.ToLower(s.Name)
			src := fmt.Sprintf("accounts:\n  team: {platform: %s, %s: \"x\"}\n", info.ID, key)
			_, found := config.Parse(config.File, []byte(src), reg)
			i := slices.IndexFunc(found, func(f finding.Finding) bool {
				return strings.Contains(f.Message, fmt.Sprintf("key %q looks like a secret", key))
			})
			if i < 0 || !strings.Contains(found[i].Hint, platform.EnvName("team", s.Name)) {
				t.Errorf("%s: %s: %v", info.ID, key, found)
			}
		}
	}
}

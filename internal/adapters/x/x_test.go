package x_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/platformtest"
)

func TestConformance(t *testing.T) {
	platformtest.Run(t, platformtest.Suite{
		Adapter: x.Adapter{},
		Account: func(string) *platform.Account {
			return &platform.Account{Name: "x", Platform: "x", Options: &x.Options{Handle: "acme"}}
		},
	})
}

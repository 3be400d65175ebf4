package webhook

import (
	"testing"

	"github.com/postrider/postrider/internal/platform"
)

func TestValidateOptions(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://example.com/hooks/posts":  true,
		"http://127.0.0.1:9999/":           true,
		"":                                 false,
		"example.com/hooks":                false,
		"ftp://example.com/":               false,
		"https://":                         false,
		"https://user:secret@example.com/": false,
		"https://exa mple.com/hooks\x7f":   false,
	} {
		if got := len((&Options{URL: address}).Validate()) == 0; got != ok {
			t.Errorf("%q: accepted %t, want %t", address, got, ok)
		}
	}
}

func TestAccountCaps(t *testing.T) {
	if got := platform.CapsOf(Adapter{}, &platform.Account{Options: Adapter{}.Info().NewOptions()}); !got.Has(platform.CanIdempotent) {
		t.Error("by default, the receiver is trusted with the key")
	}
	if got := platform.CapsOf(Adapter{}, &platform.Account{Options: &Options{}}); got.Has(platform.CanIdempotent) || got.Has(platform.CanFind) {
		t.Errorf("with idempotent: false, %q", got.Names())
	}
}

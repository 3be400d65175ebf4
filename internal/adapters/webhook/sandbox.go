package webhook

import (
	"time"

	"github.com/postrider/postrider/internal/adapters/webhook/fake"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Network implements [fakenet.Provider].
func (Adapter) Network() fakenet.Network {
	const key = "whsec_c2FuZGJveCBzZWNyZXQgZm9yIHRoZSBkZW1vLCBub3QgYSBrZXk="
	return fakenet.Network{
		Path:    fake.Path,
		Secrets: map[string]string{"SECRET": key},
		New: func(base, _ string, now func() time.Time) fakenet.Fake {
			return fake.New(fake.Options{Base: base, Now: now, Secret: key})
		},
	}
}

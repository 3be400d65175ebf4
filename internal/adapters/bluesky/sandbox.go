package bluesky

import (
	"time"

	"github.com/postrider/postrider/internal/adapters/bluesky/fake"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Network implements [fakenet.Provider].
func (Adapter) Network() fakenet.Network {
	const password = "sand-boxx-pass-word"
	return fakenet.Network{
		Secrets: map[string]string{"APP_PASSWORD": password},
		New: func(base, handle string, now func() time.Time) fakenet.Fake {
			return fake.New(fake.Options{Base: base, Now: now, Accounts: []fake.Account{{Handle: handle, Password: password}}})
		},
	}
}

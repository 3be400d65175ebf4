package facebook

import (
	"time"

	"github.com/postrider/postrider/internal/adapters/facebook/fake"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// SandboxPage is the number of the page that the sandbox has.
const SandboxPage = "100000000000001"

// Network implements [fakenet.Provider].
func (Adapter) Network() fakenet.Network {
	const token = "sandbox-page-token"
	return fakenet.Network{
		Secrets: map[string]string{"ACCESS_TOKEN": token},
		New: func(base, handle string, now func() time.Time) fakenet.Fake {
			return fake.New(fake.Config{Base: base, Now: now, Page: SandboxPage, Name: handle, Token: token})
		},
	}
}

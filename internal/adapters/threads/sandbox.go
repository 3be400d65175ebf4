package threads

import (
	"time"

	"github.com/postrider/postrider/internal/adapters/threads/fake"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Network implements [fakenet.Provider].
func (Adapter) Network() fakenet.Network {
	const token = "sandbox-access-token"
	return fakenet.Network{
		Secrets: map[string]string{"ACCESS_TOKEN": token},
		New: func(base, handle string, now func() time.Time) fakenet.Fake {
			return fake.New(fake.Config{
				Base: base, Now: now, Tokens: map[string]string{token: handle}, Expires: now().AddDate(0, 0, 60),
				Scopes: []string{"threads_basic", "threads_content_publish", "threads_delete", "threads_read_replies"},
			})
		},
	}
}

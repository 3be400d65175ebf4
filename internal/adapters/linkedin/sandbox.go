package linkedin

import (
	"time"

	"github.com/postrider/postrider/internal/adapters/linkedin/fake"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Network implements [fakenet.Provider].
func (Adapter) Network() fakenet.Network {
	const token = "sandbox-access-token"
	return fakenet.Network{
		Secrets: map[string]string{"ACCESS_TOKEN": token, "CLIENT_SECRET": "sandbox-client-secret"},
		New: func(base, handle string, now func() time.Time) fakenet.Fake {
			return fake.New(fake.Config{
				Base: base, Now: now, Tokens: map[string]string{token: handle},
				ClientID: "sandbox-app", ClientSecret: "sandbox-client-secret", Expires: now().AddDate(0, 0, 60), Scopes: []string{"openid", "profile", "w_member_social"},
			})
		},
	}
}

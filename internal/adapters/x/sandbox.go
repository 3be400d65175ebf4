package x

import (
	"time"

	"github.com/postrider/postrider/internal/adapters/x/fake"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Network implements [fakenet.Provider].
func (Adapter) Network() fakenet.Network {
	access := fake.OAuth1{Key: "sandboxkey", KeySecret: "sandboxkeysecret", Token: "1-sandboxtoken", TokenSecret: "sandboxtokensecret"}
	return fakenet.Network{
		Secrets: map[string]string{
			secretKey: access.Key, secretKeySecret: access.KeySecret, secretToken: access.Token, secretTokenSecret: access.TokenSecret,
		},
		New: func(base, handle string, now func() time.Time) fakenet.Fake {
			return fake.New(fake.Config{Base: base, Now: now, Users: []fake.User{{Handle: handle, OAuth1: access}}})
		},
	}
}

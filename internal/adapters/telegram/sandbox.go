package telegram

import (
	"time"

	"github.com/postrider/postrider/internal/adapters/telegram/fake"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Network implements [fakenet.Provider].
func (Adapter) Network() fakenet.Network {
	const token = "4711:sandbox-bot-token-of-the-demo" //nolint:gosec // of a stand-in
	return fakenet.Network{
		Secrets: map[string]string{"BOT_TOKEN": token},
		New: func(base, handle string, now func() time.Time) fakenet.Fake {
			return fake.New(fake.Options{Base: base, Token: token, Now: now, Chat: fake.Chat{ID: -1001234567890, Type: "channel", Username: handle, Title: handle}})
		},
	}
}

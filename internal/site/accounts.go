package site

import "github.com/postrider/postrider/internal/platform"

// Platform returns what is known of an account's platform, and what the account can do there.
func (s *Snapshot) Platform(a *platform.Account) (platform.Info, platform.Caps) {
	adapter, ok := s.reg.Get(a.Platform)
	if !ok {
		return platform.Info{ID: a.Platform, Name: string(a.Platform)}, 0
	}
	info, _ := s.reg.Info(a.Platform)
	return info, platform.CapsOf(adapter, a)
}

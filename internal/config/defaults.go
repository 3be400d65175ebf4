package config

import (
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// DefaultLedgerBranch is the branch that holds results unless site.yaml names another.
const DefaultLedgerBranch = "postrider/ledger"

// Default returns the configuration of a site whose site.yaml says nothing.
func Default() *Site {
	return &Site{
		Timezone: "UTC",
		Location: time.UTC,
		Schedule: Schedule{
			Late:      Late{After: 6 * time.Hour, Then: post.LateHold},
			MaxPerRun: 20,
		},
		Style:  Style{MaxHashtags: NoLimit, RequireAlt: StrengthError},
		Hold:   Hold{Scope: []string{ScopeAll}},
		Ledger: Ledger{Branch: DefaultLedgerBranch},
		Media:  Media{Bucket: Bucket{Prefix: DefaultPrefix, Keep: DefaultKeep}},
		Notify: Notify{What: []What{WhatFailed, WhatUnknown, WhatAttention}, Remind: 24 * time.Hour},
		places: map[string]finding.Range{},
	}
}

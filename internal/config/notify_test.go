package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/config"
)

const accounts = "accounts:\n  fedi: {platform: mastodon, server: \"https://fedi.example\"}\n  hook: {platform: webhook, url: \"https://acme.example/in\"}\n"

func TestNotify(t *testing.T) {
	usual := []config.What{config.WhatFailed, config.WhatUnknown, config.WhatAttention}
	for src, want := range map[string]config.Notify{
		"": {What: usual, Remind: 24 * time.Hour},
		"notify:\n  what: [held, published]\n  remind: 0\n  channels:\n    team: {platform: slack, mention: here}\n    hooked: {account: hook, what: unknown}\n": {
			What: []config.What{config.WhatHeld, config.WhatPublished},
			Channels: []config.Channel{
				{Name: "hooked", Account: "hook", What: []config.What{config.WhatUnknown}}, {Name: "team", What: []config.What{config.WhatHeld, config.WhatPublished}, Mention: []string{"here"}},
			},
		},
		"notify: [hook]\n":                                 {What: usual, Remind: 24 * time.Hour, Channels: []config.Channel{{Name: "hook", Account: "hook", What: usual}}},
		"notify: {issue: true}\n":                          {What: usual, Remind: 24 * time.Hour, Issue: config.Issue{On: true}},
		"notify: {issue: false}\n":                         {What: usual, Remind: 24 * time.Hour},
		"notify: {issue: {}}\n":                            {What: usual, Remind: 24 * time.Hour, Issue: config.Issue{On: true}},
		"notify: {issue: {labels: x, assignees: [ada]}}\n": {What: usual, Remind: 24 * time.Hour, Issue: config.Issue{On: true, Labels: []string{"x"}, Assignees: []string{"ada"}}},
		"notify: {channels: {slack: }}\n":                  {What: usual, Remind: 24 * time.Hour, Channels: []config.Channel{{Name: "slack", What: usual}}},
	} {
		site, found := config.Parse(config.File, []byte(accounts+src), adapters.All())
		if len(found) > 0 {
			t.Errorf("%s: %v", src, found)
		}
		for i := range site.Notify.Channels {
			c := &site.Notify.Channels[i]
			if (c.Own.Platform == "slack") != (c.Account == "") {
				t.Errorf("%s: channel %s is on %q", src, c.Name, c.Own.Platform)
			}
			c.Own = want.Channels[min(i, len(want.Channels)-1)].Own
		}
		if diff := cmp.Diff(want, site.Notify); diff != "" {
			t.Errorf("%s (-want +got):\n%s", src, diff)
		}
		// Channels are no accounts: nothing is posted there.
		if names := strings.Join(site.Names(), " "); names != "fedi hook mastodon webhook" || len(site.Accounts) != 2 {
			t.Errorf("%s: posts may go to %s", src, names)
		}
	}
}

func TestNotifyFindings(t *testing.T) {
	for src, want := range map[string]string{
		"notify: {channels: {team: {platform: slak}}}":                              "S113 5:38-42 unknown platform \"slak\" (did you mean \"slack\"?)",
		"notify: {channels: {team: {}}}":                                            "S195 5:21-25 channel \"team\" does not say where it is (add platform, or account for one of the site's accounts; people can be told on discord, matrix, mattermost, slack, smtp, telegram, webhook)",
		"notify: {channels: {team: {platform: bluesky}}}":                           "S195 5:38-45 what is said on Bluesky is said to the world (people can be told on discord, matrix, mattermost, slack, smtp, telegram, webhook)",
		"notify: {channels: {team: {account: fedi}}}":                               "S195 5:37-41 account \"fedi\" is on Mastodon, where what is said is said to the world (give people a channel of their own)",
		"notify: {channels: {team: {account: hok}}}":                                "S195 5:37-40 channel \"team\": there is no account \"hok\" (did you mean \"hook\"?)",
		"notify: [nobody]":                                                          "S195 5:10-16 channel \"nobody\": there is no account \"nobody\" (known: fedi, hook)",
		"notify: {channels: {team: {account: hook, platform: slack}}}":              "S195 5:28-35 channel \"team\" is on an account of the site and on a platform of its own (keep one of account and platform)",
		"notify: {channels: {hook: {platform: slack}}}":                             "S111 5:21-25 account \"hook\" and channel \"hook\" would take their secrets from the same variables, POSTRIDER_HOOK_… (rename one of them, or say account: hook)",
		"notify: {channels: {a-b: {platform: slack}, a_b: {platform: discord}}}":    "S111 5:45-48 channels \"a-b\" and \"a_b\" would take their secrets from the same variables, POSTRIDER_A_B_… (rename one of them)",
		"notify: {channels: {team: {platform: slack, mention: [\"@ada\"]}}}":        "S195 5:55-61 Slack cannot call \"@ada\" (write the id of a member (U…) or of a user group (S…) as Slack shows it, or here, channel or everyone)",
		"notify: {channels: {team: {platform: slack, wat: failed}}}":                "S103 5:45-48 unknown key \"wat\" (did you mean \"what\"?)",
		"notify: {channels: {team: {platform: slack, webhook_url: \"https://x\"}}}": "S114 5:45-69 key \"webhook_url\" looks like a secret, which must not be in the file (remove it and set POSTRIDER_TEAM_WEBHOOK_URL in the environment; if it was committed, replace it)",
		"notify: {what: [everything]}":                                              "S104 5:17-27 \"what\" takes unknown, failed, attention, held or published: \"everything\" is none",
		"notify: {remind: 5m}":                                                      "S104 5:18-20 people would be reminded all the time (remind: 1d, for example; an hour at least, or 0 for never)",
		"notify: {isue: true}":                                                      "S103 5:10-14 unknown key \"isue\" (did you mean \"issue\"?)",
		"notify: {issue: yes please}":                                               "S104 5:17-27 \"issue\" takes true or false, not \"yes please\"",
		"notify: {channels: {post: {platform: smtp, server: a, from: b, to: c}}}":   "S115 5:61-62 \"b\" is no mail address (from: postrider@acme.example)\nS115 5:68-69 \"c\" is no mail address (to: [social@acme.example])",
		"notify: {channels: {All: {platform: slack}}}":                              "S110 5:21-24 \"All\" cannot be the name of a channel (names consist of a–z, 0–9, - and _, and begin with a letter or digit)",
	} {
		_, found := config.Parse(config.File, []byte(strings.Replace(accounts, "accounts:\n", "title: A\naccounts:\n", 1)+src+"\n"), adapters.All())
		var got []string
		for _, f := range found {
			hint := ""
			if f.Hint != "" {
				hint = " (" + f.Hint + ")"
			}
			got = append(got, fmt.Sprintf("%s %d:%d-%d %s%s", f.Code, f.Range.Start.Line, f.Range.Start.Column, f.Range.End.Column, f.Message, hint))
		}
		if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", src, diff)
		}
	}
	_, found := config.Parse(config.File, []byte("accounts:\n  team: {platform: slack}\n"), adapters.All())
	if len(found) != 1 || found[0].Code != config.CodePlatform || !strings.Contains(found[0].Hint, "under notify.channels") {
		t.Errorf("a channel as an account: %v", found)
	}
}

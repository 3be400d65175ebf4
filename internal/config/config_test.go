package config

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

// fake is a platform with one option of each kind.
type fake struct {
	id      platform.ID
	secrets []platform.SecretSpec
}

type fakeOptions struct {
	Handle  string        `yaml:"handle" help:"The name."`
	Server  string        `yaml:"server,omitempty" help:"The server."`
	Port    int           `yaml:"port,omitempty" help:"The port."`
	Ratio   float64       `yaml:"ratio,omitempty" help:"A number."`
	Premium bool          `yaml:"premium,omitempty" help:"Paid for."`
	Wait    time.Duration `yaml:"wait,omitempty" help:"A time."`
	Kind    string        `yaml:"kind,omitempty" enum:"big,small" help:"A kind."`
	Extra   []string      `yaml:"extra,omitempty" help:"Words."`
	Limits  struct {
		Text int `yaml:"text,omitempty" help:"Characters."`
	} `yaml:"limits,omitempty" help:"Limits."`
	internal int
}

func (o *fakeOptions) Validate() (problems []platform.OptionProblem) {
	if !strings.HasPrefix(o.Server, "http") {
		problems = append(problems, platform.OptionProblem{Key: "server", Message: "the server is no address", Hint: "https://…"})
	}
	if o.Limits.Text < 0 {
		problems = append(problems, platform.OptionProblem{Key: "limits.text", Message: "a limit is not negative"})
	}
	return problems
}

func (f fake) Info() platform.Info {
	info := platform.Info{
		ID: f.id, Name: strings.ToUpper(string(f.id)), Secrets: f.secrets, TokensEnd: f.id == "mastodon",
		NewOptions: func() any { return &fakeOptions{Server: "https://default.example", internal: 1} },
	}
	if f.id == "x" {
		info.Prices = []platform.Price{{Name: "post", USD: 15_000}}
	}
	return info
}

func (fake) Render(*post.Variant, *platform.Account) (platform.Rendering, finding.List) {
	return platform.Rendering{Parts: make([]platform.Part, 1)}, nil
}

func (fake) Open(*platform.Account, platform.Deps) (platform.Publisher, error) { return nil, nil }

func registry() *platform.Registry {
	return platform.NewRegistry(fake{id: "bluesky", secrets: []platform.SecretSpec{{Name: "APP_PASSWORD"}}}, fake{id: "mastodon"}, fake{id: "x"})
}

func TestParseAll(t *testing.T) {
	src, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, found := Parse("site.yaml", src, registry())
	if len(found) != 0 {
		t.Fatalf("findings: %v", found)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Location.String(), "Europe/Berlin"; got != want {
		t.Errorf("Location = %s, want %s", got, want)
	}
	var names []string
	for _, a := range s.Accounts {
		names = append(names, a.Name+"="+string(a.Platform))
	}
	if got, want := strings.Join(names, " "), "bluesky=bluesky fedi=mastodon fedi-2=mastodon x=x"; got != want {
		t.Errorf("accounts = %s, want %s", got, want)
	}
	fedi, ok := s.Account("fedi")
	if !ok {
		t.Fatal("no account fedi")
	}
	o := fedi.Options.(*fakeOptions)
	want := &fakeOptions{
		Handle: "2026", Server: "http://127.0.0.1:8080", Port: 8080, Ratio: 1.5, Premium: true, Wait: 36 * time.Hour, Kind: "small",
		Extra: []string{"a", "b"}, internal: 1,
	}
	want.Limits.Text = 5000
	if fmt.Sprint(o) != fmt.Sprint(want) {
		t.Errorf("options = %+v, want %+v", o, want)
	}
	if got := fedi.Defaults.Language; !cmp.Equal(got, []string{"de"}) {
		t.Errorf("the account's default language is %v", got)
	}
	if got := s.Defaults.Platforms; !cmp.Equal(got, []string{"bluesky", "fedi"}) {
		t.Errorf("the default platforms are %v", got)
	}
	if len(s.Campaigns) != 2 || s.Campaigns[0].Name != "autumn" {
		t.Fatalf("campaigns = %+v", s.Campaigns)
	}
	c, _ := s.Campaign("winter-launch")
	if want := "Who builds the sleds, and how."; c.Brief != want {
		t.Errorf("winter-launch has the brief %q, want %q", c.Brief, want)
	}
	for at, want := range map[string]bool{
		"2026-11-30T23:59:59+01:00": false, "2026-12-01T00:00:00+01:00": true,
		"2026-12-24T23:59:59+01:00": true, "2026-12-25T00:00:00+01:00": false,
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Contains(moment); got != want {
			t.Errorf("winter-launch contains %s: %t, want %t", at, got, want)
		}
	}
	if open, _ := s.Campaign("autumn"); !open.Contains(time.Date(1999, 1, 1, 0, 0, 0, 0, berlin)) {
		t.Error("a campaign without dates is not open")
	}
	wantSchedule := Schedule{
		Late: Late{After: 48 * time.Hour, Then: post.LateSkip}, MaxPerRun: 5,
		Quiet: []Window{
			{Days: EveryDay, From: 22 * 60, To: 7 * 60, Text: "22:00-07:00"},
			{Days: 1<<time.Saturday | 1<<time.Sunday, From: 0, To: 24 * 60, Text: "Sat-Sun 00:00-24:00"},
		},
		Slots: []Slot{{Name: "evening", Days: EveryDay, At: 19*60 + 30, Text: "19:30"}, {Name: "morning", Days: EveryDay &^ (1<<time.Saturday | 1<<time.Sunday), At: 9 * 60, Text: "Mon-Fri 09:00"}},
	}
	if diff := cmp.Diff(wantSchedule, s.Schedule); diff != "" {
		t.Errorf("schedule (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Style{MaxHashtags: 3, Banned: []string{"utilize", "game changer"}, RequireAlt: StrengthWarning}, s.Style); diff != "" {
		t.Errorf("style (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Hold{Reason: "outage", Scope: []string{"fedi", "fedi-2", "winter-launch"}}, s.Hold); diff != "" {
		t.Errorf("hold (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Ledger{Branch: "results", Remote: "upstream"}, s.Ledger); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	if s.Publish.Branch != "main" || s.Title != "Acme" || s.URL != "https://acme.example" {
		t.Errorf("site = %+v", s)
	}
	if got := s.Place("accounts", "fedi", "port"); got.Start != (finding.Pos{Line: 10, Column: 11}) {
		t.Errorf("accounts.fedi.port stands at %v", got)
	}
}

func TestParseNothingSaid(t *testing.T) {
	s, found := Parse("site.yaml", []byte("title: Acme\n"), registry())
	if len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
	want := Default()
	if diff := cmp.Diff(want.Schedule, s.Schedule) + cmp.Diff(want.Style, s.Style) + cmp.Diff(want.Hold, s.Hold) + cmp.Diff(want.Ledger, s.Ledger); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

// TestFindings checks code, place, message and hint of every rule.
func TestFindings(t *testing.T) {
	many := "a: &a [" + strings.Repeat("x,", 500) + "]\nstyle:\n  banned: *a\n"
	for name, test := range map[string]struct{ src, want string }{
		"no cap":               {"accounts: {x: {monthly_cap: lots}}\n", `S104 1:29-33 (x) "monthly_cap" takes an amount in US dollars such as 25 or 12.50 USD: "lots" is no amount in US dollars`},
		"cap in euros":         {"accounts: {x: {monthly_cap: 25 EUR}}\n", `S104 1:29-35 (x) "monthly_cap" takes an amount in US dollars such as 25 or 12.50 USD: "25 EUR" is no amount in US dollars`},
		"cap below nothing":    {"accounts: {x: {monthly_cap: -5}}\n", `S104 1:29-31 (x) "monthly_cap" takes an amount in US dollars such as 25 or 12.50 USD: "-5" is no amount in US dollars`},
		"cap of nothing":       {"accounts: {x: {monthly_cap: 0.00}}\n", `S104 1:29-33 (x) "monthly_cap" takes an amount in US dollars such as 25 or 12.50 USD: with none nothing would go out; to stop an account, use hold`},
		"cap, a list":          {"accounts: {x: {monthly_cap: [25]}}\n", `S104 1:29 (x) "monthly_cap" takes an amount in US dollars such as 25 or 12.50 USD, not a list`},
		"cap for nothing":      {"accounts: {bluesky: {monthly_cap: 25}}\n", `S115 1:22-33 (bluesky) BLUESKY charges nothing for posts, so there is nothing to cap (remove it; those that charge: x)`},
		"empty":                {"", `S101 0:0 the site has no configuration: the file is missing or empty (` + "`postrider init` writes one)"},
		"comments":             {"# nothing\n", `S101 0:0 the site has no configuration: the file holds only comments (` + "`postrider init` writes one)"},
		"null":                 {"---\n", `S101 0:0 the site has no configuration: the file holds only comments (` + "`postrider init` writes one)"},
		"list":                 {"- a\n", `S102 1:1 the file is not a mapping of keys to values (texts with colons, braces or a leading special character need quotes)`},
		"syntax":               {"title: a\nurl: [\n", `S102 3:1 not valid YAML: did not find expected node content (texts with colons, braces or a leading special character need quotes)`},
		"not utf-8":            {"title: \xff\n", `S102 1:8 the file is not UTF-8 text (texts with colons, braces or a leading special character need quotes)`},
		"two documents":        {"title: a\n---\ntitle: b\n", `S102 0:0 not valid YAML: expected single document, found multiple`},
		"unknown key":          {"timezoen: UTC\n", `S103 1:1-9 unknown key "timezoen" (did you mean "timezone"?)`},
		"media nowhere":        {`media: {public_url: "raw.example/{path}"}`, `S170 1:21-41 "raw.example/{path}" is not an address (write it with https://)`},
		"media, unknown":       {`media: {public_url: "https://raw.example/{sha}/{path}"}`, `S170 1:21-55 unknown placeholder {sha} (known: commit, path)`},
		"media, one file":      {`media: {public_url: "https://raw.example/{commit}"}`, `S170 1:21-51 the address is the same for all files (put {path} where the file's path belongs)`},
		"media, password":      {`media: {public_url: "https://me:pw@raw.example/{path}"}`, `S170 1:21-55 the address has a name or password in it (networks fetch files without one)` + "\n" + `S114 1:30-35 this looks like an address with a password in it, which must not be in the file (secrets come from the environment, and one that was committed must be replaced)`},
		"unknown key, far":     {"zzz: 1\n", `S103 1:1-4 unknown key "zzz" (known keys: accounts, campaigns, defaults, hold, ledger, media, notify, publish, require_approval, schedule, style, timezone, title, url)`},
		"nested key":           {"schedule: {quit: []}\n", `S103 1:12-16 unknown key "quit" (did you mean "quiet"?)`},
		"merge":                {"a: &a {title: x}\n<<: *a\n", `S103 1:1-2 unknown key "a" (known keys: accounts, campaigns, defaults, hold, ledger, media, notify, publish, require_approval, schedule, style, timezone, title, url)` + "\n" + `S103 2:1-3 unknown key "<<" (merge keys are not supported: write the values out)`},
		"twice":                {"title: a\ntitle: b\n", `S105 2:1-6 key "title" is given twice (it stands on line 1 already)`},
		"no mapping":           {"schedule: soon\n", `S104 1:11-15 "schedule" takes a mapping of keys to values, not "soon"`},
		"no text":              {"title: {a: b}\n", `S104 1:8 "title" takes a text, not a mapping`},
		"text is true":         {"title: true\n", `S104 1:8-12 "title" takes a text, not "true"`},
		"no number":            {"schedule: {max_per_run: many}\n", `S104 1:25-29 "max_per_run" takes a whole number, not "many"`},
		"none per run":         {"schedule: {max_per_run: 0}\n", `S104 1:25-26 with max_per_run 0 nothing would go out (to stop everything, use hold)`},
		"no duration":          {"schedule: {late: {after: soon}}\n", `S104 1:26-30 "after" takes a length of time such as 90m, 6h or 2d: "soon" is not a length of time`},
		"no policy":            {"schedule: {late: {then: holt}}\n", `S104 1:25-29 "then" takes publish, skip or hold, not "holt" (did you mean "hold"?)`},
		"no window":            {"schedule: {quiet: [night]}\n", `S104 1:20-25 "quiet" takes a window of time such as 22:00-07:00 or Sat-Sun 00:00-24:00: "night" is not a window of time`},
		"no slot":              {"schedule: {slots: {a: Foo 09:00}}\n", `S104 1:23-32 "a" takes a time of the week such as Mon-Fri 09:00: "Foo 09:00" is not a time of the week`},
		"all quiet":            {"schedule: {quiet: [\"00:00-12:00\", \"12:00-24:00\"]}\n", `S121 1:19 the quiet windows cover the whole week (leave some time, or use hold to stop everything)`},
		"zone":                 {"timezone: Berlin\n", `S120 1:11-17 unknown time zone "Berlin" (names look like Europe/Berlin or America/New_York; UTC is one too)`},
		"zone of machine":      {"timezone: Local\n", `S120 1:11-16 unknown time zone "Local" (names look like Europe/Berlin or America/New_York; UTC is one too)`},
		"zone no text":         {"timezone: [UTC]\n", `S104 1:11 "timezone" takes a text, not a list`},
		"url":                  {"url: acme.example\n", `S104 1:6-18 "acme.example" is not an address (write it with https://)`},
		"hashtags":             {"style: {max_hashtags: -2}\n", `S104 1:23-25 -2 hashtags cannot be (leave the key out to allow any number)`},
		"campaign dates":       {"campaigns:\n  w: {starts: 2026-12-24, ends: 2026-12-01}\n", `S130 2:33-43 campaign "w" ends before it starts`},
		"campaign day":         {"campaigns:\n  w: {starts: tomorrow}\n", `S104 2:15-23 "starts" takes a day such as 2026-12-01: "tomorrow" is none`},
		"campaign name":        {"campaigns:\n  all: {title: All}\n", `S110 2:3-6 "all" cannot be the name of a campaign (in a hold it stands for everything)`},
		"utm":                  {"campaigns:\n  w: {utm: {utm_source: a, medium: '{net}'}}\n", `S131 2:25-26 unknown UTM parameter "utm_source" (did you mean "source"?)` + "\n" + `S131 2:36-43 unknown placeholder {net} (known: account, campaign, platform, post)`},
		"utm of an account":    {"accounts: {a: {platform: x, utm: {sorce: a}}}\n", `S131 1:42-43 (a) unknown UTM parameter "sorce" (did you mean "source"?)`},
		"utm hosts":            {"campaigns:\n  w: {utm: {hosts: [acme.example, 'https://acme.example']}}\n", `S131 2:35-57 "https://acme.example" is not the name of a host (write it like acme.example, without https:// and path; names below it, such as www.acme.example, count too)`},
		"approval, strange":    {"require_approval: maybe\n", `S104 1:19-24 "require_approval" takes true, false or a number of people such as 2, not "maybe"`},
		"approval by none":     {"require_approval: 0\n", `S190 1:19-20 approval by 0 people cannot be asked for (a number from 1 to 20, or false for no approval)`},
		"approval by a crowd":  {"accounts: {a: {platform: x, require_approval: 21}}\n", `S190 1:47-49 (a) approval by 21 people cannot be asked for (a number from 1 to 20, or false for no approval)`},
		"approval, unknown":    {"accounts: {a: {platform: x}}\nrequire_approval: {accounts: [a, b], campaigns: [w]}\n", `S190 2:34-35 require_approval: "b" is neither an account nor a platform that has one (did you mean "a"?)` + "\n" + `S190 2:50-51 require_approval: campaign "w" is not defined (define it under campaigns)`},
		"approval, key":        {"require_approval: {persons: 2}\n", `S103 1:20-27 unknown key "persons" (known keys: accounts, by, campaigns, from, people)`},
		"approval, from":       {"require_approval: {from: github}\n", `S104 1:26-32 "from" takes forge, trailers or either, not "github"`},
		"approval by too few":  {"require_approval: {by: [resi]}\ncampaigns: {w: {require_approval: 2}}\n", `S190 1:24 approval by 2 people is asked for, and the approval of 1 counts: nothing could ever go out (name more people, or ask fewer)`},
		"approval by nobody":   {"require_approval: {by: [\"@\"], people: 1}\n", `S190 1:25-28 require_approval: an empty name is nobody's`},
		"approval, of nothing": {"accounts: {a: {platform: x}}\nrequire_approval: {accounts: [a], people: false}\n", `S190 2:43-48 require_approval names what needs approval, and then asks nobody for it (people: 1, or require_approval: false)`},
		"utm no text":          {"campaigns:\n  w: {utm: {source: [a]}}\n", `S104 2:21 "source" takes a text, not a list`},
		"hold no reason":       {"hold: {scope: all}\n", `S140 1:15-18 the hold has a scope but no reason, so it holds nothing (add a reason, or an empty one ("") to keep the line for later)`},
		"hold scope":           {"hold: {reason: x, scope: [wintr]}\ncampaigns: {winter: {}}\n", `S140 1:27-32 hold: "wintr" is neither an account nor a platform nor a campaign (did you mean "winter"?)`},
		"branch":               {"ledger: {branch: a..b}\n", `S150 1:18-22 git does not allow "a..b" as the name of a branch`},
		"account name":         {"accounts: {My X: {platform: x}}\n", `S110 1:12-16 (My X) "My X" cannot be the name of an account (names consist of a–z, 0–9, - and _, and begin with a letter or digit)`},
		"no platform":          {"accounts: {a: {handle: x}}\n", `S113 1:12-13 (a) account "a" does not say which platform it is on (add platform: one of bluesky, mastodon, x)`},
		"platform":             {"accounts: {a: {platform: blueski}}\n", `S113 1:26-33 (a) unknown platform "blueski" (did you mean "bluesky"?)`},
		"platform no text":     {"accounts: {a: {platform: [x]}}\n", `S104 1:26 (a) "platform" takes the name of a platform, not a list`},
		"account no map":       {"accounts: {a: x}\n", `S104 1:15-16 (a) "a" takes a mapping of keys to values, not "x"`},
		"misleading":           {"accounts: {bluesky: {platform: x}}\n", `S112 1:12-19 (bluesky) the account is named "bluesky" but is on X (name it after what it is, such as x-main)`},
		"clash":                {"accounts: {a-b: {platform: x}, a_b: {platform: x}}\n", `S111 1:32-35 (a_b) accounts "a-b" and "a_b" would take their secrets from the same variables, POSTRIDER_A_B_… (rename one of them)`},
		"option":               {"accounts: {a: {platform: x, servr: b}}\n", `S103 1:29-34 (a) unknown key "servr" (did you mean "server"?)`},
		"option, far":          {"accounts: {a: {platform: x, qqq: b}}\n", `S103 1:29-32 (a) unknown key "qqq" (known keys: defaults, extra, handle, kind, limits, monthly_cap, platform, port, premium, ratio, require_approval, server, utm, wait)`},
		"option kind":          {"accounts: {a: {platform: x, port: a}}\n", `S104 1:35-36 (a) "port" takes a whole number, not "a"`},
		"option enum":          {"accounts: {a: {platform: x, kind: bigg}}\n", `S104 1:35-39 (a) "kind" takes big or small, not "bigg" (did you mean "big"?)`},
		"option invalid":       {"accounts: {a: {platform: x, server: b}}\n", `S115 1:37-38 (a) the server is no address (https://…)`},
		"option nested":        {"accounts: {a: {platform: x, limits: {text: -1}}}\n", `S115 1:44-46 (a) a limit is not negative`},
		"option overflow":      {"accounts: {a: {platform: x, port: 99999999999999999999}}\n", `S104 1:35-55 (a) "port" takes a whole number, not "99999999999999999999"`},
		"secret":               {"accounts: {a: {platform: bluesky, app_password: hunter2-hunter2}}\n", `S114 1:35-64 (a) key "app_password" looks like a secret, which must not be in the file (remove it and set POSTRIDER_A_APP_PASSWORD in the environment; if it was committed, replace it)`},
		"secret, no spec":      {"accounts: {a: {platform: x, accessKey: |\n   hunter2-hunter2\n   }}\n", ""},
		"secret at the top":    {"api_token: hunter2-hunter2\n", `S114 1:1-27 key "api_token" looks like a secret, which must not be in the file (secrets come from the environment, and one that was committed must be replaced)`},
		"secret twice":         {"accounts:\n  a:\n    platform: x\n    token: hunter2\n    token: hunter2-hunter2\n", ""},
		"secret by form":       {"title: Acme\n# an old one: ghp_" + strings.Repeat("hunter2", 6) + "\n", `S114 2:15-61 this looks like a GitHub token, which must not be in the file (secrets come from the environment, and one that was committed must be replaced)`},
		"secret in address":    {"url: https://eve:hunter2@acme.example/\n", `S114 1:14-25 this looks like an address with a password in it, which must not be in the file (secrets come from the environment, and one that was committed must be replaced)`},
		"secret as a value":    {"accounts: {a: {platform: x, port: ghp_" + strings.Repeat("hunter2", 6) + "}}\n", `S104 1:35-81 (a) "port" takes a whole number, not "[redacted]"` + "\n" + `S114 1:35-81 this looks like a GitHub token, which must not be in the file (secrets come from the environment, and one that was committed must be replaced)`},
		"secret as a key":      {"accounts: {a: {platform: x, ghp_" + strings.Repeat("hunter2", 6) + ": b}}\n", ""},
		"secret, wrong kind":   {"accounts: {a: {platform: x, defaults: {access_token: hunter2}}}\n", ""},
		"token's day":          {"accounts: {a: {platform: bluesky, token_expires: 2027-01-21}}\n", `S103 1:35-48 (a) unknown key "token_expires" (tokens of BLUESKY do not end on a day that is known)`},
		"token's day, none":    {"accounts: {a: {platform: mastodon, token_expires: soon}}\n", `S104 1:51-55 (a) "token_expires" takes a day such as 2026-12-01: "soon" is none`},
		"secret in syntax":     {"accounts: {a: {password: hunter2-hunter2\n", ""},
		"unknown alias":        {"title: *nobody\n", ""},
		"default platform":     {"accounts: {x: {}}\ndefaults: {platforms: [x, bluesky]}\n", `S160 2:23 defaults: "bluesky" is neither an account nor a platform that has one (known: x)`},
		"default campaign":     {"accounts: {x: {defaults: {campaign: wintr}}}\ncampaigns: {winter: {}}\n", `S160 1:37 (x) defaults: campaign "wintr" is not defined (did you mean "winter"?)`},
		"platforms of one":     {"accounts: {x: {defaults: {platforms: [x]}}}\n", `S160 1:38 (x) an account's defaults cannot say where posts go (move it to the site's defaults)`},
		"default unknown":      {"defaults: {languag: en}\n", `F120 1:12 unknown front-matter key "languag" (did you mean "language"?)`},
		"aliases":              {many, `S103 1:1-2 unknown key "a" (known keys: accounts, campaigns, defaults, hold, ledger, media, notify, publish, require_approval, schedule, style, timezone, title, url)`},
	} {
		t.Run(name, func(t *testing.T) {
			s, found := Parse("site.yaml", []byte(test.src), registry())
			if s == nil || s.Location == nil {
				t.Fatal("no site")
			}
			got := lines(found)
			if test.want == "" && len(found) > 0 {
				t.Log(got)
			} else if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			var printed strings.Builder
			if err := finding.WriteText(&printed, found, finding.TextOptions{Source: func(string) []byte { return []byte(test.src) }}); err != nil {
				t.Fatal(err)
			}
			if len(found) == 0 || strings.Contains(printed.String(), "hunter2") {
				t.Errorf("the report has nothing, or a secret:\n%s", printed.String())
			}
		})
	}
}

// lines writes findings as "code line:col-endcol (account) message (hint)".
func lines(found finding.List) string {
	var list []string
	for _, f := range found {
		line := fmt.Sprintf("%s %d:%d", f.Code, f.Range.Start.Line, f.Range.Start.Column)
		if f.Range.End.Line > 0 {
			line += fmt.Sprintf("-%d", f.Range.End.Column)
		}
		if f.Account != "" {
			line += " (" + f.Account + ")"
		}
		line += " " + f.Message
		if f.Hint != "" {
			line += " (" + f.Hint + ")"
		}
		list = append(list, line)
	}
	return strings.Join(list, "\n")
}

func TestAliasesThatMultiply(t *testing.T) {
	var b strings.Builder
	b.WriteString("schedule: &l0 {}\n")
	b.WriteString("defaults: {}\ncampaigns:\n  a0: &a {utm: &u {")
	for i := range 400 {
		fmt.Fprintf(&b, "k%d: v, ", i)
	}
	b.WriteString("}}\n")
	for i := range 400 {
		fmt.Fprintf(&b, "  a%d: *a\n", i+1)
	}
	_, found := Parse("site.yaml", []byte(b.String()), registry())
	n := 0
	for _, f := range found {
		if strings.Contains(f.Message, "unfold to too much") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d findings say that the aliases unfold to too much, want 1", n)
	}
}

func TestUTM(t *testing.T) {
	s, found := Parse("site.yaml", []byte(`
accounts:
  fedi: {platform: mastodon, utm: {source: ours, medium: "", hosts: []}}
  news: {platform: mastodon}
campaigns:
  winter: {utm: {source: "{platform}", medium: social, campaign: "{campaign}", hosts: acme.example}}
  autumn: {}
`), registry())
	if len(found) > 0 {
		t.Fatal(found)
	}
	winter := utm.Rule{Params: map[string]string{"source": "{platform}", "medium": "social", "campaign": "{campaign}"}, Hosts: []string{"acme.example"}}
	for _, test := range []struct {
		account, campaign string
		want              utm.Rule
	}{
		{"news", "", utm.Rule{}},
		{"news", "autumn", utm.Rule{}},
		{"news", "summer", utm.Rule{}},
		{"news", "winter", winter},
		{"fedi", "winter", utm.Rule{Params: map[string]string{"source": "ours", "medium": "", "campaign": "{campaign}"}, Hosts: []string{}}},
		{"fedi", "", utm.Rule{Params: map[string]string{"source": "ours", "medium": ""}, Hosts: []string{}}},
	} {
		if diff := cmp.Diff(test.want, s.UTM(test.account, test.campaign)); diff != "" {
			t.Errorf("%s, %q: -want +got\n%s", test.account, test.campaign, diff)
		}
	}
	if c, _ := s.Campaign("winter"); !cmp.Equal(c.UTM, winter) {
		t.Errorf("the account changed the rule of the campaign: %v", c.UTM)
	}
	if !s.UTMTells("fedi") || s.UTMTells("news") {
		t.Error("only fedi has a rule of its own")
	}
	if s, _ := Parse("site.yaml", []byte("accounts: {news: {platform: x}}\ncampaigns: {w: {utm: {content: \"a-{account}\"}}}\n"), registry()); !s.UTMTells("news") {
		t.Error("a rule that names the account tells accounts apart")
	}
}

func TestApprovalOf(t *testing.T) {
	const accounts = "accounts: {fedi: {platform: mastodon}, test: {platform: mastodon, require_approval: false}, main: {platform: x, require_approval: 2}}\n" +
		"campaigns: {results: {require_approval: 3}, fun: {require_approval: false}, winter: {}}\n"
	for rule, want := range map[string]string{
		"":                                          "0 0 2 3 3 3 0 0 2",
		"require_approval: false":                   "0 0 2 3 3 3 0 0 2",
		"require_approval:":                         "0 0 2 3 3 3 0 0 2",
		"require_approval: true":                    "1 0 2 3 3 3 0 0 2",
		"require_approval: 4":                       "4 0 2 3 3 3 0 0 2",
		"require_approval: {}":                      "1 0 2 3 3 3 0 0 2",
		"require_approval: {people: 2}":             "2 0 2 3 3 3 0 0 2",
		"require_approval: {accounts: [x]}":         "0 0 2 3 3 3 0 0 2",
		"require_approval: {accounts: mastodon}":    "1 0 2 3 3 3 0 0 2",
		"require_approval: {campaigns: [winter]}":   "0 0 2 3 3 3 0 0 2",
		"require_approval: {campaigns: [fun]}":      "0 0 2 3 3 3 0 0 2",
		"require_approval: {by: [a, b, \"@c\", d]}": "1 0 2 3 3 3 0 0 2",
	} {
		s, found := Parse("site.yaml", []byte(accounts+rule), registry())
		if len(found) > 0 {
			t.Errorf("%s: %v", rule, found)
		}
		var got []string
		for _, campaign := range []string{"", "results", "fun"} {
			for _, account := range []string{"fedi", "test", "main"} {
				got = append(got, strconv.Itoa(s.ApprovalOf(account, campaign)))
			}
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rule, diff)
		}
		if s.RequireApproval.From != FromForge && strings.Contains(rule, "{") {
			t.Errorf("%s reads approvals from %q", rule, s.RequireApproval.From)
		}
		if !s.NeedsApproval() {
			t.Errorf("%s: main needs approval whatever the site says", rule)
		}
	}
	s, _ := Parse("site.yaml", []byte(accounts+"require_approval: {campaigns: [winter], accounts: [x], from: trailers, by: [\"@Resi\", ada]}"), registry())
	if got := s.ApprovalOf("fedi", "winter"); got != 1 || s.RequireApproval.From != FromTrailers || s.RequireApproval.By[0] != "Resi" {
		t.Errorf("%d people, %+v", got, s.RequireApproval)
	}
	if s, _ := Parse("site.yaml", []byte("title: Acme\n"), registry()); s.NeedsApproval() {
		t.Error("nobody has asked for approval")
	}
}

func TestMonthlyCap(t *testing.T) {
	for text, want := range map[string]platform.USD{"25": 25_000_000, "12.50": 12_500_000, "25 USD": 25_000_000, `"$25"`: 25_000_000, "": 0} {
		site, found := Parse("site.yaml", []byte("accounts: {x: {monthly_cap: "+text+"}}"), registry())
		if account, ok := site.Account("x"); !ok || account.MonthlyCap != want || len(found) > 0 {
			t.Errorf("%s is %+v: %v", text, account, found)
		}
	}
}

func TestDocs(t *testing.T) {
	reg := registry()
	for _, d := range Docs() {
		t.Run(string(d.Code), func(t *testing.T) {
			if d.Title == "" || d.Why == "" || d.Since == "" || d.Good == "" {
				t.Error("the documentation has gaps")
			}
			for _, e := range []struct {
				src  string
				want bool
			}{{d.Bad, true}, {d.Good, false}} {
				_, found := Parse("site.yaml", []byte(e.src), reg)
				has := false
				for _, f := range found {
					has = has || f.Code == d.Code
					if f.Code != d.Code {
						t.Errorf("the example has another finding: %v", f)
					}
				}
				if has != e.want {
					t.Errorf("found: %t, want %t, in:\n%s", has, e.want, e.src)
				}
			}
		})
	}
}

func TestExpandHeldAlone(t *testing.T) {
	s, _ := Parse("site.yaml", []byte(`
accounts:
  fedi: {platform: mastodon}
  fedi-2: {platform: mastodon}
  x: {platform: x}
  broken: {platform: nowhere}
hold: {reason: r, scope: [x, winter]}
campaigns: {winter: {}}
`), registry())
	accounts, unknown := s.Expand([]string{"x", "mastodon", "fedi", "bluesky", "broken", "nobody"})
	if diff := cmp.Diff([]string{"fedi", "fedi-2", "x"}, accounts) + cmp.Diff([]string{"bluesky", "nobody"}, unknown); diff != "" {
		t.Errorf("Expand (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"fedi", "fedi-2", "mastodon", "x"}, s.Names()); diff != "" {
		t.Errorf("Names (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		account, campaign string
		held              bool
	}{{"x", "", true}, {"fedi", "", false}, {"fedi", "winter", true}, {"fedi", "summer", false}} {
		if _, held := s.HeldBy(test.account, test.campaign); held != test.held {
			t.Errorf("HeldBy(%q, %q) = %t", test.account, test.campaign, held)
		}
	}
	if s.Alone("fedi") || !s.Alone("x") || s.Alone("nobody") {
		t.Error("Alone is wrong")
	}
	all, _ := Parse("site.yaml", []byte("hold: fire in the warehouse\n"), registry())
	if reason, held := all.HeldBy("anything", ""); !held || reason != "fire in the warehouse" {
		t.Errorf("HeldBy = %q, %t", reason, held)
	}
	for _, off := range []string{"hold: {reason: \"\", scope: all}\n", "title: x\n", "hold:\n"} {
		if s, found := Parse("site.yaml", []byte(off), registry()); len(found) > 0 {
			t.Errorf("%q: %v", off, found)
		} else if _, held := s.HeldBy("x", ""); held {
			t.Errorf("%q holds", off)
		}
	}
}

func FuzzParse(f *testing.F) {
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	for _, d := range Docs() {
		f.Add([]byte(d.Bad))
	}
	f.Add([]byte("a: &a [*a]\naccounts: *a\n"))
	reg := registry()
	f.Fuzz(func(t *testing.T, src []byte) {
		s, found := Parse("site.yaml", src, reg)
		if s == nil || s.Location == nil || s.Ledger.Branch == "" || !found.HasErrors() && s.Schedule.MaxPerRun < 1 {
			t.Fatalf("an unusable site: %+v", s)
		}
		for _, finding := range found {
			if finding.Path != "site.yaml" || finding.Message == "" || finding.Code == "" {
				t.Errorf("an incomplete finding: %+v", finding)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	src, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		b.Fatal(err)
	}
	reg := registry()
	b.ReportAllocs()
	for b.Loop() {
		Parse("site.yaml", src, reg)
	}
}

func TestMediaAddress(t *testing.T) {
	m := Media{PublicURL: "https://raw.example/{commit}/site/{path}"}
	if got, want := m.Address("0123abc", "content/a b/größe#1?.jpg"), "https://raw.example/0123abc/site/content/a%20b/gr%C3%B6%C3%9Fe%231%3F.jpg"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if s, found := Parse("site.yaml", []byte(`media: {public_url: "https://raw.example/{commit}/{path}?raw=1"}`), registry()); len(found) != 0 || s.Media.PublicURL == "" {
		t.Errorf("findings %v, read %+v", found, s.Media)
	}
	if got := (Media{}).Address("0123abc", "a.jpg"); got != "" {
		t.Errorf("without a place, the address is %q", got)
	}
}

package config

import "github.com/postrider/postrider/internal/finding"

// The codes of findings about site.yaml.
const (
	CodeMissing  finding.Code = "S101"
	CodeSyntax   finding.Code = "S102"
	CodeKey      finding.Code = "S103"
	CodeValue    finding.Code = "S104"
	CodeRepeated finding.Code = "S105"
	CodeName     finding.Code = "S110"
	CodeClash    finding.Code = "S111"
	CodeMislead  finding.Code = "S112"
	CodePlatform finding.Code = "S113"
	CodeSecret   finding.Code = "S114"
	CodeOption   finding.Code = "S115"
	CodeZone     finding.Code = "S120"
	CodeQuiet    finding.Code = "S121"
	CodeCampaign finding.Code = "S130"
	CodeUTM      finding.Code = "S131"
	CodeHold     finding.Code = "S140"
	CodeBranch   finding.Code = "S150"
	CodeDefault  finding.Code = "S160"
	CodeMediaURL finding.Code = "S170"
	CodeBucket   finding.Code = "S171"
	CodeApproval finding.Code = "S190"
	CodeNotify   finding.Code = "S195"
)

// Docs returns the documentation of this package's codes.
func Docs() []finding.Doc {
	doc := func(code finding.Code, title, why, bad, good string) finding.Doc {
		return finding.Doc{Code: code, Title: title, Severity: finding.Error, Why: why, Bad: bad, Good: good, Since: "0.1.0"}
	}
	return []finding.Doc{
		doc(CodeMissing, "site.yaml is missing or empty",
			"Without it there are no accounts, and nothing can be published. `postrider init` writes one.",
			"", "accounts:\n  x: {platform: x, handle: acme}\n"),
		doc(CodeSyntax, "site.yaml cannot be read",
			"The file is not valid YAML, so nothing that follows the mistake is known.",
			"title: \"Acme\naccounts: {}\n", "title: \"Acme\"\n"),
		doc(CodeKey, "unknown key in site.yaml",
			"A mistyped key would be ignored in silence, and its default would decide.",
			"timezoen: Europe/Berlin\n", "timezone: Europe/Berlin\n"),
		doc(CodeValue, "value of the wrong kind in site.yaml",
			"The value is not of the kind that the key takes, or not one of those it allows.",
			"schedule: {max_per_run: many}\n", "schedule: {max_per_run: 20}\n"),
		doc(CodeRepeated, "key given twice in site.yaml",
			"Only one of the values could count, and it would not be clear which.",
			"title: Acme\ntitle: Other\n", "title: Acme\n"),
		doc(CodeName, "name that cannot be used",
			"Names of accounts and campaigns are used in file names, branches and environment variables: they consist of a–z, 0–9, - and _, begin with a letter or digit, and are not \"all\", which stands for everything in a hold.",
			"accounts:\n  My Account: {platform: x, handle: acme}\n", "accounts:\n  my-account: {platform: x, handle: acme}\n"),
		doc(CodeClash, "two accounts with one environment prefix",
			"Secrets are looked up in POSTRIDER_<ACCOUNT>_…, where - and _ are the same: one account's token would be used for the other.",
			"accounts:\n  my-x: {platform: x, handle: a}\n  my_x: {platform: x, handle: b}\n", "accounts:\n  my-x: {platform: x, handle: a}\n  other-x: {platform: x, handle: b}\n"),
		doc(CodeMislead, "account named like another platform",
			"In `platforms:` the name stands for all accounts of that platform, so posts would go elsewhere than it says.",
			"accounts:\n  bluesky: {platform: x, handle: acme}\n", "accounts:\n  bluesky: {platform: bluesky, handle: acme.bsky.social}\n"),
		doc(CodePlatform, "unknown platform",
			"Nothing can be published to a platform that this version does not know. `postrider platforms` lists those it does.",
			"accounts:\n  ours: {platform: blueski, handle: acme.bsky.social}\n", "accounts:\n  ours: {platform: bluesky, handle: acme.bsky.social}\n"),
		doc(CodeSecret, "secret in site.yaml",
			"The file is in git, where a secret can be read by everybody who has the repository, for ever. Secrets come from the environment; one that was committed must be replaced.",
			"accounts:\n  bluesky: {platform: bluesky, handle: acme.bsky.social, app_password: abcd-efgh}\n", "accounts:\n  bluesky: {platform: bluesky, handle: acme.bsky.social}\n"),
		doc(CodeOption, "option that the platform refuses",
			"The account's options do not fit together or cannot work.",
			"accounts:\n  fedi: {platform: mastodon, server: mastodon.social}\n", "accounts:\n  fedi: {platform: mastodon, server: \"https://mastodon.social\"}\n"),
		doc(CodeZone, "unknown time zone",
			"Every time without an offset would be taken for UTC and go out hours off.",
			"timezone: Berlin\n", "timezone: Europe/Berlin\n"),
		doc(CodeQuiet, "quiet windows that leave no time",
			"The windows cover the whole week: nothing would ever go out.",
			"schedule:\n  quiet: [\"00:00-24:00\"]\n", "schedule:\n  quiet: [\"22:00-07:00\"]\n"),
		doc(CodeCampaign, "campaign that ends before it starts",
			"No post can lie within it.",
			"campaigns:\n  winter: {starts: 2026-12-24, ends: 2026-12-01}\n", "campaigns:\n  winter: {starts: 2026-12-01, ends: 2026-12-24}\n"),
		doc(CodeUTM, "UTM rule that is not understood",
			"Analytics count source, medium, campaign, term, content and id; only {platform}, {account}, {campaign} and {post} are replaced; `hosts` are names such as acme.example.",
			"campaigns:\n  winter: {utm: {source: \"{network}\"}}\n", "campaigns:\n  winter: {utm: {source: \"{platform}\"}}\n"),
		doc(CodeHold, "hold without a reason or with an unknown scope",
			"In an emergency it must be certain what is held: a scope without a reason holds nothing, and a mistyped name would let its posts out.",
			"hold: {scope: all}\n", "hold: {scope: all, reason: outage at the warehouse}\n"),
		doc(CodeBranch, "name that git does not allow for a branch or remote",
			"Results could not be recorded.",
			"ledger: {branch: \"post rider\"}\n", "ledger: {branch: postrider/ledger}\n"),
		doc(CodeDefault, "default that names something unknown",
			"Every post that says nothing else would go nowhere, or belong to a campaign that does not exist.",
			"accounts:\n  x: {platform: x, handle: acme}\ndefaults: {platforms: [x, blusky]}\n", "accounts:\n  x: {platform: x, handle: acme}\ndefaults: {platforms: [x]}\n"),
		doc(CodeMediaURL, "public address of files that cannot be one",
			"Networks that fetch pictures and videos would find nothing there, or the same file every time.",
			"media: {public_url: \"https://raw.githubusercontent.com/acme/site/main/\"}\n", "media: {public_url: \"https://raw.githubusercontent.com/acme/site/{commit}/{path}\"}\n"),
		doc(CodeBucket, "bucket that cannot be used",
			"Networks that fetch pictures and videos would find nothing there. A bucket has an endpoint and a name, and is there instead of media.public_url.",
			"media:\n  bucket: {endpoint: s3.eu-central-1.amazonaws.com, name: acme-social}\n", "media:\n  bucket: {endpoint: \"https://s3.eu-central-1.amazonaws.com\", name: acme-social}\n"),
		doc(CodeApproval, "rule for approval that cannot be met or names something unknown",
			"A mistyped name would let its posts out unapproved; a rule that nobody can meet would let nothing out, ever.",
			"require_approval: {people: 2, by: [resi]}\n", "require_approval: {people: 2, by: [resi, ada]}\n"),
		doc(CodeNotify, "channel on which nobody can be told",
			"When something fails, nobody would learn of it, or everybody: what is said on most networks is said to the world.",
			"notify:\n  channels: {team: {account: teem}}\n", "notify: {issue: true}\n"),
	}
}

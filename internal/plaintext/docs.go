package plaintext

import "github.com/postrider/postrider/internal/finding"

// The codes that this package reports.
const (
	CodeTooLong    finding.Code = "T201"
	CodeCut        finding.Code = "T202"
	CodeStrike     finding.Code = "T203"
	CodeTable      finding.Code = "T204"
	CodeNowhere    finding.Code = "T205"
	CodeTag        finding.Code = "T206"
	CodeNothing    finding.Code = "T207"
	CodeLinkTitle  finding.Code = "T208"
	CodeCutAddress finding.Code = "T209"
	CodeNoHandle   finding.Code = "P101"
)

// Docs returns the documentation of the codes that this package reports.
func Docs() []finding.Doc {
	return []finding.Doc{
		{
			Code: CodeTooLong, Severity: finding.Error, Since: "0.1.0",
			Title: "text too long for the network",
			Why:   "The network would refuse the post. The finding stands where the limit is crossed, by the network's own way of counting.",
			Bad:   "a paragraph of 400 characters for Bluesky, which takes 300",
			Good:  "thread: auto",
		},
		{
			Code: CodeCut, Severity: finding.Info, Since: "0.1.0",
			Title: "thread cut automatically",
			Why:   "With thread: auto, a part that is too long is cut between paragraphs, else sentences, else words. Reviewers should see where.",
			Bad:   "thread: auto and a body of 400 characters",
			Good:  "a line of --- where the next part shall begin",
		},
		{
			Code: CodeStrike, Severity: finding.Warning, Since: "0.1.0",
			Title: "struck-out words are shown as if they held",
			Why:   "Networks without rich text show the words without the line through them, which turns their meaning around.",
			Bad:   "Now ~~20~~ 15 euros.",
			Good:  "Now 15 euros instead of 20.",
		},
		{
			Code: CodeTable, Severity: finding.Warning, Since: "0.1.0",
			Title: "table becomes lines",
			Why:   "Networks without rich text have no tables. Each row becomes a line, its cells separated by \" | \", and columns do not line up.",
			Bad:   "| sled | price |\n|---|---|\n| red | 15 |",
			Good:  "- the red sled: 15",
		},
		{
			Code: CodeNowhere, Severity: finding.Error, Since: "0.1.0",
			Title: "link without a whole address",
			Why:   "An address that is relative to a page, or lacks https://, leads nowhere from a post.",
			Bad:   "[the shop](/shop)",
			Good:  "[the shop](https://acme.example/shop)",
		},
		{
			Code: CodeTag, Severity: finding.Warning, Since: "0.1.0",
			Title: "tag that is no hashtag",
			Why:   "Hashtags have letters, digits and underscores, and not only digits. Other characters are left out; words are joined as CamelCase.",
			Bad:   "tags: [c++, 2026]",
			Good:  "tags: [cpp, winter2026]",
		},
		{
			Code: CodeNothing, Severity: finding.Error, Since: "0.1.0",
			Title: "nothing left to publish",
			Why:   "Once the blocks meant for others, notes and pictures are taken out, no text is left, and nothing is attached.",
			Bad:   "platforms: [x, bluesky], and a body that is one `::: x` block",
			Good:  "platforms: [x]",
		},
		{
			Code: CodeLinkTitle, Severity: finding.Info, Since: "0.1.0",
			Title: "title of a link is not shown",
			Why:   "Only web pages show the title in [words](address \"title\").",
			Bad:   "[the shop](https://acme.example \"our shop\")",
			Good:  "[our shop](https://acme.example)",
		},
		{
			Code: CodeCutAddress, Severity: finding.Warning, Since: "0.1.0",
			Title: "address that the network does not link as a whole",
			Why:   "Networks find addresses in the text by rules of their own. This one would end too early, or not be found.",
			Bad:   "[the shop](https://acme.example/a,b,)",
			Good:  "[the shop](https://acme.example/a,b%2C)",
		},
		{
			Code: CodeNoHandle, Severity: finding.Warning, Since: "0.1.0",
			Title: "mention without a handle on this network",
			Why:   "An @name that nobody or somebody else has would be published. The name is written without the @ instead.",
			Bad:   "mentions: {anna: {mastodon: anna@example.social}}, and the post also goes to Bluesky",
			Good:  "mentions: {anna: {mastodon: anna@example.social, bluesky: anna.example}}",
		},
	}
}

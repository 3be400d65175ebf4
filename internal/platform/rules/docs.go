package rules

import "github.com/postrider/postrider/internal/finding"

// The codes that this package reports.
const (
	CodeMediaCount  finding.Code = "M201"
	CodeMediaMix    finding.Code = "M202"
	CodeMediaBytes  finding.Code = "M203"
	CodeMediaType   finding.Code = "M204"
	CodeAltLength   finding.Code = "M205"
	CodeMediaPixels finding.Code = "M206"
	CodeGIFStill    finding.Code = "M207"
	CodeMediaHuge   finding.Code = "M208"
	CodeMediaShape  finding.Code = "M209"
	CodeVideoTime   finding.Code = "M210"
	CodeVideoCodec  finding.Code = "M211"
	CodePages       finding.Code = "M212"
	CodeGIFFrames   finding.Code = "M213"
	CodeAltDropped  finding.Code = "M214"
	CodeVisibility  finding.Code = "P102"
	CodeNoPoll      finding.Code = "P103"
	CodePollLimit   finding.Code = "P104"
	CodeReplyTo     finding.Code = "P105"
	CodeQuote       finding.Code = "P106"
	CodeLanguages   finding.Code = "P107"
	CodeLabel       finding.Code = "P108"
	CodeCard        finding.Code = "P109"
)

// Docs returns the documentation of the codes that this package reports.
func Docs() []finding.Doc {
	return []finding.Doc{
		{
			Code: CodeMediaCount, Severity: finding.Error, Since: "0.1.0",
			Title: "more pictures than the network takes",
			Why:   "The network would refuse the part, or drop the last pictures.",
			Bad:   "five pictures in one part for Bluesky, which takes four",
			Good:  "four pictures, and the fifth behind a line of ---",
		},
		{
			Code: CodeMediaMix, Severity: finding.Error, Since: "0.1.0",
			Title: "video, sound or GIF beside other media",
			Why:   "The network takes a video, a sound and, on X, a moving GIF only alone.",
			Bad:   "media: [{file: ride.mp4}, {file: hero.jpg}]",
			Good:  "media: [{file: ride.mp4}]",
		},
		{
			Code: CodeMediaBytes, Severity: finding.Error, Since: "0.1.0",
			Title: "file larger than the network takes",
			Why:   "The network would refuse the upload.",
			Bad:   "a video of 400 MB for Bluesky, which takes 300 MB; a picture is made smaller instead, unless it moves",
			Good:  "the same video, compressed more",
		},
		{
			Code: CodeMediaType, Severity: finding.Error, Since: "0.1.0",
			Title: "kind of file that the network does not take",
			Why:   "The network would refuse the upload. What counts is what the file is, not its name.",
			Bad:   "media: [{file: flyer.pdf}]",
			Good:  "media: [{file: flyer.png}]",
		},
		{
			Code: CodeAltLength, Severity: finding.Error, Since: "0.1.0",
			Title: "alt text longer than the network takes",
			Why:   "The network would refuse or cut it.",
			Bad:   "an alt text of 1,200 characters for X, which takes 1,000",
			Good:  "the same picture described in two sentences",
		},
		{
			Code: CodeMediaPixels, Severity: finding.Error, Since: "0.1.0",
			Title: "picture or video with more pixels than the network takes",
			Why:   "The network would refuse the upload.",
			Bad:   "a moving GIF of 8000×6000 pixels for Mastodon; a still picture is made smaller instead",
			Good:  "the same GIF at 800×600",
		},
		{
			Code: CodeGIFStill, Severity: finding.Warning, Since: "0.1.0",
			Title: "moving GIF that does not move",
			Why:   "The network shows only the first frame.",
			Bad:   "media: [{file: dance.gif}] for Bluesky",
			Good:  "overrides: {bluesky: {media: [{file: dance.jpg}]}}",
		},
		{
			Code: CodeMediaHuge, Severity: finding.Error, Since: "0.1.0",
			Title: "picture too large to be made smaller",
			Why:   "The network would refuse it, and a picture of more than 80 million pixels is not decoded: it could take all memory.",
			Bad:   "a picture of 12,000×9,000 pixels for Mastodon; for 40,000×40,000 pixels see M108",
			Good:  "the same picture at 5760×5760",
		},
		{
			Code: CodeMediaShape, Severity: finding.Error, Since: "0.1.0",
			Title: "picture too narrow or too wide",
			Why:   "The network would refuse it, or cut away what nobody has chosen. Postrider never crops.",
			Bad:   "a panorama of 6000×600 pixels for a network that takes up to 1.91 : 1",
			Good:  "a part of it, of 1146×600 pixels",
		},
		{
			Code: CodeVideoTime, Severity: finding.Error, Since: "0.1.0",
			Title: "video shorter or longer than the network takes",
			Why:   "The network would refuse it, often only after the upload.",
			Bad:   "a video of three minutes for X, which takes 140 seconds",
			Good:  "the same video, cut",
		},
		{
			Code: CodeVideoCodec, Severity: finding.Error, Since: "0.1.0",
			Title: "video in an encoding that the network does not take",
			Why:   "The network would refuse it, often only after the upload. Postrider changes no videos: that takes long, and loses something.",
			Bad:   "a MOV with ProRes for Instagram, which takes H.264 and H.265",
			Good:  "the same video, exported as H.264",
		},
		{
			Code: CodePages, Severity: finding.Error, Since: "0.1.0",
			Title: "document with more pages than the network takes",
			Why:   "The network would refuse it.",
			Bad:   "a PDF of 400 pages for LinkedIn, which takes 300",
			Good:  "its first 20 pages, and a link to the rest",
		},
		{
			Code: CodeGIFFrames, Severity: finding.Error, Since: "0.1.0",
			Title: "moving GIF with more frames than the network takes",
			Why:   "The network would refuse it.",
			Bad:   "a GIF of 400 frames for X, which takes 350",
			Good:  "the same as a video",
		},
		{
			Code: CodeAltDropped, Severity: finding.Info, Since: "0.1.0",
			Title: "alt text that the network does not take",
			Why:   "The network has alt text for pictures only. That of a video reaches nobody there.",
			Bad:   "media: [{file: ride.mp4, alt: A sled goes down the hill}] for Facebook",
			Good:  "the same, and what matters in it said in the text",
		},
		{
			Code: CodeVisibility, Severity: finding.Error, Since: "0.1.0",
			Title: "visibility that the network does not have",
			Why:   "Postrider never shows a post to more people than was asked for, so it does not go out there at all.",
			Bad:   "visibility: followers, and platforms: [bluesky]",
			Good:  "visibility: followers, and platforms: [mastodon]",
		},
		{
			Code: CodeNoPoll, Severity: finding.Error, Since: "0.1.0",
			Title: "poll where the network has none",
			Why:   "A question without its options is not the post that was reviewed.",
			Bad:   "poll: {options: [Red, Blue]}, and platforms: [bluesky]",
			Good:  "poll: {options: [Red, Blue]}, and platforms: [mastodon]",
		},
		{
			Code: CodePollLimit, Severity: finding.Error, Since: "0.1.0",
			Title: "poll outside the network's limits",
			Why:   "The network would refuse the post.",
			Bad:   "poll: {options: [Red]}",
			Good:  "poll: {options: [Red, Blue], duration: 24h}",
		},
		{
			Code: CodeReplyTo, Severity: finding.Error, Since: "0.1.0",
			Title: "reply_to that names no post of the network",
			Why:   "The post would go out as a post of its own, or be refused.",
			Bad:   "reply_to: https://example.com/ for Bluesky",
			Good:  "overrides: {bluesky: {reply_to: https://bsky.app/profile/anna.example/post/3kabc}}",
		},
		{
			Code: CodeQuote, Severity: finding.Error, Since: "0.1.0",
			Title: "quote that names no post of the network",
			Why:   "The post would go out without what it speaks of, or be refused.",
			Bad:   "quote: https://example.com/ for Bluesky",
			Good:  "overrides: {bluesky: {quote: https://bsky.app/profile/anna.example/post/3kabc}}",
		},
		{
			Code: CodeLanguages, Severity: finding.Warning, Since: "0.1.0",
			Title: "more languages than the network takes",
			Why:   "Bluesky takes three and refuses more; Mastodon takes one and gets the first.",
			Bad:   "language: [en, de] for Mastodon",
			Good:  "language: en",
		},
		{
			Code: CodeLabel, Severity: finding.Error, Since: "0.1.0",
			Title: "label that the network does not have",
			Why:   "Bluesky knows porn, sexual, nudity, graphic-media and !no-unauthenticated. Other networks have one mark for the first four: sensitive.",
			Bad:   "labels: [spoiler]",
			Good:  "labels: [graphic-media]",
		},
		{
			Code: CodeCard, Severity: finding.Warning, Since: "0.1.0",
			Title: "link card that is not shown as written",
			Why:   "X and Mastodon build cards from the linked page. Bluesky shows media or a card, and a card needs an address.",
			Bad:   "card: {title: Winter} without url, link or an address in the text",
			Good:  "card: {url: https://acme.example/winter, title: Winter}",
		},
	}
}

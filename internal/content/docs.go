package content

import "github.com/postrider/postrider/internal/finding"

// Docs returns the documentation of the codes of this package. Bad and Good are whole files, except
// where a file's text is not what matters: those are in parentheses.
func Docs() []finding.Doc {
	return []finding.Doc{
		{
			Code: codeUnreadable, Title: "a file that cannot be read", Severity: finding.Error, Since: since,
			Why:  "A post that cannot be read cannot go out, and nobody would notice.",
			Bad:  "(a file without read permission, or a symbolic link to a file that is gone)",
			Good: "(a readable file)",
		},
		{
			Code: codeTooLarge, Title: "a file that is too large", Severity: finding.Error, Since: since,
			Why:  "A post is a short text. A file of more than 1 MiB is something else, and is not read.",
			Bad:  "(a file of 2 MiB)",
			Good: "(a file below 1 MiB)",
		},
		{
			Code: codeEmpty, Title: "an empty file", Severity: finding.Error, Since: since,
			Why:  "There is nothing to send. Often an editor has lost the text.",
			Bad:  "\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n",
		},
		{
			Code: codeUTF8, Title: "a file that is not UTF-8", Severity: finding.Error, Since: since,
			Why:  "Networks take UTF-8 only. Guessing another encoding would publish garbled letters.",
			Bad:  "---\nid: k3v9q2xh\n---\nCaf\xe9\n",
			Good: "---\nid: k3v9q2xh\n---\nCafé\n",
		},
		{
			Code: codeNUL, Title: "a NUL byte", Severity: finding.Error, Since: since,
			Why:  "No text has one. It is a sign that the file is damaged or is no text at all.",
			Bad:  "---\nid: k3v9q2xh\n---\nHello\x00\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n",
		},
		{
			Code: codeBOM, Title: "a byte-order mark", Severity: finding.Warning, Since: since,
			Why:  "Other tools take the invisible mark for text, and then do not find the front matter.",
			Bad:  "\ufeff---\nid: k3v9q2xh\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n",
		},
		{
			Code: codeLinkOut, Title: "a post that is a symbolic link out of the site", Severity: finding.Error, Since: since,
			Why:  "What is outside the site is not in git, is not reviewed, and may be anything.",
			Bad:  "(content/launch.md → /home/me/launch.md)",
			Good: "(content/launch.md is the file itself)",
		},
		{
			Code: codeLinkFolder, Title: "a folder that is a symbolic link", Severity: finding.Warning, Since: since,
			Why:  "Folders are not followed through links, so the posts in it are not seen.",
			Bad:  "(content/shared → ../posts)",
			Good: "(content/shared is a folder)",
		},
		{
			Code: codeUnterminated, Title: "front matter that is never closed", Severity: finding.Error, Since: since,
			Why:  "Without its end there is no telling the front matter from the text, and it would be published.",
			Bad:  "---\nid: k3v9q2xh\nHello\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n",
		},
		{
			Code: codeDelimiter, Title: "a delimiter that is none", Severity: finding.Error, Since: since,
			Why:  "An indented or longer line of dashes opens no front matter: what follows it would be published as text.",
			Bad:  "  ---\nid: k3v9q2xh\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n",
		},
		{
			Code: codeSyntax, Title: "front matter that cannot be read", Severity: finding.Error, Since: since,
			Why:  "It is not valid YAML, TOML or JSON, so none of its values is known.",
			Bad:  "---\nid: k3v9q2xh\ntitle: News: winter\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\ntitle: \"News: winter\"\n---\nHello\n",
		},
		{
			Code: codeUnknownKey, Title: "an unknown key", Severity: finding.Error, Since: since,
			Why:  "A misspelt key has no effect: a post with `publishat` would go out at once.",
			Bad:  "---\nid: k3v9q2xh\ncampain: winter\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\ncampaign: winter\n---\nHello\n",
		},
		{
			Code: codeTwice, Title: "a key that is set twice", Severity: finding.Error, Since: since,
			Why:  "Of two values one would win in silence. Aliases count: `date` and `publish_at` are the same key.",
			Bad:  "---\nid: k3v9q2xh\ntitle: One\ntitle: Two\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\ntitle: Two\n---\nHello\n",
		},
		{
			Code: codeType, Title: "a value of the wrong kind", Severity: finding.Error, Since: since,
			Why:  "A value that is not understood is not guessed at.",
			Bad:  "---\nid: k3v9q2xh\ndraft: \"yes\"\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\ndraft: true\n---\nHello\n",
		},
		{
			Code: codeValue, Title: "a value that is not allowed", Severity: finding.Error, Since: since,
			Why:  "The value has the right kind, and means nothing here.",
			Bad:  "---\nid: k3v9q2xh\nlate: hodl\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\nlate: hold\n---\nHello\n",
		},
		{
			Code: codeMisplaced, Title: "a key in the wrong place", Severity: finding.Error, Since: since,
			Why:  "Some keys belong to the post as a whole, others to an override only.",
			Bad:  "---\nid: k3v9q2xh\ntext: Hello\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\noverrides:\n  x:\n    text: Hello\n---\nHello to all\n",
		},
		{
			Code: codeListedTwice, Title: "a name that is listed twice", Severity: finding.Warning, Since: since,
			Why:  "It counts once. Perhaps another one was meant.",
			Bad:  "---\nid: k3v9q2xh\ntags: [winter, winter]\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\ntags: [winter, launch]\n---\nHello\n",
		},
		{
			Code: codeSecret, Title: "a secret in the front matter", Severity: finding.Error, Since: since,
			Why:  "The file is in git, where a secret can be read by everybody who has the repository, for ever. Secrets come from the environment; one that was committed must be replaced.",
			Bad:  "---\nid: k3v9q2xh\napp_password: abcd-efgh\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n",
		},
		{
			Code: codeNoID, Title: "a post without an id", Severity: finding.Warning, Since: since,
			Why:  "Without one, the id comes from the path: a renamed file would look like a new post.",
			Bad:  "---\ntitle: Winter\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\ntitle: Winter\n---\nHello\n",
		},
		{
			Code: codeID, Title: "an id that is none", Severity: finding.Error, Since: since,
			Why:  "An id becomes part of file names and keys.",
			Bad:  "---\nid: winter launch\n---\nHello\n",
			Good: "---\nid: winter-launch\n---\nHello\n",
		},
		{
			Code: codeSameID, Title: "two posts with one id", Severity: finding.Error, Since: since,
			Why:  "The ledger could not tell them apart: one of them would count as sent already. Letter case makes no difference.",
			Bad:  "(two files with id: k3v9q2xh)",
			Good: "(two files with ids of their own)",
		},
		{
			Code: codeTooMany, Title: "too many findings in one file", Severity: finding.Error, Since: since,
			Why:  "Only the first hundred are listed. The rest may hold errors, so the post does not go out.",
			Bad:  "(a file with more than a hundred mistakes)",
			Good: "(the same file with fewer)",
		},
		{
			Code: codeEmptyPart, Title: "an empty part of a thread", Severity: finding.Warning, Since: since,
			Why:  "Two breaks follow each other, or one stands at the start or the end. The empty part is left out.",
			Bad:  "---\nid: k3v9q2xh\n---\nHello\n\n---\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n\n---\n\nWorld\n",
		},
		{
			Code: codeNestedBreak, Title: "a break inside a list or a quote", Severity: finding.Warning, Since: since,
			Why:  "It does not divide the thread, and no network has a line to draw, so it is left out.",
			Bad:  "---\nid: k3v9q2xh\n---\n> Hello\n> ***\n> World\n",
			Good: "---\nid: k3v9q2xh\n---\n> Hello\n>\n> World\n",
		},
		{
			Code: codeThreadNote, Title: "a thread comment that shares its line", Severity: finding.Warning, Since: since,
			Why:  "`<!-- thread -->` starts a new part only on a line of its own; anywhere else it is a note.",
			Bad:  "---\nid: k3v9q2xh\n---\nHello <!-- thread -->\n\nWorld\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n\n<!-- thread -->\n\nWorld\n",
		},
		{
			Code: codeOpenNote, Title: "a comment that is never closed", Severity: finding.Error, Since: since,
			Why:  "Comments are never published. Without its end, the rest of the text is one.",
			Bad:  "---\nid: k3v9q2xh\n---\nHello\n\n<!-- ask Ann\n\nWorld\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n\n<!-- ask Ann -->\n\nWorld\n",
		},
		{
			Code: codeNoteMess, Title: "comments entangled with code", Severity: finding.Error, Since: since,
			Why:  "Whether a comment is a note or code depends on itself. Rather than publish a note, nothing is published.",
			Bad:  "---\nid: k3v9q2xh\n---\n<<!-- x -->!-- y -->\n",
			Good: "---\nid: k3v9q2xh\n---\n<!-- x -->\n<!-- y -->\nHello\n",
		},
		{
			Code: codeOpenBlock, Title: "a ::: block that is never closed", Severity: finding.Error, Since: since,
			Why:  "There is no telling where the part for some accounts ends, and the others would miss the rest.",
			Bad:  "---\nid: k3v9q2xh\n---\nHello\n\n::: x\nOnly X\n",
			Good: "---\nid: k3v9q2xh\n---\nHello\n\n::: x\nOnly X\n:::\n",
		},
		{
			Code: codeNestedBlock, Title: "a ::: block inside something else", Severity: finding.Error, Since: since,
			Why:  "Blocks stand at the outermost level, so that everybody sees at once who gets what.",
			Bad:  "---\nid: k3v9q2xh\n---\n::: x\n::: bluesky\nHello\n:::\n:::\n",
			Good: "---\nid: k3v9q2xh\n---\n::: x\nHello\n:::\n\n::: bluesky\nHello\n:::\n",
		},
		{
			Code: codeBlockNames, Title: "a ::: block with wrong names", Severity: finding.Error, Since: since,
			Why:  "It is not clear whom the block is for.",
			Bad:  "---\nid: k3v9q2xh\n---\n::: x !bluesky\nHello\n:::\n",
			Good: "---\nid: k3v9q2xh\n---\n::: !bluesky\nHello\n:::\n",
		},
		{
			Code: codeStrayClose, Title: "a ::: that closes nothing", Severity: finding.Error, Since: since,
			Why:  "It would be published as it stands, and perhaps the line that opens the block is missing.",
			Bad:  "---\nid: k3v9q2xh\n---\nHello\n\n:::\n",
			Good: "---\nid: k3v9q2xh\n---\n::: x\nHello\n:::\n",
		},
		{
			Code: codeBreakInBlock, Title: "a thread break inside a ::: block", Severity: finding.Error, Since: since,
			Why:  "The thread would have other parts for other accounts, and replies would hang on nothing.",
			Bad:  "---\nid: k3v9q2xh\n---\n::: x\nOne\n\n---\n\nTwo\n:::\n",
			Good: "---\nid: k3v9q2xh\n---\n::: x\nOne\n:::\n\n---\n\nTwo\n",
		},
		{
			Code: codeRawHTML, Title: "HTML in the text", Severity: finding.Warning, Since: since,
			Why:  "Few networks take HTML; on the others it is left out.",
			Bad:  "---\nid: k3v9q2xh\n---\nHello <b>you</b>\n",
			Good: "---\nid: k3v9q2xh\n---\nHello **you**\n",
		},
		{
			Code: codeTooLong, Title: "a text without end", Severity: finding.Error, Since: since,
			Why:  "A text of more than 256 KiB, or a paragraph of more than 16 KiB, is no post, and takes very long to read.",
			Bad:  "(a paragraph of 20 KiB)",
			Good: "(paragraphs below 16 KiB)",
		},
		{
			Code: codeMediaMissing, Title: "a file that does not exist", Severity: finding.Error, Since: since,
			Why:  "The post would go out without its picture.",
			Bad:  "---\nid: k3v9q2xh\nmedia: [heroe.png]\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\nmedia: [hero.png]\n---\nHello\n",
		},
		{
			Code: codeMediaEmpty, Title: "an empty media file", Severity: finding.Error, Since: since,
			Why:  "The file has no bytes, so there is nothing to show.",
			Bad:  "---\nid: k3v9q2xh\nmedia: [empty.png]\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\nmedia: [hero.png]\n---\nHello\n",
		},
		{
			Code: codeNoImage, Title: "a file that is damaged, or no picture", Severity: finding.Error, Since: since,
			Why:  "The name says picture and the bytes do not, or a picture, video or PDF is cut off or damaged. Networks look at the bytes.",
			Bad:  "---\nid: k3v9q2xh\nmedia: [fake.png]\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\nmedia: [hero.png]\n---\nHello\n",
		},
		{
			Code: codeNotMedia, Title: "a file that is no medium", Severity: finding.Error, Since: since,
			Why:  "Networks take pictures, videos and sometimes PDF.",
			Bad:  "---\nid: k3v9q2xh\nmedia: [notes.txt]\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\nmedia: [hero.png]\n---\nHello\n",
		},
		{
			Code: codeMediaLarge, Title: "a media file that is too large", Severity: finding.Error, Since: since,
			Why:  "Few networks take it, and none through this program, which does not read it: to digest a video of 3 GB takes long.",
			Bad:  "(a video of 3 GB)",
			Good: "(a video below 512 MiB)",
		},
		{
			Code: codeMediaUnreadable, Title: "a media file that cannot be read", Severity: finding.Error, Since: since,
			Why:  "The post would go out without its picture.",
			Bad:  "(a picture without read permission)",
			Good: "(a readable picture)",
		},
		{
			Code: codeMediaLocked, Title: "a PDF with a password", Severity: finding.Error, Since: since,
			Why:  "Networks turn a PDF into pictures of its pages, and cannot open this one.",
			Bad:  "(a PDF that is encrypted)",
			Good: "(the same PDF, saved without a password)",
		},
		{
			Code: codeMediaBomb, Title: "a picture too large to be shown", Severity: finding.Error, Since: since,
			Why: "A file of some kilobytes can unfold into gigabytes of pixels, and whoever shows it runs out of memory. What has more than 268 million pixels " +
				"(16,383×16,383) is not decoded, as by libvips, with which many networks read pictures. The largest cameras make 200 million (checked 2026-11-22).",
			Bad:  "(a PNG of 40,000×40,000 pixels)",
			Good: "(the same picture at 4,000×4,000)",
		},
		{
			Code: codeMisnamed, Title: "a file that is not what its name says", Severity: finding.Warning, Since: since,
			Why: "Networks that get the file go by its bytes, and so does Postrider. People, editors and web servers go by the name: a network that fetches " +
				"the file from a web server is told the wrong type (M303).",
			Bad:  "---\nid: k3v9q2xh\nmedia: [hero.jpg]\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\nmedia: [hero.png]\n---\nHello\n",
		},
		{
			Code: codeMediaPath, Title: "a path that leads nowhere", Severity: finding.Error, Since: since,
			Why:  "Media are files of the site: what is outside it is neither reviewed nor in git.",
			Bad:  "---\nid: k3v9q2xh\nmedia: [../../hero.png]\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\nmedia: [hero.png]\n---\nHello\n",
		},
		{
			Code: codeMediaLink, Title: "a medium that is a symbolic link out of the site", Severity: finding.Error, Since: since,
			Why:  "What is outside the site is not in git, is not reviewed, and may be anything.",
			Bad:  "(content/hero.png → /home/me/hero.png)",
			Good: "(content/hero.png is the file itself)",
		},
		{
			Code: codeRemote, Title: "a picture from the web", Severity: finding.Error, Since: since,
			Why:  "It may change after the review, or be gone when the post goes out.",
			Bad:  "---\nid: k3v9q2xh\n---\n![A sled](https://example.com/sled.png)\n",
			Good: "---\nid: k3v9q2xh\n---\n![A sled](hero.png)\n",
		},
		{
			Code: codeLinkCard, Title: "a link card that cannot be read", Severity: finding.Error, Since: since,
			Why:  "The file beside the post holds the words and the picture of its link card. With a mistake in it, the card would be another than the one that was reviewed.",
			Bad:  "-- content/a.md --\n---\nid: k3v9q2xh\nlink: https://acme.example/winter\n---\nHello\n-- content/a.card.yaml --\nurl: https://acme.example/winter\ntitel: The winter sled\n",
			Good: "-- content/a.md --\n---\nid: k3v9q2xh\nlink: https://acme.example/winter\n---\nHello\n-- content/a.card.yaml --\nurl: https://acme.example/winter\ntitle: The winter sled\n",
		},
		{
			Code: codeTime, Title: "a time that is none", Severity: finding.Error, Since: since,
			Why:  "A time that is misread is a post at the wrong time, or at once.",
			Bad:  "---\nid: k3v9q2xh\npublish_at: tomorrow\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\npublish_at: 2026-12-01 09:00\n---\nHello\n",
		},
		{
			Code: codeDateOnly, Title: "a date without a time", Severity: finding.Error, Since: since,
			Why:  "It would mean midnight, which hardly anybody wants.",
			Bad:  "---\nid: k3v9q2xh\npublish_at: 2026-12-01\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\npublish_at: 2026-12-01 09:00\n---\nHello\n",
		},
		{
			Code: codeGap, Title: "a time that does not exist", Severity: finding.Error, Since: since,
			Why:  "On the night when the clocks are set forward, an hour is missing.",
			Bad:  "---\nid: k3v9q2xh\ntimezone: Europe/Berlin\npublish_at: 2026-03-29 02:30\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\ntimezone: Europe/Berlin\npublish_at: 2026-03-29 03:30\n---\nHello\n",
		},
		{
			Code: codeAmbiguous, Title: "a time that happens twice", Severity: finding.Warning, Since: since,
			Why:  "On the night when the clocks are set back, an hour comes twice. The first one is taken.",
			Bad:  "---\nid: k3v9q2xh\ntimezone: Europe/Berlin\npublish_at: 2026-10-25 02:30\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\ntimezone: Europe/Berlin\npublish_at: 2026-10-25T02:30+01:00\n---\nHello\n",
		},
		{
			Code: codeZone, Title: "an unknown time zone", Severity: finding.Error, Since: since,
			Why:  "Without the zone there is no telling when the post is due.",
			Bad:  "---\nid: k3v9q2xh\ntimezone: Europe/Berlim\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\ntimezone: Europe/Berlin\n---\nHello\n",
		},
		{
			Code: codeExpiry, Title: "a post that expires before it is published", Severity: finding.Error, Since: since,
			Why:  "It would be taken down before anybody sees it.",
			Bad:  "---\nid: k3v9q2xh\npublish_at: 2026-12-01 09:00\nexpires_at: 2026-11-01 09:00\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\npublish_at: 2026-12-01 09:00\nexpires_at: 2027-01-01 09:00\n---\nHello\n",
		},
		{
			Code: codeRepeat, Title: "a recurrence rule that is none", Severity: finding.Error, Since: since,
			Why:  "A rule that is misread repeats a post at the wrong times, or floods.",
			Bad:  "---\nid: k3v9q2xh\nrepeat: every Monday\n---\nHello\n",
			Good: "---\nid: k3v9q2xh\npublish_at: 2026-12-07 09:00\nrepeat: FREQ=WEEKLY;BYDAY=MO;COUNT=4\n---\nHello\n",
		},
	}
}

// since is the version that introduced the codes.
const since = "0.1.0"

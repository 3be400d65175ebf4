package measure

import "testing"

// post is an ordinary announcement: 60 words, one URL, one hashtag, ASCII.
const post = "Our winter release is out today, and it is the biggest one we have made so far. " +
	"You can plan a whole campaign in plain text, see every post as each network will show it, " +
	"and send them all from your own repository, with a record of what went where and when. " +
	"Nothing leaves your machine until you say so. Read all about it: https://example.com/blog/winter #launch"

const widePost = "Unser Winter-Release ist da – größer als je zuvor! Planen Sie Kampagnen in reinem Text 🎉👩🏽‍💻 " +
	"und sehen Sie jeden Beitrag so, wie ihn jedes Netz zeigt… 冬のリリースをお届けします。https://example.com/blog #Winter2026"

func bench(b *testing.B, measure func(string)) {
	b.Helper()
	for _, c := range []struct{ name, text string }{{"ascii", post}, {"wide", widePost}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				measure(c.text)
			}
		})
	}
}

func BenchmarkX(b *testing.B)                { bench(b, func(s string) { X(s) }) }
func BenchmarkXEntities(b *testing.B)        { bench(b, func(s string) { XEntities(s) }) }
func BenchmarkBlueskyEntities(b *testing.B)  { bench(b, func(s string) { BlueskyEntities(s) }) }
func BenchmarkMastodon(b *testing.B)         { bench(b, func(s string) { Mastodon(s, 23) }) }
func BenchmarkMastodonEntities(b *testing.B) { bench(b, func(s string) { MastodonEntities(s) }) }
func BenchmarkCountGraphemes(b *testing.B)   { bench(b, func(s string) { CountGraphemes(s) }) }

func BenchmarkSplit(b *testing.B) {
	long := post + "\n\n" + widePost + "\n\n" + post
	entities := XEntities(long)
	b.ReportAllocs()
	for b.Loop() {
		Split(long, entities, XMaxWeighted, func(s string) int { return X(s).Weighted })
	}
}

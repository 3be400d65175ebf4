package post

import (
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/finding"
)

// Range returns where a span of the file stands, in lines and columns. The zero Span, and every
// span of a post without its Text, gives the start of the body.
func (p *Post) Range(s Span) finding.Range {
	if s == (Span{}) || p.Text == "" {
		return finding.Range{Start: finding.Pos{Line: max(1, p.BodyLine), Column: 1}}
	}
	return finding.Range{Start: p.pos(s.Start), End: p.pos(max(s.Start, s.End))}
}

// pos returns the position of the byte at offset; outside the text, that of its nearest end.
func (p *Post) pos(offset int) finding.Pos {
	before := p.Text[:max(0, min(offset, len(p.Text)))]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return finding.Pos{Line: 1 + strings.Count(before, "\n"), Column: 1 + utf8.RuneCountInString(line)}
}

// Place returns where the field that the variant uses stands: in the override for the account, in
// that for the platform, or in the post itself; else the start of the file.
func (v *Variant) Place(f Field) finding.Range {
	for _, name := range [...]string{v.Account, v.Platform} {
		for _, pl := range v.Post.Places {
			if pl.Field == f && pl.Name == name {
				return pl.Range
			}
		}
	}
	return v.Post.Place("", f)
}

// Range returns where a span of the variant's text stands: as [Post.Range], except that without a
// span it is the override's `text:` where the variant takes its text from there.
func (v *Variant) Range(s Span) finding.Range {
	if s == (Span{}) {
		for _, name := range [...]string{v.Account, v.Platform} {
			for _, pl := range v.Post.Places {
				if pl.Field == FieldText && pl.Name == name {
					return pl.Range
				}
			}
		}
	}
	return v.Post.Range(s)
}

// Finding returns a finding about what the variant's account gets of the post.
func (v *Variant) Finding(code finding.Code, sev finding.Severity, at finding.Range, message, hint string) finding.Finding {
	return finding.Finding{
		Code: code, Severity: sev, Path: v.Post.Path, Range: at, Post: v.Post.ID, Account: v.Account,
		Message: message, Hint: hint,
	}
}

package post

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/finding"
)

func at(line, column int) finding.Pos { return finding.Pos{Line: line, Column: column} }

func TestRange(t *testing.T) {
	p := &Post{Text: "---\nid: x\n---\nGrüße,\r\nWelt 🌍!\n", BodyLine: 4}
	tests := []struct {
		name string
		span Span
		want finding.Range
	}{
		{"nowhere", Span{}, finding.Range{Start: at(4, 1)}},
		{"first byte", Span{0, 3}, finding.Range{Start: at(1, 1), End: at(1, 4)}},
		{"columns are code points", Span{19, 23}, finding.Range{Start: at(4, 5), End: at(4, 8)}},
		{"over a line's end", Span{14, 24}, finding.Range{Start: at(4, 1), End: at(5, 1)}},
		{"behind an emoji", Span{33, 34}, finding.Range{Start: at(5, 7), End: at(5, 8)}},
		{"outside", Span{-3, 1000}, finding.Range{Start: at(1, 1), End: at(6, 1)}},
		{"backwards", Span{14, 2}, finding.Range{Start: at(4, 1), End: at(4, 1)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, p.Range(tt.span)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := (&Post{}).Range(Span{3, 4}).Start; got != at(1, 1) {
		t.Errorf("a post without its text: %v, want 1:1", got)
	}
}

func TestVariantPlace(t *testing.T) {
	place := func(line int) finding.Range { return finding.Range{Start: at(line, 1)} }
	p := &Post{BodyLine: 20, Places: []Place{
		{Field: FieldTags, Range: place(2)},
		{Field: FieldLink, Range: place(3)},
		{Name: "mastodon", Field: FieldTags, Range: place(4)},
		{Name: "fedi", Field: FieldTags, Range: place(5)},
		{Name: "mastodon", Field: FieldText, Range: place(6)},
	}}
	fedi, other, x := p.For("fedi", "mastodon"), p.For("other", "mastodon"), p.For("x", "x")
	tests := []struct {
		name      string
		got, want finding.Range
	}{
		{"the account's override", fedi.Place(FieldTags), place(5)},
		{"the platform's override", other.Place(FieldTags), place(4)},
		{"the post", x.Place(FieldTags), place(2)},
		{"the post, for one with overrides of other fields", fedi.Place(FieldLink), place(3)},
		{"nowhere", x.Place(FieldCard), place(1)},
		{"text of an override", fedi.Range(Span{}), place(6)},
		{"text of the body", x.Range(Span{}), place(20)},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

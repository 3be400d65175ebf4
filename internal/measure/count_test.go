package measure

import "testing"

func TestCounts(t *testing.T) {
	for _, c := range []struct {
		text                         string
		graphemes, codePoints, utf16 int
	}{
		{"", 0, 0, 0},
		{"plain ASCII", 11, 11, 11},
		{"a\r\nb\rc\n\r\n", 7, 9, 9},
		{"\r\n\u0301", 2, 3, 3},
		{"e\u0301", 1, 2, 2},
		{"é", 1, 1, 1},
		{"日本語", 3, 3, 3},
		{"👨‍👩‍👧‍👦", 1, 7, 11}, // GB11
		{"👩🏽‍💻!", 2, 5, 8},
		{"🇩🇪🇫🇷🇩", 3, 5, 10},
		{"1️⃣", 1, 3, 3},
		{"क्षत्रिय", 3, 8, 8}, // GB9c: क्ष is one
		{"\uac01", 1, 1, 1},
		{"\u1100\u1161\u11a8", 1, 3, 3}, // the same in parts
		{"\xff", 1, 1, 1},
		{"\xff\xfe\x80", 3, 3, 3},
		{"a\xf0\x9f\x98", 4, 4, 4}, // an emoji cut off
		{"a\xff\u0301b", 3, 4, 4},
	} {
		if got := CountGraphemes(c.text); got != c.graphemes {
			t.Errorf("CountGraphemes(%q) = %d, want %d", c.text, got, c.graphemes)
		}
		if got := CountCodePoints(c.text); got != c.codePoints {
			t.Errorf("CountCodePoints(%q) = %d, want %d", c.text, got, c.codePoints)
		}
		if got := CountUTF16(c.text); got != c.utf16 {
			t.Errorf("CountUTF16(%q) = %d, want %d", c.text, got, c.utf16)
		}
	}
}

func FuzzCount(f *testing.F) {
	for _, s := range []string{"", "a\r\n\u0301", "👨‍👩‍👧‍👦🇩🇪", "\xff\xf0\x9f", "क्ष"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		graphemes, codePoints, utf16 := CountGraphemes(s), CountCodePoints(s), CountUTF16(s)
		if graphemes > codePoints || codePoints > utf16 || (s == "") != (graphemes == 0) {
			t.Errorf("%q: %d graphemes, %d code points, %d units", s, graphemes, codePoints, utf16)
		}
		n := 0
		last := 0
		c := newClusters(s)
		for end, ok := c.next(); ok; end, ok = c.next() {
			if end <= last || end > len(s) {
				t.Fatalf("%q: cluster ends at %d after %d", s, end, last)
			}
			last = end
			n++
		}
		if n != graphemes || last != len(s) {
			t.Errorf("%q: %d clusters up to %d, counted %d", s, n, last, graphemes)
		}
	})
}

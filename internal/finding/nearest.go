package finding

// Nearest returns the word of known that was most likely meant by a mistyped one, or "" when none
// is close: for "did you mean" hints. The distance counts insertions, deletions, replacements and
// swapped neighbours; a third of the letters may be wrong.
func Nearest(word string, known []string) string {
	if word == "" {
		return ""
	}
	best, bestDistance := "", max(1, len([]rune(word))/3)+1
	for _, k := range known {
		if d := distance(word, k, bestDistance); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// DidYouMean returns the hint `did you mean "nearest"?`, or otherwise when no known word is near.
func DidYouMean(word string, known []string, otherwise string) string {
	if n := Nearest(word, known); n != "" {
		return `did you mean "` + n + `"?`
	}
	return otherwise
}

// distance returns the optimal string alignment distance of a and b, ignoring case and taking '-' and '_'
// as one letter, or limit when it is not smaller than that.
func distance(a, b string, limit int) int {
	s, t := fold(a), fold(b)
	if len(s)-len(t) >= limit || len(t)-len(s) >= limit {
		return limit
	}
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(t)], limit)
}

func fold(s string) []rune {
	r := []rune(s)
	for i, c := range r {
		switch {
		case c >= 'A' && c <= 'Z':
			r[i] = c - 'A' + 'a'
		case c == '-':
			r[i] = '_'
		}
	}
	return r
}

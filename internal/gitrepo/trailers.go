package gitrepo

import "strings"

// Trailer is a line such as "Reviewed-by: Resi <resi@acme.example>" at the end of a commit's message.
// https://git-scm.com/docs/git-interpret-trailers (2026-11-22)
type Trailer struct{ Key, Value string }

// Trailers returns the trailers of a commit: the lines of the message's last paragraph, if all of them are trailers or go on with the one
// before. What only looks like one in the midst of a text is none, and so is what stands there of another commit's message, as in the
// messages that code hosts make when they squash.
func (c *CommitInfo) Trailers() []Trailer {
	last := strings.TrimRight(strings.Trim(strings.ReplaceAll(c.Body, "\r\n", "\n"), "\n"), " \t\n")
	if i := strings.LastIndex(last, "\n\n"); i >= 0 {
		last = last[i+2:]
	}
	if last == "" {
		return nil
	}
	var list []Trailer
	for line := range strings.SplitSeq(last, "\n") {
		key, value, ok := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "(cherry picked from commit "):
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"):
			if len(list) == 0 {
				return nil
			}
			list[len(list)-1].Value += " " + strings.TrimSpace(line)
		case !ok || !trailerKey(key):
			return nil
		default:
			list = append(list, Trailer{key, strings.TrimSpace(value)})
		}
	}
	return list
}

// trailerKey reports whether a trailer may be called that.
func trailerKey(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// Reviewers returns whom the Reviewed-by trailers of a commit name, by name and mail address. What has no address is left out.
func (c *CommitInfo) Reviewers() (people []Person) {
	for _, t := range c.Trailers() {
		if name, mail, _ := parseSignature(t.Value); strings.EqualFold(t.Key, "Reviewed-by") && strings.Contains(mail, "@") {
			people = append(people, Person{name, mail})
		}
	}
	return people
}

// Person is somebody whom a commit names.
type Person struct{ Name, Email string }

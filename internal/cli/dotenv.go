package cli

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// dotenvName is the file in the site's folder that holds secrets for local use.
const dotenvName = ".env"

// dotenvMaxBytes is the size above which the file cannot be what it is taken for.
const dotenvMaxBytes = 1 << 20

// dotenvError says what is wrong with a line of .env. It never quotes a value.
type dotenvError struct {
	Line    int
	Problem string
}

// Error implements error.
func (e *dotenvError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", dotenvName, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", dotenvName, e.Line, e.Problem)
}

// parseDotenv reads KEY=VALUE lines.
//
// A line may begin with `export `. A value may stand as it is, and then ends at the line's end or before a
// blank and '#'; in single quotes, where everything is literal; or in double quotes, where \n, \r, \t, \", \$ and \\
// are escapes. Nothing is expanded: a '$' in a password stays one. What is unclear is an
// error, because a wrong secret is found out only when a network refuses it.
func parseDotenv(src []byte) (map[string]string, error) {
	if len(src) > dotenvMaxBytes {
		return nil, &dotenvError{0, fmt.Sprintf("the file is larger than %d bytes", dotenvMaxBytes)}
	}
	values, lines := map[string]string{}, map[string]int{}
	n := 0
	for line := range bytes.Lines(bytes.TrimPrefix(src, []byte("\ufeff"))) {
		n++
		fail := func(format string, args ...any) error { return &dotenvError{n, fmt.Sprintf(format, args...)} }
		text := strings.TrimRight(string(line), "\r\n")
		switch {
		case !utf8.ValidString(text):
			return nil, fail("the line is not valid UTF-8")
		case strings.ContainsAny(text, "\x00\r"):
			return nil, fail("the line holds a control character")
		}
		text = strings.TrimLeft(text, " \t")
		if text == "" || text[0] == '#' {
			continue
		}
		key, value, found := strings.Cut(text, "=")
		if rest, ok := strings.CutPrefix(key, "export"); ok && strings.TrimLeft(rest, " \t") != rest {
			key = strings.TrimLeft(rest, " \t")
		}
		key = strings.TrimRight(key, " \t")
		switch {
		case !found:
			return nil, fail("expected KEY=VALUE")
		case !isEnvName(key):
			return nil, fail("the name before '=' must be letters, digits and _, and not begin with a digit")
		case lines[key] != 0:
			return nil, fail("%s is set already, on line %d", key, lines[key])
		}
		value, problem := dotenvValue(strings.TrimLeft(value, " \t"))
		if problem != "" {
			return nil, fail("the value of %s %s", key, problem)
		}
		values[key], lines[key] = value, n
	}
	return values, nil
}

// dotenvValue reads what stands behind the '='. problem is empty, or completes "the value of KEY …".
func dotenvValue(s string) (value, problem string) {
	if s == "" {
		return "", ""
	}
	if s[0] != '\'' && s[0] != '"' {
		for i := range len(s) {
			if s[i] == '#' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t') {
				s = s[:i]
				break
			}
		}
		return strings.TrimRight(s, " \t"), ""
	}
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			rest := s[i+1:]
			if tail := strings.TrimLeft(rest, " \t"); tail != "" && (tail[0] != '#' || tail == rest) {
				return "", "goes on behind its closing quote"
			}
			return b.String(), ""
		case s[i] == '\\' && quote == '"':
			i++
			if i == len(s) {
				return "", "lacks its closing quote"
			}
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case '"', '\\', '$':
				b.WriteByte(s[i])
			default:
				return "", `has an unknown escape behind a \: in double quotes write \\, or use single quotes`
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "lacks its closing quote"
}

// isEnvName reports whether s can be the name of an environment variable.
func isEnvName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// stickyWriter remembers the first error of a stream, so that a full disk behind `> report.json` is an
// error of the program although no verb looks at every single print.
type stickyWriter struct {
	w   io.Writer
	err error
}

// Write implements [io.Writer].
func (s *stickyWriter) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	s.err = err
	return n, err
}

// printf writes a part of the result to stdout. Its errors are reported once, when the verb has ended.
func (a *app) printf(format string, args ...any) {
	fmt.Fprintf(a.Stdout, format, args...) //nolint:errcheck // see stickyWriter
}

// notef writes a line for people to stderr: what goes on, what to do next.
func (a *app) notef(format string, args ...any) {
	fmt.Fprintf(a.Stderr, format+"\n", args...) //nolint:errcheck // nowhere to report it
}

// printJSON writes v to stdout as one line of JSON, without escaping '<', '>' and '&'.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.Stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// list returns l, or an empty list for nil: scripts never see null where a list belongs.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// jsonTime is a time in JSON: RFC 3339 with offset, to the second; with omitzero the zero time is left out.
type jsonTime struct{ time.Time }

// MarshalJSON implements [json.Marshaler].
func (t jsonTime) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.Format(time.RFC3339) + `"`), nil
}

// style paints text for a terminal, or leaves it alone.
type style struct{ on bool }

func (s style) paint(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string   { return s.paint("1", text) }
func (s style) dim(text string) string    { return s.paint("2", text) }
func (s style) red(text string) string    { return s.paint("31", text) }
func (s style) green(text string) string  { return s.paint("32", text) }
func (s style) yellow(text string) string { return s.paint("33", text) }
func (s style) blue(text string) string   { return s.paint("34", text) }
func (s style) under(text string) string  { return s.paint("4", text) }

// stdoutStyle and stderrStyle say whether a stream takes colours: it is a terminal, and neither
// --no-color, NO_COLOR (https://no-color.org) nor TERM=dumb says otherwise.
func (a *app) stdoutStyle() style { return style{a.StdoutTerminal && a.colorWanted()} }
func (a *app) stderrStyle() style { return style{a.StderrTerminal && a.colorWanted()} }

func (a *app) colorWanted() bool {
	return !a.noColor && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}

// printable returns text with everything that could move the cursor, colour the terminal or turn the
// direction of the line replaced. Line breaks and tabs stay.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029:
			return '\ufffd'
		default:
			return r
		}
	}, text)
}

// oneLine returns text as [printable] does, with line breaks and tabs as blanks.
func oneLine(text string) string {
	return strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ").Replace(printable(text))
}

// count returns "1 post" or "3 posts".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// newLog returns the log: warnings on stderr, with -v everything.
func (a *app) newLog() *slog.Logger {
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelDebug
	}
	return a.logAs("text", level)
}

// logAs returns a log on stderr: text or json.
func (a *app) logAs(format string, level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(&scrubWriter{a}, o))
	}
	return slog.New(slog.NewTextHandler(&scrubWriter{a}, o))
}

// scrubWriter writes to stderr without any secret that the program knows.
type scrubWriter struct{ a *app }

// Write implements [io.Writer].
func (s *scrubWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(s.a.Stderr, s.a.scrub(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// below is how far the lines below a result are set in, and terminalWidth what they are folded at.
const (
	below         = 12
	terminalWidth = 80
)

// detail writes a text below the result that it is about. On a terminal it is folded, so that all of it stands below; in a file it is
// one line, which is easier to search.
func (a *app) detail(paint func(string) string, text string) {
	lines := []string{oneLine(text)}
	if a.StdoutTerminal {
		lines = fold(lines[0], terminalWidth-below)
	}
	for _, l := range lines {
		a.printf("%s%s\n", strings.Repeat(" ", below), paint(l))
	}
}

// fold breaks text at blanks into lines of at most width code points. A longer word, such as an address, gets a line of its own.
func fold(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// Package secret has a string type for passwords, tokens and keys that cannot leak by accident, and finds those that stand where they should not.
//
// Every way of printing, logging or marshalling a [String] gives [Redacted]. The only way to the
// value is [String.Reveal], so that all places that use a secret can be found by searching for it.
package secret

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Redacted is what a secret prints as.
const Redacted = "[redacted]"

// String is a secret text. Its zero value is the empty, absent secret.
type String struct{ value string }

// New returns s as a secret. Surrounding white space is removed: a token that was pasted into a
// CI setting often ends with a line break, which no network accepts.
func New(s string) String { return String{strings.TrimSpace(s)} }

// Reveal returns the secret itself, to be sent to the service it belongs to and nowhere else.
func (s String) Reveal() string { return s.value }

// IsZero reports whether there is no secret.
func (s String) IsZero() bool { return s.value == "" }

// String implements [fmt.Stringer] and returns [Redacted].
func (s String) String() string { return Redacted }

// Format implements [fmt.Formatter]: whatever the verb, wrong ones included, it writes [Redacted].
func (s String) Format(f fmt.State, _ rune) { io.WriteString(f, Redacted) } //nolint:errcheck // as fmt does

// LogValue implements [slog.LogValuer] and returns [Redacted].
func (s String) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText implements [encoding.TextMarshaler], which JSON, YAML and TOML use, and returns [Redacted].
func (s String) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// Scrub returns text with every occurrence of the given secrets replaced by [Redacted]. It is the
// last line of defence for texts that somebody else wrote, such as an error of a library that
// quotes a request. Secrets shorter than four bytes are left alone: they would blank out words.
func Scrub(text string, secrets ...String) string {
	for _, s := range secrets {
		if len(s.value) >= 4 {
			text = strings.ReplaceAll(text, s.value, Redacted)
		}
	}
	return text
}

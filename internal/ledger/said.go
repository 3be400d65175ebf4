package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/utm"
)

// Said returns a digest of the words of a rendering: its texts, link cards and polls, with white space
// folded and without the UTM parameters of links. Pictures do not count, and neither do settings such as the visibility: an
// account that says the same again with another picture, or counts its readers otherwise, repeats itself. Where there are no words, the pictures are what is said. It is empty for a
// rendering with neither.
func Said(r *platform.Rendering) string {
	var words strings.Builder
	fmt.Fprintf(&words, "%s\x00", r.Title) // only where the network shows it
	for _, p := range r.Parts {
		fmt.Fprintf(&words, "%s\x00", strings.Join(strings.Fields(utm.Strip(p.Text)), " "))
		if p.Card != nil {
			fmt.Fprintf(&words, "card %s\x00", utm.Without(p.Card.URL))
		}
	}
	if r.Poll != nil {
		fmt.Fprintf(&words, "poll %q\x00", r.Poll.Options)
	}
	if strings.Trim(words.String(), "\x00") == "" {
		for _, p := range r.Parts {
			for _, m := range p.Media {
				fmt.Fprintf(&words, "media %s\x00", m.Digest)
			}
		}
	}
	if strings.Trim(words.String(), "\x00") == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(words.String()))
	return hex.EncodeToString(sum[:16])
}

// Words returns the digest of the words that the record says it sent. A record of format 1 has none: it is made from the
// texts of its parts, and so is another than today's where a link card or a poll was among the words.
func (r *Record) Words() string {
	if r.Said != "" {
		return r.Said
	}
	sent := platform.Rendering{Parts: make([]platform.Part, len(r.Parts))}
	for i, p := range r.Parts {
		sent.Parts[i].Text = p.Text
	}
	return Said(&sent)
}

// Saying is when an account last said something, and in which post: the content of the marker that [SaidPath] names.
// One without a post means that somebody has said it, and that who and when is lost.
type Saying struct {
	Post        string
	At          time.Time
	Fingerprint string // the start of the fingerprint of what was sent; empty when that is not known
}

// Exactly reports whether what was said was this very rendering, with its pictures and settings.
func (s *Saying) Exactly(fingerprint string) bool {
	return s.Fingerprint != "" && s.Fingerprint == markerDigest(fingerprint)
}

// Saying returns what the record of something published says of its words.
func (r *Record) Saying() Saying {
	s := Saying{Post: r.Post, At: r.PublishedAt}
	if r.Fingerprint != "" {
		s.Fingerprint = markerDigest(r.Fingerprint)
	}
	return s
}

// SaidPath returns the path of the marker that says when an account last said these words, and in which post.
//
// It spreads the markers over 256 folders. More would make it quicker to record hundreds of deliveries at once, and
// slower to record one: with every push, a git server reads every folder of the branch.
func SaidPath(account, said string) string {
	digest := markerDigest(said)
	return path.Join("said", digest[:2], digest+"@"+account)
}

// markerDigest is the part of a digest that stands in a marker and in its name: 32 characters.
func markerDigest(digest string) string {
	const n = 32
	if len(digest) < n {
		digest += strings.Repeat("0", n-len(digest))
	}
	return digest[:n]
}

// Encode returns the content of the marker.
func (s Saying) Encode() []byte {
	return []byte(strings.TrimSpace(fmt.Sprintf("%s %s %s", s.Post, s.At.UTC().Format(time.RFC3339), s.Fingerprint)) + "\n")
}

// DecodeSaying reads a marker. Errors wrap [ErrFormat].
func DecodeSaying(b []byte) (Saying, error) {
	fields := strings.Fields(string(b))
	if len(fields) == 2 || len(fields) == 3 {
		if at, err := time.Parse(time.RFC3339, fields[1]); err == nil {
			return Saying{Post: fields[0], At: at, Fingerprint: strings.Join(fields[2:], "")}, nil
		}
	}
	return Saying{}, fmt.Errorf("%w: a marker of words that were said", ErrFormat)
}

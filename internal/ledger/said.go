package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// Said returns a digest of the words of a rendering: its texts, link cards and polls, with white space
// folded. Pictures do not count, and neither do settings such as the visibility: an account that says the same again
// with another picture repeats itself. It is empty for a rendering without words.
func Said(r *platform.Rendering) string {
	var words strings.Builder
	fmt.Fprintf(&words, "%s\x00", r.Title) // only where the network shows it
	for _, p := range r.Parts {
		fmt.Fprintf(&words, "%s\x00", strings.Join(strings.Fields(p.Text), " "))
		if p.Card != nil {
			fmt.Fprintf(&words, "card %s\x00", p.Card.URL)
		}
	}
	if r.Poll != nil {
		fmt.Fprintf(&words, "poll %q\x00", r.Poll.Options)
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

// SaidPath returns the path of the marker that says when an account last said these words, and in which post.
func SaidPath(account, said string) string { return markerPath("said", account, said) }

// SentPath returns the path of the marker that says that an account was sent a rendering: what
// stops the same text from going out twice under another id.
func SentPath(account, fingerprint string) string { return markerPath("sent", account, fingerprint) }

// markerPath spreads markers over 256 folders. More would make it quicker to record hundreds of deliveries at once, and
// slower to record one: with every push, a git server reads every folder of the branch.
func markerPath(dir, account, digest string) string {
	digest = markerDigest(digest)
	return path.Join(dir, digest[:2], digest+"@"+account)
}

// markerDigest is the part of a digest that names a marker: 32 characters.
func markerDigest(digest string) string {
	const n = 32
	if len(digest) < n {
		digest += strings.Repeat("0", n-len(digest))
	}
	return digest[:n]
}

// EncodeSaid returns the content of such a marker.
func EncodeSaid(post string, at time.Time) []byte {
	return fmt.Appendf(nil, "%s %s\n", post, at.UTC().Format(time.RFC3339))
}

// DecodeSaid reads a marker. Errors wrap [ErrFormat].
func DecodeSaid(b []byte) (post string, at time.Time, err error) {
	post, stamp, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	if at, err = time.Parse(time.RFC3339, stamp); err != nil || post == "" {
		return "", time.Time{}, fmt.Errorf("%w: a marker of words that were said", ErrFormat)
	}
	return post, at, nil
}

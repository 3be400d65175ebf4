package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Format is the version of the ledger's layout that this program writes. docs/LEDGER.md tells what each version
// changed; a ledger of an earlier one is brought up to date in a commit of its own.
const Format = 2

// OpeningFile stands at the ledger's top and holds its [Opening].
const OpeningFile = "ledger.json"

// UntimedFile stands at the ledger's top and lists, an id a line, the posts without a time that the publishing branch
// held when the ledger began: they may have gone out before.
const UntimedFile = "untimed"

// HoldsFile stands at the ledger's top and lists the [Hold]s that are on.
const HoldsFile = "holds.json"

// Opening says what a ledger is, and since when it knows everything that goes out.
type Opening struct {
	Format int `json:"format"`
	// Began is when the ledger was begun. What was due before may have gone out unknown to it: by another tool, by
	// hand, or under a ledger that was lost.
	Began time.Time `json:"began"`
	// Commit is the tip of the publishing branch at that time.
	Commit string `json:"commit,omitempty"`
}

// NewerFormatError says that a ledger was written by a newer program, which this one would misunderstand.
type NewerFormatError struct{ Format int }

// Error implements error.
func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("the ledger has format %d, and this program knows formats up to %d: a newer postrider has written it", e.Format, Format)
}

// Encode returns the opening's file.
func (o Opening) Encode() []byte {
	o.Began = o.Began.UTC()
	return encodeJSON(o)
}

// DecodeOpening reads an opening's file. Errors wrap [ErrFormat] or are a [*NewerFormatError].
func DecodeOpening(b []byte) (Opening, error) {
	var version struct { // alone: a newer format may know the other keys otherwise
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &version); err == nil && version.Format > Format {
		return Opening{}, &NewerFormatError{version.Format}
	}
	var o Opening
	if err := json.Unmarshal(b, &o); err != nil {
		return Opening{}, fmt.Errorf("%s: %w: %w", OpeningFile, ErrFormat, err)
	}
	switch {
	case o.Format < 2 || o.Began.IsZero():
		return Opening{}, fmt.Errorf("%s: %w: it states no format or no beginning", OpeningFile, ErrFormat)
	case !isWritable(o.Began):
		return Opening{}, fmt.Errorf("%s: %w: it began at a time that no file can hold", OpeningFile, ErrFormat)
	}
	return o, nil
}

// EncodeUntimed returns the file that lists posts by their ids; nil, for no file, when there are none.
func EncodeUntimed(posts []string) []byte {
	if len(posts) == 0 {
		return nil
	}
	return []byte(strings.Join(slices.Compact(slices.Sorted(slices.Values(posts))), "\n") + "\n")
}

// DecodeUntimed reads that file; the ids are sorted. Errors wrap [ErrFormat].
func DecodeUntimed(b []byte) ([]string, error) {
	posts := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if !slices.IsSorted(posts) || slices.ContainsFunc(posts, func(id string) bool { return id == "" || strings.ContainsAny(id, " \t\r{") }) {
		return nil, fmt.Errorf("%s: %w: it is not a sorted list of ids", UntimedFile, ErrFormat)
	}
	return posts, nil
}

// Hold is an emergency stop that was pulled with `postrider hold`: unlike the one in site.yaml it needs no merge.
type Hold struct {
	Scope  string    `json:"scope"` // "all", or the name of an account, a platform or a campaign
	Reason string    `json:"reason"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at"`
}

// ScopeAll is the scope of a hold that stops everything.
const ScopeAll = "all"

// Covers reports whether nothing goes to an account of a platform, or of a campaign, while the hold is on.
func (h Hold) Covers(account, platform, campaign string) bool {
	switch h.Scope {
	case ScopeAll, account, platform:
		return true
	}
	return campaign != "" && h.Scope == campaign
}

// String returns the reason with who pulled the stop, and when.
func (h Hold) String() string {
	if h.By == "" {
		return h.Reason
	}
	return fmt.Sprintf("%s (%s, %s)", h.Reason, h.By, h.At.UTC().Format("2 Jan 2006 15:04 MST"))
}

// EncodeHolds returns the file that lists holds; nil, for no file, when there are none.
func EncodeHolds(holds []Hold) []byte {
	if len(holds) == 0 {
		return nil
	}
	return encodeJSON(holdsFile{holds})
}

// holdsFile is the content of [HoldsFile].
type holdsFile struct {
	Holds []Hold `json:"holds"`
}

// DecodeHolds reads that file. Errors wrap [ErrFormat].
func DecodeHolds(b []byte) ([]Hold, error) {
	var file holdsFile
	err := json.Unmarshal(b, &file)
	for _, h := range file.Holds {
		if h.Scope == "" || h.Reason == "" {
			err = errors.Join(err, errors.New("a hold lacks its scope or its reason"))
		}
		if !isWritable(h.At) {
			err = errors.Join(err, errors.New("a hold has a time that no file can hold"))
		}
	}
	if err == nil && len(file.Holds) == 0 {
		err = errors.New("it lists no hold")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", HoldsFile, ErrFormat, err)
	}
	return file.Holds, nil
}

// encodeJSON returns indented JSON with a line break at its end, as all files of the ledger are written.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic("ledger: a file of the ledger always marshals: " + err.Error())
	}
	return b.Bytes()
}

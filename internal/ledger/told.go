package ledger

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ToldFile stands at the ledger's top and holds what people were told of what is open: [Told].
const ToldFile = "told.json"

// Told is what people were told of, so that nobody is told of the same thing by every run. What is settled is not in it any more.
type Told struct {
	Items []ToldItem `json:"items,omitempty"`
	// Issue is the digest of what the open issue on the code host lists; empty when there is none.
	Issue string `json:"issue,omitempty"`
	// Status is the digest of the published commit that shows a status last, and of what was open there; empty when none does.
	Status string `json:"status,omitempty"`
}

// ToldItem is one thing that people were told of: a delivery that has failed, for example.
type ToldItem struct {
	What       string    `json:"what"` // "failed", "unknown", "attention" or "held"
	Post       string    `json:"post,omitempty"`
	Account    string    `json:"account,omitempty"`
	Occurrence string    `json:"occurrence,omitempty"`
	Since      time.Time `json:"since"` // when a run came upon it first
	// Channels are those that were told, by their names.
	Channels map[string]Telling `json:"channels,omitempty"`
}

// Telling says when a channel was told, or that a run is about to tell it.
type Telling struct {
	At  time.Time `json:"at"`
	Run string    `json:"run,omitempty"`
	// Until is set while that run is at it. When the time has passed, the run has died, and the channel may have been told or not.
	Until time.Time `json:"until,omitzero"`
}

// ID returns the delivery that the item is about; that of something about a whole run is empty.
func (i *ToldItem) ID() ID { return ID{i.Post, i.Account, i.Occurrence} }

// Item returns what people were told of a delivery, nil when they were not.
func (t *Told) Item(what string, id ID) *ToldItem {
	for k := range t.Items {
		if i := &t.Items[k]; i.What == what && i.ID() == id {
			return i
		}
	}
	return nil
}

// EncodeTold returns the file; nil, for no file, when nothing was told.
func EncodeTold(t Told) []byte {
	if len(t.Items) == 0 && t.Issue == "" && t.Status == "" {
		return nil
	}
	t.Items = slices.Clone(t.Items)
	slices.SortFunc(t.Items, func(a, b ToldItem) int {
		return cmp.Or(strings.Compare(a.ID().String(), b.ID().String()), strings.Compare(a.What, b.What))
	})
	return encodeJSON(t)
}

// DecodeTold reads that file. Errors wrap [ErrFormat].
func DecodeTold(b []byte) (Told, error) {
	var t Told
	err := json.Unmarshal(b, &t)
	for i := range t.Items {
		item := &t.Items[i]
		if item.What == "" {
			err = errors.Join(err, errors.New("an item does not say what it is"))
		}
		times := []time.Time{item.Since}
		for _, c := range item.Channels {
			times = append(times, c.At, c.Until)
		}
		if slices.ContainsFunc(times, func(at time.Time) bool { return !at.IsZero() && !isWritable(at) }) {
			err = errors.Join(err, errors.New("an item has a time that no file can hold"))
		}
	}
	if err != nil {
		return Told{}, fmt.Errorf("%s: %w: %w", ToldFile, ErrFormat, err)
	}
	return t, nil
}

package gitledger

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// Latest returns the records of at most n deliveries that ended last, newest first, from the ledger's log: in a shallow clone, those
// that its log has. It looks at no more than 20 commits for each.
func (v *View) Latest(n int) ([]*ledger.Record, error) {
	if v.commit == "" || n <= 0 {
		return nil, nil
	}
	var ids []ledger.ID
	seen := map[ledger.ID]bool{}
	err := v.repo.Log(v.commit, 20*n, func(c gitrepo.CommitInfo) error {
		for _, id := range ended(c.Body) {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		if len(ids) >= n {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.SkipAll) {
		return nil, fmt.Errorf("read the ledger's log: %w", err)
	}
	records := make([]*ledger.Record, 0, n)
	for _, id := range ids[:min(n, len(ids))] {
		r, err := v.Record(id)
		if err != nil {
			return nil, err
		}
		if r != nil && r.State != ledger.Sending {
			records = append(records, r)
		}
	}
	return records, nil
}

// ended returns the deliveries whose results a commit's message names.
func ended(body string) (ids []ledger.ID) {
	var post, account string
	for line := range strings.Lines(body) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key {
		case "Post":
			post = value
		case "Account":
			account = value
		case "Outcome":
			if value != string(ledger.Sending) && post != "" && account != "" {
				id := ledger.ID{Account: account}
				id.Post, id.Occurrence, _ = strings.Cut(post, "+")
				ids = append(ids, id)
			}
		}
	}
	return ids
}

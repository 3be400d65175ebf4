package publish

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postrider/postrider/internal/ledger"
)

// Results are pushed in batches. Until then they stand in a journal beside the repository: a line of JSON each, on the
// disk before the next delivery begins. A run that is killed leaves it to the next run in the same clone, which need
// not ask the networks what its journal tells.

// journal is the one of this run. It is safe for concurrent use; remove comes after everything else.
type journal struct {
	dir  string
	head journalHead
	log  *slog.Logger

	mu   sync.Mutex
	file *os.File // nil until the first result
	err  error    // why it cannot be written
	told atomic.Bool
}

// journalHead is the first line of a journal.
type journalHead struct {
	Journal int    `json:"journal"` // of this format: 1
	Run     string `json:"run"`
	Owner   string `json:"owner,omitempty"`
	// Ledger is where the results belong: sites in one repository, and its linked work trees, share the folder.
	Ledger string `json:"ledger"`
}

const journalSuffix = ".jsonl"

func (j *journal) path() string { return filepath.Join(j.dir, j.head.Run+journalSuffix) }

// keep notes a result. A journal that cannot be written is worth a warning: the ledger is still to come.
func (j *journal) keep(rec *ledger.Record) {
	if j.dir == "" {
		return
	}
	if err := j.add(rec); err != nil && !j.told.Swap(true) {
		j.log.Warn("a result cannot be kept on this machine before it is in the ledger", "err", err)
	}
}

// add appends a record and waits until it is on the disk.
func (j *journal) add(rec *ledger.Record) error {
	line := bytes.NewBuffer(nil)
	if err := json.Compact(line, rec.Encode()); err != nil {
		panic("publish: a record is JSON: " + err.Error())
	}
	line.WriteByte('\n')
	file, err := j.write(line.Bytes())
	if file != nil { // several accounts may wait for the disk at once
		err = file.Sync()
	}
	return err
}

// write appends a line. After a failure it writes no more: the end of the file may be half a line.
func (j *journal) write(line []byte) (*os.File, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return nil, j.err
	}
	if j.file == nil {
		if line, j.err = j.open(line); j.err != nil {
			return nil, j.err
		}
	}
	if _, j.err = j.file.Write(line); j.err != nil {
		return nil, j.err
	}
	return j.file, nil
}

// open begins the journal and puts its head before the first line.
func (j *journal) open(line []byte) (_ []byte, err error) {
	head, err := json.Marshal(j.head)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(j.dir, 0o755); err != nil { //nolint:gosec // in a git folder
		return nil, err
	}
	if j.file, err = os.OpenFile(j.path(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644); err != nil { //nolint:gosec // as above
		return nil, err
	}
	return slices.Concat(head, []byte("\n"), line), nil
}

// remove ends the journal, once the ledger has everything that is in it.
func (j *journal) remove() {
	if j.file == nil {
		return
	}
	if err := errors.Join(j.file.Close(), os.Remove(j.path())); err != nil {
		j.log.Warn("the journal of this run cannot be removed", "err", err)
	}
	j.file = nil
}

// recover brings what dead runs of this clone have left in their journals into the ledger. A journal stays as long as
// there is something in it that the ledger does not have.
func (d *Desk) recover(ctx context.Context) error {
	if d.JournalDir == "" {
		return nil
	}
	entries, err := os.ReadDir(d.JournalDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("look for journals of earlier runs: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), journalSuffix) {
			continue
		}
		name := filepath.Join(d.JournalDir, e.Name())
		left, err := readJournal(name)
		if err != nil {
			d.Log.Warn("the journal of an earlier run cannot be read and is left alone", "err", err)
			continue
		}
		if left.head.Journal != 0 && left.head.Ledger != d.place || d.mayLive(left) {
			continue
		}
		lacking, err := d.adoptJournal(ctx, left)
		if err != nil {
			return fmt.Errorf("record what run %s has left in its journal: %w", left.head.Run, err)
		}
		if lacking += left.unread; lacking > 0 {
			d.Log.Warn("the journal of an earlier run is kept: some of its results can be recorded only once somebody has mended what is broken",
				"journal", name, "results", lacking)
			continue
		}
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.Log.Warn("the journal of an earlier run cannot be removed", "err", err) // to read it again does no harm
		}
	}
	return nil
}

// mayLive reports whether the run that writes a journal may still be at work.
func (d *Desk) mayLive(left leftJournal) bool {
	if d.ownerDead != nil && d.ownerDead(left.head.Owner) {
		return false
	}
	latest := left.changed
	if len(left.records) > 0 {
		latest = time.Time{} // the records tell it by the clock of the run
	}
	for _, r := range left.records {
		if last := r.Last(); last != nil {
			for _, t := range []time.Time{last.Started, last.Ended} {
				if t.After(latest) {
					latest = t
				}
			}
		}
	}
	since := d.Now().Sub(latest)
	return since > -leaseTime && since < leaseTime
}

// adoptJournal merges the results of a journal into the ledger, where it does not know them yet. lacking counts those
// that have no place in it, since a damaged file stands there.
func (d *Desk) adoptJournal(ctx context.Context, left leftJournal) (lacking int, err error) {
	view, err := d.Ledger.View()
	if err != nil {
		return 0, err
	}
	var news []*ledger.Record
	for _, r := range left.records {
		known, err := view.Record(r.ID())
		switch {
		case err != nil:
			return 0, err
		case known != nil && known.Damaged != "":
			lacking++
		case known == nil || !bytes.Equal(ledger.Merge(r, known).Encode(), known.Encode()):
			news = append(news, r)
		}
	}
	if len(news) == 0 {
		return lacking, nil
	}
	d.Log.Info("an earlier run died before its results were in the ledger: they are in its journal", "run", left.head.Run, "results", len(news))
	return lacking, d.Ledger.Record(ctx, "results of a run that died", news)
}

// leftJournal is what a file holds; its head is empty when its run had no time to write one.
type leftJournal struct {
	head    journalHead
	records []*ledger.Record
	unread  int // lines that are no records
	changed time.Time
}

// readJournal reads a journal as far as it was written: the run may have died in the middle of a line.
func readJournal(name string) (left leftJournal, err error) {
	f, err := os.Open(name)
	if err != nil {
		return left, err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return left, err
	}
	left.changed = info.ModTime()
	lines := bufio.NewReader(f)
	for n := 0; ; n++ {
		line, err := lines.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF):
			return left, nil // a line without an end was not finished
		case err != nil:
			return left, err
		case n == 0:
			if json.Unmarshal(line, &left.head) != nil || left.head.Journal != 1 {
				return left, fmt.Errorf("%s is not a journal that this program knows", name)
			}
		default:
			if rec, err := ledger.Decode(line); err == nil {
				left.records = append(left.records, rec)
			} else {
				left.unread++
			}
		}
	}
}

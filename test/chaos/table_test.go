//go:build unix

package chaos_test

import (
	"fmt"
	"io"
	"sync"
)

// results is the table that is printed in the end.
var results table

// table counts what became of the worlds, by scenario.
type table struct {
	mu    sync.Mutex
	order []string
	rows  map[string]*row
}

type row struct {
	tally
	worlds, publishers int
}

func (t *table) empty() bool { return len(t.rows) == 0 }

// declare gives a scenario its place in the table, and reports whether it had none.
func (t *table) declare(scenario string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[string]*row{}
	}
	if t.rows[scenario] != nil {
		return false
	}
	t.rows[scenario] = &row{}
	t.order = append(t.order, scenario)
	return true
}

// add counts one world of a scenario.
func (t *table) add(scenario string, sum tally, publishers int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[scenario].add(&row{sum, 1, publishers})
}

func (r *row) add(o *row) {
	r.worlds += o.worlds
	r.publishers += o.publishers
	r.duplicates += o.duplicates
	r.losses += o.losses
	r.unknown += o.unknown
	r.recovered += o.recovered
}

// print writes the table as Markdown.
func (t *table) print(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprint(w, "| scenario | runs | processes | duplicates | losses | unknown | recovered |\n|---|---:|---:|---:|---:|---:|---:|\n") //nolint:errcheck // a buffer
	var all row
	line := func(name string, r *row) {
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d | %d |\n", name, r.worlds, r.publishers, r.duplicates, r.losses, r.unknown, r.recovered) //nolint:errcheck // a buffer
	}
	for _, name := range t.order {
		if t.rows[name].worlds == 0 {
			continue // it failed, or was not asked for
		}
		line(name, t.rows[name])
		all.add(t.rows[name])
	}
	line("**all**", &all)
}

package docs_test

import (
	"encoding/xml"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// element is a part of a picture.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e *element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all calls do with the element and with everything in it.
func (e *element) all(do func(*element)) {
	do(e)
	for i := range e.Children {
		e.Children[i].all(do)
	}
}

// words returns the text that people see of an element.
func (e *element) words() string {
	var words []string
	e.all(func(e *element) { words = append(words, strings.Fields(e.Text)...) })
	return strings.Join(words, " ")
}

// picture reads a picture, and its elements by their ids.
func picture(t *testing.T, name string) (root *element, byID map[string]*element) {
	t.Helper()
	root, byID = new(element), map[string]*element{}
	if err := xml.Unmarshal([]byte(read(t, name)), root); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	root.all(func(e *element) {
		id := e.attr("id")
		if id == "" {
			return
		}
		if byID[id] != nil {
			t.Errorf("%s: the id %q is there twice", name, id)
		}
		byID[id] = e
	})
	return root, byID
}

// TestPictures wants pictures that everybody can read: small, told in words too, in light and in dark, and with nothing in
// them that a code host takes out or that comes from elsewhere.
func TestPictures(t *testing.T) {
	names, err := filepath.Glob("img/*.svg")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 2 {
		t.Fatalf("only %d pictures were found", len(names))
	}
	allowed := []string{"svg", "title", "desc", "style", "defs", "marker", "g", "path", "rect", "circle", "text", "tspan"}
	for _, name := range names {
		if size := len(read(t, name)); size > 25_000 {
			t.Errorf("%s has %d bytes: was it drawn by hand?", name, size)
		}
		root, byID := picture(t, name)
		if root.attr("role") != "img" || root.attr("viewBox") == "" {
			t.Errorf("%s needs role=\"img\" and a viewBox", name)
		}
		for _, id := range []string{"title", "desc"} {
			if e := byID[id]; e == nil || e.words() == "" || !slices.Contains(strings.Fields(root.attr("aria-labelledby")), id) {
				t.Errorf("%s needs a %s, named by aria-labelledby", name, id)
			}
		}
		dark := false
		root.all(func(e *element) {
			if kind := e.XMLName.Local; !slices.Contains(allowed, kind) {
				t.Errorf("%s has an element %q: a host may drop it", name, kind)
			}
			if e.XMLName.Local == "style" {
				dark = strings.Contains(e.Text, "(prefers-color-scheme: dark)")
				if strings.Contains(e.Text, "@import") || strings.Contains(e.Text, "url(") {
					t.Errorf("%s has a style that loads something", name)
				}
			}
			for _, a := range e.Attrs {
				if a.Name.Local == "href" || strings.HasPrefix(a.Name.Local, "on") || a.Name.Local != "xmlns" && strings.Contains(a.Value, "//") {
					t.Errorf("%s: %s=%q leads out of the file", name, a.Name.Local, a.Value)
				}
			}
		})
		if !dark {
			t.Errorf("%s has no colours for dark pages", name)
		}
	}
}

// TestStatesPicture holds the picture of the states to the ledger: it has each state once, in the colour of those that are
// settled when it is, and no other; every outcome has its way there, and whatever is not settled a way on.
func TestStatesPicture(t *testing.T) {
	const name = "img/states.svg"
	root, byID := picture(t, name)
	for _, s := range ledger.States() {
		node := byID["state-"+string(s)]
		if node == nil {
			t.Errorf("%s lacks the state %q", name, s)
			continue
		}
		if got := node.words(); got != string(s) {
			t.Errorf("%s calls the state %q %q", name, s, got)
		}
		if settled := node.attr("class") == "settled"; settled != s.Settled() {
			t.Errorf("%s: the state %q is drawn as settled: %t", name, s, settled)
		}
	}
	ends := map[string]bool{"none": true, "look-up": true, "person": true} // what is no state
	for end := range ends {
		if byID[end] == nil {
			t.Errorf("%s lacks %q", name, end)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		s, ok := strings.CutPrefix(id, "state-")
		if !ok {
			continue
		}
		if !slices.Contains(ledger.States(), ledger.State(s)) {
			t.Errorf("%s has a state %q, which there is not", name, s)
		}
		ends[s] = true
	}

	edges, into, outOf := map[string]bool{}, map[string]bool{}, map[string]bool{}
	root.all(func(e *element) {
		from, to := e.attr("data-from"), e.attr("data-to")
		if from == "" && to == "" {
			return
		}
		if !ends[from] || !ends[to] {
			t.Errorf("%s has an edge from %q to %q", name, from, to)
		}
		edges[from+" "+to], into[to], outOf[from] = true, true, true
	})
	for _, s := range ledger.States() {
		if !into[string(s)] {
			t.Errorf("%s: nothing leads to %q", name, s)
		}
		if !s.Settled() && !outOf[string(s)] {
			t.Errorf("%s: nothing leads on from %q", name, s)
		}
	}
	for _, o := range []platform.Outcome{platform.Unknown, platform.Unsent, platform.Limited, platform.Denied, platform.Rejected} {
		if s := ledger.StateOf(o); !edges["sending "+string(s)] {
			t.Errorf("%s: an attempt that ends as %q does not lead to %q", name, o, s)
		}
	}
}

// TestSequencePicture wants the eight points at which a run is killed, on the publisher's line and beside what the next run does.
func TestSequencePicture(t *testing.T) {
	const name = "img/sequence.svg"
	root, byID := picture(t, name)
	shown := map[string]int{}
	root.all(func(e *element) {
		if e.XMLName.Local == "g" {
			shown[e.words()]++
		}
	})
	for n := 1; n <= 8; n++ {
		number := fmt.Sprint(n)
		if e := byID["crash-"+number]; e == nil || e.words() != number {
			t.Errorf("%s lacks the point %d", name, n)
		}
		if shown[number] != 2 {
			t.Errorf("%s shows the number %d %d times, want 2", name, n, shown[number])
		}
	}
	if byID["crash-9"] != nil {
		t.Errorf("%s has more points than eight", name)
	}
}

package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/platform"
)

func sheetCard(text string, parts int) *SheetCard {
	r := &platform.Rendering{Platform: "bluesky", Visibility: "public"}
	for range parts {
		r.Parts = append(r.Parts, platform.Part{Text: text, Max: 300, Used: len(text), Media: []platform.Media{{Path: `content/<a"b>.png`, MIME: "image/png", Width: 10, Height: 10, Alt: text}}})
	}
	return &SheetCard{
		Rendering: r, Info: platform.Info{Name: "Bluesky"}, Account: &platform.Account{Name: "bsky", Platform: "bluesky"}, Name: "Acme",
		Media: func(platform.Media) string { return "0123.jpg" },
	}
}

func writeSheet(t *testing.T, s Sheet) string {
	t.Helper()
	set, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := set.Sheet(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSheetIsInert: whatever a post says is text, and the page may load nothing but pictures beside it.
func TestSheetIsInert(t *testing.T) {
	const hostile = `</style></title><script>alert(1)</script><img src=x onerror=alert(1)> {{.}}`
	doc := writeSheet(t, Sheet{Title: hostile, Rows: []SheetRow{{After: sheetCard(hostile, 1)}}, Notes: []string{hostile}})
	for _, no := range []string{"<script", "<img src=x", `<a"b>`} {
		if strings.Contains(doc, no) {
			t.Errorf("the page has %q", no)
		}
	}
	if n := strings.Count(doc, "&lt;script&gt;alert(1)"); n < 3 {
		t.Errorf("the words are on the page %d times", n)
	}
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(doc)
	if style == nil {
		t.Fatal("there is no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	policy := fmt.Sprintf(`content="default-src 'none'; img-src file:; style-src 'sha256-%s'"`, base64.StdEncoding.EncodeToString(sum[:]))
	if !strings.Contains(strings.ReplaceAll(doc, "&#43;", "+"), policy) {
		t.Errorf("the policy is not %s:\n%.700s", policy, doc)
	}
	for _, m := range regexp.MustCompile(` (?:src|href)="([^"]*)"`).FindAllStringSubmatch(doc, -1) {
		if m[1] != "0123.jpg" && !strings.HasPrefix(m[1], "#i-") {
			t.Errorf("the page refers to %q", m[1])
		}
	}
	if strings.Contains(doc, ` id="card-`) {
		t.Error("cards have ids, of which there may be two")
	}
}

func TestSheetPairs(t *testing.T) {
	alone := writeSheet(t, Sheet{Rows: []SheetRow{{After: sheetCard("new", 1)}, {After: sheetCard("new", 1)}}})
	if strings.Contains(alone, ">Before<") || !strings.Contains(alone, `class="sheet-cards of-2"`) {
		t.Errorf("two new cards:\n%s", alone[strings.Index(alone, "<main"):])
	}
	pairs := writeSheet(t, Sheet{Rows: []SheetRow{
		{Before: sheetCard("old", 1), After: sheetCard("new", 1)}, {Before: sheetCard("gone", 1)}, {After: sheetCard("come", 1)},
	}})
	var got []string
	for _, m := range regexp.MustCompile(`<p[^>]*>(Before|After|old|new|gone|come|It [^<]*)<`).FindAllStringSubmatch(pairs[strings.Index(pairs, "<main"):], -1) {
		got = append(got, m[1])
	}
	want := "Before old After new Before gone After It no longer goes there. Before It did not go there. After come"
	if line := strings.Join(got, " "); line != want {
		t.Errorf("%s\nwant\n%s", line, want)
	}
}

func TestSheetCutsThreads(t *testing.T) {
	doc := writeSheet(t, Sheet{Rows: []SheetRow{{After: sheetCard("A part.", 99)}}})
	if n := strings.Count(doc, `<div class="net-part`); n != sheetParts {
		t.Errorf("%d parts are shown", n)
	}
	for _, want := range []string{"99 parts", "Parts 7 to 99 are not in this picture."} {
		if !strings.Contains(doc, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

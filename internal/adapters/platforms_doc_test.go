package adapters

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters/linkedin"
	"github.com/postrider/postrider/internal/platform"
)

var update = flag.Bool("update", false, "write docs/PLATFORMS.md anew")

const docsFolder = "../../docs"

// TestPlatformsDocCurrent holds docs/PLATFORMS.md to what the adapters declare.
func TestPlatformsDocCurrent(t *testing.T) {
	file := filepath.Join(docsFolder, "PLATFORMS.md")
	want := platformsDoc(All())
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")))); diff != "" {
		t.Errorf("%s is not current: go test ./internal/adapters -run TestPlatformsDocCurrent -update (-want +got):\n%s", file, diff)
	}
}

// TestPlatformPages wants a page for every platform, which names its secrets, and no page for any other.
func TestPlatformPages(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(docsFolder, "platforms", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	reg := All()
	for _, page := range pages {
		if id := strings.TrimSuffix(filepath.Base(page), ".md"); !slices.ContainsFunc(reg.Infos(), func(i platform.Info) bool { return string(i.ID) == id }) {
			t.Errorf("%s is about a platform that there is not", page)
		}
	}
	for _, info := range reg.Infos() {
		text, err := os.ReadFile(filepath.Join(docsFolder, "platforms", string(info.ID)+".md"))
		if err != nil {
			t.Errorf("%s has no page: %v", info.ID, err)
			continue
		}
		for _, s := range info.Secrets {
			if !bytes.Contains(text, []byte("_"+s.Name+"`")) {
				t.Errorf("docs/platforms/%s.md does not name the secret %s", info.ID, s.Name)
			}
		}
	}
}

// meanings says in words what each capability is, by its name.
var meanings = map[string]string{
	"publish":         "posts go out; without it they can only be shown, counted and planned",
	"edit":            "a merged change is applied to what is out",
	"delete":          "`withdraw: true` and `expires_at` take a post down",
	"find":            "after a lost answer, the network is asked whether the post is there",
	"thread":          "a post may have several parts",
	"idempotent":      "the same request twice makes one post",
	"poll":            "`poll`",
	"visibility":      "`visibility` other than `public`",
	"content_warning": "`content_warning` has a field of its own",
	"language":        "`language` is sent",
	"card":            "`card` is sent as it was reviewed",
}

// platformsDoc writes the page.
func platformsDoc(reg *platform.Registry) []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	infos := reg.Infos()

	p("# Platforms")
	p("")
	p("What this version can do on each network, the limits that it enforces, what networks charge, and the secrets that it takes.")
	p("This page is generated from the adapters; a test keeps it current. `postrider platforms NAME` prints the same.")
	p("What becomes of a post's text and fields on each network is in [RENDERING.md](RENDERING.md).")
	p("")
	p("## What each can do")
	p("")
	head, line := "| capability | what it means |", "|---|---|"
	for _, i := range infos {
		head += fmt.Sprintf(" [%s](platforms/%s.md) |", i.Name, i.ID)
		line += "---|"
	}
	p("%s\n%s", head, line)
	for _, name := range (^platform.Caps(0)).Names() {
		row := fmt.Sprintf("| `%s` | %s |", name, meanings[name])
		for _, a := range reg.All() {
			row += " " + can(a, name) + " |"
		}
		p("%s", row)
	}
	p("")
	p("*Some* means that it depends on the account's server or receiver, or on whether it is a person's or an organisation's: see the platform's page.")
	p("")
	p("## Limits")
	p("")
	p("`postrider check` reports what is beyond a limit; nothing is cut in silence. Each limit has the day on which it was checked, with a link to the page that states it.")
	for _, i := range infos {
		p("")
		p("### %s", i.Name)
		p("")
		if len(i.Limits) == 0 {
			p("No limits.")
			continue
		}
		p("| limit | most | checked | note |")
		p("|---|---|---|---|")
		for _, l := range i.Limits {
			p("| `%s` | %s %s | [%s](%s) | %s |", l.Name, thousands(l.Max), l.Unit, l.Verified, l.Doc, l.Note)
		}
	}
	p("")
	p("## Prices")
	p("")
	p("What networks charge for posts, in US dollars. `plan` shows what each post is estimated to cost; [`monthly_cap`](SITE.md#accounts) of an account bounds it.")
	p("")
	p("| platform | what | price | checked | note |")
	p("|---|---|---|---|---|")
	for _, i := range infos {
		for _, x := range i.Prices {
			p("| %s | %s | %s | [%s](%s) | %s |", i.Name, x.One, x.USD, x.Verified, x.Doc, x.Note)
		}
	}
	p("")
	p("## Secrets")
	p("")
	p("`<ACCOUNT>` is the account's name in site.yaml, in upper case, every other character than A–Z and 0–9 as `_`.")
	p("The other spellings count only where the site has one account of the platform.")
	p("")
	p("| platform | variable | other spellings | what it is |")
	p("|---|---|---|---|")
	for _, i := range infos {
		for _, s := range i.Secrets {
			var other []string
			for _, alias := range s.Aliases {
				other = append(other, "`"+alias+"`")
			}
			help := s.Help
			if s.Optional {
				help += " Optional."
			}
			p("| %s | `POSTRIDER_<ACCOUNT>_%s` | %s | %s |", i.Name, s.Name, strings.Join(other, ", "), help)
		}
	}
	return b.Bytes()
}

// can says whether a platform has a capability: every account, or some.
func can(a platform.Adapter, name string) string {
	info := a.Info()
	account := platform.Account{Name: "a", Platform: info.ID}
	if info.NewOptions != nil {
		account.Options = info.NewOptions()
	}
	accounts := []platform.Account{account}
	if o, ok := account.Options.(*linkedin.Options); ok { // that of a member; an organisation's can other things
		page := *o
		page.Organization = "1"
		accounts = append(accounts, platform.Account{Name: "a", Platform: info.ID, Options: &page})
	}
	all, some := slices.Contains(info.Caps.Names(), name), false
	for i := range accounts {
		has := slices.Contains(platform.CapsOf(a, &accounts[i]).Names(), name)
		all, some = all && has, some || has
	}
	switch {
	case all:
		return "yes"
	case some:
		return "some"
	}
	return "–"
}

// thousands writes 2000000 as 2,000,000.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

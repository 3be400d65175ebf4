package gitrepo

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// FuzzParseConfig: no input makes the parser panic, and what it accepts, git accepts with the same values.
func FuzzParseConfig(f *testing.F) {
	for _, s := range []string{
		"[core]\n\tbare = true\n", "[a \"b.c\\\"d\"]\nk=\"x y\" ; z\n k2 \n", "[s.Sub]\nx = a\\\n b\n", "[x]y=1", "[a]\nb = \"\\n\\t\\\\\" # c\n",
		"[", "[a]\nb = \"", "[a]\nb=\\q", "\xef\xbb\xbf[a]\r\nb=1\r\n", "b=1", "[a]\n1=2", "[a \"b", "[a]\nb\n#", "[a]\nx =  two  words  \n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseConfig(b)
		if err != nil {
			return
		}
		for _, e := range c {
			if !strings.Contains(e.key, ".") {
				t.Errorf("key %q", e.key)
			}
			e.sub()
		}
		u, err := url.Parse("https://example.org/x.git")
		if err != nil {
			t.Fatal(err)
		}
		c.httpHeaders(u)
		c.rewriteURL("https://example.org/x.git", true)
	})
}

// TestParseConfigAsGit compares the parser with git on the difficult parts of the syntax.
func TestParseConfigAsGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, text := range []string{
		"[core]\n\tbare = true\n\tx\n",
		"[a \"B.c\\\"d\"] k=\"x y\" ; z\n k2 =\n",
		"[s.Sub]\nx = a\\\n b\n",
		"[a]\nb = \"\\n\\t\\\\\" # c\nb = two  words  \n",
		"[a]\nb = \"quoted; not # a comment\" and more\n[A]\nC = 1",
		"# comment\n; comment\n\n[remote \"origin\"]\n\turl = https://example.org/x.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
		"[a]\nb = x\\\n y # c\n",
		"[a]\nb = \"trailing \" \n",
	} {
		w.write("c", text)
		cmd := exec.Command("git", "config", "-f", w.path("c"), "--list", "-z")
		cmd.Env = w.env
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want := parseConfigList(out)
		got, err := parseConfig([]byte(text))
		if err != nil || len(got) != len(want) {
			t.Errorf("%q: %v, %v; git says %v", text, got, err, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %q, git says %q", text, got[i], want[i])
			}
		}
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte("100644 a\x00aaaaaaaaaaaaaaaaaaaa40000 b\x00bbbbbbbbbbbbbbbbbbbb"))
	f.Add([]byte("100644 ..\x00aaaaaaaaaaaaaaaaaaaa"))
	f.Add([]byte("1 "))
	f.Fuzz(func(t *testing.T, b []byte) {
		es, err := parseTree(b, 20)
		if err != nil {
			return
		}
		out, err := encodeTree(es)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseTree(out, 20)
		if err != nil || len(again) != len(es) {
			t.Fatalf("%q became %q: %v", b, out, err)
		}
	})
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte("tree " + strings.Repeat("a", 40) + "\nparent " + strings.Repeat("b", 40) + "\nauthor A <a@b> 1 +0100\ncommitter A <a@b> 1 +0100\ngpgsig x\n y\n\ns\n\nb\n"))
	f.Add([]byte("author <> 99999999999999999999 +9999\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCommit(b, sha1Format)
		if err == nil && !sha1Format.valid(string(c.Tree)) {
			t.Errorf("tree %q", c.Tree)
		}
	})
}

// FuzzApplyDelta: no difference makes it panic, read outside the base, or return another size than promised.
func FuzzApplyDelta(f *testing.F) {
	f.Add([]byte("0123456789"), []byte("\x0a\x05\x91\x02\x03\x02ab"))
	f.Add([]byte(""), []byte("\x00\x00"))
	f.Add([]byte("x"), []byte("\x01\xff\xff\xff\xff\x0f\x80"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		out, err := applyDelta(base, delta)
		if err != nil {
			return
		}
		_, n := binary.Uvarint(delta)
		if size, _ := binary.Uvarint(delta[n:]); size != uint64(len(out)) {
			t.Errorf("%d bytes, want %d", len(out), size)
		}
	})
}

func FuzzParseEntryHeader(f *testing.F) {
	f.Add([]byte{0x95, 0x0a}, true)
	f.Add([]byte{0xe5, 0x8a, 0x01, 0x80, 0x01}, false)
	f.Add(append([]byte{0x75}, bytes.Repeat([]byte{1}, 32)...), true)
	f.Fuzz(func(t *testing.T, b []byte, long bool) {
		n := 20
		if long {
			n = 32
		}
		o, size, used, err := parseEntryHeader(b, n)
		if err == nil && (used > len(b) || size < 0 || o.baseOff < 0) {
			t.Errorf("size %d, used %d of %d, base %d", size, used, len(b), o.baseOff)
		}
	})
}

func FuzzParseIndex(f *testing.F) {
	idx := append([]byte("\xfftOc\x00\x00\x00\x02"), make([]byte, 256*4)...)
	idx = append(idx, make([]byte, 40)...)
	f.Add(idx)
	f.Fuzz(func(t *testing.T, b []byte) {
		p := &pack{idLen: 20}
		if p.readFanout(bytes.NewReader(b), int64(len(b))) != nil {
			return
		}
		for _, first := range []byte{0, 1, 0x7f, 0xff} {
			if _, _, err := p.find(append([]byte{first}, make([]byte, 19)...)); err != nil && err != io.EOF {
				t.Error(err)
			}
		}
		if err := p.eachWithPrefix("00", func(Hash) {}); err != nil {
			t.Error(err)
		}
	})
}

func FuzzReadLoose(f *testing.F) {
	f.Add([]byte("x\x9cK\xca\xc9OR0c\x00\x09\xab\x02\x3b"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, data, err := readLoose(bytes.NewReader(b))
		if err == nil && kind == "" {
			t.Errorf("no type for %q", data)
		}
	})
}

func FuzzPackedRefs(f *testing.F) {
	a := strings.Repeat("a", 40)
	f.Add([]byte("# pack-refs with: peeled\n"+a+" refs/heads/main\n^"+a+"\n"), "refs/heads/main")
	f.Add([]byte(a+" refs/heads/main2"), "refs/heads/main")
	f.Fuzz(func(t *testing.T, packed []byte, name string) {
		if checkRefName(name) != nil {
			return
		}
		h := findPackedRef(packed, name, sha1Format)
		if h != Zero && !bytes.Contains(packed, []byte(string(h)+" "+name)) {
			t.Errorf("%q found for %q", h, name)
		}
	})
}

func FuzzRedactURLs(f *testing.F) {
	f.Add("https://a:b@h/x")
	f.Add("://@")
	f.Fuzz(func(t *testing.T, s string) {
		if got := redactURLs("https://user:hunter2@host/" + s); strings.Contains(got, "hunter2@") {
			t.Errorf("%q", got)
		}
	})
}

func FuzzBatchAnswer(f *testing.F) {
	f.Add("aaaa blob 3\n", []byte("abc\n"))
	f.Add("aaaa missing\n", []byte{})
	f.Add("aaaa blob -1\n", []byte{})
	f.Fuzz(func(t *testing.T, line string, rest []byte) {
		if len(line) > 60 {
			return
		}
		if f := strings.Fields(line); len(f) == 3 && len(f[2]) > 5 {
			return // a big buffer is right for a big announcement, but not in a fuzz test
		}
		readBatchAnswer(line, bytes.NewReader(rest)) //nolint:errcheck
	})
}

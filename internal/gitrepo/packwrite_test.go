package gitrepo

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLargeCommit writes more objects than are kept as loose files, in both object formats, and has git itself check
// the pack.
func TestLargeCommit(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			w := newWorld(t)
			w.git("", "init", "-q", "--bare", "--object-format="+format, "repo")
			r := w.open("repo", "")
			files := map[string][]byte{}
			for i := range 3 * packFrom {
				files[fmt.Sprintf("d%02d/%04d", i%7, i)] = bytes.Repeat(fmt.Appendf(nil, "%d\n", i), i) // the first one is empty
			}
			files["again"], files["random"] = files["d01/0001"], []byte(strings.Repeat("x", 70_000))
			var tip Hash
			var err error
			for range 2 { // the second time changes nothing
				if tip, err = r.Commit(t.Context(), Commit{Branch: "b", Parent: tip, Files: files, Message: "many", Time: testTime}); err != nil {
					t.Fatal(err)
				}
			}
			packs, err := filepath.Glob(filepath.Join(w.path("repo"), "objects", "pack", "*"))
			if err != nil || len(packs) != 2 {
				t.Fatalf("%d files in objects/pack, want a pack and its index: %v %v", len(packs), packs, err)
			}
			w.git("repo", "fsck", "--strict", "--full")
			w.git("repo", "verify-pack", strings.TrimSuffix(packs[0], filepath.Ext(packs[0]))+".idx")
			tree, err := r.Tree(tip)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range files {
				if got, err := tree.ReadFile(name); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s: %d bytes, %v; want %d", name, len(got), err, len(want))
				}
			}
		})
	}
}

// TestPackThatCannotBeWritten leaves nothing behind.
func TestPackThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pack"), nil, 0o600); err != nil { // in the folder's place
		t.Fatal(err)
	}
	objects := make([]newObject, packFrom)
	for i := range objects {
		data := fmt.Appendf(nil, "%d", i)
		objects[i] = newObject{sha1Format.sum(kindBlob, data), kindBlob, data}
	}
	if err := writeObjects(dir, objects, sha1Format); !errors.Is(err, ErrNotWritable) {
		t.Errorf("error = %v, want ErrNotWritable", err)
	}
	objects[7].id = "not hexadecimal"
	other := filepath.Join(dir, "other")
	if err := writePack(other, objects, sha1Format); err == nil {
		t.Error("an id that is none was written")
	}
	if names, err := os.ReadDir(other); err != nil || len(names) > 0 {
		t.Errorf("left behind: %v %v", names, err)
	}
}

// TestIndexOfALargePack indexes an object behind the first 2 GB of a pack.
func TestIndexOfALargePack(t *testing.T) {
	var b bytes.Buffer
	near, far := sha1Format.sum(kindBlob, []byte("near")), sha1Format.sum(kindBlob, []byte("far"))
	if err := encodePackIndex(&b, []packEntry{{near, 12, 1}, {far, 1 << 33, 2}}, make([]byte, 20), sha1Format); err != nil {
		t.Fatal(err)
	}
	p := &pack{idLen: 20}
	if err := p.readFanout(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[Hash]int64{near: 12, far: 1 << 33} {
		raw, err := hex.DecodeString(string(id))
		if err != nil {
			t.Fatal(err)
		}
		if off, ok, err := p.find(raw); err != nil || !ok || off != want {
			t.Errorf("find = %d, %v, %v; want %d", off, ok, err, want)
		}
	}
}

package draft

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestMend(t *testing.T) {
	for name, test := range map[string]struct {
		file, now string
		link      bool
		want      Reason
		mended    bool
	}{
		"a post":              {file: "content/a.md", now: "old\n", mended: true},
		"site.yaml":           {file: "site.yaml", now: "old\n", mended: true},
		"changed meanwhile":   {file: "content/a.md", now: "new\n", want: Changed},
		"site.yaml meanwhile": {file: "site.yaml", now: "new\n", want: Changed},
		"a link":              {file: "content/a.md", now: "old\n", link: true, want: NotFile},
		"site.yaml as a link": {file: "site.yaml", now: "old\n", link: true, want: NotFile},
		"no post":             {file: "notes.txt", now: "old\n", want: NotPost},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			full := filepath.Join(dir, filepath.FromSlash(test.file))
			if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
				t.Fatal(err)
			}
			target := full
			if test.link {
				target = filepath.Join(dir, "target.md")
				if err := os.Symlink(target, full); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(target, []byte(test.now), 0o640); err != nil {
				t.Fatal(err)
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close() //nolint:errcheck // only a test's
			err = Mend(root, test.file, []byte("old\n"), []byte("mended\n"))
			refused, _ := errors.AsType[*RefusedError](err)
			if test.mended != (err == nil) || !test.mended && (refused == nil || refused.Reason != test.want) {
				t.Errorf("error %v", err)
			}
			got, err := os.ReadFile(target)
			want := test.now
			if test.mended {
				want = "mended\n"
			}
			if err != nil || string(got) != want {
				t.Errorf("the file is %q, %v", got, err)
			}
			if fi, err := os.Stat(target); err != nil || fi.Mode().Perm() != 0o640 {
				t.Errorf("its mode is %v, %v", fi.Mode(), err)
			}
		})
	}
}

package gitrepo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5"
)

// ours marks the names of this program's temporary files. Before it stands a prefix of git's own: its gc removes what is
// left of them, in weeks.
const ours = "postrider_"

// createTemp makes a temporary file in an objects folder, or in its folder of packs: never among the objects
// themselves, so that leftovers are found without reading 256 folders.
func createTemp(dir, prefix string) (*os.File, error) {
	return os.CreateTemp(dir, prefix+ours)
}

// abandoned is after how long a temporary file belongs to nobody: writing one takes milliseconds, and fetching one minutes.
const abandoned = 10 * time.Minute

// removeTemps removes what killed processes have left behind, once for each open repository.
func (r *Repo) removeTemps() {
	r.tempsOnce.Do(func() {
		objects := filepath.Join(r.layout.commonDir, "objects")
		for _, dir := range []string{objects, filepath.Join(objects, "pack")} {
			names, err := os.ReadDir(dir)
			if err != nil {
				continue // whoever needs the folder will say so
			}
			for _, n := range names {
				if !strings.HasPrefix(n.Name(), "tmp_") || !strings.Contains(n.Name(), "_"+ours) {
					continue
				}
				if fi, err := n.Info(); err == nil && fi.Mode().IsRegular() && r.opts.Now().Sub(fi.ModTime()) > abandoned {
					err := os.Remove(filepath.Join(dir, n.Name()))
					r.opts.Log.Debug("removed what a killed process has left", "file", n.Name(), "err", err)
				}
			}
		}
	})
}

// packFS names the temporary files of go-git's pack writer as ours, and knows them.
type packFS struct {
	billy.Filesystem
	root  string
	temps []string
}

// TempFile implements billy.TempFile.
func (p *packFS) TempFile(dir, prefix string) (billy.File, error) {
	f, err := p.Filesystem.TempFile(dir, prefix+ours)
	if err == nil {
		p.temps = append(p.temps, f.Name())
	}
	return f, err
}

// removeTemps removes what is left after a failure.
func (p *packFS) removeTemps() (err error) {
	for _, name := range p.temps {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.root, name)
		}
		if e := os.Remove(name); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

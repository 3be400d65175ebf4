package gitrepo

import (
	"errors"
	"fmt"
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

// removeTemps removes what killed processes have left behind, once for each open repository: our own files, which are in three
// folders; and git's, which may be in any, if a fetch through git did not come to its end here.
func (r *Repo) removeTemps() {
	r.tempsOnce.Do(func() {
		objects := filepath.Join(r.layout.commonDir, "objects")
		dirs := []string{r.layout.commonDir, objects, filepath.Join(objects, "pack")}
		markers, _ := filepath.Glob(filepath.Join(r.layout.commonDir, "postrider", fetching+"*"))
		unfinished := len(markers) > 0
		if unfinished {
			for n := range 256 {
				dirs = append(dirs, filepath.Join(objects, fmt.Sprintf("%02x", n)))
			}
		}
		young := false
		for _, dir := range dirs {
			names, err := os.ReadDir(dir)
			if err != nil {
				continue // whoever needs the folder will say so
			}
			for _, n := range names {
				if !strings.HasPrefix(n.Name(), "tmp_") || !unfinished && !strings.Contains(n.Name(), "_"+ours) {
					continue
				}
				fi, err := n.Info()
				if err != nil || !fi.Mode().IsRegular() {
					continue
				}
				if strings.HasPrefix(n.Name(), locking) {
					if buryLock(dir, filepath.Join(dir, n.Name())) {
						r.opts.Log.Debug("removed the lock of a process that was killed", "file", n.Name())
					}
					continue
				}
				if r.opts.Now().Sub(fi.ModTime()) <= abandoned {
					young = true
					continue
				}
				err = os.Remove(filepath.Join(dir, n.Name()))
				r.opts.Log.Debug("removed what a killed process has left", "file", n.Name(), "err", err)
			}
		}
		for _, marker := range markers {
			if fi, err := os.Lstat(marker); err == nil && !young && r.opts.Now().Sub(fi.ModTime()) > abandoned && !isHeld(marker) {
				r.removeMarker(marker)
			}
		}
	})
}

// fetching begins the name of a file that is there while git fetches, and stays when it fails or is killed together with us. Each
// fetch has one of its own: others may be at work in the same clone. While it goes on, its process holds the file, so that nobody takes it
// for one of the dead, whatever the clocks say.
const fetching = "fetching"

// beginFetch notes that git is about to write objects. Not being able to is no harm.
func (r *Repo) beginFetch() (marker *os.File) {
	dir := filepath.Join(r.layout.commonDir, "postrider")
	err := os.MkdirAll(dir, 0o777)
	if err == nil {
		marker, err = os.CreateTemp(dir, fetching+"-")
	}
	if err != nil {
		r.opts.Log.Debug("cannot note that a fetch has begun", "err", err)
		return nil
	}
	hold(marker)
	return marker
}

// fetched notes that nothing of a fetch is left to remove, unless it failed.
func (r *Repo) fetched(marker *os.File, failure error) {
	if marker == nil {
		return
	}
	if failure == nil {
		r.removeMarker(marker.Name())
	}
	marker.Close() //nolint:errcheck // nothing was written
}

func (r *Repo) removeMarker(name string) {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		r.opts.Log.Debug("cannot note that a fetch has ended", "err", err)
	}
}

// packFS names the temporary files of go-git's pack writer as ours, and knows them. It also has the writer's index
// written to one, since an index under its final name counts, even half of one.
type packFS struct {
	billy.Filesystem
	root  string
	temps []string
	index string // the temporary file that the index is in
}

// Create implements billy.Basic.
func (p *packFS) Create(name string) (billy.File, error) {
	if filepath.Ext(name) != ".idx" {
		return p.Filesystem.Create(name)
	}
	f, err := p.TempFile(filepath.Dir(name), "tmp_idx_")
	if err == nil {
		p.index = p.temps[len(p.temps)-1]
	}
	return f, err
}

// path returns where a file is outside of this filesystem.
func (p *packFS) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.root, name)
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
		if e := os.Remove(p.path(name)); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}
